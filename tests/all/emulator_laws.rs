//! What always holds in a local account, whatever is asked of it and whenever; and that its pools tell the same story as the
//! pool that backtests run on.

use std::sync::Arc;

use lowtide::account::NodeDeallocationOption;
use lowtide::base::{Lane, Mix, Span, Timestamp};
use lowtide::emulator::{Account, Desk, Setup, Submission, Timing};
use lowtide::sim::cluster::{Boot, Cluster, NodeState};
use lowtide::sim::workload::{Task, Workload};
use lowtide::sim::{SpotMarket, Supply, UpRun};
use proptest::prelude::*;
use serde_json::Value;

use crate::emulator::{ask, start};

/// A request that may make sense or not.
fn request() -> impl Strategy<Value = (u32, String, String)> {
    let pool = prop::sample::select(vec!["a", "b", "A", "none"]);
    let job = prop::sample::select(vec!["j", "k", "J"]);
    let nodes = 0..6_u32;
    let option = prop::sample::select(vec!["requeue", "terminate", "taskcompletion"]);
    let action = 0..22_u32;
    (0..400_u32, action, pool, job, nodes, option).prop_map(|(after, action, pool, job, nodes, option)| {
        let task = nodes;
        let (line, body) = match action {
            0 | 1 => (
                "POST /pools".to_owned(),
                format!("{{\"id\":\"{pool}\",\"vmSize\":\"standard_d2s_v5\",\"taskSlotsPerNode\":3,\"targetDedicatedNodes\":{nodes},\"targetLowPriorityNodes\":2}}"),
            ),
            2..=4 => (
                format!("POST /pools/{pool}/resize"),
                format!("{{\"targetDedicatedNodes\":{nodes},\"targetLowPriorityNodes\":{},\"nodeDeallocationOption\":\"{option}\",\"resizeTimeout\":\"PT5M\"}}", 5 - nodes),
            ),
            5 => (format!("POST /pools/{pool}/stopresize"), String::new()),
            6 => (format!("DELETE /pools/{pool}"), String::new()),
            7 | 8 => ("POST /jobs".to_owned(), format!("{{\"id\":\"{job}\",\"priority\":{nodes},\"poolInfo\":{{\"poolId\":\"{pool}\"}},\"usesTaskDependencies\":true}}")),
            9..=12 => (
                format!("POST /jobs/{job}/addtaskcollection"),
                format!("{{\"value\":[{{\"id\":\"t{task}\",\"commandLine\":\"sleep {}; exit {}\",\"requiredSlots\":{},\"constraints\":{{\"maxTaskRetryCount\":1}}}},{{\"id\":\"u{task}\",\"commandLine\":\"sleep 50\",\"dependsOn\":{{\"taskIds\":[\"t{task}\"]}}}}]}}", 60 * nodes + 1, nodes % 2, nodes % 4 + 1),
            ),
            13 => (format!("POST /jobs/{job}/tasks/t{task}/terminate"), String::new()),
            14 => (format!("POST /jobs/{job}/tasks/t{task}/reactivate"), String::new()),
            15 => (format!("DELETE /jobs/{job}/tasks/t{task}"), String::new()),
            16 => (format!("POST /jobs/{job}/disable"), format!("{{\"disableTasks\":\"{}\"}}", if option == "taskcompletion" { "wait" } else { option })),
            17 => (format!("POST /jobs/{job}/enable"), String::new()),
            18 => (format!("POST /jobs/{job}/terminate"), "{}".to_owned()),
            19 => (format!("DELETE /jobs/{job}"), String::new()),
            20 => (format!("PATCH /jobs/{job}"), format!("{{\"maxParallelTasks\":{},\"priority\":{}}}", i64::from(nodes) - 1, nodes)),
            _ => (
                format!("POST /pools/{pool}/enableautoscale"),
                format!("{{\"autoScaleFormula\":\"$TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1)); $NodeDeallocationOption = {option};\",\"autoScaleEvaluationInterval\":\"PT5M\"}}"),
            ),
        };
        (after, line, body)
    })
}

fn setup(seed: u64) -> Setup {
    let up = |from: i64, until: i64| UpRun {
        from: start() + Span::minutes(from),
        until: start() + Span::minutes(until),
    };
    let supply = Supply::new(
        "two",
        vec![vec![up(0, 30), up(45, 300)], vec![up(0, 90), up(92, 95)]],
    );
    Setup {
        seed,
        account: Account {
            dedicated_cores: 14,
            spot_cores: 8,
            ..Account::default()
        },
        timing: Timing {
            boot_sticks: 0.1,
            breaks_hourly: 0.5,
            evictions_hourly: 0.5,
            ..Timing::default()
        },
        spot: SpotMarket::Supply(Arc::new(supply)),
        ..Setup::at(start())
    }
}

fn list(desk: &mut Desk, line: &str) -> Vec<Value> {
    let answer = ask(desk, line, "", None).unwrap();
    answer.body.unwrap()["value"].as_array().unwrap().clone()
}

/// Looks at everything from outside and holds the parts against each other.
fn check(desk: &mut Desk) {
    assert!(desk.cores_held(Lane::Dedicated) <= 14 && desk.cores_held(Lane::Spot) <= 8);
    let mut on_nodes = 0;
    for pool in list(desk, "GET /pools") {
        let id = pool["id"].as_str().unwrap().to_owned();
        let nodes = list(desk, &format!("GET /pools/{id}/nodes"));
        let both = pool["currentDedicatedNodes"].as_u64().unwrap()
            + pool["currentLowPriorityNodes"].as_u64().unwrap();
        assert_eq!(both, nodes.len() as u64);
        for node in &nodes {
            let slots = node["runningTaskSlotsCount"].as_u64().unwrap();
            let tasks = node["runningTasksCount"].as_u64().unwrap();
            assert!(slots <= 3 && tasks <= slots);
            assert_eq!(tasks > 0, node["state"] == "running", "{node}");
            on_nodes += tasks;
        }
    }
    let mut running = 0;
    for job in list(desk, "GET /jobs") {
        let id = job["id"].as_str().unwrap().to_owned();
        let tasks = list(desk, &format!("GET /jobs/{id}/tasks"));
        let counts = ask(desk, &format!("GET /jobs/{id}/taskcounts"), "", None)
            .unwrap()
            .body
            .unwrap();
        let of = |state: &str| tasks.iter().filter(|task| task["state"] == state).count() as u64;
        for state in ["active", "running", "completed"] {
            assert_eq!(counts["taskCounts"][state], of(state), "{state}");
        }
        running += of("running");
    }
    assert_eq!(on_nodes, running);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is asked: nothing panics, parts agree, quotas hold; and a restart at any moment changes nothing.
    #[test]
    fn an_account_holds_together(requests in prop::collection::vec(request(), 1..60), seed in 0..4_u64) {
        let (mut desk, mut other) = (Desk::new(setup(seed)), Desk::new(setup(seed)));
        for (number, (after, line, body)) in requests.iter().enumerate() {
            let to = desk.now() + Span::seconds(i64::from(*after));
            desk.advance(to);
            // In steps or at once, restarted or not.
            other.advance(to - Span::seconds(i64::from(after / 2)));
            other.advance(to);
            if number % 5 == 4 {
                other = Desk::restore(&other.state(), |_| setup(seed)).unwrap();
            }
            let (one, two) = (ask(&mut desk, line, body, None), ask(&mut other, line, body, None));
            prop_assert_eq!(one, two);
            check(&mut desk);
        }
        let pools = list(&mut desk, "GET /pools");
        prop_assert_eq!(pools, list(&mut other, "GET /pools"));
    }

    /// The same workload, orders and spot market: nodes and tasks are where the pool of the backtest has them.
    #[test]
    fn a_pool_on_the_desk_tells_the_story_of_the_backtest(
        orders in prop::collection::vec((0..12_u32, 0..6_u32, 0..6_u32, 0..2_usize), 1..12),
        tasks in prop::collection::vec((0..7000_i64, 1..1500_i64, 1..4_u32), 0..60),
    ) {
        let options = [NodeDeallocationOption::Requeue, NodeDeallocationOption::TaskCompletion];
        let tasks: Vec<Task> = tasks
            .iter()
            .map(|(submit, run, slots)| Task {
                submit: start() + Span::seconds(*submit),
                run: Span::seconds(*run),
                slots: *slots,
                job: None,
                due: None,
            })
            .collect();
        let workload = Workload::new("w", start(), tasks);
        let mut desk = Desk::new(Setup {
            workload: Some(Submission { job: "w".to_owned(), tasks: workload.tasks.clone() }),
            ..Setup::at(start())
        });
        ask(&mut desk, "POST /pools", r#"{"id":"p","vmSize":"standard_d2s_v5","taskSlotsPerNode":3}"#, None).unwrap();
        ask(&mut desk, "POST /jobs", r#"{"id":"w","poolInfo":{"poolId":"p"}}"#, None).unwrap();
        let mut cluster = Cluster::new(
            lowtide::sim::cluster::Setup {
                task_slots_per_node: 3,
                boot: Boot::Fixed(Span::seconds(150)),
                ..lowtide::sim::cluster::Setup::default()
            },
            Arc::new(workload),
            0,
        );
        // Off the grid on which nodes and samples move.
        let mut now: Timestamp = start() + Span::from_seconds(0.5);
        for (minutes, dedicated, spot, option) in orders {
            for _ in 0..=minutes {
                now += Span::minutes(1);
                cluster.advance(now);
                desk.advance(now);
                compare(&cluster, &mut desk);
            }
            let option = options[option];
            let line = format!(
                "{{\"targetDedicatedNodes\":{dedicated},\"targetLowPriorityNodes\":{spot},\"nodeDeallocationOption\":\"{option}\"}}"
            );
            let is_same = cluster.target() == Mix::new(dedicated, spot);
            if !is_same {
                let ours = ask(&mut desk, "POST /pools/p/resize", &line, None).is_ok();
                prop_assert_eq!(ours, cluster.order(Mix::new(dedicated, spot), option).is_ok());
            }
        }
    }
}

fn compare(cluster: &Cluster, desk: &mut Desk) {
    let counts = list(desk, "GET /nodecounts").remove(0);
    let census = cluster.census();
    for (lane, name) in [(Lane::Dedicated, "dedicated"), (Lane::Spot, "lowPriority")] {
        let of = |keys: &[&str]| {
            keys.iter()
                .map(|key| counts[name][*key].as_u64().unwrap())
                .sum::<u64>()
        };
        let there = |states: &[NodeState]| {
            states
                .iter()
                .map(|state| u64::from(census.get(lane, *state).0))
                .sum::<u64>()
        };
        assert_eq!(of(&["creating", "starting"]), there(&[NodeState::Starting]));
        assert_eq!(of(&["idle"]), there(&[NodeState::Idle]));
        assert_eq!(
            of(&["running"]),
            there(&[NodeState::Running, NodeState::Draining])
        );
        assert_eq!(of(&["leavingPool"]), there(&[NodeState::Leaving]));
    }
    let tasks = ask(desk, "GET /jobs/w/taskcounts", "", None)
        .unwrap()
        .body
        .unwrap();
    let tally = cluster.tally();
    assert_eq!(tasks["taskCounts"]["running"], u64::from(cluster.running()));
    assert_eq!(tasks["taskCounts"]["succeeded"], u64::from(tally.succeeded));
    assert_eq!(tasks["taskCounts"]["active"], u64::from(cluster.waiting()));
}
