//! What is going to happen, in order of time; what was noted first happens first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::base::{Lane, Nodes, Timestamp};

/// A node as it was when an event was noted; the event is void once the node has gone or started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeRef {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// Something that is going to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// Machines of a lane are granted.
    Granted { lane: Lane, nodes: Nodes },
    /// A machine is ready for tasks.
    Booted { node: NodeRef },
    /// A task ends well.
    Done { node: NodeRef, task: u32 },
    /// A spot machine is taken away.
    Evicted { node: NodeRef },
    /// A machine that was taken away comes back.
    Restored { node: NodeRef },
    /// A machine that was leaving has left.
    Gone { node: NodeRef },
}

/// The events to come.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    heap: BinaryHeap<Reverse<(Timestamp, u64, Event)>>,
    noted: u64,
}

impl Calendar {
    pub(super) fn note(&mut self, at: Timestamp, event: Event) {
        self.heap.push(Reverse((at, self.noted, event)));
        self.noted += 1;
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.heap.pop().map(|Reverse((.., event))| event)
    }
}
