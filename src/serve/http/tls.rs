//! Certificates of the door: read from files, and read again while it is open.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::settings::TlsFiles;

/// Says why certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read as what it should hold.
    #[error("`{}` cannot be read: {why}; it should hold {wanted} in PEM form", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
        /// What it should hold.
        wanted: &'static str,
    },
    /// They do not fit each other.
    #[error("the certificates cannot be used: {0}; key and certificate must belong together")]
    Unfit(String),
}

/// The certificates that count now; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Certificates {
    files: TlsFiles,
    now: Arc<ArcSwap<ServerConfig>>,
}

impl Certificates {
    /// Reads the files.
    pub(super) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let now = Arc::new(ArcSwap::from_pointee(read(&files)?));
        Ok(Self { files, now })
    }

    /// Reads the files again; when that fails those from before count on.
    pub(super) fn reload(&self) -> Result<(), TlsError> {
        self.now.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    /// Returns the settings for the next connection.
    pub(super) fn settings(&self) -> Arc<ServerConfig> {
        self.now.load_full()
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, TlsError> {
    let chain = certificates(&files.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| TlsError::File {
        path: files.key.clone(),
        why: error.to_string(),
        wanted: "a private key",
    })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unfit = |error: rustls::Error| TlsError::Unfit(error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(unfit)?;
    let builder = match &files.client_authority {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(unfit)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            // Whoever shows none may still read, or bring a token.
            let verifier = verifier.allow_unauthenticated().build();
            builder.with_client_cert_verifier(verifier.map_err(|error| TlsError::Unfit(error.to_string()))?)
        }
    };
    let mut settings = builder.with_single_cert(chain, key).map_err(unfit)?;
    settings.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(settings)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let fault = |why: String| TlsError::File {
        path: path.to_owned(),
        why,
        wanted: "certificates",
    };
    let read = CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))?;
    let read: Vec<_> = read
        .collect::<Result<_, _>>()
        .map_err(|error| fault(error.to_string()))?;
    if read.is_empty() {
        return Err(fault("there is none in it".to_owned()));
    }
    Ok(read)
}
