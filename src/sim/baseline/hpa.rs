//! Target tracking as the horizontal pod autoscaler of Kubernetes does it, with its defaults.
//!
//! Source: "Horizontal Pod Autoscaling", kubernetes.io, sections "Algorithm details" and "Configurable scaling behavior", and
//! `pkg/controller/podautoscaler` (`horizontal.go`, `replica_calculator.go`, read November 2026). The metric is an external
//! one with a target average for each pod: the slots that tasks hold or wait for, and the slots of a node.

use std::collections::VecDeque;

use super::pilot::{Sight, Wish};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};

/// A ratio this close to 1 changes nothing; `--horizontal-pod-autoscaler-tolerance`.
const TOLERANCE: f64 = 0.1;

/// Nodes go only when they were wanted at no moment of so long; `scaleDown.stabilizationWindowSeconds`.
const STABILISATION: Span = Span::minutes(5);

/// How far back the default policies look: `periodSeconds`.
const PERIOD: Span = Span::seconds(15);

/// In a period as many pods may be added as there were at its start ...
const UP_PERCENT: f64 = 100.0;

/// ... or so many, whichever is more; all may go at once.
const UP_PODS: f64 = 4.0;

/// `minReplicas`; none at all needs a feature that is off by default.
const LEAST: Nodes = Nodes(1);

/// The rule with what it remembers.
#[derive(Debug)]
pub(super) struct Hpa {
    lane: Lane,
    most: Nodes,
    /// `spec.replicas`, which the pool follows as soon as it takes an order; the pool's target before the first look.
    replicas: Option<Nodes>,
    /// What was wanted and when, the oldest first.
    wanted: VecDeque<(Timestamp, Nodes)>,
    /// By how much the count changed and when, the oldest first.
    changes: VecDeque<(Timestamp, f64)>,
}

impl Hpa {
    /// `--horizontal-pod-autoscaler-sync-period`.
    pub(super) const INTERVAL: Span = Span::seconds(15);

    pub(super) const fn new(lane: Lane, most: Nodes) -> Self {
        Self {
            lane,
            most,
            replicas: None,
            wanted: VecDeque::new(),
            changes: VecDeque::new(),
        }
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>) -> Wish {
        let current = self.replicas.unwrap_or_else(|| sight.pool.target.get(self.lane));
        let per_node = f64::from(sight.pool.task_slots_per_node);
        let wanted = replicas(current, sight.wanted_slots() as f64, per_node);
        let count = self.behave(sight.now, current, wanted);
        self.replicas = Some(count);
        Wish::draining(Mix::ZERO.with(self.lane, count))
    }

    /// Holds what is wanted against the stabilisation window, the policies and the bounds.
    fn behave(&mut self, now: Timestamp, current: Nodes, wanted: Nodes) -> Nodes {
        self.wanted.push_back((now, wanted));
        while self
            .wanted
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= STABILISATION)
        {
            self.wanted.pop_front();
        }
        // Up at once, down only to the most that was wanted in the window.
        let most_wanted = self
            .wanted
            .iter()
            .map(|(_, nodes)| *nodes)
            .max()
            .unwrap_or(wanted);
        let stable = if wanted > current {
            wanted
        } else {
            current.min(most_wanted)
        };
        let count = stable
            .min(self.limit_up(now, current))
            .clamp(LEAST, self.most.max(LEAST));
        if count != current {
            self.changes.push_back((now, count.as_f64() - current.as_f64()));
        }
        count
    }

    /// Returns the most nodes that the policies let there be.
    fn limit_up(&mut self, now: Timestamp, current: Nodes) -> Nodes {
        while self
            .changes
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= PERIOD)
        {
            self.changes.pop_front();
        }
        let changed: f64 = self.changes.iter().map(|(_, change)| change).sum();
        let at_start = current.as_f64() - changed;
        let limit = (at_start + UP_PODS).max((at_start * (1.0 + UP_PERCENT / 100.0)).ceil());
        Nodes::ceil(limit).max(current)
    }
}

/// Returns the replicas that bring the average to its target, or as many as there are when it is close to that.
fn replicas(current: Nodes, usage: f64, target_average: f64) -> Nodes {
    let ratio = usage / (target_average * current.as_f64());
    if current > Nodes::ZERO && (1.0 - TOLERANCE..=1.0 + TOLERANCE).contains(&ratio) {
        current
    } else {
        Nodes::ceil(usage / target_average)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_within_the_tolerance_changes_nothing() {
        for (current, usage, expected) in [
            // 43 slots on 10 nodes of 4: a ratio of 1.075.
            (10, 43.0, 10),
            (10, 44.0, 10),
            (10, 45.0, 12),
            (10, 36.0, 10),
            (10, 35.0, 9),
            (0, 9.0, 3),
            (3, 0.0, 0),
        ] {
            assert_eq!(
                replicas(Nodes(current), usage, 4.0),
                Nodes(expected),
                "{current} {usage}"
            );
        }
    }

    #[test]
    fn growth_doubles_in_fifteen_seconds_or_adds_four() {
        let mut hpa = Hpa::new(Lane::Dedicated, Nodes(100));
        let at = Timestamp::from_unix_seconds;
        let mut count = Nodes(1);
        let mut seen = Vec::new();
        for look in 0..6 {
            count = hpa.behave(at(15 * look), count, Nodes(64));
            seen.push(count.0);
        }
        assert_eq!(seen, [5, 10, 20, 40, 64, 64]);
        // Twice within one period: what was added counts from the period's start.
        let mut hpa = Hpa::new(Lane::Dedicated, Nodes(100));
        assert_eq!(hpa.behave(at(0), Nodes(10), Nodes(64)), Nodes(20));
        assert_eq!(hpa.behave(at(5), Nodes(20), Nodes(64)), Nodes(20));
        assert_eq!(hpa.behave(at(15), Nodes(20), Nodes(64)), Nodes(40));
    }

    #[test]
    fn nodes_go_when_five_minutes_did_not_want_them_and_the_last_one_stays() {
        let mut hpa = Hpa::new(Lane::Dedicated, Nodes(100));
        let at = Timestamp::from_unix_seconds;
        assert_eq!(hpa.behave(at(0), Nodes(8), Nodes(8)), Nodes(8));
        for second in (15..300).step_by(15) {
            let wanted = if second == 15 { 6 } else { 0 };
            assert_eq!(
                hpa.behave(at(second), Nodes(8), Nodes(wanted)),
                Nodes(8),
                "{second}"
            );
        }
        assert_eq!(hpa.behave(at(300), Nodes(8), Nodes(0)), Nodes(6));
        assert_eq!(hpa.behave(at(315), Nodes(6), Nodes(0)), Nodes(1));
    }
}
