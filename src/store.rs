//! The memory of an account that outlives the process: the ledger in SQLite or PostgreSQL, searched, pruned and resumed from,
//! with who steers by it and what is halted.
//!
//! ```text
//! append ──► one writer ──► ledger line, byte for byte, with what it is searched by     search, decision_at, latest ◄── readers
//!              │ the fence, checked in the same transaction
//! lease ───────┘                                           resume ◄── the latest `started` line and all that follows
//! ```

/// Asks whoever keeps a memory.
macro_rules! ask {
    ($store:expr, $keeper:ident => $answer:expr) => {
        match &$store.0.keeper {
            Keeper::Sqlite($keeper) => $answer,
            Keeper::Postgres($keeper) => $answer,
        }
    };
}

mod decided;
mod facts;
mod fault;
mod glimpse;
mod halts;
mod keep;
mod lease;
mod postgres;
pub mod report;
mod rescue;
mod search;
mod settings;
mod sqlite;
mod trace;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use fault::{StoreError, StoreFault};
pub use glimpse::{Glimpse, Glimpsed};
pub use halts::KeptHalt;
pub use keep::Pruned;
pub use lease::{Lead, Lease};
pub use postgres::Address;
pub use rescue::Rescued;
pub use search::{Found, Page, Search};
pub use settings::{Place, Retain, StoreSettings};
pub use trace::Trace;

use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::engine::RecordError;
use crate::world::{Ledger, Remembered, remember};

use postgres::Postgres;
use settings::Times;
use sqlite::Sqlite;

/// The memory of an account; cheap to clone, and every clone is the same memory. Its calls block.
#[derive(Clone, Debug)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    keeper: Keeper,
    retain: Retain,
    lease: Duration,
    health: Mutex<Health>,
}

/// Who keeps it.
#[derive(Debug)]
enum Keeper {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Whether the memory can be relied on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Why the latest line was not kept; `None` while lines are kept.
    pub trouble: Option<StoreError>,
    /// The number of the latest line that was kept by this process.
    pub latest: Option<u64>,
    /// Lines that this process kept since an engine began, and their bytes: what a restart would have to go through.
    pub since_started: (usize, usize),
}

impl Health {
    fn count(&mut self, lines: &[&str]) {
        for line in lines {
            if line.starts_with(STARTED) {
                self.since_started = (0, 0);
            }
            self.since_started.0 += 1;
            self.since_started.1 += line.len();
        }
    }
}

/// How a line begins that an engine began with: [`crate::world::line`] writes the kind first.
const STARTED: &str = r#"{"kind":"started""#;

/// Lines after which a run is to begin anew, so that a restart takes seconds: how many are looked over in a second,
/// `cargo bench --bench store` says.
const CHECKPOINT_LINES: usize = 100_000;

/// Bytes of lines after which a run is to begin anew: they are all in memory at once when it is resumed.
const CHECKPOINT_BYTES: usize = 256 << 20;

impl Store {
    /// Opens the memory, makes it where there is none, and brings it to the present schema.
    ///
    /// # Errors
    /// When it cannot be opened, was made by a later version, or is damaged; nothing is changed then.
    pub fn open(settings: &StoreSettings) -> Result<Self, StoreError> {
        let times = Times::of(settings);
        let keeper = match &settings.place {
            Place::Sqlite(path) => Keeper::Sqlite(Sqlite::open(path, times.patience)?),
            Place::Postgres(address) => Keeper::Postgres(Postgres::open(address, times)?),
        };
        Ok(Self::new(keeper, settings.retain, settings.lease))
    }

    /// Opens a ledger that is there to read from it; nothing is made or changed.
    ///
    /// # Errors
    /// When it cannot be opened or is of another version.
    pub fn open_to_read(settings: &StoreSettings) -> Result<Self, StoreError> {
        let times = Times::of(settings);
        let keeper = match &settings.place {
            Place::Sqlite(path) => Keeper::Sqlite(Sqlite::open_to_read(path, times.patience)?),
            Place::Postgres(address) => Keeper::Postgres(Postgres::open_to_read(address, times)?),
        };
        Ok(Self::new(keeper, settings.retain, settings.lease))
    }

    /// Returns a memory that ends with the process, for tests and single commands.
    pub fn in_memory() -> Self {
        let sqlite = Sqlite::in_memory().expect("a database in memory needs nothing that could fail");
        Self::new(Keeper::Sqlite(sqlite), Retain::default(), StoreSettings::LEASE)
    }

    fn new(keeper: Keeper, retain: Retain, lease: Span) -> Self {
        Self(Arc::new(Inner {
            keeper,
            retain,
            lease: settings::duration(lease),
            health: Mutex::default(),
        }))
    }

    /// Adds a line and returns its number; it is kept for good when this returns, and by whoever steers alone.
    ///
    /// # Errors
    /// When it is not certain that it is kept, within the bounded time that the settings of the database give.
    pub fn keep(&self, line: &str) -> Result<u64, StoreError> {
        self.keep_all(&[line])
    }

    /// Adds lines, all or none, and returns the number of the last; there is at least one, and their numbers follow each other.
    ///
    /// # Errors
    /// When it is not certain that they are kept.
    pub fn keep_all(&self, lines: &[&str]) -> Result<u64, StoreError> {
        let kept = ask!(self, keeper => keeper.append_all(lines));
        let mut health = self.0.health.lock().unwrap_or_else(PoisonError::into_inner);
        match &kept {
            Ok(number) => {
                health.trouble = None;
                health.latest = Some(*number);
                health.count(lines);
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

    /// Says whether the engine should end its run and begin anew with what it remembers, so that a restart has less to go through.
    pub fn wants_checkpoint(&self) -> bool {
        let (lines, bytes) = self.health().since_started;
        lines >= CHECKPOINT_LINES || bytes >= CHECKPOINT_BYTES
    }

    /// Returns what an engine remembered when it last wrote here.
    ///
    /// # Errors
    /// When the ledger cannot be read, or what the engine began with cannot be understood.
    pub fn resume(&self) -> Result<Remembered, StoreError> {
        let lines = ask!(self, keeper => keeper.since_started()?);
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
        ask!(self, keeper => keeper.search(search))
    }

    /// Returns the latest decision about a pool at or before a moment.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn decision_at(&self, pool: &PoolId, at: Timestamp) -> Result<Option<Found>, StoreError> {
        ask!(self, keeper => keeper.decision_at(pool, at))
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
        ask!(self, keeper => keeper.leads())
    }

    /// Returns for how long lines are kept.
    pub fn retention(&self) -> Retain {
        self.0.retain
    }

    /// Limits a file to so many pages of 4 KiB, and returns how many it may have now: a ledger that shares a disk leaves room then.
    ///
    /// # Errors
    /// When there is no file, or it does not take the limit.
    pub fn limit_pages(&self, pages: u32) -> Result<u32, StoreError> {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.limit_pages(pages),
            Keeper::Postgres(_) => {
                let message = "PostgreSQL keeps its own limits; set them there";
                Err(StoreError::new(StoreFault::Settings, message))
            }
        }
    }

    /// Returns the file that keeps it, where one does.
    pub fn path(&self) -> Option<&Path> {
        match &self.0.keeper {
            Keeper::Sqlite(sqlite) => sqlite.path(),
            Keeper::Postgres(_) => None,
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
