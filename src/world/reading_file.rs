//! What a source outside of the account said, as a person writes it into a recorded account.

use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;

use super::reading::CODES;
use crate::base::{Diagnostic, Timestamp};
use crate::signal::{Found, Lack, Reading};

/// What a source outside of the account said: a number, a part of one, or why there was none.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadingFile {
    /// The signal by the name that decisions use, such as storageQueue:agents.
    pub signal: String,
    /// When the number was taken; when the account was recorded when left out.
    #[serde(default)]
    pub taken: Option<Timestamp>,
    /// The number.
    #[serde(default)]
    pub value: Option<f64>,
    /// A part of the number: the whole is no less.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Why there was no number.
    #[serde(default)]
    pub lack: Option<LackWord>,
    /// Why the source could not be asked.
    #[serde(default)]
    pub fault: Option<String>,
}

/// Why there is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LackWord {
    /// Nobody told anything.
    Untold,
    /// The source knows of no such thing.
    Absent,
    /// The source said null.
    Null,
    /// The source said what is no number.
    NotANumber,
    /// The source had nothing to say.
    Empty,
    /// The source could not be asked.
    Fault,
}

impl From<LackWord> for Lack {
    fn from(word: LackWord) -> Self {
        match word {
            LackWord::Untold => Self::Untold,
            LackWord::Absent => Self::Absent,
            LackWord::Null => Self::Null,
            LackWord::NotANumber => Self::NotANumber,
            LackWord::Empty => Self::Empty,
            LackWord::Fault => Self::Fault("the source did not answer".to_owned()),
        }
    }
}

impl ReadingFile {
    /// Returns what was found; with nothing said of it the number is null.
    ///
    /// # Errors
    /// When several things are said that exclude each other; `span` is where it stands.
    pub(super) fn reading(
        &self,
        now: Timestamp,
        span: impl FnOnce() -> Range<usize>,
    ) -> Result<Reading, Diagnostic> {
        let told = [
            self.value.map(Found::Value),
            self.at_least.map(Found::AtLeast),
            self.lack.map(|lack| Found::Lacking(lack.into())),
            self.fault.clone().map(|why| Found::Lacking(Lack::Fault(why))),
        ];
        let mut told = told.into_iter().flatten();
        let found = told.next().unwrap_or(Found::Lacking(Lack::Null));
        if told.next().is_some() {
            let message = format!("`{}` has several of value, atLeast, lack and fault", self.signal);
            return Err(Diagnostic::error(CODES.wrong_value, span(), message).help("keep one of them"));
        }
        let mut reading = Reading {
            signal: self.signal.as_str().into(),
            taken: self.taken.unwrap_or(now),
            found,
        };
        reading.settle();
        Ok(reading)
    }
}
