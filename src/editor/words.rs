//! The words of formulas: what stands at a place, what it is, and what could be typed there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use super::{Proposal, Sort};
use crate::formula::builtin::{FUNCTIONS, INTERVALS, MEMBERS, METHODS, SERVICE_VARIABLES, ServiceVariable};
use crate::formula::{Formula, Scope};

/// What `$NodeDeallocationOption` can be set to.
const OPTIONS: &[(&str, &str)] = &[
    ("requeue", "running tasks stop and run again elsewhere"),
    ("terminate", "running tasks stop and do not run again"),
    ("taskcompletion", "running tasks are waited for"),
    (
        "retaineddata",
        "running tasks and what they keep on the node are waited for",
    ),
];

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$'
}

/// Returns the word that stands at a place, touches it or ends there.
pub(super) fn word_at(text: &str, at: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = bytes[..at]
        .iter()
        .rposition(|byte| !is_word(*byte))
        .map_or(0, |before| before + 1);
    let end = bytes[at..]
        .iter()
        .position(|byte| !is_word(*byte))
        .map_or(bytes.len(), |after| at + after);
    start..end
}

/// Explains a word of the language or of the formula, as Markdown.
pub(super) fn explain(word: &str, formula: &str) -> Option<String> {
    let signed = |signature: &str, doc: &str| format!("```\n{signature}\n```\n{doc}");
    if let Some(row) = FUNCTIONS.iter().find(|row| row.name == word) {
        let mut text = signed(row.signature, row.doc);
        for (example, printed) in row.examples {
            let _ = write!(text, "\n\n`{example}`: x is `{printed}`");
        }
        return Some(text);
    }
    if let Some(row) = METHODS.iter().find(|row| row.name == word) {
        return Some(signed(row.signature, row.doc));
    }
    if let Some((name, _, doc)) = MEMBERS.iter().find(|(name, ..)| *name == word) {
        return Some(signed(&format!("double .{name}"), doc));
    }
    if let Some((name, span)) = INTERVALS.iter().find(|(name, _)| *name == word) {
        return Some(signed(&format!("timeinterval {name}"), &format!("{span}")));
    }
    if let Some((name, variable, doc)) = SERVICE_VARIABLES.iter().find(|(name, ..)| *name == word) {
        return Some(signed(&format!("{} {name}", sort_of(*variable)), doc));
    }
    if let Some((name, doc)) = OPTIONS.iter().find(|(name, _)| *name == word) {
        return Some(signed(&format!("$NodeDeallocationOption = {name}"), doc));
    }
    let line = *assigned(formula).get(word)?;
    let types = types_of(word, formula).map_or(String::new(), |types| format!("{types} "));
    Some(signed(
        &format!("{types}{word}"),
        &format!("set in line {line} of this formula"),
    ))
}

const fn sort_of(variable: ServiceVariable) -> &'static str {
    match variable {
        ServiceVariable::Target { .. } => "target",
        ServiceVariable::Option => "option",
        ServiceVariable::Counter(_) => "number and data set",
        ServiceVariable::Sampled(_) => "data set",
    }
}

fn types_of(word: &str, formula: &str) -> Option<String> {
    let formula = Formula::compile(formula, &Scope::default()).ok()?;
    let variables = formula.checked().variables.iter();
    let types: Vec<&str> = variables
        .filter(|variable| &*variable.name == word)
        .map(|variable| variable.ty.word())
        .collect();
    (!types.is_empty()).then(|| types.join(" or "))
}

/// Returns the words that are set in a formula, with the line of the first time from 1.
fn assigned(formula: &str) -> BTreeMap<&str, usize> {
    let mut found = BTreeMap::new();
    let mut at = 0;
    while at < formula.len() {
        if !is_word(formula.as_bytes()[at]) {
            at += 1;
            continue;
        }
        let word = word_at(formula, at);
        at = word.end;
        let after = formula[word.end..].trim_start();
        let is_set = after.starts_with('=') && !after.starts_with("==");
        let text = &formula[word.clone()];
        let is_own = !SERVICE_VARIABLES.iter().any(|(name, ..)| *name == text);
        if is_set && is_own && !text.as_bytes()[0].is_ascii_digit() && is_code(formula, word.start) {
            let line = formula[..word.start].matches('\n').count() + 1;
            found.entry(text).or_insert(line);
        }
    }
    found
}

/// Says whether what stands at a place is neither in a comment nor in a string.
fn is_code(formula: &str, at: usize) -> bool {
    let bytes = formula.as_bytes();
    let mut here = 0;
    while here < at {
        let rest = &formula[here..];
        let end = if rest.starts_with("//") || rest.starts_with('#') {
            rest.find('\n')
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else if bytes[here] == b'"' {
            rest[1..].find('"').map(|end| end + 2)
        } else {
            here += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        match end {
            Some(end) if here + end <= at => here += end,
            _ => return false,
        }
    }
    true
}

/// Returns what could be typed at a place of a formula.
pub(super) fn propose(formula: &str, at: usize) -> Vec<Proposal> {
    let word = word_at(formula, at);
    if !is_code(formula, word.start) {
        return Vec::new();
    }
    let before = formula[..word.start].trim_end();
    if let Some(receiver) = before.strip_suffix('.') {
        return after_dot(receiver.trim_end());
    }
    let statement = before.rsplit(';').next().unwrap_or_default();
    let mut proposals = Vec::new();
    if let Some(target) = statement.trim_end().strip_suffix('=') {
        let target = target.trim_end();
        if target.ends_with("$NodeDeallocationOption") || target.ends_with("$TVMDeallocationOption") {
            proposals.extend(
                OPTIONS
                    .iter()
                    .map(|(name, doc)| proposal(name, Sort::Value, "deallocation option", doc)),
            );
        }
    }
    proposals.extend(
        SERVICE_VARIABLES
            .iter()
            .map(|(name, variable, doc)| proposal(name, Sort::Variable, sort_of(*variable), doc)),
    );
    proposals.extend(
        assigned(formula)
            .into_iter()
            .filter(|(name, _)| *name != &formula[word.clone()])
            .map(|(name, line)| {
                proposal(
                    name,
                    Sort::Variable,
                    "",
                    &format!("set in line {line} of this formula"),
                )
            }),
    );
    proposals.extend(FUNCTIONS.iter().map(|row| Proposal {
        around: ("(", ")"),
        ..proposal(row.name, Sort::Function, row.signature, row.doc)
    }));
    proposals.extend(
        INTERVALS
            .iter()
            .map(|(name, span)| proposal(name, Sort::Constant, "timeinterval", &format!("{span}"))),
    );
    proposals
}

fn after_dot(receiver: &str) -> Vec<Proposal> {
    let word = &receiver[word_at(receiver, receiver.len())];
    let is_sampled = SERVICE_VARIABLES.iter().any(|(name, variable, _)| {
        *name == word
            && matches!(
                variable,
                ServiceVariable::Counter(_) | ServiceVariable::Sampled(_)
            )
    });
    if is_sampled {
        let methods = METHODS.iter();
        return methods
            .map(|row| Proposal {
                around: ("(", ")"),
                ..proposal(row.name, Sort::Method, row.signature, row.doc)
            })
            .collect();
    }
    if word.starts_with(|c: char| c.is_ascii_digit()) {
        return Vec::new();
    }
    let members = MEMBERS.iter();
    members
        .map(|(name, _, doc)| proposal(name, Sort::Member, "double", doc))
        .collect()
}

fn proposal(label: &str, sort: Sort, detail: &str, doc: &str) -> Proposal {
    Proposal {
        label: label.to_owned(),
        sort,
        detail: detail.to_owned(),
        doc: doc.to_owned(),
        around: ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proposes at the `|` of a text.
    fn labels(text: &str) -> Vec<String> {
        let at = text.find('|').unwrap();
        let text = text.replacen('|', "", 1);
        propose(&text, at)
            .into_iter()
            .map(|proposal| proposal.label)
            .collect()
    }

    #[test]
    fn after_a_dot_come_the_methods_of_samples_or_the_members_of_times() {
        assert_eq!(labels("$x = $PendingTasks.Get|")[0], "GetSample");
        assert_eq!(labels("now = time(); h = now.|")[0], "year");
        assert_eq!(labels("h = time().|").len(), MEMBERS.len());
        assert_eq!(labels("x = 0.|"), [""; 0]);
    }

    #[test]
    fn everything_else_and_the_own_words_come_where_a_value_can_stand() {
        let found = labels("lanes = 2; // other = 3\ntext = \"third = 4\"; x = lan|");
        assert!(found.contains(&"lanes".to_owned()), "{found:?}");
        assert!(found.contains(&"max".to_owned()));
        assert!(found.contains(&"$TargetDedicatedNodes".to_owned()));
        assert!(found.contains(&"TimeInterval_Minute".to_owned()));
        assert!(!found.contains(&"other".to_owned()) && !found.contains(&"third".to_owned()));
    }

    #[test]
    fn options_come_first_where_the_option_is_set() {
        assert_eq!(labels("$NodeDeallocationOption = |")[0], "requeue");
        assert_ne!(labels("$TargetDedicatedNodes = |")[0], "requeue");
    }

    #[test]
    fn nothing_is_proposed_in_comments_and_strings() {
        assert_eq!(labels("// the mean ma|"), [""; 0]);
        assert_eq!(labels("x = time(\"20|\")"), [""; 0]);
        assert_eq!(labels("/* a\n ma| */ x = 1"), [""; 0]);
        assert_ne!(labels("/* a */ x = ma|"), [""; 0]);
    }

    #[test]
    fn words_are_explained_by_the_reference_and_by_the_formula() {
        let formula = "span = TimeInterval_Minute * 5;\nlanes = 2;";
        let of = |word| explain(word, formula).unwrap_or_default();
        assert!(of("percentile").contains("nearest rank"));
        assert!(of("percentile").contains("x is `20`"));
        assert!(of("$PendingTasks").starts_with("```\ndata set $PendingTasks"));
        assert!(of("lanes").contains("double lanes"), "{}", of("lanes"));
        assert!(of("lanes").contains("line 2"));
        assert!(of("span").contains("timeinterval span"));
        assert!(of("taskcompletion").contains("waited for"));
        assert_eq!(explain("nothing", formula), None);
    }

    #[test]
    fn a_word_is_found_from_each_of_its_letters_and_its_end() {
        let text = "a = $PendingTasks.Count();";
        let start = text.find('$').unwrap();
        for at in start..=start + "$PendingTasks".len() {
            assert_eq!(&text[word_at(text, at)], "$PendingTasks");
        }
        assert_eq!(&text[word_at(text, text.len())], "");
        assert_eq!(word_at("", 0), 0..0);
    }
}
