//! A YAML or JSON document with the place of everything in it, so that each fault can be shown where it stands.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Bytes of the source: a scalar with its quotes, a block text without its first indentation, a collection from its
    /// first to its last part.
    pub span: Range<usize>,
    /// The value.
    pub data: Data,
}

/// The kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(String),
    /// Values in order.
    List(Vec<Node>),
    /// Entries in order, duplicates included.
    Map(Vec<(Key, Node)>),
}

/// A key of a map and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// The key.
    pub text: String,
}

/// A document that could not be read at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// What is wrong there.
    pub message: String,
}

/// No file of ours nests deeper than 8; what does is a mistake, or an attempt at the stack.
const DEPTH_MAX: usize = 32;

/// A policy or a recorded account is a few kilobytes to a few megabytes.
const BYTES_MAX: usize = 64 << 20;

impl Node {
    /// Reads a document; keys that stand twice are both kept, for the reader to complain about.
    pub fn parse(source: &str) -> Result<Self, Unreadable> {
        if source.len() > BYTES_MAX {
            return Err(Unreadable {
                span: 0..0,
                message: format!("the document is longer than {} MiB", BYTES_MAX >> 20),
            });
        }
        let limits = serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_nodes: BYTES_MAX,
            max_events: BYTES_MAX,
            max_total_scalar_bytes: BYTES_MAX,
        };
        let options = serde_saphyr::options! {
            budget: limits,
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: NonFiniteFloatPolicy::AsString,
            strict_booleans: true,
            with_snippet: false,
        };
        serde_saphyr::from_str_with_options::<Self>(source, options)
            .map_err(|error| unreadable(source, &error))
    }

    /// Returns the value without places; of keys that stand twice the last wins.
    pub fn to_json(&self) -> Value {
        match &self.data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Number(value) => Value::Number(value.clone()),
            Data::Text(value) => Value::String(value.clone()),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(entries) => entries
                .iter()
                .map(|(key, node)| (key.text.clone(), node.to_json()))
                .collect::<serde_json::Map<_, _>>()
                .into(),
        }
    }

    /// Returns the value of a key, when this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match &self.data {
            Data::Map(entries) => entries
                .iter()
                .rev()
                .find(|(other, _)| other.text == key)
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// Returns the value at the end of a path of keys and, in lists, of numbers from 0.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |node, key| match &node.data {
            Data::List(items) => items.get(key.parse::<usize>().ok()?),
            _ => node.get(key),
        })
    }

    /// Returns the text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.data {
            Data::Text(text) => Some(text),
            _ => None,
        }
    }
}

fn unreadable(source: &str, error: &serde_saphyr::Error) -> Unreadable {
    let characters = error.location().map_or(0, |at| at.span().offset() as usize);
    let start = source
        .char_indices()
        .nth(characters)
        .map_or(source.len(), |(at, _)| at);
    let end = source[start..]
        .chars()
        .next()
        .map_or(start, |c| start + c.len_utf8());
    Unreadable {
        span: start..end,
        message: sentence(&error.to_string()),
    }
}

/// Returns what the parser says, without the place that is told beside it.
fn sentence(message: &str) -> String {
    if message.starts_with("budget breached: Depth") || message.starts_with("recursion limit") {
        return format!("the document nests deeper than {DEPTH_MAX} levels");
    }
    message.split(" at line ").next().unwrap_or(message).to_owned()
}

fn bytes(location: serde_saphyr::Location) -> Range<usize> {
    let span = location.span();
    match (span.byte_offset(), span.byte_len()) {
        (Some(offset), Some(len)) => offset as usize..offset as usize + len as usize,
        _ => 0..0,
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Data>::deserialize(deserializer)?;
        let mut span = bytes(spanned.referenced);
        let last = match &spanned.value {
            Data::List(items) => items.last(),
            Data::Map(entries) => entries.last().map(|(_, node)| node),
            _ => None,
        };
        if let Some(last) = last {
            span.end = span.end.max(last.span.end);
        }
        Ok(Self {
            span,
            data: spanned.value,
        })
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DataVisitor)
    }
}

struct DataVisitor;

impl<'de> Visitor<'de> for DataVisitor {
    type Value = Data;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Data, E> {
        Ok(Data::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Data, E> {
        Ok(Data::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Data, E> {
        // What is not finite stays a text, and is refused where a number is wanted.
        Ok(Number::from_f64(value).map_or_else(|| Data::Text(value.to_string()), Data::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Data, E> {
        Ok(Data::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(node) = items.next_element()? {
            list.push(node);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Data, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let span = bytes(key.referenced);
            map.push((
                Key {
                    span,
                    text: key.value,
                },
                entries.next_value()?,
            ));
        }
        Ok(Data::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_its_place() {
        let source =
            "ü: \"x\"\npool: a # c\npool: b\nlist: [1, 2.5]\ntext: |\n  $a = 1;\n  $b = 2;\nno: no\n";
        let node = Node::parse(source).unwrap();
        let Data::Map(entries) = &node.data else {
            panic!("not a map: {node:?}");
        };
        let places: Vec<_> = entries
            .iter()
            .map(|(key, value)| (&source[key.span.clone()], &source[value.span.clone()]))
            .collect();
        assert_eq!(
            places,
            [
                ("ü", "\"x\""),
                ("pool", "a"),
                ("pool", "b"),
                ("list", "[1, 2.5"),
                ("text", "$a = 1;\n  $b = 2;\n"),
                ("no", "no"),
            ]
        );
        assert_eq!(node.at(&["list", "1"]).unwrap().to_json(), 2.5);
        assert_eq!(node.get("text").unwrap().as_text(), Some("$a = 1;\n$b = 2;\n"));
        assert_eq!(node.get("no").unwrap().as_text(), Some("no"));
    }

    #[test]
    fn json_is_read_too() {
        let node = Node::parse("{\"now\": null, \"values\": [true, -3, 1e3]}").unwrap();
        assert_eq!(
            node.to_json(),
            serde_json::json!({"now": null, "values": [true, -3, 1000.0]})
        );
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        let (deep, deeper) = ("[".repeat(40) + &"]".repeat(40), "[".repeat(1000));
        for (source, offset, message) in [
            ("a: [1, 2\n", 3, "unclosed bracket '['"),
            (
                "ü: 1\n b: 2\n",
                8,
                "mapping values are not allowed in this context",
            ),
            (&deep, 32, "the document nests deeper than 32 levels"),
            (&deeper, 255, "the document nests deeper than 32 levels"),
        ] {
            let error = Node::parse(source).unwrap_err();
            assert_eq!((error.span.start, error.message.as_str()), (offset, message));
        }
    }
}
