//! Who may do what: reads are open where nobody else can reach the door, writes never are.
//!
//! ```text
//! /livez, /readyz ─► open to whoever probes
//! /, /page/…      ─► open: the page itself tells nothing, and asks for a token where reads need one
//! read            ─► open on loopback or when configured so, else a token or a certificate
//! write           ─► a token that lets write, or a certificate of the client authority
//! ```

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::{HeaderMap, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::door::Peer;
use super::front::Front;
use super::page;
use super::problem::{Kind, Problem};
use super::tokens::Right;

/// Who asks, as far as the guard knows; kept with what they write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller(pub(super) &'static str);

/// Paths that a prober asks, which has no token.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

pub(super) async fn let_in(State(front): State<Front>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0);
    match judge(&front, peer, &request) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

fn judge(front: &Front, peer: Option<Peer>, request: &Request) -> Result<Caller, Problem> {
    let (headers, path) = (request.headers(), request.uri().path());
    if OPEN.contains(&path) || page::is_part(path) {
        return Ok(Caller("anybody"));
    }
    let is_read =
        matches!(*request.method(), Method::GET | Method::HEAD) || only_asks(request.method(), path);
    let certified = peer.is_some_and(|peer| peer.certified);
    if certified {
        same_origin(headers)?;
    } else if let Some(token) = bearer(headers)? {
        return match (front.tokens.right_of(token), is_read) {
            (Some(Right::Write), _) => taken(front, is_read, "a token"),
            (Some(Right::Read), true) => Ok(Caller("a token that reads")),
            (Some(Right::Read), false) => Err(Problem::new(
                Kind::WritesClosed,
                "this token lets read alone",
                "use one of those in http.tokenFile",
            )),
            (None, _) => Err(Problem::new(
                Kind::TokenWrong,
                "the token is unknown here",
                "use one of those in http.tokenFile; a token that was replaced counts until the next reload",
            )),
        };
    }
    match (certified, is_read) {
        (true, _) => taken(front, is_read, "a certificate"),
        (false, true) if front.settings.reads_are_open() => {
            same_origin(headers)?;
            own_host(front, headers)
        }
        (false, true) => Err(Problem::new(
            Kind::TokenNeeded,
            "reads need a token here, because the door is open to other machines",
            "send `Authorization: Bearer TOKEN`, or set http.openReads = true",
        )),
        (false, false) if !front.tokens.let_write() && !front.settings.takes_certificates() => {
            Err(Problem::new(
                Kind::WritesClosed,
                "no token and no client authority is configured, so that nobody may write",
                "set http.tokenFile (`openssl rand -hex 32 > token`), or http.tls.clientAuthorityFile",
            ))
        }
        (false, false) => Err(Problem::new(
            Kind::TokenNeeded,
            "this changes something",
            "send `Authorization: Bearer TOKEN` with one of the tokens in http.tokenFile, or a client certificate",
        )),
    }
}

/// Says whether a request brings a body and changes nothing all the same: a policy that is tried on the past.
fn only_asks(method: &Method, path: &str) -> bool {
    *method == Method::POST && path.starts_with("/api/v1/pools/") && path.ends_with("/what-if")
}

/// Counts a write; a read is not counted.
fn taken(front: &Front, is_read: bool, caller: &'static str) -> Result<Caller, Problem> {
    if !is_read {
        front.writes.take(std::time::Instant::now())?;
    }
    Ok(Caller(caller))
}

/// Returns the bearer token of a request.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return Ok(None);
    };
    let (scheme, token) = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .unwrap_or(("", ""));
    if scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty() {
        return Ok(Some(token.trim()));
    }
    Err(Problem::new(
        Kind::TokenWrong,
        "the Authorization header is of another form",
        "send `Authorization: Bearer TOKEN`",
    ))
}

/// A browser sends a certificate along with whatever a foreign page asks for; such a page is named as the origin.
fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &axum::http::HeaderValue| value.to_str().ok())
    };
    let (Some(origin), host) = (text(ORIGIN), text(HOST).unwrap_or("")) else {
        return Ok(());
    };
    if origin.split_once("://").is_some_and(|(_, from)| from == host) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::ForeignHost,
        "a page of another site asks for this",
        "open the dashboard of the sidecar itself",
    ))
}

/// Reads that are open are open to this machine and not to every page that a browser on it shows: a foreign name that is made to
/// lead here (DNS rebinding) is not one of ours.
fn own_host(front: &Front, headers: &HeaderMap) -> Result<Caller, Problem> {
    if !front.settings.looks_at_names() {
        return Ok(Caller("anybody"));
    }
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("");
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(""),
        None => host.split(':').next().unwrap_or(""),
    };
    let is_address = name.parse::<std::net::IpAddr>().is_ok();
    let is_ours = name.eq_ignore_ascii_case("localhost")
        || front
            .settings
            .names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name));
    if is_address || is_ours || name.is_empty() {
        return Ok(Caller("anybody"));
    }
    Err(Problem::new(
        Kind::ForeignHost,
        format!("`{name}` is no name of this sidecar"),
        "ask for localhost or an address, or add the name to http.names",
    ))
}
