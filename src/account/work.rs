//! The tasks and nodes of a pool one by one, as far as sizing and mixing need them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::job::{JobIndex, JobNames};
use super::work_file::WorkFile;
use crate::base::{Lane, Span, Timestamp};

/// The tasks and nodes of a pool, one by one, at one moment.
///
/// Task - List, Task - Get and Compute Node - List of the REST API give it: `creationTime`, `requiredSlots`,
/// `executionInfo.startTime`, `endTime` and `requeueCount`; node `state`, `stateTransitionTime`, `allocationTime`. The job's
/// name is the id under which its tasks are listed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "WorkFile", into = "WorkFile")]
pub struct Work {
    /// The names of the jobs that tasks belong to.
    pub jobs: JobNames,
    /// The tasks that wait for a node, in the order in which they will be given one.
    pub waiting: Vec<WaitingTask>,
    /// The tasks that run.
    pub running: Vec<RunningTask>,
    /// The tasks that ended well since the last look.
    pub finished: Vec<FinishedTask>,
    /// Every node that is there, preempted ones included.
    pub nodes: Vec<Node>,
    /// The nodes that went since the last look.
    pub ended: Vec<NodeEnd>,
}

/// A task that waits for a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitingTask {
    /// When it was submitted.
    pub submitted: Timestamp,
    /// The task slots that it takes.
    pub slots: u32,
    /// The longest that it has run before it lost its node; nothing when it never ran.
    pub ran: Span,
    /// All the runs in which it lost its node.
    pub lost: LostRuns,
    /// The job that it belongs to, where known.
    pub job: Option<JobIndex>,
}

/// A task that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningTask {
    /// When it was submitted.
    pub submitted: Timestamp,
    /// When this run began.
    pub started: Timestamp,
    /// The task slots that it takes.
    pub slots: u32,
    /// The longest that it has run before it lost its node.
    pub ran: Span,
    /// All the runs in which it lost its node.
    pub lost: LostRuns,
    /// What kind of node it runs on.
    pub lane: Lane,
    /// Whether that node takes no further tasks.
    pub cordoned: bool,
    /// The job that it belongs to, where known.
    pub job: Option<JobIndex>,
}

/// A task that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinishedTask {
    /// When it was submitted.
    pub submitted: Timestamp,
    /// When its last run began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// The task slots that it took.
    pub slots: u32,
    /// The longest that it had run before it lost its node.
    pub ran: Span,
    /// All the runs in which it lost its node.
    pub lost: LostRuns,
    /// The job that it belonged to, where known.
    pub job: Option<JobIndex>,
}

/// The runs in which a task lost its node, taken together: of a task that goes on where it saved its work, they are a part of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LostRuns {
    /// How many they were.
    pub count: u32,
    /// How long they lasted in all.
    pub in_all: Span,
}

impl LostRuns {
    /// Returns what is known of a task of which only its longest run is told.
    pub fn of_longest(ran: Span) -> Self {
        Self {
            count: u32::from(ran > Span::ZERO),
            in_all: ran,
        }
    }

    /// Returns these runs and one more.
    #[must_use]
    pub fn and(self, run: Span) -> Self {
        Self {
            count: self.count.saturating_add(1),
            in_all: self.in_all + run,
        }
    }
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum NodeActivity {
    /// It is created, boots or runs its start task.
    Starting,
    /// It is ready for tasks, with or without one.
    Ready,
    /// It finishes the tasks that it has and takes no more (`offline`, scheduling disabled).
    Cordoned,
    /// It is being removed.
    Leaving,
    /// It was taken away by the provider and may come back.
    Preempted,
    /// It is broken, or its start task failed.
    Unusable,
}

impl NodeActivity {
    /// Says whether the node is there for tasks, or boots to be.
    pub const fn is_there(self) -> bool {
        matches!(self, Self::Starting | Self::Ready | Self::Cordoned)
    }
}

/// A node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Node {
    /// How it is paid for.
    pub lane: Lane,
    /// What it does.
    pub activity: NodeActivity,
    /// Since when it does that.
    pub since: Timestamp,
    /// When the machine was granted; for a preempted node, the machine that was taken away.
    pub granted: Timestamp,
    /// The task slots that are taken.
    pub busy_slots: u32,
}

/// A node that went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NodeEnd {
    /// How it was paid for.
    pub lane: Lane,
    /// When its machine was granted.
    pub granted: Timestamp,
    /// When it went.
    pub at: Timestamp,
    /// Whether the provider took it; otherwise it was removed by an order.
    pub evicted: bool,
}

impl Work {
    /// Empties every list and keeps the buffers.
    pub fn clear(&mut self) {
        self.jobs = JobNames::default();
        self.waiting.clear();
        self.running.clear();
        self.finished.clear();
        self.nodes.clear();
        self.ended.clear();
    }

    /// Returns the name of a task's job.
    pub fn job_of(&self, job: Option<JobIndex>) -> Option<&str> {
        job.and_then(|index| self.jobs.name(index))
    }

    /// Cuts every instant and span to the millisecond, which is what the ledger keeps.
    pub fn cut_to_milliseconds(&mut self) {
        for task in &mut self.waiting {
            task.submitted = task.submitted.whole_milliseconds();
            task.ran = task.ran.whole_milliseconds();
            task.lost.in_all = task.lost.in_all.whole_milliseconds();
        }
        for task in &mut self.running {
            task.submitted = task.submitted.whole_milliseconds();
            task.started = task.started.whole_milliseconds();
            task.ran = task.ran.whole_milliseconds();
            task.lost.in_all = task.lost.in_all.whole_milliseconds();
        }
        for task in &mut self.finished {
            task.submitted = task.submitted.whole_milliseconds();
            task.started = task.started.whole_milliseconds();
            task.ended = task.ended.whole_milliseconds();
            task.ran = task.ran.whole_milliseconds();
            task.lost.in_all = task.lost.in_all.whole_milliseconds();
        }
        for node in &mut self.nodes {
            node.since = node.since.whole_milliseconds();
            node.granted = node.granted.whole_milliseconds();
        }
        for end in &mut self.ended {
            end.granted = end.granted.whole_milliseconds();
            end.at = end.at.whole_milliseconds();
        }
    }
}

/// The schema is that of the file, in which tasks name their jobs.
impl JsonSchema for Work {
    fn schema_name() -> Cow<'static, str> {
        WorkFile::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WorkFile::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_to_the_millisecond_comes_back_from_json_as_it_was() {
        let at = |ticks| Timestamp::from_ticks(ticks);
        let mut work = Work {
            waiting: vec![WaitingTask {
                submitted: at(12_345_678),
                slots: 2,
                ran: Span::from_ticks(98_765),
                lost: LostRuns::default()
                    .and(Span::from_ticks(98_765))
                    .and(Span::from_ticks(12_345)),
                job: None,
            }],
            ended: vec![NodeEnd {
                lane: Lane::Spot,
                granted: at(1),
                at: at(77_777_777),
                evicted: true,
            }],
            ..Work::default()
        };
        work.cut_to_milliseconds();
        let text = serde_json::to_string(&work).unwrap();
        assert_eq!(serde_json::from_str::<Work>(&text).unwrap(), work, "{text}");
    }
}
