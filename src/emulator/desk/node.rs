//! One node: what the service tells of it, and what is foreseen of it.
//!
//! ```text
//! creating ─► starting ─► waitingforstarttask ─► idle ◄─► running ─► leavingpool ─► gone
//!    ▲           ▲              └─► starttaskfailed  └─► offline (scheduling disabled, no task)
//!    │           └─ rebooting, reimaging, deallocated (start)
//!    └─ preempted ◄─ any of them, on spot; unusable ◄─ it sticks, or breaks
//! ```

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::refs::TaskRef;
use crate::base::{Lane, Timestamp};

/// The state of a node, by its word on the wire (`BatchNodeState` of Node - Get).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum NodeState {
    Creating,
    Starting,
    WaitingForStartTask,
    StartTaskFailed,
    Idle,
    Running,
    Offline,
    Unusable,
    Unknown,
    LeavingPool,
    Preempted,
    Rebooting,
    Reimaging,
    UpgradingOs,
    Deallocating,
    Deallocated,
}

impl NodeState {
    /// Every state, its word on the wire, and its key in node counts.
    pub(super) const ALL: [(Self, &'static str, &'static str); 16] = [
        (Self::Creating, "creating", "creating"),
        (Self::Starting, "starting", "starting"),
        (
            Self::WaitingForStartTask,
            "waitingforstarttask",
            "waitingForStartTask",
        ),
        (Self::StartTaskFailed, "starttaskfailed", "startTaskFailed"),
        (Self::Idle, "idle", "idle"),
        (Self::Running, "running", "running"),
        (Self::Offline, "offline", "offline"),
        (Self::Unusable, "unusable", "unusable"),
        (Self::Unknown, "unknown", "unknown"),
        (Self::LeavingPool, "leavingpool", "leavingPool"),
        (Self::Preempted, "preempted", "preempted"),
        (Self::Rebooting, "rebooting", "rebooting"),
        (Self::Reimaging, "reimaging", "reimaging"),
        (Self::UpgradingOs, "upgradingos", "upgradingOS"),
        (Self::Deallocating, "deallocating", "deallocating"),
        (Self::Deallocated, "deallocated", "deallocated"),
    ];

    /// Returns the word on the wire.
    pub(super) const fn word(self) -> &'static str {
        Self::ALL[self as usize].1
    }

    /// Says whether a node in this state takes tasks, or would if its scheduling were enabled.
    pub(super) const fn is_ready(self) -> bool {
        matches!(self, Self::Idle | Self::Running | Self::Offline)
    }
}

/// What becomes of a node once it has no task any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AfterTasks {
    /// It takes further ones.
    #[default]
    Stay,
    /// It leaves the pool.
    Leave,
    /// It boots again, as after that request.
    Restart(Restart),
}

/// Requests after which a node boots again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Restart {
    /// Reboot.
    Reboot,
    /// Reimage.
    Reimage,
    /// Deallocate; it boots when it is started.
    Deallocate,
}

/// The latest run of the pool's start task on a node (`StartTaskInformation`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StartTaskRun {
    pub(super) started: Timestamp,
    pub(super) ended: Option<Timestamp>,
    pub(super) exit_code: Option<i32>,
    pub(super) retries: u32,
}

/// One node, or the place where one was.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Node {
    /// `tvmps_…_d` or `tvmps_…_p`; empty when nobody is here.
    pub(super) id: Box<str>,
    pub(super) lane: Lane,
    pub(super) state: NodeState,
    pub(super) state_since: Timestamp,
    /// `schedulingState`: whether it may be given tasks.
    pub(super) takes_tasks: bool,
    pub(super) after_tasks: AfterTasks,
    pub(super) allocated: Timestamp,
    pub(super) booted: Option<Timestamp>,
    /// Grows with each step of its life, so that what was foreseen before is void.
    pub(super) life: u32,
    /// Grows with each machine, so that evictions and breakdowns of an earlier one are void.
    pub(super) machine: u32,
    /// The unit of spot capacity that its machine is of.
    pub(super) unit: Option<u32>,
    pub(super) free: u32,
    pub(super) tasks: Vec<TaskRef>,
    /// The latest tasks, oldest first, those that run included.
    pub(super) recent: VecDeque<TaskRef>,
    pub(super) n_run: u32,
    pub(super) n_succeeded: u32,
    pub(super) start_task: Option<StartTaskRun>,
    /// Last two bytes of its address.
    pub(super) address: u16,
}

/// "recentTasks … the most recently assigned Tasks" (Node - Get); the number is not documented, ten is what users see.
pub(super) const RECENT_MAX: usize = 10;

impl Node {
    /// Says whether a node is here.
    pub(super) fn is_here(&self) -> bool {
        !self.id.is_empty()
    }

    /// Says whether it is here and not about to go.
    pub(super) fn stays(&self) -> bool {
        self.is_here() && self.state != NodeState::LeavingPool && self.after_tasks != AfterTasks::Leave
    }

    /// Says whether it can be given a task now.
    pub(super) fn is_open(&self) -> bool {
        self.is_here()
            && self.takes_tasks
            && self.after_tasks == AfterTasks::Stay
            && matches!(self.state, NodeState::Idle | NodeState::Running)
    }

    /// Notes that a task was given to it.
    pub(super) fn remember(&mut self, task: TaskRef) {
        self.recent.retain(|other| *other != task);
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(task);
    }
}

#[cfg(test)]
mod tests {
    use super::NodeState;

    #[test]
    fn words_are_those_of_the_wire() {
        for (place, (state, word, _)) in NodeState::ALL.into_iter().enumerate() {
            assert_eq!(state as usize, place);
            assert_eq!(serde_json::to_value(state).unwrap(), word);
        }
        assert_eq!(NodeState::UpgradingOs.word(), "upgradingos");
    }
}
