//! `lowtide check`: everything that can be said of formulas and policies without running them.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::evaluation::Compiled;
use super::exit::{Exit, Failure, Source};
use super::files;
use super::options::{DialectOption, Output, OutputOption};
use super::policies::{self, PolicyText};
use super::render::{self, DiagnosticRecord, counted, visible};
use super::terminal::{Paint, Terminal};
use crate::base::{Diagnostic, Lane, Severity};
use crate::formula::{self, Formula, TargetRange, TargetRanges};
use crate::policy::Policy;
use crate::world::is_policy;

/// Check formulas and policies: syntax, names, types, lints; and prove how large the targets can get
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 1 when there are errors, 3 with --deny-warnings when there are warnings."
)]
pub(super) struct Check {
    /// Formulas (*.formula), policies (*.yaml), or directories with them; `-` is a formula on standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Exit with 3 when there are warnings
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    dialect: DialectOption,
    #[command(flatten)]
    output: OutputOption,
}

/// What was found in the files so far.
#[derive(Default)]
struct Findings {
    texts: Vec<(Source, Vec<Diagnostic>)>,
    ranges: Vec<Proven>,
}

/// The proven ranges of one formula's targets.
struct Proven {
    /// The formula's file, or the policy and the number of the formula in it.
    formula: String,
    ranges: TargetRanges,
}

#[derive(Serialize)]
struct Report {
    files: Vec<FileRecord>,
    formulas: Vec<FormulaRecord>,
    errors: usize,
    warnings: usize,
}

#[derive(Serialize)]
struct FileRecord {
    file: String,
    diagnostics: Vec<DiagnosticRecord>,
}

#[derive(Serialize)]
struct FormulaRecord {
    formula: String,
    dedicated: RangeRecord,
    spot: RangeRecord,
}

#[derive(Serialize)]
struct RangeRecord {
    min: u32,
    max: Option<u32>,
    text: String,
}

impl Check {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let paths = files::expand(&self.files, |path| files::is_formula(path) || is_policy(path))?;
        let mut findings = Findings::default();
        // A formula that is checked by itself is not told again by a policy that names it.
        let named: BTreeSet<String> = paths.iter().map(|path| path.display().to_string()).collect();
        for path in &paths {
            let checked = if is_policy(path) {
                findings.check_policy(path, &named)
            } else {
                findings.check_formula(path, self.dialect)
            };
            match checked {
                Err(Failure::Text(source, faults)) => findings.texts.push((source, faults)),
                other => other?,
            }
        }
        let (errors, warnings) = (findings.count(Severity::Error), findings.count(Severity::Warning));
        match self.output.output {
            Output::Json => terminal.json(&findings.report())?,
            Output::Text => findings.print(paths.len(), terminal)?,
        }
        Ok(match (errors, warnings) {
            (0, 0) => Exit::Success,
            (0, _) if self.deny_warnings => Exit::Warnings,
            (0, _) => Exit::Success,
            (_, _) => Exit::Error,
        })
    }
}

impl Findings {
    fn check_formula(&mut self, path: &Path, dialect: DialectOption) -> Result<(), Failure> {
        let source = files::read(path)?;
        let compiled = Compiled::new(&source.text, dialect.dialect.into());
        if let Some(formula) = &compiled.formula {
            self.prove(source.name.clone(), formula);
        }
        self.texts.push((source, compiled.diagnostics));
        Ok(())
    }

    fn check_policy(&mut self, path: &Path, named: &BTreeSet<String>) -> Result<(), Failure> {
        let mut text = policies::read(path)?;
        policies::lint(path, &mut text);
        let PolicyText { policy, texts } = text;
        let (own, of_formulas) = texts.split_first().expect("a policy's own text comes first");
        self.texts.push(own.clone());
        let others = of_formulas
            .iter()
            .filter(|(source, _)| !named.contains(&source.name));
        self.texts.extend(others.cloned());
        let demand = policy.iter().flat_map(Policy::formulas);
        for (index, demand) in demand {
            let name = match &demand.file {
                Some(file) => policies::beside(path, file).display().to_string(),
                None => format!("{} (formula {})", path.display(), index + 1),
            };
            if !named.contains(&name) {
                self.prove(name, &demand.formula);
            }
        }
        Ok(())
    }

    fn prove(&mut self, formula: String, compiled: &Formula) {
        let ranges = formula::target_ranges(compiled);
        self.ranges.push(Proven { formula, ranges });
    }

    fn count(&self, severity: Severity) -> usize {
        let all = self.texts.iter().flat_map(|(_, diagnostics)| diagnostics);
        all.filter(|diagnostic| diagnostic.severity == severity).count()
    }

    fn print(&self, n_files: usize, terminal: &mut Terminal) -> Result<(), Failure> {
        let look = terminal.look();
        for (source, diagnostics) in &self.texts {
            terminal.say(&render::text(source, diagnostics, look))?;
        }
        let paint = terminal.paint();
        for proven in &self.ranges {
            terminal.out().write_all(ranges_text(proven, paint).as_bytes())?;
        }
        let (errors, warnings) = (self.count(Severity::Error), self.count(Severity::Warning));
        let summary = format!(
            "{} checked: {}, {}\n",
            counted(n_files, "file"),
            counted(errors, "error"),
            counted(warnings, "warning")
        );
        Ok(terminal.say(&summary)?)
    }

    fn report(&self) -> Report {
        let file = |(source, diagnostics): &(Source, Vec<Diagnostic>)| FileRecord {
            file: source.name.clone(),
            diagnostics: render::records(&source.text, diagnostics),
        };
        let formula = |proven: &Proven| FormulaRecord {
            formula: proven.formula.clone(),
            dedicated: range_record(proven.ranges.dedicated),
            spot: range_record(proven.ranges.spot),
        };
        Report {
            files: self.texts.iter().map(file).collect(),
            formulas: self.ranges.iter().map(formula).collect(),
            errors: self.count(Severity::Error),
            warnings: self.count(Severity::Warning),
        }
    }
}

fn range_record(range: TargetRange) -> RangeRecord {
    RangeRecord {
        min: range.low.0,
        max: range.high.map(|high| high.0),
        text: range.to_string(),
    }
}

fn ranges_text(proven: &Proven, paint: Paint) -> String {
    let mut text = format!("{}\n", paint.on(Paint::HEADING, visible(&proven.formula)));
    for lane in Lane::ALL {
        let range = proven.ranges.get(lane);
        let name = match lane {
            Lane::Dedicated => "$TargetDedicatedNodes   ",
            Lane::Spot => "$TargetLowPriorityNodes ",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {} {range}", paint.on(Paint::NAME, name));
    }
    text
}
