//! From the account's section of the configuration to a client that may look at it and order.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::config::{Config, Surroundings};
use crate::azure::{Client, Clock, Limits, Means, Settings, credential};
use crate::base::Diagnostic;

/// Why the account cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A secret or a certificate cannot be read.
    #[error("{}", .0.message)]
    Config(Diagnostic),
    /// What else is missing.
    #[error("{0}")]
    Credential(String),
}

impl Config {
    /// Returns the key of the account, where the configuration says where it is; it is read now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn account_key(
        &self,
        surroundings: Surroundings<'_>,
    ) -> Result<Option<SecretString>, Diagnostic> {
        let section = &self.file.account;
        self.secret(
            surroundings,
            "account",
            ("keyFile", section.key_file.as_deref()),
            ("keyEnv", section.key_env.as_deref()),
        )
    }

    /// Returns the certificates of authorities that are trusted besides the system's, as PEM.
    ///
    /// # Errors
    /// When their file cannot be read.
    pub fn authorities(&self) -> Result<Option<Vec<u8>>, Diagnostic> {
        let file = self.file.account.ca_file.as_ref();
        let read = file.map(|file| {
            std::fs::read(self.path(file))
                .map_err(|error| self.unreadable(&["account", "caFile"], file, &error.to_string()))
        });
        read.transpose()
    }

    /// Returns the files with secrets that are read again while the sidecar runs.
    pub(super) fn renewed_files(&self) -> Vec<PathBuf> {
        let (account, http) = (&self.file.account, &self.file.http);
        let mut files: Vec<&PathBuf> = Vec::new();
        files.extend(&account.key_file);
        files.extend(&http.token_file);
        files.extend(&http.read_token_file);
        if let Some(tls) = &http.tls {
            files.extend([&tls.certificate_file, &tls.key_file]);
            files.extend(&tls.client_authority_file);
        }
        files.into_iter().map(|file| self.path(file)).collect()
    }

    /// Returns a client of the account; nothing is sent yet. The seed is of the jitter of its retries.
    ///
    /// # Errors
    /// When a secret cannot be read, or what a way of authentication needs is missing.
    pub fn client(&self, surroundings: Surroundings<'_>, seed: u64) -> Result<Client, AccountError> {
        let section = &self.file.account;
        let key = self.account_key(surroundings).map_err(AccountError::Config)?;
        let authorities = self.authorities().map_err(AccountError::Config)?;
        let endpoint = section.endpoint.0.clone();
        let means = Means {
            endpoint: &endpoint,
            key: key.as_ref().map(ExposeSecret::expose_secret),
            authorities: authorities.as_deref(),
            variable: surroundings.variable,
        };
        let credential =
            credential(section.auth, &means).map_err(|error| AccountError::Credential(error.to_string()))?;
        let account = section.name.as_deref().or(endpoint.account()).unwrap_or_default();
        let settings = Settings {
            account: account.to_owned(),
            version: section.api_version,
            authorities: authorities.clone(),
            limits: Limits {
                per_second: section.requests_per_second,
                ..Limits::default()
            },
            seed,
            endpoint: endpoint.clone(),
        };
        Client::new(settings, credential, Clock::system())
            .map_err(|fault| AccountError::Credential(fault.to_string()))
    }
}
