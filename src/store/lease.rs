//! Who steers by a memory: at most one process at any time.

use super::{Keeper, Store, StoreError};

/// The right to steer by a memory, wanted or held by one process.
#[derive(Clone, Debug)]
pub struct Lease {
    store: Store,
    holder: String,
}

/// What became of asking for the lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// It is ours; every line is written under this number, which grows each time the lead changes hands.
    Ours {
        /// The number.
        fence: u64,
    },
    /// Another process has it.
    Theirs {
        /// How it calls itself.
        holder: String,
    },
}

impl Lease {
    pub(super) fn new(store: Store, holder: &str) -> Self {
        Self {
            store,
            holder: holder.to_owned(),
        }
    }

    /// Takes the lead if nobody else has it.
    ///
    /// # Errors
    /// When nobody can say who has it.
    pub fn acquire(&self) -> Result<Lead, StoreError> {
        ask!(self.store, keeper => keeper.take_lead(&self.holder))
    }

    /// Keeps the lead; `Theirs` when it was lost.
    ///
    /// # Errors
    /// When nobody can say who has it.
    pub fn renew(&self) -> Result<Lead, StoreError> {
        ask!(self.store, keeper => keeper.keep_lead(&self.holder))
    }

    /// Gives the lead up, so that another takes over at once.
    ///
    /// # Errors
    /// When it could not be told; it then ends by itself.
    pub fn release(&self) -> Result<(), StoreError> {
        ask!(self.store, keeper => keeper.give_up_lead())
    }
}
