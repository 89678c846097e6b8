//! Decisions in short, by the columns that lines are found by: quick over a month, because no line is read.

use crate::account::PoolId;
use crate::base::{Mix, Timestamp};

use super::{Keeper, Store, StoreError};

/// One decision in short.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse {
    /// The number of its line.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What it comes to: out, in, shift, steady or hold.
    pub verdict: String,
    /// Where it ends.
    pub outcome: Mix,
    /// The nodes that it saw and that are paid for; `None` when it saw nothing.
    pub held: Option<Mix>,
    /// What an hour of a dedicated and of a spot node costs, in dollars.
    pub prices: Option<[f64; 2]>,
}

/// Which decisions are looked over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glimpsed {
    /// The pool.
    pub pool: PoolId,
    /// Not before this moment.
    pub from: Timestamp,
    /// Not after this moment.
    pub to: Timestamp,
}

impl Store {
    /// Calls with the decisions about a pool in some time, the oldest first, until it is told to stop; says whether it came to the end.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn glimpse(
        &self,
        glimpsed: &Glimpsed,
        each: &mut dyn FnMut(Glimpse) -> bool,
    ) -> Result<bool, StoreError> {
        let mut after = (glimpsed.from, 0);
        loop {
            let some = ask!(self, keeper => keeper.glimpses(glimpsed, after))?;
            let Some(last) = some.last() else {
                return Ok(true);
            };
            after = (last.at, last.number);
            for glimpse in some {
                if !each(glimpse) {
                    return Ok(false);
                }
            }
        }
    }
}
