//! A halt: somebody's word that a pool is left alone for a while.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// What a halt forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HaltScope {
    /// No nodes are taken away.
    In,
    /// No nodes are added.
    Out,
    /// Nothing is ordered.
    All,
}

/// Somebody's word that a pool is left alone: a pause by an operator, or the kill switch of the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Halt {
    /// What it forbids.
    pub scope: HaltScope,
    /// When it ends by itself; `None` when somebody has to end it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Why, in the words of who said it; empty when nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Who said it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl HaltScope {
    /// Returns the word of it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::All => "all",
        }
    }

    /// Returns what is forbidden when both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::All }
    }
}

impl fmt::Display for HaltScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Halt {
    /// Says whether it holds at a moment.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Returns what several halts of one pool come to at a moment: all that one of them forbids, until the first of them ends.
    ///
    /// Where one forbids all that they do together it speaks alone, the one that lasts longest among such; the others' words would
    /// only hide it.
    pub fn together<'a>(halts: impl IntoIterator<Item = &'a Self>, now: Timestamp) -> Option<Self> {
        let holding: Vec<&Self> = halts.into_iter().filter(|halt| halt.holds(now)).collect();
        let scope = holding.iter().map(|halt| halt.scope).reduce(HaltScope::and)?;
        let forever = Timestamp::from_ticks(i64::MAX);
        let alone = holding.iter().filter(|halt| halt.scope == scope);
        if let Some(alone) = alone.max_by_key(|halt| halt.until.unwrap_or(forever)) {
            return Some((*alone).clone());
        }
        let words: Vec<&str> = holding
            .iter()
            .map(|halt| halt.why.as_str())
            .filter(|why| !why.is_empty())
            .collect();
        let by: Vec<&str> = holding.iter().filter_map(|halt| halt.by.as_deref()).collect();
        Some(Self {
            scope,
            until: holding.iter().filter_map(|halt| halt.until).min(),
            why: words.join("; "),
            by: (!by.is_empty()).then(|| by.join(", ")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halt(scope: HaltScope, until: Option<i64>, why: &str) -> Halt {
        Halt {
            scope,
            until: until.map(Timestamp::from_unix_seconds),
            why: why.to_owned(),
            by: None,
        }
    }

    #[test]
    fn several_halts_forbid_all_that_one_of_them_does_and_ended_ones_nothing() {
        use HaltScope::{All, In, Out};
        let (inward, out) = (halt(In, Some(100), "a test runs"), halt(Out, None, "too dear"));
        let at = Timestamp::from_unix_seconds;
        assert_eq!(Halt::together([], at(0)), None);
        assert_eq!(Halt::together([&inward, &inward], at(0)), Some(inward.clone()));
        assert_eq!(
            Halt::together([&inward, &out], at(0)),
            Some(halt(All, Some(100), "a test runs; too dear"))
        );
        assert_eq!(Halt::together([&inward, &out], at(100)), Some(out.clone()));
        let (short, long) = (halt(All, Some(50), "deploy"), halt(All, Some(70), "fire"));
        assert_eq!(Halt::together([&out, &long, &short], at(0)), Some(long));
    }
}
