//! What the metrics know of a pool and of the account, as numbers with names: for those who read JSON.

use super::pool::count;
use super::table::Family;
use super::{Metrics, PoolFold, account};
use crate::account::PoolId;
use crate::base::{Nodes, Timestamp};
use crate::signal::Metric;

/// What is measured of a pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measures {
    /// Tasks that wait for a slot, where that is known.
    pub waiting: Option<u32>,
    /// Tasks that run.
    pub running: Option<u32>,
    /// Since when the task waits that has waited longest.
    pub waits_since: Option<Timestamp>,
    /// Nineteen of twenty of the tasks that were started latest waited no longer, in seconds.
    pub waited_p95: Option<f64>,
    /// Nodes by lane (dedicated, spot, any where they are not told apart) and by what they do.
    pub nodes: Vec<(String, String, u32)>,
    /// Spot nodes that were taken away since the process began.
    pub evicted: u32,
    /// What the nodes have cost since the process began, in dollars.
    pub spent: f64,
    /// What as many dedicated nodes would have cost.
    pub spent_all_dedicated: f64,
}

/// A budget with what is spent of it.
#[derive(Clone, Debug, PartialEq)]
pub struct BudgetMeasure {
    /// The policy, or the budget that pools share.
    pub scope: String,
    /// hour or month.
    pub window: String,
    /// What it allows, in dollars.
    pub limit: f64,
    /// What is spent of it.
    pub spent: f64,
}

/// Waits that a percentile is taken of: what a busy pool starts in some minutes.
pub(super) const WAITS_KEPT_MAX: usize = 200;

impl Metrics {
    /// Returns what is measured of a pool; nothing of one that was never decided for.
    pub fn measures(&self, pool: &PoolId) -> Measures {
        self.pools.get(pool).map(PoolFold::measures).unwrap_or_default()
    }

    /// Returns the budgets of the policies and those that pools share.
    pub fn budgets(&self) -> Vec<BudgetMeasure> {
        let points = account::budgets(&self.policies, &self.costs());
        let of = |family: Family| points.iter().filter(move |((of, _), _)| *of == family);
        let spent = |labels: &[String]| {
            let found = of(Family::BudgetSpent).find(|((_, other), _)| other == labels);
            found.map_or(0.0, |(_, spent)| *spent)
        };
        of(Family::BudgetLimit)
            .map(|((_, labels), limit)| BudgetMeasure {
                scope: labels[0].clone(),
                window: labels[1].clone(),
                limit: *limit,
                spent: spent(labels),
            })
            .collect()
    }
}

impl PoolFold {
    /// Keeps how long tasks waited, the latest.
    pub(super) fn waited(&mut self, seconds: f64) {
        if self.waits.len() == WAITS_KEPT_MAX {
            self.waits.pop_front();
        }
        self.waits.push_back(seconds);
    }

    fn measures(&self) -> Measures {
        let mut measures = Measures {
            waiting: self.task_count("waiting", Metric::ActiveTasks),
            running: self.task_count("running", Metric::RunningTasks),
            waits_since: self.waits_since,
            waited_p95: p95(self.waits.iter().copied().collect()),
            evicted: self.evicted.0,
            spent: self.spent.dedicated + self.spent.spot,
            spent_all_dedicated: self.spent.all_dedicated,
            ..Measures::default()
        };
        for ((family, labels), value) in &self.standing {
            // Most pools have nodes in few states.
            if let (Family::Nodes, [_, class, state], 1..) = (family, labels.as_slice(), whole(*value)) {
                measures.nodes.push((class.clone(), state.clone(), whole(*value)));
            }
        }
        measures
    }

    /// Returns how many tasks there are: counted one by one where they were seen so, by the newest sample else.
    fn task_count(&self, state: &str, metric: Metric) -> Option<u32> {
        let seen = self.standing.iter().find(|((family, labels), _)| {
            *family == Family::Tasks && labels.get(1).is_some_and(|label| label == state)
        });
        let seen = seen.map(|(_, value)| *value);
        let sampled = self.newest.get(&metric).map(|(_, value)| *value);
        seen.or(sampled).map(whole)
    }
}

fn whole(value: f64) -> u32 {
    value.round().clamp(0.0, count(Nodes(u32::MAX))) as u32
}

fn p95(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let rank = (0.95 * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_one_of_the_waits() {
        assert_eq!(p95(Vec::new()), None);
        assert_eq!(p95(vec![7.0]), Some(7.0));
        assert_eq!(p95((1..=20).map(f64::from).collect()), Some(19.0));
        assert_eq!(p95((1..=21).map(f64::from).collect()), Some(20.0));
    }

    #[test]
    fn the_latest_waits_push_out_the_oldest() {
        let mut fold = PoolFold::default();
        for _ in 0..WAITS_KEPT_MAX {
            fold.waited(500.0);
        }
        for _ in 0..WAITS_KEPT_MAX {
            fold.waited(3.0);
        }
        assert_eq!(fold.measures().waited_p95, Some(3.0));
        assert_eq!(fold.waits.len(), WAITS_KEPT_MAX);
    }
}
