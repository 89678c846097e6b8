//! What a request brings, read into types; what cannot be read is a problem with the parser's own words.

use std::str::FromStr;

use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Kind, Problem};
use crate::account::{PoolId, PoolIdError, PoolPattern};

/// The parameters behind the question mark.
pub(super) struct Params<T>(pub(super) T);

/// The body, JSON; an empty one is one without any key.
pub(super) struct Body<T>(pub(super) T);

/// The pool in the path.
pub(super) struct PoolInPath(pub(super) PoolId);

/// The pool in the path, or a pattern of pools.
pub(super) struct PoolsInPath(pub(super) PoolPattern);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(params)) => Ok(Self(params)),
            Err(refused) => Err(Problem::new(
                Kind::BadRequest,
                format!("the parameters cannot be read: {}", refused.body_text()),
                "GET /api/v1/openapi.json tells the parameters of every path",
            )),
        }
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;
    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|refused| {
                if refused.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
                    super::limits::body_too_large()
                } else {
                    Problem::new(Kind::BadRequest, refused.body_text(), "send the body whole")
                }
            })?;
        let text: &[u8] = if bytes.trim_ascii().is_empty() {
            b"{}"
        } else {
            &bytes
        };
        serde_json::from_slice(text).map(Self).map_err(|error| {
            Problem::new(
                Kind::BadRequest,
                format!("the body cannot be read: {error}"),
                "send JSON as GET /api/v1/openapi.json describes it",
            )
        })
    }
}

async fn in_path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let path = Path::<String>::from_request_parts(parts, state).await;
    path.map(|Path(text)| text)
        .map_err(|refused| Problem::new(Kind::BadRequest, refused.body_text(), "name a pool in the path"))
}

/// Reads what the path names; `way_out` says what can be named.
async fn named<T: FromStr<Err = PoolIdError>, S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
    way_out: &str,
) -> Result<T, Problem> {
    let text = in_path(parts, state).await?;
    text.parse()
        .map_err(|error: PoolIdError| Problem::new(Kind::BadRequest, error.to_string(), way_out))
}

impl<S: Send + Sync> FromRequestParts<S> for PoolInPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        named(parts, state, "GET /api/v1/pools tells all pools")
            .await
            .map(Self)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for PoolsInPath {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        named(
            parts,
            state,
            "name a pool, or a pattern such as genomics-* (a star is %2A in a path)",
        )
        .await
        .map(Self)
    }
}
