//! Where entries are kept: a file of lines, or a store that numbers, searches and prunes them.

use std::path::PathBuf;

use crate::engine::RecordError;
use crate::store::{Store, StoreSettings};
use crate::world::{JsonLines, Ledger, MemoryLedger};

/// Keeps lines for good, under a number where it numbers them.
pub trait Keeps {
    /// Adds a line, which comes without its line end.
    ///
    /// # Errors
    /// When it is not certain that the line is kept.
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError>;

    /// Adds lines, all or none where it can, and returns the number of the first where they are numbered; the others follow it. There
    /// is at least one.
    ///
    /// # Errors
    /// When it is not certain that every line is kept.
    fn keep_all(&mut self, lines: &[String]) -> Result<Option<u64>, RecordError>;

    /// Says whether this process may still act: asked once more between a line and its order.
    fn still_leads(&self) -> bool {
        true
    }

    /// Says whether what a restart would have to go through has become long.
    fn wants_checkpoint(&self) -> bool {
        false
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

/// Where a ledger is to be opened.
#[derive(Clone, Debug)]
pub enum BookPlace {
    /// A file of lines.
    JsonLines(PathBuf),
    /// A store.
    Store(StoreSettings),
}

impl BookPlace {
    /// Opens it.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self) -> Result<Book, RecordError> {
        match self {
            Self::JsonLines(path) => JsonLines::open(path).map(Book::JsonLines),
            Self::Store(settings) => Store::open(settings)
                .map(Book::Store)
                .map_err(|error| RecordError {
                    message: error.to_string(),
                }),
        }
    }
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

    fn keep_all(&mut self, lines: &[String]) -> Result<Option<u64>, RecordError> {
        match self {
            Self::JsonLines(file) => file.append_all(lines).map(|()| None),
            Self::Store(store) => {
                let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
                let last = store.keep_all(&texts).map_err(|error| RecordError {
                    message: error.to_string(),
                })?;
                Ok(Some(last + 1 - lines.len() as u64))
            }
        }
    }

    fn still_leads(&self) -> bool {
        match self {
            Self::JsonLines(_) => true,
            Self::Store(store) => store.still_leads(),
        }
    }

    fn wants_checkpoint(&self) -> bool {
        match self {
            Self::JsonLines(_) => false,
            Self::Store(store) => store.wants_checkpoint(),
        }
    }
}

impl Keeps for MemoryLedger {
    fn keep(&mut self, line: &str) -> Result<Option<u64>, RecordError> {
        self.append(line).map(|()| None)
    }

    fn keep_all(&mut self, lines: &[String]) -> Result<Option<u64>, RecordError> {
        lines.iter().try_for_each(|line| self.append(line))?;
        Ok(None)
    }
}
