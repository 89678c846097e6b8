//! One request that is sent once, and everything that its answer tells: what an examination needs and a look does not.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::DATE;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Call, encode};
use super::lists::{Listed, Query};
use super::retry::Repeat;
use super::{Claims, Client, Credential, Fault};
use crate::base::{Span, Timestamp};

/// What came back from one request that was sent once.
#[derive(Clone, Debug)]
pub struct Knock {
    /// Why it was refused; `None` when it was answered.
    pub refusal: Option<Fault>,
    /// How far the server's clock is ahead of ours, to the second that it tells; `None` when it tells no time.
    pub ahead: Option<Span>,
    /// How long the answer took.
    pub took: Duration,
}

/// What every element of a list has.
#[derive(Deserialize)]
struct Named {
    id: String,
}

impl Client {
    /// Asks for something once, without trying again, and tells how it was answered.
    ///
    /// # Errors
    /// When no answer came at all.
    pub async fn knock(&self, path: &str, query: &Query<'_>) -> Result<Knock, Fault> {
        let call = Call {
            method: Method::GET,
            path: path.to_owned(),
            query: query.text(),
            body: None,
            if_match: None,
            repeat: Repeat::IfNotTaken,
        };
        let (before, passed) = (self.clock().now(), self.clock().passed());
        let reply = self.exchange_once(&call, self.settings().limits.one_try).await?;
        let took = self.clock().passed().saturating_sub(passed);
        let told = reply.headers.get(DATE).and_then(|date| date.to_str().ok());
        let told = told.and_then(|date| chrono::DateTime::parse_from_rfc2822(date).ok());
        let ahead = told.map(|date| {
            // The server read its clock on the way, half of it if nobody knows better, and tells the second that had begun.
            let half = super::clock::to_span(took / 2);
            Timestamp::from_utc(date.to_utc()).since(before + half) + Span::from_seconds(0.5)
        });
        Ok(Knock {
            refusal: (!reply.status.is_success()).then(|| self.refusal(&call, &reply)),
            ahead,
            took,
        })
    }

    /// Returns the id of some element of a list, as it stands in a path; `None` when the list is empty.
    ///
    /// # Errors
    /// As for every list.
    pub async fn first_id(&self, path: &str) -> Result<Option<String>, Fault> {
        let query = Query {
            select: "id",
            page: Some(1),
            ..Query::default()
        };
        let listed: Listed<Named> = self.list(path, &query, 1).await?;
        Ok(listed.found.first().map(|element| encode(&element.id)))
    }

    /// Returns how requests are allowed, in a word or two without a secret.
    pub fn way_in(&self) -> String {
        match &*self.credential() {
            Credential::SharedKey(_) => "the key of the account".to_owned(),
            Credential::Tokens(tokens) => format!("{tokens:?}")
                .trim_start_matches("Tokens(")
                .trim_end_matches(')')
                .to_owned(),
        }
    }

    /// Returns what the token says of whom it was given to; `None` where requests are signed with a key.
    ///
    /// # Errors
    /// When no token can be had.
    pub async fn claims(&self) -> Result<Option<Claims>, Fault> {
        match &*self.credential() {
            Credential::SharedKey(_) => Ok(None),
            Credential::Tokens(tokens) => Ok(Some(tokens.claims(self.clock()).await?)),
        }
    }

    /// Lists the nodes of a pool as the service writes them, with every field (Compute Node - List).
    ///
    /// # Errors
    /// As for every list.
    pub async fn nodes_as_written(&self, pool: &str, query: &Query<'_>) -> Result<Vec<Value>, Fault> {
        let listed = self
            .list(&super::pools::of(pool, "/nodes"), query, usize::MAX)
            .await?;
        Ok(listed.found)
    }
}
