//! Why no token could be had.

/// Why a source of tokens gave none; a secret is in none of these.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// The source does not answer: we are not where it is, or it is busy.
    #[error("no token from {source_name}: {why}")]
    NoAnswer {
        /// Which source.
        source_name: &'static str,
        /// What happened.
        why: String,
    },
    /// The source says no.
    #[error("{source_name} refused a token: {status} {why}")]
    Refused {
        /// Which source.
        source_name: &'static str,
        /// The HTTP status.
        status: u16,
        /// Its own code and sentence.
        why: String,
    },
    /// What the source said is no token.
    #[error("the answer of {source_name} is no token: {why}")]
    Unreadable {
        /// Which source.
        source_name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The file with the federated token cannot be read.
    #[error("the federated token file `{path}` cannot be read: {why}")]
    File {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// The developer's command line gave none.
    #[error("`az account get-access-token` gave no token: {why}")]
    Command {
        /// What it said.
        why: String,
    },
    /// The endpoint is not encrypted, and a token sent there could be read by anyone.
    #[error("a token is not sent to {server}: it is not https")]
    Insecure {
        /// The endpoint.
        server: String,
    },
}

impl TokenFault {
    /// Says whether asking again later may help without anyone doing anything.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::NoAnswer { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 410 | 429 | 500..),
            Self::Unreadable { .. } | Self::File { .. } | Self::Command { .. } | Self::Insecure { .. } => {
                false
            }
        }
    }

    /// Returns a way out.
    pub const fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoAnswer { .. } => {
                "managed identity needs an Azure machine or service with an identity; elsewhere use --auth az, clientSecret or sharedKey"
            }
            Self::Refused { .. } => {
                "check client id, tenant and secret, or that the federated credential names this issuer and subject"
            }
            Self::Command { .. } => "run `az login`, then try again",
            Self::File { .. } => "check AZURE_FEDERATED_TOKEN_FILE and that the file may be read",
            Self::Insecure { .. } => "use the https endpoint, or --auth sharedKey against a local account",
            Self::Unreadable { .. } => return None,
        })
    }
}
