//! A TOML document as the same tree as a YAML one, so that its faults are shown where they stand as well.

use std::ops::Range;

use serde_json::Number;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{Data, Key, Node, Unreadable};

/// A configuration is a few kilobytes.
const BYTES_MAX: usize = 1 << 20;

impl Node {
    /// Reads a TOML document; keys that stand twice are faults of TOML itself.
    ///
    /// # Errors
    /// Every place that is no TOML.
    pub fn parse_toml(source: &str) -> Result<Self, Vec<Unreadable>> {
        if source.len() > BYTES_MAX {
            return Err(vec![Unreadable {
                span: 0..0,
                message: format!("the document is longer than {} MiB", BYTES_MAX >> 20),
            }]);
        }
        let (table, errors) = DeTable::parse_recoverable(source);
        if errors.is_empty() {
            let span = table.span();
            return Ok(map(table.into_inner(), span));
        }
        let unreadable = |error: &toml::de::Error| Unreadable {
            span: error.span().unwrap_or(0..0),
            message: error.message().trim_end().replace('\n', "; "),
        };
        Err(errors.iter().map(unreadable).collect())
    }
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let data = match value.into_inner() {
        DeValue::String(text) => Data::Text(text.into_owned()),
        DeValue::Boolean(value) => Data::Bool(value),
        DeValue::Datetime(time) => Data::Text(time.to_string()),
        DeValue::Integer(value) => whole(value.as_str(), value.radix()),
        DeValue::Float(value) => match value.as_str().parse().ok().and_then(Number::from_f64) {
            Some(number) => Data::Number(number),
            // What is not finite stays a text, and is refused where a number is wanted.
            None => Data::Text(value.as_str().to_owned()),
        },
        DeValue::Array(items) => Data::List(items.into_iter().map(node).collect()),
        DeValue::Table(table) => return map(table, span),
    };
    Node { span, data }
}

fn whole(digits: &str, radix: u32) -> Data {
    i64::from_str_radix(digits, radix).map_or_else(
        |_| Data::Text(digits.to_owned()),
        |value| Data::Number(value.into()),
    )
}

/// Returns a table with its entries as they were written, from its head to the end of its last part.
fn map(table: DeTable<'_>, mut span: Range<usize>) -> Node {
    let mut entries: Vec<(Key, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let key = Key {
                span: key.span(),
                text: key.into_inner().into_owned(),
            };
            (key, node(value))
        })
        .collect();
    entries.sort_by_key(|(key, _)| key.span.start);
    if let Some(end) = entries.iter().map(|(_, node)| node.span.end).max() {
        span.end = span.end.max(end);
    }
    Node {
        span,
        data: Data::Map(entries),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_place() {
        let source =
            "b = \"ü\"\na = 0x10\n[t]\nlist = [1, 2.5, true]\nat = 2026-11-25T09:00:00Z\nnot = nan\n";
        let node = Node::parse_toml(source).unwrap();
        assert_eq!(
            node.to_json(),
            serde_json::json!({
                "b": "ü",
                "a": 16,
                "t": { "list": [1, 2.5, true], "at": "2026-11-25T09:00:00Z", "not": "nan" },
            })
        );
        let Data::Map(entries) = &node.data else {
            panic!("not a map: {node:?}");
        };
        let keys: Vec<_> = entries.iter().map(|(key, _)| &source[key.span.clone()]).collect();
        assert_eq!(keys, ["b", "a", "t"]);
        assert_eq!(&source[node.at(&["t", "list", "1"]).unwrap().span.clone()], "2.5");
        assert!(node.get("t").unwrap().span.end >= source.len() - 1);
    }

    #[test]
    fn every_place_that_cannot_be_read_is_told() {
        let faults = Node::parse_toml("a = \nb = 1\nb = 2\n").unwrap_err();
        assert!(faults.len() >= 2, "{faults:?}");
        assert!(
            faults.iter().any(|fault| fault.message.contains("duplicate key")),
            "{faults:?}"
        );
    }
}
