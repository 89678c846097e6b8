//! How a pool stands, in the engine's terms, from what the service says of it and of its nodes.

use super::nodes::{PoolNodeCounts, ServiceNode, StateCounts};
use super::pools::Pool;
use super::words::{Allocation, NodeState};
use crate::account::{
    AllocationState, NodeActivity, NodeCounts, NodeDeallocationOption, OwnFormula, PoolId, PoolState,
    ResizeError,
};
use crate::base::{Mix, Nodes};

/// Returns a pool as the engine takes it; what its nodes do is added by [`add_counts`] or [`add_nodes`].
pub(super) fn pool_state(id: PoolId, pool: &Pool, option: NodeDeallocationOption) -> PoolState {
    PoolState {
        vm_size: pool.vm_size.as_deref().map(Into::into),
        allocation: match pool.allocation_state {
            Allocation::Steady => AllocationState::Steady,
            Allocation::Stopping => AllocationState::Stopping,
            // What is new to us is not taken for a pool that may be ordered.
            Allocation::Resizing | Allocation::Unknown => AllocationState::Resizing,
        },
        target: pool.target(),
        current: pool.current(),
        // One is the service's own default.
        task_slots_per_node: pool.task_slots_per_node.unwrap_or(1).max(1),
        option,
        auto_scale: pool.enable_auto_scale,
        formula: pool
            .auto_scale_formula
            .as_deref()
            .filter(|_| pool.enable_auto_scale)
            .map(OwnFormula::of),
        etag: pool.version(),
        resize_errors: pool
            .resize_errors
            .iter()
            .map(|error| ResizeError {
                code: error.code.as_str().into(),
                message: error.message.as_str().into(),
            })
            .collect(),
        ..PoolState::new(id)
    }
}

/// Adds what the nodes do by their counts; nodes without a task that take none are known, those with a task are not.
pub(super) fn add_counts(state: &mut PoolState, counts: &PoolNodeCounts) {
    let (dedicated, spot) = (&counts.dedicated, &counts.low_priority);
    let both = |of: fn(&StateCounts) -> u32| Nodes(of(dedicated).saturating_add(of(spot)));
    state.nodes = NodeCounts {
        usable: both(|counts| counts.idle.saturating_add(counts.running)),
        idle: both(|counts| counts.idle),
        running: both(|counts| counts.running),
        starting: both(|counts| {
            [
                counts.creating,
                counts.starting,
                counts.waiting_for_start_task,
                counts.rebooting,
                counts.reimaging,
                counts.upgrading_os,
            ]
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
        }),
        preempted: both(|counts| counts.preempted),
        unusable: both(|counts| {
            [
                counts.unusable,
                counts.start_task_failed,
                counts.offline,
                counts.unknown,
            ]
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
        }),
    };
    state.cordoned = Mix::new(dedicated.offline, spot.offline);
}

/// Adds what the nodes do, counted one by one.
pub(super) fn add_nodes(state: &mut PoolState, nodes: &[ServiceNode]) {
    let mut counts = NodeCounts::default();
    let mut cordoned = Mix::ZERO;
    for node in nodes {
        let place = match node.state {
            NodeState::Idle => &mut counts.idle,
            NodeState::Running => &mut counts.running,
            NodeState::Preempted => &mut counts.preempted,
            state if state.is_starting() => &mut counts.starting,
            state if state.is_leaving() => continue,
            _ => &mut counts.unusable,
        };
        place.0 += 1;
        if activity(node) == NodeActivity::Cordoned {
            let lane = node.lane();
            cordoned = cordoned.with(lane, cordoned.get(lane) + Nodes(1));
        }
    }
    counts.usable = counts.idle + counts.running;
    state.nodes = counts;
    state.cordoned = cordoned;
}

/// Returns what a node does.
pub(super) fn activity(node: &ServiceNode) -> NodeActivity {
    match node.state {
        NodeState::Idle | NodeState::Running if !node.is_cordoned() => NodeActivity::Ready,
        NodeState::Idle | NodeState::Running | NodeState::Offline => NodeActivity::Cordoned,
        NodeState::Preempted => NodeActivity::Preempted,
        state if state.is_starting() => NodeActivity::Starting,
        state if state.is_leaving() => NodeActivity::Leaving,
        _ => NodeActivity::Unusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::words::Scheduling;

    fn node(state: NodeState, scheduling_state: Scheduling, is_dedicated: bool) -> ServiceNode {
        ServiceNode {
            state,
            scheduling_state,
            is_dedicated: Some(is_dedicated),
            ..ServiceNode::default()
        }
    }

    #[test]
    fn counts_and_nodes_one_by_one_say_the_same() {
        let nodes = [
            node(NodeState::Idle, Scheduling::Enabled, true),
            node(NodeState::Running, Scheduling::Enabled, false),
            node(NodeState::Offline, Scheduling::Disabled, false),
            node(NodeState::Creating, Scheduling::Enabled, false),
            node(NodeState::StartTaskFailed, Scheduling::Enabled, true),
            node(NodeState::Preempted, Scheduling::Enabled, false),
            node(NodeState::LeavingPool, Scheduling::Enabled, false),
        ];
        let counts = PoolNodeCounts {
            dedicated: StateCounts {
                idle: 1,
                start_task_failed: 1,
                ..StateCounts::default()
            },
            low_priority: StateCounts {
                running: 1,
                offline: 1,
                creating: 1,
                preempted: 1,
                leaving_pool: 1,
                ..StateCounts::default()
            },
            ..PoolNodeCounts::default()
        };
        let mut by_counts = PoolState::new("p".parse().unwrap());
        let mut by_nodes = by_counts.clone();
        add_counts(&mut by_counts, &counts);
        add_nodes(&mut by_nodes, &nodes);
        assert_eq!(by_counts, by_nodes);
        assert_eq!(
            (by_nodes.nodes.usable, by_nodes.cordoned),
            (Nodes(2), Mix::new(0, 1))
        );
    }

    #[test]
    fn a_node_that_finishes_its_tasks_is_cordoned_before_it_is_offline() {
        let node = node(NodeState::Running, Scheduling::Disabled, true);
        assert_eq!(activity(&node), NodeActivity::Cordoned);
    }
}
