//! Where entries are kept: a file of lines, or a store that numbers, searches and prunes them.

use crate::engine::RecordError;
use crate::store::Store;
use crate::world::{JsonLines, Ledger, MemoryLedger};

/// Keeps lines for good, under a number where it numbers them.
pub trait Keeps {
    /// Adds a line, which comes without its line end.
    ///
    /// # Errors
    /// When it is not certain that the line is kept.
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError>;

    /// Says whether this process may still act: asked once more between a line and its order.
    fn still_leads(&self) -> bool {
        true
    }
}

/// The ledger of a sidecar.
#[derive(Debug)]
pub enum Book {
    /// A file of lines.
    JsonLines(JsonLines),
    /// A store.
    Store(Store),
}

impl Keeps for Book {
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError> {
        match self {
            Self::JsonLines(lines) => lines.append(line).map(|()| None),
            Self::Store(store) => store.keep(line).map(Some).map_err(|error| RecordError {
                message: error.to_string(),
            }),
        }
    }

    fn still_leads(&self) -> bool {
        match self {
            Self::JsonLines(_) => true,
            Self::Store(store) => store.still_leads(),
        }
    }
}

impl Keeps for MemoryLedger {
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError> {
        self.append(line).map(|()| None)
    }
}
