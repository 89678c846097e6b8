//! Why guards restrain an outcome: the numbers and the sentence of each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Mix, Nodes, Span, Timestamp, Usd, UsdHourly};

/// A rule of a schedule allows fewer nodes now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleMost {
    /// The most nodes of both lanes together.
    pub most: Nodes,
    /// Until when.
    pub until: Timestamp,
    /// What was asked for.
    pub asked: Nodes,
}

impl fmt::Display for ScheduleMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { most, until, asked } = self;
        write!(
            f,
            "the schedule allows {most} nodes until {until}; {asked} were asked for"
        )
    }
}

/// The cores that the policy may use hold fewer nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuotaLimit {
    /// The most nodes of each lane; `None` where nothing is said.
    pub dedicated: Option<Nodes>,
    /// The most spot nodes.
    pub spot: Option<Nodes>,
    /// What was asked for.
    pub asked: Mix,
}

/// The nodes would cost more in an hour than the policy may spend.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HourlyBudget {
    /// What may be spent in an hour.
    pub limit: UsdHourly,
    /// What was asked for costs this.
    pub asked: UsdHourly,
    /// What is left of it costs this.
    pub granted: UsdHourly,
}

/// The month's money is spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MonthlyBudget {
    /// What the month may cost.
    pub limit: Usd,
    /// What it has cost so far.
    pub spent: Usd,
    /// What follows, by the policy's word.
    pub then: String,
}

/// So many spot nodes were taken away in a short time that no further ones are asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SpotStorm {
    /// The spot nodes that were taken away.
    pub lost: Nodes,
    /// Those and the ones that were left.
    pub of: Nodes,
    /// In how long.
    pub within: Span,
    /// Until when no further spot nodes are asked for.
    pub until: Timestamp,
}

/// The policy takes no larger steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StepLimit {
    /// Whether nodes are added; otherwise they are taken away.
    pub out: bool,
    /// The most nodes of one step.
    pub most: Nodes,
    /// How many were to come or go.
    pub asked: Nodes,
}

/// The latest change is not long enough ago.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cooldown {
    /// Whether nodes were to be added; otherwise they were to be taken away.
    pub out: bool,
    /// When the change was.
    pub changed: Timestamp,
    /// Until when the pool cools down.
    pub until: Timestamp,
}

/// The target goes up and down too often.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Flapping {
    /// How often it turned.
    pub reversals: u32,
    /// In how long.
    pub within: Span,
}

impl fmt::Display for QuotaLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the quota holds ")?;
        match (self.dedicated, self.spot) {
            (Some(dedicated), Some(spot)) => write!(f, "{dedicated} dedicated and {spot} spot nodes")?,
            (Some(dedicated), None) => write!(f, "{dedicated} dedicated nodes")?,
            (None, spot) => write!(f, "{} spot nodes", spot.unwrap_or_default())?,
        }
        write!(f, "; {} were asked for", self.asked)
    }
}

impl fmt::Display for HourlyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [limit, asked, granted] = [self.limit, self.asked, self.granted].map(|rate| Usd(rate.0));
        write!(
            f,
            "an hour may cost {limit}; what was asked for costs {asked}, this {granted}"
        )
    }
}

impl fmt::Display for MonthlyBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limit, spent, then } = self;
        write!(f, "{spent} of the month's {limit} are spent: {then}")
    }
}

impl fmt::Display for SpotStorm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} spot nodes were taken away within {}; no further ones until {}",
            self.lost,
            self.of,
            self.within.in_short(),
            self.until
        )
    }
}

impl fmt::Display for StepLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.out { "added" } else { "taken away" };
        let Self { most, asked, .. } = self;
        write!(f, "at most {most} nodes are {verb} at a time, of {asked}")
    }
}

impl fmt::Display for Cooldown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, change) = if self.out {
            ("added", "nodes were added")
        } else {
            ("taken away", "the target changed")
        };
        let Self { changed, until, .. } = self;
        write!(f, "no nodes are {verb} until {until}: {change} at {changed}")
    }
}

impl fmt::Display for Flapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within.in_short();
        write!(
            f,
            "the target turned {} times within {within}; no nodes are taken away until it is calmer",
            self.reversals
        )
    }
}
