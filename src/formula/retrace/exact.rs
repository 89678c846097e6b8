//! A recorded run held against this engine's own run on the same samples.

use super::failed::Said;
use super::{Check, Divergence, How, OPTION, RecordedRun, Retraced, TARGETS, Verdict, recorded};
use crate::base::Lane;
use crate::formula::checked::Target;
use crate::formula::{AutoScaleRunError, Formula, Inputs, Trace};

/// Holds a recorded run against this engine's run on samples.
///
/// `None` when the run reads samples that are not there, so that nothing can be said.
pub fn retrace_on(formula: &Formula, run: &RecordedRun<'_>, inputs: &Inputs<'_>) -> Option<Retraced> {
    let mut evaluator = formula.evaluator();
    let (outcome, trace) = evaluator.run_traced(inputs);
    if !is_covered(&trace, inputs) {
        return None;
    }
    let mut told = Retraced::default();
    let ours = outcome.as_ref().err().map(AutoScaleRunError::from);
    match (run.error, ours) {
        (None, None) => compare(formula, run, &evaluator.results(), &mut told),
        (None, Some(_)) => {
            let fault = outcome.expect_err("it failed");
            let index = trace.statements.len().saturating_sub(1);
            told.fails(formula, index, fault.offset, &fault.message);
        }
        (Some(recorded), ours) => {
            let detail = |error: &AutoScaleRunError| {
                let pair = error.values.iter().find(|pair| pair.name == "Message");
                pair.map_or_else(|| error.message.clone(), |pair| pair.value.clone())
            };
            let told_ours = ours.as_ref().map_or_else(|| "no failure".to_owned(), detail);
            let same = ours.is_some_and(|ours| {
                ours.code.eq_ignore_ascii_case(&recorded.code) && detail(&ours) == detail(recorded)
            });
            if !same {
                let last = trace.statements.len().checked_sub(1);
                let at = Said::read(recorded).statement(formula).or(last);
                let statements = &formula.checked().statements;
                told.part(Divergence {
                    statement: at.map(|index| index + 1),
                    span: at.map_or(0..0, |index| statements[index].span.clone()),
                    name: None,
                    recorded: Some(detail(recorded)),
                    message: format!(
                        "the run failed with `{}`, and on these samples there is: {told_ours}",
                        detail(recorded)
                    ),
                    ours: told_ours,
                });
            }
        }
    }
    Some(told)
}

/// Says whether every look at samples finds the time that it looks at in the history.
fn is_covered(trace: &Trace, inputs: &Inputs<'_>) -> bool {
    let mut reads = trace.statements.iter().flat_map(|statement| &statement.reads);
    reads.all(|read| {
        let Some(series) = inputs.history.get(read.metric) else {
            return false;
        };
        match read.window {
            Some((older, _)) => series.taken(0) <= older,
            None => read.present >= read.possible as usize,
        }
    })
}

fn compare(formula: &Formula, run: &RecordedRun<'_>, ours: &str, told: &mut Retraced) {
    let (theirs, ours) = (recorded::split(run.results), recorded::split(ours));
    for index in 0..formula.checked().statements.len() {
        let Some(name) = last_name(formula, index) else {
            continue;
        };
        let Some(value) = ours.get(name) else { continue };
        let short = TARGETS
            .iter()
            .find(|[full, _]| *full == name)
            .map(|[_, short]| *short);
        match theirs.get(name).or_else(|| theirs.get(short?)) {
            None if TARGETS.iter().flatten().any(|target| *target == name) || name == OPTION => {}
            None => told.lacks(formula, index, name, value.clone()),
            Some(text) if text == value => {
                told.checks.push(Check::new(
                    formula,
                    index,
                    [name, text],
                    value.clone(),
                    How::Follows,
                ));
            }
            Some(text) => told.diverges(formula, index, [name, text], value.clone()),
        }
    }
    for (name, text) in &theirs {
        let is_short = TARGETS.iter().any(|[_, short]| short == name);
        if !ours.contains_key(name) && !is_short {
            told.unset(name, text);
        }
    }
    debug_assert!(told.divergence.is_some() == (told.verdict == Verdict::Diverges));
}

/// Returns the name under which results tell what a statement sets, if no later one sets the same.
fn last_name(formula: &Formula, index: usize) -> Option<&str> {
    let name = |index: usize| match &formula.checked().statements[index].target {
        Target::Nothing => None,
        Target::Variable(variable) => Some(&*formula.checked().variables[variable.0].name),
        Target::Nodes { lane, .. } => Some(TARGETS[usize::from(*lane == Lane::Spot)][0]),
        Target::Option => Some(OPTION),
    };
    let own = name(index)?;
    let mut later = index + 1..formula.checked().statements.len();
    (!later.any(|index| name(index) == Some(own))).then_some(own)
}
