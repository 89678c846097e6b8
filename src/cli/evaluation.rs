//! One formula evaluated once, with everything that can be told of it.

use serde::Serialize;

use super::render::DiagnosticRecord;
use super::trace::{self, StatementRecord};
use crate::base::{Code, Diagnostic, Timestamp};
use crate::formula::{self, AutoScaleRun, AutoScaleRunError, Dialect, Fault, Formula, Inputs, Scope, Trace};

/// A formula as far as it could be compiled, and what the checks say.
pub(super) struct Compiled {
    pub(super) formula: Option<Formula>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// What came of an evaluation.
pub(super) struct Evaluation {
    pub(super) run: AutoScaleRun,
    pub(super) trace: Trace,
    fault: Option<Fault>,
}

/// One result as programs read it: the service's own record, and what the checks say of the formula.
#[derive(Serialize)]
pub(super) struct Answer<'a> {
    pub(super) timestamp: Option<Timestamp>,
    pub(super) results: Option<&'a str>,
    pub(super) error: Option<&'a AutoScaleRunError>,
    pub(super) diagnostics: &'a [DiagnosticRecord],
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<Vec<StatementRecord>>,
}

impl Compiled {
    pub(super) fn new(source: &str, dialect: Dialect) -> Self {
        match Formula::compile(source, &Scope::new(dialect)) {
            Ok(formula) => Self {
                diagnostics: diagnostics(&formula),
                formula: Some(formula),
            },
            Err(diagnostics) => Self {
                formula: None,
                diagnostics,
            },
        }
    }

    /// Evaluates with a trace; a formula that cannot be read gives the service's refusal.
    pub(super) fn evaluate(&self, source: &str, inputs: &Inputs<'_>) -> Evaluation {
        let Some(formula) = &self.formula else {
            return Evaluation {
                run: AutoScaleRun::of_syntax_error(source, &self.diagnostics, inputs),
                trace: Trace::default(),
                fault: None,
            };
        };
        let mut evaluator = formula.evaluator();
        let (outcome, trace) = evaluator.run_traced(inputs);
        Evaluation {
            run: evaluator.auto_scale_run(),
            trace,
            fault: outcome.err(),
        }
    }
}

/// Returns everything that can be said of a formula without evaluating it, by place.
pub(super) fn diagnostics(formula: &Formula) -> Vec<Diagnostic> {
    let mut all = formula.diagnostics().to_vec();
    all.extend(formula::lint(formula));
    all.sort_by_key(|diagnostic| (diagnostic.span.start, diagnostic.code));
    all
}

impl Evaluation {
    /// Returns the fault that ended the run, as a diagnostic at its place.
    pub(super) fn fault(&self, source: &str) -> Option<Diagnostic> {
        let fault = self.fault.as_ref()?;
        let rest = &source[fault.offset..];
        // A name is shown whole; anything else by its first character.
        let name = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$'));
        let length = name.unwrap_or(rest.len()).max(1);
        let span = fault.offset..fault.offset + length;
        Some(Diagnostic::error(Code(fault.code.word()), span, &fault.message))
    }

    pub(super) fn answer<'a>(
        &'a self,
        source: &str,
        diagnostics: &'a [DiagnosticRecord],
        with_trace: bool,
    ) -> Answer<'a> {
        Answer {
            timestamp: Some(self.run.timestamp),
            results: Some(&self.run.results),
            error: self.run.error.as_ref(),
            diagnostics,
            trace: with_trace.then(|| trace::records(source, &self.trace)),
        }
    }
}
