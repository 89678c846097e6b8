//! Asking over HTTP: one request with its deadline and its tries, and what its failure is called.

use std::time::Duration;

use reqwest::{RequestBuilder, Url};

use crate::azure::transport::{Reply, exchange, retry_after};
use crate::azure::{Clock, Fault, Tokens};
use crate::base::{Span, Timestamp};

/// A source that takes longer is not there; three of these fit into the time of one look.
const ONE_TRY: Duration = Duration::from_secs(6);
/// The tries of one request: the next look asks again anyway.
const TRIES_MAX: u32 = 3;
/// The first pause, which doubles; and the longest that a source may ask for before its signal is given up for this look.
const PAUSE: Duration = Duration::from_millis(300);
const PAUSE_MAX: Duration = Duration::from_secs(3);
/// The most of a foreign sentence that is repeated.
const SAID_CHARS_MAX: usize = 160;

/// Returns the header that lets the identity of this machine in.
pub(super) async fn bearer(tokens: &Tokens, clock: &Clock) -> Result<String, String> {
    tokens.bearer(clock).await.map_err(|fault| fault.to_string())
}

/// Reads a base URL: http or https, and nothing in it that is a secret or would be lost.
pub(super) fn base(text: &str) -> Result<Url, String> {
    let url = Url::parse(text.trim()).map_err(|why| why.to_string())?;
    if !["http", "https"].contains(&url.scheme()) {
        return Err("it begins with neither https:// nor http://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it has a user name in it".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("it has a query or a fragment".to_owned());
    }
    Ok(url)
}

/// Returns a URL below a base; the parts are encoded as pieces of a path.
pub(super) fn below(base: &Url, parts: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(parts);
    }
    url
}

/// Says whether a secret may go there: an open line is everybody's, this machine's own is not.
pub(super) fn may_carry_secrets(url: &Url) -> bool {
    let host = url.host_str().unwrap_or("");
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_loopback =
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback());
    url.scheme() == "https" || is_loopback
}

/// Sends a request that changes nothing, again where that may help, and returns the answer whatever its status.
///
/// `request` makes it anew for each try, for a signature has its time.
pub(super) async fn ask(
    clock: &Clock,
    request: &(dyn Fn() -> Result<RequestBuilder, String> + Sync),
) -> Result<Reply, String> {
    let mut pause = PAUSE;
    for tried in 1.. {
        let (failed, asked) = match exchange(request()?, ONE_TRY).await {
            Ok(reply) if !matches!(reply.status.as_u16(), 408 | 429 | 500..) => return Ok(reply),
            Ok(reply) => {
                let asked = retry_after(&reply.headers, clock.now());
                (Ok(reply), asked)
            }
            Err(fault @ (Fault::Unreachable { .. } | Fault::TimedOut { .. } | Fault::Torn { .. })) => {
                (Err(fault.to_string()), None)
            }
            Err(fault) => return Err(fault.to_string()),
        };
        let wait = asked.map_or(pause, |asked| asked.max(pause));
        if tried >= TRIES_MAX || wait > PAUSE_MAX {
            return failed;
        }
        clock.sleep(wait).await;
        pause *= 2;
    }
    unreachable!("the tries are counted and end")
}

/// Returns until when a service wants to be left alone: `Retry-After`, or `X-RateLimit-Remaining: 0` with `X-RateLimit-Reset` in
/// seconds of 1970, as GitHub and Azure DevOps write it; `most` is the longest that is kept to.
pub(super) fn rest_until(reply: &Reply, now: Timestamp, most: Span) -> Option<Timestamp> {
    let number = |name: &str| {
        let value = reply.headers.get(name)?.to_str().ok()?;
        value.trim().parse::<i64>().ok()
    };
    let asked = retry_after(&reply.headers, now).map(|rest| now + Span::from_seconds(rest.as_secs_f64()));
    let spent = || {
        let reset = number("x-ratelimit-reset")?;
        (number("x-ratelimit-remaining")? <= 0).then(|| Timestamp::from_unix_seconds(reset))
    };
    asked.or_else(spent).map(|until| until.min(now + most))
}

/// Says what an answer that is no success means: its status, and the first line of what stands in it when that is text.
pub(super) fn refused(reply: &Reply) -> String {
    let said = String::from_utf8_lossy(&reply.body);
    let sentence = sentence_of(&said);
    let status = reply.status;
    let mut text = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("unknown status")
    );
    if !sentence.is_empty() {
        text.push_str(": ");
        text.push_str(&sentence);
    }
    text
}

/// Returns the sentence of an error body: a `message` of JSON or XML, or the first line of a text.
fn sentence_of(body: &str) -> String {
    let json = serde_json::from_str::<serde_json::Value>(body).ok();
    let named = json.as_ref().and_then(|json| {
        let keys = ["message", "error"];
        keys.into_iter().find_map(|key| json[key].as_str())
    });
    let tagged = || {
        let (_, rest) = body.split_once("<Message>")?;
        rest.split(['\n', '<']).next()
    };
    let is_markup = body.trim_start().starts_with('<');
    let first = named.or_else(tagged).unwrap_or_else(|| {
        if is_markup || json.is_some() {
            ""
        } else {
            body.lines().next().unwrap_or("")
        }
    });
    let clean = first.chars().filter(|c| !c.is_control());
    clean.take(SAID_CHARS_MAX).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_refusal_says_is_found_in_each_kind_of_body() {
        for (body, sentence) in [
            (
                r#"{"message":"Bad credentials","documentation_url":"x"}"#,
                "Bad credentials",
            ),
            (
                r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#,
                "parse error",
            ),
            (
                "<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to authenticate the \
                 request.\nRequestId:1</Message></Error>",
                "Server failed to authenticate the request.",
            ),
            ("no such host\nmore", "no such host"),
            ("<html><body>Sign in</body></html>", ""),
            ("", ""),
        ] {
            assert_eq!(sentence_of(body), sentence, "{body}");
        }
    }

    #[test]
    fn secrets_go_over_closed_lines_and_stay_out_of_urls() {
        for (text, expected) in [
            ("https://acme.queue.core.windows.net", true),
            ("http://127.0.0.1:10001/devstoreaccount1", true),
            ("http://[::1]:9090", true),
            ("http://prometheus:9090", false),
        ] {
            assert_eq!(may_carry_secrets(&base(text).unwrap()), expected, "{text}");
        }
        for text in ["ftp://a", "https://u:p@a", "https://a?sig=x", "a b", ""] {
            assert!(base(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_of_a_path_are_encoded_and_a_slash_at_the_end_of_the_base_is_no_part() {
        for root in ["http://h/p", "http://h/p/"] {
            let url = below(&base(root).unwrap(), &["a b", "c?d"]);
            assert_eq!(url.as_str(), "http://h/p/a%20b/c%3Fd");
        }
    }
}
