//! What a request is allowed by: the key of the account, or a token of an identity.

use std::fmt;
use std::sync::Arc;

use super::shared_key::Key;
use super::token_fault::TokenFault;
use super::tokens::Tokens;
use super::{Endpoint, Fault};

/// What allows our requests; shows no secret.
#[derive(Clone)]
pub enum Credential {
    /// The key of the account, which signs every request.
    SharedKey(Key),
    /// Tokens of an identity (Entra ID).
    Tokens(Arc<Tokens>),
}

impl Credential {
    /// Says whether it may be used there: a token on an open line is everybody's.
    pub(super) fn fits(&self, endpoint: &Endpoint) -> Result<(), Fault> {
        match self {
            Self::Tokens(_) if !endpoint.is_encrypted() && !endpoint.is_loopback() => {
                Err(Fault::Token(TokenFault::Insecure {
                    server: endpoint.base().to_owned(),
                }))
            }
            _ => Ok(()),
        }
    }

    /// Throws a token away that was refused; says whether there can be another.
    pub(super) async fn renew(&self) -> bool {
        match self {
            Self::SharedKey(_) => false,
            Self::Tokens(tokens) => {
                tokens.forget().await;
                true
            }
        }
    }

    /// Takes out of a foreign text what must not be repeated.
    pub(super) fn redact(&self, text: String) -> String {
        match self {
            Self::SharedKey(_) => text,
            Self::Tokens(tokens) => tokens.redact(text),
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SharedKey(key) => key.fmt(f),
            Self::Tokens(tokens) => tokens.fmt(f),
        }
    }
}
