//! Target tracking as nomad-autoscaler does it: the `target-value` strategy with its threshold, then a cooldown.
//!
//! Source: hashicorp/nomad-autoscaler, `plugins/builtin/strategy/target-value/plugin/plugin.go` and the agent's defaults
//! (interval 10 s, cooldown 5 min). The metric is the load of a node, the slots that tasks hold or wait for over the slots of
//! the nodes; without nodes it is that of one node. Its target is 1.

use super::pilot::{Sight, Wish};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};

/// A factor this close to 1 changes nothing; `threshold`, 0.01 by default.
const THRESHOLD: f64 = 0.01;

/// Nothing is done for so long after an action; `default_cooldown`.
const COOLDOWN: Span = Span::minutes(5);

/// The rule with what it remembers.
#[derive(Debug)]
pub(super) struct Nomad {
    lane: Lane,
    most: Nodes,
    acted: Option<Timestamp>,
}

impl Nomad {
    /// `default_evaluation_interval`.
    pub(super) const INTERVAL: Span = Span::seconds(10);

    pub(super) const fn new(lane: Lane, most: Nodes) -> Self {
        Self {
            lane,
            most,
            acted: None,
        }
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>) -> Option<Wish> {
        // A target that is not ready is not scaled.
        if sight.cluster.is_granting() {
            return None;
        }
        if self.acted.is_some_and(|acted| sight.now.since(acted) < COOLDOWN) {
            return None;
        }
        let count = sight.pool.target.get(self.lane);
        let slots = sight.wanted_slots() as f64 / f64::from(sight.pool.task_slots_per_node);
        let load = slots / count.as_f64().max(1.0);
        let wanted = target_value(count, load, 1.0)?.min(self.most);
        if wanted == count {
            return None;
        }
        self.acted = Some(sight.now);
        Some(Wish::draining(Mix::ZERO.with(self.lane, wanted)))
    }
}

/// Returns the new count; `None` when the factor is close to 1.
fn target_value(count: Nodes, metric: f64, target: f64) -> Option<Nodes> {
    let factor = if target == 0.0 { metric } else { metric / target };
    if count == Nodes::ZERO {
        return Some(Nodes::ceil(factor));
    }
    let moves = !(1.0 - THRESHOLD..=1.0 + THRESHOLD).contains(&factor);
    // The product of a quotient may lie a hair above a whole number that it stands for.
    moves.then(|| Nodes::ceil(count.as_f64() * factor - 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_follows_the_factor_beyond_the_threshold() {
        for (count, metric, target, expected) in [
            (10, 1.5, 1.0, Some(15)),
            (10, 1.01, 1.0, None),
            (10, 0.991, 1.0, None),
            (10, 1.02, 1.0, Some(11)),
            (10, 0.98, 1.0, Some(10)),
            (10, 0.0, 1.0, Some(0)),
            // From nothing the factor itself is the count.
            (0, 2.5, 1.0, Some(3)),
            (0, 0.0, 1.0, Some(0)),
            // A target of nothing: the metric is the factor.
            (2, 3.0, 0.0, Some(6)),
        ] {
            assert_eq!(target_value(Nodes(count), metric, target), expected.map(Nodes));
        }
    }
}
