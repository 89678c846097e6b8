//! The tasks that have not ended, as one sees them who knows how long each runs, and the machines on their way.

use super::keep::time_to_end;
use super::queue::Past;
use super::simulator::Cluster;
use crate::base::{Lane, Span, Timestamp};
use crate::sim::workload::Task;

/// A task that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// The task, its run time included.
    pub task: Task,
    /// How long it runs from now on, or from its start while it waits, if it is not stopped; what it has saved is done.
    pub left: Span,
    /// When its present run began and on what kind of node; nothing while it waits.
    pub runs: Option<(Timestamp, Lane)>,
}

impl Cluster {
    /// Says whether machines of the latest order are about to be granted.
    pub const fn is_granting(&self) -> bool {
        self.resize.is_granting()
    }

    /// Returns the submitted tasks that have not ended: those that wait, in the order of the queue, then those that run. Tasks
    /// that can never run are left out.
    pub fn unfinished(&self) -> impl Iterator<Item = Unfinished> + '_ {
        let tasks = &self.workload.tasks;
        let waiting = self.queue.feasible(tasks, self.setup.task_slots_per_node);
        let waiting = waiting.map(|(task, past)| Unfinished {
            task: tasks[task as usize],
            left: self.time_to_end(task, past),
            runs: None,
        });
        let running = self.fleet.nodes().flat_map(|(_, node)| {
            node.tasks.iter().map(|running| Unfinished {
                task: tasks[running.task as usize],
                left: self.time_to_end(running.task, running.past) - (self.now - running.started),
                runs: Some((running.started, node.lane)),
            })
        });
        waiting.chain(running)
    }

    fn time_to_end(&self, task: u32, past: Past) -> Span {
        time_to_end(
            self.workload.tasks[task as usize].run,
            past,
            self.setup.checkpoint,
        )
    }
}
