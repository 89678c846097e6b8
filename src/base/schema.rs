//! Holds a document against the JSON Schema of the type that will read it, and collects every fault with its place.
//!
//! serde stops at the first fault and knows no place. The schema is made from the same types, so the two cannot disagree
//! on keys, kinds and words; what a schema cannot say (is this text a duration?) is asked of a [`Format`].

use serde_json::Value;

use super::document::{Data, Key, Node};
use super::{Code, Diagnostic, did_you_mean};

/// How the texts of a named schema are read.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// The schema's name.
    pub name: &'static str,
    /// What is wanted, such as `a duration like 5m`.
    pub wanted: &'static str,
    /// Says what is wrong with a text, if anything is.
    pub read: fn(&str) -> Result<(), String>,
}

/// What a document is held against.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Value,
    formats: &'static [Format],
    codes: SchemaCodes,
}

/// The codes of the faults that a schema finds.
#[derive(Clone, Copy, Debug)]
pub struct SchemaCodes {
    /// A key that no one reads.
    pub unknown_key: Code,
    /// A key that stands twice.
    pub duplicate_key: Code,
    /// A key that must be there.
    pub missing_key: Code,
    /// A value of another kind than expected.
    pub wrong_type: Code,
    /// A value of the right kind that cannot be used.
    pub wrong_value: Code,
}

impl Schema {
    /// Returns the schema of a type, with the formats of its texts.
    pub fn of<T: schemars::JsonSchema>(formats: &'static [Format], codes: SchemaCodes) -> Self {
        Self {
            root: schemars::schema_for!(T).into(),
            formats,
            codes,
        }
    }

    /// Returns every fault of a document, by place.
    pub fn check(&self, document: &Node) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        self.node(&self.root, document, None, &mut faults);
        faults.sort_by_key(|fault| fault.span.start);
        faults
    }

    fn node(&self, schema: &Value, node: &Node, format: Option<&Format>, faults: &mut Vec<Diagnostic>) {
        if let Some(target) = schema["$ref"].as_str() {
            let name = target.trim_start_matches("#/$defs/");
            let format = self.formats.iter().find(|format| format.name == name);
            return self.node(&self.root["$defs"][name], node, format, faults);
        }
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            return self.choice(choices, node, faults);
        }
        if let Some(words) = schema["enum"].as_array().map(Vec::as_slice) {
            return self.word(words, node, faults);
        }
        if let Some(word) = schema.get("const") {
            return self.word(std::slice::from_ref(word), node, faults);
        }
        if !allows(schema, node) {
            let message = format!(
                "expected {}, found {}",
                format.map_or_else(|| wanted(schema), |format| format.wanted.to_owned()),
                found(node)
            );
            faults.push(Diagnostic::error(
                self.codes.wrong_type,
                node.span.clone(),
                message,
            ));
            return;
        }
        match &node.data {
            Data::Map(entries) => self.map(schema, entries, node, faults),
            Data::List(items) => self.list(schema, items, node, faults),
            Data::Number(number) => self.number(schema, number.as_f64(), node, faults),
            Data::Text(text) => {
                if let Some(Err(message)) = format.map(|format| (format.read)(text)) {
                    self.value_fault(node, message, faults);
                }
            }
            Data::Null | Data::Bool(_) => {}
        }
    }

    fn map(&self, schema: &Value, entries: &[(Key, Node)], node: &Node, faults: &mut Vec<Diagnostic>) {
        let known = schema["properties"].as_object();
        let names = || known.into_iter().flatten().map(|(name, _)| name.as_str());
        for (index, (key, value)) in entries.iter().enumerate() {
            if let Some((first, _)) = entries[..index].iter().find(|(other, _)| other.text == key.text) {
                let message = format!("`{}` stands twice", key.text);
                faults.push(
                    Diagnostic::error(self.codes.duplicate_key, key.span.clone(), message)
                        .help("keep one of the two")
                        .label(first.span.clone(), "it stands here first"),
                );
                continue;
            }
            let more = &schema["additionalProperties"];
            match known.and_then(|known| known.get(&key.text)) {
                Some(schema) => self.node(schema, value, None, faults),
                None if more.is_object() => self.node(more, value, None, faults),
                None if *more == Value::Bool(false) => {
                    faults.push(self.unknown_key(key, &names().collect::<Vec<_>>()));
                }
                None => {}
            }
        }
        if entries.len() == 1 && known.is_some_and(|known| !known.contains_key(&entries[0].0.text)) {
            // The one key that is there is misspelt: that is fault enough.
            return;
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap_or_default();
            if !entries.iter().any(|(key, _)| key.text == name) {
                faults.push(self.missing_key(name, entries, node));
            }
        }
    }

    fn unknown_key(&self, key: &Key, names: &[&str]) -> Diagnostic {
        let message = format!("`{}` is not a key that is known here", key.text);
        let fault = Diagnostic::error(self.codes.unknown_key, key.span.clone(), message);
        match did_you_mean(&key.text, names.iter().copied()) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help(format!("known here: {}", names.join(", "))),
        }
    }

    fn missing_key(&self, name: &str, entries: &[(Key, Node)], node: &Node) -> Diagnostic {
        let span = entries
            .first()
            .map_or(node.span.clone(), |(key, _)| key.span.clone());
        Diagnostic::error(self.codes.missing_key, span, format!("`{name}` is missing"))
            .help(format!("add `{name}: …` beside this key"))
    }

    fn list(&self, schema: &Value, items: &[Node], node: &Node, faults: &mut Vec<Diagnostic>) {
        let count = items.len() as u64;
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        if count < least || count > most {
            let wanted = match (least, most) {
                (least, most) if least == most => format!("exactly {least}"),
                (least, u64::MAX) => format!("at least {least}"),
                (_, most) => format!("at most {most}"),
            };
            self.value_fault(
                node,
                format!("expected {wanted} in the list, found {count}"),
                faults,
            );
        }
        for (index, item) in items.iter().enumerate() {
            let own = &schema["prefixItems"][index];
            let schema = if own.is_null() { &schema["items"] } else { own };
            self.node(schema, item, None, faults);
        }
    }

    fn number(&self, schema: &Value, number: Option<f64>, node: &Node, faults: &mut Vec<Diagnostic>) {
        let Some(number) = number else { return };
        let least = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let most = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        if number < least {
            self.value_fault(node, format!("{number} is less than {least}"), faults);
        }
        if number > most {
            self.value_fault(node, format!("{number} is more than {most}"), faults);
        }
    }

    /// One of several schemas must fit; where none does, the one that is nearest tells what is wrong.
    fn choice(&self, choices: &[Value], node: &Node, faults: &mut Vec<Diagnostic>) {
        let words: Vec<Value> = choices.iter().flat_map(words).collect();
        if words.len() >= choices.len() {
            return self.word(&words, node, faults);
        }
        match &node.data {
            Data::Text(_) if !words.is_empty() && !choices.iter().any(takes_any_text) => {
                return self.word(&words, node, faults);
            }
            Data::Map(entries) => {
                let tags: Vec<_> = choices.iter().filter_map(tag).collect();
                if tags.len() > 1 {
                    return self.tagged(&tags, entries, node, faults);
                }
            }
            _ => {}
        }
        let mut nearest: Option<Vec<Diagnostic>> = None;
        for choice in choices {
            let mut found = Vec::new();
            self.node(choice, node, None, &mut found);
            if found.is_empty() {
                return;
            }
            let fits = |faults: &[Diagnostic]| {
                // A fault inside is nearer than another kind of value altogether.
                let whole = faults.iter().filter(|fault| fault.span == node.span).count();
                (whole, faults.len())
            };
            if nearest.as_ref().is_none_or(|best| fits(&found) < fits(best)) {
                nearest = Some(found);
            }
        }
        faults.extend(nearest.into_iter().flatten());
    }

    /// Exactly one of several keys must be there: the name of what its value is.
    fn tagged(
        &self,
        tags: &[(&str, &Value)],
        entries: &[(Key, Node)],
        node: &Node,
        faults: &mut Vec<Diagnostic>,
    ) {
        let names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
        let Some(((first, value), rest)) = entries.split_first() else {
            let message = format!("expected one of {}, found nothing", names.join(", "));
            return self.value_fault(node, message, faults);
        };
        match tags.iter().find(|(name, _)| *name == first.text) {
            Some((_, schema)) => self.node(schema, value, None, faults),
            None => faults.push(self.unknown_key(first, &names)),
        }
        for (key, _) in rest {
            faults.push(if names.contains(&key.text.as_str()) {
                let message = format!("`{}` stands beside `{}`, and only one can", key.text, first.text);
                Diagnostic::error(self.codes.unknown_key, key.span.clone(), message)
                    .help("where this is a list, give it an item of its own, with a dash before it")
            } else {
                self.unknown_key(key, &names)
            });
        }
    }

    fn word(&self, words: &[Value], node: &Node, faults: &mut Vec<Diagnostic>) {
        if words.contains(&node.to_json()) {
            return;
        }
        let names: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        if names.is_empty() {
            let list: Vec<String> = words.iter().map(Value::to_string).collect();
            let message = format!("expected {}, found {}", list.join(" or "), found(node));
            return self.value_fault(node, message, faults);
        }
        let message = format!("expected one of {}, found {}", names.join(", "), found(node));
        let fault = Diagnostic::error(self.codes.wrong_value, node.span.clone(), message);
        let near = node
            .as_text()
            .and_then(|text| did_you_mean(text, names.iter().copied()));
        faults.push(match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        });
    }

    fn value_fault(&self, node: &Node, message: String, faults: &mut Vec<Diagnostic>) {
        faults.push(Diagnostic::error(
            self.codes.wrong_value,
            node.span.clone(),
            message,
        ));
    }
}

/// The words that a schema of nothing but words allows.
fn words(schema: &Value) -> Vec<Value> {
    match (&schema["enum"], schema.get("const")) {
        (Value::Array(words), _) => words.clone(),
        (_, Some(word)) => vec![word.clone()],
        _ => Vec::new(),
    }
}

/// Says whether a schema takes texts that it does not list.
fn takes_any_text(schema: &Value) -> bool {
    schema["$ref"].is_string() || words(schema).is_empty() && types(schema).contains(&"string")
}

/// The key and the value's schema, when a schema is of a map with that one key.
fn tag(schema: &Value) -> Option<(&str, &Value)> {
    let properties = schema["properties"].as_object()?;
    let (name, value) = properties.iter().next()?;
    let alone = properties.len() == 1 && schema["additionalProperties"] == Value::Bool(false);
    alone.then_some((name.as_str(), value))
}

fn types(schema: &Value) -> Vec<&str> {
    match &schema["type"] {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn allows(schema: &Value, node: &Node) -> bool {
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

fn wanted(schema: &Value) -> String {
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

fn found(node: &Node) -> String {
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
