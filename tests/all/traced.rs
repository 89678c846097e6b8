//! A trace only watches: with one and without one, a formula ends in the same way. Without a trace the engine takes short
//! cuts (constant windows, known sums, samples on the usual grid), and here they are held against the long way.

use lowtide::base::{Mix, Span, Timestamp};
use lowtide::formula::{Dialect, Formula, Inputs, PoolFacts, Scope};
use lowtide::signal::{History, Metric, Series};
use proptest::prelude::*;
use proptest::sample::select;

/// Percentages that are always reached, never reached, and reached now and then.
const PERCENTAGES: &[&str] = &[
    "", ", 0", ", 0.5", ", 50", ", 70", ", 100", ", 101", ", 1000", ", a", ", -5",
];

/// Bounds of windows: constants, computed, of no length, in the future, in either order.
const BOUNDS: &[&str] = &[
    "TimeInterval_Minute * 5",
    "TimeInterval_Minute * 15",
    "TimeInterval_Minute * 15, TimeInterval_Minute * 5",
    "TimeInterval_Minute * 2, TimeInterval_Minute * 9",
    "TimeInterval_Second * 29",
    "TimeInterval_Second * 45",
    "TimeInterval_Zero",
    "-1 * TimeInterval_Hour",
    "TimeInterval_Hour * 9",
    "TimeInterval_Year * 9000",
    "span",
    "span * a",
    "time() - span",
    "time() - span, time()",
];

/// Numbers, some of which end the run; `W` stands for a window with its percentage, `B` for one without.
const NUMBERS: &[&str] = &[
    "a",
    "b",
    "-1",
    "7.5",
    "$TargetDedicatedNodes",
    "$TargetDedicated",
    "$TargetLowPriority",
    "$CurrentDedicatedNodes",
    "$PendingTasks.GetSamplePercent(B)",
    "$CPUPercent.GetSamplePercent(B)",
    "$ActiveTasks.GetSamplePercent(B)",
    "avg($PendingTasks.GetSample(W))",
    "sum($PendingTasks.GetSample(W))",
    "avg($CPUPercent.GetSample(W))",
    "avg($ActiveTasks.GetSample(W))",
    "max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(W)))",
    "min($PendingTasks.GetSample(1), sum($CPUPercent.GetSample(W)))",
    "max(0, $PendingTasks.GetSample(1))",
    "min(a, $ActiveTasks.GetSample(1))",
    "max($CPUPercent.GetSample(W), b)",
    "max(avg($PendingTasks.GetSample(W)), avg($PendingTasks.GetSample(1)))",
    "max(0, min(a * 2 - b, 40))",
    "val($PendingTasks.GetSample(3), 2)",
    "percentile($PendingTasks.GetSample(W), 90)",
    "std(v, $CPUPercent.GetSample(W))",
    "len(v + v)",
    "avg(v - $PendingTasks.GetSample(2))",
    "rand() * 20",
    "a / b",
    "ceil(a / 3)",
    "(a > 2 ? b : a)",
    "(a <= b && $PendingTasks.GetSamplePercent(B) > 50 ? 1 : a)",
    "(b > 4 || avg($PendingTasks.GetSample(W)) > 3 ? 2 : b)",
    "(!a ? stop() : 3)",
    "(a == 3 ? stop() : avg($PendingTasks.GetSample(W)))",
    "max(b, stop())",
    "percentile(v, 101)",
    "v",
    "$NoSuchThing",
    "time().minute",
];

const TARGETS: &[&str] = &[
    "a",
    "b",
    "c",
    "$TargetDedicatedNodes",
    "$TargetDedicated",
    "$TargetLowPriorityNodes",
    "$TargetLowPriority",
];

fn number() -> impl Strategy<Value = String> {
    let window = (select(BOUNDS), select(PERCENTAGES));
    (select(NUMBERS), window).prop_map(|(number, (bounds, percent))| {
        // Where only one bound is given, the percentage is the second argument.
        number
            .replace('W', &format!("{bounds}{percent}"))
            .replace('B', bounds)
    })
}

fn statement() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (select(TARGETS), number()).prop_map(|(target, value)| format!("{target} = {value};")),
        1 => number().prop_map(|value| format!("{value};")),
        1 => (number(), number()).prop_map(|(one, other)| format!("v = vec({one}, {other});")),
        1 => number().prop_map(|value| format!("v = $PendingTasks.GetSample(4) * ({value});")),
        1 => number().prop_map(|value| format!("span = TimeInterval_Minute * ({value});")),
        1 => number().prop_map(|value| format!("$NodeDeallocationOption = {value} > 1 ? requeue : taskcompletion;")),
    ]
}

fn formula() -> impl Strategy<Value = String> {
    proptest::collection::vec(statement(), 1..8).prop_map(|statements| {
        let start = "a = 3; b = 5; v = vec(1, 2); span = TimeInterval_Minute * 4;";
        format!("{start}\n{}\n", statements.join("\n"))
    })
}

/// Samples on one grid; whole numbers mostly, as counts are, and sometimes not.
fn series(start: Timestamp) -> impl Strategy<Value = Series> {
    let sample = prop_oneof![
        2 => Just(None),
        12 => (0..40_i32).prop_map(|count| Some(f64::from(count))),
        1 => (-1e3..1e3).prop_map(Some),
    ];
    let periods = select(vec![30, 30, 10, 45]).prop_map(Span::seconds);
    (periods, proptest::collection::vec(sample, 0..60)).prop_map(move |(period, samples)| {
        let mut series = Series::new(start, period);
        for sample in samples {
            series.push(sample).unwrap();
        }
        series
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_trace_changes_nothing(
        source in formula(),
        pending in series(Timestamp::from_unix_seconds(1_790_000_000)),
        percent in series(Timestamp::from_unix_seconds(1_790_000_011)),
        after in 0..2500_i64,
        dialect in select(&[Dialect::Service, Dialect::Strict, Dialect::Lenient][..]),
    ) {
        let formula = Formula::compile(&source, &Scope::new(dialect)).unwrap();
        let mut history = History::new();
        history.insert(Metric::PendingTasks, pending);
        history.insert(Metric::CpuPercent, percent);
        let pool = PoolFacts { target: Mix::new(3, 2), ..PoolFacts::default() };
        let now = Timestamp::from_unix_seconds(1_790_000_000 + after);
        let inputs = Inputs { now, pool, history: &history, seed: 7 };

        let mut plain = formula.evaluator();
        let mut watched = formula.evaluator();
        let outcome = plain.run(&inputs);
        let (seen, trace) = watched.run_traced(&inputs);
        prop_assert_eq!(&outcome, &seen);
        prop_assert_eq!(plain.auto_scale_run(), watched.auto_scale_run());
        for name in ["a", "b", "c", "v", "span"] {
            let (one, other) = (plain.value(name), watched.value(name));
            prop_assert_eq!(format!("{one:?}"), format!("{other:?}"), "{}", name);
        }
        // What ends a run has no value, and nothing runs behind it.
        let ended_early = outcome.map_or(true, |outcome| outcome.stopped);
        let all = formula.checked().statements.len();
        prop_assert!(ended_early || trace.statements.len() == all);
        let last = trace.statements.last().unwrap();
        prop_assert_eq!(last.value.is_none(), ended_early);

        // Nothing is left over from one run to the next.
        let again = plain.run_traced(&inputs).0;
        prop_assert_eq!(&again, &seen);
        prop_assert_eq!(watched.run(&inputs), again);
    }
}
