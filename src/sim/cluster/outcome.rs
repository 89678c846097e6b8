//! What became of each task: how long it waited, and how much later it ended than it might have.

use super::fleet::Running;
use super::keep::time_to_end;
use super::simulator::Cluster;
use crate::base::{Span, Timestamp};

/// How much later a task ended than it would have if it had run at once and to its end: waits and lost runs, all in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delay {
    /// It ended so much later.
    Ended(Span),
    /// It has not ended, and when it does it will be so much later or more.
    AtLeast(Span),
    /// It will not end: a removal ended it unfinished, or it needs more slots than a node has.
    Never,
}

/// When each submitted task ended, and how long those waited that ended well.
#[derive(Debug, Default)]
pub(super) struct Outcomes {
    /// By place in the log; [`not_ended`] before that.
    ends: Vec<Timestamp>,
    waits: Vec<Span>,
}

/// No task ends at the end of the calendar; half the room of an `Option` for each task.
fn not_ended() -> Timestamp {
    Timestamp::from_ticks(i64::MAX)
}

impl Outcomes {
    pub(super) fn submitted(&mut self) {
        self.ends.push(not_ended());
    }

    pub(super) fn ended(&mut self, task: u32, wait: Span, now: Timestamp) {
        self.ends[task as usize] = now;
        self.waits.push(wait);
    }
}

impl Cluster {
    /// Returns how long each task waited: from its submission to the start of the run that ended well.
    ///
    /// A task that runs counts up to its start, and one that waits counts up to now, or a policy that leaves tasks waiting
    /// would look good; one that can never run does not count.
    pub fn waits(&self) -> Vec<Span> {
        let mut waits = self.outcomes.waits.clone();
        waits.extend(self.fleet.running().map(|running| self.wait_of(running)));
        let tasks = &self.workload.tasks;
        waits.extend(
            self.queue
                .feasible(tasks, self.setup.task_slots_per_node)
                .map(|(task, _)| self.now - tasks[task as usize].submit),
        );
        waits
    }

    /// Returns the delay of each submitted task, in the order of the log.
    pub fn delays(&self) -> Vec<Delay> {
        let tasks = &self.workload.tasks;
        let mut delays: Vec<Delay> = tasks
            .iter()
            .zip(&self.outcomes.ends)
            .map(|(task, end)| {
                if *end == not_ended() {
                    Delay::Never
                } else {
                    Delay::Ended(*end - task.submit - task.run)
                }
            })
            .collect();
        for running in self.fleet.running() {
            let task = &tasks[running.task as usize];
            let end = running.started + time_to_end(task.run, running.past, self.setup.checkpoint);
            delays[running.task as usize] = Delay::AtLeast(end - task.submit - task.run);
        }
        for (index, past) in self.queue.feasible(tasks, self.setup.task_slots_per_node) {
            let task = &tasks[index as usize];
            let end = self.now + time_to_end(task.run, past, self.setup.checkpoint);
            delays[index as usize] = Delay::AtLeast(end - task.submit - task.run);
        }
        delays
    }

    pub(super) fn wait_of(&self, running: &Running) -> Span {
        running.started - self.workload.tasks[running.task as usize].submit
    }
}
