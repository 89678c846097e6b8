//! Reads the documents of others leniently: what nobody asks for is passed over, numbers may be texts, and what is asked for and
//! of no use is told with its place.

use super::length::length;
use crate::base::document::{Data, Node};
use crate::base::{Code, Diagnostic, Span};

const UNREADABLE: Code = Code("I001");
const WRONG_VALUE: Code = Code("I002");

/// Reads values and gathers what is wrong with them.
#[derive(Debug, Default)]
pub(super) struct Lenient {
    pub(super) faults: Vec<Diagnostic>,
}

/// Reads a document, JSON or YAML.
pub(super) fn document(source: &str) -> Result<Node, Vec<Diagnostic>> {
    Node::parse(source)
        .map_err(|unreadable| vec![Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message)])
}

/// Returns the value of a key, unless it is null.
pub(super) fn get<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    node.get(key).filter(|value| value.data != Data::Null)
}

impl Lenient {
    /// Returns what was read, or everything that is wrong with it, by place.
    pub(super) fn finish<T>(mut self, read: T) -> Result<T, Vec<Diagnostic>> {
        self.faults.sort_by_key(|fault| fault.span.start);
        if self.faults.is_empty() {
            Ok(read)
        } else {
            Err(self.faults)
        }
    }

    /// Tells that a value cannot be used.
    pub(super) fn wrong(&mut self, node: &Node, key: &str, wanted: &str) {
        let found = match &node.data {
            Data::Null => "nothing".to_owned(),
            Data::Bool(value) => format!("`{value}`"),
            Data::Number(value) => format!("`{value}`"),
            Data::Text(value) => format!("`{value}`"),
            Data::List(_) => "a list".to_owned(),
            Data::Map(_) => "keys with values".to_owned(),
        };
        let message = format!("`{key}` is {found}");
        let fault = Diagnostic::error(WRONG_VALUE, node.span.clone(), message);
        self.faults.push(fault.help(format!("write {wanted}")));
    }

    fn take<T>(
        &mut self,
        node: &Node,
        key: &str,
        wanted: &str,
        read: impl Fn(&Data) -> Option<T>,
    ) -> Option<T> {
        let value = get(node, key)?;
        let read = read(&value.data);
        if read.is_none() {
            self.wrong(value, key, wanted);
        }
        read
    }

    pub(super) fn text(&mut self, node: &Node, key: &str) -> Option<String> {
        self.take(node, key, "a text", |data| match data {
            Data::Text(text) => Some(text.clone()),
            Data::Number(number) => Some(number.to_string()),
            _ => None,
        })
    }

    /// Reads a count from 0; `az` writes numbers as texts now and then.
    pub(super) fn count(&mut self, node: &Node, key: &str) -> Option<u32> {
        self.take(node, key, "a count of 0 or more", |data| {
            whole(data).and_then(|whole| u32::try_from(whole).ok())
        })
    }

    pub(super) fn flag(&mut self, node: &Node, key: &str) -> Option<bool> {
        self.take(node, key, "true or false", |data| match data {
            Data::Bool(flag) => Some(*flag),
            Data::Text(text) => text.to_ascii_lowercase().parse().ok(),
            _ => None,
        })
    }

    pub(super) fn length(&mut self, node: &Node, key: &str) -> Option<Span> {
        self.take(
            node,
            key,
            "a length of time such as PT15M or 00:15:00",
            |data| match data {
                Data::Text(text) => length(text).filter(|length| !length.is_negative()),
                _ => None,
            },
        )
    }
}

/// Returns a whole number, which may stand as a text.
pub(super) fn whole(data: &Data) -> Option<i64> {
    match data {
        Data::Number(number) => number.as_i64(),
        Data::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}
