//! Where a memory is kept, and for how long.

use std::path::PathBuf;
use std::str::FromStr;

use super::{StoreError, StoreFault};
use crate::base::Span;

/// How a memory is kept.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where.
    pub place: Place,
    /// For how long.
    pub retain: Retain,
}

/// Where a memory is kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file of SQLite.
    Sqlite(PathBuf),
}

/// What is kept of the ledger; the latest `started` line and what follows stays whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retain {
    /// Lines older than this go.
    pub age: Option<Span>,
    /// The oldest lines go while the ledger takes more bytes than this.
    pub bytes: Option<u64>,
}

/// Reads a path, with `sqlite:` before it or not.
impl FromStr for Place {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            let message = "the ledger has no name; write a file such as lowtide.db or sqlite:lowtide.db";
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

impl From<Place> for StoreSettings {
    fn from(place: Place) -> Self {
        Self {
            place,
            retain: Retain::default(),
        }
    }
}
