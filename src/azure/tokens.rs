//! Tokens of one identity: kept until shortly before they expire, fetched by one request at a time.

use std::fmt;
use std::sync::{Mutex as PlainMutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::token_fault::TokenFault;
use super::token_source::{Fetch, TokenSource};
use super::{Claims, Clock};
use crate::base::{Span, Timestamp};

/// The tokens of one identity.
pub struct Tokens {
    source: TokenSource,
    fetch: Fetch,
    state: Mutex<State>,
    /// The latest token once more, to be taken out of texts without waiting.
    latest: PlainMutex<Option<SecretString>>,
}

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    /// A token, and until when nobody asks for another.
    Token(Token, Timestamp),
    /// What went wrong, and until when nobody asks again.
    Failed(TokenFault, Timestamp),
}

/// A token with its end.
#[derive(Clone)]
pub(super) struct Token {
    pub(super) text: SecretString,
    pub(super) expires: Timestamp,
}

/// Tokens are renewed this long before they expire, as the official clients do.
const AHEAD: Span = Span::minutes(5);
/// A token that is this near to its end is of no use any more.
const LAST_USE: Span = Span::seconds(30);
/// After a failure everybody who waits gets the same answer, instead of asking in turn.
const REST: Span = Span::seconds(10);

impl Tokens {
    /// Returns the tokens of a source for the account's service; nothing is fetched yet.
    pub fn new(source: TokenSource, fetch: Fetch) -> Self {
        Self {
            source,
            fetch,
            state: Mutex::default(),
            latest: PlainMutex::default(),
        }
    }

    /// Returns the value of the `Authorization` header.
    pub(crate) async fn bearer(&self, clock: &Clock) -> Result<String, TokenFault> {
        let token = self.token(clock).await?;
        Ok(format!("Bearer {}", token.text.expose_secret()))
    }

    async fn token(&self, clock: &Clock) -> Result<Token, TokenFault> {
        // Held while a token is fetched: everybody else waits for that one.
        let mut state = self.state.lock().await;
        let now = clock.now();
        let old = match &*state {
            State::Token(token, ask_again) if now < (*ask_again).min(token.expires - LAST_USE) => {
                return Ok(token.clone());
            }
            State::Failed(fault, until) if now < *until => return Err(fault.clone()),
            State::Token(token, _) if now < token.expires - LAST_USE => Some(token.clone()),
            _ => None,
        };
        match (self.fetch.token(&self.source, clock).await, old) {
            (Ok(token), _) => {
                *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(token.text.clone());
                *state = State::Token(token.clone(), token.expires - AHEAD);
                Ok(token)
            }
            // The old one still holds.
            (Err(_), Some(old)) => {
                *state = State::Token(old.clone(), clock.now() + REST);
                Ok(old)
            }
            (Err(fault), None) => {
                *state = State::Failed(fault.clone(), clock.now() + REST);
                Err(fault)
            }
        }
    }

    /// Returns what the token says of whom it was given to; nothing of it where it is of an unusual form.
    pub(super) async fn claims(&self, clock: &Clock) -> Result<Claims, TokenFault> {
        let token = self.token(clock).await?;
        let read = Claims::read(token.text.expose_secret()).unwrap_or_default();
        Ok(Claims {
            exp: read.exp.or(Some(token.expires.unix_seconds() as i64)),
            ..read
        })
    }

    /// Forgets the token that is kept.
    pub(super) async fn forget(&self) {
        *self.state.lock().await = State::Nothing;
    }

    /// Takes the latest token out of a text.
    pub(super) fn redact(&self, text: String) -> String {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*latest {
            Some(token) => text.replace(token.expose_secret(), "[REDACTED]"),
            None => text,
        }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tokens({:?})", self.source)
    }
}
