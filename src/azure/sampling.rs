//! Samples of the metrics that formulas read, made from what is seen.
//!
//! The service samples every 30 seconds and shows its samples to nobody but its own formulas; ours lie on the same grid.
//! `$SucceededTasks` and `$FailedTasks` count tasks of jobs that are over as well, which are not looked at: they have no
//! sample, and a formula that needs them holds.

use super::jobs::Counts;
use crate::account::PoolState;
use crate::base::{Span, Timestamp};
use crate::signal::{Metric, Sample};

/// Returns the instant of the grid that a look belongs to: the last one, so that no sample comes out of the future.
pub(super) fn on_the_grid(now: Timestamp) -> Timestamp {
    let period = Span::SAMPLE_PERIOD.ticks();
    Timestamp::from_ticks(now.ticks().div_euclid(period) * period)
}

/// Returns the first instant of the grid after a moment.
pub(super) fn next_on_the_grid(now: Timestamp) -> Timestamp {
    on_the_grid(now) + Span::SAMPLE_PERIOD
}

/// Says whether a metric counts tasks, so that jobs must be looked at.
pub(super) const fn counts_tasks(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::ActiveTasks | Metric::RunningTasks | Metric::PendingTasks
    )
}

/// Adds a sample of each metric that is asked for and can be told.
pub(super) fn add_samples(
    metrics: &[Metric],
    taken: Timestamp,
    pool: &PoolState,
    tasks: Counts,
    into: &mut Vec<Sample>,
) {
    let samples = metrics.iter().filter_map(|metric| {
        let value = value(*metric, pool, tasks)?;
        Some(Sample {
            metric: *metric,
            taken,
            value: f64::from(value),
        })
    });
    into.extend(samples);
}

fn value(metric: Metric, pool: &PoolState, tasks: Counts) -> Option<u32> {
    Some(match metric {
        Metric::ActiveTasks => tasks.active,
        Metric::RunningTasks => tasks.running,
        Metric::PendingTasks => tasks.active.saturating_add(tasks.running),
        Metric::PreemptedNodeCount => pool.nodes.preempted.0,
        Metric::UsableNodeCount => pool.nodes.usable.0,
        Metric::CurrentDedicatedNodes => pool.current.dedicated.0,
        Metric::CurrentLowPriorityNodes => pool.current.spot.0,
        Metric::TaskSlotsPerNode => pool.task_slots_per_node,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_is_that_of_the_clock() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        assert_eq!(
            on_the_grid(at("2026-11-22T09:50:47.5Z")),
            at("2026-11-22T09:50:30Z")
        );
        assert_eq!(
            on_the_grid(at("2026-11-22T09:50:30Z")),
            at("2026-11-22T09:50:30Z")
        );
        assert_eq!(
            next_on_the_grid(at("2026-11-22T09:50:30Z")),
            at("2026-11-22T09:51:00Z")
        );
    }

    #[test]
    fn only_what_is_asked_and_known_is_told() {
        let pool = PoolState::new("p".parse().unwrap());
        let tasks = Counts {
            active: 3,
            running: 2,
            ..Counts::default()
        };
        let asked = [
            Metric::PendingTasks,
            Metric::SucceededTasks,
            Metric::TaskSlotsPerNode,
        ];
        let mut told = Vec::new();
        add_samples(&asked, Timestamp::EPOCH, &pool, tasks, &mut told);
        let told: Vec<_> = told.iter().map(|sample| (sample.metric, sample.value)).collect();
        assert_eq!(
            told,
            [(Metric::PendingTasks, 5.0), (Metric::TaskSlotsPerNode, 1.0)]
        );
    }
}
