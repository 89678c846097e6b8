//! Where a memory is kept, and for how long.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::{Address, StoreError, StoreFault};
use crate::base::Span;

/// How a memory is kept.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where.
    pub place: Place,
    /// For how long.
    pub retain: Retain,
    /// How long an answer is waited for; what is late was not kept.
    pub patience: Span,
    /// How long the lead lasts when it is not renewed, where it is held by time: a standby takes over after it at the latest.
    pub lease: Span,
}

/// Where a memory is kept.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a file of SQLite.
    Sqlite(PathBuf),
    /// In a database of PostgreSQL, which several instances share.
    Postgres(Address),
}

/// What is kept of the ledger; the latest `started` line and what follows stays whatever this says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retain {
    /// Lines older than this go.
    pub age: Option<Span>,
    /// The oldest lines go while the ledger takes more bytes than this.
    pub bytes: Option<u64>,
}

impl StoreSettings {
    /// How long an answer is waited for when nobody says: an order is better late by this than not at all.
    pub const PATIENCE: Span = Span::seconds(5);
    /// How long the lead lasts when nobody says: a slow answer loses nothing, and a standby takes over within the minute.
    pub const LEASE: Span = Span::seconds(30);

    /// Returns settings by which the lead lasts so long; no answer is waited for longer than a sixth of that, so that one that is late
    /// leaves time to ask again.
    #[must_use]
    pub fn with_lease(self, lease: Span) -> Self {
        let sixth = Span::from_ticks(lease.ticks() / 6);
        Self {
            lease,
            patience: self.patience.min(sixth),
            ..self
        }
    }
}

/// Reads `postgres://…`, or a path with `sqlite:` before it or not.
impl FromStr for Place {
    type Err = StoreError;
    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return text.parse().map(Self::Postgres);
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").unwrap_or(path);
        if path.is_empty() {
            let message =
                "the ledger has no name; write a file such as lowtide.db, or postgres://user@host/database";
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        if let Some((scheme, _)) = path.split_once("://") {
            let message = format!(
                "a ledger cannot be kept at `{scheme}://…`; write a file, or postgres://user@host/database"
            );
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        Ok(Self::Sqlite(PathBuf::from(path)))
    }
}

/// Writes the file, or host and database without what is secret.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => path.display().fmt(f),
            Self::Postgres(address) => f.pad(address.name()),
        }
    }
}

impl From<Place> for StoreSettings {
    fn from(place: Place) -> Self {
        Self {
            place,
            retain: Retain::default(),
            patience: Self::PATIENCE,
            lease: Self::LEASE,
        }
    }
}

/// How long things may take, for who counts them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) patience: Duration,
    pub(super) lease: Duration,
}

impl Times {
    pub(super) fn of(settings: &StoreSettings) -> Self {
        Self {
            patience: duration(settings.patience),
            lease: duration(settings.lease),
        }
    }
}

/// Returns a span as a clock counts it; one that is negative is none.
pub(super) fn duration(span: Span) -> Duration {
    Duration::from_nanos(u64::try_from(span.ticks().saturating_mul(100)).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_files_or_addresses_and_a_password_does_not_print() {
        for path in ["lowtide.db", "sqlite:lowtide.db", "sqlite://lowtide.db"] {
            let place: Place = path.parse().unwrap();
            assert!(matches!(place, Place::Sqlite(file) if file == *"lowtide.db"));
        }
        let place: Place = "postgres://me:hunter2@db.example:5432/tide?sslmode=require"
            .parse()
            .unwrap();
        assert!(!format!("{place:?}").contains("hunter2"), "{place:?}");
        let Place::Postgres(address) = place else {
            panic!("it is an address")
        };
        assert_eq!(address.name(), "postgres://db.example/tide");
        for wrong in [
            "",
            "sqlite:",
            "mysql://h/d",
            "postgres://me:hunter2@h:no/d",
            "postgres://h/d?sslmode=hunter2",
        ] {
            let error = wrong.parse::<Place>().unwrap_err();
            assert_eq!(error.fault, StoreFault::Settings, "{wrong}");
            assert!(!error.message.contains("hunter2"), "{error}");
        }
    }
}
