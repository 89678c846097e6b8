//! The front of the account: every request is read, checked and answered here, whatever the handlers do.
//!
//! request ─ read ─ fault? ─ version? ─ let in? ─► handler ─► answer or refusal ─ written down ─ torn? ─► response

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::{DATE, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use super::answer::{Answer, Refused, finish};
use super::asked::{Asked, Condition, base};
use super::authentication::{self, Scheme};
use super::body::too_large;
use super::link::Cut;
use super::outside::Outside;
use super::{arm, identity, images};
use crate::base::Timestamp;

/// The longest body that is taken: a collection of tasks "is about 1 MB at most" (REST API, Task - Add Collection).
const BODY_BYTES_MAX: usize = 1 << 20;

#[derive(Clone)]
struct Front {
    outside: Arc<Outside>,
    scheme: Scheme,
}

/// Puts the front before the handlers of the data plane, for requests that come by this scheme.
pub fn front(handlers: Router, outside: &Arc<Outside>, scheme: Scheme) -> Router {
    let front = Front {
        outside: Arc::clone(outside),
        scheme,
    };
    handlers
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_verb)
        .layer(from_fn(refuse_as_the_service))
        .layer(CatchPanicLayer::custom(|_| broken().into_response()))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(front.clone(), let_in))
        .layer(from_fn_with_state(front, read_and_finish))
}

/// Returns all that answers on a door: the data plane behind its front, and the services that clients call first.
pub fn whole(handlers: Router, outside: &Arc<Outside>, scheme: Scheme) -> Router {
    let front = front(handlers.merge(images::routes()), outside, scheme);
    Router::new()
        .merge(identity::routes(outside, scheme))
        .merge(arm::routes(outside, scheme))
        .fallback_service(front)
}

async fn read_and_finish(State(front): State<Front>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let mut asked = read(&parts, front.scheme);
    let now = front.outside.now();
    let response = match Condition::read(&parts.headers) {
        Ok(condition) => {
            asked.condition = condition;
            parts.extensions.insert(Arc::new(asked.clone()));
            let request = Request::from_parts(parts, body);
            front.outside.wire.pass(request, &asked, next).await
        }
        Err(refused) => refused.into_response(),
    };
    let mut response = finish(response, &asked, now);
    response.headers_mut().insert(DATE, http_date(now));
    if let Some(cut) = response.extensions_mut().remove::<Cut>() {
        cut.tear(&response);
    }
    response
}

async fn let_in(State(front): State<Front>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let checked = check_version(&parts).and_then(|()| {
        check_timeout(&parts)?;
        authentication::check(&parts, &front.outside, front.scheme)
    });
    match checked {
        Ok(()) => next.run(Request::from_parts(parts, body)).await,
        Err(refused) => {
            let is_unknown = refused.status == 401;
            let mut response = refused.into_response();
            if is_unknown {
                let uri = format!(
                    "Bearer authorization_uri=\"https://login.windows.net/{}\"",
                    front.outside.mint.tenant
                );
                if let Ok(value) = HeaderValue::try_from(uri) {
                    response.headers_mut().insert("www-authenticate", value);
                }
            }
            response
        }
    }
}

/// Gives what axum refuses by itself the service's words.
async fn refuse_as_the_service(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let extensions = response.extensions();
    let is_ours = extensions.get::<Refused>().is_some() || extensions.get::<Answer>().is_some();
    if is_ours || status.as_u16() < 400 {
        return response;
    }
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => too_large().into_response(),
        StatusCode::NOT_FOUND => unknown_path().await.into_response(),
        StatusCode::METHOD_NOT_ALLOWED => wrong_verb().await.into_response(),
        status if status.is_server_error() => broken().into_response(),
        _ => Refused::new(400, "InvalidInput", "One of the request inputs is not valid").into_response(),
    }
}

async fn unknown_path() -> Refused {
    Refused::new(404, "ResourceNotFound", "The specified resource does not exist.")
}

async fn wrong_verb() -> Refused {
    Refused::new(
        405,
        "UnsupportedHttpVerb",
        "The resource does not support the specified HTTP verb.",
    )
}

fn broken() -> Refused {
    Refused::new(
        500,
        "InternalError",
        "The server encountered an internal error. Please retry the request.",
    )
}

fn read(parts: &Parts, scheme: Scheme) -> Asked {
    let query = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let query = query.map(|Query(pairs)| pairs).unwrap_or_default();
    let query: Vec<_> = query
        .into_iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value))
        .collect();
    let version = query.iter().find(|(name, _)| name == "api-version");
    let headers = &parts.headers;
    let asks_back = headers.get("return-client-request-id");
    let asks_back = asks_back.is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"true"));
    Asked {
        method: parts.method.clone(),
        base: base(parts, scheme.name()),
        path: parts.uri.path().to_owned(),
        api_version: version.map(|(_, version)| version.clone()).unwrap_or_default(),
        query,
        request_id: super::request_id::guid(),
        client_request_id: headers.get("client-request-id").filter(|_| asks_back).cloned(),
        condition: None,
    }
}

fn asked_of(parts: &Parts) -> &Asked {
    let asked = parts.extensions.get::<Arc<Asked>>();
    asked.expect("the outer layer reads every request")
}

fn check_version(parts: &Parts) -> Result<(), Refused> {
    let asked = asked_of(parts);
    if asked.parameter("api-version").is_none_or(str::is_empty) {
        return Err(Refused::new(
            400,
            "MissingRequiredQueryParameter",
            "A query parameter that's mandatory for this request is not specified.",
        )
        .with("QueryParameterName", "api-version"));
    }
    if !is_version(&asked.api_version) {
        return Err(Refused::new(
            400,
            "UnsupportedRequestVersion",
            "The specified api version string is invalid or not supported.",
        )
        .with("QueryParameterValue", &asked.api_version)
        .with("Reason", "versions are of the form 2025-06-01 or 2024-02-01.19.0"));
    }
    Ok(())
}

/// `YYYY-MM-DD`, or that with two more numbers.
fn is_version(text: &str) -> bool {
    let is_number =
        |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    let (date, numbers) = text
        .split_once('.')
        .map_or((text, None), |(date, rest)| (date, Some(rest)));
    let numbers_hold = numbers.is_none_or(|rest| {
        rest.split_once('.')
            .is_some_and(|(major, minor)| is_number(major) && is_number(minor))
    });
    let parts: Vec<_> = date.split('-').collect();
    let lengths: Vec<_> = parts.iter().map(|part| part.len()).collect();
    lengths == [4, 2, 2] && parts.iter().all(|part| is_number(part)) && numbers_hold
}

/// `timeout` is a number of seconds; more than 30 is taken as 30, and the account is never that slow.
fn check_timeout(parts: &Parts) -> Result<(), Refused> {
    let Some(text) = asked_of(parts).parameter("timeout") else {
        return Ok(());
    };
    if text.parse::<u32>().is_ok_and(|seconds| 1 <= seconds) {
        return Ok(());
    }
    Err(Refused::new(
        400,
        "InvalidQueryParameterValue",
        "Value for one of the query parameters specified in the request URI is invalid.",
    )
    .with("QueryParameterName", "timeout")
    .with("QueryParameterValue", text)
    .with("Reason", "it is a whole number of seconds, 1 or more"))
}

fn http_date(at: Timestamp) -> HeaderValue {
    let text = at.to_utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    HeaderValue::try_from(text).expect("a date is ASCII")
}
