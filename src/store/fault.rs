//! What can keep a memory from being kept or read.

/// Why something was not kept or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct StoreError {
    /// Which of the usual causes it is.
    pub fault: StoreFault,
    /// What went wrong, with a way out where there is one.
    pub message: String,
}

/// The usual causes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StoreFault {
    /// Someone else holds the database for longer than can be waited.
    Busy,
    /// There is no room left.
    Full,
    /// The file is damaged, or is no ledger; it is left as it is.
    Damaged,
    /// The database cannot be reached, or does not answer in time.
    Away,
    /// Another process steers by this ledger.
    NotLeading,
    /// A line is not one that an engine wrote.
    Foreign,
    /// The ledger was made by a later version.
    Newer,
    /// The settings cannot be used.
    Settings,
    /// Anything else that the database says.
    Other,
}

impl StoreError {
    /// Returns an error.
    pub(super) fn new(fault: StoreFault, message: impl Into<String>) -> Self {
        Self {
            fault,
            message: message.into(),
        }
    }
}

impl StoreFault {
    /// Returns the word that metrics and readiness have for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Damaged => "damaged",
            Self::Away => "away",
            Self::NotLeading => "notLeading",
            Self::Foreign => "foreign",
            Self::Newer => "newer",
            Self::Settings => "settings",
            Self::Other => "other",
        }
    }

    /// Says whether the next try may succeed without anyone doing anything.
    pub const fn may_pass(self) -> bool {
        matches!(
            self,
            Self::Busy | Self::Full | Self::Away | Self::NotLeading | Self::Other
        )
    }
}
