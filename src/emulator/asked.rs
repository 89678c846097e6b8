//! A request as the front read it: who is asked for, by what names, under what conditions.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::{HOST, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use chrono::{DateTime, Utc};

use super::answer::Refused;
use crate::base::{Span, Timestamp};

/// What every handler may want to know of its request; a cheap extractor once the front has read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Asked {
    /// The verb.
    pub method: Method,
    /// Scheme, host and port by which the client reached us, without a slash at the end: links start with it.
    pub base: String,
    /// The path, percent-encoded as sent.
    pub path: String,
    /// The query: names in lower case, for the service does not tell them apart, and decoded values, in order.
    pub query: Vec<(String, String)>,
    /// The `api-version`, of the form `YYYY-MM-DD` or `YYYY-MM-DD.N.N`; empty where none is needed.
    pub api_version: String,
    /// Our id of the request.
    pub request_id: String,
    /// The client's id, where it asked to get it back.
    pub client_request_id: Option<HeaderValue>,
    /// The condition of a conditional request.
    pub condition: Option<Condition>,
}

/// The one condition that a request may carry.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// `If-Match`: the version must be this one, or `*`: any.
    Match(String),
    /// `If-None-Match`: the version must not be this one, or `*`: none.
    NoneMatch(String),
    /// `If-Modified-Since`: the entity must have changed since.
    ModifiedSince(Timestamp),
    /// `If-Unmodified-Since`: the entity must not have changed since.
    UnmodifiedSince(Timestamp),
}

impl Asked {
    /// Returns the value of a query parameter, named in lower case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Says whether the version is of the old form with two more numbers, whose limits differ in places.
    pub fn is_dotted_version(&self) -> bool {
        self.api_version.contains('.')
    }

    /// Checks the request's condition against the entity, before the handler reads or writes it.
    ///
    /// # Errors
    /// 304 for a read that need not be sent, 412 for all else, both `ConditionNotMet`.
    pub fn meets(&self, etag: &str, last_modified: Timestamp) -> Result<(), Refused> {
        let is_met = self
            .condition
            .as_ref()
            .is_none_or(|condition| condition.is_met(etag, last_modified));
        if is_met {
            return Ok(());
        }
        let is_read = matches!(self.method, Method::GET | Method::HEAD);
        let is_cache = matches!(
            self.condition,
            Some(Condition::NoneMatch(_) | Condition::ModifiedSince(_))
        );
        let status = if is_read && is_cache { 304 } else { 412 };
        Err(Refused::new(
            status,
            "ConditionNotMet",
            "The condition specified in the conditional header(s) was not met for the resource",
        ))
    }
}

impl Condition {
    /// Reads the conditional headers.
    ///
    /// # Errors
    /// More than one, or a time that is none.
    pub fn read(headers: &HeaderMap) -> Result<Option<Self>, Refused> {
        let names = [IF_MATCH, IF_NONE_MATCH, IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE];
        let mut sent = names
            .iter()
            .filter_map(|name| headers.get(name).map(|value| (name, value)));
        let Some((name, value)) = sent.next() else {
            return Ok(None);
        };
        if sent.next().is_some() {
            return Err(Refused::new(
                400,
                "MultipleConditionHeadersNotSupported",
                "Multiple condition headers are not supported",
            ));
        }
        let text = value.to_str().map_err(|_| bad_header(name.as_str(), "?"))?.trim();
        let time = || http_date(text).ok_or_else(|| bad_header(name.as_str(), text));
        Ok(Some(match name {
            name if name == IF_MATCH => Self::Match(bare(text)),
            name if name == IF_NONE_MATCH => Self::NoneMatch(bare(text)),
            name if name == IF_MODIFIED_SINCE => Self::ModifiedSince(time()?),
            _ => Self::UnmodifiedSince(time()?),
        }))
    }

    fn is_met(&self, etag: &str, last_modified: Timestamp) -> bool {
        // Times in headers have whole seconds only.
        let second = Span::seconds(1).ticks();
        let modified = Timestamp::from_ticks(last_modified.ticks().div_euclid(second) * second);
        match self {
            Self::Match(version) => version == "*" || version == etag,
            Self::NoneMatch(version) => version != "*" && version != etag,
            Self::ModifiedSince(at) => *at < modified,
            Self::UnmodifiedSince(at) => modified <= *at,
        }
    }
}

/// The version without quotes: the SDK of 2025 quotes what the service sends bare.
fn bare(version: &str) -> String {
    let version = version.strip_prefix("W/").unwrap_or(version);
    let inside = version.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inside.unwrap_or(version).to_owned()
}

fn bad_header(name: &str, value: &str) -> Refused {
    Refused::new(
        400,
        "InvalidHeaderValue",
        "The value for one of the HTTP headers is not in the correct format",
    )
    .with("HeaderName", name)
    .with("HeaderValue", value)
}

/// Reads a date as HTTP headers have it: `Sun, 22 Nov 2026 09:50:08 GMT`.
pub fn http_date(text: &str) -> Option<Timestamp> {
    let at = DateTime::parse_from_rfc2822(text.trim()).ok()?;
    Some(Timestamp::from_utc(at.with_timezone(&Utc)))
}

/// Returns scheme and host by which the client reached us: links work through port mappings and proxies then.
pub fn base(parts: &Parts, scheme: &str) -> String {
    let named = parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .or_else(|| parts.uri.authority().map(axum::http::uri::Authority::as_str));
    format!("{scheme}://{}", named.unwrap_or("localhost"))
}

impl<S: Sync> FromRequestParts<S> for Asked {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let asked = parts.extensions.get::<Arc<Self>>();
        let asked = asked.expect("the front reads every request before a handler sees it");
        Ok(Self::clone(asked))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    fn check(method: Method, pairs: &[(&'static str, &'static str)], expected: Option<u16>) {
        let condition = Condition::read(&headers(pairs)).unwrap();
        let asked = Asked {
            method,
            condition,
            ..Asked::default()
        };
        // Half a second past noon reads as noon in a header.
        let modified = http_date(NOON).unwrap() + Span::from_seconds(0.5);
        let status = asked.meets("0x8D1", modified).err().map(|refused| refused.status);
        assert_eq!(status, expected, "{pairs:?}");
    }

    #[test]
    fn a_version_is_taken_quoted_and_bare() {
        for version in ["0x8D1", "\"0x8D1\"", "W/\"0x8D1\"", "*"] {
            check(Method::POST, &[("if-match", version)], None);
            check(Method::GET, &[("if-none-match", version)], Some(304));
            check(Method::DELETE, &[("if-none-match", version)], Some(412));
        }
        check(Method::POST, &[("if-match", "0x8D2")], Some(412));
        check(Method::GET, &[("if-match", "0x8D2")], Some(412));
        check(Method::GET, &[("if-none-match", "0x8D2")], None);
    }

    #[test]
    fn times_are_compared_by_whole_seconds() {
        check(Method::GET, &[("if-modified-since", NOON)], Some(304));
        check(Method::GET, &[("if-unmodified-since", NOON)], None);
        let before = "Sun, 22 Nov 2026 11:59:59 GMT";
        check(Method::GET, &[("if-modified-since", before)], None);
        check(Method::POST, &[("if-unmodified-since", before)], Some(412));
    }

    #[test]
    fn one_condition_at_a_time_and_times_that_are_times() {
        let two = Condition::read(&headers(&[("if-match", "*"), ("if-none-match", "*")])).unwrap_err();
        assert_eq!(
            (two.status, two.code),
            (400, "MultipleConditionHeadersNotSupported")
        );
        let no_time = Condition::read(&headers(&[("if-modified-since", "yesterday")])).unwrap_err();
        assert_eq!((no_time.status, no_time.code), (400, "InvalidHeaderValue"));
    }
}
