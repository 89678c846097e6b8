//! Simulated pools at their opening: what they are like, where spot comes from, what they have to do.

use std::sync::Arc;

use super::account::market;
use super::dice::{Dice, Purpose};
use super::faults::FaultKind;
use super::plan::Plan;
use super::veil::Before;
use crate::account::{Order, PoolId, Receipt};
use crate::base::{Mix, Span, Timestamp};
use crate::engine::World;
use crate::sim::cluster::{Boot, Cluster, NodeFaults, Setup};
use crate::sim::workload::{Task, Workload};
use crate::sim::{SimWorld, SpotMarket};

/// A pool with its past.
pub(super) struct Seat {
    pub(super) id: PoolId,
    pub(super) size: &'static str,
    pub(super) sim: SimWorld<'static>,
    pub(super) before: Before,
    /// Whether somebody took it away.
    pub(super) is_gone: bool,
}

impl Seat {
    /// Comes back as another pool of the same name: one that is made anew follows no formula that the former was given.
    pub(super) fn come_back(&mut self, now: Timestamp) {
        self.is_gone = false;
        let without_formula = Order {
            target: self.sim.cluster().target(),
            release: true,
            retake: true,
            ..Order::new(self.id.clone(), now)
        };
        let receipt = self.sim.act(&without_formula);
        debug_assert_eq!(
            receipt,
            Receipt::Accepted,
            "nothing keeps a pool from losing its formula"
        );
    }
}

/// The pools of a world.
pub(super) struct Opened {
    pub(super) seats: Vec<Seat>,
    pub(super) n_tasks: u64,
}

/// Tasks of a pool at the most: as many as keep it busy for weeks.
const TASKS_MAX: usize = 4000;

/// What a pool of a few slots can do is what it gets: a queue of thousands makes each look long, and tells nothing more.
const SLOTS: u32 = 4;
const BUSY_MAX: Span = Span::hours(5);
const BEHIND_MAX: Span = Span::hours(3);

/// Opens the pools of a world.
pub(super) fn open(plan: &Plan, people: &mut Dice) -> Opened {
    let mut dice = Dice::new(plan.seed, Purpose::Account);
    let n_pools = dice.between(1, 3);
    let mut n_tasks = 0;
    let seats = (0..n_pools).map(|number| {
        let workload = Arc::new(workload(plan, people));
        n_tasks += workload.tasks.len() as u64;
        let setup = setup(plan, &mut dice);
        let end = plan.calm_from() + Plan::CALM + Span::days(2);
        let supply = match market(plan, &mut dice) {
            SpotMarket::Supply(supply) => Some(supply),
            _ => None,
        };
        let cluster = Cluster::with_supply(setup, workload, supply, dice.seed());
        let id: PoolId = format!("pool-{number}").parse().expect("an id of a pool");
        Seat {
            sim: SimWorld::new(cluster, id.clone(), end, &|_| {}),
            id,
            size: dice.pick(&["standard_d2s_v5", "standard_d4s_v5", "standard_f4s_v2"]),
            before: Before::default(),
            is_gone: false,
        }
    });
    Opened {
        seats: seats.collect(),
        n_tasks,
    }
}

fn setup(plan: &Plan, dice: &mut Dice) -> Setup {
    let most = dice.pick(&[0, 0, 2, 8]);
    let starting = i64::from(dice.between(30, 600));
    let faults = NodeFaults {
        start_fails: dice.pick(&[0.0, 0.0, 0.05]),
        boot_sticks: dice.pick(&[0.0, 0.0, 0.02]),
        breaks_hourly: dice.pick(&[0.0, 0.0, 0.01]),
        mended_after: dice.pick(&[None, Some(Span::minutes(30))]),
    };
    let setup = Setup {
        task_slots_per_node: dice.pick(&[1, 1, 2, 4]),
        resize_time: Span::seconds(i64::from(dice.between(10, 240))),
        boot: Boot::Uniform {
            least: Span::seconds(30),
            most: Span::seconds(starting),
        },
        quota: dice.pick(&[Mix::new(600, 600), Mix::new(600, 600), Mix::new(12, 12)]),
        initial: Mix::new(dice.between(0, most), dice.between(0, most)),
        sampled_before: dice.pick(&[Span::ZERO, Span::hours(1)]),
        ..Setup::default()
    };
    let setup = Setup {
        faults: if plan.has(FaultKind::Machines) {
            faults
        } else {
            setup.faults
        },
        ..setup
    };
    setup.checked().expect("what is drawn can be simulated")
}

/// Tasks for the rough time; and in half of the pools some that never end begin with the calm, so that there is a need that does
/// not change.
fn workload(plan: &Plan, dice: &mut Dice) -> Workload {
    let (start, calm) = (plan.start().whole_milliseconds(), plan.calm_from());
    let pace = dice.span(Span::minutes(3), Span::hours(4));
    let mut tasks = Vec::new();
    let (mut next, mut through) = (start + Span::seconds(30), start);
    while next < calm && tasks.len() < TASKS_MAX {
        if through < next + BEHIND_MAX {
            through = through.max(next) + submit(next, dice, &mut tasks);
        }
        next += pace.scale(0.05 + 1.9 * dice.share());
    }
    if dice.chance(0.5) {
        let count = dice.between(1, 20) as usize;
        let endless = Task::new(calm.whole_milliseconds(), Span::days(60), 1);
        tasks.extend(std::iter::repeat_n(endless, count));
    }
    Workload::new("swarm", start, tasks)
}

/// Submits some tasks; returns how long a few slots are busy with them.
fn submit(at: Timestamp, dice: &mut Dice, tasks: &mut Vec<Task>) -> Span {
    let most = dice.pick(&[1, 5, 30, 100]);
    let run = dice.span(Span::seconds(5), Span::hours(2)).whole_milliseconds();
    let at_once = (BUSY_MAX / run * f64::from(SLOTS)).max(1.0) as u32;
    let count = dice.between(1, most).min(at_once);
    let slots = dice.pick(&[1, 1, 1, 2, 4]);
    let task = Task::new(at.whole_milliseconds(), run, slots);
    tasks.extend(std::iter::repeat_n(task, count as usize));
    run * i64::from(count.div_ceil(SLOTS))
}
