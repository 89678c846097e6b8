//! Where the spot machines of a backtest come from.

use std::sync::Arc;

use super::Supply;

/// Where the spot machines of a backtest come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SpotMarket {
    /// They can always be had; what takes them is [`super::cluster::Eviction`] alone.
    #[default]
    Unlimited,
    /// They are of units that are up or down.
    Supply(Arc<Supply>),
}

impl SpotMarket {
    /// Returns the supply of a run, if there is one.
    pub fn supply(&self) -> Option<Arc<Supply>> {
        match self {
            Self::Unlimited => None,
            Self::Supply(supply) => Some(Arc::clone(supply)),
        }
    }
}
