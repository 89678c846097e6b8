//! Why strategies ask for what they ask for: the numbers and the sentence of each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Span, Timestamp};
use crate::sizing::Course;

/// A schedule needs this many usable nodes now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleAsk {
    /// Which of its rules asks for the most, from 1; `None` when none holds.
    pub rule: Option<u32>,
    /// The nodes.
    pub at_least: Nodes,
    /// When a rule next begins or ends; `None` when none ever does.
    pub next_change: Option<Timestamp>,
}

impl fmt::Display for ScheduleAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(
                f,
                "rule {rule} of the schedule needs {} usable nodes",
                self.at_least
            )?,
            None => f.write_str("no rule of the schedule holds")?,
        }
        match self.next_change {
            Some(at) => write!(f, "; next change at {at}"),
            None => f.write_str("; no change to come"),
        }
    }
}

/// A metric that is tracked needs this many usable nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrackAsk {
    /// The metric, with its `$`.
    pub metric: String,
    /// Its mean over the window.
    pub value: f64,
    /// What it is kept near.
    pub target: f64,
    /// How far the ratio of the two may be from 1.
    pub tolerance: f64,
    /// The nodes that it was measured on.
    pub ready: Nodes,
    /// Those that are on their way.
    pub starting: Nodes,
    /// How many samples there are.
    pub present: u32,
    /// How many there could be.
    pub possible: u32,
    /// The nodes.
    pub wanted: Nodes,
    /// How old the number is, where it is none of the pool's samples.
    #[serde(flatten)]
    pub aged: Option<Aged>,
}

/// How old a number from outside is, and may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Aged {
    /// How old it is.
    pub age: Span,
    /// The age from which it is stale.
    pub stale_after: Span,
}

impl fmt::Display for Aged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = Span::seconds(self.age.as_seconds().floor() as i64);
        write!(
            f,
            "{} old, stale after {}",
            age.in_short(),
            self.stale_after.in_short()
        )
    }
}

/// A queue needs this many usable nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueAsk {
    /// The metric that is the queue's length, with its `$`.
    pub metric: String,
    /// The messages that wait.
    pub messages: f64,
    /// The tasks that they become.
    pub tasks: f64,
    /// The task slots of such a task.
    pub slots: u32,
    /// The task slots of a node.
    pub slots_per_node: u32,
    /// The nodes.
    pub nodes: Nodes,
    /// The tasks that are there already and count with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending: Option<f64>,
    /// Whether the nodes come on top of those of the backlog.
    #[serde(default, skip_serializing_if = "super::account_share::is_usual")]
    pub joins: bool,
    /// How old the length is, where it is none of the pool's samples.
    #[serde(flatten)]
    pub aged: Option<Aged>,
}

/// A strategy can ask for nothing, because its metric has no sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unsampled {
    /// The strategy, by the policy's word.
    pub strategy: String,
    /// The metric, with its `$`.
    pub metric: String,
}

impl fmt::Display for TrackAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            metric,
            value,
            target,
            ready,
            wanted,
            ..
        } = self;
        let ratio = value / target;
        write!(
            f,
            "{metric} is {} on {ready} nodes, {} times its target of {target}",
            short(*value),
            short(ratio)
        )?;
        if (1.0 - self.tolerance..=1.0 + self.tolerance).contains(&ratio) {
            write!(f, "; near enough, {wanted} nodes stay")?;
        } else {
            write!(f, "; {wanted} nodes are needed")?;
        }
        if self.starting > Nodes::ZERO {
            write!(f, ", {} on their way", self.starting)?;
        }
        if self.present < self.possible {
            write!(f, " ({} of {} samples arrived)", self.present, self.possible)?;
        }
        match &self.aged {
            Some(aged) => write!(f, " ({aged})"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for QueueAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.metric, short(self.messages))?;
        if let Some(aged) = &self.aged {
            write!(f, " ({aged})")?;
        }
        write!(f, ": {} tasks", short(self.tasks))?;
        if let Some(pending) = self.pending {
            write!(f, " to come and {} that are there,", short(pending))?;
        }
        write!(
            f,
            " of {} slots on nodes of {} slots need {} nodes",
            self.slots, self.slots_per_node, self.nodes
        )?;
        f.write_str(if self.joins {
            ", on top of those of the backlog"
        } else {
            ""
        })
    }
}

impl fmt::Display for Unsampled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} asks for nothing: {} has no sample",
            self.strategy, self.metric
        )
    }
}

/// Work must be done by a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadlineCourse {
    /// When the first of it must be done; `None` when no task with a deadline waits or runs.
    #[serde(default)]
    pub due: Option<Timestamp>,
    /// Where the work stands: ahead while spot does it, waiting for spot, tight when dedicated nodes must do some of it, or lost
    /// when some of it cannot be done in time.
    pub progress: String,
    /// The tasks that wait or run.
    pub tasks: u32,
    /// Of them those that cannot be done in time.
    #[serde(default)]
    pub late: u32,
    /// What is left of them, in the mean.
    pub left_node_hours: f64,
    /// How long a task is taken to run at most.
    #[serde(default)]
    pub longest: Span,
    /// The nodes that are asked for.
    pub nodes: Nodes,
    /// Whether some must be dedicated.
    pub sure: bool,
    /// The latest moment at which dedicated nodes can be ordered for the tasks that need them first; `None` when all run.
    #[serde(default)]
    pub latest_start: Option<Timestamp>,
    /// When the last task would end at the latest on dedicated nodes that are ordered now.
    pub earliest_end: Timestamp,
}

impl fmt::Display for DeadlineCourse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(due) = self.due else {
            return f.write_str("no task with a deadline waits or runs");
        };
        let Self {
            tasks,
            late,
            nodes,
            earliest_end,
            ..
        } = self;
        let left = short(self.left_node_hours);
        write!(
            f,
            "{tasks} tasks, {left} node-hours, the first must be done by {due}: "
        )?;
        match self.progress.as_str() {
            "lost" => write!(
                f,
                "{late} cannot be in time, dedicated nodes ordered now would end at {earliest_end}"
            )?,
            "tight" => write!(f, "{nodes} nodes, dedicated ones for what cannot be left to spot")?,
            "waiting" => write!(f, "spot is away and is waited for")?,
            _ => write!(f, "{nodes} nodes, and there is slack")?,
        }
        match self.latest_start {
            Some(latest) => write!(
                f,
                "; a task runs up to {}, the latest start is {latest}",
                self.longest.in_short()
            ),
            None => Ok(()),
        }
    }
}

/// What came in earlier seasons needs this many usable nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ForecastAsk {
    /// The metric, with its `$`.
    pub metric: String,
    /// How far ahead.
    pub horizon: Span,
    /// After how long it comes again.
    pub season: Span,
    /// What is forecast; `None` where the past does not reach.
    pub value: Option<f64>,
    /// Whether today's difference from earlier seasons is taken to last.
    pub shifted: bool,
    /// Whether it is what a model says that was fitted to the days before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fitted: bool,
    /// The mean absolute error over the past day in percent; `None` while it is not known.
    pub mape_percent: Option<f64>,
    /// The mean absolute error as a share of that of taking the present value.
    pub mase: Option<f64>,
    /// The moments of the past day that it was held against.
    pub points: u32,
    /// The error of each way as such a share, where a model was fitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ways: Option<WayErrors>,
    /// Whether it is believed.
    pub trusted: bool,
    /// The nodes.
    pub nodes: Nodes,
}

/// How far off each way to forecast was, as a share of the error of taking the present value; `None` where that was right throughout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WayErrors {
    /// What came in the seasons before.
    pub seasonal: Option<f64>,
    /// The same, shifted to today.
    pub shifted: Option<f64>,
    /// A model that was fitted to the days before.
    pub fitted: Option<f64>,
}

impl fmt::Display for ForecastAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (metric, season) = (&self.metric, self.season.in_short());
        let Some(value) = self.value else {
            return write!(f, "{metric} has no past of {season} yet, so nothing is forecast");
        };
        write!(
            f,
            "{metric} is forecast at {} in {}",
            short(value),
            self.horizon.in_short()
        )?;
        match (self.fitted, self.shifted) {
            (true, _) => write!(
                f,
                " by a model with a season of {season}, fitted to the days before"
            )?,
            (false, true) => write!(f, " by the seasons of {season} before, shifted to today")?,
            (false, false) => write!(f, " by the seasons of {season} before")?,
        }
        match (self.mape_percent, self.mase) {
            (Some(mape), Some(mase)) => write!(
                f,
                " (MAPE {} %, MASE {} over {} points",
                short(mape),
                short(mase),
                self.points
            )?,
            (_, Some(mase)) => write!(f, " (MASE {} over {} points", short(mase), self.points)?,
            _ => f.write_str(" (its error is not known")?,
        }
        if let Some(WayErrors {
            seasonal: Some(seasonal),
            shifted: Some(shifted),
            fitted: Some(fitted),
        }) = self.ways
        {
            let [seasonal, shifted, fitted] = [seasonal, shifted, fitted].map(short);
            write!(f, "; seasons {seasonal}, shifted {shifted}, fitted {fitted}")?;
        }
        f.write_str(")")?;
        if self.trusted {
            write!(f, ": {} nodes", self.nodes)
        } else {
            f.write_str(": no better than the present value, so nothing is raised")
        }
    }
}

/// Returns a number to three digits after the point, without the zeros.
pub(super) fn short(number: f64) -> String {
    format!("{}", (number * 1000.0).round() / 1000.0)
}

/// Waiting tasks need nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BacklogAsk {
    /// What is done.
    pub course: Course,
    /// The tasks that wait.
    pub waiting: u32,
    /// The tasks besides that need more slots than a node has, and can never run.
    #[serde(default, skip_serializing_if = "super::account_share::is_usual")]
    pub never_fit: u32,
    /// How long they may be kept.
    pub drain_within: Span,
    /// The tasks that may still be kept longer; below zero too many are already.
    pub spare_tasks: f64,
    /// The slot-hours of work that may still be kept longer.
    pub spare_work: f64,
    /// The tasks that waiting for spot a look longer is expected to keep too long.
    pub risked_tasks: f64,
    /// The slot-hours of work of those.
    pub risked_work: f64,
    /// What a late task counts as, in hours of a dedicated slot.
    pub late_task: f64,
    /// What an hour of its work counts as besides, in hours of a dedicated slot.
    pub late_hour: f64,
}

impl fmt::Display for BacklogAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.never_fit {
            0 => {}
            1 => f.write_str("1 task needs more slots than a node has and can never run; ")?,
            tasks => write!(
                f,
                "{tasks} tasks need more slots than a node has and can never run; "
            )?,
        }
        match self.waiting {
            0 => return f.write_str("no task waits; nodes without one are not needed"),
            1 => f.write_str("1 task waits")?,
            waiting => write!(f, "{waiting} tasks wait")?,
        }
        write!(f, ", each may for {}: ", self.drain_within.in_short())?;
        match self.course {
            Course::Spot => f.write_str("spot nodes for them all")?,
            Course::Shelter { tasks } => write!(
                f,
                "dedicated nodes for {tasks} of them, for which spot nodes would not last, and spot nodes for the rest"
            )?,
            Course::Dedicated => f.write_str("dedicated nodes for them all")?,
            Course::Wait { since } => write!(f, "spot has been away since {since} and is waited for")?,
            Course::Fallback { since, tasks } => write!(
                f,
                "spot has been away since {since}, dedicated nodes for the first {tasks}"
            )?,
        }
        if matches!(self.course, Course::Wait { .. } | Course::Fallback { .. }) {
            write!(
                f,
                "; a look longer would keep {} tasks of {} slot-hours too long, where {} tasks and {} slot-hours still may be; a late task counts as {} dedicated slot-hours and {} for each hour of it",
                self.risked_tasks,
                self.risked_work,
                self.spare_tasks,
                self.spare_work,
                self.late_task,
                self.late_hour
            )?;
        }
        Ok(())
    }
}
