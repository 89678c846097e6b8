//! The simulated pool when things go wrong: nodes that fail, work that is saved, machines that do not come back, quotas of cores,
//! samples that are late.

use std::sync::Arc;

use lowtide::account::{NodeDeallocationOption, Removal};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::market::Checkpoint;
use lowtide::signal::Metric;
use lowtide::sim::cluster::{
    Boot, Cluster, Command, CoreQuota, Delay, NodeFaults, NodeState, SampleFaults, Setup,
};
use lowtide::sim::workload::{Task, Workload};
use lowtide::sim::{Supply, UpRun};

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

/// One-slot tasks of (submit, run) in seconds.
fn workload(tasks: &[(i64, i64)]) -> Arc<Workload> {
    let task = |&(submit, run): &(i64, i64)| Task {
        submit: at(submit),
        run: Span::seconds(run),
        slots: 1,
        job: None,
        due: None,
    };
    Arc::new(Workload::new("w", at(0), tasks.iter().map(task).collect()))
}

/// One unit that is up between the seconds given.
fn supply(runs: &[(i64, i64)]) -> Arc<Supply> {
    let run = |&(from, until): &(i64, i64)| UpRun {
        from: at(from),
        until: at(until),
    };
    Arc::new(Supply::new("s", vec![runs.iter().map(run).collect()]))
}

#[test]
fn tasks_resume_from_their_last_save() {
    let setup = Setup {
        initial: Mix::new(0, 1),
        resize_time: Span::ZERO,
        retry: Span::ZERO,
        boot: Boot::Fixed(Span::ZERO),
        checkpoint: Some(Checkpoint {
            every: Span::seconds(100),
            cost: Span::seconds(10),
            restart: Span::seconds(5),
        }),
        ..Setup::default()
    };
    // Up until 250 s: two stretches of 110 s are saved, 30 s are lost. Up again from 300 s: 5 s to load and 150 s of work with a
    // save on the way end at 465 s.
    let units = supply(&[(0, 250), (300, 1300)]);
    let mut cluster = Cluster::with_supply(setup, workload(&[(0, 350)]), Some(units), 1);
    cluster.advance(at(464));
    assert_eq!(cluster.tally().succeeded, 0);
    assert_eq!(cluster.delays(), [Delay::AtLeast(Span::seconds(115))]);
    cluster.advance(at(465));
    assert_eq!(cluster.delays(), [Delay::Ended(Span::seconds(115))]);
    assert!((cluster.lost_slot_hours() * 3600.0 - 30.0).abs() < 1e-9);
}

#[test]
fn nodes_that_fail_are_billed_and_of_no_use_until_they_are_mended_or_removed() {
    let always = NodeFaults {
        start_fails: 1.0,
        ..NodeFaults::default()
    };
    let setup = Setup {
        resize_time: Span::ZERO,
        boot: Boot::Fixed(Span::seconds(60)),
        faults: always,
        ..Setup::default()
    };
    let mut cluster = Cluster::new(setup, workload(&[(0, 10)]), 1);
    cluster
        .order(Mix::new(3, 0), NodeDeallocationOption::Requeue)
        .unwrap();
    cluster.advance(at(600));
    assert_eq!(
        (
            cluster.census().of(NodeState::Unusable).0,
            cluster.tally().node_faults
        ),
        (3, 3)
    );
    let idle = Command {
        target: Mix::new(1, 0),
        removal: Removal::Idle,
        ..Command::default()
    };
    cluster.obey(&idle).unwrap();
    cluster.advance(at(1000));
    assert_eq!(cluster.census().mix(), Mix::new(1, 0));
    let unusable = cluster
        .meter()
        .node_hours(|_, state| state == NodeState::Unusable);
    assert!((unusable * 3600.0 - (3.0 * 540.0 + 400.0)).abs() < 1e-9);
    // A third fails, and after ten minutes is booted again: all are ready in the end.
    let setup = Setup {
        faults: NodeFaults {
            start_fails: 0.2,
            boot_sticks: 0.2,
            breaks_hourly: 0.0,
            mended_after: Some(Span::minutes(10)),
        },
        ..setup
    };
    let mut cluster = Cluster::new(setup, workload(&[(0, 10)]), 1);
    cluster
        .order(Mix::new(200, 0), NodeDeallocationOption::Requeue)
        .unwrap();
    cluster.advance(at(61));
    let faults = cluster.tally().node_faults;
    assert!(
        (50..=95).contains(&faults),
        "{faults} of 200, 72 are to be expected"
    );
    cluster.advance(at(3 * 3600));
    assert_eq!(cluster.census().usable().0, 200);
}

#[test]
fn an_evicted_node_is_not_restored_after_48_hours() {
    for (hours, restored) in [(47, true), (49, false)] {
        let setup = Setup {
            initial: Mix::new(0, 2),
            ..Setup::default()
        };
        let again = (hours + 1) * 3600;
        let units = supply(&[(0, 3600), (again, again + 3600)]);
        let mut cluster = Cluster::with_supply(setup, workload(&[(0, 1)]), Some(units), 1);
        cluster.advance(at((hours + 1) * 3600 + 600));
        assert_eq!(cluster.census().usable().0 == 2, restored, "{hours} h");
        assert_eq!(
            cluster.census().of(NodeState::Preempted).0 == 2,
            !restored,
            "{hours} h"
        );
    }
}

#[test]
fn cores_are_counted_by_class_and_by_family() {
    let setup = Setup {
        cores: Some(CoreQuota {
            per_node: 16,
            dedicated: 100,
            family: Some(40),
            spot: 64,
        }),
        resize_time: Span::ZERO,
        ..Setup::default()
    };
    let mut cluster = Cluster::new(setup.checked().unwrap(), workload(&[(0, 10)]), 1);
    cluster
        .order(Mix::new(5, 5), NodeDeallocationOption::Requeue)
        .unwrap();
    cluster.advance(at(1));
    assert_eq!(cluster.census().mix(), Mix::new(2, 4));
    let codes: Vec<_> = cluster.resize_errors().iter().map(|error| &*error.code).collect();
    assert_eq!(
        codes,
        ["AccountVMSeriesCoreQuotaReached", "AccountSpotCoreQuotaReached"]
    );
}

#[test]
fn samples_are_missing_and_late_as_often_as_said_and_told_in_order() {
    let setup = Setup {
        samples: SampleFaults {
            missing: 0.2,
            late: 0.3,
            late_by: Span::minutes(10),
        },
        sampled_before: Span::ZERO,
        ..Setup::default()
    };
    let told = |seed| {
        let mut cluster = Cluster::new(setup.checked().unwrap(), workload(&[(0, 10)]), seed);
        let mut told = Vec::new();
        for minute in 1..=2000 {
            let mut samples = Vec::new();
            cluster.advance(at(60 * minute));
            cluster.tell_samples(&[Metric::ActiveTasks], &mut samples);
            assert!(samples.is_sorted_by_key(|sample| sample.taken));
            told.extend(samples.iter().map(|sample| (minute, sample.taken)));
        }
        told
    };
    let seen = told(1);
    // 4000 samples; a tenth of a percent may still be on its way.
    assert!(
        (0.77..0.83).contains(&(seen.len() as f64 / 4000.0)),
        "{}",
        seen.len()
    );
    // On time are those that are told within the minute after they became visible.
    let late = seen
        .iter()
        .filter(|(minute, taken)| at(60 * minute) - *taken >= Span::minutes(2))
        .count();
    let share = late as f64 / seen.len() as f64;
    // Of 0.3 that come late, those taken at half minutes and late by less than another do not show.
    assert!((0.27..0.32).contains(&share), "{share}");
    assert_eq!(seen, told(1));
    assert_ne!(seen, told(2));
}
