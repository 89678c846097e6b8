//! How the interface is set up, made from the configuration and from nothing else.

use std::net::SocketAddr;
use std::path::PathBuf;

/// How the interface is set up.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Where it listens; port 0 is any that is free.
    pub listen: SocketAddr,
    /// The files of its certificates; without them it answers plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Whether reads need no token although other machines reach the door.
    pub open_reads: bool,
    /// The names that it is asked by besides `localhost` and addresses.
    pub names: Vec<String>,
}

/// The files of its certificates, PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Its certificate, with those that lead to the authority.
    pub certificate: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// The authorities whose clients may write.
    pub client_authority: Option<PathBuf>,
}

impl HttpSettings {
    /// Returns settings for this machine alone: plain, on a free port.
    pub fn loopback() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tls: None,
            open_reads: false,
            names: Vec::new(),
        }
    }

    /// Says whether reads need no token.
    pub(super) fn reads_are_open(&self) -> bool {
        self.open_reads || self.listen.ip().is_loopback()
    }

    /// Says whether open reads must name us: on loopback always, where others reach the door when its names are told.
    pub(super) fn looks_at_names(&self) -> bool {
        self.listen.ip().is_loopback() || !self.names.is_empty()
    }

    /// Says whether a client may show a certificate.
    pub(super) fn takes_certificates(&self) -> bool {
        self.tls
            .as_ref()
            .is_some_and(|tls| tls.client_authority.is_some())
    }
}
