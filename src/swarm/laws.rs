//! What is held against every entry and every tick, from outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::docket::Docket;
use super::found::Law;
use crate::account::{Halt, HaltScope, PoolId, PoolState, vm_size};
use crate::base::{Lane, Mix};
use crate::decision::{Decision, Reason, Stage};
use crate::engine::{Entry, Observation, PoolView, Question};
use crate::policy::{Demand, Mode, Policies, Policy};

/// The laws, with what they remember of a tick.
pub(super) struct Laws<'a> {
    docket: Arc<Docket>,
    policies: &'a Policies,
    /// The pools that were seen in this tick, each once.
    seen: Vec<Sight>,
    decided: Vec<Decision>,
    /// What the pools hold that are not decided for; nothing where the account was not told.
    others: Option<Vec<crate::account::Holding>>,
    /// The decisions of the tick before.
    latest: Vec<Decision>,
}

/// What a look brought of a pool, whatever the engine makes of it.
struct Sight {
    state: PoolState,
    is_hidden: bool,
    has_work: bool,
    halt: Option<Halt>,
}

impl<'a> Laws<'a> {
    pub(super) const fn new(docket: Arc<Docket>, policies: &'a Policies) -> Self {
        Self {
            docket,
            policies,
            seen: Vec::new(),
            decided: Vec::new(),
            others: None,
            latest: Vec::new(),
        }
    }

    /// Returns the decisions of the latest tick.
    pub(super) fn latest(&self) -> &[Decision] {
        &self.latest
    }

    fn find(&self, law: Law, what: String) {
        self.docket.find(law, what);
    }

    fn sight(&self, pool: &PoolId) -> Option<&Sight> {
        self.seen.iter().find(|sight| sight.state.id == *pool)
    }

    /// Begins a tick with what was seen.
    pub(super) fn begin_tick(&mut self, question: &Question<'_>, seen: &Observation) {
        self.docket.told(|told| told.hear(question.now, seen.pools()));
        let mut ids = BTreeSet::new();
        for view in seen.pools() {
            let id = &view.state.id;
            if !ids.insert(id.clone()) {
                self.find(Law::Chain, format!("pool {id} was seen twice in one look"));
            }
            if !question.asks(id) {
                self.find(Law::Chain, format!("pool {id} was seen and not asked for"));
            }
        }
        let sights = seen.pools().iter().map(|view| Sight {
            state: view.state.clone(),
            is_hidden: view.fault.is_some(),
            has_work: view.work.is_some(),
            halt: view.halt.clone(),
        });
        self.seen = sights.collect();
    }

    /// Holds an entry against what can be told of it alone.
    pub(super) fn entry(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Decided { decision, seen } => {
                self.decision(decision, *seen);
                self.decided.push((*decision).clone());
            }
            Entry::Account { seen, .. } => self.others = Some(seen.pools.clone()),
            Entry::Started { .. } | Entry::Blind { .. } | Entry::Unmatched { .. } | Entry::Settled { .. } => {
            }
        }
    }

    fn decision(&mut self, decision: &Decision, seen: Option<&PoolView>) {
        self.docket.count(|tally| {
            tally.decisions += 1;
            tally.holds += u64::from(decision.hold().is_some());
        });
        self.docket.tell(|| {
            let steps: Vec<_> = decision.steps().iter().map(|step| step.reason.text()).collect();
            format!(
                "{} {} → {}: {}",
                decision.pool,
                decision.start,
                decision.outcome(),
                steps.join(" | ")
            )
        });
        // The engine goes on after a mistake of ours, and says so in the chain of the pool.
        if let Some(Reason::Mistake { message }) = decision.hold() {
            self.find(Law::Total, format!("pool {}: {message}", decision.pool));
        }
        self.chain(decision, seen);
        if let Some(policy) = self.policies.policy_for(&decision.pool) {
            self.wanted(policy, decision, seen);
        }
        self.halted(decision);
        self.informed(decision, seen);
    }

    fn chain(&self, decision: &Decision, seen: Option<&PoolView>) {
        let text = || decision.to_text();
        let holds = decision.steps().iter().position(|step| step.stage == Stage::Hold);
        if holds.is_some_and(|at| at + 1 != decision.steps().len()) {
            self.find(Law::Chain, format!("something follows a hold: {}", text()));
        }
        if holds.is_some() && (decision.outcome() != decision.start || decision.order().is_some()) {
            self.find(Law::Chain, format!("a hold moves: {}", text()));
        }
        if seen.is_some_and(|view| view.state.target != decision.start) {
            self.find(
                Law::Chain,
                format!("a chain begins elsewhere than its pool stands: {}", text()),
            );
        }
        if decision.steps().is_empty() {
            self.find(Law::Chain, format!("a decision without a reason: {}", text()));
        }
        if self.decided.iter().any(|other| other.pool == decision.pool) {
            self.find(Law::Chain, format!("decided twice in one tick: {}", text()));
        }
    }

    /// Holds a decision against what its policy allows.
    fn wanted(&self, policy: &Policy, decision: &Decision, seen: Option<&PoolView>) {
        let outcome = decision.outcome();
        if !policy.bounds.allow(decision.start, outcome) {
            self.find(Law::Bounds, decision.to_text());
        }
        for lane in Lane::ALL {
            let most = policy.quota.nodes(lane);
            if most.is_some_and(|most| outcome.get(lane) > most.max(decision.start.get(lane))) {
                self.find(
                    Law::Bounds,
                    format!("more than the quota: {}", decision.to_text()),
                );
            }
        }
        let rate = |mix: Mix| {
            let of = |lane| mix.get(lane).as_f64() * policy.prices.get(lane).0;
            of(Lane::Dedicated) + of(Lane::Spot)
        };
        let hourly = policy.budget.per_hour;
        if hourly.is_some_and(|most| rate(outcome) > most.max(rate(decision.start)) + 1e-6) {
            self.find(
                Law::Bounds,
                format!("more than an hour may cost: {}", decision.to_text()),
            );
        }
        let is_quiet = matches!(policy.mode, Mode::Paused | Mode::Shadow);
        if is_quiet && decision.order().is_some() {
            self.find(
                Law::Bounds,
                format!("{:?} orders: {}", policy.mode, decision.to_text()),
            );
        }
        if policy.mode == Mode::OutOnly && decision.shrinks() {
            self.find(Law::Bounds, format!("outOnly shrinks: {}", decision.to_text()));
        }
        let leaves_formula = decision
            .order()
            .is_some_and(|order| !order.release && order.lease.is_none());
        if seen.is_some_and(|view| view.state.auto_scale) && leaves_formula {
            self.find(
                Law::Bounds,
                format!(
                    "a pool with a formula of its own is ordered: {}",
                    decision.to_text()
                ),
            );
        }
    }

    /// Holds a decision against what somebody halted.
    fn halted(&self, decision: &Decision) {
        let sight = self.sight(&decision.pool);
        let Some(halt) = sight.and_then(|sight| sight.halt.as_ref()) else {
            return;
        };
        let (start, outcome) = (decision.start, decision.outcome());
        let grows = Lane::ALL.iter().any(|lane| outcome.get(*lane) > start.get(*lane));
        let is_broken = match halt.scope {
            HaltScope::All => decision.order().is_some(),
            HaltScope::In => outcome.total() < start.total(),
            HaltScope::Out => grows && outcome.total() > start.total(),
        };
        if is_broken {
            self.find(
                Law::Bounds,
                format!("{halt:?} does not hold: {}", decision.to_text()),
            );
        }
    }

    /// Holds a decision against what could be seen.
    fn informed(&self, decision: &Decision, seen: Option<&PoolView>) {
        let sight = self.sight(&decision.pool);
        let is_hidden = seen.is_none() || sight.is_none_or(|sight| sight.is_hidden);
        if is_hidden && decision.order().is_some() {
            self.find(
                Law::Blind,
                format!("ordered although nothing was seen: {}", decision.to_text()),
            );
        }
        if !decision.shrinks() || decision.order().is_none() {
            return;
        }
        if self.docket.is_blurred(decision.pool.as_str()) {
            let what = format!(
                "shrinks on an answer that could not be read: {}",
                decision.to_text()
            );
            self.find(Law::Blind, what);
        }
        let Some(policy) = self.policies.policy_for(&decision.pool) else {
            return;
        };
        let by_work = policy
            .demand
            .iter()
            .all(|demand| matches!(demand, Demand::Backlog(_) | Demand::Deadlines(_)));
        if by_work && !sight.is_some_and(|sight| sight.has_work) {
            self.find(
                Law::Blind,
                format!("shrinks without its tasks: {}", decision.to_text()),
            );
        }
        let thin = self
            .docket
            .told(|told| told.objection(policy, &decision.pool, decision.at));
        if let Some(why) = thin {
            self.find(Law::Thin, format!("shrinks on {why}: {}", decision.to_text()));
        }
    }

    /// Ends a tick: holds all its decisions together against what the account shares.
    pub(super) fn end_tick(&mut self) {
        let decided = std::mem::take(&mut self.decided);
        self.latest.clone_from(&decided);
        let seen = std::mem::take(&mut self.seen);
        let (Some(others), Some(stated)) = (self.others.take(), &self.policies.account) else {
            return;
        };
        if decided.is_empty() {
            return;
        }
        let quotas = &stated.quotas;
        for (lane, most) in [
            (Lane::Dedicated, quotas.dedicated_cores),
            (Lane::Spot, quotas.spot_cores),
        ] {
            let Some(most) = most else { continue };
            let held = |pool: &PoolState, outcome: Mix| {
                cores(
                    pool.vm_size.as_deref(),
                    outcome.get(lane).max(pool.held().get(lane)).0,
                )
            };
            let outcome_of = |id: &PoolId| {
                decided
                    .iter()
                    .find(|decision| decision.pool == *id)
                    .map(Decision::outcome)
            };
            let elsewhere: u64 = others
                .iter()
                .filter(|other| !seen.iter().any(|sight| sight.state.id == other.pool))
                .map(|other| {
                    cores(
                        other.vm_size.as_deref(),
                        other.target.get(lane).max(other.current.get(lane)).0,
                    )
                })
                .sum();
            let before: u64 = elsewhere
                + seen
                    .iter()
                    .map(|sight| held(&sight.state, sight.state.target))
                    .sum::<u64>();
            let after: u64 = elsewhere
                + seen
                    .iter()
                    .map(|Sight { state, .. }| held(state, outcome_of(&state.id).unwrap_or(state.target)))
                    .sum::<u64>();
            if after > before.max(u64::from(most)) {
                let texts: Vec<_> = decided.iter().map(Decision::to_text).collect();
                let what = format!(
                    "{after} {lane:?} cores of {most}, {before} before: {}",
                    texts.join("; ")
                );
                self.find(Law::Shares, what);
            }
        }
    }
}

/// Returns the cores of nodes of a size; those of an unknown one are none.
fn cores(size: Option<&str>, nodes: u32) -> u64 {
    size.and_then(vm_size)
        .map_or(0, |size| u64::from(size.cores) * u64::from(nodes))
}
