//! Opening a file: what is there is understood before anything is changed.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::damage::told;
use super::schema::{APPLICATION_ID, VERSION, migrate};
use super::{Sqlite, Writer};
use crate::store::facts::{Facts, PricesByPolicy};
use crate::store::lease::Standing;
use crate::store::{StoreError, StoreFault};

/// Pages of memory for each connection: 16 MiB of 4 KiB pages, so that an index of a million lines stays at hand.
const CACHE_KIB: i32 = -16 * 1024;

impl Sqlite {
    /// Opens a file, or makes one.
    pub(in crate::store) fn open(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let name = format!("the ledger `{}`", path.display());
        let told = |error| told(&name, &error);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(told)?;
        connection.busy_timeout(patience).map_err(told)?;
        understand(&connection, &name)?;
        prepare(&connection).map_err(told)?;
        migrate(&mut connection).map_err(told)?;
        Self::around(Some((path, patience)), connection, false).map_err(told)
    }

    /// Opens a file that is there and changes nothing.
    pub(in crate::store) fn open_to_read(path: &Path, patience: Duration) -> Result<Self, StoreError> {
        let name = format!("the ledger `{}`", path.display());
        let connection = reader(path, patience).map_err(|error| told(&name, &error))?;
        let version = understand(&connection, &name)?;
        if version != VERSION {
            let message = format!(
                "{name} is of an earlier version, or empty; open it once with what writes it, such as `lowtide ledger import`"
            );
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        Self::around(Some((path, patience)), connection, true).map_err(|error| told(&name, &error))
    }

    /// Makes a memory that ends with the process.
    pub(in crate::store) fn in_memory() -> Result<Self, rusqlite::Error> {
        let mut connection = Connection::open_in_memory()?;
        migrate(&mut connection)?;
        Self::around(None, connection, false)
    }

    fn around(
        file: Option<(&Path, Duration)>,
        connection: Connection,
        read_only: bool,
    ) -> Result<Self, rusqlite::Error> {
        let prices = prices_in_effect(&connection)?;
        Ok(Self {
            path: file.map(|(path, _)| path.to_owned()),
            patience: file.map_or(Duration::ZERO, |(_, patience)| patience),
            writer: Mutex::new(Writer {
                connection,
                prices,
                flushes: true,
                damaged: None,
                read_only,
            }),
            readers: Mutex::default(),
            lead: Mutex::new(Standing::Unasked),
        })
    }
}

/// Opens a connection that reads.
pub(super) fn reader(path: &Path, patience: Duration) -> Result<Connection, rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    Ok(connection)
}

/// Returns how many steps a file has taken, when it is a ledger of ours or empty.
fn understand(connection: &Connection, name: &str) -> Result<i32, StoreError> {
    let told = |error| told(name, &error);
    let pragma = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let version = pragma("user_version").map_err(told)?;
    let application = pragma("application_id").map_err(told)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(told)?;
    if tables > 0 && application != APPLICATION_ID {
        let message = format!("{name} is a database of something else; name another file");
        return Err(StoreError::new(StoreFault::Settings, message));
    }
    if version > VERSION {
        let message = format!(
            "{name} was made by a later version of lowtide (schema {version}, this one knows {VERSION}); use that version"
        );
        return Err(StoreError::new(StoreFault::Newer, message));
    }
    Ok(version)
}

/// Sets what holds for the file and for the connection.
fn prepare(connection: &Connection) -> Result<(), rusqlite::Error> {
    // Takes hold in a file without tables only; freed pages then go back to the disk a few at a time.
    connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    // A write-ahead log that grew under a long reader is cut back to this.
    connection.pragma_update(None, "journal_size_limit", 64 << 20)
}

/// Returns the prices of the policies that the ledger's latest engine began with.
fn prices_in_effect(connection: &Connection) -> Result<PricesByPolicy, rusqlite::Error> {
    let latest = "SELECT number, at, pool, kind, line, packed FROM ledger
        WHERE kind = 'started' ORDER BY number DESC LIMIT 1";
    let started = connection.query_row(latest, [], super::read::found).optional()?;
    let facts = started.and_then(|found| Facts::read(&found.line).ok());
    Ok(facts.and_then(|facts| facts.prices).unwrap_or_default())
}
