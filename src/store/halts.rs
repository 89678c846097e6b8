//! What is halted, until when and by whom; who steers is told at each look, and a restart forgets none.

use super::{Keeper, Store, StoreError};
use crate::account::{Halt, HaltScope, PoolPattern};
use crate::base::Timestamp;

/// A halt that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptHalt {
    /// The pools that are halted; there is one halt for each pattern and each who halts it, the latest.
    pub pools: PoolPattern,
    /// What is forbidden, until when, why, and by whom.
    pub halt: Halt,
    /// Since when.
    pub since: Timestamp,
}

impl Store {
    /// Returns every halt that is kept, those that are over too, by pattern and by who made it.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn halts(&self) -> Result<Vec<KeptHalt>, StoreError> {
        ask!(self, keeper => keeper.halts())
    }

    /// Keeps a halt in place of an earlier one of the same pools by the same; whoever steers sees it at the next look.
    ///
    /// # Errors
    /// When it is not certain that it is kept.
    pub fn halt(&self, halt: &KeptHalt) -> Result<(), StoreError> {
        ask!(self, keeper => keeper.halt(halt))
    }

    /// Ends the halts of exactly these pools, all of them or those of one who made them; says whether there was one.
    ///
    /// # Errors
    /// When it is not certain that they have ended.
    pub fn lift(&self, pools: &PoolPattern, by: Option<&str>) -> Result<bool, StoreError> {
        ask!(self, keeper => keeper.lift(pools, by))
    }
}

/// A halt as a row: pool, scope, until, why, by, since.
pub(super) type HaltRow = (String, String, Option<i64>, String, String, i64);

impl KeptHalt {
    pub(super) fn row(&self) -> HaltRow {
        (
            self.pools.as_str().to_owned(),
            self.halt.scope.word().to_owned(),
            self.halt.until.map(milliseconds),
            self.halt.why.clone(),
            self.halt.by.clone().unwrap_or_default(),
            milliseconds(self.since),
        )
    }

    /// Reads a row; what cannot be understood halts everything, because somebody wanted something halted.
    pub(super) fn read((pool, scope, until, why, by, since): HaltRow) -> Self {
        let scope = match scope.as_str() {
            "in" => HaltScope::In,
            "out" => HaltScope::Out,
            _ => HaltScope::All,
        };
        let every = || "*".parse().expect("a star is a pattern");
        Self {
            pools: pool.parse().unwrap_or_else(|_| every()),
            halt: Halt {
                scope,
                until: until.map(instant),
                why,
                by: (!by.is_empty()).then_some(by),
            },
            since: instant(since),
        }
    }
}

/// Returns an instant as it is kept: milliseconds since 1970, which is how finely lines tell it.
pub(super) fn milliseconds(at: Timestamp) -> i64 {
    at.ticks().div_euclid(10_000)
}

/// Returns the instant that is kept so.
pub(super) fn instant(milliseconds: i64) -> Timestamp {
    Timestamp::from_ticks(milliseconds.saturating_mul(10_000))
}
