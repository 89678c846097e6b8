//! Where the signals come from that no account tells: the file that names sources and how they let us in.

use std::path::{Path, PathBuf};

use super::account_options::Connected;
use super::exit::Failure;
use super::files;
use crate::base::Timestamp;
use crate::signal::{Found, Lack, Reading, Sample};
use crate::source::{Environment, Sources, SourcesFile};
use crate::world::{MetricSource, Wanted, WantedPast};

/// The option of every verb that looks at a live account by policies.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Signals")]
pub(super) struct SignalOptions {
    /// Where the sources of outside signals answer and how they let us in (TOML; `lowtide schema sources`)
    #[arg(long, value_name = "FILE", env = "LOWTIDE_SOURCES", hide_env_values = true)]
    sources: Option<PathBuf>,
}

/// The sources of a file; without one every signal is missing, and says so.
#[derive(Debug, Default)]
pub(super) struct NamedSources(Option<Sources>);

impl SignalOptions {
    /// Prepares the sources of the file, where one is given.
    pub(super) fn listen(&self, connected: &mut Connected) -> Result<(), Failure> {
        let Some(path) = self.sources.as_ref().filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(());
        };
        let source = files::read(path)?;
        let file = SourcesFile::parse(&source.text).map_err(|faults| Failure::Text(source, faults))?;
        let folder = path.parent().unwrap_or_else(|| Path::new(""));
        let file = file.seen_from(folder);
        let environment = Environment::new(|name| std::env::var(name).ok());
        let authorities = connected.authorities.as_deref();
        let runtime = connected.runtime.handle().clone();
        let sources = Sources::new(&file, environment, authorities, runtime).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            Failure::World {
                message: told.join("; "),
                help: Some(format!("change it in `{}`", path.display())),
            }
        })?;
        connected.sources = NamedSources(Some(sources));
        Ok(())
    }
}

impl MetricSource for NamedSources {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        if let Some(sources) = &mut self.0 {
            return sources.read(now, wanted);
        }
        let why = "no sources are named; say --sources FILE, or LOWTIDE_SOURCES";
        let missing = |wanted: &Wanted| Reading {
            signal: wanted.id.clone(),
            taken: now,
            found: Found::Lacking(Lack::Fault(why.to_owned())),
        };
        wanted.iter().map(missing).collect()
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        self.0
            .as_mut()
            .map_or_else(Vec::new, |sources| sources.past(wanted))
    }
}
