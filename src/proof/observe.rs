//! What one evaluation showed: everything that an expectation can ask about.

use crate::base::{Code, Diagnostic, LineColumn, LineIndex};
use crate::formula::{
    AutoScaleRun, AutoScaleRunError, Evaluator, Formula, Inputs, Outcome, SampleRead, Scope, Trace, Value,
    lint,
};

use super::compare::{show, show_vector};

/// All that can be seen of one evaluation.
pub(super) struct Observed {
    pub(super) source: String,
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) outcome: Result<Outcome, AutoScaleRunError>,
    pub(super) results: String,
    pub(super) trace: Trace,
    evaluator: Option<Evaluator>,
}

/// Compiles and evaluates a formula.
pub(super) fn observe(source: &str, scope: &Scope, inputs: &Inputs<'_>) -> Observed {
    let formula = match Formula::compile(source, scope) {
        Ok(formula) => formula,
        Err(diagnostics) => return unread(source, diagnostics, inputs),
    };
    let mut evaluator = formula.evaluator();
    let (outcome, trace) = evaluator.run_traced(inputs);
    Observed {
        source: source.to_owned(),
        diagnostics: [formula.diagnostics(), &lint(&formula)].concat(),
        outcome: outcome.map_err(|fault| AutoScaleRunError::from(&fault)),
        results: evaluator.results(),
        trace,
        evaluator: Some(evaluator),
    }
}

impl Observed {
    /// Returns the value of a name after the run, or of the last statement.
    pub(super) fn value(&self, name: Option<&str>) -> Option<Value> {
        match name {
            Some(name) => self.evaluator.as_ref()?.value(name),
            None => self.trace.statements.last()?.value.clone(),
        }
    }

    /// Returns how the `results` line shows a variable.
    pub(super) fn printed(&self, name: &str) -> Option<&str> {
        self.results
            .split(';')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
    }

    /// Returns the error's text, the one that begins with the place.
    pub(super) fn detail(error: &AutoScaleRunError) -> &str {
        error
            .values
            .iter()
            .find(|pair| pair.name == "Message")
            .map_or(&error.message, |pair| &pair.value)
    }

    /// Returns the behaviours that the run leaned on, with their places.
    pub(super) fn leans(&self) -> Vec<(Code, LineColumn)> {
        let index = LineIndex::new(&self.source);
        let leans = self
            .trace
            .statements
            .iter()
            .flat_map(|statement| &statement.leans);
        leans
            .map(|(lean, place)| (lean.code(), index.at(place.start)))
            .collect()
    }

    /// Returns the looks at samples, in order.
    pub(super) fn reads(&self) -> impl Iterator<Item = &SampleRead> {
        self.trace
            .statements
            .iter()
            .flat_map(|statement| &statement.reads)
    }

    /// Returns the diagnostics with their places.
    pub(super) fn placed(&self) -> Vec<(LineColumn, &Diagnostic)> {
        let index = LineIndex::new(&self.source);
        let place = |diagnostic: &Diagnostic| index.at(diagnostic.span.start);
        self.diagnostics.iter().map(|one| (place(one), one)).collect()
    }

    /// Tells what the run did, a line for each statement and each look at samples.
    pub(super) fn story(&self) -> Vec<String> {
        let index = LineIndex::new(&self.source);
        let mut lines = Vec::new();
        for statement in &self.trace.statements {
            let line = index.at(statement.span.start).line;
            let name = statement
                .name
                .as_ref()
                .map_or(String::new(), |name| format!("{name} = "));
            let value = statement.value.as_ref().map_or("no value".to_owned(), show);
            lines.push(format!("line {line}: {name}{value}"));
            lines.extend(
                statement
                    .reads
                    .iter()
                    .map(|read| format!("  {}", show_read(read))),
            );
            lines.extend(statement.leans.iter().map(|(lean, place)| {
                let LineColumn { line, column } = index.at(place.start);
                format!(
                    "  leans on {} at {line}:{column}: {}",
                    lean.code(),
                    lean.message()
                )
            }));
        }
        if let Err(error) = &self.outcome {
            lines.push(format!("fault {}: {}", error.code, Self::detail(error)));
        }
        lines
    }
}

/// Says what a look at the samples found.
pub(super) fn show_read(read: &SampleRead) -> String {
    let more = if read.present > read.values.len() {
        ", the newest of them"
    } else {
        ""
    };
    let window = read.window.map_or(String::new(), |(from, to)| {
        format!(" from {from} ({})", to - from)
    });
    format!(
        "read {}.{}{window}: {} of {}{more} {}",
        read.metric,
        read.method.name(),
        read.present,
        read.possible,
        show_vector(&read.values)
    )
}

/// A formula that cannot be read answers in the shape of a failed run.
fn unread(source: &str, diagnostics: Vec<Diagnostic>, inputs: &Inputs<'_>) -> Observed {
    let record = AutoScaleRun::of_syntax_error(source, &diagnostics, inputs);
    Observed {
        outcome: Err(record.error.expect("a formula that cannot be read is an error")),
        results: record.results,
        source: source.to_owned(),
        diagnostics,
        trace: Trace::default(),
        evaluator: None,
    }
}
