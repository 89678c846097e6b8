//! What a source outside of the account says: a number with its age, or why there is none.
//!
//! A number that is missing is never zero: every way of having none is a [`Lack`] of its own, so that a queue that is empty and
//! a queue that could not be asked are told apart wherever they are looked at.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// The name of a signal, such as `storageQueue:agents` or `prometheus:avg(x)`; equal names ask for the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignalId(Arc<str>);

/// What was found when a signal was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Found {
    /// The number.
    Value(f64),
    /// A part of it: a shard, a page or a repository did not answer, and the whole is no less.
    AtLeast(f64),
    /// None.
    Lacking(Lack),
}

/// Why there is no number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Lack {
    /// Nobody told anything of the signal.
    Untold,
    /// The source knows of no such thing: no queue of that name, no file.
    Absent,
    /// The source said that it is nothing (`null`).
    Null,
    /// The source said what is no number, or no finite one.
    NotANumber,
    /// The source had nothing to say: no series, an empty file.
    Empty,
    /// The source dates the number in the future, so that nobody knows how old it is.
    Ahead,
    /// The source could not be asked, for this reason.
    Fault(String),
}

/// What one look at a signal came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The signal.
    pub signal: SignalId,
    /// When the number was taken, which is when it was true; of a lack, when it was asked for.
    pub taken: Timestamp,
    /// What was found.
    pub found: Found,
}

/// The longest sentence of a fault that is kept: enough for a name, a status and what the other side says.
const FAULT_CHARS_MAX: usize = 300;

impl SignalId {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for SignalId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for SignalId {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl Borrow<str> for SignalId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Reading {
    /// Makes it what a ledger can keep: instants to the millisecond, numbers that are numbers, sentences of some length.
    pub fn settle(&mut self) {
        self.taken = self.taken.whole_milliseconds();
        match &mut self.found {
            Found::Value(value) | Found::AtLeast(value) if !value.is_finite() => {
                self.found = Found::Lacking(Lack::NotANumber);
            }
            // Minus zero becomes zero, which is how it is read again.
            Found::Value(value) | Found::AtLeast(value) => *value += 0.0,
            Found::Lacking(Lack::Fault(why)) => {
                if let Some((end, _)) = why.char_indices().nth(FAULT_CHARS_MAX) {
                    why.truncate(end);
                    why.push('…');
                }
            }
            Found::Lacking(_) => {}
        }
    }
}

/// Writes the end of a sentence that begins with the signal.
impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untold => f.write_str("was not told"),
            Self::Absent => f.write_str("is not there"),
            Self::Null => f.write_str("is null"),
            Self::NotANumber => f.write_str("is not a number"),
            Self::Empty => f.write_str("is empty, which is not zero"),
            Self::Ahead => f.write_str("is dated in the future"),
            Self::Fault(why) => write!(f, "could not be asked: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(found: Found) -> Found {
        let mut reading = Reading {
            signal: "file:depth".into(),
            taken: Timestamp::from_ticks(12_345),
            found,
        };
        reading.settle();
        assert_eq!(reading.taken, Timestamp::from_ticks(10_000));
        reading.found
    }

    #[test]
    fn what_no_ledger_can_keep_becomes_what_it_can() {
        assert_eq!(settled(Found::Value(f64::NAN)), Found::Lacking(Lack::NotANumber));
        assert_eq!(
            settled(Found::AtLeast(f64::INFINITY)),
            Found::Lacking(Lack::NotANumber)
        );
        assert_eq!(settled(Found::Value(3.5)), Found::Value(3.5));
        let Found::Value(zero) = settled(Found::Value(-0.0)) else {
            panic!("zero is a number")
        };
        assert!(zero.is_sign_positive());
        let long = Lack::Fault("ü".repeat(1000));
        let Found::Lacking(Lack::Fault(why)) = settled(Found::Lacking(long)) else {
            panic!("a fault stays one")
        };
        assert_eq!(why.chars().count(), FAULT_CHARS_MAX + 1);
    }
}
