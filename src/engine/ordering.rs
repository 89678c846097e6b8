//! How an outcome is ordered: nothing that the service would refuse or that nobody wants, and what is to be done beside the
//! target.
//!
//! ```text
//!                   no formula          a lease of ours            another's lease       any other formula
//! resize            resize              disable it, resize         held until it ends    left, or: disable it, resize
//! leaseFormula      install a lease     renew it, or exchange it   held until it ends    left, or: install a lease
//! ```
//!
//! What a step here says never changes the target: it is about the order.

use crate::account::{AllocationState, HaltScope, Lease, OwnFormula, PoolState, Removal};
use crate::base::{Lane, Timestamp};
use crate::decision::{
    Decision, InShadow, LeaseDoes, LeaseElsewhere, LeaseStep, LeaseWaits, OurOrders, Reason, Snapshot, Stage,
    TakesOver,
};
use crate::formula::PoolFacts;
use crate::policy::{Caps, Due, LeaseFormula, Leased, Mode, Objective, OwnFormulaRule, Policy};

/// Who steers a pool beside the policy.
enum Steered<'a> {
    /// Nobody.
    Nobody,
    /// A lease of ours.
    Us(&'a Lease),
    /// A lease that we installed by another name, as an earlier policy of the pool.
    Former(&'a Lease),
    /// A lease of somebody else.
    Holder(&'a Lease),
    /// A formula of its own.
    Formula(Option<&'a std::sync::Arc<str>>),
}

impl<'a> Steered<'a> {
    fn of(pool: &'a PoolState, ours: &OurOrders, policy: &Policy) -> Self {
        match (&pool.formula, pool.auto_scale) {
            (_, false) => Self::Nobody,
            (Some(OwnFormula::Lease(lease)), true) if lease.holder == policy.holder() => Self::Us(lease),
            (Some(OwnFormula::Lease(lease)), true) if policy.ends(lease, ours) => Self::Former(lease),
            (Some(OwnFormula::Lease(lease)), true) => Self::Holder(lease),
            (Some(OwnFormula::Other(text)), true) => Self::Formula(Some(text)),
            (None, true) => Self::Formula(None),
        }
    }
}

/// Orders nothing that the service would refuse, or that the operator only wants to see.
pub(super) fn order_what_can_be(
    policy: &Policy,
    caps: Option<&Caps>,
    snapshot: &Snapshot<'_>,
    decision: &mut Decision,
) {
    let steered = Steered::of(snapshot.pool, snapshot.ours, policy);
    if let Some(hold) = decision.hold() {
        // Whoever cannot tell what is needed is alive all the same: what the pool has is renewed.
        let is_word = matches!(hold, Reason::Paused | Reason::Halted(_));
        if is_word || policy.leases().is_none() || !matches!(steered, Steered::Us(_)) {
            return;
        }
        decision.rest();
    }
    choose_cordons(policy, caps, snapshot, decision);
    if policy.mode == Mode::Shadow {
        stay_in_the_shadow(policy, decision);
        return;
    }
    retake(policy, snapshot, decision);
    let due = due_for_replacement(policy, snapshot, decision);
    let renews = matches!(due, Due::Replace(..));
    match (steered, policy.leases()) {
        (Steered::Nobody, None) => {}
        (Steered::Nobody, Some(rule)) => {
            if !is_left_to_others(policy, snapshot, decision) {
                lease(policy, snapshot, (rule, None, renews), decision);
            }
        }
        (Steered::Us(held), Some(rule)) => lease(policy, snapshot, (rule, Some(held), renews), decision),
        (Steered::Holder(other) | Steered::Former(other), _) if snapshot.now < other.until => {
            let (holder, until) = (other.holder.clone(), other.until);
            decision.hold_because(Reason::LeaseElsewhere(LeaseElsewhere { holder, until }));
        }
        // Nobody renews it: it is ours to end.
        (Steered::Former(_), Some(rule)) => lease(policy, snapshot, (rule, None, true), decision),
        (Steered::Us(_) | Steered::Former(_), None) => {
            decision.release = true;
            tell(decision, Reason::LeaseEnds);
        }
        (Steered::Holder(_), _) => take_over(policy, snapshot, None, decision),
        (Steered::Formula(text), _) => take_over(policy, snapshot, text, decision),
    }
    replace(policy, due, decision);
    wait_for_steady(snapshot, decision);
    wait_for_idle(snapshot, decision);
}

fn tell(decision: &mut Decision, reason: Reason) {
    let to = decision.outcome();
    decision.step(Stage::Order, to, reason);
}

/// Lets nodes take no further tasks that shall go once they are idle, where that is wanted or a limit is passed; never where none
/// may go.
fn choose_cordons(policy: &Policy, caps: Option<&Caps>, snapshot: &Snapshot<'_>, decision: &mut Decision) {
    let to = decision.outcome();
    let drains = policy.scale_in.drain && decision.removal == Removal::Idle;
    if !is_planned(policy, decision) && (drains || snapshot.ours.closed) {
        for lane in Lane::ALL {
            let leaving = decision.current.get(lane).saturating_sub(to.get(lane));
            // Nodes that grow again take tasks again, and so do those that a limit closed; what nobody of ours closed is left alone.
            let cordon = if drains && to.get(lane) < decision.start.get(lane) {
                leaving
            } else {
                decision.cordon.get(lane).min(leaving)
            };
            decision.cordon = decision.cordon.with(lane, cordon);
        }
    }
    if let Some(caps) = caps.filter(|_| decision.removal == Removal::Idle) {
        close_excess(caps, decision);
    }
    let keeps_nodes = snapshot.halted().is_some_and(|halt| halt.scope == HaltScope::In);
    if keeps_nodes || matches!(policy.mode, Mode::OutOnly | Mode::Shadow) {
        decision.cordon = decision.cordoned;
    }
}

/// Says whether a plan said task by task which nodes take further ones.
fn is_planned(policy: &Policy, decision: &Decision) -> bool {
    match decision.steps().first().map(|step| &step.reason) {
        Some(Reason::Backlog(_)) => !matches!(policy.objective, Objective::FixedShare(_)),
        Some(Reason::Deadline(_)) => true,
        _ => false,
    }
}

/// Closes the nodes that a pool has beyond its limits: where only idle ones go and tasks wait, they would never be idle.
fn close_excess(caps: &Caps, decision: &mut Decision) {
    let Some(kept) = caps.keep_most(decision.start, decision.outcome()) else {
        return;
    };
    for lane in Lane::ALL {
        let excess = decision.current.get(lane).saturating_sub(kept.get(lane));
        decision.cordon = decision.cordon.with(lane, decision.cordon.get(lane).max(excess));
    }
}

/// Says how far apart the policy and the pool are.
fn stay_in_the_shadow(policy: &Policy, decision: &mut Decision) {
    let (start, would) = (decision.start, decision.outcome());
    decision.retake = false;
    if would != start {
        let apart = InShadow::between(start, would, |mix| policy.prices.rate(mix));
        decision.hold_because(Reason::Shadow(apart));
    }
}

/// Stops a resize that is under way where the strategy wants it, or where it drags on, and another target is needed.
fn retake(policy: &Policy, snapshot: &Snapshot<'_>, decision: &mut Decision) {
    let changes = decision.outcome() != decision.start;
    decision.retake &= changes;
    let is_resizing = snapshot.pool.allocation == AllocationState::Resizing;
    if changes && is_resizing && !decision.retake {
        let dragging = policy.orders.retake.retakes(snapshot.ours, snapshot.now);
        if let Some(why) = dragging {
            decision.retake = true;
            tell(decision, Reason::Retakes(why));
        }
    }
}

/// Leaves a pool alone whose formula somebody else changed a while ago; says whether it does.
fn is_left_to_others(policy: &Policy, snapshot: &Snapshot<'_>, decision: &mut Decision) -> bool {
    let word = policy.orders.others.word(snapshot.ours, snapshot.now);
    let word = word.filter(|word| word.formula);
    if let Some(word) = word {
        decision.hold_because(Reason::OthersWord(word));
    }
    word.is_some()
}

/// Takes a pool over that runs a formula of its own, where the policy wants that.
fn take_over(
    policy: &Policy,
    snapshot: &Snapshot<'_>,
    text: Option<&std::sync::Arc<str>>,
    decision: &mut Decision,
) {
    if policy.orders.own_formula == OwnFormulaRule::Leave {
        decision.hold_because(Reason::ServiceAutoScale);
        return;
    }
    if is_left_to_others(policy, snapshot, decision) {
        return;
    }
    let formula = text.cloned();
    tell(decision, Reason::TakesOver(TakesOver { formula }));
    match policy.leases() {
        Some(rule) => lease(policy, snapshot, (rule, None, false), decision),
        None => decision.release = true,
    }
}

/// Installs a formula that carries the target: when there is none, when the target is another one, when half the time of the one
/// that is there has passed, and when the pool has to be without one for a moment.
fn lease(
    policy: &Policy,
    snapshot: &Snapshot<'_>,
    (rule, held, renews): (&LeaseFormula, Option<&Lease>, bool),
    decision: &mut Decision,
) {
    let (now, target) = (snapshot.now, decision.outcome());
    decision.option = policy.lease_option();
    decision.removal = Removal::Any;
    decision.cordon = decision.cordoned;
    let changes = target != decision.start || held.is_some_and(|held| held.target != target);
    let left = held.map(|held| held.until.since(now));
    let has_less = |part: i64| left.is_none_or(|left| left.ticks() <= rule.lease.ticks() / part);
    if !(changes || renews || has_less(2)) {
        return;
    }
    if snapshot.pool.allocation != AllocationState::Steady && !decision.retake {
        // A formula is not taken while a resize runs. What is renewed early waits for its end, what is about to be over does not.
        let is_urgent =
            held.is_some() && has_less(4) && snapshot.pool.allocation == AllocationState::Resizing;
        if !is_urgent {
            return;
        }
        decision.retake = true;
    }
    let next = snapshot.ours.leased_at.map(|at| at + LeaseFormula::INSTALL_PAUSE);
    if let Some(until) = next.filter(|next| now < *next) {
        decision.retake = false;
        if target != decision.start {
            decision.hold_because(Reason::LeaseWaits(LeaseWaits { until }));
        }
        return;
    }
    let lease = Lease {
        holder: policy.holder(),
        target,
        until: end_of(now, rule),
    };
    let leased = Leased {
        lease: &lease,
        pool: PoolFacts::from(snapshot.pool),
        now,
    };
    match policy.lease_order(&leased, rule.fallback) {
        Ok(order) => {
            let step = LeaseStep {
                does: match held {
                    None => LeaseDoes::Begins,
                    Some(_) if changes => LeaseDoes::Changes,
                    Some(_) => LeaseDoes::Renews,
                },
                until: lease.until,
                held_until: held.map(|held| held.until),
            };
            tell(decision, Reason::Lease(step));
            decision.lease = Some(order);
        }
        Err(message) => decision.hold_because(Reason::LeaseFault { message }),
    }
}

/// Returns when a lease ends that is given now.
fn end_of(now: Timestamp, rule: &LeaseFormula) -> Timestamp {
    (now + rule.lease).whole_milliseconds()
}

/// Returns what is to be done about nodes of no use, where nothing else takes nodes away and nothing forbids it.
fn due_for_replacement(policy: &Policy, snapshot: &Snapshot<'_>, decision: &Decision) -> Due {
    let pool = snapshot.pool;
    let is_free = !decision.shrinks() && policy.mode == Mode::Full && snapshot.halted().is_none();
    if is_free && pool.allocation == AllocationState::Steady {
        policy.orders.replace.due(snapshot.broken, snapshot.now, pool)
    } else {
        Due::Nothing
    }
}

/// Replaces nodes of no use. Nodes cannot be named while a formula runs: a lease is disabled first, and comes back behind.
fn replace(policy: &Policy, due: Due, decision: &mut Decision) {
    if decision.hold().is_some() {
        return;
    }
    match due {
        Due::Nothing => {}
        Due::Open(why) => tell(decision, Reason::BreakerOpen(why)),
        Due::Replace(..) if policy.leases().is_some() && decision.lease.is_none() => {}
        Due::Replace(replacement, why) => {
            decision.replace = Some(replacement);
            tell(decision, Reason::Replaces(why));
        }
    }
}

/// Waits for a resize that is under way and is not stopped.
fn wait_for_steady(snapshot: &Snapshot<'_>, decision: &mut Decision) {
    let state = snapshot.pool.allocation;
    let orders = decision.outcome() != decision.start || decision.release;
    if decision.hold().is_none() && orders && state != AllocationState::Steady && !decision.retake {
        decision.hold_because(Reason::NotSteady { state });
    }
}

/// Waits for a node to become idle where an order takes idle ones alone: while all of them work it would change nothing, and would be
/// the same at each look.
fn wait_for_idle(snapshot: &Snapshot<'_>, decision: &mut Decision) {
    let (pool, start, to) = (snapshot.pool, decision.start, decision.outcome());
    let takes_idle = decision.removal == Removal::Idle && decision.shrinks() && decision.hold().is_none();
    let is_more = decision.order_is_more() || Lane::ALL.iter().any(|lane| to.get(*lane) > start.get(*lane));
    // A target that is not reached, and any node that boots, is preempted or of no use, can be taken back at once.
    let all_work = pool.target == pool.current && pool.nodes.running == pool.current.total();
    if takes_idle && !is_more && all_work {
        let nodes = pool.nodes.running;
        decision.hold_because(Reason::AllWork { nodes });
    }
}
