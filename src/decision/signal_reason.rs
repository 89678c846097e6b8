//! What is said of signals from outside: what was seen of each, and what is done while one is missing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SignalSight;
use super::asked::short;
use crate::base::{Nodes, Span, Timestamp};
use crate::signal::{Lack, SignalId};

/// What a decision saw of a signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalSeen {
    /// The signal.
    pub signal: SignalId,
    /// What is known of it.
    pub state: SignalState,
    /// The newest number that there is, though it may be old or a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// How old it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<Span>,
    /// The age from which it is stale.
    pub stale_after: Span,
    /// Why there is none now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lack: Option<Lack>,
}

/// What is known of a signal, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SignalState {
    /// A whole number, new enough.
    Fresh,
    /// A part of the number, new enough.
    Partial,
    /// A number that is too old.
    Stale,
    /// None.
    Missing,
}

/// A signal is missing, stale or known in part, and no node is taken away meanwhile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalMissing {
    /// The strategy, by the policy's word.
    pub strategy: String,
    /// What was seen of the signal.
    #[serde(flatten)]
    pub seen: SignalSeen,
    /// What the strategy does meanwhile.
    pub rule: MissingRule,
}

/// What a strategy does while its signal is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum MissingRule {
    /// It asks for nothing.
    Hold,
    /// It is left out, and no other strategy asks for anything.
    Ignore,
    /// It goes by the last number while that is younger than this.
    LastKnown {
        /// Until which age.
        within: Span,
        /// Whether the number is.
        holds: bool,
    },
    /// It asks for so many nodes.
    Floor {
        /// The nodes.
        nodes: Nodes,
    },
    /// It goes by the part that is known.
    AtLeast,
}

impl SignalSeen {
    /// Returns what a decision sees of a signal.
    pub fn new(signal: SignalId, sight: &SignalSight, now: Timestamp, stale_after: Span) -> Self {
        let (state, known, lack) = match sight {
            SignalSight::Fresh(known) => (SignalState::Fresh, Some(known), None),
            SignalSight::Partial(known, _) => (SignalState::Partial, Some(known), None),
            SignalSight::Stale(known) => (SignalState::Stale, Some(known), None),
            SignalSight::Lacking(lack, known) => (SignalState::Missing, known.as_ref(), Some(lack.clone())),
        };
        Self {
            signal,
            state,
            value: known.map(|known| known.value),
            age: known.map(|known| now.since(known.taken)),
            stale_after,
            lack,
        }
    }

    /// Returns the number and its age for a row of a plan.
    pub fn row(&self) -> (String, String) {
        let number = match (self.state, self.value) {
            (SignalState::Fresh | SignalState::Stale, Some(value)) => short(value),
            (SignalState::Partial, Some(value)) => format!("≥ {}", short(value)),
            _ => "?".to_owned(),
        };
        (number, self.to_string())
    }
}

fn age(age: Option<Span>) -> String {
    age.map_or_else(|| "of no age".to_owned(), |age| format!("{} old", seconds(age)))
}

/// Returns an age to the second: nobody decides by less.
fn seconds(age: Span) -> String {
    Span::seconds(age.as_seconds().floor() as i64).in_short()
}

impl fmt::Display for SignalSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (signal, limit) = (&self.signal, self.stale_after.in_short());
        match (self.state, &self.lack) {
            (SignalState::Fresh, _) => {
                write!(f, "{signal}, {} (stale after {limit})", age(self.age))
            }
            (SignalState::Partial, _) => {
                write!(
                    f,
                    "{signal}, known in part, {} (stale after {limit})",
                    age(self.age)
                )
            }
            (SignalState::Stale, _) => write!(f, "{signal} is {}, stale after {limit}", age(self.age)),
            (SignalState::Missing, lack) => {
                match lack {
                    Some(lack) => write!(f, "{signal} {lack}")?,
                    None => write!(f, "{signal} is missing")?,
                }
                match self.value {
                    Some(value) => write!(f, "; it was {}, {} now", short(value), age(self.age)),
                    None => Ok(()),
                }
            }
        }
    }
}

impl fmt::Display for SignalMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let strategy = &self.strategy;
        match self.rule {
            MissingRule::AtLeast => write!(
                f,
                "no nodes are taken away on a part of the news: {} is known in part",
                self.seen.signal
            ),
            MissingRule::Hold => write!(f, "{strategy} asks for nothing: {}", self.seen),
            MissingRule::Ignore => write!(f, "{strategy} is left out and nothing else asks: {}", self.seen),
            MissingRule::LastKnown { within, holds: true } => write!(
                f,
                "no nodes are taken away on old news: {} (the last number counts for {})",
                self.seen,
                within.in_short()
            ),
            MissingRule::LastKnown { .. } if self.seen.value.is_none() => {
                write!(f, "{strategy} asks for nothing: {}", self.seen)
            }
            MissingRule::LastKnown { within, .. } => write!(
                f,
                "{strategy} asks for nothing: {} (the last number counted for {})",
                self.seen,
                within.in_short()
            ),
            MissingRule::Floor { nodes } => write!(
                f,
                "{strategy} asks for its floor of {nodes} nodes, and none is taken away: {}",
                self.seen
            ),
        }
    }
}
