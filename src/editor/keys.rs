//! The keys and values of YAML files: what could be typed at a place, and what it means, by the schema of the file.

use std::fmt::Write as _;
use std::ops::Range;

use serde_json::Value;

use super::schema::Schema;
use super::spot::{Role, Step, find};
use super::words;
use super::{Proposal, Sort};

/// Returns what could be typed at a place, and the bytes that it takes the place of.
pub(super) fn propose(text: &str, at: usize, schema: &Value) -> (Range<usize>, Vec<Proposal>) {
    let spot = find(text, at);
    let schema = Schema(schema);
    if let Role::Block(bytes) = &spot.role {
        if !is_formula(&spot.path) {
            return (spot.word, Vec::new());
        }
        let inside = at.saturating_sub(bytes.start);
        let formula = &text[bytes.clone()];
        let word = words::word_at(formula, inside);
        let word = bytes.start + word.start..bytes.start + word.end;
        return (word, words::propose(formula, inside));
    }
    let here = schema.choices(&schema.at(&spot.path));
    let mut proposals: Vec<Proposal> = Vec::new();
    if spot.role == Role::Key {
        for part in &here {
            for (key, value) in part["properties"].as_object().into_iter().flatten() {
                let is_new =
                    !spot.beside.contains(key) && !proposals.iter().any(|proposal| proposal.label == *key);
                if is_new {
                    proposals.push(Proposal {
                        label: key.clone(),
                        sort: Sort::Key,
                        detail: schema.sort(value),
                        doc: schema.described(value).to_owned(),
                        around: (": ", ""),
                    });
                }
            }
        }
    }
    for part in here {
        for (word, said) in schema.words(part) {
            if !proposals.iter().any(|proposal| proposal.label == word) {
                proposals.push(Proposal {
                    label: word,
                    sort: Sort::Value,
                    detail: String::new(),
                    doc: said.to_owned(),
                    around: ("", ""),
                });
            }
        }
    }
    (spot.word, proposals)
}

/// Explains what stands at a place as Markdown, and tells its bytes.
pub(super) fn explain(text: &str, at: usize, schema: &Value) -> Option<(Range<usize>, String)> {
    let spot = find(text, at);
    let schema = Schema(schema);
    if let Role::Block(bytes) = &spot.role {
        let formula = is_formula(&spot.path).then(|| &text[bytes.clone()])?;
        let word = words::word_at(formula, at.saturating_sub(bytes.start));
        let said = words::explain(&formula[word.clone()], formula)?;
        return Some((bytes.start + word.start..bytes.start + word.end, said));
    }
    let word = text[spot.word.clone()].to_owned();
    if word.is_empty() {
        return None;
    }
    let mut path = spot.path;
    if spot.role == Role::Value {
        // A word of a value has a meaning of its own; a number or a text has that of its key.
        let said = schema.at(&path).into_iter().find_map(|part| {
            let words = schema.words(part).into_iter();
            words
                .into_iter()
                .find(|(known, said)| *known == word && !said.is_empty())
        });
        if let Some((word, said)) = said {
            return Some((spot.word, format!("`{word}`: {said}")));
        }
        while matches!(path.last(), Some(Step::Item)) {
            path.pop();
        }
    } else {
        path.push(Step::Key(word));
    }
    let Some(Step::Key(key)) = path.last() else {
        return None;
    };
    let part = schema.at(&path).into_iter().next()?;
    Some((spot.word, meaning(&schema, key, part)))
}

fn meaning(schema: &Schema<'_>, key: &str, part: &Value) -> String {
    let mut text = format!("`{key}`: {}", schema.sort(part));
    let said = schema.described(part);
    if !said.is_empty() {
        let _ = write!(text, "\n\n{said}");
    }
    let words = schema.words(part);
    if words.len() > 1 {
        let words: Vec<String> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        let _ = write!(text, "\n\nOne of {}.", words.join(", "));
    }
    match part.get("default") {
        None | Some(Value::Null) => {}
        Some(Value::String(word)) => {
            let _ = write!(text, "\n\nWhen left out: `{word}`.");
        }
        Some(default) => {
            let _ = write!(text, "\n\nWhen left out: `{default}`.");
        }
    }
    text
}

/// Says whether a block is a formula: the text of one in a policy.
fn is_formula(path: &[Step]) -> bool {
    let key = |at: usize| match path.len().checked_sub(at).and_then(|at| path.get(at)) {
        Some(Step::Key(key)) => Some(key.as_str()),
        Some(Step::Item) | None => None,
    };
    key(1) == Some("formula") || (key(1) == Some("text") && key(2) == Some("formula"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        crate::policy::schema().to_value()
    }

    fn split(text: &str) -> (String, usize) {
        (text.replacen('^', "", 1), text.find('^').unwrap())
    }

    fn labels(text: &str) -> Vec<String> {
        let (text, at) = split(text);
        let (_, proposals) = propose(&text, at, &schema());
        proposals.into_iter().map(|proposal| proposal.label).collect()
    }

    #[test]
    fn the_keys_that_are_missing_are_proposed() {
        let found = labels("version: 1\npool: a\n^");
        assert!(found.contains(&"demand".to_owned()), "{found:?}");
        assert!(!found.contains(&"pool".to_owned()));
        let found = labels("demand:\n  - ^");
        for key in ["backlog", "formula", "queue", "schedule", "track", "forecast"] {
            assert!(found.contains(&key.to_owned()), "{key} of {found:?}");
        }
        assert_eq!(labels("bounds: { total: [0, 4], ^ }"), ["dedicated", "spot"]);
    }

    #[test]
    fn the_words_of_a_value_are_proposed() {
        let found = labels("mode: ^");
        assert!(found.contains(&"shadow".to_owned()), "{found:?}");
        let found = labels("scaleIn: { deallocation: ^");
        assert!(found.contains(&"taskcompletion".to_owned()), "{found:?}");
    }

    #[test]
    fn inside_of_a_formula_its_own_words_are() {
        let text = "demand:\n  - formula:\n      text: |\n        lanes = 2;\n        $x = $PendingTasks.^\n";
        assert_eq!(labels(text)[0], "GetSample");
        let (text, at) = split("demand:\n  - formula:\n      text: |\n        $x = ma^x(1);\n");
        let (bytes, said) = explain(&text, at, &schema()).unwrap();
        assert_eq!(&text[bytes], "max");
        assert!(said.contains("largest number"));
    }

    #[test]
    fn keys_and_words_are_explained() {
        let said = |text: &str| {
            let (text, at) = split(text);
            explain(&text, at, &schema()).unwrap_or_default().1
        };
        assert!(said("inter^val: 30s").contains("How often it looks"));
        assert!(said("interval: 3^0s").contains("How often it looks"));
        assert!(
            said("mode: shad^ow").starts_with("`shadow`: "),
            "{}",
            said("mode: shad^ow")
        );
        assert!(said("mo^de: full").contains("`outOnly`"));
        assert!(said("mo^de: full").contains("When left out: `full`"));
        assert!(said("bounds: { to^tal: [0, 4] }").contains("`total`: list"));
        assert_eq!(said("unknown^: 1"), "");
    }
}
