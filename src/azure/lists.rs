//! Lists of the service: page after page, element by element.

use std::collections::HashSet;

use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::client::{Call, encode};
use super::retry::Repeat;
use super::{Client, Fault};

/// What a list held; an element that cannot be read spoils no other.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The elements that could be read, in the order of the service.
    pub found: Vec<T>,
    /// Those that could not.
    pub unread: Vec<Unread>,
}

/// An element of a list that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its id, where it has one.
    pub id: Option<String>,
    /// The pool that it names, where it is about one.
    pub pool: Option<String>,
    /// What is wrong with it.
    pub why: String,
}

/// What is asked of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query<'a> {
    /// The fields that are wanted, with commas between them; empty for all.
    pub select: &'a str,
    /// Which elements are wanted, in the service's own language; empty for all.
    pub filter: &'a str,
    /// The most elements of a page; the service's own page otherwise.
    pub page: Option<u32>,
}

/// Elements that one list may have: a job of more tasks than this is no longer counted consistently by the service either.
const ELEMENTS_MAX: usize = 200_000;

/// A page without `value` is none: an empty list is written as one.
#[derive(Deserialize)]
struct Page {
    value: Vec<Value>,
    #[serde(rename = "odata.nextLink", default)]
    next: Option<String>,
}

impl<T> Listed<T> {
    /// Returns what was found, where all of it could be read: what is missing would count as nothing.
    ///
    /// # Errors
    /// With the first element that could not.
    pub(super) fn whole(self, request: &str) -> Result<Vec<T>, Fault> {
        match self.unread.into_iter().next() {
            None => Ok(self.found),
            Some(Unread { id, why, .. }) => Err(Fault::Unreadable {
                request: request.to_owned(),
                why: format!("{}: {why}", id.as_deref().unwrap_or("an element without an id")),
            }),
        }
    }
}

impl Client {
    /// Lists a path to its end, or until `enough` elements are there.
    pub(super) async fn list<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &Query<'_>,
        enough: usize,
    ) -> Result<Listed<T>, Fault> {
        let mut listed = Listed {
            found: Vec::new(),
            unread: Vec::new(),
        };
        let mut call = Call {
            method: Method::GET,
            path: path.to_owned(),
            query: query.text(),
            body: None,
            if_match: None,
            repeat: Repeat::Safe,
        };
        let mut seen = HashSet::new();
        loop {
            let reply = self.ask(&call).await?;
            let unreadable = |why: String| Fault::Unreadable {
                request: format!("GET {path}"),
                why,
            };
            let page: Page = Self::read(&format!("GET {path}"), &reply)?;
            for value in page.value {
                let id = value.get("id").and_then(Value::as_str).map(str::to_owned);
                let pool = pool_named(&value);
                match serde_json::from_value(value) {
                    Ok(element) => listed.found.push(element),
                    Err(error) => listed.unread.push(Unread {
                        id,
                        pool,
                        why: error.to_string(),
                    }),
                }
            }
            let Some(next) = page.next.filter(|next| !next.is_empty()) else {
                return Ok(listed);
            };
            if listed.found.len() >= enough.min(ELEMENTS_MAX) {
                return Ok(listed);
            }
            // A link that leads back would lead round for ever.
            if !seen.insert(next.clone()) {
                return Err(unreadable("its next page is one that was read before".to_owned()));
            }
            call.query =
                next_query(&next).ok_or_else(|| unreadable(format!("`{next}` leads to no next page")))?;
        }
    }
}

/// Returns the pool that an element names as a job does, as far as that can be read whatever else is wrong with it.
fn pool_named(element: &Value) -> Option<String> {
    let place = |part: &str| {
        element
            .get(part)?
            .get("poolId")?
            .as_str()
            .filter(|id| !id.is_empty())
    };
    let named = place("executionInfo").or_else(|| place("poolInfo"));
    named.map(str::to_owned)
}

/// Returns the query of a link to a next page without its version, which is ours to give.
///
/// Path and host are ours as well: a link is followed to no other machine, wherever it points to.
fn next_query(link: &str) -> Option<String> {
    let (_, query) = link.split_once('?')?;
    let kept: Vec<_> = query
        .split('&')
        .filter(|part| {
            let name = part.split('=').next().unwrap_or("");
            !part.is_empty() && !name.eq_ignore_ascii_case("api-version")
        })
        .collect();
    (!kept.is_empty()).then(|| kept.join("&"))
}

impl Query<'_> {
    pub(super) fn text(&self) -> String {
        let page = self.page.map(|page| page.to_string());
        [
            ("$filter", self.filter),
            ("$select", self.select),
            ("maxresults", page.as_deref().unwrap_or("")),
        ]
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_be_absolute_or_relative_and_brings_its_query_alone() {
        for link in [
            "https://evil.example.org/pools?api-version=2024-02-01.19.0&$skiptoken=ab%2Fc&$select=id",
            "/pools?$skiptoken=ab%2Fc&Api-Version=2025-06-01&$select=id",
            "pools?$skiptoken=ab%2Fc&$select=id",
        ] {
            assert_eq!(
                next_query(link).as_deref(),
                Some("$skiptoken=ab%2Fc&$select=id"),
                "{link}"
            );
        }
        assert_eq!(next_query("/pools"), None);
        assert_eq!(next_query("/pools?api-version=1"), None);
    }

    #[test]
    fn a_query_is_encoded_and_leaves_out_what_is_not_asked() {
        let query = Query {
            select: "id,state",
            filter: "state eq 'active'",
            page: Some(10),
        };
        assert_eq!(
            query.text(),
            "$filter=state%20eq%20%27active%27&$select=id,state&maxresults=10"
        );
        assert_eq!(Query::default().text(), "");
    }
}
