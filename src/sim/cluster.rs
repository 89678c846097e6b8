//! A Batch pool as a discrete-event simulation: tasks come, wait, run and end; nodes are allocated, boot, drain and go.
//!
//! ```text
//! node:  (allocating) ─► starting ─► idle ◄─► running ─► draining ─► leaving ─► gone
//!                           ▲          └────────┴──────────────────────▲
//!            ▲   └──────────── unusable ──────────────────┘  (it failed, stuck or broke; mended, or removed)
//!                           └─ preempted ◄─ any of them, on spot: by its own hazard, or with its unit of the supply
//! task:  submitted ─► waiting ─► running ─► succeeded
//!                        ▲──────────┤ its node is evicted, or removed with `requeue`
//!                                   └─► failed: its node is removed with `terminate`
//! ```
//!
//! Tasks wait first in, first out; the head of the queue is never overtaken, so that a task of many slots cannot starve. A
//! task that went back to the queue keeps its place, before every task submitted later. A task that needs more slots than a node has waits for ever and blocks
//! nobody, as in the service (Azure/Batch#117).

mod breakdown;
mod calendar;
mod course;
mod diary;
mod elastic;
mod evict;
mod faults;
mod fleet;
mod foresight;
mod keep;
mod meter;
mod outcome;
mod queue;
mod resize;
mod sampler;
mod setup;
mod simulator;
mod spot;

pub(crate) use calendar::Calendar;
pub use course::{Course, CoursePoint, step_for};
pub use elastic::Elasticity;
pub use faults::{CoreQuota, NodeFaults, SampleFaults};
pub use foresight::Unfinished;
pub use meter::{Census, Meter, NodeState};
pub use outcome::Delay;
pub use resize::Command;
pub use sampler::{Hour, METRICS, SAMPLE_DELAY};
pub use setup::{Boot, Eviction, Fill, Setup, SetupError};
pub use simulator::{Cluster, Tally};
pub(crate) use spot::Spot;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::account::{NodeDeallocationOption, Work};
    use crate::base::{Mix, Span, Timestamp};
    use crate::sim::SpotModel;
    use crate::sim::workload::TaskRecipe;

    /// A pool that runs for months keeps two times for each task, a line for each hour, and else what is there at the moment.
    #[test]
    fn what_a_pool_remembers_does_not_grow_with_time() {
        let recipe: TaskRecipe = "bursty:2/20/5h/30m,lognormal:10m/1,100d".parse().unwrap();
        let workload = Arc::new(recipe.make());
        let (start, end) = (workload.start, workload.start + Span::days(100));
        let supply = SpotModel::azure_20().draw("az20", start, end, 1);
        let mut pool = Cluster::with_supply(Setup::default(), workload, Some(Arc::new(supply)), 1);
        let mut work = Work::default();
        let (mut most_events, mut most_nodes) = ([0; 2], [0; 2]);
        let mut now: Timestamp = start;
        for hour in 0..2400_u32 {
            now += Span::hours(1);
            pool.advance(now);
            let target = Mix::new(hour % 4, hour % 7);
            // An order that is refused changes nothing.
            let _ = pool.order(target, NodeDeallocationOption::Requeue);
            pool.tell_work(&mut work);
            let half = usize::from(hour >= 1200);
            most_events[half] = most_events[half].max(pool.calendar.len());
            most_nodes[half] = most_nodes[half].max(pool.fleet.n_places() + pool.spot.preempted.len());
        }
        assert!(pool.tally().evictions > 500, "{:?}", pool.tally());
        assert!(most_events[1] < 2 * most_events[0].max(50), "{most_events:?}");
        assert!(most_nodes[1] <= 2 * most_nodes[0], "{most_nodes:?}");
    }
}
