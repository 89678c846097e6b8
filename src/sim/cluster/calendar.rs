//! What is going to happen, in order of time; what was noted first happens first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use crate::base::{Lane, Nodes, Span, Timestamp};

/// A node as it was when an event was noted; the event is void once the node has gone or started anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NodeRef {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// Something that is going to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A unit of spot capacity comes up, or goes down and takes its machines with it.
    Turned { unit: u32 },
    /// Machines of a lane are granted, as an order asked for.
    Granted { order: u64, lane: Lane, nodes: Nodes },
    /// Spot machines that were not to be had are asked for again.
    Retried,
    /// An order has had the time that it is given.
    TimedOut { order: u64 },
    /// A machine is ready for tasks.
    Booted { node: NodeRef },
    /// A machine is of no use any more.
    Broken { node: NodeRef },
    /// A machine that was of no use is booted again.
    Mended { node: NodeRef },
    /// A task ends well.
    Done { node: NodeRef, task: u32 },
    /// A spot machine is taken away; the service asks for another some time later.
    Evicted { node: NodeRef, back_after: Span },
    /// A machine that was taken away comes back.
    Restored { node: NodeRef },
    /// A machine that was leaving has left.
    Gone { node: NodeRef },
}

/// The events to come, of one pool or of a whole account.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "E: Ord + Serialize + serde::de::DeserializeOwned")]
pub(crate) struct Calendar<E = Event> {
    heap: BinaryHeap<Reverse<(Timestamp, u64, E)>>,
    noted: u64,
}

impl<E: Ord> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            noted: 0,
        }
    }
}

impl<E: Ord> Calendar<E> {
    pub(crate) fn note(&mut self, at: Timestamp, event: E) {
        self.heap.push(Reverse((at, self.noted, event)));
        self.noted += 1;
    }

    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<E> {
        self.heap.pop().map(|Reverse((.., event))| event)
    }
}

impl Calendar {
    /// Takes out the turn of a unit, when that is what happens next and at that very moment.
    pub(super) fn pop_turn(&mut self, now: Timestamp) -> Option<u32> {
        match self.heap.peek()? {
            Reverse((at, _, Event::Turned { unit })) if *at == now => {
                let unit = *unit;
                self.heap.pop();
                Some(unit)
            }
            _ => None,
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }
}
