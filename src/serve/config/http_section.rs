//! How the sidecar answers over HTTP, as it is written.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::AddressText;

/// Where it answers, and whom. Writes need a token or a client certificate; reads are open on loopback.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpSection {
    /// The address and port; port 0 is any that is free.
    pub listen: AddressText,
    /// The names that it is asked by besides localhost and addresses, such as that of a service of the cluster.
    pub names: Vec<String>,
    /// Whether reads need no token although other machines reach the address.
    pub open_reads: bool,
    /// A file with the tokens that let write, one a line, so that a new one can count before the old one ends; read again at a reload.
    pub token_file: Option<PathBuf>,
    /// The variable of the environment that holds a token that lets write.
    pub token_env: Option<String>,
    /// A file with the tokens that let read alone, one a line.
    pub read_token_file: Option<PathBuf>,
    /// The variable of the environment that holds a token that lets read alone.
    pub read_token_env: Option<String>,
    /// Its certificates; without them it answers plain HTTP.
    pub tls: Option<TlsSection>,
}

/// The certificates of the door (PEM); read again at a reload.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsSection {
    /// Its certificate, with those that lead to the authority.
    pub certificate_file: PathBuf,
    /// The key of the certificate.
    pub key_file: PathBuf,
    /// The authorities whose clients may write without a token.
    #[serde(default)]
    pub client_authority_file: Option<PathBuf>,
}
