//! From what is seen to what is decided: a pure function, and total.

use crate::account::{AllocationState, NodeDeallocationOption, PoolState, Removal};
use crate::base::Timestamp;
use crate::decision::{Decision, Reason, Snapshot, SpotMemory, Stage};
use crate::policy::{Ask, Mode, Policies, Policy, Workings};
use crate::sizing::Learned;

use super::ObserveError;

/// Decides for every pool that a policy speaks of; pools without a policy are passed over.
///
/// What is remembered reaches a decision through the history of its snapshot.
pub fn decide(policies: &Policies, snapshots: &[Snapshot<'_>]) -> Vec<Decision> {
    snapshots
        .iter()
        .filter_map(|snapshot| {
            let policy = policies.policy_for(&snapshot.pool.id)?;
            let (learned, spot) = (learned(policy, snapshot), spot(policy, snapshot));
            let snapshot = Snapshot {
                learned: &learned,
                spot: &spot,
                ..*snapshot
            };
            Some(judge(policy, &mut workings(policy), &snapshot))
        })
        .collect()
}

/// Returns what is learned of a pool when this look counts too; one that counts already counts once.
pub(super) fn learned(policy: &Policy, snapshot: &Snapshot<'_>) -> Learned {
    let mut learned = snapshot.learned.clone();
    if let (Some(work), Some(backlog)) = (snapshot.work, policy.backlog()) {
        let half_life = policy.eviction.half_life;
        learned.see(snapshot.now, snapshot.pool, work, &backlog.limits(), half_life);
    }
    learned
}

/// Returns what is known of a pool's spot market when this look counts too; one that counts already counts once.
pub(super) fn spot(policy: &Policy, snapshot: &Snapshot<'_>) -> SpotMemory {
    let mut spot = snapshot.spot.clone();
    if policy.splits_by_cost() {
        let lost = snapshot.guards.lost_at(snapshot.now);
        spot.see(&policy.assumptions(), snapshot.now, snapshot.pool, lost);
    }
    spot
}

/// Decides for the pools of a recorded account; the same as [`decide`], by the name that operators use.
pub fn plan(policies: &Policies, snapshots: &[Snapshot<'_>]) -> Vec<Decision> {
    decide(policies, snapshots)
}

/// Returns the memory that the evaluations of each strategy of a policy share.
pub(super) fn workings(policy: &Policy) -> Vec<Workings> {
    policy
        .demand
        .iter()
        .map(crate::policy::Demand::workings)
        .collect()
}

/// Decides for one pool by its policy; the workings are those of [`workings`].
pub(super) fn judge(policy: &Policy, workings: &mut [Workings], snapshot: &Snapshot<'_>) -> Decision {
    let mut decision = Decision::begin(snapshot.pool, snapshot.now, policy.name.clone());
    if policy.mode == Mode::Paused {
        decision.hold_because(Reason::Paused);
        return decision;
    }
    match propose(policy, workings, snapshot, &mut decision) {
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

/// What the strategies of a policy come to.
enum Proposal {
    /// Every strategy asked.
    Whole,
    /// Some asked; why the first of the others did not.
    Partial(Reason),
    /// None asked; why the first did not.
    None(Reason),
}

/// Lets every strategy ask and proposes what the one asks that wants most nodes, the first among equals.
fn propose(
    policy: &Policy,
    workings: &mut [Workings],
    snapshot: &Snapshot<'_>,
    decision: &mut Decision,
) -> Proposal {
    let of = u32::try_from(policy.demand.len()).unwrap_or(u32::MAX);
    let mut best: Option<Ask> = None;
    let mut first_fault = None;
    for (number, (demand, workings)) in (1..).zip(policy.demand.iter().zip(workings)) {
        match demand.ask((number, of), workings, policy, snapshot) {
            Ok(ask) => {
                if best.as_ref().is_none_or(|most| most.total() < ask.total()) {
                    best = Some(ask);
                }
            }
            Err(fault) => {
                first_fault.get_or_insert(fault);
            }
        }
    }
    match best {
        None => return Proposal::None(first_fault.expect("a policy has at least one strategy")),
        Some(Ask::Need(need)) => {
            if let Err(fault) = policy.split(decision, snapshot, need) {
                return Proposal::None(fault);
            }
        }
        Some(Ask::Plan {
            target,
            cordon,
            reason,
        }) => {
            decision.option = NodeDeallocationOption::TaskCompletion;
            decision.removal = Removal::Idle;
            decision.cordon = cordon;
            // Spot that cannot be had keeps a pool resizing until the service gives up; what is needed now cannot wait for that.
            decision.retake = snapshot.pool.allocation == AllocationState::Resizing;
            decision.step(Stage::Propose, target, reason);
        }
        Some(Ask::Targets {
            target,
            option,
            reason,
        }) => {
            decision.option = option;
            decision.step(Stage::Propose, target, reason);
        }
    }
    first_fault.map_or(Proposal::Whole, Proposal::Partial)
}

/// Restrains what was proposed by the policy and by what the service takes.
fn restrain(policy: &Policy, snapshot: &Snapshot<'_>, fault: Option<Reason>, decision: &mut Decision) {
    let caps = policy.claim(decision, snapshot);
    policy.guard(&caps, decision, snapshot, fault);
    // Nothing is ordered that the service would refuse, or that the operator only wants to see.
    let would = decision.outcome();
    let changes = would != decision.start;
    decision.retake &= changes;
    if matches!(policy.mode, Mode::OutOnly | Mode::Shadow) {
        decision.cordon = decision.cordoned;
    }
    let state = snapshot.pool.allocation;
    if snapshot.pool.auto_scale {
        decision.hold_because(Reason::ServiceAutoScale);
    } else if changes && state != AllocationState::Steady && !decision.retake {
        decision.hold_because(Reason::NotSteady { state });
    } else if changes && policy.mode == Mode::Shadow {
        decision.hold_because(Reason::Shadow { would });
    }
}
