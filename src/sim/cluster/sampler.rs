//! What the service's metrics show of the pool: a sample every 30 seconds that formulas see a minute later.

use std::collections::{BTreeMap, VecDeque};

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::faults::SampleFaults;
use super::meter::{Census, NodeState};
use crate::base::{Lane, Span, Timestamp};
use crate::decision::Memory;
use crate::signal::{Metric, Sample};

/// How long a sample usually takes to become visible: "there's a delay between when a sample is collected and when it's available
/// to a formula" and windows should start a minute back ("Create a formula to automatically scale compute nodes").
///
/// Recorded runs of the service show less: of the 30 samples of a quarter of an hour that ends now, 29 were there in one and all
/// in three, so that the newest was never older than a minute and mostly younger than half of one. By the documented minute 28
/// would be there. The minute stays what is usual, as no policy should lean on samples earlier than the documentation has
/// them; `Setup::sample_delay` takes another one.
pub const SAMPLE_DELAY: Span = Span::minutes(1);

/// The metrics of a pool that are sampled, in the order of a reading; the local account samples the same.
///
/// The counts of ended tasks grow for as long as the pool lives: a task stays `completed` until its job is deleted, and
/// differences of a growing count lose nothing when a sample is missing.
pub const METRICS: [Metric; 10] = [
    Metric::ActiveTasks,
    Metric::RunningTasks,
    Metric::PendingTasks,
    Metric::SucceededTasks,
    Metric::FailedTasks,
    Metric::PreemptedNodeCount,
    Metric::UsableNodeCount,
    Metric::CurrentDedicatedNodes,
    Metric::CurrentLowPriorityNodes,
    Metric::TaskSlotsPerNode,
];

/// What there is to be sampled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'a> {
    pub(super) census: &'a Census,
    pub(super) waiting: u32,
    pub(super) running: u32,
    pub(super) succeeded: u32,
    pub(super) failed: u32,
    pub(super) slots_per_node: u32,
    /// Slots that tasks hold or wait for; tasks that can never run are left out.
    pub(super) wanted_slots: u64,
}

/// One hour of the pool, as means of its samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hour {
    /// Nodes that the waiting and running tasks would fill.
    pub demand_nodes: f64,
    /// Nodes that are paid for.
    pub billed_nodes: f64,
    /// Nodes with a task.
    pub busy_nodes: f64,
    /// Tasks that wait.
    pub waiting_tasks: f64,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    taken: Timestamp,
    visible: Timestamp,
    values: [f64; METRICS.len()],
}

/// Takes samples and keeps those that nobody has been told of.
#[derive(Debug)]
pub(super) struct Sampler {
    next: Timestamp,
    delay: Span,
    faults: SampleFaults,
    chance: Pcg64Mcg,
    untold: VecDeque<Reading>,
    /// Those that come late, by when they become visible.
    late: BTreeMap<(Timestamp, Timestamp), Reading>,
    hour: Hour,
    n_in_hour: u32,
    hours: Vec<Hour>,
}

/// An hour has 120 samples of 30 seconds.
const SAMPLES_HOURLY: u32 = 120;

impl Sampler {
    pub(super) fn new(start: Timestamp, delay: Span, faults: SampleFaults, seed: u64) -> Self {
        Self {
            next: start,
            delay,
            faults,
            // The pool draws from the seed itself; without faults nothing is drawn here.
            chance: Pcg64Mcg::seed_from_u64(seed ^ 0x5a3b_1e5a_3b1e_5a3b),
            untold: VecDeque::new(),
            late: BTreeMap::new(),
            hour: Hour {
                demand_nodes: 0.0,
                billed_nodes: 0.0,
                busy_nodes: 0.0,
                waiting_tasks: 0.0,
            },
            n_in_hour: 0,
            hours: Vec::new(),
        }
    }

    /// Returns when the next sample is due.
    pub(super) const fn next_at(&self) -> Timestamp {
        self.next
    }

    /// Takes the samples of a time before the start through which all was as it is now.
    pub(super) fn take_before(&mut self, span: Span, sight: &Sight<'_>) {
        let n_samples = span.ticks() / Span::SAMPLE_PERIOD.ticks();
        let (values, delay) = (values(sight), self.delay);
        self.untold.extend((1..=n_samples).rev().map(|back| {
            let taken = self.next - Span::SAMPLE_PERIOD * back;
            Reading {
                taken,
                visible: taken + delay,
                values,
            }
        }));
    }

    pub(super) fn take(&mut self, sight: &Sight<'_>) {
        // What is older than the engine keeps would be thrown away when it is told.
        while self
            .untold
            .front()
            .is_some_and(|oldest| self.next.since(oldest.taken) > Memory::HISTORY_KEPT)
        {
            self.untold.pop_front();
        }
        self.keep(Reading {
            taken: self.next,
            visible: self.next + self.delay,
            values: values(sight),
        });
        self.count_hour(sight);
        self.next += Span::SAMPLE_PERIOD;
    }

    /// Keeps a reading to be told, if it is to arrive.
    fn keep(&mut self, mut reading: Reading) {
        let SampleFaults {
            missing,
            late,
            late_by,
        } = self.faults;
        if missing > 0.0 && self.chance.random::<f64>() < missing {
            return;
        }
        if late > 0.0 && self.chance.random::<f64>() < late {
            reading.visible += late_by.scale(self.chance.random::<f64>());
            self.late.insert((reading.visible, reading.taken), reading);
            return;
        }
        self.untold.push_back(reading);
    }

    fn count_hour(&mut self, sight: &Sight<'_>) {
        let census = sight.census;
        let share = 1.0 / f64::from(SAMPLES_HOURLY);
        let billed = census
            .mix()
            .total()
            .saturating_sub(census.of(NodeState::Preempted));
        let busy = census.of(NodeState::Running) + census.of(NodeState::Draining);
        self.hour.demand_nodes += share * sight.wanted_slots as f64 / f64::from(sight.slots_per_node);
        self.hour.billed_nodes += share * billed.as_f64();
        self.hour.busy_nodes += share * busy.as_f64();
        self.hour.waiting_tasks += share * f64::from(sight.waiting);
        self.n_in_hour += 1;
        if self.n_in_hour == SAMPLES_HOURLY {
            self.hours.push(std::mem::take(&mut self.hour));
            self.n_in_hour = 0;
        }
    }

    /// Tells the samples of some metrics that have become visible, each metric's oldest first, and forgets them.
    pub(super) fn tell(&mut self, now: Timestamp, metrics: &[Metric], into: &mut Vec<Sample>) {
        let told_from = into.len();
        let mut came_late = false;
        while let Some(entry) = self.late.first_entry().filter(|entry| entry.key().0 <= now) {
            came_late = true;
            tell_one(&entry.remove(), metrics, into);
        }
        while let Some(reading) = self.untold.front().filter(|reading| reading.visible <= now) {
            tell_one(reading, metrics, into);
            self.untold.pop_front();
        }
        if came_late {
            into[told_from..].sort_by_key(|sample| sample.taken);
        }
    }

    /// Returns the hours that are over.
    pub(super) fn hours(&self) -> &[Hour] {
        &self.hours
    }
}

fn tell_one(reading: &Reading, metrics: &[Metric], into: &mut Vec<Sample>) {
    for (metric, value) in METRICS.into_iter().zip(reading.values) {
        if metrics.contains(&metric) {
            into.push(Sample {
                metric,
                taken: reading.taken,
                value,
            });
        }
    }
}

/// Reads the metrics off, in the order of [`METRICS`].
fn values(sight: &Sight<'_>) -> [f64; METRICS.len()] {
    let census = sight.census;
    let usable = census.usable();
    let mix = census.mix();
    [
        f64::from(sight.waiting),
        f64::from(sight.running),
        f64::from(sight.waiting + sight.running),
        f64::from(sight.succeeded),
        f64::from(sight.failed),
        census.get(Lane::Spot, NodeState::Preempted).as_f64(),
        usable.as_f64(),
        mix.dedicated.as_f64(),
        mix.spot.as_f64(),
        f64::from(sight.slots_per_node),
    ]
}
