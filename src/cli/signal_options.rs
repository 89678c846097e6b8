//! Where the signals come from that no account tells: the file that names sources and how they let us in.

use std::path::{Path, PathBuf};

use super::account_options::Connected;
use super::exit::Failure;
use super::files;
use crate::source::{Environment, NamedSources, Sources, SourcesFile};

/// The option of every verb that looks at a live account by policies.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Signals")]
pub(super) struct SignalOptions {
    /// Where the sources of outside signals answer and how they let us in (TOML; `lowtide schema sources`)
    #[arg(long, value_name = "FILE", env = "LOWTIDE_SOURCES", hide_env_values = true)]
    sources: Option<PathBuf>,
}

/// How a file of sources is named.
const SOURCES_NAMED: &str = "say --sources FILE, or LOWTIDE_SOURCES";

/// Returns what is asked where no file is named: nothing, and it says so.
pub(super) const fn no_sources() -> NamedSources {
    NamedSources::new(None, SOURCES_NAMED)
}

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
        connected.sources = NamedSources::new(Some(sources), SOURCES_NAMED);
        Ok(())
    }
}
