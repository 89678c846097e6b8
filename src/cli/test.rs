//! `lowtide test`: formula scripts and policy tests, proven.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::files;
use super::options::{Form, OutputOption};
use super::render::{self, DiagnosticRecord};
use super::terminal::{Paint, Terminal};
use crate::proof::{self, ScriptReport, Tone};

/// Run formula scripts and policy tests: samples and states in, expectations out
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit codes: 4 when an expectation does not hold, 1 when a script cannot be read.")]
pub(super) struct Test {
    /// Scripts (*.test), policy tests (*.test.yaml), or directories with them
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: OutputOption<TestOutput>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum TestOutput {
    #[default]
    Text,
    Json,
    Junit,
}

impl Form for TestOutput {
    const HELP: &'static str = "How to write the result: text, json or junit";
}

#[derive(Serialize)]
struct Report {
    scripts: Vec<ScriptRecord>,
    expectations: usize,
    failed: usize,
}

#[derive(Serialize)]
struct ScriptRecord {
    file: String,
    diagnostics: Vec<DiagnosticRecord>,
    checks: Vec<CheckRecord>,
}

#[derive(Serialize)]
struct CheckRecord {
    line: usize,
    evaluated: String,
    expectation: String,
    holds: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    got: Option<String>,
}

impl Test {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut reports = Vec::new();
        let mut records = Vec::new();
        let mut broken = false;
        for path in files::expand(&self.files, is_script)? {
            let (source, outcome) = match files::read(&path) {
                Ok(source) => {
                    let load = |file: &str| beside(&path, file);
                    let outcome = if is_policy_test(&path) {
                        proof::run_policy_test(&source.name, &source.text, &load)
                    } else {
                        proof::run_script(&source.name, &source.text, &load)
                    };
                    (source, outcome)
                }
                Err(Failure::Text(source, faults)) => (source, Err(faults)),
                Err(failure) => return Err(failure),
            };
            match outcome {
                Ok(report) => {
                    if self.output.output == TestOutput::Text {
                        print(&report, terminal)?;
                    }
                    records.push(record(&report));
                    reports.push(report);
                }
                Err(faults) => {
                    broken = true;
                    let text = render::text(&source, &faults, terminal.look());
                    terminal.say(&text)?;
                    records.push(ScriptRecord {
                        diagnostics: render::records(&source.text, &faults),
                        file: source.name,
                        checks: Vec::new(),
                    });
                }
            }
        }
        let failed = reports.iter().map(ScriptReport::failed).sum();
        match self.output.output {
            TestOutput::Text => {}
            TestOutput::Junit => terminal.out().write_all(proof::junit(&reports).as_bytes())?,
            TestOutput::Json => terminal.json(&Report {
                scripts: records,
                expectations: reports.iter().map(|report| report.checks.len()).sum(),
                failed,
            })?,
        }
        Ok(match (broken, failed) {
            (true, _) => Exit::Error,
            (false, 0) => Exit::Success,
            (false, _) => Exit::Failed,
        })
    }
}

fn is_script(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "test") || is_policy_test(path)
}

/// Says whether a file's name ends in `.test.yaml` or `.test.yml`.
fn is_policy_test(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| name.ends_with(".test.yaml") || name.ends_with(".test.yml"))
}

/// Reads a file that a script names, by its path from the script.
fn beside(script: &Path, file: &str) -> Result<String, String> {
    let path = script.parent().unwrap_or(Path::new("")).join(file);
    match files::read(&path) {
        Ok(source) => Ok(source.text),
        Err(Failure::Text(_, faults)) => Err(faults.into_iter().map(|fault| fault.message).collect()),
        Err(_) => Err("it is no file".to_owned()),
    }
}

fn print(report: &ScriptReport, terminal: &mut Terminal) -> io::Result<()> {
    let paint = terminal.paint();
    for line in proof::text(report) {
        let line: String = line
            .iter()
            .map(|piece| paint.on(style(piece.tone), render::visible(&piece.text)))
            .collect();
        writeln!(terminal.out(), "{line}")?;
    }
    Ok(())
}

const fn style(tone: Tone) -> anstyle::Style {
    match tone {
        Tone::Plain => anstyle::Style::new(),
        Tone::Good | Tone::Expected => Paint::GOOD,
        Tone::Bad | Tone::Got => Paint::BAD,
        Tone::Place => Paint::HEADING,
        Tone::Faint => Paint::ASIDE,
    }
}

fn record(report: &ScriptReport) -> ScriptRecord {
    let checks = report.checks.iter().map(|check| CheckRecord {
        line: check.line,
        evaluated: check.evaluated.clone(),
        expectation: check.expectation.clone(),
        holds: check.mismatch.is_none(),
        expected: check.mismatch.as_ref().map(|mismatch| mismatch.expected.clone()),
        got: check.mismatch.as_ref().map(|mismatch| mismatch.got.clone()),
    });
    ScriptRecord {
        file: report.name.clone(),
        diagnostics: Vec::new(),
        checks: checks.collect(),
    }
}
