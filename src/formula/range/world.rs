//! What a formula may meet: everything it can read, as sets.

use super::calendar::Moment;
use super::interval::Interval;
use crate::base::Lane;
use crate::signal::Metric;

/// The pool and its samples, as sets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct World {
    /// The targets before the run, dedicated first.
    pub(crate) target: [Interval; 2],
    /// The nodes there now, dedicated first.
    pub(crate) current: [Interval; 2],
    pub(crate) usable: Interval,
    pub(crate) preempted: Interval,
    pub(crate) slots: Interval,
    /// Each sample of the tasks that wait, run, and of both together.
    pub(crate) active: Interval,
    pub(crate) running: Interval,
    pub(crate) pending: Interval,
    /// Each sample of any other metric.
    pub(crate) other: Interval,
    /// What `GetSamplePercent` gives.
    pub(crate) percent: Interval,
    /// How many samples a data set holds.
    pub(crate) history: Interval,
    pub(crate) moment: Moment,
}

/// No metric counts further: a million nodes of a billion bytes each.
pub(crate) const SAMPLE_MAX: f64 = 1e15;

/// 2^27 slots, as a series holds at most.
const HISTORY_MAX: f64 = 134_217_728.0;

/// A count of nodes is at most what the service's 32 bits hold.
pub(crate) const NODES_MAX: f64 = u32::MAX as f64;

impl World {
    /// Anything at all: samples from 0 to 10^15, node counts from 0 to 2^32 − 1, at least one slot on a node.
    pub(crate) const ANY: Self = {
        let nodes = Interval::new(0.0, NODES_MAX);
        let samples = Interval::new(0.0, SAMPLE_MAX);
        Self {
            target: [nodes; 2],
            current: [nodes; 2],
            usable: nodes,
            preempted: nodes,
            slots: Interval::new(1.0, NODES_MAX),
            active: samples,
            running: samples,
            pending: samples,
            other: samples,
            percent: Interval::new(0.0, 100.0),
            history: Interval::new(0.0, HISTORY_MAX),
            moment: Moment::Any,
        }
    };

    /// Returns the same world with between `low` and `high` nodes in both lanes, asked for and there.
    pub(crate) const fn with_nodes(self, nodes: Interval) -> Self {
        Self {
            target: [nodes; 2],
            current: [nodes; 2],
            ..self
        }
    }

    /// Returns the same world with that many tasks waiting and running in every sample.
    pub(crate) const fn with_tasks(self, active: f64, running: f64) -> Self {
        Self {
            active: Interval::point(active),
            running: Interval::point(running),
            pending: Interval::point(active + running),
            ..self
        }
    }

    /// Returns the same world with every sample present.
    pub(crate) const fn with_full_history(self) -> Self {
        Self {
            percent: Interval::point(100.0),
            history: Interval::new(1.0, HISTORY_MAX),
            ..self
        }
    }

    /// Returns the same world at another moment.
    pub(crate) const fn at(self, moment: Moment) -> Self {
        Self { moment, ..self }
    }

    /// Returns the samples of a metric.
    pub(crate) const fn samples(&self, metric: Metric) -> Interval {
        match metric {
            Metric::ActiveTasks => self.active,
            Metric::RunningTasks => self.running,
            Metric::PendingTasks => self.pending,
            _ => self.other,
        }
    }

    /// Returns a count of the pool as a number.
    pub(crate) const fn counter(&self, metric: Metric) -> Interval {
        match metric {
            Metric::CurrentDedicatedNodes => self.current[0],
            Metric::CurrentLowPriorityNodes => self.current[1],
            Metric::UsableNodeCount => self.usable,
            Metric::PreemptedNodeCount => self.preempted,
            Metric::TaskSlotsPerNode => self.slots,
            _ => Interval::new(0.0, SAMPLE_MAX),
        }
    }
}

/// Returns the place of a lane in the pairs of a world.
pub(crate) const fn lane_index(lane: Lane) -> usize {
    match lane {
        Lane::Dedicated => 0,
        Lane::Spot => 1,
    }
}
