//! From what is seen to what is decided: a pure function, and total.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::account::{HaltScope, Holding, PoolId, PoolState};
use crate::base::{Mix, Timestamp};
use crate::decision::{Decision, Halted, Reason, Snapshot, SpotMemory};
use crate::policy::{Caps, Mode, Policies, Policy, Workings};
use crate::sizing::Learned;

use super::ordering::order_what_can_be;
use super::propose::{Proposal, propose};
use super::share::{Resting, share};
use super::{AccountView, ObserveError};

/// Decides for every pool that a policy speaks of; pools without a policy are passed over.
///
/// What is remembered reaches a decision through the history of its snapshot.
pub fn decide(policies: &Policies, snapshots: &[Snapshot<'_>]) -> Vec<Decision> {
    decide_sharing(policies, snapshots, None)
}

/// Decides for every pool that a policy speaks of, by what the account shares.
///
/// Pools without a policy keep what they hold, and so do the pools of the account that are not among the snapshots.
pub fn decide_sharing(
    policies: &Policies,
    snapshots: &[Snapshot<'_>],
    account: Option<&AccountView>,
) -> Vec<Decision> {
    let known: Vec<(&Policy, &Snapshot<'_>, Learned, SpotMemory)> = snapshots
        .iter()
        .filter_map(|snapshot| {
            let policy = policies.policy_for(&snapshot.pool.id)?;
            Some((
                policy,
                snapshot,
                learned(policy, snapshot),
                spot(policy, snapshot),
            ))
        })
        .collect();
    let mut seats: Vec<Seat<'_>> = known
        .iter()
        .map(|(policy, snapshot, learned, spot)| {
            let snapshot = Snapshot {
                learned,
                spot,
                ..**snapshot
            };
            Seat::take(policy, &mut workings(policy), snapshot)
        })
        .collect();
    if let Some(account) = shared_by(policies, account) {
        let decided: BTreeSet<&PoolId> = known.iter().map(|(_, snapshot, ..)| &snapshot.pool.id).collect();
        let seen: BTreeSet<&PoolId> = snapshots.iter().map(|snapshot| &snapshot.pool.id).collect();
        let beside = snapshots
            .iter()
            .filter(|snapshot| !decided.contains(&snapshot.pool.id));
        let beside: Vec<Holding> = beside.map(|snapshot| snapshot.pool.into()).collect();
        let elsewhere = account
            .pools
            .iter()
            .filter(|holding| !seen.contains(&holding.pool));
        let resting: Vec<Resting<'_>> = beside
            .iter()
            .chain(elsewhere)
            .map(|holding| Resting {
                holding,
                policy: policies.policy_for(&holding.pool),
                memory: None,
            })
            .collect();
        share(policies, &account, &mut seats, &resting);
    }
    seats.into_iter().map(Seat::finish).collect()
}

/// Returns what the account shares, where that is to be kept to: what is stated wants it to be seen, and quotas that are seen hold.
pub(super) fn shared_by<'a>(
    policies: &Policies,
    account: Option<&'a AccountView>,
) -> Option<Cow<'a, AccountView>> {
    match account {
        Some(account) if policies.share() || account.quotas.is_some() => Some(Cow::Borrowed(account)),
        None if policies.share() => Some(Cow::Owned(AccountView {
            fault: Some(ObserveError {
                message: "nobody tells what its quotas are and what its pools hold".to_owned(),
                retry: false,
            }),
            ..AccountView::default()
        })),
        Some(_) | None => None,
    }
}

/// Returns what is learned of a pool when this look counts too; one that counts already counts once.
pub(super) fn learned(policy: &Policy, snapshot: &Snapshot<'_>) -> Learned {
    let mut learned = snapshot.learned.clone();
    policy.learn(&mut learned, snapshot.now, snapshot.pool, snapshot.work);
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

/// Decides for the pools of a recorded account; the same as [`decide_sharing`], by the name that operators use.
pub fn plan(policies: &Policies, snapshots: &[Snapshot<'_>], account: Option<&AccountView>) -> Vec<Decision> {
    decide_sharing(policies, snapshots, account)
}

/// Returns the memory that the evaluations of each strategy of a policy share.
pub(super) fn workings(policy: &Policy) -> Vec<Workings> {
    policy
        .demand
        .iter()
        .map(crate::policy::Demand::workings)
        .collect()
}

/// A pool while it is decided for: first by its own policy, then beside the others, then by its guards.
pub(super) struct Seat<'a> {
    pub(super) policy: &'a Policy,
    pub(super) snapshot: Snapshot<'a>,
    pub(super) decision: Decision,
    /// What its policy allows; `None` when nothing was proposed.
    pub(super) caps: Option<Caps>,
    /// Why some strategy could not ask.
    fault: Option<Reason>,
    /// What it asks of the account.
    pub(super) asked: Option<Mix>,
}

impl<'a> Seat<'a> {
    /// Proposes for a pool by its policy, and brings that to what the policy allows; the workings are those of [`workings`].
    pub(super) fn take(policy: &'a Policy, workings: &mut [Workings], snapshot: Snapshot<'a>) -> Self {
        let decision = Decision::begin(snapshot.pool, snapshot.now, policy.name.clone());
        let mut seat = Self {
            policy,
            snapshot,
            decision,
            caps: None,
            fault: None,
            asked: None,
        };
        seat.decision.signals = policy.signals_seen(&snapshot);
        if policy.mode == Mode::Paused {
            seat.decision.hold_because(Reason::Paused);
            return seat;
        }
        if let Some(halt) = snapshot.halted().filter(|halt| halt.scope == HaltScope::All) {
            seat.decision.hold_because(Reason::Halted(Halted(halt.clone())));
            return seat;
        }
        match propose(policy, workings, &snapshot, &mut seat.decision) {
            Proposal::None(fault) => seat.decision.hold_because(fault),
            Proposal::Whole => seat.claim(),
            Proposal::Partial(fault) => {
                seat.fault = Some(fault);
                seat.claim();
            }
        }
        seat
    }

    fn claim(&mut self) {
        self.caps = Some(self.policy.claim(&mut self.decision, &self.snapshot));
    }

    /// Guards what is left, and ends the decision.
    pub(super) fn finish(self) -> Decision {
        let Self {
            policy,
            snapshot,
            mut decision,
            ..
        } = self;
        let caps = self.caps.filter(|_| decision.hold().is_none());
        if let Some(caps) = &caps {
            policy.guard(caps, &mut decision, &snapshot, self.fault);
        }
        order_what_can_be(policy, caps.as_ref(), &snapshot, &mut decision);
        assert!(
            policy.bounds.allow(decision.start, decision.outcome()),
            "an outcome lies within bounds or moves no further from them"
        );
        decision
    }
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
