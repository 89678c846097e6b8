//! Secrets of the configuration: read from files and from the environment, never from the configuration itself.

use std::path::Path;

use secrecy::SecretString;

use super::{Config, NO_SECRET, place};
use crate::base::Diagnostic;

/// A secret is a key, a token or an address: another file was meant when it is longer.
const SECRET_BYTES_MAX: usize = 64 << 10;

/// What the sidecar may read besides its configuration.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The variables of the environment.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

impl std::fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

impl Config {
    /// Returns the secret that two keys of a section speak of, `…File` and `…Env`; `None` when neither does.
    ///
    /// # Errors
    /// When the file cannot be read, or the variable is not set, or either is empty.
    pub fn secret(
        &self,
        surroundings: Surroundings<'_>,
        section: &str,
        (file_key, file): (&str, Option<&Path>),
        (variable_key, variable): (&str, Option<&str>),
    ) -> Result<Option<SecretString>, Diagnostic> {
        let fault = |key: &str, message: String, help: &str| {
            let span = place(&self.document, &[section, key]);
            Err(Diagnostic::error(NO_SECRET, span, message).help(help))
        };
        let (key, text) = match (file, variable) {
            (Some(file), _) => match self.read_text(file) {
                Ok(text) => (file_key, text),
                Err(why) => return Err(self.unreadable(&[section, file_key], file, &why)),
            },
            (None, Some(name)) => match (surroundings.variable)(name) {
                Some(text) => (variable_key, text),
                None => {
                    let message = format!("the variable {name} of the environment is not set");
                    return fault(variable_key, message, "set it, or name another one");
                }
            },
            (None, None) => return Ok(None),
        };
        let secret = text.trim();
        if secret.is_empty() {
            return fault(
                key,
                "the secret is empty".to_owned(),
                "put the secret there, or leave the key out",
            );
        }
        Ok(Some(SecretString::from(secret)))
    }

    /// Returns the fault of a file that a key of a section names and that cannot be read.
    pub(in crate::serve) fn unreadable(&self, key: &[&str], file: &Path, why: &str) -> Diagnostic {
        let message = format!("the file `{}` cannot be read: {why}", file.display());
        Diagnostic::error(NO_SECRET, place(&self.document, key), message)
            .help("check its name and its permissions")
    }

    fn read_text(&self, file: &Path) -> Result<String, String> {
        let bytes = std::fs::read(self.path(file)).map_err(|error| error.to_string())?;
        if bytes.len() > SECRET_BYTES_MAX {
            return Err(format!("it is longer than {} KiB", SECRET_BYTES_MAX >> 10));
        }
        String::from_utf8(bytes).map_err(|_| "it is no text".to_owned())
    }
}
