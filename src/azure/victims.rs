//! Which nodes go and which take no further tasks: pure choices over a list of nodes.
//!
//! They are those of the simulator: what costs least to lose goes first, and among equals the youngest.

use std::cmp::Reverse;

use super::nodes::{REMOVED_AT_ONCE_MAX, ServiceNode};
use super::standing::activity;
use super::words::NodeState;
use crate::account::{NodeActivity, Replacement};
use crate::base::{Lane, Mix, Nodes, Timestamp};

/// How a pool shrinks by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shrink {
    /// The targets that the pool must have before nodes are removed: what grows, and of what shrinks all that is there.
    pub(super) first: Mix,
    /// The nodes that go then; the targets sink with them.
    pub(super) victims: Vec<String>,
}

/// Chooses the nodes that go so that a pool with the target `from` comes down to another one, or as near as nodes without a task
/// allow.
///
/// Nodes beyond the target that the pool has are on their way out, or the list is old: they are no reason to raise it.
pub(super) fn shrink((from, target): (Mix, Mix), nodes: &[ServiceNode]) -> Shrink {
    let mut first = target;
    let mut victims = Vec::new();
    for lane in Lane::ALL {
        let here = |node: &&ServiceNode| node.lane() == lane && activity(node) != NodeActivity::Leaving;
        let have = Nodes(u32::try_from(nodes.iter().filter(here).count()).unwrap_or(u32::MAX));
        let have = have.min(from.get(lane).max(target.get(lane)));
        let excess = have.saturating_sub(target.get(lane)).0 as usize;
        if excess == 0 {
            continue;
        }
        first = first.with(lane, have);
        let mut may_go: Vec<_> = nodes.iter().filter(here).filter_map(rank).collect();
        may_go.sort_unstable();
        victims.extend(may_go.into_iter().take(excess).map(|(_, _, _, id)| id.to_owned()));
    }
    Shrink { first, victims }
}

/// Returns the nodes of no use that are replaced: those that have been so for long enough, the longest first, and no more than can be
/// removed at once.
pub(super) fn broken(replacement: &Replacement, nodes: &[ServiceNode]) -> Vec<String> {
    let Replacement {
        broken,
        broken_before,
        away,
        away_before,
    } = *replacement;
    let of = |states: &'static [NodeState], before: Timestamp, most: Nodes| {
        let mut found: Vec<_> = nodes
            .iter()
            .filter(|node| states.contains(&node.state) && node.running_tasks_count == 0)
            .filter_map(|node| Some((node.state_transition_time?, &node.id)))
            .filter(|(since, _)| *since <= before)
            .collect();
        found.sort_unstable();
        found.truncate(most.0 as usize);
        found
    };
    let broken = of(
        &[NodeState::Unusable, NodeState::StartTaskFailed],
        broken_before,
        broken,
    );
    let away = of(&[NodeState::Preempted], away_before, away);
    let chosen = broken.into_iter().chain(away).map(|(_, id)| id.clone());
    chosen.take(REMOVED_AT_ONCE_MAX).collect()
}

/// Returns how soon a node goes, sooner ones first, or nothing when it must stay.
fn rank(node: &ServiceNode) -> Option<(u8, bool, Reverse<i64>, &str)> {
    if node.running_tasks_count > 0 {
        return None;
    }
    let place = match activity(node) {
        NodeActivity::Preempted => 0,
        NodeActivity::Unusable => 1,
        NodeActivity::Ready | NodeActivity::Cordoned => 2,
        // Some never come up, and would stay for good.
        NodeActivity::Starting => 3,
        NodeActivity::Leaving => return None,
    };
    Some((place, !node.is_cordoned(), Reverse(age(node)), &node.id))
}

fn age(node: &ServiceNode) -> i64 {
    node.allocation_time.map_or(0, crate::base::Timestamp::ticks)
}

/// Returns the nodes of a lane that change, and whether they shall take no further tasks: the emptiest, and the youngest among
/// equals. When it is fewer than now, those with most room take tasks again.
pub(super) fn cordons(lane: Lane, want: Nodes, nodes: &[ServiceNode]) -> (Vec<String>, bool) {
    let of = |wanted: NodeActivity| {
        nodes
            .iter()
            .filter(move |node| node.lane() == lane && activity(node) == wanted)
    };
    let have = of(NodeActivity::Cordoned).count();
    let want = want.0 as usize;
    let disable = want > have;
    let from = if disable {
        NodeActivity::Ready
    } else {
        NodeActivity::Cordoned
    };
    let mut changing: Vec<_> = of(from)
        .map(|node| (node.busy_slots(), Reverse(age(node)), &node.id))
        .collect();
    changing.sort_unstable();
    let n_changes = want.abs_diff(have);
    let ids = changing.into_iter().take(n_changes).map(|(_, _, id)| id.clone());
    (ids.collect(), disable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::words::Scheduling;

    fn node(id: &str, state: NodeState, tasks: u32, born: i64) -> ServiceNode {
        ServiceNode {
            id: id.to_owned(),
            state,
            running_tasks_count: tasks,
            allocation_time: Some(Timestamp::from_unix_seconds(born)),
            is_dedicated: Some(id.starts_with('d')),
            ..ServiceNode::default()
        }
    }

    fn pool() -> Vec<ServiceNode> {
        vec![
            node("d1", NodeState::Running, 1, 1),
            node("d2", NodeState::Idle, 0, 2),
            node("s1", NodeState::Idle, 0, 1),
            node("s2", NodeState::Running, 2, 2),
            node("s3", NodeState::Idle, 0, 3),
            node("s4", NodeState::Preempted, 0, 4),
            node("s5", NodeState::Creating, 0, 5),
            node("s6", NodeState::LeavingPool, 0, 6),
        ]
    }

    #[test]
    fn nodes_of_no_use_go_when_they_have_been_so_for_long_enough() {
        let at = Timestamp::from_unix_seconds;
        let since = |id, state, second| ServiceNode {
            state_transition_time: Some(at(second)),
            ..node(id, state, 0, 1)
        };
        let nodes = [
            since("d1", NodeState::Unusable, 50),
            since("d2", NodeState::StartTaskFailed, 20),
            since("s1", NodeState::Unusable, 70),
            since("s2", NodeState::Preempted, 10),
            since("s3", NodeState::Preempted, 40),
            since("s4", NodeState::Idle, 1),
            node("s5", NodeState::Unusable, 0, 1),
        ];
        let of = |most_broken, most_away| {
            let replacement = Replacement {
                broken: Nodes(most_broken),
                broken_before: at(60),
                away: Nodes(most_away),
                away_before: at(30),
            };
            broken(&replacement, &nodes)
        };
        assert_eq!(of(9, 9), ["d2", "d1", "s2"]);
        assert_eq!(of(1, 0), ["d2"]);
    }

    #[test]
    fn what_costs_least_goes_and_tasks_keep_their_nodes() {
        let of = |target| shrink((Mix::new(2, 5), target), &pool());
        let victims = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let expected = |first, names: &[&str]| Shrink {
            first,
            victims: victims(names),
        };
        assert_eq!(of(Mix::new(2, 5)), expected(Mix::new(2, 5), &[]));
        assert_eq!(of(Mix::new(2, 3)), expected(Mix::new(2, 5), &["s4", "s3"]));
        // Only nodes without a task go, however few are wanted, and those that boot come last.
        assert_eq!(
            of(Mix::new(0, 0)),
            expected(Mix::new(2, 5), &["d2", "s4", "s3", "s1", "s5"])
        );
        // One lane grows, the other is brought down to what is there first.
        assert_eq!(of(Mix::new(7, 4)), expected(Mix::new(7, 5), &["s4"]));
        // A list that has more than the target does not raise it.
        let of = |target| shrink((Mix::new(2, 4), target), &pool());
        assert_eq!(of(Mix::new(2, 3)), expected(Mix::new(2, 4), &["s4"]));
        assert_eq!(of(Mix::new(2, 5)), expected(Mix::new(2, 5), &[]));
    }

    #[test]
    fn the_emptiest_and_youngest_are_cordoned_first_and_freed_first() {
        let mut nodes = pool();
        let (ids, disable) = cordons(Lane::Spot, Nodes(2), &nodes);
        assert_eq!((ids, disable), (vec!["s3".to_owned(), "s1".to_owned()], true));
        for node in &mut nodes {
            if ["s1", "s2", "s3"].contains(&node.id.as_str()) {
                node.scheduling_state = Scheduling::Disabled;
            }
        }
        let (ids, disable) = cordons(Lane::Spot, Nodes(1), &nodes);
        assert_eq!((ids, disable), (vec!["s3".to_owned(), "s1".to_owned()], false));
        assert_eq!(cordons(Lane::Spot, Nodes(3), &nodes).0, [] as [String; 0]);
    }
}
