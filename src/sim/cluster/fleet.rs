//! The nodes, what each of them runs, and which of them have room.

use std::collections::BTreeSet;

use super::Fill;
use super::calendar::NodeRef;
use super::meter::{Census, NodeState};
use super::queue::Past;
use crate::base::{Lane, Timestamp};

/// A task that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) task: u32,
    pub(super) slots: u32,
    pub(super) started: Timestamp,
    /// What became of it before this run.
    pub(super) past: Past,
}

/// One place for a node; places are used again.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) lane: Lane,
    /// `None` when nobody is here.
    pub(super) state: Option<NodeState>,
    /// It is to take no further tasks.
    pub(super) cordoned: bool,
    generation: u32,
    pub(super) free: u32,
    /// The unit of spot capacity that its machine is of.
    pub(super) unit: Option<u32>,
    /// When its machine was granted.
    pub(super) granted: Timestamp,
    /// Since when it does what an onlooker sees it do; being idle and running tasks are one.
    pub(super) since: Timestamp,
    pub(super) tasks: Vec<Running>,
}

impl Node {
    /// Says whether it could be given tasks if it were not cordoned.
    pub(super) const fn is_ready(&self) -> bool {
        matches!(self.state, Some(NodeState::Idle | NodeState::Running))
    }

    /// Says whether it is there and not about to go.
    pub(super) const fn stays(&self) -> bool {
        !matches!(self.state, None | Some(NodeState::Draining | NodeState::Leaving))
    }

    const fn takes_tasks(&self) -> bool {
        self.is_ready() && !self.cordoned
    }
}

/// All nodes of a pool.
#[derive(Debug)]
pub(super) struct Fleet {
    /// The time it is in the pool.
    pub(super) now: Timestamp,
    slots_per_node: u32,
    nodes: Vec<Node>,
    vacant: Vec<u32>,
    /// The nodes that take tasks, by their free slots.
    open: Vec<BTreeSet<u32>>,
    census: Census,
}

impl Fleet {
    pub(super) fn new(slots_per_node: u32, start: Timestamp) -> Self {
        Self {
            now: start,
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
    pub(super) fn add(&mut self, lane: Lane, unit: Option<u32>) -> NodeRef {
        let now = self.now;
        let index = self.vacant.pop().unwrap_or_else(|| {
            self.nodes.push(Node {
                lane,
                state: None,
                cordoned: false,
                generation: 0,
                free: 0,
                unit: None,
                granted: now,
                since: now,
                tasks: Vec::new(),
            });
            self.nodes.len() as u32 - 1
        });
        let node = &mut self.nodes[index as usize];
        node.lane = lane;
        node.free = self.slots_per_node;
        node.unit = unit;
        node.granted = now;
        node.since = now;
        node.state = Some(NodeState::Starting);
        self.census.enter(lane, NodeState::Starting);
        self.now_at(index)
    }

    /// Gives a preempted node another machine, which boots.
    pub(super) fn restart(&mut self, index: u32, unit: Option<u32>) {
        self.set_state(index, NodeState::Starting);
        let node = &mut self.nodes[index as usize];
        node.unit = unit;
        node.granted = self.now;
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

    /// Returns the node at a place, where there is one.
    pub(super) fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
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

    /// Returns every place and the node that is there.
    pub(super) fn nodes(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0..).zip(&self.nodes).filter(|(_, node)| node.state.is_some())
    }

    #[cfg(test)]
    pub(super) fn n_places(&self) -> usize {
        self.nodes.len()
    }

    /// Returns the nodes of a lane that are not leaving already.
    pub(super) fn staying(&self, lane: Lane) -> impl Iterator<Item = u32> + '_ {
        self.nodes()
            .filter(move |(_, node)| node.lane == lane && node.stays())
            .map(|(index, _)| index)
    }

    /// Returns the tasks that run anywhere.
    pub(super) fn running(&self) -> impl Iterator<Item = &Running> + '_ {
        self.nodes.iter().flat_map(|node| &node.tasks)
    }

    pub(super) fn set_state(&mut self, index: u32, state: NodeState) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        let before = node.state.replace(state).expect("the node is there");
        self.census.leave(node.lane, before);
        self.census.enter(node.lane, state);
        if node.cordoned && !node.is_ready() {
            node.cordoned = false;
            self.census.uncordon(node.lane, before);
        } else if node.cordoned {
            self.census.uncordon(node.lane, before);
            self.census.cordon(node.lane, state);
        }
        let is_ready = |state| matches!(state, NodeState::Idle | NodeState::Running);
        if !(is_ready(before) && is_ready(state)) {
            node.since = self.now;
        }
        self.reopen(index);
    }

    /// Lets a ready node take no further tasks, or take them again.
    pub(super) fn set_cordoned(&mut self, index: u32, cordoned: bool) {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        assert!(node.is_ready(), "only ready nodes are cordoned");
        let state = node.state.expect("a ready node is there");
        if node.cordoned != cordoned {
            node.cordoned = cordoned;
            node.since = self.now;
            if cordoned {
                self.census.cordon(node.lane, state);
            } else {
                self.census.uncordon(node.lane, state);
            }
        }
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
        let state = node.state.take().expect("the node is there");
        self.census.leave(node.lane, state);
        if std::mem::take(&mut node.cordoned) {
            self.census.uncordon(node.lane, state);
        }
        node.generation += 1;
        self.vacant.push(index);
    }

    /// Takes the machine of a node off its unit, and returns the unit.
    pub(super) fn take_unit(&mut self, index: u32) -> Option<u32> {
        self.nodes[index as usize].unit.take()
    }

    fn close(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        if node.takes_tasks() {
            self.open[node.free as usize].remove(&index);
        }
    }

    fn reopen(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        if node.takes_tasks() {
            self.open[node.free as usize].insert(index);
        }
    }
}
