//! The messages of a queue of an Azure storage account.
//!
//! Source: "Get Queue Metadata" and "Peek Messages" of the queue service's reference. The approximate count holds messages that are
//! out of sight, because somebody works on them, as well as those that anybody can take; a peek sees the latter alone, and no more
//! than 32.

use chrono::{DateTime, Utc};
use reqwest::{RequestBuilder, Url};
use secrecy::ExposeSecret as _;

use super::asking::Way;
use super::sources_file::{SecretFile, StorageFile};
use super::storage_key::SignedRead;
use super::web;
use crate::azure::Tokens;
use crate::azure::shared_key::Key;
use crate::azure::transport::Reply;
use crate::signal::{Found, Lack};

/// The version of the interface: the first that every emulator of these years knows.
const VERSION: &str = "2021-12-02";
/// What a token is for.
pub(super) const RESOURCE: &str = "https://storage.azure.com";
/// The most that a peek sees.
const PEEKED_MAX: usize = 32;

/// A storage account that is asked.
pub(super) struct StorageAccount {
    url: Url,
    account: Option<String>,
    pass: Pass,
}

/// What lets us in.
enum Pass {
    Key(SecretFile),
    Sas(SecretFile),
    Token(SecretFile),
    Identity(Box<Tokens>),
}

impl StorageAccount {
    /// Prepares an account; `identity` gives the tokens of this machine where nothing else lets us in.
    pub(super) fn new(
        file: &StorageFile,
        identity: impl FnOnce() -> Result<Tokens, String>,
    ) -> Result<Self, String> {
        let usual = |account: &String| format!("https://{account}.queue.core.windows.net");
        let text = file.url.clone().or_else(|| file.account.as_ref().map(usual));
        let url = web::base(&text.ok_or("it has neither account nor url")?)?;
        let pass = match (&file.key, &file.sas, &file.token) {
            (Some(key), ..) => Pass::Key(key.clone()),
            (_, Some(sas), _) => Pass::Sas(sas.clone()),
            (.., Some(token)) => Pass::Token(token.clone()),
            (None, None, None) => Pass::Identity(Box::new(identity()?)),
        };
        if !matches!(pass, Pass::Key(_)) && !web::may_carry_secrets(&url) {
            return Err(format!(
                "a signature or token would go over an open line to {url}; take https"
            ));
        }
        Ok(Self {
            url,
            account: file.account.clone(),
            pass,
        })
    }

    /// Returns the messages of a queue.
    pub(super) async fn count(&self, way: &Way, queue: &str, visible_only: bool) -> Result<Found, String> {
        if visible_only {
            let parameters = [("numofmessages", "32"), ("peekonly", "true")];
            let reply = self.get(way, &[queue, "messages"], &parameters).await?;
            match peeked(&reply)? {
                Found::Value(count) if count as usize >= PEEKED_MAX => {}
                found => return Ok(found),
            }
        }
        let reply = self.get(way, &[queue], &[("comp", "metadata")]).await?;
        approximate(&reply)
    }

    async fn get(&self, way: &Way, path: &[&str], parameters: &[(&str, &str)]) -> Result<Reply, String> {
        let mut url = web::below(&self.url, path);
        url.query_pairs_mut().extend_pairs(parameters);
        // A signature has the time in it and a token its end, so that each try has its own.
        let bearer = match &self.pass {
            Pass::Identity(tokens) => Some(web::bearer(tokens, &way.clock).await?),
            Pass::Token(token) => {
                let token = token.read(&way.environment)?;
                Some(format!("Bearer {}", token.expose_secret()))
            }
            Pass::Key(_) | Pass::Sas(_) => None,
        };
        let request = || self.request(way, url.clone(), parameters, bearer.as_deref());
        web::ask(&way.clock, &request).await
    }

    fn request(
        &self,
        way: &Way,
        mut url: Url,
        parameters: &[(&str, &str)],
        bearer: Option<&str>,
    ) -> Result<RequestBuilder, String> {
        let date = http_date(way.clock.now().to_utc());
        let headers = [("x-ms-date", date.as_str()), ("x-ms-version", VERSION)];
        let authorization = match &self.pass {
            Pass::Key(key) => {
                let key = key.read(&way.environment)?;
                let key = Key::parse(key.expose_secret()).map_err(|why| why.to_string())?;
                let account = self.account.as_deref().unwrap_or("");
                let read = SignedRead {
                    account,
                    path: url.path(),
                    parameters,
                    headers: &headers,
                };
                Some(format!("SharedKey {account}:{}", key.sign(&read.text())))
            }
            Pass::Sas(sas) => {
                let sas = sas.read(&way.environment)?;
                let own = url.query().unwrap_or("").to_owned();
                let sas = sas.expose_secret().trim_start_matches('?').to_owned();
                url.set_query(Some(&format!("{own}&{sas}")));
                None
            }
            Pass::Token(_) | Pass::Identity(_) => bearer.map(str::to_owned),
        };
        let mut request = way.http.get(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        Ok(match authorization {
            Some(authorization) => request.header("authorization", authorization),
            None => request,
        })
    }
}

/// Reads the count out of the header of the queue's metadata.
fn approximate(reply: &Reply) -> Result<Found, String> {
    if let Some(lack) = refusal(reply)? {
        return Ok(Found::Lacking(lack));
    }
    let header = reply.headers.get("x-ms-approximate-messages-count");
    let text = header.and_then(|value| value.to_str().ok()).unwrap_or("");
    match text.trim().parse::<u64>() {
        Ok(count) => Ok(Found::Value(count as f64)),
        Err(_) if text.trim().is_empty() => {
            Err("the answer says nothing of messages; is it a queue?".to_owned())
        }
        Err(_) => Ok(Found::Lacking(Lack::NotANumber)),
    }
}

/// Counts the messages that a peek saw; texts of messages are escaped, so that the tag stands once for each.
fn peeked(reply: &Reply) -> Result<Found, String> {
    if let Some(lack) = refusal(reply)? {
        return Ok(Found::Lacking(lack));
    }
    let text = String::from_utf8_lossy(&reply.body);
    if !text.contains("<QueueMessagesList") {
        return Err("the answer to a peek is no list of messages".to_owned());
    }
    Ok(Found::Value(text.matches("<QueueMessage>").count() as f64))
}

/// Tells a queue that is not there from other refusals.
fn refusal(reply: &Reply) -> Result<Option<Lack>, String> {
    match reply.status.as_u16() {
        200 => Ok(None),
        404 if String::from_utf8_lossy(&reply.body).contains("QueueNotFound") => Ok(Some(Lack::Absent)),
        _ => Err(web::refused(reply)),
    }
}

/// Returns a date as HTTP writes it (RFC 9110, section 5.6.7).
fn http_date(at: DateTime<Utc>) -> String {
    at.format("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;

    fn reply(status: u16, count: Option<&str>, body: &str) -> Reply {
        let mut headers = HeaderMap::new();
        if let Some(count) = count {
            headers.insert("x-ms-approximate-messages-count", count.parse().unwrap());
        }
        Reply {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn an_empty_queue_is_zero_and_a_queue_that_is_not_there_is_absent() {
        assert_eq!(approximate(&reply(200, Some("0"), "")), Ok(Found::Value(0.0)));
        assert_eq!(
            approximate(&reply(200, Some("70000"), "")),
            Ok(Found::Value(70_000.0))
        );
        assert_eq!(
            approximate(&reply(200, Some("-1"), "")),
            Ok(Found::Lacking(Lack::NotANumber))
        );
        let missing =
            "<Error><Code>QueueNotFound</Code><Message>The specified queue does not exist.</Message></Error>";
        assert_eq!(
            approximate(&reply(404, None, missing)),
            Ok(Found::Lacking(Lack::Absent))
        );
        assert!(approximate(&reply(200, None, "")).is_err());
        let denied =
            "<Error><Code>AuthenticationFailed</Code><Message>Signature did not match</Message></Error>";
        assert_eq!(
            approximate(&reply(403, None, denied)),
            Err("403 Forbidden: Signature did not match".to_owned())
        );
    }

    #[test]
    fn a_peek_counts_messages_and_not_what_they_say() {
        let message = "<QueueMessage><MessageText>&lt;QueueMessage&gt;</MessageText></QueueMessage>";
        let list =
            format!("<?xml version=\"1.0\"?><QueueMessagesList>{message}{message}</QueueMessagesList>");
        assert_eq!(peeked(&reply(200, None, &list)), Ok(Found::Value(2.0)));
        assert_eq!(
            peeked(&reply(200, None, "<QueueMessagesList />")),
            Ok(Found::Value(0.0))
        );
        assert!(peeked(&reply(200, None, "{}")).is_err());
    }

    #[test]
    fn dates_are_those_of_http() {
        let at = "2026-11-02T03:04:05Z".parse().unwrap();
        assert_eq!(http_date(at), "Mon, 02 Nov 2026 03:04:05 GMT");
    }
}
