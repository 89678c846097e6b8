//! When nodes of no use are replaced, and when that is given up for a while.
//!
//! ```text
//! closed ─ so many that were replaced broke again within some time ─► open: none is replaced, and the decision says so
//!    ▲                                                                  │ its rest is over
//!    └── the failures are long enough ago ── half open: one at a time ◄─┘ ─ it breaks again ─► open
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Percent;
use super::complaint::Complaint;
use crate::account::{PoolState, Replacement};
use crate::base::{Nodes, Span, Timestamp};
use crate::decision::{BreakerOpen, BrokenNodes, Replaces};

/// When nodes of no use are replaced: they are removed by name, and the pool is brought back to its target.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplaceRule {
    /// Whether they are replaced at all.
    pub then: ThenReplace,
    /// Nodes that have been unusable for so long, or whose start task failed so long ago; 30m when left out.
    pub unusable: Span,
    /// Spot nodes that have been preempted for so long; 48h when left out, after which the service no longer tries to restore them.
    pub preempted: Span,
    /// The share of a pool's nodes that is replaced at a time at the most, and always one; 20% when left out.
    pub at_most: Percent,
    /// When it is given up for a while.
    pub breaker: Breaker,
}

/// What is done about nodes of no use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ThenReplace {
    /// They are replaced.
    #[default]
    Replace,
    /// They stay, for somebody to look at.
    Leave,
}

/// When replacing is given up for a while: what breaks again and again is not the fault of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Breaker {
    /// When so many nodes that were replaced broke again; 3 when left out.
    #[schemars(range(min = 1))]
    pub failures: u32,
    /// In how long; 6h when left out.
    pub within: Span,
    /// For how long none is replaced then, and one at a time after that; 2h when left out.
    pub rest: Span,
}

/// What is to be done about nodes of no use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Due {
    /// Nothing.
    Nothing,
    /// They are replaced.
    Replace(Replacement, Replaces),
    /// They are not, for a while.
    Open(BreakerOpen),
}

impl Default for ReplaceRule {
    fn default() -> Self {
        Self {
            then: ThenReplace::Replace,
            unusable: Span::minutes(30),
            preempted: Span::hours(48),
            at_most: Percent(20.0),
            breaker: Breaker::default(),
        }
    }
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            failures: 3,
            within: Span::hours(6),
            rest: Span::hours(2),
        }
    }
}

/// A node that is slow to start is not broken; start tasks of some minutes are usual.
const UNUSABLE_MIN: Span = Span::minutes(5);

/// The service takes the names of 100 nodes at once (Pool - Remove Nodes).
const REPLACED_AT_ONCE_MAX: u32 = 100;

impl ReplaceRule {
    /// Returns what is to be done about a pool as it stands, by what is remembered of it.
    pub fn due(&self, memory: &BrokenNodes, now: Timestamp, pool: &PoolState) -> Due {
        if self.then == ThenReplace::Leave {
            return Due::Nothing;
        }
        let (broken_before, away_before) = (now - self.unusable, now - self.preempted);
        let broken = memory.unusable_since(broken_before);
        let away = memory
            .preempted_since(away_before)
            .min(Nodes(REPLACED_AT_ONCE_MAX));
        let (most, open) = match self.breaker.state(memory, now) {
            State::Closed => (self.share(pool), None),
            State::HalfOpen => (Nodes(1), None),
            State::Open(again, until) => (Nodes::ZERO, Some((again, until))),
        };
        if let Some((again, until)) = open.filter(|_| broken > Nodes::ZERO && away == Nodes::ZERO) {
            return Due::Open(BreakerOpen {
                broken,
                again,
                within: self.breaker.within,
                until,
            });
        }
        let left = Nodes(REPLACED_AT_ONCE_MAX).saturating_sub(away);
        let broken = broken.min(most).min(left);
        if broken + away == Nodes::ZERO {
            return Due::Nothing;
        }
        let replacement = Replacement {
            broken,
            broken_before,
            away,
            away_before,
        };
        let why = Replaces {
            broken,
            broken_for: self.unusable,
            away,
            away_for: self.preempted,
        };
        Due::Replace(replacement, why)
    }

    /// Returns how many nodes of a pool may be replaced at a time.
    fn share(&self, pool: &PoolState) -> Nodes {
        let share = pool.current.total().as_f64() * self.at_most.0 / 100.0;
        Nodes(share.floor() as u32).max(Nodes(1))
    }

    /// Returns what cannot be meant.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.unusable < UNUSABLE_MIN || self.unusable > BrokenNodes::KEPT {
            let message = format!("a node is not given up after {}", self.unusable.in_short());
            let help = "take 5m to 48h: nodes need minutes to start; then: leave replaces none";
            complaints.push(Complaint::new(&["unusable"], message, help));
        }
        if self.preempted < UNUSABLE_MIN || self.preempted > Span::days(14) {
            let message = format!(
                "a preempted node is not given up after {}",
                self.preempted.in_short()
            );
            let help = "take 5m to 14d; the service itself tries to restore it for 48h";
            complaints.push(Complaint::new(&["preempted"], message, help));
        }
        let Breaker {
            within,
            rest,
            failures,
        } = self.breaker;
        for (key, span) in [("within", within), ("rest", rest)] {
            if span < UNUSABLE_MIN || span > BrokenNodes::KEPT {
                let message = format!("the breaker cannot work with {}", span.in_short());
                let help = "take 5m to 48h, which is how long replacements are remembered";
                complaints.push(Complaint::new(&["breaker", key], message, help));
            }
        }
        if failures == 0 {
            let message = "a breaker that opens on no failure would always be open";
            let help = "take 1 or more, or then: leave";
            complaints.push(Complaint::new(&["breaker", "failures"], message, help));
        }
        complaints
    }
}

/// How a breaker stands.
enum State {
    Closed,
    /// One node may be tried.
    HalfOpen,
    /// So many broke again; none is replaced until then.
    Open(Nodes, Timestamp),
}

impl Breaker {
    fn state(&self, memory: &BrokenNodes, now: Timestamp) -> State {
        let recent = memory
            .replaced
            .iter()
            .filter(|order| order.at + self.within > now);
        let again: Nodes = recent.map(|order| order.again).sum();
        let Some(last) = memory.replaced.last().filter(|_| again.0 >= self.failures) else {
            return State::Closed;
        };
        let until = last.at + self.rest;
        if now < until {
            State::Open(again, until)
        } else {
            State::HalfOpen
        }
    }
}
