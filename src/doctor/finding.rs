//! What an examination tells: what was looked at, and what is wrong.

use serde::Serialize;

use crate::base::Code;

/// How something stands, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It is as it should be.
    Ok,
    /// A fact worth knowing.
    Note,
    /// It could not be looked at, and is not taken for healthy.
    Unknown,
    /// Something to do in the next days.
    Warning,
    /// Something that costs money or work now.
    Error,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it stands.
    pub outcome: Outcome,
    /// In a sentence.
    pub told: String,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Which it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Outcome,
    /// The pool that it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// What is wrong.
    pub what: String,
    /// Why that matters.
    pub why: String,
    /// What to do about it.
    pub way_out: String,
}

impl Finding {
    /// Returns a finding about the account as a whole; why it matters is what its code says.
    pub(super) fn new(code: Code, severity: Outcome, what: String, way_out: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            pool: None,
            what,
            why: super::codes::why(code).to_owned(),
            way_out: way_out.into(),
        }
    }

    /// Makes it one about a pool.
    pub(super) fn of(self, pool: &str) -> Self {
        Self {
            pool: Some(pool.to_owned()),
            ..self
        }
    }
}

impl Outcome {
    /// Returns the word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}
