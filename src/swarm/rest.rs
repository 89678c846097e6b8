//! Once nothing fails any more: pools come to where their policies want them, and in time.
//!
//! ```text
//! wanted: what a decision comes to before the first step that is to pass (a cooldown, a large step, missing samples, …)
//! apart:  the pool's target is another one than is wanted, since …  ─► for longer than its policy explains: the law is broken
//! idle:   nothing waits or runs, since …                            ─► more than the least nodes of the bounds: broken
//! idler:  tasks wait, and a policy that minds them has no node      ─► broken
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;

use super::docket::Docket;
use super::faults::FaultKind;
use super::found::Law;
use super::plan::Plan;
use super::watched::Truth;
use crate::account::{NodeDeallocationOption, Order, PoolId, Receipt, RefusalKind, Removal};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::decision::{Decision, Reason};
use crate::engine::PoolView;
use crate::policy::{Actuator, Demand, InfeasibleTasks, LeaseFormula, Mode, Policies, Policy};

/// The pools of a life while it is calm.
pub(super) struct Rest<'a> {
    docket: Arc<Docket>,
    policies: &'a Policies,
    pools: BTreeMap<PoolId, Course>,
}

/// What a pool does in the calm.
#[derive(Debug, Default)]
struct Course {
    apart: Option<Apart>,
    idle_since: Option<Timestamp>,
    waiting_since: Option<Timestamp>,
}

/// A pool whose target is not what is wanted.
#[derive(Debug)]
struct Apart {
    wanted: Option<Mix>,
    since: Timestamp,
    limit: Span,
}

/// Looks until a change shows: one that sees it, one that may find the pool resizing, and one that orders.
const LOOKS: i64 = 3;
/// The longest that a pool of a world takes to follow an order when nothing troubles it: 4 minutes until machines are granted, 15
/// until the service gives up on them, and some for leaving.
const RESIZE: Span = Span::minutes(25);
/// The longest that a task of a world runs, which a node may have to finish before it goes.
const TASK: Span = Span::hours(2);
/// What the rough time leaves behind: a resize ten times as slow as others, a request that comes minutes late.
const AFTERMATH: Span = Span::minutes(45);
/// A clock that was hours ahead leaves moments that are still to come.
const CLOCK_OFF_MAX: Span = Span::hours(3);

/// A formula that an earlier policy of a pool installed is left alone until its time is over; the longest that is drawn.
const LEASE_MAX: Span = Span::hours(2);

/// Returns how long the rough time may be felt.
fn aftermath(plan: &Plan) -> Span {
    let clocks = [FaultKind::OwnClock, FaultKind::ServiceClock];
    if clocks.into_iter().any(|kind| plan.has(kind)) {
        AFTERMATH + LEASE_MAX + CLOCK_OFF_MAX
    } else {
        AFTERMATH + LEASE_MAX
    }
}

impl<'a> Rest<'a> {
    pub(super) const fn new(docket: Arc<Docket>, policies: &'a Policies) -> Self {
        Self {
            docket,
            policies,
            pools: BTreeMap::new(),
        }
    }

    /// Looks at a decision of the calm.
    pub(super) fn look(&mut self, decision: &Decision, seen: Option<&PoolView>, truth: Option<Truth>) {
        let Some(policy) = self.policies.policy_for(&decision.pool) else {
            return;
        };
        if policy.mode != Mode::Full {
            return;
        }
        let now = self.docket.now();
        let left_behind = aftermath(&self.docket.plan);
        let since_rough = if now < self.docket.plan.calm_from() + left_behind {
            left_behind
        } else {
            Span::ZERO
        };
        let working = truth.map_or(Mix::ZERO, |truth| truth.working);
        let course = self.pools.entry(decision.pool.clone()).or_default();
        let found = [
            course.apart(policy, decision, (now, since_rough), working),
            truth.and_then(|truth| course.idle(policy, decision, (now, left_behind), truth)),
            truth
                .zip(seen)
                .filter(|_| self.policies.account.is_none())
                .and_then(|(truth, seen)| course.waits(policy, (now, left_behind), truth, seen)),
        ];
        for what in found.into_iter().flatten() {
            let what = format!("{what}: {}", decision.to_text());
            self.docket.find(Law::Rest, what);
        }
        self.docket.count(|tally| tally.rested += 1);
    }

    /// Hears what became of an order: whom the account's quota holds back comes no nearer.
    pub(super) fn settled(&mut self, order: &Order, receipt: &Receipt) {
        let Receipt::Refused(refusal) = receipt else {
            return;
        };
        if refusal.kind == RefusalKind::Quota {
            self.pools.remove(&order.pool);
        }
        let is_nonsense = matches!(refusal.kind, RefusalKind::Invalid | RefusalKind::Forbidden);
        if is_nonsense && self.docket.is_calm() {
            let what = format!("it is calm, and {order:?} makes no sense: {}", refusal.message);
            self.docket.find(Law::Rest, what);
        }
    }
}

impl Course {
    fn apart(
        &mut self,
        policy: &Policy,
        decision: &Decision,
        (now, aftermath): (Timestamp, Span),
        working: Mix,
    ) -> Option<String> {
        let wanted = wanted(decision);
        if wanted.is_some_and(|wanted| is_there(decision, wanted, working)) {
            self.apart = None;
            return None;
        }
        let before = self.apart.take().filter(|apart| apart.wanted == wanted);
        let apart = before.unwrap_or_else(|| Apart {
            wanted,
            since: now,
            limit: time_to_settle(policy, decision.start, wanted) + aftermath,
        });
        let (since, limit) = (apart.since, apart.limit);
        self.apart = Some(apart);
        let wanted = wanted.map_or_else(|| "something".to_owned(), |mix| mix.to_string());
        (now - since > limit).then(|| format!("it is calm, and {wanted} is wanted since {since}"))
    }

    /// Without a task that waits or runs, a policy that goes by tasks wants no more than it must.
    fn idle(
        &mut self,
        policy: &Policy,
        decision: &Decision,
        (now, left_behind): (Timestamp, Span),
        truth: Truth,
    ) -> Option<String> {
        let is_minded = truth.never > 0 && policy.demand.iter().any(counts_what_never_runs);
        if truth.unfinished > 0 || is_minded {
            self.idle_since = None;
            return None;
        }
        let since = *self.idle_since.get_or_insert(now);
        let by_tasks = policy.demand.iter().all(|demand| {
            matches!(
                demand,
                Demand::Backlog(_) | Demand::Queue(_) | Demand::Deadlines(_)
            )
        });
        let bounds = policy.bounds;
        let least = bounds.total.min.max(bounds.dedicated.min + bounds.spot.min);
        let limit = time_to_settle(policy, decision.start, Some(Mix::ZERO)) + left_behind;
        let is_late = by_tasks && now - since > limit && decision.start.total() > least;
        is_late.then(|| format!("it is calm, and there is no task since {since}"))
    }

    /// While tasks wait, a policy that minds them has a node.
    fn waits(
        &mut self,
        policy: &Policy,
        (now, left_behind): (Timestamp, Span),
        truth: Truth,
        seen: &PoolView,
    ) -> Option<String> {
        let state = &seen.state;
        let minds = policy
            .demand
            .iter()
            .any(|demand| matches!(demand, Demand::Backlog(_) | Demand::Queue(_)));
        let is_free = policy.budget == crate::policy::Budget::default()
            && policy.quota == crate::policy::Quota::default();
        let has_none = state.target.total() == Nodes::ZERO && state.current.total() == Nodes::ZERO;
        if truth.unfinished == 0 || !has_none || !minds || !is_free {
            self.waiting_since = None;
            return None;
        }
        let since = *self.waiting_since.get_or_insert(now);
        let limit = time_to_settle(policy, Mix::ZERO, Some(Mix::new(1, 0))) + left_behind;
        let n_tasks = truth.unfinished;
        (now - since > limit).then(|| format!("it is calm, and {n_tasks} tasks have no node since {since}"))
    }
}

/// Returns what a decision comes to before the first step that is to pass; nothing where nobody could ask.
fn wanted(decision: &Decision) -> Option<Mix> {
    let steps = decision.steps().iter();
    let lasting = steps.take_while(|step| !passes(&step.reason));
    lasting.last().map(|step| step.to)
}

/// Says whether a pool is where an order to a mix takes it: one that takes idle nodes alone leaves those that work, for as long as
/// their tasks run, and some never end.
fn is_there(decision: &Decision, wanted: Mix, working: Mix) -> bool {
    let start = decision.start;
    let kept = match decision.removal {
        Removal::Idle => working,
        Removal::Any => Mix::ZERO,
    };
    let comes_to = |lane: Lane| wanted.get(lane).max(kept.get(lane).min(start.get(lane)));
    Lane::ALL
        .into_iter()
        .all(|lane| comes_to(lane) == start.get(lane))
}

/// Says whether a strategy asks for nodes for tasks that fit none: metrics such as `$ActiveTasks` count these, so that the service's own
/// formula would keep nodes for them too; who plans task by task leaves them out unless told otherwise.
fn counts_what_never_runs(demand: &Demand) -> bool {
    match demand {
        Demand::Backlog(backlog) => backlog.infeasible_tasks == InfeasibleTasks::Include,
        Demand::Deadlines(_) => false,
        _ => true,
    }
}

/// Says whether a step is taken for a while alone.
const fn passes(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::DeadlineUnseen
            | Reason::Unsampled(_)
            | Reason::SignalMissing(_)
            | Reason::WorkUnknown
            | Reason::AccountUnseen(_)
            | Reason::Storm(_)
            | Reason::Step(_)
            | Reason::Cooldown(_)
            | Reason::Flap(_)
            | Reason::StaleSamples { .. }
            | Reason::ThinSamples { .. }
            | Reason::NotSteady { .. }
            | Reason::AllWork { .. }
            | Reason::ServiceAutoScale
            | Reason::Halted(_)
            | Reason::LeaseWaits(_)
            | Reason::LeaseElsewhere(_)
            | Reason::LeaseFault { .. }
            | Reason::OthersWord(_)
            | Reason::FormulaFault { .. }
            | Reason::SplitFault { .. }
            | Reason::ObserveFailed { .. }
            | Reason::Mistake { .. }
    )
}

/// Returns the longest that a pool may take to what is wanted by its policy, once nothing changes any more.
fn time_to_settle(policy: &Policy, from: Mix, wanted: Option<Mix>) -> Span {
    let steady = &policy.steady;
    let cooldown = steady
        .cooldown
        .map_or(Span::ZERO, |guard| guard.out.max(guard.inward));
    let storm = steady
        .storm
        .map_or(Span::ZERO, |guard| guard.within + guard.pause_spot_for);
    let flap = steady.flap.map_or(Span::ZERO, |guard| guard.within);
    // A backlog and deadlines take idle nodes alone.
    let by_plan = policy.backlog().is_some() || !policy.deadlines.is_empty();
    let by_name = by_plan || !policy.scale_in.prefer.is_empty();
    let finishes = policy.scale_in.deallocation == Some(NodeDeallocationOption::TaskCompletion);
    let leaves = if by_name || finishes { TASK } else { Span::ZERO };
    let leases = matches!(policy.orders.actuator, Actuator::LeaseFormula(_));
    let lease = if leases {
        LeaseFormula::INSTALL_PAUSE + LeaseFormula::INSTALL_PAUSE + RESIZE
    } else {
        Span::ZERO
    };
    let moves = n_moves(policy, from, wanted.unwrap_or(from));
    let each = policy.interval.max(cooldown) + RESIZE + leaves;
    let waits = policy.missing.within + policy.missing.stale_after + policy.orders.others.respect_for;
    policy.interval * LOOKS + waits + storm + flap + lease + each * moves
}

/// Returns how many orders it takes from one mix to another where a policy takes no large steps.
fn n_moves(policy: &Policy, from: Mix, to: Mix) -> i64 {
    let Some(guard) = policy.steady.step else {
        return 1;
    };
    let (mut mix, mut n_moves) = (from, 1);
    while let Some((next, _)) = guard.limit(mix, to) {
        if next == mix {
            break;
        }
        (mix, n_moves) = (next, n_moves + 1);
    }
    n_moves
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PoolState;

    fn policy(more: &str) -> Policy {
        let text = format!(
            "version: 1\npool: a\ninterval: 60s\ndemand: [ queue: {{ metric: $PendingTasks }} ]\n{more}"
        );
        let (policy, findings) = crate::policy::read("p", &text, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{findings:?}"))
    }

    #[test]
    fn an_order_that_takes_idle_nodes_alone_is_done_when_the_rest_work_and_any_other_is_not() {
        let pool = PoolState {
            target: Mix::new(4, 5),
            ..PoolState::new("a".parse().unwrap())
        };
        let mut decision = Decision::begin(&pool, Timestamp::EPOCH, "p".into());
        let wanted = Mix::new(3, 5);
        assert!(!is_there(&decision, wanted, Mix::new(4, 5)));
        decision.removal = Removal::Idle;
        assert!(is_there(&decision, wanted, Mix::new(4, 0)));
        // One that is idle may go; and whoever wants more nodes is not there, however many work.
        assert!(!is_there(&decision, wanted, Mix::new(3, 5)));
        assert!(!is_there(&decision, Mix::new(3, 6), Mix::new(4, 5)));
        assert!(is_there(&decision, Mix::new(4, 5), Mix::ZERO));
    }

    #[test]
    fn tasks_that_fit_no_node_keep_nodes_where_they_are_counted_and_nowhere_else() {
        let pool = PoolState {
            target: Mix::new(4, 0),
            ..PoolState::new("a".parse().unwrap())
        };
        let decision = Decision::begin(&pool, Timestamp::EPOCH, "p".into());
        let breaks = |demand: &str, never: u64| {
            let text = format!("version: 1\npool: a\ninterval: 60s\ndemand: [ {demand} ]\n");
            let (policy, findings) = crate::policy::read("p", &text, &mut |_| Err(String::new()));
            let policy = policy.unwrap_or_else(|| panic!("{findings:?}"));
            let truth = Truth {
                never,
                ..Truth::default()
            };
            let mut course = Course::default();
            let look = |course: &mut Course, now| course.idle(&policy, &decision, (now, Span::ZERO), truth);
            assert_eq!(look(&mut course, Timestamp::EPOCH), None);
            look(&mut course, Timestamp::EPOCH + Span::days(2)).is_some()
        };
        let (queue, backlog) = ("queue: { metric: $ActiveTasks }", "backlog: { drainWithin: 15m }");
        assert!(breaks(queue, 0) && !breaks(queue, 3));
        assert!(breaks(backlog, 0) && breaks(backlog, 3));
        assert!(!breaks(
            "backlog: { drainWithin: 15m, infeasibleTasks: include }",
            3
        ));
    }

    #[test]
    fn a_policy_without_guards_has_an_hour_and_its_looks_and_each_guard_adds_its_own() {
        let usual = time_to_settle(&policy(""), Mix::ZERO, Some(Mix::new(9, 0)));
        // 3 looks and one order of a minute each, 13 minutes of samples, an hour for others, and a resize.
        assert_eq!(usual, Span::minutes(3 + 1 + 13 + 60 + 25));
        let slow = policy("guards: { step: { out: 2 }, cooldown: { out: 10m } }\n");
        let slow = time_to_settle(&slow, Mix::ZERO, Some(Mix::new(9, 0)));
        assert_eq!(slow, Span::minutes(3 + 13 + 60 + 5 * (10 + 25)));
    }

    #[test]
    fn whoever_takes_idle_nodes_alone_waits_for_a_task_of_each() {
        let settles = |more: &str| time_to_settle(&policy(more), Mix::new(9, 0), Some(Mix::ZERO));
        for more in [
            "deadlines: [ { within: 10h } ]\n",
            "scaleIn: { prefer: [unusable, preempted, idle] }\n",
        ] {
            assert_eq!(settles(more), settles("") + TASK, "{more}");
        }
    }
}
