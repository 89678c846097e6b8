//! From what is seen to what is decided: a pure function, and total.

use crate::account::PoolState;
use crate::base::Timestamp;
use crate::decision::{Decision, Reason, Snapshot, Stage};
use crate::formula::{Evaluator, Fault, Inputs, Outcome, PoolFacts};
use crate::policy::{Mode, Policies, Policy};

use super::ObserveError;

/// Decides for every pool that a policy speaks of; pools without a policy are passed over.
///
/// What is remembered reaches a decision through the history of its snapshot.
pub fn decide(policies: &Policies, snapshots: &[Snapshot<'_>]) -> Vec<Decision> {
    snapshots
        .iter()
        .filter_map(|snapshot| {
            let policy = policies.policy_for(&snapshot.pool.id)?;
            Some(judge(policy, &mut evaluators(policy), snapshot))
        })
        .collect()
}

/// Decides for the pools of a recorded account; the same as [`decide`], by the name that operators use.
pub fn plan(policies: &Policies, snapshots: &[Snapshot<'_>]) -> Vec<Decision> {
    decide(policies, snapshots)
}

/// Returns an evaluator for each formula of a policy.
pub(super) fn evaluators(policy: &Policy) -> Vec<Evaluator> {
    policy
        .demand
        .iter()
        .map(|demand| demand.formula.evaluator())
        .collect()
}

/// Decides for one pool by its policy; the evaluators are those of [`evaluators`].
pub(super) fn judge(policy: &Policy, evaluators: &mut [Evaluator], snapshot: &Snapshot<'_>) -> Decision {
    let mut decision = Decision::begin(snapshot.pool, snapshot.now, policy.name.clone());
    if policy.mode == Mode::Paused {
        decision.hold_because(Reason::Paused);
        return decision;
    }
    match propose(evaluators, snapshot, &mut decision) {
        Proposal::None(fault) => decision.hold_because(fault),
        Proposal::Whole => restrain(policy, snapshot, None, &mut decision),
        Proposal::Partial(fault) => restrain(policy, snapshot, Some(fault), &mut decision),
    }
    assert!(
        policy.bounds.allow(decision.start, decision.outcome()),
        "an outcome lies within bounds or moves no further from them"
    );
    decision
}

/// Holds a pool that could not be looked at, at what it was last seen with.
pub(super) fn hold_unseen(
    policy: &Policy,
    last_seen: &PoolState,
    now: Timestamp,
    error: &ObserveError,
) -> Decision {
    let mut decision = Decision::begin(last_seen, now, policy.name.clone());
    decision.hold_because(Reason::ObserveFailed {
        retry: error.retry,
        message: error.message.clone(),
    });
    decision
}

/// What the formulas of a policy come to.
enum Proposal {
    /// Every formula gave targets.
    Whole,
    /// Some gave targets; the first fault of the others.
    Partial(Reason),
    /// None gave targets; the first fault.
    None(Reason),
}

/// Evaluates every formula and proposes the targets of the one that asks for most nodes, the first among equals.
fn propose(evaluators: &mut [Evaluator], snapshot: &Snapshot<'_>, decision: &mut Decision) -> Proposal {
    let of = u32::try_from(evaluators.len()).unwrap_or(u32::MAX);
    let inputs = inputs(snapshot);
    let mut best: Option<(u32, Outcome)> = None;
    let mut first_fault = None;
    for (number, evaluator) in (1..).zip(evaluators) {
        match evaluator.run(&inputs) {
            Ok(outcome) => {
                if best.is_none_or(|(_, most)| most.target.total() < outcome.target.total()) {
                    best = Some((number, outcome));
                }
            }
            Err(fault) => {
                first_fault.get_or_insert_with(|| fault_reason(number, of, fault));
            }
        }
    }
    let Some((formula, outcome)) = best else {
        return Proposal::None(first_fault.expect("a policy has at least one formula"));
    };
    let stopped = outcome.stopped;
    decision.option = outcome.option;
    let reason = Reason::Formula { formula, of, stopped };
    decision.step(Stage::Propose, outcome.target, reason);
    first_fault.map_or(Proposal::Whole, Proposal::Partial)
}

/// The order of this list is the policy.
fn restrain(policy: &Policy, snapshot: &Snapshot<'_>, fault: Option<Reason>, decision: &mut Decision) {
    // What is asked for, within what is allowed.
    policy.bounds.restrain(decision);
    // Nothing is taken away on what is not known.
    if let Some(fault) = fault {
        policy.keep_nodes(decision, fault);
    }
    policy.guard_missing(decision, snapshot);
    // Nothing is taken away in this mode.
    if policy.mode == Mode::OutOnly {
        policy.keep_nodes(decision, Reason::OutOnly);
    }
    // Nothing is ordered that the service would refuse, or that the operator only wants to see.
    let would = decision.outcome();
    let changes = would != decision.start;
    let state = snapshot.pool.allocation;
    if snapshot.pool.auto_scale {
        decision.hold_because(Reason::ServiceAutoScale);
    } else if changes && state != crate::account::AllocationState::Steady {
        decision.hold_because(Reason::NotSteady { state });
    } else if changes && policy.mode == Mode::Shadow {
        decision.hold_because(Reason::Shadow { would });
    }
}

fn fault_reason(formula: u32, of: u32, fault: Fault) -> Reason {
    Reason::FormulaFault {
        formula,
        of,
        fault: fault.code.word().to_owned(),
        line: u32::try_from(fault.at.line).unwrap_or(u32::MAX),
        column: u32::try_from(fault.at.column).unwrap_or(u32::MAX),
        message: fault.message,
    }
}

fn inputs<'a>(snapshot: &Snapshot<'a>) -> Inputs<'a> {
    let pool = snapshot.pool;
    Inputs {
        now: snapshot.now,
        pool: PoolFacts {
            target: pool.target,
            option: pool.option,
            current: pool.current,
            usable: pool.nodes.usable,
            preempted: pool.nodes.preempted,
            task_slots_per_node: pool.task_slots_per_node,
        },
        history: snapshot.history,
        seed: snapshot.seed,
    }
}
