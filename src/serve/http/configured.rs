//! From the configuration to what the interface is set up with.

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};

use super::super::config::{Config, Surroundings};
use super::settings::{HttpSettings, TlsFiles};
use super::tokens::{Texts, TokenError, Tokens};
use crate::base::Diagnostic;

/// Tokens are a line each: another file was meant when it is longer.
const TOKENS_BYTES_MAX: usize = 64 << 10;

/// Why the tokens of a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfiguredError {
    /// A file or variable that the configuration names.
    #[error("{}", .0.message)]
    Config(Diagnostic),
    /// What is in it.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Config {
    /// Returns how the interface is set up.
    pub fn interface(&self) -> HttpSettings {
        let http = &self.file.http;
        HttpSettings {
            listen: http.listen.0,
            tls: http.tls.as_ref().map(|tls| TlsFiles {
                certificate: self.path(&tls.certificate_file),
                key: self.path(&tls.key_file),
                client_authority: tls.client_authority_file.as_ref().map(|file| self.path(file)),
            }),
            open_reads: http.open_reads,
            names: http.names.clone(),
        }
    }

    /// Says where the interface is, and who may do what there.
    pub fn door(&self) -> String {
        let (http, settings) = (&self.file.http, self.interface());
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        let reads = if settings.reads_are_open() {
            "reads are open"
        } else {
            "reads need a token"
        };
        let has_token = http.token_file.is_some() || http.token_env.is_some();
        let writes = match (has_token, settings.takes_certificates()) {
            (true, true) => "writes need a token or a certificate",
            (true, false) => "writes need a token",
            (false, true) => "writes need a certificate",
            (false, false) => "nobody may write",
        };
        format!("{scheme}://{}; {reads}, {writes}", http.listen.0)
    }

    /// Returns the tokens that let in; files are read again at each reload.
    ///
    /// # Errors
    /// When one cannot be read, or can be guessed.
    pub fn tokens(&self, surroundings: Surroundings<'_>) -> Result<Tokens, ConfiguredError> {
        let http = &self.file.http;
        let write = self.held(
            surroundings,
            ("tokenFile", http.token_file.clone()),
            ("tokenEnv", http.token_env.clone()),
        )?;
        let read = self.held(
            surroundings,
            ("readTokenFile", http.read_token_file.clone()),
            ("readTokenEnv", http.read_token_env.clone()),
        )?;
        let source = move || {
            Ok(Texts {
                write: write.read()?,
                read: read.read()?,
            })
        };
        Ok(Tokens::with(Arc::new(source))?)
    }

    /// Looks once where a token is, so that what is wrong is told with its place in the configuration.
    fn held(
        &self,
        surroundings: Surroundings<'_>,
        (file_key, file): (&str, Option<PathBuf>),
        (variable_key, variable): (&str, Option<String>),
    ) -> Result<Held, ConfiguredError> {
        let secret = self
            .secret(
                surroundings,
                "http",
                (file_key, file.as_deref()),
                (variable_key, variable.as_deref()),
            )
            .map_err(ConfiguredError::Config)?;
        Ok(match (file, secret) {
            (Some(file), _) => Held::File(self.path(&file)),
            (None, Some(secret)) => Held::Here(secret),
            (None, None) => Held::Nowhere,
        })
    }
}

/// Where a token is.
enum Held {
    Nowhere,
    /// In the environment, which does not change while a process runs.
    Here(SecretString),
    File(PathBuf),
}

impl Held {
    fn read(&self) -> Result<Option<SecretString>, String> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Here(secret) => Ok(Some(secret.expose_secret().into())),
            Self::File(path) => {
                let fault = |why: String| format!("`{}`: {why}", path.display());
                let bytes = std::fs::read(path).map_err(|error| fault(error.to_string()))?;
                if bytes.len() > TOKENS_BYTES_MAX {
                    return Err(fault(format!("it is longer than {} KiB", TOKENS_BYTES_MAX >> 10)));
                }
                let text = String::from_utf8(bytes).map_err(|_| fault("it is no text".to_owned()))?;
                if text.trim().is_empty() {
                    return Err(fault("it is empty".to_owned()));
                }
                Ok(Some(text.into()))
            }
        }
    }
}
