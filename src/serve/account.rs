//! From the account's section of the configuration to a client that may look at it and order.

use secrecy::ExposeSecret;

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
    /// Returns a client of the account; nothing is sent yet. The seed is of the jitter of its retries.
    ///
    /// # Errors
    /// When a secret cannot be read, or what a way of authentication needs is missing.
    pub fn client(&self, surroundings: Surroundings<'_>, seed: u64) -> Result<Client, AccountError> {
        let section = &self.file.account;
        let key = self
            .secret(
                surroundings,
                "account",
                ("keyFile", section.key_file.as_deref()),
                ("keyEnv", section.key_env.as_deref()),
            )
            .map_err(AccountError::Config)?;
        let authorities = section.ca_file.as_ref().map(|file| {
            std::fs::read(self.path(file)).map_err(|error| {
                AccountError::Config(self.unreadable(&["account", "caFile"], file, &error.to_string()))
            })
        });
        let authorities = authorities.transpose()?;
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
