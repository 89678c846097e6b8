//! A pool as files write it, by the names of the Batch REST API.

use std::num::NonZeroU32;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{
    AllocationState, Etag, Lease, NodeCounts, NodeDeallocationOption, OwnFormula, PoolId, PoolState,
    ResizeError,
};
use crate::base::{Mix, Nodes};
use crate::formula::PoolFacts;

/// A pool in a file of inputs, in a snapshot and in the ledger; everything but a snapshot's `id` may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct PoolRecord {
    /// The pool's id; `eval` needs none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<PoolId>,
    /// The size of its machines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vm_size: Option<Arc<str>>,
    /// Whether a resize is under way.
    pub allocation_state: AllocationState,
    /// The dedicated nodes that it was told to have.
    pub target_dedicated_nodes: Nodes,
    /// The spot nodes that it was told to have.
    pub target_low_priority_nodes: Nodes,
    /// What a resize does to running tasks.
    pub node_deallocation_option: NodeDeallocationOption,
    /// The dedicated nodes that it has.
    pub current_dedicated_nodes: Nodes,
    /// The spot nodes that it has, preempted ones included.
    pub current_low_priority_nodes: Nodes,
    /// The nodes that can run tasks.
    pub usable_nodes: Nodes,
    /// The usable nodes without a task.
    pub idle_nodes: Nodes,
    /// The nodes with at least one task.
    pub running_nodes: Nodes,
    /// The nodes that are on their way.
    pub starting_nodes: Nodes,
    /// The spot nodes that were taken away.
    pub preempted_nodes: Nodes,
    /// The nodes that are of no use.
    pub unusable_nodes: Nodes,
    /// The dedicated nodes that take no further tasks.
    #[serde(skip_serializing_if = "none")]
    pub cordoned_dedicated_nodes: Nodes,
    /// The spot nodes that take no further tasks.
    #[serde(skip_serializing_if = "none")]
    pub cordoned_low_priority_nodes: Nodes,
    /// How many tasks one node runs at the same time.
    pub task_slots_per_node: NonZeroU32,
    /// Whether the pool runs a formula of its own.
    pub enable_auto_scale: bool,
    /// That formula, where it is one of ours: what its mark says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<Lease>,
    /// That formula, where it is any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_scale_formula: Option<Arc<str>>,
    /// The version that all this speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Why the latest resize fell short.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resize_errors: Vec<ResizeError>,
}

// Serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn none(nodes: &Nodes) -> bool {
    *nodes == Nodes::ZERO
}

/// A pool without nodes; the id is to be filled in.
impl Default for PoolRecord {
    fn default() -> Self {
        Self {
            id: None,
            vm_size: None,
            allocation_state: AllocationState::Steady,
            target_dedicated_nodes: Nodes::ZERO,
            target_low_priority_nodes: Nodes::ZERO,
            node_deallocation_option: NodeDeallocationOption::default(),
            current_dedicated_nodes: Nodes::ZERO,
            current_low_priority_nodes: Nodes::ZERO,
            usable_nodes: Nodes::ZERO,
            idle_nodes: Nodes::ZERO,
            running_nodes: Nodes::ZERO,
            starting_nodes: Nodes::ZERO,
            preempted_nodes: Nodes::ZERO,
            unusable_nodes: Nodes::ZERO,
            cordoned_dedicated_nodes: Nodes::ZERO,
            cordoned_low_priority_nodes: Nodes::ZERO,
            task_slots_per_node: NonZeroU32::MIN,
            enable_auto_scale: false,
            lease: None,
            auto_scale_formula: None,
            etag: None,
            resize_errors: Vec::new(),
        }
    }
}

impl PoolRecord {
    /// Returns what a formula can read of the pool.
    pub fn facts(&self) -> PoolFacts {
        PoolFacts {
            target: self.target(),
            option: self.node_deallocation_option,
            current: self.current(),
            usable: self.usable_nodes,
            preempted: self.preempted_nodes,
            task_slots_per_node: self.task_slots_per_node.get(),
        }
    }

    /// Returns the pool by the id that it is known to have.
    pub fn state(&self, id: PoolId) -> PoolState {
        PoolState {
            id,
            vm_size: self.vm_size.clone(),
            allocation: self.allocation_state,
            target: self.target(),
            current: self.current(),
            nodes: NodeCounts {
                usable: self.usable_nodes,
                idle: self.idle_nodes,
                running: self.running_nodes,
                starting: self.starting_nodes,
                preempted: self.preempted_nodes,
                unusable: self.unusable_nodes,
            },
            cordoned: Mix {
                dedicated: self.cordoned_dedicated_nodes,
                spot: self.cordoned_low_priority_nodes,
            },
            task_slots_per_node: self.task_slots_per_node.get(),
            option: self.node_deallocation_option,
            auto_scale: self.enable_auto_scale,
            formula: self.formula(),
            etag: self.etag.as_deref().map(|etag| Etag(etag.into())),
            resize_errors: self.resize_errors.clone(),
        }
    }

    /// Returns the formula that it follows; a text of ours is known again.
    fn formula(&self) -> Option<OwnFormula> {
        let lease = self.lease.clone().map(OwnFormula::Lease);
        lease.or_else(|| self.auto_scale_formula.as_deref().map(OwnFormula::of))
    }

    fn target(&self) -> Mix {
        Mix {
            dedicated: self.target_dedicated_nodes,
            spot: self.target_low_priority_nodes,
        }
    }

    fn current(&self) -> Mix {
        Mix {
            dedicated: self.current_dedicated_nodes,
            spot: self.current_low_priority_nodes,
        }
    }
}

impl From<&PoolState> for PoolRecord {
    fn from(pool: &PoolState) -> Self {
        Self {
            id: Some(pool.id.clone()),
            vm_size: pool.vm_size.clone(),
            allocation_state: pool.allocation,
            target_dedicated_nodes: pool.target.dedicated,
            target_low_priority_nodes: pool.target.spot,
            node_deallocation_option: pool.option,
            current_dedicated_nodes: pool.current.dedicated,
            current_low_priority_nodes: pool.current.spot,
            usable_nodes: pool.nodes.usable,
            idle_nodes: pool.nodes.idle,
            running_nodes: pool.nodes.running,
            starting_nodes: pool.nodes.starting,
            preempted_nodes: pool.nodes.preempted,
            unusable_nodes: pool.nodes.unusable,
            cordoned_dedicated_nodes: pool.cordoned.dedicated,
            cordoned_low_priority_nodes: pool.cordoned.spot,
            task_slots_per_node: NonZeroU32::new(pool.task_slots_per_node).unwrap_or(NonZeroU32::MIN),
            enable_auto_scale: pool.auto_scale,
            lease: match &pool.formula {
                Some(OwnFormula::Lease(lease)) => Some(lease.clone()),
                Some(OwnFormula::Other(_)) | None => None,
            },
            auto_scale_formula: match &pool.formula {
                Some(OwnFormula::Other(text)) => Some(text.clone()),
                Some(OwnFormula::Lease(_)) | None => None,
            },
            etag: pool.etag.as_ref().map(|etag| etag.0.as_ref().to_owned()),
            resize_errors: pool.resize_errors.clone(),
        }
    }
}
