//! The tasks and nodes of a pool as files hold them: each task with the name of its job in full.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::job::{JobIndex, JobNames};
use super::work::{FinishedTask, LostRuns, Node, NodeEnd, RunningTask, WaitingTask, Work};
use crate::base::{Lane, Span, Timestamp};

/// What [`Work`] is read from and written as.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(rename = "Work")]
pub(super) struct WorkFile {
    /// The tasks that wait for a node, in the order in which they will be given one.
    waiting: Vec<WaitingFile>,
    /// The tasks that run.
    running: Vec<RunningFile>,
    /// The tasks that ended well since the last look.
    finished: Vec<FinishedFile>,
    /// Every node that is there, preempted ones included.
    nodes: Vec<Node>,
    /// The nodes that went since the last look.
    ended: Vec<NodeEnd>,
}

/// A task that waits for a node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "WaitingTask")]
struct WaitingFile {
    /// When it was submitted.
    submitted: Timestamp,
    /// The task slots that it takes.
    slots: u32,
    /// The longest that it has run before it lost its node; nothing when it never ran.
    ran: Span,
    /// How many runs it lost with its nodes; one when it has run, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_runs: Option<u32>,
    /// How long those runs lasted in all; as long as the longest, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ran_in_all: Option<Span>,
    /// The job that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// A task that runs.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "RunningTask")]
struct RunningFile {
    /// When it was submitted.
    submitted: Timestamp,
    /// When this run began.
    started: Timestamp,
    /// The task slots that it takes.
    slots: u32,
    /// The longest that it has run before it lost its node.
    ran: Span,
    /// How many runs it lost with its nodes; one when it has run, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_runs: Option<u32>,
    /// How long those runs lasted in all; as long as the longest, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ran_in_all: Option<Span>,
    /// What kind of node it runs on.
    lane: Lane,
    /// Whether that node takes no further tasks.
    cordoned: bool,
    /// The job that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

/// A task that ended well.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "FinishedTask")]
struct FinishedFile {
    /// When it was submitted.
    submitted: Timestamp,
    /// When its last run began.
    started: Timestamp,
    /// When it ended.
    ended: Timestamp,
    /// The task slots that it took.
    slots: u32,
    /// The longest that it had run before it lost its node; nothing when it never did.
    #[serde(default, skip_serializing_if = "is_nothing")]
    ran: Span,
    /// How many runs it lost with its nodes; one when it has run, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost_runs: Option<u32>,
    /// How long those runs lasted in all; as long as the longest, where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ran_in_all: Option<Span>,
    /// The job that it belonged to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_nothing(span: &Span) -> bool {
    *span == Span::ZERO
}

/// Returns the lost runs of a task, told of as far as they are.
fn lost_runs(ran: Span, count: Option<u32>, in_all: Option<Span>) -> LostRuns {
    let least = LostRuns::of_longest(ran);
    LostRuns {
        count: count.unwrap_or(least.count),
        in_all: in_all.unwrap_or(least.in_all),
    }
}

/// Returns what is to be told of lost runs beside the longest.
fn told(ran: Span, lost: LostRuns) -> (Option<u32>, Option<Span>) {
    let least = LostRuns::of_longest(ran);
    (
        (lost.count != least.count).then_some(lost.count),
        (lost.in_all != least.in_all).then_some(lost.in_all),
    )
}

impl From<WorkFile> for Work {
    fn from(file: WorkFile) -> Self {
        let mut jobs = JobNames::default();
        let mut index = |job: Option<String>| job.map(|name| jobs.add(&name));
        let waiting = file.waiting.into_iter().map(|task| WaitingTask {
            submitted: task.submitted,
            slots: task.slots,
            ran: task.ran,
            lost: lost_runs(task.ran, task.lost_runs, task.ran_in_all),
            job: index(task.job),
        });
        let waiting = waiting.collect();
        let running = file.running.into_iter().map(|task| RunningTask {
            submitted: task.submitted,
            started: task.started,
            slots: task.slots,
            ran: task.ran,
            lost: lost_runs(task.ran, task.lost_runs, task.ran_in_all),
            lane: task.lane,
            cordoned: task.cordoned,
            job: index(task.job),
        });
        let running = running.collect();
        let finished = file.finished.into_iter().map(|task| FinishedTask {
            submitted: task.submitted,
            started: task.started,
            ended: task.ended,
            slots: task.slots,
            ran: task.ran,
            lost: lost_runs(task.ran, task.lost_runs, task.ran_in_all),
            job: index(task.job),
        });
        let finished = finished.collect();
        Self {
            jobs,
            waiting,
            running,
            finished,
            nodes: file.nodes,
            ended: file.ended,
        }
    }
}

impl From<Work> for WorkFile {
    fn from(work: Work) -> Self {
        let name = |job: Option<JobIndex>| work.job_of(job).map(str::to_owned);
        let waiting = work.waiting.iter().map(|task| {
            let (lost_runs, ran_in_all) = told(task.ran, task.lost);
            WaitingFile {
                submitted: task.submitted,
                slots: task.slots,
                ran: task.ran,
                lost_runs,
                ran_in_all,
                job: name(task.job),
            }
        });
        let running = work.running.iter().map(|task| {
            let (lost_runs, ran_in_all) = told(task.ran, task.lost);
            RunningFile {
                submitted: task.submitted,
                started: task.started,
                slots: task.slots,
                ran: task.ran,
                lost_runs,
                ran_in_all,
                lane: task.lane,
                cordoned: task.cordoned,
                job: name(task.job),
            }
        });
        let finished = work.finished.iter().map(|task| {
            let (lost_runs, ran_in_all) = told(task.ran, task.lost);
            FinishedFile {
                submitted: task.submitted,
                started: task.started,
                ended: task.ended,
                slots: task.slots,
                ran: task.ran,
                lost_runs,
                ran_in_all,
                job: name(task.job),
            }
        });
        Self {
            waiting: waiting.collect(),
            running: running.collect(),
            finished: finished.collect(),
            nodes: work.nodes.clone(),
            ended: work.ended.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_job_of_each_task_and_may_leave_it_out() {
        let text = r#"{"waiting":[{"submitted":"2026-11-24T17:00:00Z","slots":1,"ran":"0s","job":"nightly-a"},
            {"submitted":"2026-11-24T17:00:00Z","slots":1,"ran":"0s"},
            {"submitted":"2026-11-24T17:00:00Z","slots":1,"ran":"0s","job":"nightly-a"}]}"#;
        let work: Work = serde_json::from_str(text).unwrap();
        let names: Vec<_> = work.waiting.iter().map(|task| work.job_of(task.job)).collect();
        assert_eq!(names, [Some("nightly-a"), None, Some("nightly-a")]);
        let written = serde_json::to_string(&work).unwrap();
        assert_eq!(serde_json::from_str::<Work>(&written).unwrap(), work, "{written}");
        let wrong = text.replace("\"job\"", "\"jobs\"");
        assert!(serde_json::from_str::<Work>(&wrong).is_err());
    }
}
