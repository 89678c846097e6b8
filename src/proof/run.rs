//! Runs a script from its first line to its last.

use super::expectation::judge;
use super::observe::{Observed, observe};
use super::reading::read;
use super::report::{Check, Mismatch, ScriptReport};
use super::script::{Act, Expectation, Step, Text};
use crate::base::{Code, Diagnostic, LineIndex, Timestamp};
use crate::formula::{Inputs, PoolFacts, Scope};
use crate::signal::History;

/// Gives the text of a file by its path relative to the script, or says why it cannot.
pub type Loader<'a> = dyn Fn(&str) -> Result<String, String> + 'a;

/// Runs a script; files of formulas come from `load`.
///
/// # Errors
/// Every fault of the script itself (`T0xx`), by place. An expectation that does not hold is no fault: it is in the report.
pub fn run_script(name: &str, text: &str, load: &Loader<'_>) -> Result<ScriptReport, Vec<Diagnostic>> {
    let steps = read(text)?;
    let mut run = Run::new(LineIndex::new(text), text);
    let mut faults = Vec::new();
    for step in steps {
        if let Err(fault) = run.step(step, load) {
            faults.push(fault);
        }
    }
    if faults.is_empty() {
        Ok(ScriptReport {
            name: name.to_owned(),
            checks: run.checks,
        })
    } else {
        Err(faults)
    }
}

/// What the steps so far have set.
struct Settings {
    now: Timestamp,
    history: History,
    pool: PoolFacts,
    seed: u64,
    scope: Scope,
    formula: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            now: Timestamp::EPOCH,
            history: History::new(),
            pool: PoolFacts::default(),
            seed: 0,
            scope: Scope::default(),
            formula: String::new(),
        }
    }
}

struct Run<'a> {
    index: LineIndex<'a>,
    text: &'a str,
    settings: Settings,
    seen: Option<Observed>,
    checks: Vec<Check>,
}

impl<'a> Run<'a> {
    fn new(index: LineIndex<'a>, text: &'a str) -> Self {
        Self {
            index,
            text,
            settings: Settings::default(),
            seen: None,
            checks: Vec::new(),
        }
    }

    fn step(&mut self, step: Step, load: &Loader<'_>) -> Result<(), Diagnostic> {
        match step.act {
            Act::Clear => self.settings = Settings::default(),
            Act::Series(metric, series) => self.settings.history.insert(metric, series),
            Act::Pool(pool) => self.settings.pool = pool,
            Act::Now(now) => self.settings.now = now,
            Act::Seed(seed) => self.settings.seed = seed,
            Act::Scope(scope) => self.settings.scope = scope,
            Act::Formula(Text::Inline(text)) => self.settings.formula = text,
            Act::Formula(Text::File(path)) => {
                self.settings.formula = load(&path).map_err(|why| {
                    Diagnostic::error(Code("T012"), step.span, format!("`{path}` cannot be read: {why}"))
                        .help("give the path relative to the script")
                })?;
            }
            Act::Eval { at, text } => self.eval(at, text.as_deref()),
            Act::Expect(expectation) => self.check(&step.span, &expectation),
        }
        Ok(())
    }

    fn eval(&mut self, at: Option<Timestamp>, text: Option<&str>) {
        let settings = &self.settings;
        let inputs = Inputs {
            now: at.unwrap_or(settings.now),
            pool: settings.pool,
            history: &settings.history,
            seed: settings.seed,
        };
        self.seen = Some(observe(
            text.unwrap_or(&settings.formula),
            &settings.scope,
            &inputs,
        ));
    }

    fn check(&mut self, span: &std::ops::Range<usize>, expectation: &Expectation) {
        let seen = self
            .seen
            .as_ref()
            .expect("the reader refuses an expectation before any evaluation");
        let mismatch = judge(expectation, seen).map(|difference| Mismatch {
            expected: difference.expected,
            got: difference.got,
            trace: seen.story(),
        });
        let first = |text: &str| {
            text.lines()
                .map(str::trim)
                .find(|line| !line.is_empty())
                .unwrap_or("")
                .to_owned()
        };
        self.checks.push(Check {
            line: self.index.at(span.start).line,
            expectation: first(&self.text[span.clone()]),
            evaluated: first(&seen.source),
            mismatch,
        });
    }
}
