//! The nodes of a pool from look to look: since when each does what it does, and how those that went have gone.

use std::collections::HashMap;

use super::nodes::ServiceNode;
use super::standing::activity;
use super::words::NodeState;
use crate::account::{Node, NodeActivity, NodeEnd};
use crate::base::{Lane, Timestamp};

/// The nodes that were there at the last look, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster(Option<HashMap<String, Known>>);

#[derive(Clone, Copy, Debug)]
struct Known {
    node: Node,
    state: NodeState,
}

impl Roster {
    /// Takes in a look; nothing has ended at the first one.
    ///
    /// An eviction shows as a node that is `preempted`, or as a spot node that is created anew although it was ready at the
    /// last look. A node that is gone was removed, unless it was preempted before, when its end has been told already.
    pub(super) fn see(
        &mut self,
        now: Timestamp,
        nodes: &[ServiceNode],
        into: &mut Vec<Node>,
        ended: &mut Vec<NodeEnd>,
    ) {
        let mut before = self.0.take();
        let mut known = HashMap::with_capacity(nodes.len());
        for node in nodes {
            let old = before.as_mut().and_then(|before| before.remove(&node.id));
            let (new, end) = follow(now, node, old);
            ended.extend(end);
            into.push(new.node);
            known.insert(node.id.clone(), new);
        }
        let mut gone: Vec<_> = before.into_iter().flatten().collect();
        // A map has no order of its own.
        gone.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let removed = gone
            .iter()
            .filter(|(_, known)| known.node.activity != NodeActivity::Preempted);
        ended.extend(removed.map(|(_, known)| end(&known.node, now, false)));
        self.0 = Some(known);
    }
}

/// Returns a node as it is now, and its end if its machine was taken since the last look.
fn follow(now: Timestamp, seen: &ServiceNode, old: Option<Known>) -> (Known, Option<NodeEnd>) {
    let changed = seen.state_transition_time.unwrap_or(now).min(now);
    let mut node = Node {
        lane: seen.lane(),
        activity: activity(seen),
        since: changed,
        granted: seen.allocation_time.unwrap_or(changed).min(now),
        busy_slots: seen.busy_slots(),
    };
    let mut ended = None;
    if let Some(old) = old {
        node.granted = old.node.granted;
        if node.activity == old.node.activity {
            // Idle and running are the same to us, and the service's time is that of the last change between them.
            node.since = old.node.since;
        }
        let was_there = old.node.activity != NodeActivity::Preempted;
        let is_new_machine = seen.state == NodeState::Creating && old.state != NodeState::Creating;
        match node.activity {
            NodeActivity::Preempted if was_there => ended = Some(end(&old.node, changed, true)),
            NodeActivity::Preempted => {}
            // The machine that came back is another one.
            _ if !was_there => node.granted = changed,
            _ if is_new_machine && node.lane == Lane::Spot => {
                ended = Some(end(&old.node, changed, true));
                node.granted = changed;
                node.since = changed;
            }
            _ => {}
        }
    }
    let state = seen.state;
    (Known { node, state }, ended)
}

fn end(node: &Node, at: Timestamp, evicted: bool) -> NodeEnd {
    NodeEnd {
        lane: node.lane,
        granted: node.granted,
        at: at.max(node.granted),
        evicted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn spot(id: &str, state: NodeState, since: i64) -> ServiceNode {
        ServiceNode {
            id: id.to_owned(),
            state,
            state_transition_time: Some(at(since)),
            allocation_time: Some(at(0)),
            is_dedicated: Some(false),
            ..ServiceNode::default()
        }
    }

    fn see(roster: &mut Roster, now: i64, nodes: &[ServiceNode]) -> (Vec<Node>, Vec<(i64, i64, bool)>) {
        let (mut there, mut ended) = (Vec::new(), Vec::new());
        roster.see(at(now), nodes, &mut there, &mut ended);
        let ended = ended.iter().map(|end| {
            let seconds = |time: Timestamp| time.unix_seconds() as i64;
            (seconds(end.granted), seconds(end.at), end.evicted)
        });
        (there, ended.collect())
    }

    #[test]
    fn evictions_are_told_from_removals() {
        let mut roster = Roster::default();
        let nodes = ["a", "b", "c"].map(|id| spot(id, NodeState::Running, 10));
        assert_eq!(see(&mut roster, 100, &nodes).1, []);
        // One is preempted, one is removed.
        let nodes = [
            spot("a", NodeState::Preempted, 120),
            spot("c", NodeState::Idle, 130),
        ];
        assert_eq!(see(&mut roster, 160, &nodes).1, [(0, 120, true), (0, 160, false)]);
        // The preempted one stays as it is, then comes back as another machine.
        assert_eq!(see(&mut roster, 200, &nodes).1, []);
        let nodes = [
            spot("a", NodeState::Starting, 210),
            spot("c", NodeState::Idle, 130),
        ];
        let (there, ended) = see(&mut roster, 220, &nodes);
        assert_eq!((there[0].granted, ended), (at(210), vec![]));
        // It is removed when it is preempted again: its end was told before.
        let nodes = [spot("a", NodeState::Preempted, 230)];
        assert_eq!(
            see(&mut roster, 240, &nodes).1,
            [(210, 230, true), (0, 240, false)]
        );
        assert_eq!(see(&mut roster, 260, &[]).1, []);
    }

    #[test]
    fn a_machine_that_was_replaced_between_two_looks_was_taken() {
        let mut roster = Roster::default();
        see(&mut roster, 100, &[spot("a", NodeState::Running, 10)]);
        let (there, ended) = see(&mut roster, 200, &[spot("a", NodeState::Creating, 150)]);
        assert_eq!((there[0].granted, ended), (at(150), vec![(0, 150, true)]));
    }

    #[test]
    fn idle_and_running_are_one_to_us() {
        let mut roster = Roster::default();
        see(&mut roster, 100, &[spot("a", NodeState::Idle, 10)]);
        let (there, _) = see(&mut roster, 200, &[spot("a", NodeState::Running, 150)]);
        assert_eq!(there[0].since, at(10));
    }
}
