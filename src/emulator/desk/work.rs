//! Tasks that a scenario submits by itself, and real commands that tasks ask for.

use serde_json::{Map, Value};

use super::Desk;
use super::job::JobState;
use super::pool::MILLISECOND;
use super::refs::{Event, TaskRef};
use super::schedule::End;
use super::task::{Course, Task, TaskState};
use super::task_requests::settings;
use crate::base::Timestamp;
use crate::emulator::etag;

/// A command that is to be started for the run of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which run.
    pub run: RunId,
    /// The command line.
    pub line: String,
    /// The settings of its environment.
    pub settings: Vec<(String, String)>,
}

/// The run of a task: what a command's end is told for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId {
    job: u32,
    task: u32,
    run: u32,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandEnd {
    /// With an exit code.
    Exited(i32),
    /// It could not be started.
    NotRun(String),
}

impl Desk {
    /// Notes when the next task of the workload is due.
    pub(super) fn note_submission(&mut self) {
        let submission = self.setup.workload.as_ref();
        if let Some(next) = submission.and_then(|submission| submission.tasks.get(self.next_submitted)) {
            let at = next.submit.whole_milliseconds();
            self.agenda.note(at, Event::Submitted);
        }
    }

    /// Submits the next task of the workload, if its job is there and takes tasks.
    pub(super) fn submit_next(&mut self) {
        let now = self.now;
        let place = self.next_submitted;
        self.next_submitted += 1;
        let submission = self.setup.workload.as_ref();
        let Some(submission) = submission else { return };
        let Some(next) = submission.tasks.get(place).copied() else {
            return;
        };
        let job = self.find_job(&submission.job).ok();
        self.note_submission();
        let Some(job) = job.filter(|job| self.jobs[job].state == JobState::Active) else {
            return;
        };
        let run = next.run.whole_milliseconds();
        let given = format!("{{\"commandLine\":\"sleep {}\"}}", run.as_seconds());
        let course = Course::Lasts { run, exit_code: 0 };
        let task = Task {
            slots: next.slots,
            ..Task::new(&format!("task-{place:06}"), given, course, now)
        };
        if self.jobs[&job].find(&task.id).is_none() {
            self.enqueue(job, task);
        }
    }

    /// Takes the real commands that are to be started, and the runs whose commands are to be ended, since this was last asked.
    pub fn take_commands(&mut self) -> (Vec<Command>, Vec<RunId>) {
        let run_id = |(task, run): (TaskRef, u32)| RunId {
            job: task.job,
            task: task.task,
            run,
        };
        let started = std::mem::take(&mut self.commands.started);
        let stopped = std::mem::take(&mut self.commands.stopped);
        let commands = started.into_iter().filter_map(|(task, run)| {
            let found = self.jobs.get(&task.job)?.tasks.get(&task.task)?;
            let given: Map<String, Value> = serde_json::from_str(&found.given).ok()?;
            Some(Command {
                run: run_id((task, run)),
                line: given.get("commandLine")?.as_str()?.to_owned(),
                settings: settings(&given),
            })
        });
        (commands.collect(), stopped.into_iter().map(run_id).collect())
    }

    /// Lets the command of a run have ended; what is not under way any more does not matter.
    pub fn command_ended(&mut self, run: RunId, end: CommandEnd) {
        let task = TaskRef {
            job: run.job,
            task: run.task,
        };
        let found = self.jobs.get(&run.job).and_then(|job| job.tasks.get(&run.task));
        let is_current = found.is_some_and(|found| found.run == run.run && found.state == TaskState::Running);
        if !is_current {
            return;
        }
        let end = match end {
            CommandEnd::Exited(code) => End::Exited(code),
            CommandEnd::NotRun(reason) => End::NotRun(reason),
        };
        self.n_changes += 1;
        self.end_run(task, &end);
        self.calm();
    }
}

impl Task {
    /// Returns its version.
    pub(super) fn etag(&self) -> String {
        etag(self.modified)
    }

    /// Notes a change; two changes never have one version.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.modified = now.max(self.modified + MILLISECOND);
    }
}
