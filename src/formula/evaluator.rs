//! A compiled formula and the memory that its runs share.

mod stepwise;

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;

use super::ast::Ast;
use super::builtin::{ServiceVariable, Type};
use super::checked::{Checked, CheckedStatement, Target};
use super::compile::{Step, compile, read_variable};
use super::outcome::TracedStatement;
use super::run::{Halt, Memory, Numbers, RawFault, Run, target_slot};
use super::{
    AutoScaleRun, AutoScaleRunError, Fault, FaultCode, Inputs, Outcome, PoolFacts, Scope, Trace, Value,
    check, lean, parse,
};
use crate::base::{Diagnostic, Lane, LineIndex, Mix, Nodes, Severity, Span, Timestamp};

/// A formula that can be parsed once and evaluated many times.
#[derive(Clone)]
pub struct Formula {
    source: Arc<str>,
    scope: Scope,
    ast: Arc<Ast>,
    checked: Arc<Checked>,
    diagnostics: Arc<[Diagnostic]>,
    steps: Arc<[Step]>,
}

/// Runs one formula again and again without allocating.
#[derive(Debug)]
pub struct Evaluator {
    formula: Formula,
    numbers: Box<Numbers>,
    memory: Memory,
    latest: Option<Latest>,
}

/// When the latest run was and what it gave.
#[derive(Debug)]
struct Latest {
    now: Timestamp,
    /// After a fault the pool keeps its targets.
    ended: Result<Outcome, (Fault, PoolFacts)>,
}

impl Formula {
    /// Reads and compiles a formula.
    ///
    /// # Errors
    /// Every syntax fault (F0xx), and with them the wrong names and types of what could be read all the same. On their own
    /// wrong names and types (F1xx) are no obstacle, as they are none for the service until it evaluates them: they are in
    /// [`Formula::diagnostics`] with severity error.
    pub fn compile(source: &str, scope: &Scope) -> Result<Self, Vec<Diagnostic>> {
        let parsed = parse::parse(source, scope.dialect).map_err(|faulty| all_faults(faulty, scope))?;
        let (checked, diagnostics) = check::check(&parsed.ast, scope, parsed.leans);
        let steps = compile(&checked, scope).into();
        Ok(Self {
            source: source.into(),
            scope: *scope,
            ast: Arc::new(parsed.ast),
            checked: Arc::new(checked),
            diagnostics: diagnostics.into(),
            steps,
        })
    }

    /// Returns what the checker found: errors of names and types (F1xx) and undocumented behaviour (F3xx), by place.
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Says whether any statement sets the target of a lane; without one the pool keeps its own.
    pub fn sets(&self, lane: Lane) -> bool {
        let sets = |statement: &CheckedStatement| matches!(statement.target, Target::Nodes { lane: set, .. } if set == lane);
        self.checked.statements.iter().any(sets)
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
        let count = |ty| {
            self.checked
                .variables
                .iter()
                .filter(|variable| variable.ty == ty)
                .count()
        };
        let memory = Memory {
            vectors: vec![Vec::new(); count(Type::DoubleVec)],
            instants: vec![Timestamp::EPOCH; count(Type::Timestamp)],
            intervals: vec![Span::ZERO; count(Type::TimeInterval)],
            texts: vec!["".into(); count(Type::Text)],
            either: vec![Value::Double(0.0); count(Type::Either)],
            ..Memory::default()
        };
        Evaluator {
            formula: self.clone(),
            numbers: Box::default(),
            memory,
            latest: None,
        }
    }

    /// Evaluates once and gives the service's record of the run.
    pub fn auto_scale_run(&self, inputs: &Inputs<'_>) -> AutoScaleRun {
        let mut evaluator = self.evaluator();
        // The record holds the fault too.
        let _ = evaluator.run(inputs);
        evaluator.auto_scale_run()
    }

    fn fault(&self, raw: RawFault) -> Fault {
        let at = LineIndex::new(&self.source).at(raw.offset);
        Fault {
            code: raw.code,
            offset: raw.offset,
            at,
            message: raw.message,
        }
    }
}

/// Adds what is wrong with the names and types of the statements that could be read.
fn all_faults(faulty: parse::Faulty, scope: &Scope) -> Vec<Diagnostic> {
    let mut faults = faulty.faults;
    if let Some(rest) = &faulty.rest {
        let (_, more) = check::check(rest, scope, Vec::new());
        // A name may be defined in a statement that could not be read.
        let certain = more
            .into_iter()
            .filter(|fault| !faulty.is_partial || fault.code != check::UNDEFINED);
        faults.extend(certain.filter(|fault| fault.severity == Severity::Error));
        faults.sort_by_key(|fault| (fault.span.start, fault.code));
    }
    faults
}

impl fmt::Debug for Formula {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Formula")
            .field("source", &self.source)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

impl AutoScaleRun {
    /// Returns the record of a formula that cannot be read: the pool keeps its targets.
    ///
    /// The service answers such a formula with HTTP 400; the text of its detail was never recorded.
    pub fn of_syntax_error(source: &str, faults: &[Diagnostic], inputs: &Inputs<'_>) -> Self {
        let first = faults.iter().find(|fault| fault.code.0.starts_with("F0"));
        let offset = first.map_or(0, |fault| fault.span.start);
        let code = match first {
            Some(fault) if fault.code == parse::TOO_LONG => FaultCode::TooLong,
            _ => FaultCode::SyntaxError,
        };
        let message = first.map_or_else(String::new, |fault| fault.message.clone());
        let fault = Fault {
            code,
            offset,
            at: LineIndex::new(source).at(offset),
            message,
        };
        let results = pool_results(&inputs.pool);
        Self {
            timestamp: inputs.now,
            results,
            error: Some(AutoScaleRunError::from(&fault)),
        }
    }
}

impl Evaluator {
    /// Evaluates the formula; on success [`Evaluator::results`] tells the rest.
    pub fn run(&mut self, inputs: &Inputs<'_>) -> Result<Outcome, Fault> {
        self.begin(inputs);
        let mut run = Run::new(inputs, &mut self.numbers, &mut self.memory);
        let mut steps = self.formula.steps.iter();
        let done = loop {
            match steps.next() {
                Some(step) if step(&mut run) => {}
                Some(_) => break self.formula.steps.len() - steps.len() - 1,
                None => break self.formula.steps.len(),
            }
        };
        let halt = run.end();
        self.memory.done = done;
        self.end(inputs, halt)
    }

    /// Evaluates the formula and tells what each statement did; the trace is there even when the run fails.
    pub fn run_traced(&mut self, inputs: &Inputs<'_>) -> (Result<Outcome, Fault>, Trace) {
        self.begin(inputs);
        let formula = self.formula.clone();
        let mut trace = Trace::default();
        let mut state = None;
        let mut halt = None;
        for (step, statement) in formula.steps.iter().zip(&formula.checked.statements) {
            let mut traced = TracedStatement {
                span: statement.span.clone(),
                name: formula.target_name(statement),
                value: None,
                reads: Vec::new(),
                leans: Vec::new(),
            };
            let mut run = Run::resumed(inputs, &mut self.numbers, &mut self.memory, state);
            run.trace = Some(&mut traced);
            step(&mut run);
            let (suspended, reason) = run.suspend();
            (state, halt) = (Some(suspended), reason);
            if halt.is_none() {
                traced.value = self.value_of(statement).or(traced.value);
                self.memory.done += 1;
            }
            trace.statements.push(traced);
            if halt.is_some() {
                break;
            }
        }
        lean::add_written(&mut trace, &formula);
        (self.end(inputs, halt), trace)
    }

    #[inline]
    fn begin(&mut self, inputs: &Inputs<'_>) {
        self.numbers.begin(&inputs.pool);
        self.memory.option = None;
        self.memory.done = 0;
    }

    #[expect(
        clippy::inline_always,
        reason = "saves a call in a path of a hundred instructions"
    )]
    #[inline(always)]
    fn end(&mut self, inputs: &Inputs<'_>, halt: Option<Halt>) -> Result<Outcome, Fault> {
        let stopped = halt.is_some();
        if let Some(Halt::Fault(raw)) = halt {
            return Err(self.failed(inputs, *raw));
        }
        let nodes = |lane: Lane| {
            // The full name wins over the alias, whichever was set last.
            Nodes::truncate(self.numbers[target_slot(lane, false)]).expect("only finite targets are stored")
        };
        let outcome = Outcome {
            target: Mix {
                dedicated: nodes(Lane::Dedicated),
                spot: nodes(Lane::Spot),
            },
            option: self.memory.option.unwrap_or(inputs.pool.option),
            stopped,
        };
        self.latest = Some(Latest {
            now: inputs.now,
            ended: Ok(outcome),
        });
        Ok(outcome)
    }

    #[cold]
    #[inline(never)]
    fn failed(&mut self, inputs: &Inputs<'_>, raw: RawFault) -> Fault {
        let fault = self.formula.fault(raw);
        self.latest = Some(Latest {
            now: inputs.now,
            ended: Err((fault.clone(), inputs.pool)),
        });
        fault
    }

    fn value_of(&self, statement: &CheckedStatement) -> Option<Value> {
        match &statement.target {
            Target::Nothing => None,
            Target::Variable(index) => read_variable(
                &self.numbers,
                &self.memory,
                &self.formula.checked.variables[index.0],
            ),
            Target::Nodes { lane, alias } => Some(Value::Double(self.numbers[target_slot(*lane, *alias)])),
            Target::Option => self.memory.option.map(|option| Value::Text(option.word().into())),
        }
    }

    /// Returns the service's `results` line of the latest run; after a failed one the pool's own targets.
    ///
    /// Before the first run it is empty.
    pub fn results(&self) -> String {
        let Some(latest) = &self.latest else {
            return String::new();
        };
        let outcome = match &latest.ended {
            Ok(outcome) => outcome,
            Err((_, pool)) => return pool_results(pool),
        };
        let mut line = results(outcome.target, outcome.option);
        for (name, value) in self.user_values() {
            write!(line, ";{name}={value}").expect("a string takes everything");
        }
        line
    }

    /// The user's variables as they ended, `$` names first and then by byte.
    fn user_values(&self) -> BTreeMap<&str, Value> {
        let statements = self.formula.checked.statements.iter().take(self.memory.done);
        let variables = statements.filter_map(|statement| match &statement.target {
            Target::Variable(index) => Some(&self.formula.checked.variables[index.0]),
            _ => None,
        });
        let values = variables.filter_map(|variable| {
            Some((
                &*variable.name,
                read_variable(&self.numbers, &self.memory, variable)?,
            ))
        });
        values.collect()
    }

    /// Returns the final value of a variable or target after the latest run, as a script's `expect` reads it.
    pub fn value(&self, name: &str) -> Option<Value> {
        let outcome = self.latest.as_ref()?.ended.as_ref().ok()?;
        match ServiceVariable::named(name) {
            Some(ServiceVariable::Target { lane, .. }) => {
                Some(Value::Double(outcome.target.get(lane).as_f64()))
            }
            Some(ServiceVariable::Option) => Some(Value::Text(outcome.option.word().into())),
            _ => self.user_values().remove(name),
        }
    }

    /// Returns the service's record of the latest run; before the first one it is an empty record of 1970.
    pub fn auto_scale_run(&self) -> AutoScaleRun {
        let error = self
            .latest
            .as_ref()
            .and_then(|latest| latest.ended.as_ref().err())
            .map(|(fault, _)| AutoScaleRunError::from(fault));
        let timestamp = self.latest.as_ref().map_or(Timestamp::EPOCH, |latest| latest.now);
        AutoScaleRun {
            timestamp,
            results: self.results(),
            error,
        }
    }

    /// Returns the formula.
    pub fn formula(&self) -> &Formula {
        &self.formula
    }
}

impl Formula {
    fn target_name(&self, statement: &CheckedStatement) -> Option<String> {
        let name = &self.source[statement.target_span.clone()];
        (!name.is_empty()).then(|| name.to_owned())
    }
}

fn pool_results(pool: &PoolFacts) -> String {
    results(pool.target, pool.option)
}

fn results(target: Mix, option: crate::account::NodeDeallocationOption) -> String {
    format!(
        "$TargetDedicatedNodes={};$TargetLowPriorityNodes={};$NodeDeallocationOption={option}",
        target.dedicated, target.spot
    )
}
