//! Why and how an outcome is ordered, or not: the numbers and the sentence of each.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Mix, Nodes, Span, Timestamp, Usd, UsdHourly};

/// How far apart a policy in the shadow and reality are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InShadow {
    /// What would have been ordered.
    pub would: Mix,
    /// The nodes that it would have beyond what the pool has.
    pub more: Mix,
    /// The nodes that the pool has beyond it.
    pub fewer: Mix,
    /// What it would cost more in an hour at the prices of the policy; less than nothing when it would cost less.
    pub per_hour: UsdHourly,
}

/// A formula of ours is installed that carries the target for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseStep {
    /// What is done.
    pub does: LeaseDoes,
    /// Until when the target holds if nobody renews it.
    pub until: Timestamp,
    /// Until when the lease holds that the pool has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
}

/// What an order does with a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LeaseDoes {
    /// The pool gets its first.
    Begins,
    /// It gets another target.
    Changes,
    /// The same target holds for longer.
    Renews,
}

/// The service takes no formula so soon after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseWaits {
    /// From when it takes one.
    pub until: Timestamp,
}

/// The pool follows a formula by which somebody else steers it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseElsewhere {
    /// Who.
    pub holder: Arc<str>,
    /// Until when, if they do not renew it.
    pub until: Timestamp,
}

/// The pool's own formula is disabled, and the pool is steered from here on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TakesOver {
    /// The formula, so that it can be given back; `None` where the world does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formula: Option<Arc<str>>,
}

/// A resize that drags on is stopped, because something else is needed by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Retakes {
    /// Since when it has been seen.
    pub since: Timestamp,
    /// After how long it drags on.
    pub after: Span,
}

/// Nodes of no use are taken away, so that others come in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Replaces {
    /// Those that have been broken, or failed at start, for so long.
    pub broken: Nodes,
    /// For how long.
    pub broken_for: Span,
    /// Spot nodes that have been away for so long.
    pub away: Nodes,
    /// For how long.
    pub away_for: Span,
}

/// Nodes of no use are not replaced, because those that were have broken again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakerOpen {
    /// The nodes that are broken.
    pub broken: Nodes,
    /// Those of the ones that took the place of others that have broken again.
    pub again: Nodes,
    /// In how long.
    pub within: Span,
    /// Until when none is replaced.
    pub until: Timestamp,
}

/// Somebody else changed the pool a while ago, which is not undone yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OthersWord {
    /// When it was seen.
    pub at: Timestamp,
    /// The target before.
    pub from: Mix,
    /// The target after.
    pub to: Mix,
    /// Whether it was its formula that changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub formula: bool,
    /// Until when it is not undone.
    pub until: Timestamp,
}

impl InShadow {
    /// Returns how far apart a target is from what a pool was told to have, at what a node of each lane costs.
    pub fn between(start: Mix, would: Mix, rate: impl Fn(Mix) -> UsdHourly) -> Self {
        Self {
            would,
            more: would.saturating_sub(start),
            fewer: start.saturating_sub(would),
            per_hour: UsdHourly(rate(would).0 - rate(start).0),
        }
    }

    /// Returns how many nodes lie between the two, both lanes together.
    pub fn nodes(&self) -> Nodes {
        self.more.total() + self.fewer.total()
    }
}

impl fmt::Display for InShadow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "mode shadow orders nothing; {} would have been ordered: ",
            self.would
        )?;
        match (self.more == Mix::ZERO, self.fewer == Mix::ZERO) {
            (false, true) => write!(f, "{} more", self.more)?,
            (true, _) => write!(f, "{} fewer", self.fewer)?,
            (false, false) => write!(f, "{} more and {} fewer", self.more, self.fewer)?,
        }
        let money = self.per_hour.0;
        if money == 0.0 {
            f.write_str(", at the same price")
        } else {
            let word = if money < 0.0 { "less" } else { "more" };
            write!(f, ", {} an hour {word}", Usd(money.abs()))
        }
    }
}

impl fmt::Display for LeaseStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let until = self.until;
        match (self.does, self.held_until) {
            (LeaseDoes::Begins, _) => write!(
                f,
                "a formula carries it until {until}; then the pool follows the rule behind it, unless it is renewed"
            ),
            (LeaseDoes::Changes, _) => write!(f, "the pool's formula is exchanged; it holds until {until}"),
            (LeaseDoes::Renews, Some(held)) => {
                write!(
                    f,
                    "the same target is renewed until {until}; it held until {held}"
                )
            }
            (LeaseDoes::Renews, None) => write!(f, "the same target is renewed until {until}"),
        }
    }
}

impl fmt::Display for LeaseWaits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the service takes no other formula of this pool before {}",
            self.until
        )
    }
}

impl fmt::Display for LeaseElsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holder, until } = self;
        write!(
            f,
            "`{holder}` steers the pool by a formula that holds until {until}; two must not steer one pool"
        )
    }
}

impl fmt::Display for TakesOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool's own formula is taken over")?;
        match &self.formula {
            Some(formula) => write!(
                f,
                "; its {} characters stand in this line of the ledger, to be given back",
                formula.chars().count()
            ),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Retakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { since, after } = self;
        write!(
            f,
            "the resize that is under way since {since} has taken longer than {} and something else is needed: it is stopped first",
            after.in_short()
        )
    }
}

impl fmt::Display for Replaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let broken = (self.broken > Nodes::ZERO).then(|| {
            let (nodes, long) = (self.broken, self.broken_for.in_short());
            format!("{nodes} of no use for {long}")
        });
        let away = (self.away > Nodes::ZERO).then(|| {
            let (nodes, long) = (self.away, self.away_for.in_short());
            format!("{nodes} preempted for {long}")
        });
        let nodes: Vec<String> = broken.into_iter().chain(away).collect();
        write!(f, "nodes are replaced: {}", nodes.join(", "))
    }
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            broken,
            again,
            within,
            until,
        } = self;
        write!(
            f,
            "{broken} nodes are of no use and are not replaced before {until}: {again} that were replaced within {} broke again; see their start task",
            within.in_short()
        )
    }
}

impl fmt::Display for OthersWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            at,
            from,
            to,
            formula,
            until,
        } = self;
        if *formula {
            write!(f, "somebody else changed the pool's formula, seen at {at}")?;
        } else {
            write!(
                f,
                "somebody else changed the target from {from} to {to}, seen at {at}"
            )?;
        }
        write!(f, "; it is not undone before {until}")
    }
}
