//! Sweeps and the tuner: what is cheapest on one part of a log, and whether it holds on the other.

use std::sync::Arc;

use lowtide::base::document::Node;
use lowtide::base::{Span, Timestamp};
use lowtide::policy::{self, Policy};
use lowtide::sim::sweep::{
    Axis, Candidate, Refusal, Setting, SweepReport, TuneReport, Tuning, settings, tune,
};
use lowtide::sim::workload::{Task, Workload};
use lowtide::sim::{Condition, Contender, Options, backtest, demo};
use proptest::prelude::{any, prop, proptest};

const POLICY: &str = "version: 1
pool: p
interval: 1m
demand:
  - formula:
      role: targets
      text: |
        $TargetDedicatedNodes = max(0, $PendingTasks.GetSample(1));
        $NodeDeallocationOption = taskcompletion;
bounds: { dedicated: [0, 20] }
";

fn policy(setting: &Setting) -> Policy {
    let text = setting.apply(POLICY).unwrap();
    let (policy, findings) = policy::read("pool", &text, &mut |_| Err("no file".to_owned()));
    policy.unwrap_or_else(|| panic!("{findings:?}"))
}

fn swept(axes: &[&str]) -> Vec<Setting> {
    let axes: Vec<Axis> = axes.iter().map(|axis| axis.parse().unwrap()).collect();
    settings(&axes).unwrap()
}

/// Every half hour from one hour to another so many tasks of so many minutes.
fn waves(hours: std::ops::Range<i64>, count: usize, minutes: i64) -> Vec<Task> {
    let wave = |half: i64| Task {
        submit: Timestamp::from_unix_seconds(1800 * half),
        run: Span::minutes(minutes),
        slots: 1,
        job: None,
        due: None,
    };
    let halves = 2 * hours.start..2 * hours.end;
    halves.flat_map(|half| vec![wave(half); count]).collect()
}

fn tuned(axes: &[&str], tasks: Vec<Task>, condition: &str) -> TuneReport {
    let tuning = Tuning {
        current: policy(&Setting::default()),
        candidates: swept(axes)
            .into_iter()
            .map(|setting| Candidate {
                policy: policy(&setting),
                setting,
            })
            .collect(),
        others: Vec::new(),
        train: 0.5,
        conditions: vec![condition.parse().unwrap()],
    };
    let workload = Workload::new("waves", Timestamp::EPOCH, tasks);
    let report = tune(&tuning, &workload, &Options::default(), &|_| {}).unwrap();
    assert_eq!(report.proposal.is_some(), report.refusal.is_none());
    assert_eq!(report.candidates.len(), tuning.candidates.len());
    report
}

#[test]
fn a_sweep_gives_each_setting_its_runs_and_marks_the_front() {
    let settings = swept(&["bounds.dedicated.0=0,2", "interval=1m,10m"]);
    let contenders: Vec<_> = settings
        .iter()
        .map(|setting| Contender::Policy(policy(setting)))
        .collect();
    let workload = Arc::new(Workload::new("waves", Timestamp::EPOCH, waves(0..10, 2, 5)));
    let options = Options {
        seeds: vec![0, 1],
        ..Options::default()
    };
    let report = backtest(&contenders, &workload, &options, &|_| {}).unwrap();
    let named: Vec<_> = settings
        .into_iter()
        .map(|setting| ("pool".to_owned(), setting))
        .collect();
    let slow: Condition = "max_wait>5m".parse().unwrap();
    let report = SweepReport::new(report, &named, 2, &[slow]);
    let [cheap, lazy, warm, _] = &report.points[..] else {
        panic!("four settings, four points")
    };
    assert!(report.points.iter().all(|point| point.runs.len() == 2));
    // Two warm nodes wait for nobody and cost all the time; looking every ten minutes makes tasks wait.
    assert!(cheap.on_front && warm.on_front);
    assert!(warm.wait_p95 < cheap.wait_p95 && cheap.wait_p95 < lazy.wait_p95);
    assert!(warm.cost > cheap.cost);
    assert_eq!((warm.fails.len(), lazy.fails.len()), (0, 1));
    let table = report.to_table();
    assert_eq!(table.lines().count(), 6);
    let first = table.lines().nth(1).unwrap();
    // The cheapest comes first, and nothing can beat it.
    assert!(first.starts_with("*  pool"), "{table}");
}

#[test]
fn the_cheapest_setting_that_holds_on_both_parts_is_proposed() {
    let axes = ["bounds.dedicated.0=2,1,0"];
    let report = tuned(&axes, waves(0..20, 2, 5), "max_wait>10m");
    // The policy as it stands has no warm node either: nothing is gained.
    assert_eq!(report.refusal, Some(Refusal::NoCheaper));
    assert_eq!(
        report.chosen.as_ref().unwrap().train.set["bounds.dedicated.0"],
        "0"
    );
    // One node that does both tasks of a wave is cheaper than two that boot for one each, and the second waits five minutes.
    let report = tuned(&["bounds.dedicated.1=1,2,20"], waves(0..20, 2, 5), "max_wait>10m");
    assert_eq!(report.proposal.as_ref().unwrap()["bounds.dedicated.1"], "1");
    let chosen = report.chosen.as_ref().unwrap();
    assert!(chosen.held_out.cost < report.current.held_out.cost);
    assert!(
        report
            .verdict()
            .starts_with("proposed: bounds.dedicated.1=1; on the rest it keeps")
    );
    // Every task of the log is in one of the parts.
    let tasks = |point: &lowtide::sim::sweep::SweepPoint| point.runs[0].tasks.submitted;
    assert_eq!(tasks(&chosen.train) + tasks(&chosen.held_out), 80);
}

#[test]
fn what_breaks_the_limit_on_held_out_time_is_not_proposed() {
    let mut tasks = waves(0..10, 2, 5);
    tasks.extend(waves(10..20, 10, 20));
    let report = tuned(&["bounds.dedicated.1=1,20"], tasks, "max_wait>10m");
    let chosen = report.chosen.as_ref().unwrap();
    assert_eq!(chosen.train.set["bounds.dedicated.1"], "1");
    assert!(chosen.train.fails.is_empty());
    let Some(Refusal::HeldOutFails { fails }) = &report.refusal else {
        panic!("{:?}", report.refusal)
    };
    assert!(fails[0].starts_with("max_wait is "), "{fails:?}");
    assert!(
        report
            .to_text()
            .contains("nothing proposed: bounds.dedicated.1=1 was the cheapest")
    );
}

#[test]
fn nothing_is_proposed_when_no_setting_keeps_to_the_limit() {
    let report = tuned(&["bounds.dedicated.1=1,20"], waves(0..20, 2, 5), "max_wait>10s");
    assert_eq!((report.refusal, report.chosen), (Some(Refusal::NoneMeets), None));
}

#[test]
fn a_policy_with_nothing_swept_is_the_policy() {
    for source in [POLICY, demo::COPIED_POLICY, demo::OWN_POLICY] {
        let read = |text: &str| {
            let (policy, _) = policy::read("pool", text, &mut |_| Err("no file".to_owned()));
            format!("{:?}", policy.unwrap())
        };
        assert_eq!(read(&Setting::default().apply(source).unwrap()), read(source));
    }
}

proptest! {
    #[test]
    fn no_axis_and_no_condition_panics(text in any::<String>(), path in "[a-z0-9.]{0,12}", value in "[a-z0-9:%\\[\\]{}, \"'.#-]{0,8}") {
        let _ = text.parse::<Axis>();
        let _ = text.parse::<Condition>();
        let _ = format!("p95_wait>{value}").parse::<Condition>();
        if let Ok(axis) = format!("{path}={value}").parse::<Axis>() {
            for setting in settings(&[axis]).unwrap() {
                if let Ok(changed) = setting.apply(POLICY) {
                    // What was set is there, in a document that can be read.
                    let (path, value) = &setting.0[0];
                    let keys: Vec<&str> = path.split('.').collect();
                    let found = Node::parse(&changed).unwrap().at(&keys).unwrap().to_json();
                    assert_eq!(found, Node::parse(value).unwrap().to_json());
                    let _ = policy::read("pool", &changed, &mut |_| Err("no file".to_owned()));
                }
            }
        }
    }

    #[test]
    fn the_front_has_the_cheapest_and_the_quickest_and_nothing_that_is_beaten(
        points in prop::collection::vec((0_u32..6, 0_u32..6), 1..20),
    ) {
        let points: Vec<_> = points.into_iter().map(|(cost, wait)| (f64::from(cost), f64::from(wait))).collect();
        let on_front = lowtide::sim::sweep::front(&points);
        let kept = || points.iter().zip(&on_front).filter(|(_, on_front)| **on_front).map(|(point, _)| *point);
        let least = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).fold(f64::INFINITY, f64::min);
        assert!(kept().any(|(cost, _)| cost == least(|point| point.0)));
        assert!(kept().any(|(_, wait)| wait == least(|point| point.1)));
        for one in &points {
            // Whatever is not on the front is no better than something that is.
            assert!(kept().any(|two| two.0 <= one.0 && two.1 <= one.1));
        }
        for one in kept() {
            assert!(!kept().any(|two| two != one && two.0 <= one.0 && two.1 <= one.1));
        }
    }
}
