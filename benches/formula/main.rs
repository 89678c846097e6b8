//! The formula engine against the same computation written by hand in Rust and, with `--features bench-peers`, against
//! `LuaJIT`, rhai and CEL.
//!
//! Ratios are what counts, and machines are shared: the contestants take turns in short batches, and each is judged by
//! the lower quartile of its batches. Criterion measures one after the other, minutes apart, which is no ratio.

#[path = "native.rs"]
mod native;
#[cfg(feature = "bench-peers")]
#[path = "peers.rs"]
mod peers;

use std::hint::black_box;
use std::time::Instant;

use lowtide::base::{Mix, Span, Timestamp};
use lowtide::formula::{Formula, Inputs, PoolFacts, Scope, lint, target_ranges};
use lowtide::signal::{History, Metric, Series};

/// Six statements; samples of 15 minutes, their average, both targets.
const FORMULA: &str = "$samples = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 15);
$tasks = $samples < 70 ? max(0, $PendingTasks.GetSample(1)) : max($PendingTasks.GetSample(1), avg($PendingTasks.GetSample(TimeInterval_Minute * 15)));
$targetVMs = $tasks > 0 ? $tasks : max(0, $TargetDedicatedNodes / 2);
$TargetDedicatedNodes = max(0, min($targetVMs, 20));
$TargetLowPriorityNodes = max(0, min($tasks * 2 - $TargetDedicatedNodes, 40));
$NodeDeallocationOption = taskcompletion;
";

/// The same and a little more: about 1 KB, for parsing.
const KILOBYTE: &str = include_str!("kilobyte.formula");

const MOMENTS: usize = 256;
/// Formulas read or linted in one turn.
const FORMULAS: usize = 20;
const ROUNDS: usize = 400;
/// Evaluations are short: more of them cost nothing and steady the figures.
const EVALUATION_ROUNDS: usize = 4000;

struct Contestant<'a> {
    name: &'static str,
    turn: Box<dyn FnMut() + 'a>,
    /// Work items in one turn.
    items: usize,
    nanos: Vec<f64>,
}

fn contestant<'a>(name: &'static str, items: usize, turn: impl FnMut() + 'a) -> Contestant<'a> {
    Contestant {
        name,
        turn: Box::new(turn),
        items,
        nanos: Vec::new(),
    }
}

/// Lets all take turns and prints the lower quartile of each, and its ratio to the first.
#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn race(title: &str, rounds: usize, contestants: &mut [Contestant<'_>]) {
    for round in 0..rounds + rounds / 10 {
        for contestant in contestants.iter_mut() {
            let start = Instant::now();
            (contestant.turn)();
            let nanos = start.elapsed().as_nanos() as f64 / contestant.items as f64;
            // The first tenth warms caches and branch predictors.
            if round >= rounds / 10 {
                contestant.nanos.push(nanos);
            }
        }
    }
    println!("\n{title}");
    let mut first = None;
    for contestant in contestants {
        contestant.nanos.sort_by(f64::total_cmp);
        let quartile = contestant.nanos[contestant.nanos.len() / 4];
        let base = *first.get_or_insert(quartile);
        println!(
            "  {:<44} {quartile:>10.1} ns  {:>7.2}×",
            contestant.name,
            quartile / base
        );
    }
}

/// 5,000 samples with about 15 % missing, and 256 moments spread over them.
fn history() -> (History, Vec<Timestamp>) {
    let start = Timestamp::from_unix_seconds(1_790_000_000);
    let mut series = Series::new(start, Span::SAMPLE_PERIOD);
    let mut state = 0x9E37_79B9_u64;
    for _ in 0..5000 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let (chance, value) = ((state >> 33) % 100, (state >> 45) % 30);
        series
            .push((chance >= 15).then_some(value as f64))
            .expect("5,000 samples fit");
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    let moments = (0_i64..)
        .take(MOMENTS)
        .map(|i| start + Span::seconds(3600 + (i * 7919) % 140_000))
        .collect();
    (history, moments)
}

fn evaluation(history: &History, moments: &[Timestamp]) {
    let formula = Formula::compile(FORMULA, &Scope::default()).expect("the formula parses");
    let mut evaluator = formula.evaluator();
    let pool = PoolFacts {
        target: Mix::new(3, 2),
        ..PoolFacts::default()
    };
    let series = history.get(Metric::PendingTasks).expect("the history holds it");
    let samples: Vec<_> = (0..series.slots())
        .filter_map(|slot| Some((series.taken(slot), series.get(slot)?)))
        .collect();
    for now in moments {
        let inputs = Inputs {
            now: *now,
            pool,
            history,
            seed: 0,
        };
        let target = evaluator.run(&inputs).expect("the formula runs").target;
        assert_eq!(
            target,
            native::targets(series, *now, pool.target),
            "engine and native disagree at {now}"
        );
        assert_eq!(
            target,
            native::targets_by_search(&samples, *now, pool.target),
            "engine and binary searches disagree at {now}"
        );
    }
    let mut inputs = Inputs {
        now: moments[0],
        pool,
        history,
        seed: 0,
    };
    let mut contestants = vec![
        contestant("native Rust, windows found by the same index", MOMENTS, || {
            for now in moments {
                black_box(native::targets(black_box(series), *now, pool.target));
            }
        }),
        contestant("lowtide, compiled closures", MOMENTS, || {
            for now in moments {
                inputs.now = *now;
                black_box(evaluator.run(black_box(&inputs)).expect("the formula runs"));
            }
        }),
        contestant("native Rust, binary searches by time", MOMENTS, || {
            for now in moments {
                black_box(native::targets_by_search(black_box(&samples), *now, pool.target));
            }
        }),
    ];
    race(
        "one evaluation, samples looked up by time in a 5,000-sample history",
        EVALUATION_ROUNDS,
        &mut contestants,
    );
}

/// The lints, which try conditions on the time at each hour of a week.
fn linting() {
    let compiled = |source| Formula::compile(source, &Scope::default()).expect("the formula parses");
    let (short, long) = (compiled(FORMULA), compiled(KILOBYTE));
    let linting = |formula: &Formula| {
        for _ in 0..FORMULAS {
            black_box(lint(black_box(formula)));
        }
    };
    let mut contestants = vec![
        contestant("six statements, 465 bytes", FORMULAS, || linting(&short)),
        contestant("about 1 KB, with weekdays and hours", FORMULAS, || linting(&long)),
        contestant("about 1 KB, the ranges of its targets alone", FORMULAS, || {
            for _ in 0..FORMULAS {
                black_box(target_ranges(black_box(&long)));
            }
        }),
    ];
    race("lint", ROUNDS, &mut contestants);
}

/// Evaluations in one turn against the peers.
#[cfg(feature = "bench-peers")]
const BATCH: usize = 64;

#[cfg(feature = "bench-peers")]
fn against_peers(history: &History, moments: &[Timestamp]) {
    let now = moments[7];
    let series = history.get(Metric::PendingTasks).expect("the history holds it");
    let window = series.window(now, Span::ZERO, Span::minutes(15));
    let mut values: Vec<f64> = window.values.to_vec();
    values.resize(30, 4.0);
    let mut few = Series::new(now - Span::minutes(15) + Span::SAMPLE_PERIOD, Span::SAMPLE_PERIOD);
    values
        .iter()
        .for_each(|value| few.push(Some(*value)).expect("30 samples fit"));
    let mut same = History::new();
    same.insert(Metric::PendingTasks, few);
    let pool = PoolFacts {
        target: Mix::new(3, 2),
        ..PoolFacts::default()
    };
    let inputs = Inputs {
        now,
        pool,
        history: &same,
        seed: 0,
    };
    let formula = Formula::compile(FORMULA, &Scope::default()).expect("the formula parses");
    let mut evaluator = formula.evaluator();
    let expected = evaluator.run(&inputs).expect("the formula runs").target;
    let expected = (expected.dedicated.as_f64(), expected.spot.as_f64());
    let newest_first: Vec<f64> = values.iter().rev().copied().collect();
    let mut lua = peers::lua(&newest_first);
    let mut rhai = peers::rhai(&newest_first);
    let mut cel = peers::cel(&newest_first);
    for (name, targets) in [("LuaJIT", lua()), ("rhai", rhai()), ("CEL", cel())] {
        assert_eq!(
            (targets.0.trunc(), targets.1.trunc()),
            expected,
            "{name} computes something else"
        );
    }
    let mut contestants = vec![
        contestant("lowtide, looking the samples up", BATCH, || {
            for _ in 0..BATCH {
                black_box(evaluator.run(black_box(&inputs)).expect("the formula runs"));
            }
        }),
        contestant("LuaJIT (mlua), samples already a table", BATCH, || {
            for _ in 0..BATCH {
                black_box(lua());
            }
        }),
        contestant("rhai, samples already an array", BATCH, || {
            for _ in 0..BATCH {
                black_box(rhai());
            }
        }),
        contestant("CEL (six programs), samples already a list", BATCH, || {
            for _ in 0..BATCH {
                black_box(cel());
            }
        }),
    ];
    race(
        "the same formula on the same 30 samples",
        ROUNDS,
        &mut contestants,
    );
}

#[expect(clippy::print_stdout, reason = "a benchmark prints its table")]
fn main() {
    let (history, moments) = history();
    evaluation(&history, &moments);
    // `-- evaluation` is for a profiler: nothing else runs.
    if std::env::args().any(|word| word == "evaluation") {
        return;
    }
    #[cfg(feature = "bench-peers")]
    against_peers(&history, &moments);
    #[cfg(not(feature = "bench-peers"))]
    println!("\n(LuaJIT, rhai and CEL take part with --features bench-peers)");
    let scope = Scope::default();
    let parsing = |source: &'static str| {
        move || {
            for _ in 0..FORMULAS {
                black_box(Formula::compile(black_box(source), &scope).expect("the formula parses"));
            }
        }
    };
    let mut contestants = vec![
        contestant("six statements, 465 bytes", FORMULAS, parsing(FORMULA)),
        contestant("about 1 KB, 17 lines", FORMULAS, parsing(KILOBYTE)),
    ];
    race("parse, check and compile", ROUNDS, &mut contestants);
    println!("  ({} and {} bytes)", FORMULA.len(), KILOBYTE.len());
    linting();
}
