//! A job: its tasks, those of them that wait, and how many are in which state.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::pool::MILLISECOND;
use super::task::{Task, TaskState};
use crate::base::Timestamp;

/// The state of a job (`BatchJobState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum JobState {
    Active,
    Disabling,
    Disabled,
    Enabling,
    Terminating,
    Completed,
    Deleting,
}

impl JobState {
    /// Returns the word on the wire.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabling => "disabling",
            Self::Disabled => "disabled",
            Self::Enabling => "enabling",
            Self::Terminating => "terminating",
            Self::Completed => "completed",
            Self::Deleting => "deleting",
        }
    }

    /// Says whether a job in this state counts against the quota of active jobs.
    pub(super) const fn is_active(self) -> bool {
        !matches!(self, Self::Completed)
    }
}

/// Tasks and their slots by state (`TaskCountsResult`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) active: u64,
    pub(super) running: u64,
    pub(super) succeeded: u64,
    pub(super) failed: u64,
}

/// A job of the account.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) number: u32,
    pub(super) id: Box<str>,
    /// What was given when it was made, and is only told again.
    pub(super) given: Map<String, Value>,
    /// The pool's id as given; the pool may come later.
    pub(super) pool_id: String,
    pub(super) priority: i32,
    /// `maxParallelTasks`; −1 is without limit.
    pub(super) parallel_max: i32,
    pub(super) ends_with_tasks: bool,
    pub(super) uses_dependencies: bool,
    pub(super) retries_max: i32,
    pub(super) created: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) state: JobState,
    pub(super) state_since: Timestamp,
    pub(super) before: Option<(JobState, Timestamp)>,
    /// Grows with each change of state that takes a while.
    pub(super) version: u32,
    pub(super) ended: Option<Timestamp>,
    pub(super) end_reason: Option<String>,
    pub(super) tasks: BTreeMap<u32, Task>,
    /// Numbers of tasks by lower-case id.
    pub(super) names: BTreeMap<Box<str>, u32>,
    pub(super) next_task: u32,
    /// Active tasks that could run if there were room.
    pub(super) waiting: BTreeSet<u32>,
    /// Active tasks whose dependencies have not succeeded.
    pub(super) blocked: BTreeSet<u32>,
    pub(super) counts: Counts,
    pub(super) slots: Counts,
    /// What of it the pool has counted in.
    pub(super) told: [u32; 4],
}

impl Job {
    /// Moves its state.
    pub(super) fn turn(&mut self, state: JobState, now: Timestamp) {
        if self.state != state {
            self.before = Some((self.state, self.state_since));
            self.state = state;
            self.state_since = now;
            self.version += 1;
            self.touch(now);
        }
    }

    /// Notes a change; two changes never have one version.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.modified = now.max(self.modified + MILLISECOND);
    }

    /// Returns the number of a task by its id, in any case.
    pub(super) fn find(&self, id: &str) -> Option<u32> {
        self.names.get(id.to_ascii_lowercase().as_str()).copied()
    }

    /// Says whether another task may run beside those that do.
    pub(super) fn may_run_more(&self) -> bool {
        self.state == JobState::Active
            && (self.parallel_max < 0 || self.counts.running < self.parallel_max.unsigned_abs().into())
    }

    /// Counts a task in, by its state, or out.
    pub(super) fn count(&mut self, number: u32, comes: bool) {
        let task = &self.tasks[&number];
        for (counts, by) in [(&mut self.counts, 1), (&mut self.slots, u64::from(task.slots))] {
            let count = match task.state {
                TaskState::Active => &mut counts.active,
                TaskState::Running => &mut counts.running,
                TaskState::Completed if task.failure.is_none() => &mut counts.succeeded,
                TaskState::Completed => &mut counts.failed,
            };
            if comes {
                *count += by;
            } else {
                *count -= by;
            }
        }
    }

    /// Says whether everything that a task depends on has succeeded.
    pub(super) fn is_free(&self, task: &Task) -> bool {
        let Some(depends_on) = &task.depends_on else {
            return true;
        };
        let done = |id: &str| {
            let number = self.names.get(id);
            number.is_some_and(|number| self.tasks[number].succeeded())
        };
        depends_on.ids.iter().all(|id| done(id))
            && depends_on
                .ranges
                .iter()
                .all(|(from, to)| (*from..=*to).all(|id| done(&id.to_string())))
    }
}
