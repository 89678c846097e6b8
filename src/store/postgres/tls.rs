//! TLS as the address asks for it, by the words of libpq (PostgreSQL 17 documentation, "34.19.1 Client Verification of Server
//! Certificates", read 2026-11): `require` encrypts, `verify-ca` also wants a certificate that a known authority signed, and
//! `verify-full` that it is the host's.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::store::{StoreError, StoreFault};

/// What is checked of the server's certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verify {
    /// Nothing: the traffic is encrypted, as `prefer` and `require` promise.
    Nothing,
    /// That an authority of this file signed it.
    Authority(PathBuf),
    /// And that it is the host's.
    Host(PathBuf),
}

/// Where systems keep the authorities that they trust.
const SYSTEM_ROOTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

fn unusable(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreFault::Settings, message)
}

impl Verify {
    /// Takes the words out of an address that our driver does not know, and returns what they ask for.
    pub(super) fn take_from(url: &str) -> Result<(Cow<'_, str>, Self), StoreError> {
        let Some((address, query)) = url.split_once('?') else {
            return Ok((Cow::Borrowed(url), Self::Nothing));
        };
        let (mut mode, mut root) = (None, None);
        let mut kept = Vec::new();
        for pair in query.split('&') {
            match pair.split_once('=') {
                Some(("sslmode", word @ ("verify-ca" | "verify-full"))) => {
                    mode = Some(word);
                    kept.push("sslmode=require");
                }
                Some(("sslmode", "allow")) => kept.push("sslmode=prefer"),
                Some(("sslrootcert", file)) => root = Some(file.replace("%2F", "/").replace("%2f", "/")),
                _ => kept.push(pair),
            }
        }
        let address = format!("{address}?{}", kept.join("&"));
        let verify = match (mode, root) {
            // With a file of authorities `require` checks them too, as libpq does.
            (None, Some(file)) if query.contains("sslmode=require") => Self::Authority(root_file(&file)?),
            (None, _) => Self::Nothing,
            (Some(mode), root) => {
                let file = root_file(root.as_deref().unwrap_or("system"))?;
                if mode == "verify-ca" {
                    Self::Authority(file)
                } else {
                    Self::Host(file)
                }
            }
        };
        Ok((Cow::Owned(address), verify))
    }
}

/// Returns the file of authorities that an address names; `system` is the one that the system trusts.
fn root_file(named: &str) -> Result<PathBuf, StoreError> {
    if named != "system" {
        return Ok(PathBuf::from(named));
    }
    let found = SYSTEM_ROOTS.iter().map(Path::new).find(|path| path.exists());
    found.map(Path::to_owned).ok_or_else(|| {
        unusable("the system has no file of trusted authorities where it is looked for; add sslrootcert=FILE to the address of the ledger")
    })
}

/// Returns what makes TLS connections.
pub(super) fn connector(verify: &Verify) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .expect("the provider speaks the usual versions");
    let config = match verify {
        Verify::Host(file) => builder.with_root_certificates(roots(file)?).with_no_client_auth(),
        Verify::Nothing => lax(builder, None, provider),
        Verify::Authority(file) => {
            let verifier =
                WebPkiServerVerifier::builder_with_provider(Arc::new(roots(file)?), provider.clone())
                    .build()
                    .map_err(|error| unusable(format!("`{}`: {error}", file.display())))?;
            lax(builder, Some(verifier), provider)
        }
    };
    Ok(MakeRustlsConnect::new(config))
}

type Builder = rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>;

fn lax(
    builder: Builder,
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
) -> ClientConfig {
    builder
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Lax { authority, provider }))
        .with_no_client_auth()
}

fn roots(file: &Path) -> Result<RootCertStore, StoreError> {
    let unreadable = |why: String| {
        unusable(format!(
            "the authorities of `{}` cannot be read: {why}",
            file.display()
        ))
    };
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| unreadable(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
        // A file of the system may hold one that is not understood; the others hold.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(unreadable("it has none".to_owned()));
    }
    Ok(roots)
}

/// Checks less than the name of the host: the authority, or nothing.
#[derive(Debug)]
struct Lax {
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lax {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            // The chain is checked before the name.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_libpq_are_understood() {
        let taken = |url: &str| {
            let (url, verify) = Verify::take_from(url).unwrap();
            (url.into_owned(), verify)
        };
        let file = PathBuf::from("/ca.pem");
        for (given, left, verify) in [
            ("postgres://h/d", "postgres://h/d", Verify::Nothing),
            (
                "postgres://h/d?sslmode=require",
                "postgres://h/d?sslmode=require",
                Verify::Nothing,
            ),
            (
                "postgres://h/d?sslmode=allow&a=b",
                "postgres://h/d?sslmode=prefer&a=b",
                Verify::Nothing,
            ),
            (
                "postgres://h/d?sslmode=verify-ca&sslrootcert=/ca.pem",
                "postgres://h/d?sslmode=require",
                Verify::Authority(file.clone()),
            ),
            (
                "postgres://h/d?sslrootcert=%2Fca.pem&sslmode=verify-full",
                "postgres://h/d?sslmode=require",
                Verify::Host(file.clone()),
            ),
            (
                "postgres://h/d?sslrootcert=/ca.pem&sslmode=require",
                "postgres://h/d?sslmode=require",
                Verify::Authority(file),
            ),
        ] {
            assert_eq!(taken(given), (left.to_owned(), verify), "{given}");
        }
    }

    #[test]
    fn a_file_without_authorities_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.pem");
        std::fs::write(&file, "").unwrap();
        let error = roots(&file).unwrap_err();
        assert!(error.message.contains("empty.pem"), "{error}");
    }
}
