//! A pool as it stands at one moment.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Etag, NodeDeallocationOption, OwnFormula, PoolId};
use crate::base::{Mix, Nodes};

/// Whether a pool's count of nodes is about to change (`allocationState` of Pool - Get).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AllocationState {
    /// Nothing is under way; a resize may be ordered.
    #[default]
    Steady,
    /// A resize is under way; another is refused until it ends or is stopped.
    Resizing,
    /// A resize is being stopped.
    Stopping,
}

/// Nodes by what they do, both lanes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeCounts {
    /// Those that can run tasks: idle and running ones.
    pub usable: Nodes,
    /// Ready and without a task.
    pub idle: Nodes,
    /// With at least one task.
    pub running: Nodes,
    /// Being created, booting or in their start task; paid for, of no use yet.
    pub starting: Nodes,
    /// Spot nodes that were taken away and wait to come back.
    pub preempted: Nodes,
    /// Broken, start task failed, offline or otherwise of no use.
    pub unusable: Nodes,
}

/// Why the latest resize did not reach its target (`ResizeError` of Pool - Get).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ResizeError {
    /// The service's code, such as `AccountCoreQuotaReached`.
    pub code: Arc<str>,
    /// The service's sentence.
    #[serde(default = "no_text")]
    pub message: Arc<str>,
}

fn no_text() -> Arc<str> {
    Arc::from("")
}

/// A pool as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolState {
    /// Its id.
    pub id: PoolId,
    /// The size of its machines, such as `standard_d4s_v3`, where known.
    pub vm_size: Option<Arc<str>>,
    /// Whether a resize is under way.
    pub allocation: AllocationState,
    /// What it was told to have.
    pub target: Mix,
    /// What it has; spot includes the preempted ones.
    pub current: Mix,
    /// What its nodes do.
    pub nodes: NodeCounts,
    /// The nodes of each lane that take no further tasks (scheduling disabled).
    pub cordoned: Mix,
    /// How many tasks one node runs at the same time.
    pub task_slots_per_node: u32,
    /// What a resize does to running tasks, as it was last ordered.
    pub option: NodeDeallocationOption,
    /// Whether the pool runs a formula of its own, which forbids resizes from outside.
    pub auto_scale: bool,
    /// That formula, where the world tells it.
    pub formula: Option<OwnFormula>,
    /// The version that all this speaks of, where the world knows versions.
    pub etag: Option<Etag>,
    /// Why the latest resize fell short; empty when it did not.
    pub resize_errors: Vec<ResizeError>,
}

impl PoolState {
    /// Returns a steady pool without nodes that runs one task on a node.
    pub fn new(id: PoolId) -> Self {
        Self {
            id,
            vm_size: None,
            allocation: AllocationState::Steady,
            target: Mix::ZERO,
            current: Mix::ZERO,
            nodes: NodeCounts::default(),
            cordoned: Mix::ZERO,
            task_slots_per_node: 1,
            option: NodeDeallocationOption::default(),
            auto_scale: false,
            formula: None,
            etag: None,
            resize_errors: Vec::new(),
        }
    }
}

impl AllocationState {
    /// Returns the service's word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Steady => "steady",
            Self::Resizing => "resizing",
            Self::Stopping => "stopping",
        }
    }
}
