//! `lowtide eval`: what the service would answer, and what led there.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::evaluation::{Compiled, Evaluation};
use super::exit::{Exit, Failure, Source};
use super::many::Many;
use super::options::{DialectOption, Output, OutputOption};
use super::terminal::{Paint, Terminal};
use super::{files, jsonl, render, trace, wiring};
use crate::base::{Severity, Timestamp};
use crate::world::EvalInputs;

/// Evaluate a formula as the service would, offline
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --inputs every history is empty, every count 0, and the time is now.
With --jsonl every line is {\"formula\": \"…\", \"inputs\": {…}}, with \"dialect\" where it is
another one; every line is answered with one line, in order, whatever it holds.")]
pub(super) struct Eval {
    /// The formula's file; `-` is standard input
    #[arg(required_unless_present = "jsonl", conflicts_with = "jsonl")]
    formula: Option<PathBuf>,
    /// The pool and its samples as JSON; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "jsonl")]
    inputs: Option<PathBuf>,
    /// When to evaluate, such as 2026-11-22T09:00:00Z; instead of the time in the inputs
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Show every statement with its value, the samples it read and what undocumented behaviour it leaned on
    #[arg(long, conflicts_with = "jsonl")]
    trace: bool,
    /// Evaluate many: one JSON object a line in, one result a line out; `-` is standard input
    #[arg(long, value_name = "FILE")]
    jsonl: Option<PathBuf>,
    #[command(flatten)]
    dialect: DialectOption,
    #[command(flatten)]
    output: OutputOption,
}

/// Bytes read at once: large enough that a file of short lines costs few calls.
const READ_BYTES: usize = 64 * 1024;

impl Eval {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match (&self.jsonl, &self.formula) {
            (Some(lines), _) => self.many(lines, terminal),
            (None, Some(formula)) => self.one(formula, terminal),
            (None, None) => Err(Failure::Usage("name a formula, or give --jsonl FILE".to_owned())),
        }
    }

    fn one(&self, path: &Path, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let is_stdin = |path: &Path| path.as_os_str() == "-";
        if is_stdin(path) && self.inputs.as_deref().is_some_and(is_stdin) {
            let message = "standard input cannot be both the formula and the inputs";
            return Err(Failure::Usage(message.to_owned()));
        }
        let source = files::read(path)?;
        let inputs = self.read_inputs()?;
        let mut inputs = inputs.inputs();
        inputs.now = self.at.unwrap_or(inputs.now);
        let compiled = Compiled::new(&source.text, self.dialect.dialect.into());
        let evaluation = compiled.evaluate(&source.text, &inputs);
        let failed = evaluation.run.error.is_some();
        match self.output.output {
            Output::Json => {
                let records = render::records(&source.text, &compiled.diagnostics);
                terminal.json(&evaluation.answer(&source.text, &records, self.trace))?;
            }
            Output::Text => self.print(&source, &compiled, &evaluation, terminal)?,
        }
        Ok(if failed { Exit::Error } else { Exit::Success })
    }

    fn read_inputs(&self) -> Result<EvalInputs, Failure> {
        let Some(path) = &self.inputs else {
            return Ok(wiring::inputs_of_nothing());
        };
        let source = files::read(path)?;
        wiring::read_inputs(&source.text).map_err(|faults| Failure::Text(source, faults))
    }

    fn print(
        &self,
        source: &Source,
        compiled: &Compiled,
        evaluation: &Evaluation,
        terminal: &mut Terminal,
    ) -> io::Result<()> {
        let look = terminal.look();
        // Notes are for `check`; who evaluates wants to see the result.
        let told = compiled
            .diagnostics
            .iter()
            .filter(|found| found.severity > Severity::Note);
        let told: Vec<_> = told.cloned().collect();
        terminal.say(&render::text(source, &told, look))?;
        let (paint, width) = (terminal.paint(), terminal.width());
        let out = terminal.out();
        let mut heading = format!("evaluated at {}", evaluation.run.timestamp);
        if evaluation.run.error.is_some() {
            heading += " and failed; the pool keeps its targets";
        }
        writeln!(out, "{}", paint.on(Paint::ASIDE, heading))?;
        out.write_all(table(&rows(&evaluation.run.results), paint).as_bytes())?;
        if self.trace {
            writeln!(out)?;
            out.write_all(trace::text(&source.text, &evaluation.trace, paint, width).as_bytes())?;
        }
        match evaluation.fault(&source.text) {
            Some(fault) => terminal.say(&format!("\n{}", render::text(source, &[fault], look))),
            None => Ok(()),
        }
    }

    fn many(&self, path: &Path, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let input: Box<dyn Read> = if path.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            Box::new(File::open(path).map_err(|error| {
                let source = Source::named(&path.display().to_string());
                Failure::Text(source, vec![files::unreadable(path, &error)])
            })?)
        };
        let mut many = Many::new(self.dialect.dialect.into(), self.at);
        let mut input = BufReader::with_capacity(READ_BYTES, input);
        jsonl::answer_lines(&mut input, terminal.out(), jsonl::LINE_BYTES_MAX, |line| {
            many.answer(&line)
        })?;
        Ok(Exit::Success)
    }
}

/// Lays out names and values in two columns.
fn table(rows: &[(String, String)], paint: Paint) -> String {
    let width = |name: &str| name.chars().count();
    let widest = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let row = |(name, value): &(String, String)| {
        let padding = " ".repeat(widest - width(name));
        format!("{}{padding}  {value}\n", paint.on(Paint::NAME, name))
    };
    rows.iter().map(row).collect()
}

/// Splits `name=value;…` for people; a string may hold a `;`, and what has no name belongs to the value before it.
fn rows(results: &str) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    for part in results.split(';') {
        match (part.split_once('='), rows.last_mut()) {
            (Some((name, value)), _) => rows.push((render::visible(name), render::visible(value))),
            (None, Some((_, value))) => value.extend([";", &render::visible(part)]),
            (None, None) => {}
        }
    }
    rows
}
