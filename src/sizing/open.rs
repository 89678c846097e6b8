//! Which nodes of a lane go on with other tasks, and which stay.

use crate::account::{NodeActivity, Work};
use crate::base::{Lane, Nodes};

/// The nodes of a lane, as a plan leaves them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// Ready nodes that take no further tasks.
    pub(super) closed: Nodes,
    /// Nodes that are not given back.
    pub(super) stay: Nodes,
    /// The free slots of the nodes that take further tasks.
    pub(super) room: usize,
}

/// Returns the nodes to close and those that stay, given whether the lane may go on with other tasks and the slots wanted in it.
///
/// The fullest nodes take tasks first, so that the others empty and can go; nodes without a task that are not wanted go.
pub(super) fn open(work: &Work, slots: u32, lane: Lane, (goes_on, wanted): (bool, usize)) -> Opened {
    let mut ready: Vec<u32> = work
        .nodes
        .iter()
        .filter(|node| node.lane == lane)
        .filter(|node| matches!(node.activity, NodeActivity::Ready | NodeActivity::Cordoned))
        .map(|node| node.busy_slots)
        .collect();
    ready.sort_unstable_by(|a, b| b.cmp(a));
    let idle = ready.iter().filter(|busy| **busy == 0).count();
    let mut room = 0;
    let mut open = 0_usize;
    for busy in &ready {
        if !goes_on || (*busy < slots && room >= wanted) {
            break;
        }
        room += slots.saturating_sub(*busy) as usize;
        open += 1;
    }
    let unwanted = idle - open.saturating_sub(ready.len() - idle);
    Opened {
        closed: Nodes((ready.len() - open - unwanted) as u32),
        stay: Nodes(count(work, lane).0 - unwanted as u32),
        room,
    }
}

/// Returns the spot nodes that are asked for whatever is needed, so that it is seen whether there are any: the return of spot is
/// seen when one more than there are is asked for, and without work nobody waits for it.
pub(super) fn feeler(work: &Work, is_away: bool, has_work: bool) -> Nodes {
    match (has_work, is_away) {
        (false, _) => Nodes::ZERO,
        (true, false) => Nodes(1),
        (true, true) => count(work, Lane::Spot) + Nodes(1),
    }
}

/// Returns how many nodes of a lane are there or boot.
pub(super) fn count(work: &Work, lane: Lane) -> Nodes {
    let there = work
        .nodes
        .iter()
        .filter(|node| node.lane == lane && node.activity.is_there());
    Nodes(there.count() as u32)
}
