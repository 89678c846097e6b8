//! The configuration of the sidecar, as verbs read it that are about a sidecar.

use std::path::{Path, PathBuf};

use super::exit::{Failure, Source};
use super::{files, wiring};
use crate::azure::Client;
use crate::policy::Policies;
use crate::serve::config::{Config, Surroundings};
use crate::serve::{AccountError, FaultyText, Folder};

/// A configuration with the text that it was read from.
pub(super) struct Configured {
    pub(super) source: Source,
    pub(super) config: Config,
}

impl Configured {
    /// Reads a configuration; paths in it are seen from its folder.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let source = files::read(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let config = Config::parse(&source.text, folder.unwrap_or(Path::new(".")))
            .map_err(|faults| Failure::Text(source.clone(), faults))?;
        Ok(Self { source, config })
    }

    /// Returns the folder of its policies, and what was read there; a policy that cannot be used is a failure.
    pub(super) fn policies(&self) -> Result<(Folder, Policies), Failure> {
        let mut folder = Folder::new(self.config.path(&self.config.file.policies.folder));
        let reading = folder.read();
        let errors: Vec<_> = reading.faults.iter().filter(|fault| fault.is_error()).collect();
        if !errors.is_empty() {
            return Err(Failure::Texts(errors.into_iter().map(text).collect()));
        }
        Ok((folder, reading.policies.unwrap_or_default()))
    }

    /// Returns a client of its account; nothing is sent yet.
    pub(super) fn client(&self) -> Result<Client, Failure> {
        let variable = |name: &str| std::env::var(name).ok();
        let surroundings = Surroundings { variable: &variable };
        // Clients that start together shall not retry together.
        let seed = wiring::now().ticks().cast_unsigned() ^ u64::from(std::process::id());
        self.config
            .client(surroundings, seed)
            .map_err(|error| match error {
                AccountError::Config(fault) => Failure::Text(self.source.clone(), vec![fault]),
                AccountError::Credential(message) => Failure::World { message, help: None },
            })
    }

    /// Returns the certificates that it names.
    pub(super) fn certificates(&self) -> Vec<PathBuf> {
        let file = &self.config.file;
        let mut named: Vec<&PathBuf> = file.account.ca_file.iter().collect();
        if let Some(tls) = &file.http.tls {
            named.push(&tls.certificate_file);
            named.extend(&tls.client_authority_file);
        }
        named.into_iter().map(|path| self.config.path(path)).collect()
    }
}

fn text(fault: &FaultyText) -> (Source, Vec<crate::base::Diagnostic>) {
    (
        Source::new(&fault.file, fault.text.clone()),
        fault.diagnostics.clone(),
    )
}
