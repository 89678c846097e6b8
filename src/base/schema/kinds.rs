//! What a schema says of one value: its kinds, its words, its tag, and how values are named in a sentence.

use serde_json::Value;

use super::super::document::{Data, Node};

pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

/// The words that a schema of nothing but words allows.
pub(super) fn words(schema: &Value) -> Vec<Value> {
    match (&schema["enum"], schema.get("const")) {
        (Value::Array(words), _) => words.clone(),
        (_, Some(word)) => vec![word.clone()],
        _ => Vec::new(),
    }
}

/// Says whether a schema takes texts that it does not list.
pub(super) fn takes_any_text(schema: &Value) -> bool {
    schema["$ref"].is_string() || words(schema).is_empty() && types(schema).contains(&"string")
}

/// The key and the value's schema, when a schema is of a map with that one key.
pub(super) fn tag(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema["properties"].as_object()?;
    let (name, value) = properties.iter().next()?;
    let alone = properties.len() == 1 && schema["additionalProperties"] == Value::Bool(false);
    alone.then_some((name.as_str(), value))
}

pub(super) fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

pub(super) fn allows(schema: &Value, node: &Node) -> bool {
    let types = types(schema);
    let fits = |name: &&str| match (*name, &node.data) {
        ("null", Data::Null)
        | ("boolean", Data::Bool(_))
        | ("number", Data::Number(_))
        | ("string", Data::Text(_))
        | ("array", Data::List(_))
        | ("object", Data::Map(_)) => true,
        ("integer", Data::Number(number)) => number.is_i64() || number.is_u64(),
        _ => false,
    };
    types.is_empty() || types.iter().any(fits)
}

pub(super) fn wanted(schema: &Value) -> String {
    let names: Vec<&str> = types(schema)
        .into_iter()
        .filter(|name| *name != "null")
        .map(|name| match name {
            "boolean" => "true or false",
            "integer" => "a whole number",
            "number" => "a number",
            "string" => "a text",
            "array" => "a list",
            _ => "keys with values",
        })
        .collect();
    names.join(" or ")
}

/// A long text in a message helps no one; 40 characters tell which one it is.
const QUOTED_CHARS_MAX: usize = 40;

pub(super) fn found(node: &Node) -> String {
    match &node.data {
        Data::Null => "nothing".to_owned(),
        Data::Bool(value) => format!("`{value}`"),
        Data::Number(number) => format!("`{number}`"),
        Data::Text(text) => {
            let start: String = text
                .lines()
                .next()
                .unwrap_or("")
                .chars()
                .take(QUOTED_CHARS_MAX)
                .collect();
            let more = if start.len() < text.len() { "…" } else { "" };
            format!("the text `{start}{more}`")
        }
        Data::List(_) => "a list".to_owned(),
        Data::Map(_) => "keys with values".to_owned(),
    }
}
