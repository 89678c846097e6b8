//! Tells the tasks and nodes one by one, as an engine asks for them.

use super::calendar::NodeRef;
use super::fleet::{Node, Running};
use super::meter::NodeState;
use super::simulator::Cluster;
use crate::account::{
    FinishedTask, LostRuns, Node as NodeView, NodeActivity, NodeEnd, RunningTask, WaitingTask, Work,
};
use crate::base::Timestamp;
use crate::sim::workload::Task;

/// What has ended since it was last told; kept only once somebody has asked.
#[derive(Debug, Default)]
pub(super) struct Diary {
    is_kept: bool,
    finished: Vec<FinishedTask>,
    ended: Vec<NodeEnd>,
}

impl Diary {
    pub(super) fn node_ended(&mut self, end: NodeEnd) {
        if self.is_kept {
            self.ended.push(end);
        }
    }

    pub(super) fn task_ended(&mut self, task: &Task, running: &Running, now: Timestamp) {
        if self.is_kept {
            self.finished.push(FinishedTask {
                submitted: task.submit,
                started: running.started,
                ended: now,
                slots: running.slots,
                ran: running.past.ran,
                lost: running.past.lost,
                job: task.job,
            });
        }
    }
}

impl Cluster {
    /// Tells every task and node, and what has ended since this was last asked; nothing has ended when it is asked first.
    ///
    /// Tasks that need more slots than a node has come last among those that wait.
    pub fn tell_work(&mut self, into: &mut Work) {
        into.clear();
        into.jobs.clone_from(&self.workload.jobs);
        self.diary.is_kept = true;
        into.finished.append(&mut self.diary.finished);
        into.ended.append(&mut self.diary.ended);
        let tasks = &self.workload.tasks;
        let per_node = self.setup.task_slots_per_node;
        let waiting = self.queue.feasible(tasks, per_node);
        into.waiting.extend(waiting.map(|(task, past)| WaitingTask {
            submitted: tasks[task as usize].submit,
            slots: tasks[task as usize].slots,
            ran: past.ran,
            lost: past.lost,
            job: tasks[task as usize].job,
        }));
        let never = self.queue.never().iter().map(|task| &tasks[*task as usize]);
        into.waiting.extend(never.map(|task| WaitingTask {
            submitted: task.submit,
            slots: task.slots,
            ran: crate::base::Span::ZERO,
            lost: LostRuns::default(),
            job: task.job,
        }));
        for (_, node) in self.fleet.nodes() {
            into.nodes.push(node_view(node, per_node));
            let draining = node.state == Some(NodeState::Draining);
            into.running.extend(node.tasks.iter().map(|running| RunningTask {
                submitted: tasks[running.task as usize].submit,
                started: running.started,
                slots: running.slots,
                ran: running.past.ran,
                lost: running.past.lost,
                lane: node.lane,
                cordoned: node.cordoned || draining,
                job: tasks[running.task as usize].job,
            }));
        }
    }

    /// Lets a node that has left be gone.
    pub(super) fn part_with(&mut self, node: NodeRef) {
        let gone = self.fleet.node(node.index);
        self.diary.node_ended(NodeEnd {
            lane: gone.lane,
            granted: gone.granted,
            at: self.now,
            evicted: false,
        });
        self.release_unit(node.index);
        self.fleet.remove(node.index);
    }
}

fn node_view(node: &Node, slots_per_node: u32) -> NodeView {
    let activity = match node.state.expect("only nodes that are there are told") {
        NodeState::Idle | NodeState::Running if node.cordoned => NodeActivity::Cordoned,
        NodeState::Idle | NodeState::Running => NodeActivity::Ready,
        NodeState::Starting => NodeActivity::Starting,
        NodeState::Draining | NodeState::Leaving => NodeActivity::Leaving,
        NodeState::Preempted => NodeActivity::Preempted,
        NodeState::Unusable => NodeActivity::Unusable,
    };
    NodeView {
        lane: node.lane,
        activity,
        since: node.since,
        granted: node.granted,
        busy_slots: slots_per_node - node.free,
    }
}
