//! `lowtide import`: a policy out of what runs today.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::account_options::AccountOptions;
use super::exit::{Exit, Failure, Source};
use super::files::{self, EXISTS};
use super::options::{Output, OutputOption};
use super::render::{self, DiagnosticRecord};
use super::terminal::Terminal;
use crate::base::{Diagnostic, Timestamp};
use crate::bring::{self, Brought, Draft};

/// Make a policy out of what runs today
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, clap::Subcommand)]
enum From {
    Native(Native),
    Shipyard(Shipyard),
    Nextflow(Nextflow),
}

/// Pools with an autoscale formula of their own, as `az batch pool show` or the REST API give them
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
struct Native {
    /// A pool as JSON, a list of pools, or a page of them, in the place of the live account; `-` is standard input
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    #[command(flatten)]
    account: AccountOptions,
    #[command(flatten)]
    how: How,
}

/// A pool of batch-shipyard, out of a `pool.yaml` or `pool.json`
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
struct Shipyard {
    /// The pool configuration; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    how: How,
}

/// Pools that nextflow makes, out of a `nextflow.config`
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
struct Nextflow {
    /// The configuration; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// When the pools were made, which formulas may ask for
    #[arg(long, value_name = "TIME")]
    created: Option<Timestamp>,
    #[command(flatten)]
    how: How,
}

const AFTER_HELP: &str = "\
The policy keeps the formula verbatim, in mode shadow, with the bounds that are proven of its targets.
What cannot be brought is said on standard error; nothing is made up.
Exit codes: 1 when a pool cannot be brought.";

/// What all importers are told.
#[derive(Debug, clap::Args)]
struct How {
    /// Only this pool; may be given several times
    #[arg(long, value_name = "ID")]
    pool: Vec<String>,
    /// Write ID.yaml and ID.formula into this directory instead of one policy to standard output
    #[arg(long, short = 'O', value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write over files that are there
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Serialize)]
struct Record<'a> {
    pool: &'a str,
    policy: Option<String>,
    formula: Option<&'a str>,
    notes: &'a [String],
    diagnostics: Vec<DiagnosticRecord>,
}

impl Import {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match &self.from {
            From::Native(native) => {
                let read = |text: &str| {
                    bring::native(text).map(|drafts| Brought {
                        drafts,
                        findings: Vec::new(),
                    })
                };
                let source = match &native.file {
                    Some(file) => files::read(file)?,
                    None => native.account.pools()?,
                };
                native.how.bring(&source, read, terminal)
            }
            From::Shipyard(shipyard) => {
                shipyard
                    .how
                    .bring(&files::read(&shipyard.file)?, bring::shipyard, terminal)
            }
            From::Nextflow(nextflow) => {
                let read = |text: &str| bring::nextflow(text, nextflow.created);
                nextflow.how.bring(&files::read(&nextflow.file)?, read, terminal)
            }
        }
    }
}

impl How {
    /// Reads a text, tells what of it was not brought, and gives the rest.
    fn bring(
        &self,
        source: &Source,
        read: impl Fn(&str) -> Result<Brought, Vec<Diagnostic>>,
        terminal: &mut Terminal,
    ) -> Result<Exit, Failure> {
        match read(&source.text) {
            Ok(Brought { drafts, findings }) => {
                terminal.say(&render::text(source, &findings, terminal.look()))?;
                self.give(drafts, terminal)
            }
            Err(faults) => Err(Failure::Text(source.clone(), faults)),
        }
    }

    fn give(&self, mut drafts: Vec<Draft>, terminal: &mut Terminal) -> Result<Exit, Failure> {
        for id in &self.pool {
            if !drafts.iter().any(|draft| draft.name == *id) {
                return Err(Failure::Usage(format!(
                    "there is no pool `{id}` in what was read"
                )));
            }
        }
        drafts.retain(|draft| self.pool.is_empty() || self.pool.contains(&draft.name));
        if drafts.is_empty() {
            terminal.say("note: there is no pool in what was read\n")?;
        }
        match (self.output.output, &self.out) {
            (_, Some(folder)) => self.write(&drafts, folder, terminal)?,
            (Output::Json, None) => {
                let records: Vec<_> = drafts.iter().map(record).collect();
                terminal.json(&records)?;
            }
            (Output::Text, None) => print(&drafts, terminal)?,
        }
        let broken = drafts.iter().any(Draft::has_errors);
        Ok(if broken { Exit::Error } else { Exit::Success })
    }

    fn write(&self, drafts: &[Draft], folder: &Path, terminal: &mut Terminal) -> Result<(), Failure> {
        let made = fs::create_dir_all(folder);
        made.map_err(|error| files::not_written(folder, &error))?;
        for draft in drafts {
            tell(draft, terminal)?;
            if draft.has_errors() {
                continue;
            }
            let formula_file = format!("{}.formula", draft.name);
            let policy = draft.yaml(Some(&formula_file));
            let mut texts = vec![(format!("{}.yaml", draft.name), policy.as_str())];
            texts.extend(draft.formula().map(|formula| (formula_file.clone(), formula)));
            for (name, text) in &texts {
                self.put(&folder.join(name), text)?;
            }
            let names: Vec<_> = texts
                .iter()
                .map(|(name, _)| folder.join(name).display().to_string())
                .collect();
            writeln!(terminal.out(), "{}", names.join("\n"))?;
        }
        Ok(())
    }

    fn put(&self, path: &Path, text: &str) -> Result<(), Failure> {
        if path.exists() && !self.force {
            let message = format!("`{}` is there already", path.display());
            let fault = Diagnostic::error(EXISTS, 0..0, message).help("write over it with --force");
            return Err(Failure::Text(
                Source::named(&path.display().to_string()),
                vec![fault],
            ));
        }
        fs::write(path, text).map_err(|error| files::not_written(path, &error))
    }
}

fn print(drafts: &[Draft], terminal: &mut Terminal) -> Result<(), Failure> {
    if drafts.len() > 1 {
        let ids: Vec<_> = drafts.iter().map(|draft| draft.name.as_str()).collect();
        let message = format!(
            "there are several pools ({}); name one with --pool, or a directory with --out",
            ids.join(", ")
        );
        return Err(Failure::Usage(message));
    }
    for draft in drafts {
        if !draft.has_errors() {
            terminal.out().write_all(draft.yaml(None).as_bytes())?;
        }
        tell(draft, terminal)?;
    }
    Ok(())
}

/// Says what is to be known of a draft.
fn tell(draft: &Draft, terminal: &mut Terminal) -> Result<(), Failure> {
    let look = terminal.look();
    let source = Source::new(
        &format!("{}.formula", draft.name),
        draft.formula().unwrap_or_default().to_owned(),
    );
    terminal.say(&render::text(&source, &draft.diagnostics, look))?;
    // Of a formula that cannot be used nothing else is worth saying.
    for note in draft.notes.iter().filter(|_| !draft.has_errors()) {
        terminal.say(&format!("note: {}: {}\n", draft.name, render::visible(note)))?;
    }
    Ok(())
}

fn record(draft: &Draft) -> Record<'_> {
    Record {
        pool: draft.pool.as_str(),
        policy: (!draft.has_errors()).then(|| draft.yaml(None)),
        formula: draft.formula(),
        notes: &draft.notes,
        diagnostics: render::records(draft.formula().unwrap_or_default(), &draft.diagnostics),
    }
}
