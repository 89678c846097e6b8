//! How long lines are kept: whole runs of the engine go, oldest first, a few lines at a time.
//!
//! ```text
//! started … started … started … started …
//! └── older than is kept ──┘    └ the latest: never pruned
//! ```
//!
//! A run goes when the one after it began before the limit: all its lines are older then, and what is left begins with what an
//! engine began with, so that it can be replayed.

use super::{Keeper, Retain, Store, StoreError};
use crate::base::Timestamp;

/// What was pruned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// The lines that went.
    pub lines: u64,
    /// Whether there is more to go; it is left to the next call, so that no call takes long.
    pub more: bool,
}

/// Lines that go in one transaction: some hundredths of a second, which is how long an append can be kept waiting.
pub(super) const STEP_LINES: i64 = 500;

/// Rows of nodes that are read at once: a megabyte.
pub(super) const HELD_ROWS: i64 = 10_000;

/// Steps of one call: a few seconds.
const STEPS_MAX: usize = 100;

impl Store {
    /// Prunes what is older, or more, than is kept; appends go on meanwhile.
    ///
    /// # Errors
    /// When the database cannot be read or written.
    pub fn retain(&self, now: Timestamp) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        let Some(mut before) = self.limit(now)? else {
            return Ok(pruned);
        };
        for _ in 0..STEPS_MAX {
            let gone = ask!(self, keeper => keeper.prune_before(before)?);
            pruned.lines += gone;
            if gone < STEP_LINES.unsigned_abs() {
                // One run is gone; it may take many until the rest is small enough.
                match self.limit(now)? {
                    Some(next) if next > before => before = next,
                    _ => return Ok(pruned),
                }
            }
        }
        pruned.more = true;
        Ok(pruned)
    }

    /// Returns the number of the first line that stays; `None` when all do.
    fn limit(&self, now: Timestamp) -> Result<Option<i64>, StoreError> {
        let Retain { age, bytes } = self.0.retain;
        let by_age = match age {
            Some(age) => self.last_started_before(now - age)?,
            None => None,
        };
        let too_large = match bytes {
            Some(bytes) => self.bytes()? > bytes,
            None => false,
        };
        let by_bytes = if too_large { self.second_started()? } else { None };
        Ok(by_age.max(by_bytes))
    }

    /// Returns how many bytes the memory takes, about.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn bytes(&self) -> Result<u64, StoreError> {
        ask!(self, keeper => keeper.bytes())
    }

    /// Returns the number of the latest line that an engine began with at or before a moment.
    fn last_started_before(&self, at: Timestamp) -> Result<Option<i64>, StoreError> {
        ask!(self, keeper => keeper.last_started_before(at))
    }

    /// Returns the number of the second line that an engine began with: without the run before it the ledger still can be replayed.
    fn second_started(&self) -> Result<Option<i64>, StoreError> {
        ask!(self, keeper => keeper.second_started())
    }
}
