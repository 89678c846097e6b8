//! What a list request asks for, and the page that answers it.
//!
//! A `$skiptoken` holds the key of the last item given, not a position: items that come and go between two pages
//! shift nothing, and none is given twice.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::filter::{Filter, Property};
use super::select::Select;
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;

/// A list of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListKind {
    /// What `odata.metadata` calls it.
    pub name: &'static str,
    /// What it can be filtered by.
    pub properties: &'static [Property],
    /// The names that can be selected.
    pub fields: &'static [&'static str],
    /// The most items of a page.
    pub page_max: usize,
    /// The most that may be asked for by `maxresults` in versions of the form `YYYY-MM-DD.N.N`.
    pub dotted_page_max: usize,
}

/// A list request that was read.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// The filter, if any.
    pub filter: Option<Filter>,
    /// The names asked for; none: all.
    pub select: Option<Select>,
    name: &'static str,
    page_size: usize,
    after: Option<String>,
    next: String,
}

/// `maxresults` is at most this in every list (REST API, List Pools).
const RESULTS_MAX: usize = 1_000;

impl List {
    /// Reads `$filter`, `$select`, `maxresults` and `$skiptoken`; `$expand` is let pass, for statistics are retired.
    ///
    /// # Errors
    /// 400 `InvalidQueryParameterValue` or `OutOfRangeQueryParameterValue`, with the parameter and the reason.
    pub fn of(asked: &Asked, kind: &ListKind) -> Result<Self, Refused> {
        let filter = asked.parameter("$filter");
        let filter = filter.map(|text| {
            Filter::read(text, kind.properties).map_err(|reason| wrong("$filter", text, &reason))
        });
        let after = asked.parameter("$skiptoken");
        let after = after.map(|token| {
            key(token).ok_or_else(|| wrong("$skiptoken", token, "the token is not one of ours"))
        });
        Ok(Self {
            filter: filter.transpose()?,
            select: select(asked, kind.fields)?,
            name: kind.name,
            page_size: page_size(asked, kind)?,
            after: after.transpose()?,
            next: link(asked),
        })
    }

    /// Returns the key of the last item that earlier pages gave: this page starts behind it.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// Returns the page: items come in the order of their keys, those up to [`after`](Self::after) are passed over.
    ///
    /// `print` writes an item down; the filter looks at what it gives.
    pub fn page<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
        print: impl Fn(&T) -> Value,
    ) -> Answer {
        let passes = |filter: &Filter, item: &T| filter.passes_value(&print(item));
        self.cut(items, key, &print, passes)
    }

    /// Returns the page as [`page`](Self::page) does; `look` gives a property by its path, so that items which do
    /// not pass the filter are never printed.
    pub fn page_by<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
        print: impl Fn(&T) -> Value,
        look: impl Fn(&T, &str) -> Option<Value>,
    ) -> Answer {
        let passes = |filter: &Filter, item: &T| filter.passes(&|path| look(item, path));
        self.cut(items, key, print, passes)
    }

    fn cut<T>(
        &self,
        items: impl IntoIterator<Item = T>,
        key: impl Fn(&T) -> String,
        print: impl Fn(&T) -> Value,
        passes: impl Fn(&Filter, &T) -> bool,
    ) -> Answer {
        let mut values = Vec::new();
        let mut last = String::new();
        let mut next = None;
        for item in items {
            let at = key(&item);
            let is_given = self.after.as_ref().is_some_and(|after| at <= *after);
            if is_given || !self.filter.as_ref().is_none_or(|filter| passes(filter, &item)) {
                continue;
            }
            if values.len() == self.page_size {
                next = Some(format!(
                    "{}$skiptoken={}",
                    self.next,
                    URL_SAFE_NO_PAD.encode(&last)
                ));
                break;
            }
            let value = print(&item);
            values.push(match &self.select {
                Some(select) => select.cut(value),
                None => value,
            });
            last = at;
        }
        let mut body = json!({ "value": values });
        if let Some(next) = next {
            body["odata.nextLink"] = Value::String(next);
        }
        Answer::read(body, self.name)
    }
}

/// Reads `$select` of a request for a list or for one entity.
///
/// # Errors
/// 400 `InvalidQueryParameterValue` for a name that the entity does not have.
pub(super) fn select(asked: &Asked, fields: &'static [&'static str]) -> Result<Option<Select>, Refused> {
    let text = asked.parameter("$select");
    let read = |text| Select::read(text, fields).map_err(|reason| wrong("$select", text, &reason));
    text.map(read).transpose()
}

fn page_size(asked: &Asked, kind: &ListKind) -> Result<usize, Refused> {
    let Some(text) = asked.parameter("maxresults") else {
        return Ok(kind.page_max);
    };
    let most = if asked.is_dotted_version() {
        kind.dotted_page_max
    } else {
        RESULTS_MAX
    };
    let wanted: usize = text
        .parse()
        .map_err(|_| wrong("maxresults", text, "it is no whole number"))?;
    if wanted < 1 || most < wanted {
        return Err(Refused::new(
            400,
            "OutOfRangeQueryParameterValue",
            "A query parameter specified in the request URI is outside the permissible range",
        )
        .with("QueryParameterName", "maxresults")
        .with("QueryParameterValue", text)
        .with("MinimumAllowed", "1")
        .with("MaximumAllowed", most.to_string()));
    }
    Ok(wanted.min(kind.page_max))
}

fn wrong(name: &str, value: &str, reason: &str) -> Refused {
    Refused::new(
        400,
        "InvalidQueryParameterValue",
        "Value for one of the query parameters specified in the request URI is invalid",
    )
    .with("QueryParameterName", name)
    .with("QueryParameterValue", value)
    .with("Reason", reason)
}

fn key(token: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()
}

/// The address of the next page, up to its token.
fn link(asked: &Asked) -> String {
    let mut link = format!("{}{}?", asked.base, asked.path);
    for (name, value) in asked.query.iter().filter(|(name, _)| name != "$skiptoken") {
        link.push_str(name);
        link.push('=');
        escape(value, &mut link);
        link.push('&');
    }
    link
}

/// Percent-encodes what cannot stand in a query value (RFC 3986, section 3.4); `&`, `+` and `#` would end or change it.
fn escape(value: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~,:/".contains(&byte) {
            into.push(char::from(byte));
        } else {
            into.push('%');
            into.push(char::from(HEX[usize::from(byte >> 4)]));
            into.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{NODE_COUNTS, POOLS};
    use super::*;

    fn asked(version: &str, query: &[(&str, &str)]) -> Asked {
        Asked {
            base: "https://localhost:7443".to_owned(),
            path: "/pools".to_owned(),
            api_version: version.to_owned(),
            query: query
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..Asked::default()
        }
    }

    fn page(asked: &Asked, ids: &[&str]) -> (Vec<String>, Option<String>) {
        let list = List::of(asked, &POOLS).unwrap();
        let answer = list.page(
            ids,
            ToString::to_string,
            |id| json!({ "id": id, "state": "active" }),
        );
        let body = answer.body.unwrap();
        let given = body["value"].as_array().unwrap();
        let given = given
            .iter()
            .map(|pool| pool["id"].as_str().unwrap().to_owned())
            .collect();
        let next = body
            .get("odata.nextLink")
            .map(|link| link.as_str().unwrap().to_owned());
        (given, next)
    }

    #[test]
    fn pages_stay_true_when_items_come_and_go() {
        let first = asked(
            "2025-06-01",
            &[("maxresults", "2"), ("$filter", "state eq 'active'")],
        );
        let (given, next) = page(&first, &["a", "b", "c", "d"]);
        assert_eq!(given, ["a", "b"]);
        let next = next.unwrap();
        let start = "https://localhost:7443/pools?maxresults=2&$filter=state%20eq%20%27active%27&$skiptoken=";
        let token = next.strip_prefix(start).unwrap_or_else(|| panic!("{next}"));
        let second = asked("2025-06-01", &[("maxresults", "2"), ("$skiptoken", token)]);
        let (given, next) = page(&second, &["a", "aa", "c", "d"]);
        assert_eq!((given, next), (vec!["c".to_owned(), "d".to_owned()], None));
    }

    #[test]
    fn a_last_full_page_has_no_next() {
        let (given, next) = page(&asked("2025-06-01", &[("maxresults", "2")]), &["a", "b"]);
        assert_eq!((given.len(), next), (2, None));
    }

    fn refuse(version: &str, kind: &ListKind, query: (&str, &str), code: &str) {
        let refused = List::of(&asked(version, &[query]), kind).expect_err(query.1);
        assert_eq!((refused.status, refused.code), (400, code), "{query:?}");
        assert_eq!(refused.values[0].1, query.0);
        assert_eq!(refused.values[1].1, query.1);
    }

    #[test]
    fn bounds_follow_the_version() {
        let (old, new) = ("2024-02-01.19.0", "2025-06-01");
        refuse(new, &POOLS, ("maxresults", "0"), "OutOfRangeQueryParameterValue");
        refuse(
            new,
            &POOLS,
            ("maxresults", "1001"),
            "OutOfRangeQueryParameterValue",
        );
        refuse(new, &POOLS, ("maxresults", "many"), "InvalidQueryParameterValue");
        refuse(
            old,
            &NODE_COUNTS,
            ("maxresults", "11"),
            "OutOfRangeQueryParameterValue",
        );
        let list = List::of(&asked(new, &[("maxresults", "500")]), &NODE_COUNTS).unwrap();
        assert_eq!(list.page_size, 10);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let new = "2025-06-01";
        refuse(
            new,
            &POOLS,
            ("$filter", "colour eq 'red'"),
            "InvalidQueryParameterValue",
        );
        refuse(new, &POOLS, ("$select", "colour"), "InvalidQueryParameterValue");
        refuse(new, &POOLS, ("$skiptoken", "!"), "InvalidQueryParameterValue");
        assert!(List::of(&asked(new, &[("$expand", "stats")]), &POOLS).is_ok());
    }
}
