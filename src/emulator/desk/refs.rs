//! How the parts of the account refer to each other, and what is going to happen to them.

use serde::{Deserialize, Serialize};

use crate::base::Lane;

/// A task of a job; numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct TaskRef {
    pub(super) job: u32,
    pub(super) task: u32,
}

/// A place for a node in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct NodeRef {
    pub(super) pool: u32,
    pub(super) index: u32,
}

/// The next step in the life of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Step {
    /// The machine is there and boots.
    Boots,
    /// It has booted; the start task begins, where there is one.
    Booted,
    /// The start task has ended.
    Started,
    /// It sticks while it boots.
    Sticks,
    /// It was deallocated.
    Stopped,
    /// It is gone.
    Gone,
    /// The service asks for another machine in the place of one that was taken away.
    Restored,
}

/// Something that is going to happen in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Event {
    /// A unit of spot capacity comes up or goes down.
    Turned { unit: u32 },
    /// Spot machines that were not to be had are asked for again.
    Retried,
    /// Machines of a lane are granted, as a resize asked for.
    Granted { pool: u32, resize: u32, lane: Lane },
    /// A resize has had its time.
    TimedOut { pool: u32, resize: u32 },
    /// A resize that was to be stopped has stopped.
    Stopped { pool: u32, resize: u32 },
    /// A step in the life of a node.
    Node { node: NodeRef, life: u32, step: Step },
    /// A spot machine is taken away.
    Evicted { node: NodeRef, machine: u32 },
    /// A machine breaks.
    Broken { node: NodeRef, machine: u32 },
    /// A run of a task ends.
    Ended { task: TaskRef, run: u32 },
    /// A pool's formula is due.
    Evaluated { pool: u32, version: u32 },
    /// A pool whose nodes have left is gone.
    PoolGone { pool: u32 },
    /// A job that was to change its state has done so.
    JobTurned { job: u32, version: u32 },
    /// The next task of the scenario's workload is submitted.
    Submitted,
    /// A resize by somebody else, as the scenario tells.
    Foreign { number: u32 },
}
