//! The HTTP client under the client: trust, proxies, one exchange, and what its errors mean.

use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Method, StatusCode, redirect};

use super::Fault;

/// Bytes of one answer at the most: a page of a thousand pools with long formulas has 10 MiB.
const BODY_BYTES_MAX: usize = 64 << 20;
/// A connection that does not come about in this time does not come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer that came whole.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; empty where a write was answered and the rest was lost.
    pub body: Vec<u8>,
}

/// Carries requests in place of a network, within one process.
pub trait Carrier: Send + Sync {
    /// Carries a request to whoever answers it, and brings the answer, or what became of it by the deadline.
    fn carry(&self, request: reqwest::Request, deadline: Duration) -> Carried<'_>;
}

/// An answer that is under way.
pub type Carried<'a> = Pin<Box<dyn Future<Output = Result<Reply, Fault>> + Send + 'a>>;

/// The way to the service; what makes requests is the same on both.
pub(super) enum Road {
    Network(reqwest::Client),
    Carried(reqwest::Client, Arc<dyn Carrier>),
}

impl Road {
    pub(super) const fn http(&self) -> &reqwest::Client {
        match self {
            Self::Network(http) | Self::Carried(http, _) => http,
        }
    }

    /// Sends a request and reads the answer whole within a deadline.
    pub(super) async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
        deadline: Duration,
    ) -> Result<Reply, Fault> {
        let Self::Carried(_, carrier) = self else {
            return exchange(request, deadline).await;
        };
        carrier
            .carry(request.build().map_err(|error| unmade(&error))?, deadline)
            .await
    }
}

/// Makes the HTTP client.
///
/// Certificates of the system and those named are trusted. `reqwest` makes no client on a system without any, even for
/// http; then those that are named count alone.
pub(crate) fn http_client(authorities: Option<&[u8]>, proxied: bool) -> Result<reqwest::Client, Fault> {
    // Installed twice it is refused, which changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let certificates = match authorities {
        None => Vec::new(),
        Some(pem) => read_certificates(pem)?,
    };
    let builder = || {
        let builder = reqwest::Client::builder()
            .user_agent(concat!("lowtide/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .http1_only()
            // A signature is for one URL, and a token for one host.
            .redirect(redirect::Policy::none());
        if proxied { builder } else { builder.no_proxy() }
    };
    builder()
        .tls_certs_merge(certificates.iter().cloned())
        .build()
        .or_else(|_| builder().tls_certs_only(certificates).build())
        .map_err(|error| Fault::Senseless(format!("no HTTP client can be made: {}", innermost(&error))))
}

/// Makes what makes requests and connects to nothing: reading the system's certificates takes longer than a life of a world.
pub(super) fn request_maker() -> Result<reqwest::Client, Fault> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .map_err(|error| Fault::Senseless(format!("no HTTP client can be made: {}", innermost(&error))))
}

/// Makes an HTTP client for what is none of the account's, such as a collector of traces.
///
/// # Errors
/// When the system lets none be made.
pub fn plain_http() -> Result<reqwest::Client, String> {
    http_client(None, true).map_err(|fault| fault.to_string())
}

fn read_certificates(pem: &[u8]) -> Result<Vec<Certificate>, Fault> {
    let certificates = Certificate::from_pem_bundle(pem).unwrap_or_default();
    if certificates.is_empty() {
        let message =
            "the file of authorities holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        return Err(Fault::Senseless(message.to_owned()));
    }
    Ok(certificates)
}

/// Sends a request and reads the answer whole within a deadline.
pub(crate) async fn exchange(request: reqwest::RequestBuilder, deadline: Duration) -> Result<Reply, Fault> {
    let (http, request) = request.build_split();
    let request = request.map_err(|error| unmade(&error))?;
    let server = server_of(&request);
    let is_head = request.method() == Method::HEAD;
    let whole = async {
        let response = http
            .execute(request)
            .await
            .map_err(|error| fault(&server, &error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = match read_body(response, &server).await {
            Ok(body) => body,
            // What a write was answered is in its status.
            Err(_) if is_head || matches!(status.as_u16(), 201 | 202 | 204) => Vec::new(),
            Err(fault) => return Err(fault),
        };
        Ok(Reply {
            status,
            headers,
            body,
        })
    };
    match tokio::time::timeout(deadline, whole).await {
        Ok(reply) => reply,
        Err(_) => Err(Fault::TimedOut {
            server: server.clone(),
            after: deadline,
        }),
    }
}

fn unmade(error: &reqwest::Error) -> Fault {
    Fault::Senseless(format!("the request cannot be made: {}", innermost(error)))
}

async fn read_body(mut response: reqwest::Response, server: &str) -> Result<Vec<u8>, Fault> {
    let torn = |why: String| Fault::Torn {
        server: server.to_owned(),
        why,
    };
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(|error| torn(innermost(&error)))? {
        if body.len() + piece.len() > BODY_BYTES_MAX {
            return Err(Fault::Unreadable {
                request: response.url().path().to_owned(),
                why: format!("it has more than {BODY_BYTES_MAX} bytes"),
            });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn server_of(request: &reqwest::Request) -> String {
    let url = request.url();
    let port = url.port().map_or(String::new(), |port| format!(":{port}"));
    format!("{}{port}", url.host_str().unwrap_or("the server"))
}

/// Says what an error of the HTTP client means.
fn fault(server: &str, error: &reqwest::Error) -> Fault {
    let (server, why) = (server.to_owned(), innermost(error));
    if let Some(why) = certificate_error(error) {
        return Fault::Untrusted { server, why };
    }
    if error.is_connect() {
        Fault::Unreachable { server, why }
    } else {
        Fault::Torn { server, why }
    }
}

/// Returns what is wrong with a certificate, when that is what the error is about.
fn certificate_error(error: &reqwest::Error) -> Option<String> {
    causes(error).find_map(|cause| match tls(cause)? {
        rustls::Error::InvalidCertificate(why) => Some(why.to_string()),
        _ => None,
    })
}

/// Returns the error of TLS that a cause is or wraps: an I/O error tells the source of what it wraps, not what it wraps.
fn tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = cause.downcast_ref() {
        return Some(found);
    }
    let wrapped = cause.downcast_ref::<std::io::Error>()?.get_ref()?;
    tls(wrapped)
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| {
        let error: &'a (dyn Error + 'static) = *error;
        error.source()
    })
}

/// Returns the innermost sentence: the outer ones repeat the URL and say only that something failed.
pub(super) fn innermost(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map_or(String::new(), ToString::to_string)
}

/// Returns how long an answer asks to be left alone: seconds, or a date that is reckoned from `now`.
pub(crate) fn retry_after(headers: &HeaderMap, now: crate::base::Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = chrono::DateTime::parse_from_rfc2822(text).ok()?.to_utc();
    let wait = crate::base::Timestamp::from_utc(at).since(now);
    Some(super::clock::to_duration(wait))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn a_rest_is_asked_in_seconds_or_by_date() {
        let now: Timestamp = "2026-11-22T09:50:08Z".parse().unwrap();
        let of = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            retry_after(&headers, now).map(|rest| rest.as_secs())
        };
        assert_eq!(of("7"), Some(7));
        assert_eq!(of("Sun, 22 Nov 2026 09:50:38 GMT"), Some(30));
        assert_eq!(of("Sun, 22 Nov 2026 09:50:00 GMT"), Some(0));
        assert_eq!(of("soon"), None);
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_found_however_often_it_is_wrapped() {
        let untrusted = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = std::io::Error::other(std::io::Error::other(untrusted.clone()));
        assert_eq!(tls(&wrapped), Some(&untrusted));
        assert_eq!(tls(&std::io::Error::other("something else")), None);
    }

    #[test]
    fn a_file_without_certificates_is_named_as_such() {
        let fault = http_client(Some(b"no certificate"), true).unwrap_err();
        assert!(fault.to_string().contains("BEGIN CERTIFICATE"), "{fault}");
        assert!(http_client(None, false).is_ok());
    }
}
