//! A task, and a log of them.

use std::num::NonZeroU32;

use super::LeftOut;
use crate::account::{JobIndex, JobNames};
use crate::base::{Span, Timestamp};

/// One task: when it is submitted, how long it runs, how many slots of one node it needs, and when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// When it is submitted.
    pub submit: Timestamp,
    /// How long it runs once it has its slots.
    pub run: Span,
    /// Slots of one node that it holds while it runs, at least 1.
    pub slots: u32,
    /// The job that it belongs to, where the log says so.
    pub job: Option<JobIndex>,
    /// When it is due, where that is known.
    pub due: Option<Due>,
}

/// How long after its submission a task is due: whole seconds, up to 136 years, in four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due(NonZeroU32);

impl Due {
    /// Returns the time from a submission to the moment at which the task is due, rounded up to a second and at least one.
    pub fn after(span: Span) -> Self {
        let seconds = span.as_seconds().ceil().clamp(1.0, f64::from(u32::MAX)) as u32;
        Self(NonZeroU32::new(seconds).unwrap_or(NonZeroU32::MIN))
    }

    /// Returns the time from the submission.
    pub fn span(self) -> Span {
        Span::seconds(i64::from(self.0.get()))
    }
}

impl Task {
    /// Returns a task of no known job that is due at no known time.
    pub const fn new(submit: Timestamp, run: Span, slots: u32) -> Self {
        Self {
            submit,
            run,
            slots,
            job: None,
            due: None,
        }
    }

    /// Returns the moment at which it is due.
    pub fn due_at(&self) -> Option<Timestamp> {
        self.due.map(|due| self.submit + due.span())
    }
}

/// The tasks of a log, in order of submission, and what was left out of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The name for reports.
    pub name: String,
    /// When the log, or the window of it that was read, begins.
    pub start: Timestamp,
    /// The tasks, in order of submission.
    pub tasks: Vec<Task>,
    /// The names of the jobs that tasks belong to.
    pub jobs: JobNames,
    /// How many jobs the log held.
    pub n_jobs: u64,
    /// How many of them were left out, and why.
    pub left_out: LeftOut,
    /// What its user should know about the reading.
    pub notes: Vec<String>,
}

impl Workload {
    /// Returns a workload of tasks that were not read from a log; they are sorted by submission.
    pub fn new(name: impl Into<String>, start: Timestamp, mut tasks: Vec<Task>) -> Self {
        tasks.sort_by_key(|task| task.submit);
        Self {
            name: name.into(),
            start,
            n_jobs: tasks.len() as u64,
            tasks,
            jobs: JobNames::default(),
            left_out: LeftOut::default(),
            notes: Vec::new(),
        }
    }

    /// Says whether any task is due at a known time.
    pub fn has_dues(&self) -> bool {
        self.tasks.iter().any(|task| task.due.is_some())
    }

    /// Returns when the last task would end if none ever waited.
    pub fn end_without_wait(&self) -> Timestamp {
        self.tasks
            .iter()
            .map(|task| task.submit + task.run)
            .fold(self.start, Timestamp::max)
    }

    /// Returns the slot-hours of all tasks.
    pub fn slot_hours(&self) -> f64 {
        self.tasks
            .iter()
            .map(|task| task.run.as_hours() * f64::from(task.slots))
            .sum()
    }
}
