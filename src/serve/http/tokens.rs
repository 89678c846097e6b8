//! The tokens that let in: read from files and variables by whoever knows them, compared in constant time, replaced while it runs.
//!
//! A file may hold several tokens, one a line, so that a new one can count before the old one ends.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// A shorter token can be guessed, and was likely meant for something else.
const TOKEN_CHARACTERS_MIN: usize = 16;

/// What a token lets do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Right {
    /// To read.
    Read,
    /// To read and to write.
    Write,
}

/// Where tokens come from; asked again at each reload.
pub type TokenSource = dyn Fn() -> Result<Texts, String> + Send + Sync;

/// Tokens as they stand in files and variables, one a line.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    /// Those that let read and write.
    pub write: Option<SecretString>,
    /// Those that let read alone.
    pub read: Option<SecretString>,
}

/// The tokens that count now; cheap to clone.
#[derive(Clone)]
pub struct Tokens {
    source: Arc<TokenSource>,
    /// Kept as keyed digests: comparing those takes the same time wherever two tokens part.
    now: Arc<ArcSwap<Digests>>,
    key: Arc<[u8; 32]>,
}

type Digest = [u8; 32];

#[derive(Default)]
struct Digests {
    write: Vec<Digest>,
    read: Vec<Digest>,
}

/// Says why tokens cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// They cannot be read.
    #[error("the tokens cannot be read: {0}")]
    Unreadable(String),
    /// One is too short.
    #[error(
        "a token has fewer than {TOKEN_CHARACTERS_MIN} characters and can be guessed; make one with `openssl rand -hex 32`"
    )]
    Short,
}

impl Tokens {
    /// Returns no tokens at all: nobody is let in by one.
    pub fn none() -> Self {
        Self::with(Arc::new(|| Ok(Texts::default())))
            .unwrap_or_else(|_| unreachable!("no token is none that is wrong"))
    }

    /// Reads the tokens of a source.
    ///
    /// # Errors
    /// When they cannot be read or one can be guessed.
    pub fn with(source: Arc<TokenSource>) -> Result<Self, TokenError> {
        let tokens = Self {
            source,
            now: Arc::default(),
            key: Arc::new(rand::rng().random()),
        };
        tokens.reload()?;
        Ok(tokens)
    }

    /// Reads them again; when that fails those from before count on.
    ///
    /// # Errors
    /// As for [`Tokens::with`].
    pub fn reload(&self) -> Result<(), TokenError> {
        let texts = (self.source)().map_err(TokenError::Unreadable)?;
        let digests = |text: &Option<SecretString>| -> Result<Vec<Digest>, TokenError> {
            let text = text.as_ref().map_or("", |text| text.expose_secret());
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines
                .map(|token| {
                    if token.chars().count() < TOKEN_CHARACTERS_MIN {
                        return Err(TokenError::Short);
                    }
                    Ok(self.digest(token))
                })
                .collect()
        };
        let digests = Digests {
            write: digests(&texts.write)?,
            read: digests(&texts.read)?,
        };
        self.now.store(Arc::new(digests));
        Ok(())
    }

    /// Says whether some token lets write.
    pub(super) fn let_write(&self) -> bool {
        !self.now.load().write.is_empty()
    }

    /// Returns what a token lets do.
    pub(super) fn right_of(&self, token: &str) -> Option<Right> {
        let now = self.now.load();
        let is_one_of = |digests: &[Digest]| {
            // All are compared, so that the time does not tell which one it was.
            digests.iter().fold(false, |found, digest| {
                found | self.mac(token).verify_slice(digest).is_ok()
            })
        };
        let (writes, reads) = (is_one_of(&now.write), is_one_of(&now.read));
        if writes {
            Some(Right::Write)
        } else if reads {
            Some(Right::Read)
        } else {
            None
        }
    }

    fn mac(&self, token: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&*self.key);
        mac.expect("a key of any length will do")
            .chain_update(token.as_bytes())
    }

    fn digest(&self, token: &str) -> Digest {
        self.mac(token).finalize().into_bytes().into()
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.now.load();
        write!(
            f,
            "Tokens({} to write, {} to read)",
            now.write.len(),
            now.read.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const OLD: &str = "old-token-0123456789";
    const NEW: &str = "new-token-0123456789";

    #[test]
    fn tokens_are_replaced_while_they_count_and_a_wrong_file_changes_nothing() {
        let text = Arc::new(Mutex::new(OLD.to_owned()));
        let shared = Arc::clone(&text);
        let source = move || {
            Ok(Texts {
                write: Some(shared.lock().map_err(|_| "poisoned".to_owned())?.clone().into()),
                read: Some("read-token-0123456789".into()),
            })
        };
        let tokens = Tokens::with(Arc::new(source)).unwrap();
        let write = |new: &str| *text.lock().unwrap() = new.to_owned();
        assert_eq!(tokens.right_of(OLD), Some(Right::Write));
        assert_eq!(tokens.right_of("read-token-0123456789"), Some(Right::Read));
        assert_eq!(tokens.right_of(""), None);
        assert_eq!(tokens.right_of(&OLD[..OLD.len() - 1]), None);
        write(&format!("{NEW}\n\n  {OLD}  \n"));
        tokens.reload().unwrap();
        assert_eq!(
            [OLD, NEW].map(|token| tokens.right_of(token)),
            [Some(Right::Write); 2]
        );
        write(NEW);
        tokens.reload().unwrap();
        assert_eq!(tokens.right_of(OLD), None);
        write("short");
        assert_eq!(tokens.reload(), Err(TokenError::Short));
        assert_eq!(
            tokens.right_of(NEW),
            Some(Right::Write),
            "those from before count on"
        );
        let shown = format!("{tokens:?}");
        assert!(!shown.contains("token-0"), "{shown}");
        assert!(!Tokens::none().let_write() && Tokens::none().right_of(NEW).is_none());
    }
}
