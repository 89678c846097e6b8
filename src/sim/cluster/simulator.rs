//! The pool in time: what happens next, and what follows from it.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::calendar::{Calendar, Event, NodeRef};
use super::fleet::{Fleet, Running};
use super::meter::{Census, Meter, NodeState, hours};
use super::queue::Queue;
use super::resize::Resize;
use super::sampler::{Hour, Sampler, Sight};
use super::{Eviction, Setup};
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::signal::{Metric, Sample};
use crate::sim::workload::{Task, Workload};

/// A simulated pool and its tasks.
#[derive(Debug)]
pub struct Cluster {
    pub(super) setup: Setup,
    workload: Arc<Workload>,
    pub(super) now: Timestamp,
    pub(super) calendar: Calendar,
    pub(super) fleet: Fleet,
    queue: Queue,
    pub(super) resize: Resize,
    pub(super) target: Mix,
    pub(super) option: NodeDeallocationOption,
    pub(super) version: u64,
    pub(super) running: u32,
    pub(super) tally: Tally,
    lost_slot_ticks: u128,
    waits: Vec<Span>,
    meter: Meter,
    sampler: Sampler,
    chance: Pcg64Mcg,
    n_events: u64,
    /// Room for victims of a shrink and for tasks that lose their node, so that neither allocates each time.
    pub(super) victims: Vec<u32>,
    pub(super) thrown_out: Vec<Running>,
}

/// What became of the tasks, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tasks that ended well.
    pub succeeded: u32,
    /// Tasks that a removal with `terminate` ended.
    pub terminated: u32,
    /// How often a task lost its work to an eviction.
    pub evicted: u32,
    /// How often a task lost its work to a removal with `requeue`.
    pub requeued: u32,
    /// How often a node was evicted.
    pub evictions: u32,
}

impl Cluster {
    /// Returns a pool at the start of its workload.
    ///
    /// The setup must have passed [`Setup::checked`].
    pub fn new(setup: Setup, workload: Arc<Workload>, seed: u64) -> Self {
        let start = workload.start;
        let mut cluster = Self {
            setup,
            now: start,
            calendar: Calendar::default(),
            fleet: Fleet::new(setup.task_slots_per_node),
            queue: Queue::default(),
            resize: Resize::default(),
            target: setup.initial,
            option: setup.option,
            version: 1,
            running: 0,
            tally: Tally::default(),
            lost_slot_ticks: 0,
            waits: Vec::with_capacity(workload.tasks.len()),
            meter: Meter::new(start),
            sampler: Sampler::new(start),
            chance: Pcg64Mcg::seed_from_u64(seed),
            n_events: 0,
            victims: Vec::new(),
            thrown_out: Vec::new(),
            workload,
        };
        for lane in Lane::ALL {
            for _ in 0..setup.initial.get(lane).0 {
                let node = cluster.fleet.add(lane);
                cluster.expect_eviction(node);
                cluster.fleet.set_state(node.index, NodeState::Idle);
            }
        }
        let sampled_before = cluster.setup.sampled_before;
        cluster.sample(|sampler, sight| sampler.take_before(sampled_before, sight));
        cluster
    }

    /// Lets everything happen up to and including a moment.
    ///
    /// At one moment nodes change before tasks arrive, and the sample is taken last.
    pub fn advance(&mut self, to: Timestamp) {
        loop {
            let event_at = self.calendar.next_at();
            let arrival_at = self.next_task().map(|task| task.submit);
            let others = [event_at, arrival_at].into_iter().flatten();
            let next = others.fold(self.sampler.next_at(), Timestamp::min);
            if next > to {
                break;
            }
            self.pass_time(next);
            self.n_events += 1;
            if event_at == Some(next) {
                let event = self.calendar.pop().expect("an event was seen");
                self.happen(event);
            } else if arrival_at == Some(next) {
                self.queue
                    .submit(&self.workload.tasks, self.setup.task_slots_per_node);
            } else {
                self.sample(Sampler::take);
                continue;
            }
            self.dispatch();
        }
        self.pass_time(to);
    }

    fn pass_time(&mut self, to: Timestamp) {
        self.meter.advance(to, self.fleet.census());
        self.now = self.now.max(to);
    }

    fn next_task(&self) -> Option<&Task> {
        self.workload.tasks.get(self.queue.submitted() as usize)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Granted { lane, nodes } => self.grant(lane, nodes),
            Event::Booted { node } if self.fleet.is_current(node) => {
                self.fleet.set_state(node.index, NodeState::Idle);
            }
            Event::Done { node, task } if self.fleet.is_current(node) => self.finish(node.index, task),
            Event::Evicted { node } if self.fleet.is_current(node) => self.evict(node.index),
            Event::Restored { node } if self.fleet.is_current(node) => {
                self.fleet.set_state(node.index, NodeState::Starting);
                self.boot(node);
            }
            Event::Gone { node } if self.fleet.is_current(node) => {
                self.fleet.remove(node.index);
                self.resize.outstanding -= 1;
            }
            // The node is no longer what it was when this was foreseen.
            _ => {}
        }
    }

    fn grant(&mut self, lane: Lane, nodes: Nodes) {
        for _ in 0..nodes.0 {
            let node = self.fleet.add(lane);
            self.boot(node);
        }
        self.resize.outstanding -= 1;
    }

    fn boot(&mut self, node: NodeRef) {
        let (least, most) = self.setup.boot.range();
        let time = if least == most {
            least
        } else {
            least + (most - least).scale(self.chance.random::<f64>())
        };
        self.calendar.note(self.now + time, Event::Booted { node });
        self.expect_eviction(node);
    }

    fn expect_eviction(&mut self, node: NodeRef) {
        if let Eviction::Constant { per_node_hour, .. } = self.setup.eviction
            && self.fleet.lane(node.index) == Lane::Spot
            && per_node_hour > 0.0
        {
            let hours = -(1.0 - self.chance.random::<f64>()).ln() / per_node_hour;
            let life = Span::from_seconds(hours * 3600.0);
            self.calendar.note(self.now + life, Event::Evicted { node });
        }
    }

    fn finish(&mut self, index: u32, task: u32) {
        let running = self.fleet.finish(index, task);
        self.running -= 1;
        self.tally.succeeded += 1;
        self.waits.push(self.wait_of(running));
        if self.fleet.state(index) == NodeState::Draining && self.fleet.n_tasks(index) == 0 {
            self.see_off(index);
        }
    }

    fn evict(&mut self, index: u32) {
        let state = self.fleet.state(index);
        let Eviction::Constant { back_after, .. } = self.setup.eviction else {
            return;
        };
        if state == NodeState::Leaving {
            return;
        }
        self.tally.evictions += 1;
        let mut tasks = std::mem::take(&mut self.thrown_out);
        self.fleet.evacuate(index, &mut tasks);
        for running in tasks.drain(..) {
            self.tally.evicted += 1;
            self.put_back(running);
        }
        self.thrown_out = tasks;
        if state == NodeState::Draining {
            self.fleet.remove(index);
            self.resize.outstanding -= 1;
        } else {
            self.fleet.set_state(index, NodeState::Preempted);
            let node = self.fleet.now_at(index);
            self.calendar
                .note(self.now + back_after, Event::Restored { node });
        }
    }

    /// Puts a task back that lost its node, and its work with it.
    pub(super) fn put_back(&mut self, running: Running) {
        self.running -= 1;
        self.queue.put_back(running.task, running.slots);
        self.lose(running);
    }

    pub(super) fn lose(&mut self, running: Running) {
        let ticks = self.now.since(running.started).ticks().unsigned_abs();
        self.lost_slot_ticks += u128::from(ticks) * u128::from(running.slots);
    }

    /// Starts waiting tasks for as long as the head of the queue finds room.
    pub(super) fn dispatch(&mut self) {
        let per_node = self.setup.task_slots_per_node;
        while let Some(task) = self.queue.head(&self.workload.tasks, per_node) {
            let Task { run, slots, .. } = self.workload.tasks[task as usize];
            let Some(index) = self.fleet.room_for(slots, self.setup.fill) else {
                return;
            };
            self.queue.take(task, slots);
            self.fleet.start(
                index,
                Running {
                    task,
                    slots,
                    started: self.now,
                },
            );
            self.running += 1;
            let node = self.fleet.now_at(index);
            self.calendar.note(self.now + run, Event::Done { node, task });
        }
    }

    fn sample(&mut self, take: impl FnOnce(&mut Sampler, &Sight<'_>)) {
        let census = self.fleet.census();
        let sight = Sight {
            census,
            waiting: self.queue.waiting(),
            running: self.running,
            succeeded: self.tally.succeeded,
            failed: self.tally.terminated,
            slots_per_node: self.setup.task_slots_per_node,
            wanted_slots: self.queue.waiting_slots() + census.busy_slots,
        };
        take(&mut self.sampler, &sight);
    }

    fn wait_of(&self, running: Running) -> Span {
        running.started - self.workload.tasks[running.task as usize].submit
    }
}

/// What a pool tells of itself.
impl Cluster {
    /// Returns the time it is in the pool.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns what the pool was last told to have.
    pub const fn target(&self) -> Mix {
        self.target
    }

    /// Returns the node deallocation option of the latest order.
    pub const fn option(&self) -> NodeDeallocationOption {
        self.option
    }

    /// Returns a number that grows with each order.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns what the pool is like.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Returns what the nodes do.
    pub const fn census(&self) -> &Census {
        self.fleet.census()
    }

    /// Returns the time that nodes have spent.
    pub const fn meter(&self) -> &Meter {
        &self.meter
    }

    /// Returns what became of the tasks.
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns how many tasks have been submitted.
    pub const fn submitted(&self) -> u32 {
        self.queue.submitted()
    }

    /// Returns how many tasks run.
    pub const fn running(&self) -> u32 {
        self.running
    }

    /// Returns how many tasks wait, those that can never run included.
    pub fn waiting(&self) -> u32 {
        self.queue.waiting()
    }

    /// Returns how many submitted tasks need more slots than a node has.
    pub const fn never(&self) -> u32 {
        self.queue.never()
    }

    /// Returns the slot-hours of work that was lost.
    pub fn lost_slot_hours(&self) -> f64 {
        hours(self.lost_slot_ticks)
    }

    /// Returns how many events, arrivals and samples have happened.
    pub const fn n_events(&self) -> u64 {
        self.n_events
    }

    /// Returns the hours that are over.
    pub fn hours(&self) -> &[Hour] {
        self.sampler.hours()
    }

    /// Tells the samples of some metrics that have become visible since this was last asked.
    pub fn tell_samples(&mut self, metrics: &[Metric], into: &mut Vec<Sample>) {
        self.sampler.tell(self.now, metrics, into);
    }

    /// Returns how long each task waited: from its submission to the start of the run that ended well.
    ///
    /// A task that runs counts up to its start, and one that waits counts up to now, or a policy that leaves tasks waiting
    /// would look good; one that can never run does not count.
    pub fn waits(&self) -> Vec<Span> {
        let mut waits = self.waits.clone();
        waits.extend(self.fleet.running().map(|running| self.wait_of(running)));
        let tasks = &self.workload.tasks;
        waits.extend(
            self.queue
                .feasible(tasks, self.setup.task_slots_per_node)
                .map(|task| self.now - tasks[task as usize].submit),
        );
        waits
    }
}
