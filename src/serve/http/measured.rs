//! What is told of a pool in numbers: what is measured of it, and where each part of its latest decision ended.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::Measures;
use super::answers::NodesByLane;
use crate::base::Timestamp;
use crate::decision::{Decision, Reason, Stage};

/// Where each part of a decision ended; a part that it does not have stands where the one before ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct StagesAnswer {
    /// What a strategy asks for, split between the lanes.
    pub asked: NodesByLane,
    /// What the account leaves of it beside other pools: quotas and budgets that they share.
    pub shared: NodesByLane,
    /// What bounds and guards make of it.
    pub guarded: NodesByLane,
    /// Where it ends: the pool's own target where it is held.
    pub outcome: NodesByLane,
}

/// What is measured of a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct MeasuresAnswer {
    /// Tasks that wait for a slot, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<u32>,
    /// Tasks that run, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub running: Option<u32>,
    /// Since when the task waits that has waited longest, where tasks are seen one by one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub waits_since: Option<Timestamp>,
    /// Nineteen of twenty of the tasks that were started latest waited no longer, in seconds; of up to 200 tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waited_p95_seconds: Option<f64>,
    /// Its nodes by lane and by what they do.
    pub nodes: Vec<NodesCounted>,
    /// Spot nodes that were taken away since the sidecar began.
    pub evicted: u32,
    /// Evictions of a spot node in an hour, as learned, where the latest decision reckoned with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evictions_hourly: Option<f64>,
    /// Whether dedicated nodes stand in for spot nodes that do not come.
    pub falls_back: bool,
    /// Whether broken nodes are no longer replaced, because that did not help.
    pub breaker_open: bool,
    /// What its nodes have cost since the sidecar began, in US dollars.
    pub spent: f64,
    /// What as many dedicated nodes would have cost.
    pub spent_all_dedicated: f64,
}

/// Some nodes of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct NodesCounted {
    /// dedicated, spot, or any where they are not told apart.
    pub class: String,
    /// What they do: idle, running, starting, preempted, unusable or leaving.
    pub state: String,
    /// How many.
    pub count: u32,
}

impl StagesAnswer {
    pub(super) fn of(decision: &Decision) -> Self {
        let ended = |before, stages: &[Stage]| {
            let mut steps = decision.steps().iter();
            steps
                .rfind(|step| stages.contains(&step.stage))
                .map_or(before, |step| step.to)
        };
        let asked = ended(decision.start, &[Stage::Propose, Stage::Split]);
        let shared = ended(asked, &[Stage::Allocate]);
        let guarded = ended(shared, &[Stage::Restrain]);
        Self {
            asked: asked.into(),
            shared: shared.into(),
            guarded: guarded.into(),
            outcome: decision.outcome().into(),
        }
    }
}

impl MeasuresAnswer {
    pub(super) fn of(measures: Option<&Measures>, decision: &Decision) -> Self {
        let steps = decision.steps();
        let split = steps.iter().rev().find_map(|step| match &step.reason {
            Reason::SplitByCost(split) => Some(split),
            _ => None,
        });
        let learned = Self {
            evictions_hourly: split.map(|split| split.hazard),
            falls_back: split
                .and_then(|split| split.outage)
                .is_some_and(|outage| outage.falls_back()),
            breaker_open: steps
                .iter()
                .any(|step| matches!(step.reason, Reason::BreakerOpen(_))),
            ..Self::default()
        };
        let Some(measures) = measures else { return learned };
        let nodes = measures.nodes.iter();
        Self {
            waiting: measures.waiting,
            running: measures.running,
            waits_since: measures.waits_since,
            waited_p95_seconds: measures.waited_p95,
            nodes: nodes
                .map(|(class, state, count)| NodesCounted {
                    class: class.clone(),
                    state: state.clone(),
                    count: *count,
                })
                .collect(),
            evicted: measures.evicted,
            spent: measures.spent,
            spent_all_dedicated: measures.spent_all_dedicated,
            ..learned
        }
    }
}
