//! The memory in a file of SQLite: one writer, readers on connections of their own.

mod damage;
mod keep;
mod lead;
mod open;
mod read;
mod schema;
mod wreck;
mod write;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::facts::PricesByPolicy;
use super::lease::Standing;
use super::{StoreError, StoreFault};
use damage::told;
use lead::Lead;
pub(super) use lead::keep_others_out;
pub(super) use wreck::Wreck;

/// A memory in SQLite.
#[derive(Debug)]
pub(super) struct Sqlite {
    /// The file; none for a memory that ends with the process.
    path: Option<PathBuf>,
    /// How long another process that holds the file is waited for.
    patience: Duration,
    writer: Mutex<Writer>,
    /// Connections that read, while nobody uses them.
    readers: Mutex<Vec<Connection>>,
    /// Who steers, as far as this process knows.
    lead: Mutex<Standing<Lead>>,
}

/// The connection that writes, with what it must know to write.
#[derive(Debug)]
struct Writer {
    connection: Connection,
    /// The prices of the policies that decide now.
    prices: PricesByPolicy,
    /// What the connection does to the disk before an append returns.
    flushes: bool,
    /// Why nothing is written any more: the file was found to be damaged.
    damaged: Option<StoreError>,
    read_only: bool,
}

/// Readers that are kept for the next question; more are opened when many ask at once, and closed after.
const READERS_KEPT: usize = 4;

impl Sqlite {
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Returns the name that messages have for it.
    fn name(&self) -> String {
        self.path.as_ref().map_or_else(
            || "the ledger in memory".to_owned(),
            |path| format!("the ledger `{}`", path.display()),
        )
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a question be answered by a reader, or by the writer where there is but one connection.
    fn reading<T>(
        &self,
        question: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, StoreError> {
        let Some(path) = &self.path else {
            return question(&self.writer().connection).map_err(|error| told(&self.name(), &error));
        };
        let idle = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match idle {
            Some(reader) => reader,
            None => open::reader(path, self.patience).map_err(|error| told(&self.name(), &error))?,
        };
        let answer = question(&reader).map_err(|error| told(&self.name(), &error));
        // A reader of a damaged file is not asked again.
        if !matches!(&answer, Err(error) if error.fault == StoreFault::Damaged) {
            let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if readers.len() < READERS_KEPT {
                readers.push(reader);
            }
        }
        answer
    }
}
