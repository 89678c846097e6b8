//! Holds a document against the JSON Schema of the type that will read it, and collects every fault with its place.
//!
//! serde stops at the first fault and knows no place. The schema is made from the same types, so the two cannot disagree
//! on keys, kinds and words; what a schema cannot say (is this text a duration?) is asked of a [`Format`].
//!
//! What has no fault stands: it is handed on as a document that serde reads, so that faults of meaning are told together
//! with those of spelling. A misspelt key or word stands as what it likely means; a value that is of no use is left out.

mod kinds;

use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use kinds::{allows, found, required, tag, takes_any_text, wanted, words};

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

impl Format {
    /// Reads a text as a type and says what is wrong with it, if anything is.
    ///
    /// # Errors
    /// The type's own sentence.
    pub fn reads<T: FromStr<Err: Display>>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(|_| ()).map_err(|error| error.to_string())
    }
}

/// What stands where a key is missing or of no use, so that what is beside it can be read.
#[derive(Clone, Copy, Debug)]
pub struct StandIn {
    /// The key.
    pub key: &'static str,
    /// Its value as JSON; it must have no fault of its own.
    pub json: &'static str,
}

/// What became of a document that was held against a schema.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// Every fault, by place.
    pub faults: Vec<Diagnostic>,
    /// What stands, in the places where it was written; `None` where nothing does.
    pub standing: Option<Node>,
    /// The keys whose values were left out, each with the place of the value.
    pub left_out: Vec<(String, Range<usize>)>,
}

/// What a document is held against.
#[derive(Clone, Debug)]
pub struct Schema {
    root: Value,
    formats: &'static [Format],
    stand_ins: &'static [StandIn],
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

impl Checked {
    /// Says whether the value of one of these keys was left out within a place.
    pub fn lacks(&self, keys: &[&str], within: &Range<usize>) -> bool {
        self.left_out.iter().any(|(key, span)| {
            keys.contains(&key.as_str()) && within.start <= span.start && span.end <= within.end
        })
    }
}

impl Schema {
    /// Returns the schema of a type, with the formats of its texts and what stands for its keys.
    pub fn of<T: schemars::JsonSchema>(
        formats: &'static [Format],
        stand_ins: &'static [StandIn],
        codes: SchemaCodes,
    ) -> Self {
        Self {
            root: schemars::schema_for!(T).into(),
            formats,
            stand_ins,
            codes,
        }
    }

    /// Returns every fault of a document, by place, and what stands of it.
    pub fn check(&self, document: &Node) -> Checked {
        let mut checked = Checked::default();
        checked.standing = self.node(&self.root, document, None, &mut checked);
        checked.faults.sort_by_key(|fault| fault.span.start);
        checked
    }

    /// Reads a document into the type that the schema is of; `judge` says what of it cannot be meant, though each part stands.
    ///
    /// # Errors
    /// Every fault of the document, by place.
    pub fn read<T: DeserializeOwned>(
        &self,
        document: &Node,
        judge: impl FnOnce(&T, &Node) -> Vec<Diagnostic>,
    ) -> Result<T, Vec<Diagnostic>> {
        let Checked {
            mut faults, standing, ..
        } = self.check(document);
        let standing = standing.unwrap_or_else(|| document.clone());
        match serde_json::from_value(standing.to_json()) {
            Ok(file) => {
                faults.extend(judge(&file, &standing));
                faults.sort_by_key(|fault| fault.span.start);
                if faults.is_empty() {
                    return Ok(file);
                }
            }
            // What the schema accepts serde reads; where it does not, that is all there is to tell.
            Err(error) if faults.is_empty() => {
                let span = document.span.clone();
                faults.push(Diagnostic::error(self.codes.wrong_value, span, error.to_string()));
            }
            Err(_) => {}
        }
        Err(faults)
    }

    fn node(
        &self,
        schema: &Value,
        node: &Node,
        format: Option<&Format>,
        checked: &mut Checked,
    ) -> Option<Node> {
        if let Some(target) = schema["$ref"].as_str() {
            let name = target.trim_start_matches("#/$defs/");
            let format = self.formats.iter().find(|format| format.name == name);
            return self.node(&self.root["$defs"][name], node, format, checked);
        }
        if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
            return self.choice(choices, node, checked);
        }
        if let Some(words) = schema["enum"].as_array().map(Vec::as_slice) {
            return self.word(words, node, checked);
        }
        if let Some(word) = schema.get("const") {
            return self.word(std::slice::from_ref(word), node, checked);
        }
        if !allows(schema, node) {
            let message = format!(
                "expected {}, found {}",
                format.map_or_else(|| wanted(schema), |format| format.wanted.to_owned()),
                found(node)
            );
            let fault = Diagnostic::error(self.codes.wrong_type, node.span.clone(), message);
            checked.faults.push(fault);
            return None;
        }
        match &node.data {
            Data::Map(entries) => self.map(schema, entries, node, checked),
            Data::List(items) => self.list(schema, items, node, checked),
            Data::Number(number) => self.number(schema, number.as_f64(), node, checked),
            Data::Text(text) => match format.map(|format| (format.read)(text)) {
                Some(Err(message)) => self.value_fault(node, message, checked),
                _ => Some(node.clone()),
            },
            Data::Null | Data::Bool(_) => Some(node.clone()),
        }
    }

    fn map(
        &self,
        schema: &Value,
        entries: &[(Key, Node)],
        node: &Node,
        checked: &mut Checked,
    ) -> Option<Node> {
        let mut standing: Vec<(Key, Node)> = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (index, (key, value)) in entries.iter().enumerate() {
            let first = entries[..index].iter().find(|(other, _)| other.text == key.text);
            if let Some((first, _)) = first {
                checked.faults.push(self.duplicate_key(key, first));
            }
            let (name, part) = self.part(schema, key, entries, checked);
            let Some(part) = part else { continue };
            let stands = self.node(part, value, None, checked);
            if first.is_some() || seen.contains(&name) {
                // Which of the two is meant nobody knows; the first one stands.
                continue;
            }
            seen.push(name);
            let span = key.span.clone();
            let text = name.to_owned();
            match stands {
                Some(value) => standing.push((Key { span, text }, value)),
                None => checked.left_out.push((text, value.span.clone())),
            }
        }
        self.required(schema, entries, node, &seen, checked);
        self.complete(schema, node, &mut standing)?;
        Some(Node {
            span: node.span.clone(),
            data: Data::Map(standing),
        })
    }

    /// Returns what a key likely means, and the schema of its value; `None` where no one reads it.
    fn part<'a>(
        &self,
        schema: &'a Value,
        key: &'a Key,
        entries: &[(Key, Node)],
        checked: &mut Checked,
    ) -> (&'a str, Option<&'a Value>) {
        let known = schema["properties"].as_object();
        if let Some(part) = known.and_then(|known| known.get(&key.text)) {
            return (&key.text, Some(part));
        }
        match &schema["additionalProperties"] {
            more @ Value::Object(_) => return (&key.text, Some(more)),
            Value::Bool(false) => {}
            _ => return (&key.text, Some(&Value::Null)),
        }
        let names: Vec<&str> = known
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        let near = self.unknown_key(key, &names, checked);
        match near.filter(|near| !entries.iter().any(|(other, _)| other.text == *near)) {
            Some(near) => (near, known.and_then(|known| known.get(near))),
            None => (&key.text, None),
        }
    }

    /// Tells of a key that no one reads; returns the one that is likely meant.
    fn unknown_key<'a>(&self, key: &Key, names: &[&'a str], checked: &mut Checked) -> Option<&'a str> {
        let message = format!("`{}` is not a key that is known here", key.text);
        let fault = Diagnostic::error(self.codes.unknown_key, key.span.clone(), message);
        let near = did_you_mean(&key.text, names.iter().copied());
        checked.faults.push(match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help(format!("known here: {}", names.join(", "))),
        });
        near
    }

    fn duplicate_key(&self, key: &Key, first: &Key) -> Diagnostic {
        let message = format!("`{}` stands twice", key.text);
        Diagnostic::error(self.codes.duplicate_key, key.span.clone(), message)
            .help("keep one of the two")
            .label(first.span.clone(), "it stands here first")
    }

    /// Tells which keys are missing.
    fn required(
        &self,
        schema: &Value,
        entries: &[(Key, Node)],
        node: &Node,
        seen: &[&str],
        checked: &mut Checked,
    ) {
        if entries.len() == 1 && seen.is_empty() {
            // The one key that is there is not known: that is fault enough.
            return;
        }
        for name in required(schema).filter(|name| !seen.contains(name)) {
            let span = entries
                .first()
                .map_or(node.span.clone(), |(key, _)| key.span.clone());
            checked.faults.push(
                Diagnostic::error(self.codes.missing_key, span, format!("`{name}` is missing"))
                    .help(format!("add `{name}: …` beside this key")),
            );
        }
    }

    /// Puts the stand-ins where required keys do not stand; `None` where there is none for one of them.
    fn complete(&self, schema: &Value, node: &Node, standing: &mut Vec<(Key, Node)>) -> Option<()> {
        for name in required(schema) {
            if standing.iter().any(|(key, _)| key.text == name) {
                continue;
            }
            let stand_in = self.stand_ins.iter().find(|stand_in| stand_in.key == name)?;
            let mut value = Node::parse(stand_in.json).expect("a stand-in is JSON");
            value.span = node.span.clone();
            let span = node.span.clone();
            let text = name.to_owned();
            standing.push((Key { span, text }, value));
        }
        Some(())
    }

    fn list(&self, schema: &Value, items: &[Node], node: &Node, checked: &mut Checked) -> Option<Node> {
        let count = items.len() as u64;
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let most = schema["maxItems"].as_u64().unwrap_or(u64::MAX);
        let fits = (least..=most).contains(&count);
        if !fits {
            let wanted = match (least, most) {
                (least, most) if least == most => format!("exactly {least}"),
                (least, u64::MAX) => format!("at least {least}"),
                (_, most) => format!("at most {most}"),
            };
            let message = format!("expected {wanted} in the list, found {count}");
            self.value_fault(node, message, checked);
        }
        let mut standing = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let own = &schema["prefixItems"][index];
            let part = if own.is_null() { &schema["items"] } else { own };
            standing.extend(self.node(part, item, None, checked));
        }
        // In a list of fixed length every place has its meaning.
        let is_whole = standing.len() == items.len() || least != most;
        (fits && is_whole).then(|| Node {
            span: node.span.clone(),
            data: Data::List(standing),
        })
    }

    fn number(
        &self,
        schema: &Value,
        number: Option<f64>,
        node: &Node,
        checked: &mut Checked,
    ) -> Option<Node> {
        let number = number?;
        let least = schema["minimum"].as_f64().unwrap_or(f64::NEG_INFINITY);
        let most = schema["maximum"].as_f64().unwrap_or(f64::INFINITY);
        if number < least {
            return self.value_fault(node, format!("{number} is less than {least}"), checked);
        }
        if number > most {
            return self.value_fault(node, format!("{number} is more than {most}"), checked);
        }
        Some(node.clone())
    }

    /// One of several schemas must fit; where none does, the one that is nearest tells what is wrong.
    fn choice(&self, choices: &[Value], node: &Node, checked: &mut Checked) -> Option<Node> {
        let words: Vec<Value> = choices.iter().flat_map(words).collect();
        if words.len() >= choices.len() {
            return self.word(&words, node, checked);
        }
        match &node.data {
            Data::Text(_) if !words.is_empty() && !choices.iter().any(takes_any_text) => {
                return self.word(&words, node, checked);
            }
            Data::Map(entries) => {
                let tags: Vec<_> = choices.iter().filter_map(tag).collect();
                if tags.len() > 1 {
                    return self.tagged(&tags, entries, node, checked);
                }
            }
            _ => {}
        }
        let mut nearest: Option<Checked> = None;
        for choice in choices {
            let mut one = Checked::default();
            one.standing = self.node(choice, node, None, &mut one);
            if one.faults.is_empty() {
                return one.standing;
            }
            let fits = |checked: &Checked| {
                // A fault inside is nearer than another kind of value altogether.
                let faults = &checked.faults;
                let whole = faults.iter().filter(|fault| fault.span == node.span).count();
                (whole, faults.len())
            };
            if nearest.as_ref().is_none_or(|best| fits(&one) < fits(best)) {
                nearest = Some(one);
            }
        }
        let nearest = nearest?;
        checked.faults.extend(nearest.faults);
        checked.left_out.extend(nearest.left_out);
        nearest.standing
    }

    /// Exactly one of several keys must be there: the name of what its value is.
    fn tagged(
        &self,
        tags: &[(&str, &Value)],
        entries: &[(Key, Node)],
        node: &Node,
        checked: &mut Checked,
    ) -> Option<Node> {
        let names: Vec<&str> = tags.iter().map(|(name, _)| *name).collect();
        let Some(((first, value), rest)) = entries.split_first() else {
            let message = format!("expected one of {}, found nothing", names.join(", "));
            return self.value_fault(node, message, checked);
        };
        let meant = if names.contains(&first.text.as_str()) {
            Some(first.text.as_str())
        } else {
            self.unknown_key(first, &names, checked)
        };
        let part = tags.iter().find(|(name, _)| Some(*name) == meant);
        let standing = part.and_then(|(name, schema)| {
            let (span, text) = (first.span.clone(), (*name).to_owned());
            Some((Key { span, text }, self.node(schema, value, None, checked)?))
        });
        for (key, _) in rest {
            if names.contains(&key.text.as_str()) {
                let message = format!("`{}` stands beside `{}`, and only one can", key.text, first.text);
                checked.faults.push(
                    Diagnostic::error(self.codes.unknown_key, key.span.clone(), message)
                        .help("where this is a list, give it an item of its own, with a dash before it"),
                );
            } else {
                self.unknown_key(key, &names, checked);
            }
        }
        standing.map(|entry| Node {
            span: node.span.clone(),
            data: Data::Map(vec![entry]),
        })
    }

    fn word(&self, words: &[Value], node: &Node, checked: &mut Checked) -> Option<Node> {
        if words.contains(&node.to_json()) {
            return Some(node.clone());
        }
        let names: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        if names.is_empty() {
            let list: Vec<String> = words.iter().map(Value::to_string).collect();
            let message = format!("expected {}, found {}", list.join(" or "), found(node));
            return self.value_fault(node, message, checked);
        }
        let message = format!("expected one of {}, found {}", names.join(", "), found(node));
        let fault = Diagnostic::error(self.codes.wrong_value, node.span.clone(), message);
        let near = node
            .as_text()
            .and_then(|text| did_you_mean(text, names.iter().copied()));
        checked.faults.push(match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault,
        });
        near.map(|near| Node {
            span: node.span.clone(),
            data: Data::Text(near.to_owned()),
        })
    }

    fn value_fault(&self, node: &Node, message: String, checked: &mut Checked) -> Option<Node> {
        let fault = Diagnostic::error(self.codes.wrong_value, node.span.clone(), message);
        checked.faults.push(fault);
        None
    }
}
