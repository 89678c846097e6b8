//! Secrets, read where they are kept each time they are needed, so that they may be changed without a restart.

use std::fs::File;
use std::io::Read as _;

use secrecy::SecretString;

use super::asking::Environment;
use super::sources_file::SecretFile;

/// No key, token or signature is longer.
const BYTES_MAX: u64 = 16 << 10;

impl SecretFile {
    /// Returns the secret, without blanks and line ends around it.
    ///
    /// # Errors
    /// What could not be read, without a part of it.
    pub(super) fn read(&self, environment: &Environment) -> Result<SecretString, String> {
        let text = match self {
            Self::File(path) => {
                let mut text = String::new();
                let read = File::open(path).and_then(|file| file.take(BYTES_MAX).read_to_string(&mut text));
                read.map_err(|why| format!("the file `{}` cannot be read: {why}", path.display()))?;
                text.lines().next().unwrap_or("").trim().to_owned()
            }
            Self::Variable(name) => environment
                .get(name)
                .map(|value| value.trim().to_owned())
                .ok_or_else(|| format!("the variable {name} is not set"))?,
        };
        if text.is_empty() {
            return Err(match self {
                Self::File(path) => format!("the file `{}` is empty", path.display()),
                Self::Variable(name) => format!("the variable {name} is empty"),
            });
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(match self {
                Self::File(path) => format!("the file `{}` holds what no secret can", path.display()),
                Self::Variable(name) => format!("the variable {name} holds what no secret can"),
            });
        }
        Ok(text.into())
    }
}
