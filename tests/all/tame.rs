//! What holds of every text that is given as a formula, whatever it is: it is read or refused with faults that have a place,
//! its runs end, and traced, repeated and laid out anew it gives the same.
//!
//! The properties in `robust.rs` and the fuzz target share this file.

use lowtide::account::NodeDeallocationOption;
use lowtide::base::{Diagnostic, Lane, LineIndex, Mix, Nodes, Span, Timestamp};
use lowtide::formula::{
    AutoScaleRun, Basis, Dialect, FormatError, Formula, Inputs, PoolFacts, Scope, TargetRange, format, lint,
    target_ranges,
};
use lowtide::signal::{History, Metric, Series};

/// The worlds that every formula is run in: an ordinary one, an empty one, and two at the ends of everything.
struct World {
    now: Timestamp,
    pool: PoolFacts,
    history: History,
    seed: u64,
}

/// Checks all that must hold of a text; panics where it does not.
pub(crate) fn hold(source: &str) {
    for (dialect, default_sample_percent) in [
        (Dialect::Service, 70.0),
        (Dialect::Strict, 70.0),
        (Dialect::Lenient, f64::MAX),
    ] {
        let scope = Scope {
            dialect,
            default_sample_percent,
        };
        match Formula::compile(source, &scope) {
            Ok(formula) => evaluates(&formula),
            Err(faults) => refused(source, &faults, dialect),
        }
    }
}

fn refused(source: &str, faults: &[Diagnostic], dialect: Dialect) {
    assert!(!faults.is_empty(), "refused without a reason");
    in_place(source, faults);
    let laid_out = format(source, dialect);
    // Beside the syntax faults, compiling tells what is wrong with the names and types of the rest.
    let syntax: Vec<_> = faults
        .iter()
        .filter(|fault| fault.code.0.starts_with("F0"))
        .cloned()
        .collect();
    assert_eq!(
        laid_out,
        Err(FormatError::Unreadable(syntax)),
        "fmt and compile disagree"
    );
    let World {
        now,
        pool,
        history,
        seed,
    } = ordinary();
    let inputs = Inputs {
        now,
        pool,
        history: &history,
        seed,
    };
    assert!(
        AutoScaleRun::of_syntax_error(source, faults, &inputs)
            .error
            .is_some()
    );
}

/// Every place lies in the text and cuts no character.
fn in_place(source: &str, diagnostics: &[Diagnostic]) {
    for one in diagnostics {
        let labels = one.labels.iter().map(|label| &label.span);
        let fix = one.fix.iter().map(|fix| &fix.span);
        for span in std::iter::once(&one.span).chain(labels).chain(fix) {
            assert!(
                source.get(span.clone()).is_some(),
                "{} lies at {span:?}",
                one.code
            );
        }
        assert!(!one.message.is_empty());
    }
}

fn evaluates(formula: &Formula) {
    let source = formula.source();
    in_place(source, formula.diagnostics());
    in_place(source, &lint(formula));
    let ranges = target_ranges(formula);
    let formatted = laid_out(formula);
    let mut used = formula.evaluator();
    for (index, world) in [ordinary(), empty(), at_the_end(), at_the_beginning()]
        .into_iter()
        .enumerate()
    {
        let World {
            now,
            pool,
            ref history,
            seed,
        } = world;
        let inputs = Inputs {
            now,
            pool,
            history,
            seed,
        };
        let mut fresh = formula.evaluator();
        let outcome = fresh.run(&inputs);
        let run = fresh.auto_scale_run();
        assert_eq!(used.run(&inputs), outcome, "a run depends on the one before");
        assert_eq!(used.auto_scale_run(), run, "a run depends on the one before");
        let (traced, trace) = used.run_traced(&inputs);
        assert_eq!(traced, outcome, "a trace changes the outcome");
        assert_eq!(used.auto_scale_run(), run, "a trace changes the results");
        assert!(trace.statements.len() <= formula.ast().statements.len());
        // The ranges are proven for samples from 0 to 10^15 and at least one slot on a node.
        if let (0..2, Ok(outcome)) = (index, &outcome) {
            for lane in Lane::ALL {
                within(ranges.get(lane), outcome.target.get(lane), pool.target.get(lane));
            }
        }
        if let Err(fault) = &outcome {
            assert!(
                source.is_char_boundary(fault.offset),
                "a fault lies at {}",
                fault.offset
            );
            assert_eq!(LineIndex::new(source).at(fault.offset), fault.at);
        }
        if let Some(formatted) = &formatted {
            let moved = formatted.auto_scale_run(&inputs);
            assert_eq!(moved.results, run.results, "fmt changes the results");
            assert_eq!(
                moved.error.is_some(),
                run.error.is_some(),
                "fmt changes the outcome"
            );
        }
    }
}

/// A formula laid out is as good a formula; only what would be longer than the service takes is left as it is.
fn laid_out(formula: &Formula) -> Option<Formula> {
    let (source, dialect) = (formula.source(), formula.scope().dialect);
    match format(source, dialect) {
        Ok(laid_out) => {
            let again = format(&laid_out, dialect).expect("what fmt writes it can read");
            assert_eq!(again, laid_out, "fmt twice");
            Some(Formula::compile(&laid_out, formula.scope()).expect("what fmt writes can be compiled"))
        }
        Err(FormatError::TooLong { characters, .. }) => {
            assert!(characters > 8192, "refused for its length, {characters}");
            in_place(source, &format(source, dialect).unwrap_err().diagnostics());
            None
        }
        Err(FormatError::Unreadable(faults)) => panic!("fmt cannot read what compiles: {faults:?}"),
    }
}

/// A target lies within what was proven of it.
fn within(proven: TargetRange, target: Nodes, current: Nodes) {
    let TargetRange { low, high, basis } = proven;
    match basis {
        Basis::Unset => assert_eq!(target, current, "a target that is not set has changed"),
        Basis::Failing => panic!("a run that was proven to fail ended well, with {target}"),
        _ => assert!(
            low <= target && high.is_none_or(|high| target <= high),
            "{target} was proven to be {proven}"
        ),
    }
}

fn series(start: Timestamp, period: Span, samples: &[Option<f64>]) -> Series {
    let mut series = Series::new(start, period);
    for sample in samples {
        series
            .push(*sample)
            .expect("a few samples are fewer than a series holds");
    }
    series
}

fn history(of: impl Fn(usize, Metric) -> Series) -> History {
    let mut history = History::new();
    for (index, metric) in Metric::ALL.iter().enumerate() {
        history.insert(*metric, of(index, *metric));
    }
    history
}

fn ordinary() -> World {
    let start = Timestamp::from_unix_seconds(1_476_385_740);
    let samples = |index: usize| {
        (0..40)
            .map(|slot| (slot % 7 != index % 9).then_some((slot * (index + 1) % 50) as f64))
            .collect::<Vec<_>>()
    };
    World {
        now: start + Span::seconds(1187),
        pool: PoolFacts {
            target: Mix::new(3, 5),
            option: NodeDeallocationOption::TaskCompletion,
            current: Mix::new(3, 4),
            usable: Nodes(6),
            preempted: Nodes(1),
            task_slots_per_node: 4,
        },
        history: history(|index, _| series(start, Span::SAMPLE_PERIOD, &samples(index))),
        seed: 7,
    }
}

fn empty() -> World {
    World {
        now: Timestamp::EPOCH,
        pool: PoolFacts::default(),
        history: History::new(),
        seed: 0,
    }
}

/// The last instant there is, samples as large as doubles are, and one period of a tick.
fn at_the_end() -> World {
    let now = Timestamp::from_ticks(i64::MAX);
    let most = Nodes(u32::MAX);
    let samples = [Some(f64::MAX), None, Some(f64::MIN), Some(5e-324), Some(-0.0)];
    World {
        now,
        pool: PoolFacts {
            target: Mix {
                dedicated: most,
                spot: most,
            },
            option: NodeDeallocationOption::RetainedData,
            current: Mix {
                dedicated: most,
                spot: most,
            },
            usable: most,
            preempted: most,
            task_slots_per_node: u32::MAX,
        },
        history: history(|index, _| {
            let ticks = if index % 2 == 0 { 1 } else { i64::MAX };
            series(now - Span::from_ticks(3), Span::from_ticks(ticks), &samples)
        }),
        seed: u64::MAX,
    }
}

/// The first instant there is, before any of its samples.
fn at_the_beginning() -> World {
    World {
        now: Timestamp::from_ticks(i64::MIN),
        history: history(|_, _| {
            series(
                Timestamp::from_ticks(i64::MAX),
                Span::days(365),
                &[Some(1e308); 3],
            )
        }),
        ..empty()
    }
}
