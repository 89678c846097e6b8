//! The runs of a log, one after the other, held against this engine.

use std::collections::BTreeMap;

use super::log::LoggedRun;
use crate::base::{Diagnostic, Mix, Nodes, Span, Timestamp};
use crate::formula::{
    Dialect, FaultCode, Formula, Inputs, PoolFacts, RecordedRun, Retraced, Scope, Verdict, retrace,
    retrace_on, split_results,
};
use crate::signal::{History, Series};
use crate::world::EvalInputs;

/// Holds runs against this engine; it remembers formulas and the targets that each pool was left with.
#[derive(Debug, Default)]
pub struct Replay {
    samples: Option<EvalInputs>,
    delay: Span,
    formulas: BTreeMap<String, Result<Formula, Vec<Diagnostic>>>,
    before: BTreeMap<String, Mix>,
}

/// What came of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// Whether it is explained, and if not where it parts.
    pub retraced: Retraced,
    /// Whether it was held against a run on samples.
    pub on_samples: bool,
    /// What this engine finds wrong with the formula, when it cannot read it.
    pub faults: Vec<Diagnostic>,
}

impl Replay {
    /// Returns a replay that knows no samples.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets it see samples, each from so long after it was taken.
    #[must_use]
    pub fn with_samples(self, samples: EvalInputs, delay: Span) -> Self {
        Self {
            samples: Some(samples),
            delay,
            ..self
        }
    }

    /// Holds one run against this engine; the runs of a pool come in the order of time.
    pub fn run(&mut self, run: &LoggedRun) -> Replayed {
        let before = self.before.get(&run.pool).copied();
        match targets(&run.results) {
            Some(after) => self.before.insert(run.pool.clone(), after),
            None => self.before.remove(&run.pool),
        };
        let compiled = self
            .formulas
            .entry(run.formula.clone())
            .or_insert_with(|| Formula::compile(&run.formula, &Scope::new(Dialect::Service)));
        let formula = match compiled {
            Ok(formula) => formula,
            Err(faults) => return unread(run, faults),
        };
        let recorded = RecordedRun {
            at: run.at,
            results: &run.results,
            error: run.error.as_ref(),
            before,
        };
        let on_samples = self.samples.as_ref().and_then(|samples| {
            let history = seen(&samples.history, run.at, run.at - self.delay);
            let pool = PoolFacts {
                target: before.unwrap_or(samples.pool.target),
                ..samples.pool
            };
            let inputs = Inputs {
                now: run.at,
                pool,
                history: &history,
                seed: samples.seed,
            };
            retrace_on(formula, &recorded, &inputs)
        });
        Replayed {
            on_samples: on_samples.is_some(),
            retraced: on_samples.unwrap_or_else(|| retrace(formula, &recorded)),
            faults: Vec::new(),
        }
    }
}

/// A formula that cannot be read explains its refusal, and nothing else.
fn unread(run: &LoggedRun, faults: &[Diagnostic]) -> Replayed {
    let refused = |code: FaultCode| {
        run.error
            .as_ref()
            .is_some_and(|error| error.code.eq_ignore_ascii_case(code.word()))
    };
    let mut retraced = Retraced::default();
    if !refused(FaultCode::SyntaxError) && !refused(FaultCode::TooLong) {
        retraced.verdict = Verdict::Diverges;
    }
    Replayed {
        retraced,
        on_samples: false,
        faults: faults.to_vec(),
    }
}

/// Returns the targets in results, where both are told.
fn targets(results: &str) -> Option<Mix> {
    let values = split_results(results);
    let of = |wanted: &str| values.get(wanted)?.parse().ok().map(Nodes);
    Some(Mix {
        dedicated: of("$TargetDedicatedNodes")?,
        spot: of("$TargetLowPriorityNodes")?,
    })
}

/// A series that ends further back than this says nothing of the time since.
const SILENT_MAX: Span = Span::minutes(5);

/// Returns what had been taken until a moment; a metric whose samples end long before the run is left out.
fn seen(history: &History, at: Timestamp, until: Timestamp) -> History {
    let mut seen = History::new();
    for (metric, series) in history.iter() {
        if at.since(series.taken(series.slots())) > SILENT_MAX {
            continue;
        }
        let mut cut = Series::new(series.taken(0), series.period());
        for slot in (0..series.slots()).take_while(|slot| series.taken(*slot) <= until) {
            // It is no longer than the one that it is cut from.
            let _ = cut.push(series.get(slot));
        }
        seen.insert(metric, cut);
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formula::{AutoScaleRunError, NameValuePair};
    use crate::world::InputsFile;

    fn run(minute: u32, results: &str) -> LoggedRun {
        LoggedRun {
            pool: "a".to_owned(),
            at: format!("2026-11-25T09:{minute:02}:00Z").parse().unwrap(),
            formula: "tasks = avg($PendingTasks.GetSample(TimeInterval_Minute * 5, 50));\n$TargetDedicatedNodes = max(tasks, $TargetDedicatedNodes / 2);"
                .to_owned(),
            results: results.to_owned(),
            error: None,
        }
    }

    fn samples() -> EvalInputs {
        InputsFile::parse(
            r#"{ "now": "2026-11-25T09:00:00Z",
            "samples": { "$PendingTasks": { "start": "2026-11-25T08:50:30Z", "values": "8x20 0x20" } } }"#,
        )
        .unwrap()
    }

    #[test]
    fn on_samples_short_names_are_held_to_and_codes_match_in_any_case() {
        let verdict = |run: &LoggedRun| {
            let told = Replay::new().with_samples(samples(), Span::ZERO).run(run);
            assert!(told.on_samples, "{told:?}");
            told.retraced.verdict
        };
        let results =
            |dedicated: u32| format!("$TargetDedicated={dedicated};$TargetLowPriorityNodes=0;tasks=8");
        assert_eq!(verdict(&run(0, &results(8))), Verdict::Explained);
        assert_eq!(verdict(&run(0, &results(9))), Verdict::Diverges);
        let failed = |code: FaultCode| {
            let mut failed = run(0, "$TargetDedicatedNodes=0;$TargetLowPriorityNodes=0");
            failed.formula = "$TargetDedicatedNodes = nothing;".to_owned();
            failed.error = Some(AutoScaleRunError {
                code: code.word().to_lowercase(),
                message: "it failed".to_owned(),
                values: vec![NameValuePair {
                    name: "Message".to_owned(),
                    value: "Line 1, Col 25: Undefined symbol: nothing".to_owned(),
                }],
            });
            verdict(&failed)
        };
        assert_eq!(failed(FaultCode::EvaluationError), Verdict::Explained);
        assert_eq!(failed(FaultCode::SyntaxError), Verdict::Diverges);
    }

    #[test]
    fn samples_of_a_time_make_its_runs_exact() {
        let mut replay = Replay::new().with_samples(samples(), Span::ZERO);
        let told = replay.run(&run(
            0,
            "$TargetDedicatedNodes=8;$TargetLowPriorityNodes=0;tasks=8",
        ));
        assert!(
            told.on_samples && told.retraced.verdict == Verdict::Explained,
            "{told:?}"
        );
        // The targets of the run before are known: half of eight.
        let told = replay.run(&run(
            7,
            "$TargetDedicatedNodes=4;$TargetLowPriorityNodes=0;tasks=0",
        ));
        assert!(
            told.on_samples && told.retraced.verdict == Verdict::Explained,
            "{told:?}"
        );
        let told = replay.run(&run(
            8,
            "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;tasks=3",
        ));
        assert!(
            told.on_samples && told.retraced.verdict == Verdict::Diverges,
            "{told:?}"
        );
        // No samples of this hour: what can be is all that is known.
        let told = replay.run(&run(
            30,
            "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;tasks=3",
        ));
        assert!(
            !told.on_samples && told.retraced.verdict == Verdict::Consistent,
            "{told:?}"
        );
    }

    #[test]
    fn samples_that_come_late_are_seen_late() {
        let mut replay = Replay::new().with_samples(samples(), Span::minutes(1));
        let told = replay.run(&run(
            2,
            "$TargetDedicatedNodes=6;$TargetLowPriorityNodes=0;tasks=6",
        ));
        assert!(
            told.on_samples && told.retraced.verdict == Verdict::Explained,
            "{told:?}"
        );
    }

    #[test]
    fn a_formula_that_cannot_be_read_explains_only_its_refusal() {
        let mut run = run(0, "$TargetDedicatedNodes=8");
        run.formula = "$TargetDedicatedNodes = ;".to_owned();
        let told = Replay::new().run(&run);
        assert!(told.retraced.verdict == Verdict::Diverges && !told.faults.is_empty());
        run.error = Some(crate::formula::AutoScaleRunError {
            code: "AutoScalingFormulaSyntaxError".to_owned(),
            message: String::new(),
            values: Vec::new(),
        });
        assert_eq!(Replay::new().run(&run).retraced.verdict, Verdict::Explained);
    }
}
