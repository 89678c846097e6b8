//! Who steers by a memory: at most one process at any time.

use std::time::Duration;

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

/// How a process stands to the lead of a memory, as far as it knows.
///
/// ```text
/// unasked ── acquire, or a first line ──► held ── release ──► unasked
///                                          │ taken by another, or a line refused
///                                          └──► lost ── acquire ──► held
/// ```
///
/// What was lost comes back by `acquire` alone, never by the way: another may have written meanwhile, and who goes on has to read
/// that first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Standing<L> {
    /// It has not asked for it, or gave it back.
    Unasked,
    /// It has it.
    Held(L),
    /// It had it, and another has it or had it since.
    Lost,
}

impl<L> Standing<L> {
    /// Returns the lead while it is held.
    pub(super) const fn held(&self) -> Option<&L> {
        match self {
            Self::Held(lead) => Some(lead),
            Self::Unasked | Self::Lost => None,
        }
    }

    /// Notes that another has it.
    pub(super) fn lose(&mut self) {
        if self.held().is_some() {
            *self = Self::Lost;
        }
    }
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

    /// Returns how long the lead lasts when it is not renewed, where it is held by time.
    pub fn lasts(&self) -> Duration {
        self.store.0.lease
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
