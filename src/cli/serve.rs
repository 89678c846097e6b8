//! `lowtide serve`: the sidecar that steers a live account.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::configured::Configured;
use super::exit::{Exit, Failure, Source};
use super::terminal::{Paint, Terminal};
use super::{files, wiring};
use crate::azure::Client;
use crate::policy::{Mode, Policies};
use crate::serve::config::{Config, Surroundings};
use crate::serve::http::ConfiguredError;
use crate::serve::{Process, ProcessError};
use crate::source::SourcesFile;

/// Steer the pools of a live Batch account: look, decide, write down, order, for as long as it runs
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Every decision is written to the ledger before its order goes out; what cannot be written is not ordered.
A policy that changes in its folder is in effect at once; a file that cannot be used keeps what it was.
Signals: SIGTERM and SIGINT finish the look under way and end, SIGHUP reads policies and secrets again.")]
pub(super) struct Serve {
    /// The configuration, TOML; see `lowtide schema config`
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Look through the configuration, the secrets it names and the policies, say what would be done, and do nothing
    #[arg(long)]
    check: bool,
}

impl Serve {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let configured = Configured::read(&self.config)?;
        let (folder, policies) = configured.policies()?;
        let client = configured.client()?;
        let Configured { source, config } = configured;
        let variable = |name: &str| std::env::var(name).ok();
        let surroundings = Surroundings { variable: &variable };
        let tokens = config
            .tokens(surroundings)
            .map_err(|error| tokens_failure(error, source.clone()))?;
        let place = config
            .place(surroundings)
            .map_err(|fault| Failure::Text(source, vec![fault]))?;
        let sources = config.file.sources_file.as_ref().map(|path| {
            let source = files::read(&config.path(path))?;
            let file = SourcesFile::parse(&source.text).map_err(|faults| Failure::Text(source, faults))?;
            let path = config.path(path);
            Ok::<_, Failure>(file.seen_from(path.parent().unwrap_or(Path::new(""))))
        });
        let sources = sources.transpose()?;
        if self.check {
            tell(&config, &client, &policies, terminal)?;
            return Ok(Exit::Success);
        }
        let process = Process {
            tokens,
            config,
            client,
            place,
            sources,
            folder,
            policies,
            now: wiring::now,
        };
        process.run().map_err(|error| process_failure(&error))?;
        Ok(Exit::Success)
    }
}

fn tokens_failure(error: ConfiguredError, source: Source) -> Failure {
    match error {
        ConfiguredError::Config(fault) => Failure::Text(source, vec![fault]),
        ConfiguredError::Token(error) => Failure::World {
            message: error.to_string(),
            help: None,
        },
    }
}

fn process_failure(error: &ProcessError) -> Failure {
    Failure::World {
        message: error.to_string(),
        help: None,
    }
}

/// Says what would be done.
fn tell(config: &Config, client: &Client, policies: &Policies, terminal: &mut Terminal) -> io::Result<()> {
    let paint = terminal.paint();
    let settings = client.settings();
    let file = &config.file;
    let orders = if file.dry_run {
        "keeps every order back (dryRun)"
    } else {
        "orders what the policies say"
    };
    let mut rows = vec![
        (
            "account",
            format!("{} at {}", settings.account, settings.endpoint),
        ),
        ("orders", orders.to_owned()),
        (
            "policies",
            format!(
                "{} in {}",
                policies.policies.len(),
                config.path(&file.policies.folder).display()
            ),
        ),
        ("ledger", config.ledger_place()),
        ("listens", config.door()),
    ];
    if let Some(path) = &file.kill_switch_file {
        let path = config.path(path);
        let there = if path.exists() { ", which is there now" } else { "" };
        rows.push(("stops", format!("while there is {}{there}", path.display())));
    }
    if let Some(path) = &file.sources_file {
        rows.push(("signals", format!("as {} says", config.path(path).display())));
    }
    if let Some(history) = &file.history {
        let what = if history.all {
            "all"
        } else {
            "what the ledger no longer has"
        };
        rows.push(("history", format!("{what}, from {}", history.prometheus)));
    }
    if let Some(traces) = &file.traces {
        rows.push(("traces", format!("to {}", traces.endpoint)));
    }
    let out = terminal.out();
    for (name, value) in rows {
        writeln!(out, "{} {value}", paint.on(Paint::HEADING, format!("{name:<9}")))?;
    }
    for policy in &policies.policies {
        let mode = match policy.mode {
            Mode::Full => "full",
            Mode::OutOnly => "outOnly",
            Mode::Shadow => "shadow",
            Mode::Paused => "paused",
        };
        let (name, pool, every) = (&policy.name, policy.pool.as_str(), policy.interval.in_short());
        writeln!(out, "  {name}: pool {pool}, mode {mode}, every {every}")?;
    }
    Ok(())
}
