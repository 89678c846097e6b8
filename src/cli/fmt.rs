//! `lowtide fmt`: formulas in canonical layout.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::diff;
use super::exit::{Exit, Failure, Source};
use super::files;
use super::options::{DialectOption, Output, OutputOption};
use super::render::{self, DiagnosticRecord};
use super::terminal::Terminal;
use crate::base::Diagnostic;
use crate::formula::{self, FormatError};

/// Lay formulas out: one statement a line, comments kept, results unchanged
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Line ends become LF, and every file ends in one. Numbers and brackets stay as they are written.
A formula that cannot be read, or that would be too long for the service, is left as it is.
With `-` the formula is read from standard input and written to standard output.")]
pub(super) struct Fmt {
    /// Formulas, or directories with *.formula files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; name the files that would change, and exit with 2 if there are any
    #[arg(long)]
    check: bool,
    /// Change nothing; show what would change
    #[arg(long)]
    diff: bool,
    #[command(flatten)]
    dialect: DialectOption,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Serialize)]
struct Report {
    files: Vec<FileReport>,
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    changed: bool,
    diagnostics: Vec<DiagnosticRecord>,
}

impl Fmt {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut report = Report { files: Vec::new() };
        let mut exit = Exit::Success;
        for path in files::expand(&self.files, files::is_formula)? {
            let (source, formatted) = match files::read(&path) {
                Ok(source) => {
                    let formatted = formula::format(&source.text, self.dialect.dialect.into());
                    (source, formatted.map_err(FormatError::diagnostics))
                }
                Err(Failure::Text(source, faults)) => (source, Err(faults)),
                Err(failure) => return Err(failure),
            };
            let (changed, faults) = match formatted {
                Ok(formatted) => (self.settle(&path, &source, &formatted, terminal)?, Vec::new()),
                Err(faults) => (false, faults),
            };
            exit = exit.max(self.judge(changed, &faults));
            if self.output.output == Output::Text && !faults.is_empty() {
                let text = render::text(&source, &faults, terminal.look());
                terminal.say(&text)?;
            }
            report.files.push(FileReport {
                diagnostics: render::records(&source.text, &faults),
                file: source.name,
                changed,
            });
        }
        // An error weighs more than a difference.
        let failed = report.files.iter().any(|file| !file.diagnostics.is_empty());
        if self.output.output == Output::Json {
            terminal.json(&report)?;
        }
        Ok(if failed { Exit::Error } else { exit })
    }

    const fn judge(&self, changed: bool, faults: &[Diagnostic]) -> Exit {
        match (faults.is_empty(), self.check && changed) {
            (false, _) => Exit::Error,
            (true, true) => Exit::Differences,
            (true, false) => Exit::Success,
        }
    }

    /// Writes, shows or names what changes; returns whether anything does.
    fn settle(
        &self,
        path: &Path,
        source: &Source,
        formatted: &str,
        terminal: &mut Terminal,
    ) -> Result<bool, Failure> {
        let changed = source.text != formatted;
        let text = self.output.output == Output::Text;
        let name = render::visible(&source.name);
        if self.diff {
            if changed && text {
                let paint = terminal.paint();
                write!(
                    terminal.out(),
                    "{}",
                    diff::unified(
                        &[name.clone(), format!("{name} (formatted)")],
                        &source.text,
                        formatted,
                        paint
                    )
                )?;
            }
        } else if self.check {
            if changed && text {
                writeln!(terminal.out(), "{name}")?;
            }
        } else if path.as_os_str() == "-" {
            if text {
                write!(terminal.out(), "{formatted}")?;
            }
        } else if changed {
            fs::write(path, formatted).map_err(|error| {
                let faults = vec![files::unwritable(path, &error)];
                Failure::Text(Source::named(&source.name), faults)
            })?;
            if text {
                let line_ends = if source.text.contains('\r') {
                    " (line ends are LF now)"
                } else {
                    ""
                };
                terminal.say(&format!("formatted {name}{line_ends}\n"))?;
            }
        }
        Ok(changed)
    }
}
