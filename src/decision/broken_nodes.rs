//! How long nodes of no use have been there, and what came of replacing them.

use serde::{Deserialize, Serialize};

use crate::account::{Order, PoolState};
use crate::base::{Nodes, Span, Timestamp};

/// What is remembered of the nodes of a pool that are of no use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct BrokenNodes {
    /// Those that are broken or failed at start: at least so many since such times, both rising.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unusable: Vec<AtLeast>,
    /// Those that the provider took, likewise.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preempted: Vec<AtLeast>,
    /// Orders that replaced broken ones, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<Replaced>,
}

/// So many nodes at every look since a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AtLeast {
    since: Timestamp,
    nodes: Nodes,
}

/// An order that replaced broken nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replaced {
    /// When.
    pub at: Timestamp,
    /// How many.
    pub nodes: Nodes,
    /// How many of them had come in the place of others that broke.
    #[serde(default, skip_serializing_if = "is_none")]
    pub again: Nodes,
}

impl BrokenNodes {
    /// How long replacements are kept, which is the longest that a breaker may look back.
    pub const KEPT: Span = Span::hours(48);

    /// Takes in a look at a pool. Counts are enough: that two were broken at every look of half an hour means two that have been
    /// for so long, or some that follow each other, which is no better; an order names nodes by how long each has been.
    pub fn see(&mut self, now: Timestamp, pool: &PoolState) {
        // Those that take no further tasks are counted with the broken ones.
        let broken = pool.nodes.unusable.saturating_sub(pool.cordoned.total());
        note(&mut self.unusable, now, broken);
        note(&mut self.preempted, now, pool.nodes.preempted);
        let oldest = now - Self::KEPT;
        self.replaced.retain(|order| order.at >= oldest);
    }

    /// Takes in an order that was taken.
    pub fn ordered(&mut self, order: &Order) {
        let Some(replacement) = &order.replace else {
            return;
        };
        // Whatever did not go has to wait as long again, so that it is not ordered at every look.
        if replacement.away > Nodes::ZERO {
            self.preempted.clear();
        }
        if replacement.broken > Nodes::ZERO {
            self.unusable.clear();
            let before: Nodes = self.replaced.iter().map(|order| order.nodes).sum();
            self.replaced.push(Replaced {
                at: order.at,
                nodes: replacement.broken,
                again: replacement.broken.min(before),
            });
        }
    }

    /// Returns how many broken nodes there have been at every look since a moment.
    pub fn unusable_since(&self, moment: Timestamp) -> Nodes {
        at_least(&self.unusable, moment)
    }

    /// Returns how many preempted nodes there have been at every look since a moment.
    pub fn preempted_since(&self, moment: Timestamp) -> Nodes {
        at_least(&self.preempted, moment)
    }
}

// Serde hands over a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_none(nodes: &Nodes) -> bool {
    *nodes == Nodes::ZERO
}

/// Notes a count: what was more is no longer at every look, and what was as much or less still is.
fn note(list: &mut Vec<AtLeast>, now: Timestamp, nodes: Nodes) {
    let mut since = now;
    while let Some(last) = list.pop_if(|last| last.nodes >= nodes) {
        since = last.since;
    }
    if nodes > Nodes::ZERO {
        list.push(AtLeast { since, nodes });
    }
}

fn at_least(list: &[AtLeast], moment: Timestamp) -> Nodes {
    let known = list.iter().rev().find(|known| known.since <= moment);
    known.map_or(Nodes::ZERO, |known| known.nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Replacement;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::EPOCH + Span::minutes(minute)
    }

    fn pool(unusable: u32) -> PoolState {
        let mut pool = PoolState::new("p".parse().unwrap());
        pool.nodes.unusable = Nodes(unusable);
        pool
    }

    #[test]
    fn what_was_there_at_every_look_is_the_least_of_the_counts() {
        let mut memory = BrokenNodes::default();
        let counts = [1, 3, 2, 2, 5, 4, 0, 2];
        for (at, count) in (0..).zip(counts) {
            memory.see(minute(at), &pool(count));
            for since in 0..=at {
                let least = counts[since as usize..=at as usize].iter().min().unwrap();
                assert_eq!(
                    memory.unusable_since(minute(since)),
                    Nodes(*least),
                    "from {since} to {at}"
                );
            }
        }
        assert_eq!(memory.unusable_since(minute(-1)), Nodes::ZERO);
    }

    #[test]
    fn nodes_that_break_again_are_counted_and_forgotten_after_two_days() {
        let mut memory = BrokenNodes::default();
        let order = |at, broken| Order {
            replace: Some(Replacement {
                broken: Nodes(broken),
                broken_before: minute(at),
                away: Nodes::ZERO,
                away_before: minute(at),
            }),
            ..Order::new("p".parse().unwrap(), minute(at))
        };
        memory.see(minute(0), &pool(3));
        memory.ordered(&order(30, 3));
        assert_eq!(memory.unusable_since(minute(30)), Nodes::ZERO);
        memory.ordered(&order(60, 2));
        memory.ordered(&order(90, 9));
        let again: Vec<Nodes> = memory.replaced.iter().map(|order| order.again).collect();
        assert_eq!(again, [Nodes(0), Nodes(2), Nodes(5)]);
        memory.see(minute(90) + BrokenNodes::KEPT, &pool(0));
        assert_eq!(memory.replaced.len(), 1);
    }
}
