//! A compiled formula and the memory that its runs share.

use std::sync::Arc;

use super::ast::Ast;
use super::checked::Checked;
use super::{AutoScaleRun, Fault, Inputs, Outcome, Scope, Trace};
use crate::base::Diagnostic;

/// A formula that can be parsed once and evaluated many times.
#[derive(Clone, Debug)]
pub struct Formula {
    source: Arc<str>,
    scope: Scope,
    ast: Arc<Ast>,
    checked: Arc<Checked>,
    diagnostics: Arc<[Diagnostic]>,
}

/// Runs one formula again and again without allocating.
#[derive(Debug)]
pub struct Evaluator {
    formula: Formula,
}

impl Formula {
    /// Reads and compiles a formula.
    ///
    /// # Errors
    /// Every syntax fault (F0xx). Wrong names and types (F1xx) are no obstacle, as they are none for the service until it
    /// evaluates them: they are in [`Formula::diagnostics`] with severity error.
    pub fn compile(_source: &str, _scope: &Scope) -> Result<Self, Vec<Diagnostic>> {
        unimplemented!()
    }

    /// Returns what the checker found: errors of names and types (F1xx) and undocumented behaviour (F3xx), by place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Returns the settings that it was compiled with.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Returns the tree as written.
    pub fn ast(&self) -> &Ast {
        &self.ast
    }

    /// Returns the typed tree.
    pub fn checked(&self) -> &Checked {
        &self.checked
    }

    /// Returns an evaluator with memory of its own.
    pub fn evaluator(&self) -> Evaluator {
        unimplemented!()
    }

    /// Evaluates once and gives the service's record of the run.
    pub fn auto_scale_run(&self, _inputs: &Inputs<'_>) -> AutoScaleRun {
        unimplemented!()
    }
}

impl Evaluator {
    /// Evaluates the formula; on success [`Evaluator::results`] tells the rest.
    pub fn run(&mut self, _inputs: &Inputs<'_>) -> Result<Outcome, Fault> {
        unimplemented!()
    }

    /// Evaluates the formula and tells what each statement did; the trace is there even when the run fails.
    pub fn run_traced(&mut self, _inputs: &Inputs<'_>) -> (Result<Outcome, Fault>, Trace) {
        unimplemented!()
    }

    /// Returns the service's `results` line of the latest run; after a failed one the pool's own targets.
    pub fn results(&self) -> String {
        unimplemented!()
    }

    /// Returns the final value of a variable or target after the latest run, as a script's `expect` reads it.
    pub fn value(&self, _name: &str) -> Option<super::Value> {
        unimplemented!()
    }

    /// Returns the service's record of the latest run.
    pub fn auto_scale_run(&self) -> AutoScaleRun {
        unimplemented!()
    }

    /// Returns the formula.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }
}
