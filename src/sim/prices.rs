//! What nodes cost over the time of a run.

use crate::base::{Lane, Timestamp};
use crate::market::PricePath;
use crate::policy::Prices;

/// What the nodes of each lane cost over time.
#[derive(Clone, Debug, PartialEq)]
pub struct PricePaths {
    /// A dedicated node.
    pub dedicated: PricePath,
    /// A spot node.
    pub spot: PricePath,
}

impl PricePaths {
    /// Returns prices that never change.
    pub const fn constant(prices: &Prices) -> Self {
        Self {
            dedicated: PricePath::constant(prices.dedicated),
            spot: PricePath::constant(prices.spot),
        }
    }

    /// Returns the price of one lane.
    pub const fn get(&self, lane: Lane) -> &PricePath {
        match lane {
            Lane::Dedicated => &self.dedicated,
            Lane::Spot => &self.spot,
        }
    }

    /// Returns the lowest price that each lane ever has.
    pub fn least(&self) -> Prices {
        Prices {
            dedicated: self.dedicated.least(),
            spot: self.spot.least(),
        }
    }

    /// Returns when a price changes after `start` and before `end`.
    pub(in crate::sim) fn changes_between(&self, start: Timestamp, end: Timestamp) -> Vec<Timestamp> {
        let both = self.dedicated.changes().chain(self.spot.changes());
        let mut changes: Vec<_> = both.filter(|at| start < *at && *at < end).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}
