//! The simulated pool with a spot market that comes and goes, and the orders that pick nodes.

use std::sync::Arc;

use lowtide::account::{AllocationState, NodeActivity, NodeDeallocationOption, Removal, Work};
use lowtide::base::{Lane, Mix, Span, Timestamp};
use lowtide::sim::cluster::{Boot, Cluster, Command, Delay, Eviction, NodeState, Setup};
use lowtide::sim::workload::{Task, Workload};
use lowtide::sim::{Supply, UpRun};

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

/// A pool from tasks of (submit, run) and units of (up from, up until), in seconds.
fn pool(setup: Setup, tasks: &[(i64, i64)], units: &[&[(i64, i64)]]) -> Cluster {
    let task = |&(submit, run)| Task {
        submit: at(submit),
        run: Span::seconds(run),
        slots: 1,
        job: None,
        due: None,
    };
    let workload = Workload::new("by hand", at(0), tasks.iter().map(task).collect());
    let unit = |runs: &&[(i64, i64)]| {
        let run = |run: &(i64, i64)| UpRun {
            from: at(run.0),
            until: at(run.1),
        };
        runs.iter().map(run).collect()
    };
    let supply = Supply::new("by hand", units.iter().map(unit).collect());
    let setup = setup.checked().expect("a pool that can be");
    Cluster::with_supply(setup, Arc::new(workload), Some(Arc::new(supply)), 1)
}

/// Machines come and go at once, boot for a minute, and spot is asked for again after ten seconds.
fn quick() -> Setup {
    Setup {
        resize_time: Span::ZERO,
        retry: Span::seconds(10),
        boot: Boot::Fixed(Span::minutes(1)),
        ..Setup::default()
    }
}

fn command(target: Mix) -> Command {
    Command {
        target,
        ..Command::default()
    }
}

fn spot(cluster: &Cluster, state: NodeState) -> u32 {
    cluster.census().get(Lane::Spot, state).0
}

#[test]
fn a_unit_that_goes_down_takes_its_nodes_and_they_come_back_on_another() {
    let setup = Setup {
        initial: Mix::new(0, 4),
        ..quick()
    };
    // Four tasks on two units of two nodes; the first unit goes at 100 s.
    let tasks = [(0, 300), (0, 300), (0, 300), (0, 300)];
    let mut cluster = pool(setup, &tasks, &[&[(0, 100), (500, 900)], &[(0, 1000)]]);
    cluster.advance(at(99));
    assert_eq!(spot(&cluster, NodeState::Running), 4);
    cluster.advance(at(100));
    assert_eq!(
        (
            spot(&cluster, NodeState::Running),
            spot(&cluster, NodeState::Preempted)
        ),
        (2, 2)
    );
    assert_eq!((cluster.waiting(), cluster.tally().evicted), (2, 2));
    // Two lost runs of 100 s each.
    assert!((cluster.lost_slot_hours() * 3600.0 - 200.0).abs() < 1e-9);
    // Asked for again at 110 s, ready at 170 s; the tasks run anew until 470 s.
    cluster.advance(at(110));
    assert_eq!(spot(&cluster, NodeState::Starting), 2);
    cluster.advance(at(470));
    assert_eq!(cluster.tally().succeeded, 4);
    let delays: Vec<_> = cluster.delays();
    assert_eq!(
        delays,
        [
            Delay::Ended(Span::seconds(170)),
            Delay::Ended(Span::ZERO),
            Delay::Ended(Span::seconds(170)),
            Delay::Ended(Span::ZERO),
        ]
    );
    // Nobody is on the first unit any more when it goes again, and all are on the second.
    cluster.advance(at(999));
    assert_eq!(spot(&cluster, NodeState::Idle), 4);
    cluster.advance(at(1000));
    assert_eq!(spot(&cluster, NodeState::Preempted), 4);
    assert_eq!(cluster.tally().evictions, 6);
}

#[test]
fn a_preempted_node_gets_another_machine_within_48_hours_or_never() {
    const HOUR: i64 = 3600;
    for (away, state) in [(47 * HOUR, NodeState::Idle), (49 * HOUR, NodeState::Preempted)] {
        let setup = Setup {
            initial: Mix::new(0, 1),
            restored_within: Some(Span::hours(48)),
            ..quick()
        };
        let mut cluster = pool(setup, &[], &[&[(0, 1000), (1000 + away, 1000 + away + HOUR)]]);
        cluster.advance(at(1000 + away + 300));
        assert_eq!(spot(&cluster, state), 1, "away for {away} s");
    }
}

#[test]
fn spot_that_cannot_be_had_keeps_the_pool_resizing_until_the_timeout_and_comes_later() {
    let setup = Setup {
        resize_timeout: Span::minutes(5),
        ..quick()
    };
    let mut cluster = pool(setup, &[(0, 10)], &[&[(600, 2000)]]);
    cluster.obey(&command(Mix::new(0, 3))).unwrap();
    cluster.advance(at(299));
    assert_eq!(
        (cluster.allocation(), cluster.ungranted()),
        (AllocationState::Resizing, 3)
    );
    assert!(cluster.obey(&command(Mix::new(1, 3))).is_err());
    cluster.advance(at(300));
    assert_eq!(cluster.allocation(), AllocationState::Steady);
    assert_eq!(&*cluster.resize_errors()[0].code, "AllocationTimedout");
    // One is asked for less, two still come: at 600 s, and ten seconds for the service to try.
    cluster.obey(&command(Mix::new(0, 2))).unwrap();
    assert_eq!(cluster.ungranted(), 2);
    cluster.advance(at(609));
    assert_eq!(cluster.census().mix(), Mix::ZERO);
    cluster.advance(at(610));
    assert_eq!((cluster.census().mix(), cluster.ungranted()), (Mix::new(0, 2), 0));
    cluster.advance(at(670));
    assert_eq!(spot(&cluster, NodeState::Idle), 1);
    assert_eq!(spot(&cluster, NodeState::Running), 1);
}

#[test]
fn only_idle_nodes_go_by_name_and_the_target_is_what_remains() {
    let setup = Setup {
        initial: Mix::new(4, 0),
        ..quick()
    };
    let mut cluster = pool(setup, &[(0, 1000), (0, 1000), (0, 500)], &[]);
    cluster.advance(at(10));
    let idle = Command {
        removal: Removal::Idle,
        ..command(Mix::new(1, 0))
    };
    cluster.obey(&idle).unwrap();
    cluster.advance(at(10));
    assert_eq!(
        (cluster.target(), cluster.census().mix(), cluster.running()),
        (Mix::new(3, 0), Mix::new(3, 0), 3)
    );
}

#[test]
fn cordoned_nodes_finish_their_tasks_take_no_others_and_stay_until_they_are_removed() {
    let setup = Setup {
        initial: Mix::new(3, 0),
        ..quick()
    };
    let mut cluster = pool(setup, &[(0, 100), (0, 200), (150, 10), (250, 10)], &[]);
    cluster.advance(at(10));
    // The emptiest first: the idle one and then one that runs the second task.
    let cordoning = |n: u32| Command {
        cordon: Mix::new(n, 0),
        ..command(Mix::new(3, 0))
    };
    cluster.obey(&cordoning(2)).unwrap();
    assert_eq!(cluster.census().cordoned(), Mix::new(2, 0));
    assert_eq!(
        (cluster.census().usable().0, cluster.allocation()),
        (2, AllocationState::Steady)
    );
    cluster.advance(at(240));
    assert_eq!(cluster.tally().succeeded, 3);
    // Two idle nodes take nothing; the one that does was the first.
    let remove = Command {
        removal: Removal::Idle,
        cordon: Mix::new(1, 0),
        ..command(Mix::new(2, 0))
    };
    cluster.obey(&remove).unwrap();
    cluster.advance(at(250));
    assert_eq!(
        (
            cluster.census().mix(),
            cluster.census().cordoned(),
            cluster.running()
        ),
        (Mix::new(2, 0), Mix::new(1, 0), 1)
    );
    cluster
        .obey(&Command {
            cordon: Mix::ZERO,
            ..command(Mix::new(2, 0))
        })
        .unwrap();
    assert_eq!(
        (cluster.census().cordoned(), cluster.census().usable().0),
        (Mix::ZERO, 2)
    );
    assert!((cluster.meter().node_hours(|_, _| true) * 3600.0 - (3.0 * 240.0 + 2.0 * 10.0)).abs() < 1e-9);
}

#[test]
fn an_order_that_retakes_drops_grants_and_lets_draining_nodes_take_tasks_again() {
    let setup = Setup {
        initial: Mix::new(2, 0),
        resize_time: Span::minutes(1),
        ..quick()
    };
    let mut cluster = pool(setup, &[(0, 1000), (0, 1000)], &[]);
    cluster.advance(at(10));
    let order = |target, retake| Command {
        option: NodeDeallocationOption::TaskCompletion,
        retake,
        ..command(target)
    };
    cluster.obey(&order(Mix::new(1, 5), false)).unwrap();
    assert_eq!(cluster.census().of(NodeState::Draining).0, 1);
    cluster.advance(at(40));
    assert!(cluster.obey(&order(Mix::new(2, 0), false)).is_err());
    cluster.obey(&order(Mix::new(2, 1), true)).unwrap();
    assert_eq!(cluster.census().of(NodeState::Draining).0, 0);
    cluster.advance(at(99));
    assert_eq!(
        (cluster.target(), cluster.census().mix()),
        (Mix::new(2, 1), Mix::new(2, 0))
    );
    // The new grant comes a minute after it was asked for, and there is no unit for it.
    cluster.advance(at(100));
    assert_eq!(cluster.ungranted(), 1);
    cluster.advance(at(1000));
    assert_eq!(cluster.tally().succeeded, 2);
}

#[test]
fn by_the_rules_of_the_study_no_order_is_refused() {
    let setup = Setup {
        initial: Mix::new(2, 0),
        ..Setup::study()
    };
    let mut cluster = pool(setup, &[(0, 1000), (0, 1000)], &[]);
    cluster.advance(at(10));
    let drain = NodeDeallocationOption::TaskCompletion;
    cluster.order(Mix::new(1, 3), drain).unwrap();
    cluster.advance(at(20));
    // One drains and three are not to be had; the next order lets it take tasks again.
    assert_eq!(
        (
            cluster.allocation(),
            cluster.ungranted(),
            cluster.census().of(NodeState::Draining).0
        ),
        (AllocationState::Steady, 3, 1)
    );
    cluster.order(Mix::new(3, 1), drain).unwrap();
    cluster.advance(at(20));
    assert_eq!(
        (
            cluster.census().mix(),
            cluster.ungranted(),
            cluster.census().of(NodeState::Draining).0
        ),
        (Mix::new(3, 0), 1, 0)
    );
}

#[test]
fn tasks_and_nodes_are_told_one_by_one() {
    let setup = Setup {
        initial: Mix::new(1, 2),
        ..quick()
    };
    let tasks = [(0, 50), (0, 300), (0, 300), (5, 300)];
    let mut cluster = pool(setup, &tasks, &[&[(0, 100), (105, 900)]]);
    let mut work = Work::default();
    cluster.tell_work(&mut work);
    assert_eq!((work.nodes.len(), work.finished.len()), (3, 0));
    cluster.advance(at(102));
    cluster.tell_work(&mut work);
    // The dedicated node has ended the first task and runs the fourth; the others lost their nodes at 100 s.
    assert_eq!(work.finished.len(), 1);
    assert_eq!(
        (work.finished[0].ended, work.finished[0].started),
        (at(50), at(0))
    );
    assert_eq!((work.running.len(), work.running[0].started), (1, at(50)));
    let lost: Vec<_> = work.waiting.iter().map(|task| task.ran).collect();
    assert_eq!(lost, [Span::seconds(100), Span::seconds(100)]);
    let preempted = work
        .nodes
        .iter()
        .filter(|node| node.activity == NodeActivity::Preempted && node.since == at(100));
    assert_eq!(preempted.count(), 2);
    assert!(work.ended.iter().all(|end| end.evicted && end.at == at(100)));
    assert_eq!(work.ended.len(), 2);
    cluster.advance(at(116));
    cluster.tell_work(&mut work);
    assert!(work.finished.is_empty() && work.ended.is_empty());
    let booting = |node: &&lowtide::account::Node| {
        node.activity == NodeActivity::Starting && (node.granted, node.since) == (at(115), at(115))
    };
    assert_eq!(work.nodes.iter().filter(booting).count(), 2);
}

#[test]
fn a_node_has_its_own_hazard_beside_the_supply() {
    let setup = Setup {
        initial: Mix::new(0, 50),
        eviction: Eviction::Constant {
            per_node_hour: 0.5,
            back_after: Span::ZERO,
        },
        ..Setup::study()
    };
    let day = 86_400;
    let mut cluster = pool(setup, &[(0, 1)], &[&[(0, day / 2), (day / 2 + 3600, 2 * day)]]);
    cluster.advance(at(day));
    let away = cluster
        .meter()
        .node_hours(|_, state| state == NodeState::Preempted);
    let up = cluster.meter().node_hours(|_, state| state.is_billed());
    assert!((away - 50.0).abs() < 1e-6 && (up + away - 50.0 * 24.0).abs() < 1e-6);
    let own = f64::from(cluster.tally().evictions) - 50.0;
    // Five standard deviations of a Poisson count.
    assert!(
        (own - 0.5 * up).abs() < 5.0 * (0.5 * up).sqrt(),
        "{own} in {up} node-hours"
    );
}
