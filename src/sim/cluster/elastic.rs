//! How closely the nodes follow the tasks, by the elasticity metrics of the SPEC research group (SPEC-RG-2016-01).
//!
//! Demand is the nodes that would be busy if no task ever waited; supply is the nodes that are ready. Both are looked at
//! whenever a sample is taken.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::Serialize;

use crate::base::{Span, Timestamp};
use crate::sim::workload::Task;

/// How closely supply followed demand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Elasticity {
    /// Missing nodes in percent of the demand, over time.
    pub under: f64,
    /// Superfluous nodes in percent of the demand, over time.
    pub over: f64,
    /// The share of time in which nodes were missing.
    pub under_time: f64,
    /// The share of time in which nodes were superfluous.
    pub over_time: f64,
    /// The share of steps in which supply and demand did not move the same way.
    pub instability: f64,
    /// Changes of supply less changes of demand, in an hour.
    pub jitter_hourly: f64,
}

/// Adds up how closely supply follows demand.
#[derive(Debug, Default)]
pub(super) struct Elastic {
    /// When the tasks that have been submitted would have ended if none had waited.
    ends: BinaryHeap<Reverse<(Timestamp, u32)>>,
    slots: u64,
    last: Option<(u64, u64)>,
    n_looks: u64,
    n_under: u64,
    n_over: u64,
    n_apart: u64,
    supply_changes: u64,
    demand_changes: u64,
    under: f64,
    over: f64,
}

impl Elastic {
    pub(super) fn submit(&mut self, task: &Task) {
        self.slots += u64::from(task.slots);
        self.ends.push(Reverse((task.submit + task.run, task.slots)));
    }

    pub(super) fn look(&mut self, now: Timestamp, ready: u64, slots_per_node: u32) {
        while let Some(Reverse((_, slots))) = self.ends.peek().filter(|Reverse((end, _))| *end <= now) {
            self.slots -= u64::from(*slots);
            self.ends.pop();
        }
        let demand = self.slots.div_ceil(u64::from(slots_per_node));
        let of_demand = 1.0 / demand.max(1) as f64;
        self.n_looks += 1;
        self.under += demand.saturating_sub(ready) as f64 * of_demand;
        self.over += ready.saturating_sub(demand) as f64 * of_demand;
        self.n_under += u64::from(demand > ready);
        self.n_over += u64::from(ready > demand);
        if let Some((last_demand, last_ready)) = self.last.replace((demand, ready)) {
            self.n_apart += u64::from(demand.cmp(&last_demand) != ready.cmp(&last_ready));
            self.demand_changes += u64::from(demand != last_demand);
            self.supply_changes += u64::from(ready != last_ready);
        }
    }

    pub(super) fn sum_up(&self) -> Elasticity {
        let looks = self.n_looks.max(1) as f64;
        let steps = self.n_looks.saturating_sub(1).max(1) as f64;
        let hours = looks * Span::SAMPLE_PERIOD.as_hours();
        Elasticity {
            under: 100.0 * self.under / looks,
            over: 100.0 * self.over / looks,
            under_time: self.n_under as f64 / looks,
            over_time: self.n_over as f64 / looks,
            instability: self.n_apart as f64 / steps,
            jitter_hourly: (self.supply_changes as f64 - self.demand_changes as f64) / hours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_and_superfluous_nodes_are_told_apart() {
        let at = Timestamp::from_unix_seconds;
        let mut elastic = Elastic::default();
        // Five slots on two-slot nodes are three nodes until 60 s, then none.
        elastic.submit(&Task {
            submit: at(0),
            run: Span::seconds(60),
            slots: 5,
            job: None,
            due: None,
        });
        for (second, ready) in [(0, 0), (30, 3), (60, 3), (90, 0)] {
            elastic.look(at(second), ready, 2);
        }
        let found = elastic.sum_up();
        // Looks: 3 wanted 0 there, 3/3, 0/3, 0/0.
        let third = 100.0 / 4.0;
        assert_eq!((found.under, found.over), (third, 3.0 * third));
        assert_eq!((found.under_time, found.over_time), (0.25, 0.25));
        // Supply rose alone, demand fell alone, supply fell alone: never together.
        assert_eq!(found.instability, 1.0);
        // Two changes of supply and one of demand in two minutes.
        assert!((found.jitter_hourly - 30.0).abs() < 1e-9);
    }
}
