//! A task, and a log of them.

use super::LeftOut;
use crate::base::{Span, Timestamp};

/// One task: when it is submitted, how long it runs, and how many slots of one node it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// When it is submitted.
    pub submit: Timestamp,
    /// How long it runs once it has its slots.
    pub run: Span,
    /// Slots of one node that it holds while it runs, at least 1.
    pub slots: u32,
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
            left_out: LeftOut::default(),
            notes: Vec::new(),
        }
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
