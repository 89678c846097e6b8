//! Recorded runs: what this engine records of its own runs it explains or finds possible, and what is changed it does not.

use lowtide::base::{Mix, Span, Timestamp};
use lowtide::formula::{
    AutoScaleRunError, Dialect, Formula, How, Inputs, NameValuePair, PoolFacts, RecordedRun, Retraced, Scope,
    Verdict, retrace,
};
use lowtide::signal::{History, Metric, Series};
use proptest::prelude::*;

fn formula(source: &str) -> Formula {
    Formula::compile(source, &Scope::new(Dialect::Service))
        .unwrap_or_else(|faults| panic!("{source}: {faults:?}"))
}

fn at() -> Timestamp {
    "2026-11-24T23:30:00Z".parse().unwrap()
}

fn held(source: &str, results: &str) -> Retraced {
    held_after(source, results, None)
}

fn held_after(source: &str, results: &str, before: Option<Mix>) -> Retraced {
    let run = RecordedRun {
        at: at(),
        results,
        error: None,
        before,
    };
    retrace(&formula(source), &run)
}

fn failed(source: &str, code: &str, detail: &str) -> Retraced {
    let error = AutoScaleRunError {
        code: code.to_owned(),
        message: "it failed".to_owned(),
        values: vec![NameValuePair {
            name: "Message".to_owned(),
            value: detail.to_owned(),
        }],
    };
    let run = RecordedRun {
        at: at(),
        results: "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue",
        error: Some(&error),
        before: None,
    };
    retrace(&formula(source), &run)
}

fn message(told: &Retraced) -> &str {
    told.divergence
        .as_ref()
        .map_or("", |divergence| &divergence.message)
}

#[test]
fn what_needs_no_samples_is_explained() {
    for (source, results) in [
        ("$TargetDedicatedNodes = 7 / 2;", "$TargetDedicatedNodes=3"),
        ("$TargetDedicatedNodes = -2;", "$TargetDedicatedNodes=0"),
        (
            "now = time();\nnight = now.hour >= 18;\n$TargetDedicatedNodes = night ? 5 : 1;\n$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes=5;$TargetLowPriorityNodes=0;$NodeDeallocationOption=taskcompletion;night=1;now=2026-11-24T23:30:00.000Z",
        ),
        // Only the arm that is taken counts.
        (
            "night = time().hour >= 18;\nx = night ? 4 : $PendingTasks.GetSample(1);\n$TargetDedicated = x;",
            "$TargetDedicated=4;night=1;x=4",
        ),
        (
            "x = 1;\nx = x + 1;\n$TargetDedicatedNodes = x;",
            "$TargetDedicatedNodes=2;x=2",
        ),
        (
            "v = vec(1, 2, 3);\n$TargetDedicatedNodes = max(v);",
            "$TargetDedicatedNodes=3;v=[1,2,3]",
        ),
        (
            "$TargetDedicatedNodes = 2;\nstop();\n$TargetDedicatedNodes = 9;\nx = 1;",
            "$TargetDedicatedNodes=2",
        ),
        (
            "$TargetDedicated = 9;\n$TargetDedicatedNodes = 1;",
            "$TargetDedicatedNodes=1",
        ),
    ] {
        let told = held(source, results);
        assert_eq!(told.verdict, Verdict::Explained, "{source}: {}", message(&told));
    }
}

#[test]
fn what_rests_on_samples_is_consistent_and_what_follows_from_it_is_run() {
    let source = "tasks = avg($PendingTasks.GetSample(TimeInterval_Minute * 10));\nnodes = tasks / 4 + 0.999;\n\
                  $TargetDedicatedNodes = min(20, nodes);";
    let told = held(source, "$TargetDedicatedNodes=9;nodes=9.749;tasks=35");
    assert_eq!(
        (told.verdict, told.counts()),
        (Verdict::Consistent, [2, 1]),
        "{}",
        message(&told)
    );
    assert_eq!(
        (told.checks[0].how, told.checks[0].ours.as_str()),
        (How::Possible, "0 or more")
    );
    // What printing hides of a third does no harm.
    let source = "tasks = avg($PendingTasks.GetSample(TimeInterval_Minute * 10));\nall = tasks * 3;\n$TargetDedicatedNodes = all;";
    let told = held(source, "$TargetDedicatedNodes=10;all=10;tasks=3.33333");
    assert_eq!(
        (told.verdict, told.counts()),
        (Verdict::Consistent, [1, 2]),
        "{}",
        message(&told)
    );
}

#[test]
fn a_value_that_cannot_be_is_named_with_its_statement_and_ours() {
    for (source, results, statement, wanted) in [
        (
            "x = 2 + 3;\n$TargetDedicatedNodes = x;",
            "$TargetDedicatedNodes=5;x=6",
            Some(1),
            "`x` was recorded as 6, and would be 5 here",
        ),
        (
            "tasks = avg($PendingTasks.GetSample(10));\nnodes = tasks / 4;\n$TargetDedicatedNodes = nodes;",
            "$TargetDedicatedNodes=8;nodes=9;tasks=32",
            Some(2),
            "`nodes` was recorded as 9, and would be 8 here",
        ),
        (
            "$TargetDedicatedNodes = min(25, $PendingTasks.GetSample(1));",
            "$TargetDedicatedNodes=26",
            Some(1),
            "`$TargetDedicatedNodes` was recorded as 26, and would be 0 to 25 here",
        ),
        (
            "$TargetDedicatedNodes = 3;\n$NodeDeallocationOption = taskcompletion;",
            "$TargetDedicatedNodes=3;$NodeDeallocationOption=requeue",
            Some(2),
            "`$NodeDeallocationOption` was recorded as requeue, and would be taskcompletion here",
        ),
        (
            "x = 1;\n$TargetDedicatedNodes = x;",
            "$TargetDedicatedNodes=1",
            Some(1),
            "`x` was not recorded, and would be 1 here",
        ),
        (
            "$TargetDedicatedNodes = 1;",
            "$TargetDedicatedNodes=1;y=2",
            None,
            "`y` was recorded as 2, and no statement sets it",
        ),
        (
            "x = 1;\n$TargetDedicatedNodes = x + tasks;",
            "$TargetDedicatedNodes=1;x=1",
            Some(2),
            "the recorded run went on, and would fail here: Line 2, Col 29: Undefined symbol: tasks",
        ),
        (
            "x = vec(1, 2);\n$TargetDedicatedNodes = 1;",
            "$TargetDedicatedNodes=1;x=[1,3]",
            Some(1),
            "`x` was recorded as [1,3], and would be [1,2] here",
        ),
        (
            "late = time().hour >= 18;\n$TargetDedicatedNodes = late ? 5 : 1;",
            "$TargetDedicatedNodes=1;late=0",
            Some(1),
            "`late` was recorded as 0, and would be 1 here",
        ),
        (
            "$TargetDedicatedNodes = 4;",
            "$TargetDedicatedNodes=four",
            Some(1),
            "`$TargetDedicatedNodes` was recorded as four, and would be 4 here",
        ),
    ] {
        let told = held(source, results);
        assert_eq!(
            (told.verdict, message(&told)),
            (Verdict::Diverges, wanted),
            "{source}"
        );
        assert_eq!(told.divergence.unwrap().statement, statement, "{source}");
    }
}

#[test]
fn the_targets_that_the_run_before_left_are_known_unless_they_were_changed_in_between() {
    let source = "$TargetDedicatedNodes = $TargetDedicatedNodes / 2;";
    let told = held_after(source, "$TargetDedicatedNodes=4", Some(Mix::new(8, 0)));
    assert_eq!(told.verdict, Verdict::Explained);
    assert_eq!(
        held(source, "$TargetDedicatedNodes=4").verdict,
        Verdict::Consistent
    );
    let told = held_after(source, "$TargetDedicatedNodes=3", Some(Mix::new(8, 0)));
    assert_eq!((told.verdict, told.notes.len()), (Verdict::Consistent, 1));
    let told = held_after(
        "$TargetDedicatedNodes = 1;",
        "$TargetDedicatedNodes=1;$TargetLowPriorityNodes=3",
        Some(Mix::new(0, 2)),
    );
    assert_eq!((told.verdict, told.notes.len()), (Verdict::Explained, 1));
}

#[test]
fn the_clock_of_the_run_is_the_one_that_it_recorded() {
    let source = "now = time();\nday = now.hour < 1;\n$TargetDedicatedNodes = day ? 2 : 1;";
    let run = RecordedRun {
        at: "2026-11-24T23:59:59.9Z".parse().unwrap(),
        results: "$TargetDedicatedNodes=2;day=1;now=2026-11-25T00:00:00.020Z",
        error: None,
        before: None,
    };
    assert_eq!(retrace(&formula(source), &run).verdict, Verdict::Explained);
}

#[test]
fn a_stop_that_may_or_may_not_end_the_run_is_told() {
    let source = "few = $PendingTasks.GetSamplePercent(TimeInterval_Hour) < 70;\n$TargetDedicatedNodes = 1;\n\
                  ended = few ? stop() : 0;\n$TargetDedicatedNodes = 5;";
    let told = held(source, "$TargetDedicatedNodes=1;few=1");
    assert_eq!(told.verdict, Verdict::Consistent, "{}", message(&told));
    let told = held(source, "$TargetDedicatedNodes=5;ended=0;few=0");
    assert_eq!(told.verdict, Verdict::Consistent, "{}", message(&told));
    assert_eq!(
        held(source, "$TargetDedicatedNodes=4;ended=0;few=0").verdict,
        Verdict::Diverges
    );
}

#[test]
fn errors_are_compared_by_code_place_and_reason() {
    let short = "InsufficientSampleData";
    let wrong = "AutoScalingFormulaEvaluationError";
    let sample =
        "x = 1;\n$TargetDedicatedNodes = avg($RunningTasks.GetSample(TimeInterval_Minute * 5, 100));";
    let text = |place: &str, rest: &str| format!("{place}: Insufficient data from data set: {rest}");
    let good = text("Line 2, Col 52", "$RunningTasks wanted 100%, received 0%");
    for (source, code, detail, verdict, wanted) in [
        (sample, short, good.as_str(), Verdict::Consistent, ""),
        (
            sample,
            short,
            &text("Line 2, Col 52", "$RunningTasks wanted 70%, received 0%"),
            Verdict::Diverges,
            "here it would be: $RunningTasks wanted 100%",
        ),
        (
            sample,
            short,
            &text("Line 2, Col 52", "$ActiveTasks wanted 100%, received 0%"),
            Verdict::Diverges,
            "here it would be: $RunningTasks wanted 100%",
        ),
        (
            sample,
            short,
            &text("Line 2, Col 51", "$RunningTasks wanted 100%, received 0%"),
            Verdict::Diverges,
            "nothing here can fail like that",
        ),
        (
            "something_useless",
            wrong,
            "Line 1, Col 1: Undefined symbol: something_useless",
            Verdict::Explained,
            "",
        ),
        (
            "something_useless",
            wrong,
            "Line 1, Col 1: Undefined symbol: something_else",
            Verdict::Diverges,
            "here it would be: Undefined symbol: something_useless",
        ),
        (
            "something_useless",
            wrong,
            "Line 1, Col 1: Unknown name",
            Verdict::Consistent,
            "",
        ),
        (
            "x = $PendingTasks.GetSample(1) > 3 ? y : 1;",
            wrong,
            "Line 1, Col 38: Undefined symbol: y",
            Verdict::Consistent,
            "",
        ),
        (
            "x = 1 > 3 ? y : 1;",
            wrong,
            "Line 1, Col 13: Undefined symbol: y",
            Verdict::Diverges,
            "nothing here can fail like that",
        ),
        (
            "x = y;\nz = w;",
            wrong,
            "Line 2, Col 5: Undefined symbol: w",
            Verdict::Diverges,
            "here it would end in this statement: Line 1, Col 5: Undefined symbol: y",
        ),
        (
            "$TargetDedicatedNodes = 1 / $PendingTasks.GetSample(1);",
            wrong,
            "Line 1, Col 1: not a number",
            Verdict::Consistent,
            "",
        ),
        (sample, short, "no place is named", Verdict::Consistent, ""),
        (sample, wrong, "no place is named", Verdict::Consistent, ""),
        (
            "x = 1;",
            short,
            "no place is named",
            Verdict::Diverges,
            "nothing here can fail",
        ),
    ] {
        let told = failed(source, code, detail);
        assert_eq!(told.verdict, verdict, "{source}: {detail}: {}", message(&told));
        assert!(
            message(&told).ends_with(wanted) || message(&told).contains(wanted),
            "{}",
            message(&told)
        );
    }
}

/// Formulas over samples, time, targets and each other, as people write them.
const FORMULAS: &[&str] = &[
    "samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5);\n\
     tasks = samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 5)));\n\
     vms = tasks > 0 ? tasks : max(0, $TargetDedicatedNodes / 2);\n$TargetDedicatedNodes = max(0, min(vms, 50));\n\
     $NodeDeallocationOption = taskcompletion;",
    "v = $ActiveTasks.GetSample(6);\nw = v / 4;\nm = max(w);\n$TargetDedicatedNodes = m + 0.5;\n$TargetLowPriorityNodes = sum(v) / 7;",
    "now = time();\nhours = now.hour * 10 / 3;\nload = avg($RunningTasks.GetSample(10)) / 3;\n\
     $TargetLowPriorityNodes = load > 2 && hours > 5 ? load * 1.1 : $CurrentLowPriorityNodes;\nleft = 40 - $TargetLowPriorityNodes;",
    "a = val($PendingTasks.GetSample(3), 1);\na = a * 7 / 3;\nb = std($ActiveTasks.GetSample(5));\n\
     $TargetDedicated = a > b ? a : b;\nx = $TargetDedicated * 2;\nlast = -x;",
];

proptest! {
    #[test]
    fn no_run_of_this_engine_diverges_from_itself(
        which in 0..FORMULAS.len(),
        pending in prop::collection::vec(prop::option::weighted(0.9, 0_u32..60), 0..24),
        active in prop::collection::vec(prop::option::weighted(0.9, 0_u32..60), 0..24),
        dedicated in 0_u32..30,
        spot in 0_u32..30,
        told_before in any::<bool>(),
        minute in 0_i64..1440,
    ) {
        let now = at() + Span::minutes(minute);
        let mut history = History::new();
        for (metric, values) in [(Metric::PendingTasks, &pending), (Metric::ActiveTasks, &active), (Metric::RunningTasks, &active)] {
            let mut series = Series::new(now - Span::SAMPLE_PERIOD * i64::try_from(values.len()).unwrap(), Span::SAMPLE_PERIOD);
            for value in values {
                series.push(value.map(f64::from)).unwrap();
            }
            history.insert(metric, series);
        }
        let target = Mix::new(dedicated, spot);
        let pool = PoolFacts { target, current: target, ..PoolFacts::default() };
        let formula = formula(FORMULAS[which]);
        let run = formula.auto_scale_run(&Inputs { now, pool, history: &history, seed: 0 });
        let recorded = RecordedRun {
            at: run.timestamp,
            results: &run.results,
            error: run.error.as_ref(),
            before: told_before.then_some(target),
        };
        let told = retrace(&formula, &recorded);
        prop_assert!(told.verdict != Verdict::Diverges, "{}: {:?} {}", message(&told), run, FORMULAS[which]);
        prop_assert!(told.notes.is_empty(), "{:?}", told.notes);
    }
}
