//! What one decision about a pool comes to in gauges.

use std::collections::BTreeMap;

use super::series::Points;
use super::table::Family;
use crate::account::{NodeActivity, PoolState, Work};
use crate::base::{Lane, Mix, Nodes, Timestamp};
use crate::decision::{Decision, Reason, Stage};
use crate::engine::PoolView;
use crate::policy::{Mode, Policy, Range};
use crate::signal::Metric;

/// Signals of one policy that are told: each strategy asks for one, and nobody has more.
const SIGNALS_MAX: usize = 20;
/// A signal's name says all that is asked, such as a whole query; what is behind this tells few apart.
const SIGNAL_CHARS_MAX: usize = 120;

/// Collects the gauges of one pool.
pub(super) struct Gauges<'a> {
    pool: &'a str,
    points: Points,
}

impl<'a> Gauges<'a> {
    pub(super) const fn of(pool: &'a str) -> Self {
        Self {
            pool,
            points: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Points {
        self.points
    }

    pub(super) fn add(&mut self, family: Family, labels: &[&str], value: f64) {
        let mut all = vec![self.pool.to_owned()];
        all.extend(labels.iter().map(|&label| label.to_owned()));
        self.points.push(((family, all), value));
    }

    /// Adds gauges of an earlier look.
    pub(super) fn extend(&mut self, points: &Points) {
        self.points.extend_from_slice(points);
    }

    fn mix(&mut self, family: Family, mix: Mix, label: &str) {
        for lane in [Lane::Dedicated, Lane::Spot] {
            self.add(family, &[lane.word(), label], count(mix.get(lane)));
        }
    }

    /// Adds the stages of a decision; a stage that it does not have stands where the one before ended.
    pub(super) fn stages(&mut self, decision: &Decision) {
        self.mix(Family::TargetNodes, decision.current, "current");
        self.mix(Family::TargetNodes, decision.start, "start");
        let mut at = decision.start;
        for stage in [Stage::Propose, Stage::Split, Stage::Allocate, Stage::Restrain] {
            let mut steps = decision.steps().iter();
            at = steps.rfind(|step| step.stage == stage).map_or(at, |step| step.to);
            self.mix(Family::TargetNodes, at, stage.word());
        }
        self.mix(Family::TargetNodes, decision.outcome(), "outcome");
        let mut steps = decision.steps().iter();
        let is_open = steps.any(|step| matches!(step.reason, Reason::BreakerOpen(_)));
        self.add(Family::BreakerOpen, &[], f64::from(u8::from(is_open)));
        for step in decision.steps() {
            if let Reason::SplitByCost(split) = &step.reason {
                let falls_back = split.outage.is_some_and(|outage| outage.falls_back());
                self.add(Family::EvictionHazard, &[], split.hazard);
                self.add(Family::FallbackActive, &[], f64::from(u8::from(falls_back)));
            }
        }
    }

    /// Adds how old the signals from outside are that the policy asks for, and no others.
    pub(super) fn signals(&mut self, decision: &Decision) {
        let mut ages: BTreeMap<String, f64> = BTreeMap::new();
        for seen in decision.signals.iter().take(SIGNALS_MAX) {
            let Some(age) = seen.age else { continue };
            let name: String = seen.signal.as_str().chars().take(SIGNAL_CHARS_MAX).collect();
            let oldest = ages.entry(name).or_default();
            *oldest = oldest.max(age.as_seconds());
        }
        for (name, age) in ages {
            self.add(Family::SignalAge, &[&name], age);
        }
    }

    /// Adds what a policy says of the pool.
    pub(super) fn policy(&mut self, policy: &Policy, hash: &str) {
        let mode = mode_word(policy.mode);
        self.add(Family::PolicyInfo, &[&policy.name, hash, mode], 1.0);
        let bounds = policy.bounds;
        let ranges = [
            ("total", bounds.total),
            ("dedicated", bounds.dedicated),
            ("spot", bounds.spot),
        ];
        for (class, Range { min, max }) in ranges {
            self.add(Family::BoundNodes, &[class, "min"], count(min));
            self.add(Family::BoundNodes, &[class, "max"], count(max));
        }
    }

    /// Adds what was seen of the pool.
    pub(super) fn seen(&mut self, view: &PoolView) {
        if let Some(halt) = &view.halt {
            self.add(Family::HaltActive, &[halt.scope.word()], 1.0);
        }
        match &view.work {
            Some(work) => self.work(&view.state, work),
            None => self.counts(&view.state),
        }
    }

    fn work(&mut self, state: &PoolState, work: &Work) {
        for lane in [Lane::Dedicated, Lane::Spot] {
            for word in ["idle", "running", "starting", "preempted", "unusable", "leaving"] {
                let nodes = work.nodes.iter();
                let n = nodes
                    .filter(|node| node.lane == lane && node_word(node.activity, node.busy_slots) == word)
                    .count();
                self.add(Family::Nodes, &[lane.word(), word], n as f64);
            }
        }
        self.add(Family::Tasks, &["waiting"], work.waiting.len() as f64);
        self.add(Family::Tasks, &["running"], work.running.len() as f64);
        let busy: u64 = work.nodes.iter().map(|node| u64::from(node.busy_slots)).sum();
        let all = u64::from(state.nodes.usable.0) * u64::from(state.task_slots_per_node);
        self.add(Family::Slots, &["busy"], busy as f64);
        self.add(Family::Slots, &["free"], all.saturating_sub(busy) as f64);
    }

    /// Adds the nodes where they are not told one by one: by lane where there is but one.
    fn counts(&mut self, state: &PoolState) {
        let nodes = state.nodes;
        let class = match (state.current.dedicated.0, state.current.spot.0) {
            (_, 0) => Lane::Dedicated.word(),
            (0, _) => Lane::Spot.word(),
            _ => "any",
        };
        for (word, n) in [
            ("idle", nodes.idle),
            ("running", nodes.running),
            ("starting", nodes.starting),
            ("unusable", nodes.unusable),
        ] {
            self.add(Family::Nodes, &[class, word], count(n));
        }
        self.add(
            Family::Nodes,
            &[Lane::Spot.word(), "preempted"],
            count(nodes.preempted),
        );
    }

    /// Adds the tasks where they are only counted.
    pub(super) fn sampled(&mut self, newest: &[(Metric, (Timestamp, f64))], now: Timestamp) {
        for (metric, (taken, value)) in newest {
            let state = match metric {
                Metric::ActiveTasks => Some("waiting"),
                Metric::RunningTasks => Some("running"),
                _ => None,
            };
            if let Some(state) = state {
                self.add(Family::Tasks, &[state], *value);
            }
            self.add(
                Family::SignalAge,
                &[metric.name()],
                now.since(*taken).as_seconds().max(0.0),
            );
        }
    }
}

fn node_word(activity: NodeActivity, busy_slots: u32) -> &'static str {
    match activity {
        NodeActivity::Starting => "starting",
        NodeActivity::Ready | NodeActivity::Cordoned if busy_slots == 0 => "idle",
        NodeActivity::Ready | NodeActivity::Cordoned => "running",
        NodeActivity::Leaving => "leaving",
        NodeActivity::Preempted => "preempted",
        NodeActivity::Unusable => "unusable",
    }
}

/// Returns the word that policies use for a mode.
pub(super) const fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Full => "full",
        Mode::OutOnly => "outOnly",
        Mode::Shadow => "shadow",
        Mode::Paused => "paused",
    }
}

pub(super) fn count(nodes: Nodes) -> f64 {
    f64::from(nodes.0)
}
