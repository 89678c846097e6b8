//! What may stand where, from the schema of a file.

use serde_json::Value;

use super::spot::Step;

/// How deep references and choices are followed; ours are three deep, and a loop ends here.
const DEPTH_MAX: usize = 16;

/// The schema of a file.
pub(super) struct Schema<'a>(pub(super) &'a Value);

impl<'a> Schema<'a> {
    /// Returns what may stand at the end of a way: the parts of the schema as they are written there.
    pub(super) fn at(&self, path: &[Step]) -> Vec<&'a Value> {
        let mut here = vec![self.0];
        for step in path {
            here = self
                .choices(&here)
                .into_iter()
                .flat_map(|part| match step {
                    Step::Key(key) => values(part, key),
                    Step::Item => items(part),
                })
                .collect();
        }
        here
    }

    /// Follows references and takes choices apart.
    pub(super) fn choices(&self, parts: &[&'a Value]) -> Vec<&'a Value> {
        let mut found = Vec::new();
        for part in parts {
            self.choose(part, DEPTH_MAX, &mut found);
        }
        found
    }

    fn choose(&self, part: &'a Value, depth: usize, found: &mut Vec<&'a Value>) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if let Some(name) = part["$ref"]
            .as_str()
            .and_then(|name| name.strip_prefix("#/$defs/"))
        {
            self.choose(&self.0["$defs"][name], depth, found);
        }
        let of = |word: &str| part[word].as_array().into_iter().flatten();
        for choice in of("anyOf").chain(of("oneOf")).chain(of("allOf")) {
            self.choose(choice, depth, found);
        }
        found.push(part);
    }

    /// Returns what is said of a part: where it is used, and else where it is defined.
    pub(super) fn described(&self, part: &'a Value) -> &'a str {
        let own = part["description"].as_str();
        own.or_else(|| {
            let mut choices = self.choices(&[part]).into_iter();
            choices.find_map(|choice| choice["description"].as_str())
        })
        .unwrap_or_default()
    }

    /// Returns the words that a part may be, each with what is said of it.
    pub(super) fn words(&self, part: &'a Value) -> Vec<(String, &'a str)> {
        let mut words: Vec<(String, &'a str)> = Vec::new();
        for choice in self.choices(&[part]) {
            let said = choice["description"].as_str().unwrap_or_default();
            let mut add = |word: &Value, said: &'a str| {
                let word = word.as_str().map_or_else(|| word.to_string(), str::to_owned);
                if !words.iter().any(|(known, _)| *known == word) {
                    words.push((word, said));
                }
            };
            for word in choice["enum"].as_array().into_iter().flatten() {
                add(word, "");
            }
            if let Some(word) = choice.get("const") {
                add(word, said);
            }
            if choice["type"] == "boolean" {
                add(&Value::Bool(true), "");
                add(&Value::Bool(false), "");
            }
        }
        words
    }

    /// Returns the kinds of value that a part may be.
    pub(super) fn sort(&self, part: &'a Value) -> String {
        let mut sorts: Vec<&str> = Vec::new();
        for choice in self.choices(&[part]) {
            let one = choice["type"].as_str().into_iter();
            let several = choice["type"].as_array().into_iter().flatten();
            for sort in one.chain(several.filter_map(Value::as_str)) {
                let sort = match sort {
                    "object" => "map",
                    "array" => "list",
                    "string" => "text",
                    "integer" => "whole number",
                    other => other,
                };
                if sort != "null" && !sorts.contains(&sort) {
                    sorts.push(sort);
                }
            }
        }
        sorts.join(" or ")
    }
}

fn values<'a>(part: &'a Value, key: &str) -> Vec<&'a Value> {
    let known = part["properties"].get(key);
    let more = Some(&part["additionalProperties"]).filter(|more| more.is_object());
    known.or(more).into_iter().collect()
}

fn items(part: &Value) -> Vec<&Value> {
    let own = part["prefixItems"].as_array().into_iter().flatten();
    let each = Some(&part["items"]).filter(|items| items.is_object());
    own.chain(each).collect()
}
