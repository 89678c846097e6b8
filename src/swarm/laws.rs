//! What is held against every entry and every tick, from outside.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::found::Law;
use super::scene::Scene;
use super::watched::same_pool;
use crate::account::{HaltScope, PoolId, PoolState, vm_size};
use crate::base::{Lane, Mix};
use crate::decision::{Decision, Stage};
use crate::engine::{Entry, Observation, PoolView, Question};
use crate::policy::{Demand, Mode, Policies, Policy};

/// The laws, with what they remember of a tick.
pub(super) struct Laws<'a> {
    scene: Arc<Scene>,
    policies: &'a Policies,
    /// The pools that were seen in this tick, each once.
    seen: Vec<PoolState>,
    decided: Vec<Decision>,
    /// What the pools hold that are not decided for; nothing where the account was not told.
    others: Option<Vec<crate::account::Holding>>,
    /// The decisions of the tick before.
    latest: Vec<Decision>,
}

impl<'a> Laws<'a> {
    pub(super) const fn new(scene: Arc<Scene>, policies: &'a Policies) -> Self {
        Self {
            scene,
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
        self.scene.find(law, what);
    }

    /// Begins a tick with what was seen.
    pub(super) fn begin_tick(&mut self, question: &Question<'_>, seen: &Observation) {
        let mut ids = BTreeSet::new();
        for view in seen.pools() {
            let id = &view.state.id;
            if !ids.insert(id.clone()) {
                self.find(Law::Chain, format!("pool {id} was seen twice in one look"));
            }
            if !question.pools.iter().any(|pattern| pattern.matches(id)) {
                self.find(Law::Chain, format!("pool {id} was seen and not asked for"));
            }
        }
        self.seen = seen.pools().iter().map(|view| view.state.clone()).collect();
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
        {
            let mut state = self.scene.state();
            state.tally.decisions += 1;
            state.tally.holds += u64::from(decision.hold().is_some());
        }
        self.scene.tell(|| {
            let steps: Vec<_> = decision.steps().iter().map(|step| step.reason.text()).collect();
            format!(
                "{} {} → {}: {}",
                decision.pool,
                decision.start,
                decision.outcome(),
                steps.join(" | ")
            )
        });
        self.chain(decision, seen);
        if let Some(policy) = self.policies.policy_for(&decision.pool) {
            self.wanted(policy, decision, seen);
        }
        self.halted(decision, seen);
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
    fn halted(&self, decision: &Decision, seen: Option<&PoolView>) {
        let Some(halt) = seen.and_then(|view| view.halt.as_ref()) else {
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
        let is_hidden = seen.is_none_or(|view| view.fault.is_some());
        if is_hidden && decision.order().is_some() {
            self.find(
                Law::Blind,
                format!("ordered although nothing was seen: {}", decision.to_text()),
            );
        }
        if !decision.shrinks() || decision.order().is_none() {
            return;
        }
        let is_blurred = |name: &String| same_pool(&decision.pool, name);
        if self.scene.state().blurred.iter().any(is_blurred) {
            let what = format!(
                "shrinks on an answer that could not be read: {}",
                decision.to_text()
            );
            self.find(Law::Blind, what);
        }
        let by_work = self.policies.policy_for(&decision.pool).is_some_and(|policy| {
            policy
                .demand
                .iter()
                .all(|demand| matches!(demand, Demand::Backlog(_) | Demand::Deadlines(_)))
        });
        if by_work && seen.is_some_and(|view| view.work.is_none()) {
            self.find(
                Law::Blind,
                format!("shrinks without its tasks: {}", decision.to_text()),
            );
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
                .filter(|other| !seen.iter().any(|pool| pool.id == other.pool))
                .map(|other| {
                    cores(
                        other.vm_size.as_deref(),
                        other.target.get(lane).max(other.current.get(lane)).0,
                    )
                })
                .sum();
            let before: u64 = elsewhere + seen.iter().map(|pool| held(pool, pool.target)).sum::<u64>();
            let after: u64 = elsewhere
                + seen
                    .iter()
                    .map(|pool| held(pool, outcome_of(&pool.id).unwrap_or(pool.target)))
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
