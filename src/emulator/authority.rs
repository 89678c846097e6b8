//! The certificate authority of a local account: made once, kept in a folder, trusted by whoever is told to.
//!
//! The key in the folder is all that lasts: the authority's name is fixed, so a certificate signed with that key after a
//! restart is one of the same authority, and clients that trust `ca.pem` trust it too.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Datelike, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::base::{Span, Timestamp};

/// What clients have to trust.
pub const CERTIFICATE: &str = "ca.pem";
/// What only the account may read.
pub const KEY: &str = "ca-key.pem";

/// The names that the account is reached by.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Clients refuse server certificates that are valid for more than 398 days (CA/Browser Forum, ballot SC31).
const LEAF_LASTS: Span = Span::days(397);

/// An authority whose key is at hand.
pub struct Authority {
    key: KeyPair,
    certificate_path: PathBuf,
}

/// Says why an authority cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read or written.
    #[error("cannot {what} {path}: {error}")]
    File {
        /// `read` or `write`.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The key in the folder is none.
    #[error("{path} holds no private key of ours: {error}; remove it to have a new one made")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: rcgen::Error,
    },
    /// A certificate cannot be made.
    #[error("cannot make a certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// TLS refuses the certificate.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Authority {
    /// Reads the authority of a folder; makes it, and the folder, when they are not there.
    ///
    /// # Errors
    /// Files that cannot be read or written, a key that is none.
    pub fn open(folder: &Path) -> Result<Self, AuthorityError> {
        let (key_path, certificate_path) = (folder.join(KEY), folder.join(CERTIFICATE));
        let key = match std::fs::read_to_string(&key_path) {
            Ok(text) => KeyPair::from_pem(&text).map_err(|error| AuthorityError::Key {
                path: key_path,
                error,
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(folder, &key_path)?,
            Err(error) => return Err(file("read", &key_path, error)),
        };
        if !certificate_path.exists() {
            let certificate = params().self_signed(&key)?;
            write(&certificate_path, &certificate.pem())?;
        }
        Ok(Self {
            key,
            certificate_path,
        })
    }

    /// Returns the file that clients have to trust.
    pub fn certificate_path(&self) -> &Path {
        &self.certificate_path
    }

    /// Returns a TLS server with a new certificate for this machine's own names.
    ///
    /// # Errors
    /// When a certificate cannot be made or TLS refuses it.
    pub fn server(&self) -> Result<ServerConfig, AuthorityError> {
        let key = KeyPair::generate()?;
        let certificate = leaf(Utc::now())?.signed_by(&key, &Issuer::new(params(), &self.key))?;
        let chain = vec![CertificateDer::from(certificate)];
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        Ok(config)
    }
}

fn make(folder: &Path, key_path: &Path) -> Result<KeyPair, AuthorityError> {
    std::fs::create_dir_all(folder).map_err(|error| file("write", folder, error))?;
    let key = KeyPair::generate()?;
    write(key_path, &key.serialize_pem())?;
    // A certificate without this key is of no use any more.
    match std::fs::remove_file(folder.join(CERTIFICATE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(file("write", folder, error)),
        _ => Ok(key),
    }
}

fn file(what: &'static str, path: &Path, error: io::Error) -> AuthorityError {
    AuthorityError::File {
        what,
        path: path.to_owned(),
        error,
    }
}

/// Writes a file that only its owner may read.
fn write(path: &Path, text: &str) -> Result<(), AuthorityError> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(path).map_err(|error| file("write", path, error))?;
    io::Write::write_all(&mut opened, text.as_bytes()).map_err(|error| file("write", path, error))
}

fn params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params
        .distinguished_name
        .push(DnType::CommonName, "Lowtide local authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2050, 1, 1);
    params
}

fn leaf(now: DateTime<Utc>) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(NAMES.map(str::to_owned))?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let date = |at: Timestamp| {
        let day = at.to_utc();
        date_time_ymd(day.year(), day.month() as u8, day.day() as u8)
    };
    let now = Timestamp::from_utc(now);
    // Clocks in other time zones than they say are a day off at most.
    params.not_before = date(now - Span::days(1));
    params.not_after = date(now + LEAF_LASTS - Span::days(1));
    Ok(params)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(folder: &Path, name: &str) -> String {
        std::fs::read_to_string(folder.join(name)).unwrap()
    }

    #[test]
    fn an_authority_is_made_once_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("new");
        let first = Authority::open(&inside).unwrap();
        assert!(first.server().is_ok());
        let (certificate, key) = (read(&inside, CERTIFICATE), read(&inside, KEY));
        assert!(certificate.starts_with("-----BEGIN CERTIFICATE-----"));
        Authority::open(&inside).unwrap();
        assert_eq!(
            (read(&inside, CERTIFICATE), read(&inside, KEY)),
            (certificate.clone(), key)
        );
        // Without its key, the certificate is made anew.
        std::fs::remove_file(inside.join(KEY)).unwrap();
        Authority::open(&inside).unwrap();
        assert_ne!(read(&inside, CERTIFICATE), certificate);
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_path() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(KEY), "no key").unwrap();
        let error = Authority::open(folder.path()).err().unwrap().to_string();
        assert!(error.contains(KEY) && error.contains("remove it"), "{error}");
        let error = Authority::open(&folder.path().join(KEY).join("x"))
            .err()
            .unwrap()
            .to_string();
        assert!(error.starts_with("cannot read"), "{error}");
    }
}
