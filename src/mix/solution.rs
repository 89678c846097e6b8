//! What the mix solver answers: the mix, what it promises and costs, and what else was there.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Bill, Line};
use crate::base::{Mix, Nodes, UsdHourly};
use crate::market::Hazard;

/// The best mix for a problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Solution {
    /// The nodes to ask for.
    pub mix: Mix,
    /// What the mix keeps at the tolerated risk.
    pub promise: Promise,
    /// The chance that the demand is met at the end of the horizon, 0 to 1.
    pub chance: f64,
    /// What an hour of it is expected to cost.
    pub bill: Bill,
    /// The best mix of the other kind (without spot, or with it); `None` when the limits leave none.
    pub runner_up: Option<RunnerUp>,
    /// The eviction rate at which spot enters or leaves the answer; `None` when no rate does that.
    pub break_even: Option<BreakEven>,
}

/// What a mix keeps at the tolerated risk. The solver takes the first that any mix can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "promise", rename_all = "camelCase")]
pub enum Promise {
    /// The demand is met at the end of the horizon.
    Met,
    /// The demand is met, but only once the nodes have booted, after the end of the horizon.
    Late,
    /// The demand is met unless a shock or an outage takes spot as a whole: dedicated nodes are too few to stand in for it.
    WhileSpotLasts,
    /// Bounds and quotas are too small for the demand: so many nodes, with the same reserve.
    Part {
        /// The most that can be promised.
        nodes: Nodes,
    },
}

/// What else there was.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunnerUp {
    /// The mix.
    pub mix: Mix,
    /// What it would cost.
    pub bill: Bill,
    /// Why it was not taken.
    pub lost: Lost,
}

/// Why a mix was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum Lost {
    /// It costs more.
    Dearer {
        /// By how much.
        by: UsdHourly,
        /// The line of the bill that makes most of it.
        line: Line,
    },
    /// It does not keep what the answer promises.
    Riskier {
        /// The chance with which it keeps it, 0 to 1.
        chance: f64,
        /// The chance that is wanted, 0 to 1.
        wanted: f64,
    },
    /// The rule of the share forbids it.
    AgainstTheRule {
        /// What it would save.
        saves: UsdHourly,
    },
}

/// The eviction rate at which the answer changes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BreakEven {
    /// Evictions per spot node-hour, shocks included.
    pub hazard: Hazard,
    /// What happens there.
    pub change: Change,
}

/// How the answer changes with the eviction rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// At a higher rate spot is not worth it any more.
    SpotLeaves,
    /// At a lower rate spot is worth it.
    SpotEnters,
}
