//! What a decision that was split at the least expected cost comes to in an hour, and what else there was.

use serde::Serialize;

use super::decide::{learned, spot};
use crate::base::Mix;
use crate::decision::{Decision, Reason, Snapshot};
use crate::mix::{Bill, Lost, evaluate, solve};
use crate::policy::Policies;

/// The bill of an outcome with its runner-up; reckoned where it is shown, and stored nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Priced {
    /// What an hour of the outcome is expected to cost.
    pub bill: Bill,
    /// What else there was; `None` when the limits leave nothing else.
    pub runner_up: Option<Rival>,
}

/// A mix that is not the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rival {
    /// The mix.
    pub mix: Mix,
    /// What an hour of it is expected to cost.
    pub bill: Bill,
    /// Why the solver did not take it; `None` for the mix that it took, where the outcome is another one: kept for its dwell,
    /// or restrained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lost: Option<Lost>,
}

/// Returns what the outcome of a decision about this snapshot costs; `None` when it was not split at the least expected cost.
pub fn priced(policies: &Policies, snapshot: &Snapshot<'_>, decision: &Decision) -> Option<Priced> {
    let nodes = decision.steps().iter().find_map(|step| match &step.reason {
        Reason::SplitByCost(why) => Some(why.nodes),
        _ => None,
    })?;
    let policy = policies.policy_for(&decision.pool)?;
    let (learned, spot) = (learned(policy, snapshot), spot(policy, snapshot));
    let snapshot = Snapshot {
        learned: &learned,
        spot: &spot,
        ..*snapshot
    };
    // A fault of the problem has become a hold, so that no such decision gets here.
    let problem = policy.cost_problem(&snapshot, nodes).ok()?;
    let solution = solve(&problem).ok()?;
    let outcome = decision.outcome();
    let runner_up = if outcome == solution.mix {
        solution.runner_up.map(|rival| Rival {
            mix: rival.mix,
            bill: rival.bill,
            lost: Some(rival.lost),
        })
    } else {
        Some(Rival {
            mix: solution.mix,
            bill: solution.bill,
            lost: None,
        })
    };
    let bill = evaluate(&problem, outcome, solution.promise).ok()?.bill;
    Some(Priced { bill, runner_up })
}
