//! The loop of a baseline: look at the pool at an interval, and order what its rule wants.

use super::formulas::FormulaRule;
use super::hpa::Hpa;
use super::nomad::Nomad;
use super::progress::UniformProgress;
use super::spot_hedge::SpotHedge;
use super::{Baseline, Text};
use crate::account::{NodeActivity, NodeDeallocationOption, Order, PoolState, Receipt, Work};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::decision::Memory;
use crate::engine::{Entry, Observation, Question, World};
use crate::signal::{History, Metric};
use crate::sim::cluster::{Cluster, Setup};
use crate::sim::delay::DelayLimit;
use crate::sim::sim_world::SimWorld;

/// What a rule sees at one moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    pub(super) now: Timestamp,
    pub(super) pool: &'a PoolState,
    /// Its tasks and nodes; empty for a rule that does not want them.
    pub(super) work: &'a Work,
    pub(super) history: &'a History,
    /// The pool's own books, for what a baseline is told beforehand.
    pub(super) cluster: &'a Cluster,
}

/// What a rule wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) target: Mix,
    pub(super) option: NodeDeallocationOption,
}

/// The rule of a baseline with what it remembers.
#[derive(Debug)]
enum Rule {
    Formula(Box<FormulaRule>),
    Hpa(Hpa),
    Nomad(Nomad),
    SpotHedge(SpotHedge),
    Progress(UniformProgress),
}

impl Rule {
    fn of(baseline: &Baseline, setup: &Setup, limit: DelayLimit) -> Self {
        let formula = |rule| Self::Formula(Box::new(rule));
        match *baseline {
            Baseline::Dedicated(text) => formula(FormulaRule::pending(Lane::Dedicated, text, setup)),
            Baseline::LowPriority(text) => formula(FormulaRule::pending(Lane::Spot, text, setup)),
            Baseline::PreemptedToDedicated(Text::Verbatim) => formula(FormulaRule::preempted_verbatim()),
            Baseline::PreemptedToDedicated(Text::ForSlots) => formula(FormulaRule::preempted(setup)),
            Baseline::Share(share) => formula(FormulaRule::share(share, setup)),
            Baseline::Hpa(lane) => Self::Hpa(Hpa::new(lane, setup.quota.get(lane))),
            Baseline::Nomad(lane) => Self::Nomad(Nomad::new(lane, setup.quota.get(lane))),
            Baseline::SpotHedge(extra) => Self::SpotHedge(SpotHedge { extra }),
            Baseline::UniformProgress(within) => {
                let switch_over = setup.resize_time + setup.boot.range().1;
                Self::Progress(UniformProgress::new(within, limit, switch_over))
            }
        }
    }

    const fn interval(&self) -> Span {
        match self {
            Self::Formula(_) => FormulaRule::INTERVAL,
            Self::Hpa(_) => Hpa::INTERVAL,
            Self::Nomad(_) => Nomad::INTERVAL,
            Self::SpotHedge(_) => SpotHedge::INTERVAL,
            Self::Progress(_) => UniformProgress::INTERVAL,
        }
    }

    const fn metrics(&self) -> &'static [Metric] {
        match self {
            Self::Formula(_) => &FormulaRule::METRICS,
            _ => &[],
        }
    }

    fn look(&mut self, sight: &Sight<'_>) -> Option<Wish> {
        match self {
            Self::Formula(rule) => rule.look(sight),
            Self::Hpa(rule) => Some(rule.look(sight)),
            Self::Nomad(rule) => rule.look(sight),
            Self::SpotHedge(rule) => Some(rule.look(sight)),
            Self::Progress(rule) => Some(rule.look(sight)),
        }
    }
}

/// Lets a baseline steer the pool to the end of its world.
///
/// An order stops a resize that waits for spot or for tasks. One whose machines are on their way is let be, because stopping
/// it would send them back: a rule that changes its mind every 15 seconds would never have a node.
pub(in crate::sim) fn steer(world: &mut SimWorld<'_>, baseline: &Baseline, limit: DelayLimit) {
    let mut rule = Rule::of(baseline, world.cluster().setup(), limit);
    let mut history = History::new();
    let mut observation = Observation::default();
    let patterns = ["*".parse().expect("a star matches any pool")];
    let nothing = Work::default();
    let mut at = world.cluster().now();
    while let Some(now) = world.wait_until(at) {
        at = now + rule.interval();
        observation.clear();
        let question = Question {
            now,
            pools: &patterns,
            turns: &[],
            metrics: rule.metrics(),
            signals: &[],
            work: rule.metrics().is_empty(),
            account: false,
        };
        // The simulated pool can always be looked at.
        let (Ok(()), [view]) = (world.observe(&question, &mut observation), observation.pools()) else {
            continue;
        };
        for sample in &view.samples {
            // A grid of some hours cannot be full.
            let _ = history.record(sample.metric, sample.taken, sample.value);
        }
        history.forget_before(now - Memory::HISTORY_KEPT);
        let sight = Sight {
            now,
            pool: &view.state,
            work: view.work.as_ref().unwrap_or(&nothing),
            history: &history,
            cluster: world.cluster(),
        };
        let wish = rule.look(&sight);
        world.looked(view.state.target.total());
        let wish = wish.filter(|wish| wish.target != view.state.target);
        if let Some(wish) = wish.filter(|_| !world.cluster().is_granting()) {
            order(world, &view.state, now, wish);
        }
    }
}

fn order(world: &mut SimWorld<'_>, pool: &PoolState, now: Timestamp, wish: Wish) {
    let order = Order {
        target: wish.target,
        option: wish.option,
        retake: true,
        ..Order::new(pool.id.clone(), now)
    };
    let receipt: Receipt = world.act(&order);
    // The world only counts it.
    let _ = world.record(&Entry::Settled {
        order: &order,
        receipt: &receipt,
    });
}

impl Sight<'_> {
    /// Returns the slots that tasks hold or wait for; tasks that can never run are left out.
    pub(super) fn wanted_slots(&self) -> u64 {
        let per_node = self.pool.task_slots_per_node;
        let waiting = self.work.waiting.iter().map(|task| task.slots);
        let running = self.work.running.iter().map(|task| task.slots);
        let fitting = waiting.chain(running).filter(|slots| *slots <= per_node);
        fitting.map(u64::from).sum()
    }

    /// Returns the nodes that those slots would fill.
    pub(super) fn wanted_nodes(&self) -> Nodes {
        let nodes = self
            .wanted_slots()
            .div_ceil(u64::from(self.pool.task_slots_per_node));
        Nodes(u32::try_from(nodes).unwrap_or(u32::MAX))
    }

    /// Returns how many nodes of a lane do one of some things.
    pub(super) fn nodes(&self, lane: Lane, activities: &[NodeActivity]) -> Nodes {
        let doing = |node: &&crate::account::Node| node.lane == lane && activities.contains(&node.activity);
        let count = self.work.nodes.iter().filter(doing).count();
        Nodes(u32::try_from(count).unwrap_or(u32::MAX))
    }
}

impl Wish {
    /// Returns a target at which nodes that go finish their tasks first.
    pub(super) const fn draining(target: Mix) -> Self {
        Self {
            target,
            option: NodeDeallocationOption::TaskCompletion,
        }
    }
}
