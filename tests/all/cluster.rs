//! The simulated pool against arithmetic that can be done by hand.

use std::sync::Arc;

use lowtide::account::{AllocationState, NodeDeallocationOption, RefusalKind};
use lowtide::base::{Lane, Mix, Span, Timestamp, UsdHourly};
use lowtide::policy::Prices;
use lowtide::signal::Metric;
use lowtide::sim::cluster::{Boot, Cluster, Eviction, Fill, NodeState, Setup};
use lowtide::sim::workload::{Task, Workload};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

/// Tasks of (submit, run, slots) in seconds.
fn workload(tasks: &[(i64, i64, u32)]) -> Arc<Workload> {
    let task = |&(submit, run, slots)| Task {
        submit: at(submit),
        run: Span::seconds(run),
        slots,
        job: None,
        due: None,
    };
    Arc::new(Workload::new("by hand", at(0), tasks.iter().map(task).collect()))
}

fn pool(setup: Setup, tasks: &[(i64, i64, u32)]) -> Cluster {
    Cluster::new(setup.checked().expect("a pool that can be"), workload(tasks), 1)
}

fn ready(nodes: u32) -> Setup {
    Setup {
        initial: Mix::new(nodes, 0),
        ..Setup::default()
    }
}

fn waits(cluster: &Cluster) -> Vec<i64> {
    let mut waits: Vec<_> = cluster
        .waits()
        .iter()
        .map(|wait| wait.as_seconds() as i64)
        .collect();
    waits.sort_unstable();
    waits
}

#[test]
fn one_node_with_regular_arrivals_makes_each_task_wait_a_little_longer() {
    // D/D/1: one task every 60 s, each runs 90 s on the only node. The k-th waits k × 30 s.
    let tasks: Vec<_> = (0..10).map(|k| (60 * k, 90, 1)).collect();
    let mut cluster = pool(ready(1), &tasks);
    cluster.advance(at(900));
    assert_eq!(waits(&cluster), (0..10).map(|k| 30 * k).collect::<Vec<_>>());
    assert_eq!((cluster.tally().succeeded, cluster.waiting()), (10, 0));
    assert_eq!(
        cluster.meter().node_hours(|_, state| state == NodeState::Running),
        0.25
    );
}

#[test]
fn machines_are_granted_after_a_minute_and_of_use_after_four() {
    let mut cluster = pool(Setup::default(), &[(0, 10, 1)]);
    cluster
        .order(Mix::new(1, 0), NodeDeallocationOption::Requeue)
        .unwrap();
    assert_eq!(cluster.allocation(), AllocationState::Resizing);
    let refused = cluster
        .order(Mix::new(2, 0), NodeDeallocationOption::Requeue)
        .unwrap_err();
    assert_eq!(
        (refused.kind, cluster.target()),
        (RefusalKind::Resizing, Mix::new(1, 0))
    );
    cluster.advance(at(60));
    assert_eq!(
        (cluster.allocation(), cluster.census().mix()),
        (AllocationState::Steady, Mix::new(1, 0))
    );
    assert_eq!(cluster.census().of(NodeState::Starting).0, 1);
    cluster.advance(at(1000));
    assert_eq!(waits(&cluster), [240]);
    // Billed from the grant on: 940 s, of which 10 with a task.
    let prices = Prices {
        dedicated: UsdHourly(3600.0),
        spot: UsdHourly(0.0),
    };
    let close = |usd: f64, cents: f64| assert!((usd - cents).abs() < 1e-9, "{usd} is not {cents}");
    close(cluster.meter().cost(Lane::Dedicated, &prices).0, 940.0);
    close(cluster.meter().wasted(&prices).0, 930.0);
}

#[test]
fn what_a_removal_does_to_tasks_is_what_the_option_says() {
    use NodeDeallocationOption::{Requeue, RetainedData, TaskCompletion, Terminate};
    // Two tasks of 1000 s on two nodes; one node is ordered away at 100 s.
    for (option, succeeded, terminated, requeued, lost, end) in [
        // The task starts anew when the other node is free, at 1000 s.
        (Requeue, 2, 0, 1, 100, 2000),
        (Terminate, 1, 1, 0, 100, 1000),
        (TaskCompletion, 2, 0, 0, 0, 1000),
        (RetainedData, 2, 0, 0, 0, 1000),
    ] {
        let mut cluster = pool(ready(2), &[(0, 1000, 1), (0, 1000, 1)]);
        cluster.advance(at(100));
        cluster.order(Mix::new(1, 0), option).unwrap();
        cluster.advance(at(161));
        let drains = matches!(option, TaskCompletion | RetainedData);
        assert_eq!(
            cluster.allocation() == AllocationState::Resizing,
            drains,
            "{option} at 161 s"
        );
        cluster.advance(at(end - 1));
        let before = cluster.tally().succeeded;
        cluster.advance(at(end));
        let tally = cluster.tally();
        assert!(
            before < tally.succeeded,
            "{option}: the last task ends at {end} s"
        );
        assert_eq!(
            (tally.succeeded, tally.terminated, tally.requeued),
            (succeeded, terminated, requeued),
            "{option}"
        );
        assert!(
            (cluster.lost_slot_hours() * 3600.0 - f64::from(lost)).abs() < 1e-9,
            "{option}"
        );
        cluster.advance(at(end + 61));
        assert_eq!(cluster.census().mix(), Mix::new(1, 0), "{option}");
    }
}

#[test]
fn nodes_without_tasks_go_first() {
    let mut cluster = pool(ready(3), &[(0, 1000, 1)]);
    cluster.advance(at(10));
    cluster
        .order(Mix::new(1, 0), NodeDeallocationOption::Requeue)
        .unwrap();
    cluster.advance(at(1000));
    assert_eq!((cluster.tally().requeued, cluster.tally().succeeded), (0, 1));
}

#[test]
fn tasks_spread_or_pack_and_the_head_of_the_queue_is_not_overtaken() {
    for (fill, free_node) in [(Fill::Spread, false), (Fill::Pack, true)] {
        let setup = Setup {
            task_slots_per_node: 2,
            fill,
            ..ready(2)
        };
        // Two one-slot tasks, then one that needs a whole node, then a small one that must not overtake it.
        let mut cluster = pool(setup, &[(0, 100, 1), (1, 100, 1), (2, 100, 2), (3, 10, 1)]);
        cluster.advance(at(4));
        let expected = if free_node { (3, 1) } else { (2, 2) };
        assert_eq!((cluster.running(), cluster.waiting()), expected, "{fill:?}");
    }
}

#[test]
fn a_task_too_large_for_a_node_waits_for_ever_and_blocks_nobody() {
    let mut cluster = pool(ready(1), &[(0, 10, 2), (1, 10, 1)]);
    cluster.advance(at(1000));
    assert_eq!(
        (cluster.never(), cluster.waiting(), cluster.tally().succeeded),
        (1, 1, 1)
    );
    assert_eq!(waits(&cluster), [0]);
}

#[test]
fn a_sample_is_told_a_minute_after_it_was_taken_and_only_once() {
    let setup = Setup {
        sampled_before: Span::ZERO,
        ..ready(1)
    };
    let mut cluster = pool(setup, &[(15, 1000, 1), (15, 1000, 1)]);
    let (active, pending) = (Metric::ActiveTasks, Metric::PendingTasks);
    let mut tell = |until: i64| {
        cluster.advance(at(until));
        let mut samples = Vec::new();
        cluster.tell_samples(&[Metric::PendingTasks, Metric::ActiveTasks], &mut samples);
        samples
            .iter()
            .map(|s| (s.metric, s.taken.unix_seconds() as i64, s.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(tell(59), []);
    assert_eq!(tell(60), [(active, 0, 0.0), (pending, 0, 0.0)]);
    assert_eq!(tell(60), []);
    assert_eq!(tell(119), [(active, 30, 1.0), (pending, 30, 2.0)]);
}

#[test]
fn a_pool_that_was_there_before_has_samples_when_it_is_first_looked_at() {
    let mut cluster = pool(ready(2), &[(0, 10, 1)]);
    let mut samples = Vec::new();
    cluster.tell_samples(&[Metric::UsableNodeCount], &mut samples);
    // Fifteen minutes have 30 samples, and that of 30 seconds ago is not visible yet.
    assert_eq!(samples.len(), 29);
    assert_eq!(samples[0].taken, at(-900));
    assert!(samples.iter().all(|sample| sample.value == 2.0));
}

#[test]
fn what_is_asked_beyond_the_quota_is_not_granted_and_said() {
    let mut cluster = pool(
        Setup {
            quota: Mix::new(2, 0),
            ..Setup::default()
        },
        &[(0, 10, 1)],
    );
    cluster
        .order(Mix::new(5, 1), NodeDeallocationOption::Requeue)
        .unwrap();
    cluster.advance(at(60));
    assert_eq!(
        (cluster.census().mix(), cluster.target()),
        (Mix::new(2, 0), Mix::new(5, 1))
    );
    let codes: Vec<_> = cluster.resize_errors().iter().map(|error| &*error.code).collect();
    assert_eq!(codes, ["AccountCoreQuotaReached", "AccountSpotCoreQuotaReached"]);
    assert_eq!(cluster.allocation(), AllocationState::Steady);
}

#[test]
fn evictions_come_at_their_rate_and_bill_nothing_while_away() {
    let setup = Setup {
        initial: Mix::new(0, 100),
        boot: Boot::Fixed(Span::ZERO),
        eviction: Eviction::Constant {
            per_node_hour: 0.1,
            back_after: Span::minutes(6),
        },
        ..Setup::default()
    };
    let mut cluster = pool(setup, &[(0, 1, 1)]);
    cluster.advance(at(100 * 3600));
    let up = cluster.meter().node_hours(|_, state| state.is_billed());
    let away = cluster
        .meter()
        .node_hours(|_, state| state == NodeState::Preempted);
    let evictions = f64::from(cluster.tally().evictions);
    assert!((up + away - 10_000.0).abs() < 1e-6);
    // About 990 evictions are to be expected; five standard deviations of a Poisson count are 160.
    assert!(
        (evictions - 0.1 * up).abs() < 160.0,
        "{evictions} evictions in {up} node-hours"
    );
    assert!((away - evictions * 0.1).abs() < 1.0);
}

fn run(seed: u64, setup: Setup, tasks: &[(i64, i64, u32)]) -> String {
    let mut cluster = Cluster::new(setup, workload(tasks), seed);
    for hour in 1..=6 {
        let _ = cluster.order(Mix::new(hour % 3, 4), NodeDeallocationOption::Requeue);
        cluster.advance(at(i64::from(hour) * 3600));
    }
    format!(
        "{:?} {:?} {:?} {:?}",
        cluster.meter(),
        cluster.tally(),
        cluster.hours(),
        cluster.waits()
    )
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_differs_only_by_chance() {
    let tasks: Vec<_> = (0..500).map(|k| (40 * k, 100 + 7 * (k % 90), 1)).collect();
    let chancy = Setup {
        boot: Boot::Uniform {
            least: Span::minutes(1),
            most: Span::minutes(9),
        },
        eviction: Eviction::Constant {
            per_node_hour: 0.5,
            back_after: Span::minutes(5),
        },
        ..Setup::default()
    };
    assert_eq!(run(1, chancy, &tasks), run(1, chancy, &tasks));
    assert_ne!(run(1, chancy, &tasks), run(2, chancy, &tasks));
    let certain = Setup::default();
    assert_eq!(run(1, certain, &tasks), run(2, certain, &tasks));
}

proptest! {
    /// Whatever is ordered, no task is lost, and the meter agrees with a clerk who counts nodes every second.
    #[test]
    fn tasks_are_conserved_and_every_node_second_is_billed_once(
        tasks in prop::collection::vec((0_i64..2000, 1_i64..300, 1_u32..4), 1..40),
        orders in prop::collection::vec((1_i64..400, 0_u32..5, 0_u32..5, 0_usize..4), 0..12),
        slots in 1_u32..4,
        pack: bool,
        evictions in prop_oneof![Just(0.0), Just(6.0)],
    ) {
        let setup = Setup {
            task_slots_per_node: slots,
            fill: if pack { Fill::Pack } else { Fill::Spread },
            resize_time: Span::seconds(20),
            boot: Boot::Fixed(Span::seconds(50)),
            eviction: Eviction::Constant { per_node_hour: evictions, back_after: Span::seconds(90) },
            initial: Mix::new(1, 1),
            ..Setup::default()
        };
        let mut cluster = pool(setup, &tasks);
        let mut due: Vec<(i64, Mix, NodeDeallocationOption)> = Vec::new();
        for (gap, dedicated, spot, option) in orders {
            let last = due.last().map_or(0, |(second, ..)| *second);
            due.push((last + gap, Mix::new(dedicated, spot), NodeDeallocationOption::ALL[option]));
        }
        let mut node_seconds = [0.0; 7];
        for second in 0..3000 {
            cluster.advance(at(second));
            for (_, target, option) in due.iter().filter(|(due, ..)| *due == second) {
                let steady = cluster.allocation() == AllocationState::Steady;
                prop_assert_eq!(cluster.order(*target, *option).is_ok(), steady);
            }
            let tally = *cluster.tally();
            prop_assert_eq!(
                cluster.submitted(),
                tally.succeeded + tally.terminated + cluster.waiting() + cluster.running()
            );
            let census = *cluster.census();
            prop_assert!(census.busy_slots <= u64::from(slots) * census.mix().total().as_f64() as u64);
            if cluster.allocation() == AllocationState::Steady {
                prop_assert_eq!(census.mix(), cluster.target());
            }
            for (sum, state) in node_seconds.iter_mut().zip(NodeState::ALL) {
                *sum += census.of(state).as_f64();
            }
        }
        cluster.advance(at(3000));
        for (sum, state) in node_seconds.iter().zip(NodeState::ALL) {
            let metered = cluster.meter().node_hours(|_, other| other == state) * 3600.0;
            // Evictions fall between two seconds of the clerk's; nothing else does.
            let slack = if evictions > 0.0 { 2.0 * f64::from(cluster.tally().evictions) + 1e-6 } else { 1e-6 };
            prop_assert!((metered - sum).abs() <= slack, "{:?}: {} and {}", state, metered, sum);
        }
        let prices = Prices { dedicated: UsdHourly(2.0), spot: UsdHourly(0.5) };
        for lane in Lane::ALL {
            let hours: f64 = NodeState::ALL
                .into_iter()
                .filter(|state| state.is_billed())
                .map(|state| cluster.meter().node_hours(|of, other| of == lane && other == state))
                .sum();
            let bill = cluster.meter().cost(lane, &prices).0;
            prop_assert!((bill - hours * prices.get(lane).0).abs() < 1e-9);
        }
    }
}
