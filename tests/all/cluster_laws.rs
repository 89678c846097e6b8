//! What holds in the simulated pool whatever is ordered, whatever the market does and whatever goes wrong; and queues whose
//! waits are known from theory.

use std::sync::Arc;

use lowtide::account::{AllocationState, NodeActivity, NodeDeallocationOption, Removal, Replacement, Work};
use lowtide::base::{Lane, Mix, Nodes, Span, Timestamp, UsdHourly};
use lowtide::market::{Checkpoint, LostWork};
use lowtide::policy::Prices;
use lowtide::sim::cluster::{Boot, Cluster, Command, Delay, Eviction, Fill, NodeFaults, NodeState, Setup};
use lowtide::sim::workload::{Task, Workload};
use lowtide::sim::{Supply, UpRun};
use lowtide::sizing::{RunTimes, whole_run};
use proptest::prelude::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(second)
}

fn workload(tasks: &[(i64, i64, u32)]) -> Arc<Workload> {
    let task = |&(submit, run, slots): &(i64, i64, u32)| Task {
        submit: at(submit),
        run: Span::seconds(run),
        slots,
        job: None,
        due: None,
    };
    Arc::new(Workload::new("w", at(0), tasks.iter().map(task).collect()))
}

#[test]
fn of_tasks_that_go_on_where_they_saved_their_work_all_of_it_is_learned() {
    let every = Checkpoint {
        every: Span::minutes(10),
        cost: Span::ZERO,
        restart: Span::ZERO,
    };
    let setup = Setup {
        task_slots_per_node: 1,
        boot: Boot::Fixed(Span::minutes(4)),
        initial: Mix::new(0, 20),
        checkpoint: Some(every),
        eviction: Eviction::Constant {
            per_node_hour: 0.4,
            back_after: Span::minutes(4),
        },
        ..Setup::study()
    };
    let tasks = vec![(0, 4 * 3600, 1); 200];
    let mut cluster = Cluster::new(setup, workload(&tasks), 7);
    let (mut whole, mut last) = (RunTimes::default(), RunTimes::default());
    let (mut work, mut least) = (Work::default(), 1.0_f64);
    for minute in 0..100 * 60 {
        cluster.advance(at(60 * minute));
        cluster.tell_work(&mut work);
        for task in &work.finished {
            let run = whole_run(task, LostWork::SinceCheckpoint(every));
            least = least.min(run.as_hours() / 4.0);
            whole.learn(run);
            last.learn(task.ended - task.started);
        }
    }
    assert!(whole.count() > 150.0);
    // Each task lost its node once or twice, so that its last run is a part of it.
    assert!(last.quantile(0.5).unwrap() < Span::minutes(180), "{last:?}");
    for share in [0.25, 0.5, 0.75] {
        let hours = whole.quantile(share).unwrap().as_hours();
        assert!((3.8..4.4).contains(&hours), "{hours}");
    }
    assert!(least > 0.9, "{least}");
}

/// A supply whose units are up and down by turns, for the spans given.
fn supply(units: &[Vec<(i64, i64)>]) -> Supply {
    let unit = |turns: &Vec<(i64, i64)>| {
        let mut second = 0;
        let runs = turns.iter().map(|(up, down)| {
            let from = second + down;
            second = from + up;
            UpRun {
                from: at(from),
                until: at(second),
            }
        });
        runs.collect()
    };
    Supply::new("s", units.iter().map(unit).collect())
}

/// Everything that a setup may hold, small.
fn setups() -> impl Strategy<Value = Setup> {
    let times = (0_i64..40, 0_i64..90, 0_i64..60, 0_i64..120);
    let chances = prop_oneof![
        2 => Just((0.0, 0.0, 0.0, None)),
        1 => (0.0..0.5, 0.0..0.3, 0.0..20.0, prop::option::of(1_i64..200)),
    ];
    let hazard = prop_oneof![Just(0.0), 1.0..20.0];
    let checkpoint = prop::option::of((1_i64..100, 0_i64..20, 0_i64..20));
    let shape = (1_u32..4, any::<bool>(), 0_u32..4, 0_u32..4);
    (times, chances, hazard, checkpoint, shape).prop_map(|(times, faults, hazard, checkpoint, shape)| {
        let (resize, timeout, retry, boot) = times;
        Setup {
            task_slots_per_node: shape.0,
            fill: if shape.1 { Fill::Pack } else { Fill::Spread },
            resize_time: Span::seconds(resize),
            resize_timeout: Span::seconds(timeout),
            retry: Span::seconds(retry),
            boot: Boot::Uniform {
                least: Span::seconds(boot / 2),
                most: Span::seconds(boot),
            },
            eviction: Eviction::Constant {
                per_node_hour: hazard,
                back_after: Span::seconds(retry),
            },
            restored_within: Some(Span::seconds(500)),
            faults: NodeFaults {
                start_fails: faults.0,
                boot_sticks: faults.1,
                breaks_hourly: faults.2,
                mended_after: faults.3.map(Span::seconds),
            },
            checkpoint: checkpoint.map(|(every, cost, restart)| Checkpoint {
                every: Span::seconds(every),
                cost: Span::seconds(cost),
                restart: Span::seconds(restart),
            }),
            initial: Mix::new(shape.2, shape.3),
            ..Setup::default()
        }
    })
}

fn commands() -> impl Strategy<Value = Vec<(i64, Command)>> {
    let mix = || (0_u32..6, 0_u32..6).prop_map(|(dedicated, spot)| Mix::new(dedicated, spot));
    let replace = prop::option::of((0_u32..3, 0_u32..3).prop_map(|(broken, away)| Replacement {
        broken: Nodes(broken),
        broken_before: Timestamp::from_ticks(i64::MAX),
        away: Nodes(away),
        away_before: Timestamp::from_ticks(i64::MAX),
    }));
    let command = (mix(), mix(), 0_usize..4, any::<bool>(), any::<bool>(), replace).prop_map(
        |(target, cordon, option, idle, retake, replace)| Command {
            target,
            option: NodeDeallocationOption::ALL[option],
            removal: if idle { Removal::Idle } else { Removal::Any },
            cordon,
            retake,
            replace,
        },
    );
    prop::collection::vec((1_i64..300, command), 0..14)
}

/// What the tasks and nodes, told one by one, must have in common with the counts.
fn check_work(cluster: &Cluster, work: &Work) {
    let census = cluster.census();
    assert_eq!(work.waiting.len(), cluster.waiting() as usize);
    assert_eq!(work.running.len(), cluster.running() as usize);
    assert_eq!(work.nodes.len(), census.mix().total().0 as usize);
    let busy: u64 = work.nodes.iter().map(|node| u64::from(node.busy_slots)).sum();
    assert_eq!(busy, census.busy_slots);
    let n = |activity| work.nodes.iter().filter(|node| node.activity == activity).count() as u32;
    assert_eq!(n(NodeActivity::Cordoned), census.cordoned().total().0);
    assert_eq!(n(NodeActivity::Preempted), census.of(NodeState::Preempted).0);
    assert_eq!(n(NodeActivity::Unusable), census.of(NodeState::Unusable).0);
    assert!(
        work.nodes
            .iter()
            .all(|node| node.granted <= node.since && node.since <= cluster.now())
    );
}

proptest! {
    /// Whatever is ordered, no task is lost, every node-second is metered once and billed once, and what is told one by one
    /// adds up to the counts.
    #[test]
    fn nothing_is_lost_and_all_is_billed(
        setup in setups(),
        tasks in prop::collection::vec((0_i64..1500, 1_i64..300, 1_u32..4), 1..40),
        commands in commands(),
        units in prop::collection::vec(prop::collection::vec((1_i64..400, 1_i64..200), 0..6), 1..4),
        with_supply: bool,
        seed: u64,
    ) {
        let setup = setup.checked().unwrap();
        let supply = with_supply.then(|| Arc::new(supply(&units)));
        let mut cluster = Cluster::with_supply(setup, workload(&tasks), supply, seed);
        let mut work = Work::default();
        let mut ended = 0;
        let mut due = 0;
        for (gap, command) in commands {
            due += gap;
            cluster.advance(at(due));
            let before = cluster.target();
            let steady = cluster.allocation() == AllocationState::Steady;
            let only_cordons = command.target == before
                && command.cordon != cluster.census().cordoned()
                && command.replace.is_none();
            let taken = cluster.obey(&command).is_ok();
            prop_assert_eq!(taken, steady || command.retake || only_cordons);
            if taken {
                let cordoned = cluster.census().cordoned();
                let ready = |lane| {
                    cluster.census().get(lane, NodeState::Idle) + cluster.census().get(lane, NodeState::Running)
                };
                for lane in Lane::ALL {
                    prop_assert_eq!(cordoned.get(lane), command.cordon.get(lane).min(ready(lane)));
                }
            } else {
                prop_assert_eq!(cluster.target(), before);
            }
            let tally = *cluster.tally();
            prop_assert_eq!(
                cluster.submitted(),
                tally.succeeded + tally.terminated + cluster.waiting() + cluster.running()
            );
            if cluster.allocation() == AllocationState::Steady {
                let there = cluster.census().mix();
                let awaited = Mix::new(there.dedicated.0, there.spot.0 + cluster.ungranted());
                prop_assert_eq!(awaited, cluster.target());
            }
            cluster.tell_work(&mut work);
            check_work(&cluster, &work);
            ended += work.finished.len();
            prop_assert!(ended <= tally.succeeded as usize);
        }
        cluster.advance(at(4000));
        // Metered node-time is what it is whoever looks in between: no look changes a run.
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
        let delays = cluster.delays();
        prop_assert_eq!(delays.len(), tasks.len());
        let late = |delay: &Delay| !matches!(delay, Delay::Ended(late) | Delay::AtLeast(late) if late.is_negative());
        prop_assert!(delays.iter().all(late));
        let n_ended = delays.iter().filter(|delay| matches!(delay, Delay::Ended(_))).count();
        prop_assert_eq!(n_ended, cluster.tally().succeeded as usize);
        // Slots are busy with work that is done, saved, lost or under way; without checkpoints nothing else is.
        if setup.checkpoint.is_none() {
            let mut sorted = tasks;
            sorted.sort_by_key(|task| task.0);
            let done: i64 = sorted
                .iter()
                .zip(&delays)
                .filter(|(_, delay)| matches!(delay, Delay::Ended(_)))
                .map(|((_, run, slots), _)| run * i64::from(*slots))
                .sum();
            cluster.tell_work(&mut work);
            let under_way: f64 = work
                .running
                .iter()
                .map(|task| (cluster.now() - task.started).as_seconds() * f64::from(task.slots))
                .sum();
            let busy = cluster.meter().busy_slot_hours() * 3600.0;
            let known = done as f64 + under_way + cluster.lost_slot_hours() * 3600.0;
            prop_assert!((busy - known).abs() < 1e-3, "{busy} is not {known}");
        }
    }

    /// Without a market that changes, without hazards and faults, nothing is ever taken away.
    #[test]
    fn no_node_is_evicted_without_a_cause(
        setup in setups(),
        tasks in prop::collection::vec((0_i64..1500, 1_i64..300, 1_u32..2), 1..40),
        commands in commands(),
        seed: u64,
    ) {
        let setup = Setup {
            eviction: Eviction::Never,
            faults: NodeFaults::default(),
            ..setup
        };
        let always = Arc::new(Supply::always(at(0), at(2000)));
        let mut cluster = Cluster::with_supply(setup, workload(&tasks), Some(always), seed);
        let mut due = 0;
        for (gap, command) in commands {
            due += gap;
            cluster.advance(at(due));
            let _ = cluster.obey(&command);
            prop_assert_eq!(cluster.ungranted(), 0);
        }
        cluster.advance(at(4000));
        let tally = cluster.tally();
        prop_assert_eq!((tally.evictions, tally.evicted, tally.node_faults), (0, 0, 0));
    }

    /// Looking on, however often, changes nothing.
    #[test]
    fn a_run_is_the_same_however_often_it_is_looked_at(
        setup in setups(),
        tasks in prop::collection::vec((0_i64..1500, 1_i64..300, 1_u32..3), 1..30),
        units in prop::collection::vec(prop::collection::vec((1_i64..400, 1_i64..200), 1..6), 1..4),
        seed: u64,
    ) {
        let run = |step: usize| {
            let mut cluster =
                Cluster::with_supply(setup, workload(&tasks), Some(Arc::new(supply(&units))), seed);
            let _ = cluster.order(Mix::new(1, 5), NodeDeallocationOption::Requeue);
            for second in (0..=3000).step_by(step) {
                cluster.advance(at(second));
            }
            cluster.advance(at(3000));
            format!("{:?} {:?} {:?}", cluster.meter(), cluster.tally(), cluster.delays())
        };
        prop_assert_eq!(run(3000), run(7));
    }
}

#[test]
fn a_queue_with_steady_service_waits_as_theory_says() {
    // M/D/1 by Pollaczek and Khinchine: at a load of rho a task waits rho / (2 (1 - rho)) services in the mean.
    use rand::{RngExt, SeedableRng};
    let mut chance = rand_pcg::Pcg64Mcg::seed_from_u64(5);
    let service = 100.0;
    for (servers, load, expected) in [(1_u32, 0.5, 0.5), (1, 0.8, 2.0)] {
        let mut second = 0.0_f64;
        let mean_gap = service / (load * f64::from(servers));
        let tasks: Vec<_> = (0..200_000)
            .map(|_| {
                second -= mean_gap * (1.0 - chance.random::<f64>()).ln();
                Task {
                    submit: Timestamp::EPOCH + Span::from_seconds(second),
                    run: Span::from_seconds(service),
                    slots: 1,
                    job: None,
                    due: None,
                }
            })
            .collect();
        let setup = Setup {
            initial: Mix::new(servers, 0),
            ..Setup::default()
        };
        let workload = Arc::new(Workload::new("M/D/c", Timestamp::EPOCH, tasks));
        let mut cluster = Cluster::new(setup, workload, 1);
        cluster.advance(Timestamp::EPOCH + Span::from_seconds(second + 1e5));
        let waits = cluster.waits();
        let mean = waits.iter().map(|wait| wait.as_seconds()).sum::<f64>() / waits.len() as f64;
        assert!(
            (mean / service / expected - 1.0).abs() < 0.05,
            "M/D/{servers} at {load}: {} services",
            mean / service
        );
    }
}
