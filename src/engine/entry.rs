//! What the ledger is told.

use super::{AccountView, ObserveError, PoolView};
use crate::account::{Order, Receipt};
use crate::base::Timestamp;
use crate::decision::{Decision, Memory};
use crate::policy::Policies;

/// One entry of the ledger, borrowed from the engine; replaying the entries in order gives the same decisions.
///
/// ```text
/// Started, then for each tick:  (Blind | Unmatched | Account)?  Decided*  Settled*
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Entry<'a> {
    /// The engine began, or begins anew after entries were lost: all that later entries build on.
    Started {
        /// When.
        at: Timestamp,
        /// The policies it decides by.
        policies: &'a Policies,
        /// What it remembers already.
        memory: &'a Memory,
    },
    /// Nothing could be seen; a hold follows for each pool that is remembered.
    Blind {
        /// When.
        at: Timestamp,
        /// Why.
        error: &'a ObserveError,
    },
    /// No pool of the account matches the policies that were due.
    Unmatched {
        /// When.
        at: Timestamp,
    },
    /// What the account shares, where the decisions that follow are made by it.
    Account {
        /// When.
        at: Timestamp,
        /// What was seen, of the pools only those that no decision follows for.
        seen: &'a AccountView,
    },
    /// A decision, before its order goes out.
    Decided {
        /// What was decided, and why.
        decision: &'a Decision,
        /// What was seen; `None` when nothing could be.
        seen: Option<&'a PoolView>,
    },
    /// What became of the order of a decision of this tick.
    Settled {
        /// The order.
        order: &'a Order,
        /// What became of it.
        receipt: &'a Receipt,
    },
}

/// Says that an entry was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RecordError {
    /// What went wrong, with a way out where there is one.
    pub message: String,
}
