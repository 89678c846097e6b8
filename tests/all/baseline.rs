//! The built-in baselines on cases that are worked out by hand. A node is granted a minute after it is ordered, boots for three
//! and is billed for both its boot and the minute in which it goes.

use std::fmt::Write as _;
use std::sync::Arc;

use proptest::prelude::{ProptestConfig, proptest};

use lowtide::base::{Span, Timestamp, UsdHourly};
use lowtide::policy::{self, Prices};
use lowtide::sim::workload::{CiRecipe, Task, Workload, generate};
use lowtide::sim::{Contender, Options, Run, SpotMarket, backtest, baseline};

const PRICES: Prices = Prices {
    dedicated: UsdHourly(1.0),
    spot: UsdHourly(0.2),
};

/// A task by the minutes of its submission and run.
fn task(submit: i64, run: i64) -> Task {
    Task {
        submit: Timestamp::from_unix_seconds(60 * submit),
        run: Span::minutes(run),
        slots: 1,
        job: None,
        due: None,
    }
}

/// Spot machines without end until a minute, and none from then on for nine days.
fn spot_until(minute: i64) -> SpotMarket {
    let mut steps = "t_s,available\n".to_owned();
    if minute > 0 {
        steps += "0,1000\n";
    }
    let _ = write!(steps, "{},0\n777600,1000\n864000,-1\n", 60 * minute);
    SpotMarket::read("steps", &steps).unwrap()
}

fn run(name: &str, tasks: &[Task], spot: SpotMarket) -> Run {
    let workload = Arc::new(Workload::new("w", Timestamp::EPOCH, tasks.to_vec()));
    let contender = baseline::parse(name, PRICES).unwrap();
    let options = Options {
        spot,
        ..Options::default()
    };
    let report = backtest(&[contender], &workload, &options, &|_| {}).unwrap();
    let run = report.runs.into_iter().next().unwrap();
    let read: baseline::Baseline = name.parse().unwrap();
    assert_eq!(run.policy, read.to_string());
    run
}

/// What one task of an hour comes to: its wait in minutes, and the minutes of both lanes that are billed.
fn hour_long(name: &str, spot: SpotMarket) -> (f64, f64, f64) {
    let run = run(name, &[task(0, 60)], spot);
    assert_eq!(run.tasks.completed, 1, "{name}");
    let minutes = |hours: f64| (hours * 60.0 * 1e6).round() / 1e6;
    (
        run.wait.max / 60.0,
        minutes(run.node_hours.dedicated),
        minutes(run.node_hours.spot),
    )
}

#[test]
fn documented_formulas_see_a_task_at_their_second_evaluation() {
    // At 0:05 three minutes of samples show it: granted 0:06, runs from 0:09 to 1:09. At 1:10 one of six samples shows none:
    // 5/6 of a node is rounded up here, and truncated by the service, which the printed text leaves to it.
    assert_eq!(hour_long("dedicated", spot_until(0)), (9.0, 70.0, 0.0));
    assert_eq!(hour_long("dedicated-verbatim", spot_until(0)), (9.0, 65.0, 0.0));
    assert_eq!(hour_long("low-priority", spot_until(600)), (9.0, 0.0, 70.0));
}

#[test]
fn the_documented_formula_as_the_service_runs_it_is_the_baseline() {
    let text = "version: 1
pool: p
demand:
  - formula:
      role: targets
      text: |
        startingNumberOfVMs = 1;
        maxNumberofVMs = 25;
        pendingTaskSamplePercent = $PendingTasks.GetSamplePercent(180 * TimeInterval_Second);
        pendingTaskSamples = pendingTaskSamplePercent < 70 ? startingNumberOfVMs : avg($PendingTasks.GetSample(180 * TimeInterval_Second));
        $TargetDedicatedNodes=min(maxNumberofVMs, pendingTaskSamples);
        $NodeDeallocationOption = taskcompletion;
bounds: { total: [0, 25] }
mix: { prices: { dedicated: 1.0, spot: 0.2 } }
";
    let (policy, findings) = policy::read("p", text, &mut |_| Err("no file".to_owned()));
    let native = Contender::Native {
        policy: policy.unwrap_or_else(|| panic!("{findings:?}")),
        interval: Span::minutes(5),
    };
    let printed = baseline::parse("dedicated-verbatim", PRICES).unwrap();
    let workload = Arc::new(generate(&CiRecipe::default(), 3));
    let report = backtest(&[native, printed], &workload, &Options::default(), &|_| {}).unwrap();
    let [native, printed] = &report.runs[..] else {
        panic!("two contenders, two runs")
    };
    assert_eq!(native.tasks.completed, native.tasks.submitted);
    // Draining nodes keep the pool from taking orders of a resize from outside; the service's own are not kept back.
    let ratio = native.cost.total.0 / printed.cost.total.0;
    assert!((0.8..1.25).contains(&ratio), "{ratio}");
}

#[test]
fn a_preempted_node_is_replaced_after_three_minutes_of_samples_have_seen_it() {
    // Evicted at 0:20. At 0:25 all six samples from 0:21:30 show it: granted 0:26, runs from 0:29 to 1:29. At 1:30 the demand
    // is 5/6, at 1:35 none. Spot is billed from 0:06 to 0:20.
    assert_eq!(
        hour_long("preempted-to-dedicated", spot_until(20)),
        (29.0, 70.0, 14.0)
    );
    // Spot that was ordered at 0:05 and has not come is missing at 0:10: granted 0:11, runs from 0:14.
    assert_eq!(
        hour_long("preempted-to-dedicated", spot_until(0)),
        (14.0, 70.0, 0.0)
    );
    // Without the rule the task waits for the rest of the run.
    let waits = run("low-priority", &[task(0, 60)], spot_until(20));
    assert_eq!((waits.tasks.completed, waits.tasks.evicted), (0, 1));
}

#[test]
fn the_printed_formula_for_preempted_nodes_keeps_twenty_five() {
    let run = run(
        "preempted-to-dedicated-verbatim",
        &[task(0, 60)],
        spot_until(6000),
    );
    // From the first look to the end of the run two hours after the task might have ended.
    assert!((run.node_hours.spot - 25.0 * 179.0 / 60.0).abs() < 1e-9);
    assert_eq!((run.node_starts, run.orders), (25, 1));
}

#[test]
fn a_share_is_kept_and_spot_that_is_not_to_be_had_does_not_hold_the_rest_up() {
    let tasks = [task(0, 60), task(0, 60), task(0, 60), task(0, 60)];
    let half = run("share:0.5", &tasks, spot_until(600));
    assert_eq!(half.node_hours.dedicated, half.node_hours.spot);
    assert_eq!((half.node_starts, half.wait.max), (4, 540.0));
    let quarter = run("share:0.25", &tasks, spot_until(600));
    assert!((quarter.node_hours.dedicated - 3.0 * quarter.node_hours.spot).abs() < 1e-9);
    // The pool has waited for spot since 0:05 when the second two tasks come; their nodes are ordered at 0:15 all the same.
    let later = [task(0, 60), task(0, 60), task(7, 60), task(7, 60)];
    let starved = run("share:0.5", &later, spot_until(0));
    // One node from 0:06, another from 0:11: each runs two tasks.
    assert_eq!(
        (starved.tasks.completed, starved.wait.max),
        (4, (9.0 + 60.0 - 2.0) * 60.0)
    );
}

#[test]
fn the_pod_autoscaler_orders_at_once_and_keeps_one_node() {
    // Ordered at 0:00, granted at 0:01, and there until the end of the run at 3:00.
    assert_eq!(hour_long("hpa", spot_until(0)), (4.0, 179.0, 0.0));
    assert_eq!(hour_long("hpa:spot", spot_until(600)), (4.0, 0.0, 179.0));
    // Four are ordered at 0:00, the most that may be added at once; ten are wanted half a minute later, and the pool takes that
    // order at 1:00. Four tasks end at 1:04 and six at 1:05: four nodes, the youngest, go from 1:08:45, when five minutes have
    // not wanted more than six, five more a minute later, and one stays. Each is billed for a minute more.
    let run = run("hpa", &[task(0, 60); 10], spot_until(0));
    let billed = 4.0 * 67.75 + 2.0 * 68.75 + 3.0 * 69.75 + 179.0;
    assert!((run.node_hours.dedicated * 60.0 - billed).abs() < 1e-6);
    assert_eq!(run.orders, 4);
}

#[test]
fn nomad_orders_at_once_and_lets_go_at_once() {
    // Granted at 0:01, runs from 0:04 to 1:04, gone at 1:05.
    assert_eq!(hour_long("nomad", spot_until(0)), (4.0, 64.0, 0.0));
    // A second task at 0:01 waits for the end of the cooldown at 0:05.
    let run = run("nomad", &[task(0, 60), task(1, 60)], spot_until(0));
    assert_eq!(run.wait.max, 8.0 * 60.0);
}

#[test]
fn spot_hedge_backs_spot_with_dedicated_nodes_until_it_is_ready() {
    assert_eq!(hour_long("spothedge", spot_until(0)), (4.0, 64.0, 0.0));
    // Evicted at 0:20, it runs from 0:24 on a dedicated node until 1:24.
    let lost = run("spothedge:0", &[task(0, 60), task(0, 60)], spot_until(20));
    assert_eq!(lost.tasks.completed, 2);
    assert!(lost.wait.max <= 24.0 * 60.0, "{:?}", lost.wait);
}

#[test]
fn uniform_progress_leaves_spot_only_when_it_falls_behind() {
    // It is behind its line at 0:01.
    assert_eq!(hour_long("uniform-progress:3h", spot_until(0)), (5.0, 64.0, 0.0));
    // Spot that boots is as good as there: no dedicated node.
    assert_eq!(
        hour_long("uniform-progress:3h", spot_until(600)),
        (4.0, 0.0, 64.0)
    );
    // All is lost at 0:20; it goes to a dedicated node and runs from 0:24.
    assert_eq!(
        hour_long("uniform-progress:3h", spot_until(20)),
        (24.0, 64.0, 19.0)
    );
}

#[test]
fn a_job_ahead_of_its_line_waits_for_spot_until_the_line_catches_up() {
    // Five tasks of an hour, due within ten, end on spot by 1:04. Spot is gone when five more come at 1:10. All in all
    // (5 (600 - t) + 5 (670 - t)) / 600 hours of work may be undone at minute t, five at 5:35: the run ends before that.
    let mut tasks = vec![task(0, 60); 5];
    tasks.extend(vec![task(70, 60); 5]);
    let waits = run("uniform-progress:10h", &tasks, spot_until(69));
    assert_eq!((waits.tasks.completed, waits.tasks.unfinished), (5, 5));
    assert_eq!(waits.node_hours.dedicated, 0.0);
    // In a longer run dedicated nodes are ordered at 5:36, granted a minute later; three boot when the run ends at 5:40.
    tasks.push(task(219, 1));
    let crossed = run("uniform-progress:10h", &tasks, spot_until(69));
    assert!(crossed.node_hours.dedicated > 0.0 && crossed.node_hours.dedicated * 60.0 < 10.0);
}

#[test]
fn every_baseline_does_the_work_of_a_day_and_the_same_each_time() {
    let workload = Arc::new(generate(&CiRecipe::default(), 3));
    let contenders = baseline::all(PRICES);
    let options = Options::default();
    let runs = || backtest(&contenders, &workload, &options, &|_| {}).unwrap().runs;
    let first = runs();
    for run in &first {
        assert_eq!(run.tasks.completed, run.tasks.submitted, "{}", run.policy);
        assert!(run.cost.total.0 > 0.0 && run.orders > 0, "{}", run.policy);
    }
    assert_eq!(first, runs());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn uniform_progress_meets_a_deadline_that_leaves_time_to_start_anew(
        count in 1_usize..12,
        minutes in 5_i64..60,
        slack in 20_i64..300,
        lost_at in 0_i64..400,
    ) {
        // Spot goes for good when each task can still be done from its start, with two switch-overs and two looks to spare.
        let within = minutes + slack;
        let lost_at = lost_at.min(slack - 10);
        let mut tasks = vec![task(0, minutes); count];
        // A last task keeps the run going to the deadline.
        tasks.push(task(within, 1));
        let run = run(&format!("uniform-progress:{within}m"), &tasks, spot_until(lost_at));
        assert_eq!(run.tasks.completed, run.tasks.submitted);
        assert!(run.delay.max <= 60.0 * slack as f64, "{:?}", run.delay);
    }
}
