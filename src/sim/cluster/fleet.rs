//! The nodes, what each of them runs, and which of them have room.

use std::collections::BTreeSet;

use super::Fill;
use super::calendar::NodeRef;
use super::meter::{Census, NodeState};
use crate::base::{Lane, Timestamp};

/// A task that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) task: u32,
    pub(super) slots: u32,
    pub(super) started: Timestamp,
}

/// One place for a node; places are used again.
#[derive(Debug)]
struct Node {
    lane: Lane,
    /// `None` when nobody is here.
    state: Option<NodeState>,
    generation: u32,
    free: u32,
    tasks: Vec<Running>,
}

/// All nodes of a pool.
#[derive(Debug)]
pub(super) struct Fleet {
    slots_per_node: u32,
    nodes: Vec<Node>,
    vacant: Vec<u32>,
    /// The nodes that take tasks, by their free slots.
    open: Vec<BTreeSet<u32>>,
    census: Census,
}

impl Fleet {
    pub(super) fn new(slots_per_node: u32) -> Self {
        Self {
            slots_per_node,
            nodes: Vec::new(),
            vacant: Vec::new(),
            open: vec![BTreeSet::new(); slots_per_node as usize + 1],
            census: Census::default(),
        }
    }

    pub(super) const fn census(&self) -> &Census {
        &self.census
    }

    /// Adds a node that boots.
    pub(super) fn add(&mut self, lane: Lane) -> NodeRef {
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.nodes.push(Node {
                lane,
                state: None,
                generation: 0,
                free: 0,
                tasks: Vec::new(),
            });
            self.nodes.len() as u32 - 1
        });
        let node = &mut self.nodes[index as usize];
        node.lane = lane;
        node.free = self.slots_per_node;
        node.state = Some(NodeState::Starting);
        self.census.enter(lane, NodeState::Starting);
        self.now_at(index)
    }

    /// Returns the node at a place as it is now.
    pub(super) fn now_at(&self, index: u32) -> NodeRef {
        NodeRef {
            index,
            generation: self.nodes[index as usize].generation,
        }
    }

    /// Says whether a node is still what it was when it was referred to.
    pub(super) fn is_current(&self, node: NodeRef) -> bool {
        self.nodes[node.index as usize].generation == node.generation
    }

    pub(super) fn lane(&self, index: u32) -> Lane {
        self.nodes[index as usize].lane
    }

    pub(super) fn state(&self, index: u32) -> NodeState {
        self.nodes[index as usize].state.expect("the node is there")
    }

    pub(super) fn n_tasks(&self, index: u32) -> usize {
        self.nodes[index as usize].tasks.len()
    }

    /// Returns the nodes of a lane that are not leaving already.
    pub(super) fn staying(&self, lane: Lane) -> impl Iterator<Item = u32> + '_ {
        let stays = move |node: &Node| {
            node.lane == lane
                && node
                    .state
                    .is_some_and(|state| !matches!(state, NodeState::Draining | NodeState::Leaving))
        };
        (0..)
            .zip(&self.nodes)
            .filter(move |(_, node)| stays(node))
            .map(|(index, _)| index)
    }

    /// Returns the tasks that run anywhere.
    pub(super) fn running(&self) -> impl Iterator<Item = Running> + '_ {
        self.nodes.iter().flat_map(|node| node.tasks.iter().copied())
    }

    pub(super) fn set_state(&mut self, index: u32, state: NodeState) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        self.census
            .leave(node.lane, node.state.expect("the node is there"));
        self.census.enter(node.lane, state);
        node.state = Some(state);
        self.reopen(index);
    }

    /// Returns the node that a task of so many slots is given.
    pub(super) fn room_for(&self, slots: u32, fill: Fill) -> Option<u32> {
        let enough = &self.open[slots as usize..];
        let first = |nodes: &BTreeSet<u32>| nodes.first().copied();
        match fill {
            Fill::Spread => enough.iter().rev().find_map(first),
            Fill::Pack => enough.iter().find_map(first),
        }
    }

    pub(super) fn start(&mut self, index: u32, running: Running) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        node.free -= running.slots;
        node.tasks.push(running);
        self.census.busy_slots += u64::from(running.slots);
        self.set_state(index, NodeState::Running);
    }

    /// Ends a task; a node without tasks is idle, or done with draining.
    pub(super) fn finish(&mut self, index: u32, task: u32) -> Running {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        let at = node.tasks.iter().position(|running| running.task == task);
        let running = node
            .tasks
            .swap_remove(at.expect("a current node runs the tasks that end on it"));
        node.free += running.slots;
        self.census.busy_slots -= u64::from(running.slots);
        if node.tasks.is_empty() && node.state == Some(NodeState::Running) {
            self.set_state(index, NodeState::Idle);
        } else {
            self.reopen(index);
        }
        running
    }

    /// Moves a node's tasks into `into` and voids every event about it.
    pub(super) fn evacuate(&mut self, index: u32, into: &mut Vec<Running>) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        for running in node.tasks.drain(..) {
            self.census.busy_slots -= u64::from(running.slots);
            into.push(running);
        }
        node.free = self.slots_per_node;
        node.generation += 1;
        self.reopen(index);
    }

    /// Takes a node without tasks away for good.
    pub(super) fn remove(&mut self, index: u32) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        assert!(node.tasks.is_empty(), "no node goes with a task");
        self.census
            .leave(node.lane, node.state.take().expect("the node is there"));
        node.generation += 1;
        self.vacant.push(index);
    }

    fn takes_tasks(&self, index: u32) -> bool {
        matches!(
            self.nodes[index as usize].state,
            Some(NodeState::Idle | NodeState::Running)
        )
    }

    fn close(&mut self, index: u32) {
        if self.takes_tasks(index) {
            self.open[self.nodes[index as usize].free as usize].remove(&index);
        }
    }

    fn reopen(&mut self, index: u32) {
        if self.takes_tasks(index) {
            self.open[self.nodes[index as usize].free as usize].insert(index);
        }
    }
}
