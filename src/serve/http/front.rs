//! What stands before every page, outermost first: headers of security, caught panics, turns, the guard, time, the size of bodies.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;

use super::guard;
use super::limits::{ANSWER_MAX, AT_ONCE_MAX, BODY_BYTES_MAX, HEADER_BYTES_MAX, TURN_WAIT_MAX};
use super::limits::{WriteRate, body_too_large};
use super::problem::{Kind, Problem};
use super::settings::HttpSettings;
use super::tokens::Tokens;

/// What stands before the pages; cheap to clone.
#[derive(Clone)]
pub(super) struct Front {
    pub(super) settings: Arc<HttpSettings>,
    pub(super) tokens: Tokens,
    pub(super) writes: Arc<WriteRate>,
    turns: Arc<Semaphore>,
}

impl Front {
    pub(super) fn new(settings: HttpSettings, tokens: Tokens) -> Self {
        Self {
            settings: Arc::new(settings),
            tokens,
            writes: Arc::new(WriteRate::new(Instant::now())),
            turns: Arc::new(Semaphore::new(AT_ONCE_MAX)),
        }
    }

    /// Puts itself before pages.
    pub(super) fn before(&self, pages: Router) -> Router {
        pages
            .fallback(no_such_path)
            .method_not_allowed_fallback(wrong_method)
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(from_fn(in_time))
            .layer(from_fn(in_our_words))
            .layer(from_fn_with_state(self.clone(), guard::let_in))
            .layer(from_fn_with_state(self.clone(), in_turn))
            .layer(CatchPanicLayer::custom(|_| broken().into_response()))
            .layer(from_fn_with_state(self.clone(), with_headers))
    }
}

/// Adds what keeps browsers from doing more with an answer than is meant.
async fn with_headers(State(front): State<Front>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_secure = front.settings.tls.is_some();
    let headers = response.headers_mut();
    for (name, value) in [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        // A page that shows something has a policy of its own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if is_secure {
        headers.insert(
            STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    response
}

/// Lets so many requests be answered at a time; those that listen to events have a limit of their own.
async fn in_turn(State(front): State<Front>, request: Request, next: Next) -> Response {
    if let Err(problem) = check_headers(request.headers()) {
        return problem.into_response();
    }
    match tokio::time::timeout(TURN_WAIT_MAX, front.turns.acquire()).await {
        Ok(Ok(_turn)) => next.run(request).await,
        _ => Problem::new(
            Kind::TooManyAtOnce,
            format!("{AT_ONCE_MAX} requests are being answered"),
            "ask again; listen to /api/v1/events instead of asking often",
        )
        .again_in(1)
        .into_response(),
    }
}

fn check_headers(headers: &HeaderMap) -> Result<(), Problem> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum();
    if bytes <= HEADER_BYTES_MAX {
        return Ok(());
    }
    Err(Problem::new(
        Kind::HeadersTooLarge,
        format!("the headers have {bytes} bytes, and {HEADER_BYTES_MAX} are read"),
        "send fewer; cookies are of no use here",
    ))
}

async fn in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(ANSWER_MAX, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(
            Kind::TooSlow,
            format!("it took longer than {} s", ANSWER_MAX.as_secs()),
            "ask for less: fewer pools, a shorter time, a smaller limit",
        )
        .into_response(),
    }
}

/// Gives what the router refuses by itself the form of every other problem.
async fn in_our_words(request: Request, next: Next) -> Response {
    let wants_page = request
        .headers()
        .get(ACCEPT)
        .is_some_and(|accept| accept.as_bytes().starts_with(b"text/html"));
    let response = next.run(request).await;
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_told = kind.is_some_and(|kind| {
        kind.starts_with(b"application/") || (wants_page && kind.starts_with(b"text/html"))
    });
    if !status.is_client_error() || is_told {
        return response;
    }
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => body_too_large().into_response(),
        StatusCode::METHOD_NOT_ALLOWED => wrong_method().await.into_response(),
        StatusCode::NOT_FOUND => no_such_path().await.into_response(),
        _ => response,
    }
}

async fn no_such_path() -> Problem {
    Problem::not_found("no such path")
}

async fn wrong_method() -> Problem {
    Problem::new(
        Kind::WrongMethod,
        "the path takes another method",
        "GET /api/v1/openapi.json tells the methods of every path",
    )
}

fn broken() -> Problem {
    Problem::new(
        Kind::Broken,
        "a mistake in lowtide ended the answer; the account is steered on",
        "please report it together with the request; the log says where it happened",
    )
}
