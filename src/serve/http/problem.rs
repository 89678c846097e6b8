//! What is answered when something cannot be done: problem details (RFC 9457) with a way out.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::{FaultyText, FileFault};
use crate::base::Severity;

/// Why something cannot be done (`application/problem+json`, RFC 9457).
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// Which problem it is, such as `urn:lowtide:problem:token-needed`; programs compare this.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in a few words.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// What to do about it.
    pub way_out: String,
    /// What is wrong with a text that was sent, place by place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<TextFault>,
    /// After how many seconds it is worth another try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

/// One fault of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TextFault {
    /// The name of the text.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The code, as `lowtide reference codes` lists it.
    pub code: String,
    /// Whether it keeps the text from being used: note, warning or error.
    pub severity: &'static str,
    /// What is wrong.
    pub message: String,
    /// A way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The problems that there are: the last part of their type, their status, and their title.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    BadRequest,
    TokenNeeded,
    TokenWrong,
    WritesClosed,
    ForeignHost,
    NotFound,
    WrongMethod,
    NotKept,
    NothingRecorded,
    TooLarge,
    PolicyFaults,
    HeadersTooLarge,
    TooManyWrites,
    TooManyAtOnce,
    TooSlow,
    AccountAway,
    LedgerAway,
    Broken,
}

impl Kind {
    const fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", 400, "the request cannot be understood"),
            Self::TokenNeeded => ("token-needed", 401, "this needs a token or a certificate"),
            Self::TokenWrong => ("token-wrong", 401, "the token is not one of those that count"),
            Self::WritesClosed => ("writes-closed", 403, "nobody may change anything here"),
            Self::ForeignHost => ("foreign-host", 403, "the request is meant for another host"),
            Self::NotFound => ("not-found", 404, "there is nothing there"),
            Self::WrongMethod => ("wrong-method", 405, "this cannot be done there"),
            Self::NotKept => ("not-kept", 409, "the ledger of this sidecar cannot keep that"),
            Self::NothingRecorded => ("nothing-recorded", 409, "the ledger has nothing to go by"),
            Self::TooLarge => ("too-large", 413, "the body is too large"),
            Self::PolicyFaults => ("policy-faults", 422, "a policy cannot be used"),
            Self::TooManyWrites => ("too-many-writes", 429, "too many writes"),
            Self::HeadersTooLarge => ("headers-too-large", 431, "the headers are too large"),
            Self::Broken => ("broken", 500, "a mistake in lowtide"),
            Self::AccountAway => ("account-away", 502, "the account cannot be seen"),
            Self::LedgerAway => ("ledger-away", 503, "the ledger cannot be read"),
            Self::TooManyAtOnce => ("too-many-at-once", 503, "too many requests at the same time"),
            Self::TooSlow => ("too-slow", 504, "the answer took too long"),
        }
    }
}

impl Problem {
    /// Returns a problem of a kind.
    pub(super) fn new(kind: Kind, detail: impl Into<String>, way_out: impl Into<String>) -> Self {
        let (name, status, title) = kind.row();
        Self {
            kind: format!("urn:lowtide:problem:{name}"),
            title,
            status,
            detail: detail.into(),
            way_out: way_out.into(),
            faults: Vec::new(),
            retry_after: None,
        }
    }

    /// Adds after how many seconds it is worth another try.
    pub(super) fn again_in(self, seconds: u32) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Adds what is wrong with a text.
    pub(super) fn with_faults(self, faults: Vec<TextFault>) -> Self {
        Self { faults, ..self }
    }

    /// Returns the problem of a path that leads nowhere.
    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            Kind::NotFound,
            detail,
            "GET /api/v1/openapi.json tells all paths, GET /api/v1/pools all pools",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (is_unknown, again) = (self.status == 401, self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if is_unknown {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"lowtide\""),
            );
        }
        if let Some(seconds) = again {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Returns faults of files as the interface tells them.
pub(super) fn faults(faults: &[FileFault]) -> Vec<TextFault> {
    let fault = |fault: &FileFault| TextFault {
        file: fault.file.clone(),
        line: fault.line,
        column: fault.column,
        code: fault.code.to_owned(),
        severity: match fault.severity {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        },
        message: fault.message.clone(),
        help: fault.help.clone(),
    };
    faults.iter().map(fault).collect()
}

/// Returns everything that is wrong with texts as the interface tells it.
pub(super) fn faults_of(texts: &[FaultyText]) -> Vec<TextFault> {
    let of_files: Vec<FileFault> = texts.iter().flat_map(FileFault::of).collect();
    faults(&of_files)
}
