//! The pool in time: what happens next, and what follows from it.

use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::Setup;
use super::calendar::{Calendar, Event, NodeRef};
use super::course::CourseKeeper;
use super::diary::Diary;
use super::elastic::{Elastic, Elasticity};
use super::fleet::{Fleet, Running};
use super::keep::{after_loss, time_to_end};
use super::meter::{Census, Meter, NodeState, hours};
use super::outcome::Outcomes;
use super::queue::Queue;
use super::resize::Resize;
use super::sampler::{Hour, Sampler, Sight};
use super::spot::Spot;
use crate::account::NodeDeallocationOption;
use crate::base::{Lane, Mix, Span, Timestamp};
use crate::signal::{Metric, Sample};
use crate::sim::Supply;
use crate::sim::workload::{Task, Workload};

/// A simulated pool and its tasks.
#[derive(Debug)]
pub struct Cluster {
    pub(super) setup: Setup,
    pub(super) workload: Arc<Workload>,
    pub(super) now: Timestamp,
    pub(super) calendar: Calendar,
    pub(super) fleet: Fleet,
    pub(super) queue: Queue,
    pub(super) spot: Spot,
    pub(super) resize: Resize,
    pub(super) target: Mix,
    pub(super) option: NodeDeallocationOption,
    pub(super) version: u64,
    pub(super) running: u32,
    pub(super) tally: Tally,
    lost_slot_ticks: u128,
    pub(super) outcomes: Outcomes,
    pub(super) diary: Diary,
    elastic: Elastic,
    meter: Meter,
    pub(super) course: Option<Box<CourseKeeper>>,
    sampler: Sampler,
    pub(super) chance: Pcg64Mcg,
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
    /// How often a machine began to boot.
    pub node_starts: u32,
    /// How often a node failed to start, stuck or broke.
    pub node_faults: u32,
    /// How often a task lost its work to a node that broke.
    pub broken: u32,
}

impl Cluster {
    /// Returns a pool at the start of its workload, for which spot machines can always be had.
    ///
    /// The setup must have passed [`Setup::checked`].
    pub fn new(setup: Setup, workload: Arc<Workload>, seed: u64) -> Self {
        Self::with_supply(setup, workload, None, seed)
    }

    /// Returns a pool at the start of its workload that has its spot machines from a supply, if there is one.
    pub fn with_supply(
        setup: Setup,
        workload: Arc<Workload>,
        supply: Option<Arc<Supply>>,
        seed: u64,
    ) -> Self {
        let start = workload.start;
        let mut cluster = Self {
            setup,
            now: start,
            calendar: Calendar::default(),
            fleet: Fleet::new(setup.task_slots_per_node, start),
            queue: Queue::default(),
            spot: Spot::new(supply, start),
            resize: Resize::default(),
            target: setup.initial,
            option: setup.option,
            version: 1,
            running: 0,
            tally: Tally::default(),
            lost_slot_ticks: 0,
            outcomes: Outcomes::default(),
            diary: Diary::default(),
            elastic: Elastic::default(),
            meter: Meter::new(start),
            course: None,
            sampler: Sampler::new(start, setup.sample_delay, setup.samples, seed),
            chance: Pcg64Mcg::seed_from_u64(seed),
            n_events: 0,
            victims: Vec::new(),
            thrown_out: Vec::new(),
            workload,
        };
        cluster.add_initial_nodes();
        let sampled_before = cluster.setup.sampled_before;
        cluster.sample(|sampler, sight| sampler.take_before(sampled_before, sight));
        cluster
    }

    /// Has the bill read at some moments to come, in order of time: those at which a price changes.
    pub fn mark_bill(&mut self, at: Vec<Timestamp>) {
        self.meter.mark(at);
    }

    /// Adds the nodes that are ready at the start; spot nodes that cannot be had then are waited for.
    fn add_initial_nodes(&mut self) {
        for unit in 0..self.spot.n_units() {
            if let Some(at) = self.spot.next_turn(unit) {
                self.calendar.note(at, Event::Turned { unit });
            }
        }
        self.resize.timed_out = true;
        for lane in Lane::ALL {
            let nodes = self.setup.initial.get(lane).0;
            if lane == Lane::Spot && !self.spot.is_open() {
                self.spot.ungranted = nodes;
                continue;
            }
            for _ in 0..nodes {
                let unit = if lane == Lane::Spot {
                    self.spot.give()
                } else {
                    None
                };
                let node = self.fleet.add(lane, unit);
                self.expect_eviction(node);
                self.fleet.set_state(node.index, NodeState::Idle);
                self.expect_breakdown(node);
            }
        }
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
                self.submit();
            } else {
                self.sample(Sampler::take);
                let ready = self.fleet.census().usable().0;
                self.elastic
                    .look(next, u64::from(ready), self.setup.task_slots_per_node);
                continue;
            }
            self.dispatch();
        }
        self.pass_time(to);
    }

    fn pass_time(&mut self, to: Timestamp) {
        if let Some(course) = &mut self.course {
            course.advance(to, &mut self.meter, self.fleet.census(), self.tally.evictions);
        }
        self.meter.advance(to, self.fleet.census());
        self.now = self.now.max(to);
        self.fleet.now = self.now;
    }

    fn submit(&mut self) {
        let (tasks, per_node) = (&self.workload.tasks, self.setup.task_slots_per_node);
        let task = &tasks[self.queue.submitted() as usize];
        if task.slots <= per_node {
            self.elastic.submit(task);
        }
        self.outcomes.submitted();
        self.queue.submit(tasks, per_node);
    }

    fn next_task(&self) -> Option<&Task> {
        self.workload.tasks.get(self.queue.submitted() as usize)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Turned { unit } => self.turn(unit),
            Event::Granted { order, lane, nodes } => self.grant(order, lane, nodes),
            Event::Retried => self.retry(),
            Event::TimedOut { order } => self.time_out(order),
            Event::Booted { node } if self.fleet.is_current(node) => self.booted(node),
            Event::Broken { node } if self.fleet.is_current(node) => self.break_down(node.index),
            Event::Mended { node } if self.fleet.is_current(node) => self.mend(node),
            Event::Done { node, task } if self.fleet.is_current(node) => self.finish(node.index, task),
            Event::Evicted { node, back_after } if self.fleet.is_current(node) => {
                self.evict_alone(node.index, back_after);
            }
            Event::Restored { node } => self.restore(node),
            Event::Gone { node } if self.fleet.is_current(node) => self.part_with(node),
            // The node is no longer what it was when this was foreseen.
            Event::Booted { .. }
            | Event::Broken { .. }
            | Event::Mended { .. }
            | Event::Done { .. }
            | Event::Evicted { .. }
            | Event::Gone { .. } => {}
        }
    }

    pub(super) fn boot(&mut self, node: NodeRef) {
        let time = self.draw_boot();
        self.tally.node_starts += 1;
        self.expect_booted(node, time);
        self.expect_eviction(node);
    }

    pub(super) fn draw_boot(&mut self) -> Span {
        let (least, most) = self.setup.boot.range();
        if least == most {
            least
        } else {
            least + (most - least).scale(self.chance.random::<f64>())
        }
    }

    fn finish(&mut self, index: u32, task: u32) {
        let running = self.fleet.finish(index, task);
        self.running -= 1;
        self.tally.succeeded += 1;
        self.outcomes.ended(task, self.wait_of(&running), self.now);
        self.diary
            .task_ended(&self.workload.tasks[task as usize], &running, self.now);
        if self.fleet.state(index) == NodeState::Draining && self.fleet.n_tasks(index) == 0 {
            self.see_off(index);
        }
    }

    /// Puts a task back that lost its node, and its work with it.
    pub(super) fn put_back(&mut self, running: &Running) {
        self.running -= 1;
        let elapsed = self.now - running.started;
        let (past, lost) = after_loss(elapsed, running.past, self.setup.checkpoint);
        self.queue.put_back(running.task, running.slots, past);
        self.lose(running, lost);
    }

    /// Ends a task that lost its node, for good.
    pub(super) fn terminate(&mut self, running: &Running) {
        self.running -= 1;
        self.tally.terminated += 1;
        self.lose(running, self.now - running.started);
    }

    fn lose(&mut self, running: &Running, lost: Span) {
        self.lost_slot_ticks += u128::from(lost.ticks().unsigned_abs()) * u128::from(running.slots);
    }

    /// Starts waiting tasks for as long as the head of the queue finds room.
    pub(super) fn dispatch(&mut self) {
        let per_node = self.setup.task_slots_per_node;
        while let Some(task) = self.queue.head(&self.workload.tasks, per_node) {
            let Task { run, slots, .. } = self.workload.tasks[task as usize];
            let Some(index) = self.fleet.room_for(slots, self.setup.fill) else {
                return;
            };
            let past = self.queue.take(task, slots);
            self.fleet.start(
                index,
                Running {
                    task,
                    slots,
                    started: self.now,
                    past,
                },
            );
            self.running += 1;
            let node = self.fleet.now_at(index);
            let time = time_to_end(run, past, self.setup.checkpoint);
            self.calendar.note(self.now + time, Event::Done { node, task });
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
        if let Some(course) = &mut self.course {
            course.sample(&sight);
        }
        take(&mut self.sampler, &sight);
    }
}

/// What a pool tells of itself.
impl Cluster {
    /// Returns the time it is in the pool.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns how long a sample takes to become visible.
    pub const fn sample_delay(&self) -> Span {
        self.setup.sample_delay
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
    pub fn never(&self) -> u32 {
        self.queue.never().len() as u32
    }

    /// Returns the slot-hours of work that was lost.
    pub fn lost_slot_hours(&self) -> f64 {
        hours(self.lost_slot_ticks)
    }

    /// Returns what the pool has to do.
    pub fn workload(&self) -> &Workload {
        &self.workload
    }

    /// Returns how many spot machines have been asked for and were not to be had so far.
    pub const fn ungranted(&self) -> u32 {
        self.spot.ungranted
    }

    /// Returns how closely the nodes followed the tasks.
    pub fn elasticity(&self) -> Elasticity {
        self.elastic.sum_up()
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
}
