//! What somebody has halted, as the store keeps it: read once at each look.

use super::steered::Halts;
use crate::account::{Halt, PoolId};
use crate::base::Timestamp;
use crate::store::{KeptHalt, Store};

/// The halts that a store keeps.
#[derive(Debug)]
pub struct HaltsOfStore {
    store: Store,
    kept: Vec<KeptHalt>,
}

impl HaltsOfStore {
    /// Returns those of a store; none are known before the first look.
    pub const fn new(store: Store) -> Self {
        Self {
            store,
            kept: Vec::new(),
        }
    }
}

impl Halts for HaltsOfStore {
    fn refresh(&mut self, now: Timestamp) -> Result<(), String> {
        let mut kept = self.store.halts().map_err(|error| error.to_string())?;
        kept.retain(|kept| kept.halt.holds(now));
        self.kept = kept;
        Ok(())
    }

    fn of(&self, pool: &PoolId) -> Vec<Halt> {
        let own = self.kept.iter().filter(|kept| kept.pools.matches(pool));
        own.map(|kept| kept.halt.clone()).collect()
    }
}
