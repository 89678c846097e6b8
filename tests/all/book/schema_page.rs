//! A JSON Schema as a chapter: a table of keys for each shape, in the order in which a reader meets them.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use super::generated::cell;

/// Makes the page of a schema: the file itself first, then each shape that it is made of.
pub(super) fn page(schema: &Value) -> String {
    let mut page = format!(
        "{}\n\nKeys in **bold** have to be there; every other one may be left out.\n\n",
        described(schema)
    );
    page += &keys(schema);
    let mut told = BTreeSet::new();
    let mut headings = BTreeSet::new();
    let mut waiting = named(schema);
    let mut values = String::new();
    while !waiting.is_empty() {
        let mut next = Vec::new();
        for name in waiting {
            if !told.insert(name.clone()) {
                continue;
            }
            assert!(
                headings.insert(shown(&name).to_owned()),
                "two shapes are called {}",
                shown(&name)
            );
            let shape = &schema["$defs"][&name];
            next.extend(named(shape));
            if is_shape(shape) {
                let _ = write!(
                    page,
                    "\n## {}\n\n{}\n\n{}",
                    shown(&name),
                    described(shape),
                    keys(shape)
                );
            } else {
                let _ = write!(values, "\n### {}\n\n{}\n", shown(&name), value(shape));
            }
        }
        waiting = next;
    }
    if !values.is_empty() {
        let _ = write!(page, "\n## How values are written\n{values}");
    }
    page.trim_end().to_owned() + "\n"
}

/// The name of a shape, without what it is to the program.
fn shown(name: &str) -> &str {
    ["File", "Section"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name)
}

/// How a value that is a text or a number is written.
fn value(shape: &Value) -> String {
    let form = match shape["pattern"].as_str() {
        Some(pattern) => format!("text like `{pattern}`"),
        None => kind(shape),
    };
    match described(shape) {
        said if said.is_empty() => form,
        said => format!("{} ({form})", said.trim_end_matches('.')),
    }
}

/// Whether a shape has keys or choices of its own, and is no text or number.
fn is_shape(shape: &Value) -> bool {
    ["properties", "oneOf", "anyOf"]
        .iter()
        .any(|key| shape.get(key).is_some())
        || shape["type"] == "object"
}

fn described(shape: &Value) -> String {
    shape["description"]
        .as_str()
        .unwrap_or_default()
        .replace('\n', " ")
}

/// The keys of an object, or the choices of an alternative.
fn keys(shape: &Value) -> String {
    let mut text = String::new();
    if let Some(properties) = shape["properties"].as_object() {
        text += "| key | value | what it is |\n|---|---|---|\n";
        let required: Vec<_> = shape["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        for (key, property) in properties {
            let key = if required.contains(&key.as_str()) {
                format!("**`{key}`**")
            } else {
                format!("`{key}`")
            };
            let _ = writeln!(
                text,
                "| {key} | {} | {}{} |",
                cell(&kind(property)),
                cell(&described(property)),
                default(property)
            );
        }
    }
    for choices in ["oneOf", "anyOf"] {
        for choice in shape[choices].as_array().into_iter().flatten() {
            let (form, said) = (kind(choice), described(choice));
            let _ = if said.is_empty() {
                writeln!(text, "- {form}")
            } else {
                writeln!(text, "- {form}: {said}")
            };
        }
    }
    if text.is_empty() {
        "It has no keys: `{}`.\n".to_owned()
    } else {
        text
    }
}

/// A default that the description does not tell.
fn default(property: &Value) -> String {
    match &property["default"] {
        _ if described(property).contains("left out") => String::new(),
        Value::Bool(true) => " `true` when left out.".to_owned(),
        Value::Number(number) => format!(" `{number}` when left out."),
        Value::String(text) if !text.starts_with('P') && !text.is_empty() => {
            format!(" `{text}` when left out.")
        }
        _ => String::new(),
    }
}

/// What may stand as a value, in a few words; other shapes by a link.
fn kind(shape: &Value) -> String {
    if let Some(name) = shape["$ref"]
        .as_str()
        .and_then(|name| name.strip_prefix("#/$defs/"))
    {
        let name = shown(name);
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(text) = shape["const"].as_str() {
        return format!("`{text}`");
    }
    if let Some(values) = shape["enum"].as_array() {
        return values
            .iter()
            .map(|value| format!("`{}`", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(" or ");
    }
    if let Some(choices) = shape["oneOf"].as_array().or_else(|| shape["anyOf"].as_array()) {
        return choices
            .iter()
            .filter(|choice| choice["type"] != "null")
            .map(kind)
            .collect::<Vec<_>>()
            .join(" or ");
    }
    match type_name(shape) {
        "object" => object_kind(shape),
        "array" if shape["maxItems"] == 2 && shape["minItems"] == 2 => {
            format!("two of {}", kind(&shape["items"]))
        }
        "array" => format!("a list of {}", kind(&shape["items"])),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => format!("a whole number{}", range(shape)),
        "number" => format!("a number{}", range(shape)),
        "string" => "text".to_owned(),
        _ => "anything".to_owned(),
    }
}

fn object_kind(shape: &Value) -> String {
    if let Some(properties) = shape["properties"].as_object() {
        let inner: Vec<_> = properties
            .iter()
            .map(|(key, value)| format!("`{key}:` {}", kind(value)))
            .collect();
        return inner.join(", ");
    }
    if shape["additionalProperties"].is_object() {
        return format!("names, each with {}", kind(&shape["additionalProperties"]));
    }
    "`{}`".to_owned()
}

/// The type, without the null that says that the key may be left out.
fn type_name(shape: &Value) -> &str {
    match &shape["type"] {
        Value::String(name) => name,
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .find(|name| *name != "null")
            .unwrap_or_default(),
        _ => "",
    }
}

fn range(shape: &Value) -> String {
    match (&shape["minimum"], &shape["maximum"]) {
        (Value::Number(least), Value::Number(most)) if least == most => format!(", {least}"),
        (Value::Number(least), Value::Number(most)) => format!(", {least} to {most}"),
        (Value::Number(least), _) => format!(", at least {least}"),
        (_, Value::Number(most)) => format!(", at most {most}"),
        _ => String::new(),
    }
}

/// The shapes that a shape names, in order.
fn named(shape: &Value) -> Vec<String> {
    match shape {
        Value::Object(entries) => entries
            .iter()
            .filter(|(key, _)| *key != "$defs")
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("$ref", Value::String(name)) => vec![name.trim_start_matches("#/$defs/").to_owned()],
                _ => named(value),
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(named).collect(),
        _ => Vec::new(),
    }
}
