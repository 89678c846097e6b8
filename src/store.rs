//! The memory of an account that outlives the process: the ledger in SQLite or PostgreSQL, searched, pruned and resumed from,
//! with who steers by it and what is halted.
//!
//! ```text
//! append ──► one writer ──► ledger line, byte for byte, with what it is searched by     search, decision_at, latest ◄── readers
//!              │ the fence, checked in the same transaction
//! lease ───────┘                                           resume ◄── the latest `started` line and all that follows
//! ```

mod facts;
mod fault;
mod lease;
mod search;
mod settings;
mod sqlite;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

pub use fault::{StoreError, StoreFault};
pub use lease::{Lead, Lease};
pub use search::{Found, Page, Search};
pub use settings::{Place, Retain, StoreSettings};

use crate::account::PoolId;
use crate::base::Timestamp;
use crate::engine::RecordError;
use crate::world::{Ledger, Remembered, remember};

use sqlite::Sqlite;

/// The memory of an account; cheap to clone, and every clone is the same memory. Its calls block.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keeper: Keeper,
    retain: Retain,
    health: Mutex<Health>,
}

/// Who keeps it.
#[derive(Debug)]
enum Keeper {
    Sqlite(Sqlite),
}

/// Whether the memory can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why the latest line was not kept; `None` while lines are kept.
    pub trouble: Option<StoreError>,
    /// The number of the latest line that was kept by this process.
    pub latest: Option<u64>,
}

impl Store {
    /// Opens the memory, makes it where there is none, and brings it to the present schema.
    ///
    /// # Errors
    /// When it cannot be opened, was made by a later version, or is damaged; nothing is changed then.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let keeper = match &settings.place {
            Place::Sqlite(path) => Keeper::Sqlite(Sqlite::open(path)?),
        };
        Ok(Self::new(keeper, settings.retain))
    }

    /// Opens a ledger that is there to read from it; nothing is made or changed.
    ///
    /// # Errors
    /// When it cannot be opened or is of another version.
    pub fn open_to_read(settings: &StoreSettings) -> Result<Self, StoreError> {
        let keeper = match &settings.place {
            Place::Sqlite(path) => Keeper::Sqlite(Sqlite::open_to_read(path)?),
        };
        Ok(Self::new(keeper, settings.retain))
    }

    /// Returns a memory that ends with the process, for tests and single commands.
    pub fn in_memory() -> Self {
        let sqlite = Sqlite::in_memory().expect("a database in memory needs nothing that could fail");
        Self::new(Keeper::Sqlite(sqlite), Retain::default())
    }

    fn new(keeper: Keeper, retain: Retain) -> Self {
        Self(Arc::new(Inner {
            keeper,
            retain,
            health: Mutex::default(),
        }))
    }

    /// Adds a line and returns its number; it is kept for good when this returns, and by whoever steers alone.
    ///
    /// # Errors
    /// When it is not certain that it is kept, within the bounded time that the settings of the database give.
    pub fn keep(&self, line: &str) -> Result<u64, StoreError> {
        let kept = match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.append(line),
        };
        let mut health = self.0.health.lock().unwrap_or_else(PoisonError::into_inner);
        match &kept {
            Ok(number) => {
                *health = Health {
                    trouble: None,
                    latest: Some(*number),
                };
            }
            Err(error) => health.trouble = Some(error.clone()),
        }
        kept
    }

    /// Says whether lines are kept.
    pub fn health(&self) -> Health {
        self.0
            .health
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Returns what an engine remembered when it last wrote here.
    ///
    /// # Errors
    /// When the ledger cannot be read, or what the engine began with cannot be understood.
    pub fn resume(&self) -> Result<Remembered, StoreError> {
        let lines = match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.since_started()?,
        };
        remember(&lines).map_err(|error| {
            StoreError::new(
                StoreFault::Foreign,
                format!("what was remembered cannot be read: {error}; write the ledger out with `lowtide ledger export` and begin a new one"),
            )
        })
    }

    /// Searches the ledger, a page at a time.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn search(&self, search: &Search) -> Result<Page, StoreError> {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.search(search),
        }
    }

    /// Returns the latest decision about a pool at or before a moment.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decision_at(&self, pool: &PoolId, at: Timestamp) -> Result<Option<Found>, StoreError> {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.decision_at(pool, at),
        }
    }

    /// Returns the latest decision about a pool.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn latest(&self, pool: &PoolId) -> Result<Option<Found>, StoreError> {
        self.decision_at(pool, Timestamp::from_ticks(i64::MAX))
    }

    /// Returns the right to steer by this memory, as `holder`.
    pub fn lease(&self, holder: &str) -> Lease {
        Lease::new(self.clone(), holder)
    }

    /// Says whether this process may still act: asked once more between a line and its order.
    pub fn still_leads(&self) -> bool {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.leads(),
        }
    }

    /// Returns for how long lines are kept.
    pub fn retention(&self) -> Retain {
        self.0.retain
    }

    /// Returns the file that keeps it, where one does.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.path(),
        }
    }
}

impl Ledger for Store {
    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        match self.keep(line) {
            Ok(_) => Ok(()),
            Err(error) => Err(RecordError {
                message: format!("{error}; nothing is ordered until lines can be kept"),
            }),
        }
    }
}
