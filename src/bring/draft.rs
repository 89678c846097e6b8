//! A policy that is being made, and how it is written down.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::account::{NodeDeallocationOption, PoolPattern};
use crate::base::{Diagnostic, Lane, Nodes, Severity, Span};

/// A policy out of what runs elsewhere, with everything that is to be said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// The name of its files: the pool's id, or what stands for it.
    pub name: String,
    /// The pools that it speaks of.
    pub pool: PoolPattern,
    /// Where it comes from and what was recognised, a paragraph each; it stands at the top.
    pub origin: Vec<String>,
    /// How often it looks, with a remark; the policy's own when left out.
    pub interval: Option<(Span, Option<String>)>,
    /// What says how many nodes are needed.
    pub wanted: Wanted,
    /// The bounds that are known.
    pub bounds: Vec<Bound>,
    /// Whether formulas take nodes away on whatever samples there are, as they do in the service.
    pub as_service: bool,
    /// What is done to running tasks, where no formula says so.
    pub deallocation: Option<NodeDeallocationOption>,
    /// What could not be brought or had to be assumed, a sentence each.
    pub notes: Vec<String>,
    /// What the checks say of the formula.
    pub diagnostics: Vec<Diagnostic>,
}

/// What says how many nodes are needed.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A formula, verbatim, that splits its targets itself.
    Formula(Arc<str>),
    /// The tasks that wait, each kind of node where it costs least.
    Backlog,
    /// So many nodes at such times, in UTC.
    Schedule(Vec<Rule>),
}

/// One rule of a schedule in UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When it begins to hold.
    pub cron: String,
    /// How long it holds.
    pub lasts: Span,
    /// The usable nodes that are needed while it holds.
    pub at_least: Nodes,
}

/// The least and the most nodes of a lane, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The lane.
    pub lane: Lane,
    /// The least.
    pub min: Nodes,
    /// The most.
    pub max: Nodes,
    /// Where the two come from.
    pub remark: Option<String>,
}

/// Comments are as wide as those of the policies that come with the house.
const WIDTH: usize = 118;

impl Draft {
    /// Returns a draft of which only the pool and what it wants are known.
    pub(super) fn new(name: &str, pool: PoolPattern, wanted: Wanted) -> Self {
        Self {
            name: name.to_owned(),
            pool,
            origin: Vec::new(),
            interval: None,
            wanted,
            bounds: Vec::new(),
            as_service: false,
            deallocation: None,
            notes: Vec::new(),
            diagnostics: Vec::new(),
        }
    }

    /// Says whether its formula has errors, so that no policy can be made of it.
    pub fn has_errors(&self) -> bool {
        self.diagnostics
            .iter()
            .any(|found| found.severity == Severity::Error)
    }

    /// Returns the formula, verbatim.
    pub fn formula(&self) -> Option<&str> {
        match &self.wanted {
            Wanted::Formula(text) => Some(text),
            Wanted::Backlog | Wanted::Schedule(_) => None,
        }
    }

    /// Returns the policy; the formula stands in the file of that name beside it, or in the policy itself.
    pub fn yaml(&self, formula_file: Option<&str>) -> String {
        let mut text = String::new();
        for paragraph in &self.origin {
            comment(&mut text, "", paragraph);
        }
        // Writing to a string cannot fail.
        let _ = writeln!(text, "version: 1\npool: {}", scalar(self.pool.as_str()));
        comment(
            &mut text,
            "",
            "In shadow it decides and tells, and orders nothing: its decisions can be held against those of the pool's own \
             autoscale. Orders need that to be off first (az batch pool autoscale disable), and mode: full.",
        );
        text += "mode: shadow\n";
        if let Some((interval, remark)) = &self.interval {
            comment(&mut text, "", remark.as_deref().unwrap_or_default());
            let _ = writeln!(text, "interval: {}", interval.in_short());
        }
        text += "\ndemand:\n";
        self.demand(&mut text, formula_file);
        self.limits(&mut text);
        if self.as_service {
            text += "\nguards:\n";
            comment(
                &mut text,
                "  ",
                "As in the service, a formula takes nodes away on whatever samples there are. Without this line missing \
                 samples take none away.",
            );
            text += "  missing: { then: ignore }\n";
        }
        if let Some(option) = self.deallocation {
            let _ = writeln!(text, "\nscaleIn: {{ deallocation: {option} }}");
        }
        text
    }

    fn demand(&self, text: &mut String, formula_file: Option<&str>) {
        let _ = match (&self.wanted, formula_file) {
            (Wanted::Formula(_), Some(file)) => {
                writeln!(text, "  - formula: {{ file: {}, role: targets }}", scalar(file))
            }
            (Wanted::Formula(formula), None) => {
                writeln!(
                    text,
                    "  - formula:\n      role: targets\n      text: {}",
                    block(formula, 8)
                )
            }
            (Wanted::Backlog, _) => writeln!(text, "  - backlog: {{}}"),
            (Wanted::Schedule(rules), _) => {
                *text += "  - schedule:\n      timezone: UTC\n      rules:\n";
                for rule in rules {
                    let (cron, lasts, least) = (&rule.cron, rule.lasts.in_short(), rule.at_least);
                    let _ = writeln!(
                        text,
                        "        - {{ cron: \"{cron}\", for: {lasts}, atLeast: {least} }}"
                    );
                }
                Ok(())
            }
        };
    }

    fn limits(&self, text: &mut String) {
        if !self.bounds.is_empty() {
            *text += "\nbounds:\n";
        }
        for bound in &self.bounds {
            comment(text, "  ", bound.remark.as_deref().unwrap_or_default());
            let _ = writeln!(text, "  {}: [{}, {}]", bound.lane, bound.min, bound.max);
        }
        if matches!(self.wanted, Wanted::Backlog) {
            *text += "\nmix:\n  objective: expectedCost\n";
        }
    }
}

/// Adds a comment, broken between words.
fn comment(text: &mut String, indent: &str, paragraph: &str) {
    let mut line = String::new();
    for word in paragraph.split_whitespace() {
        let grown = indent.len() + 2 + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && grown > WIDTH {
            let _ = writeln!(text, "{indent}#{line}");
            line.clear();
        }
        line.extend([" ", word]);
    }
    if !line.is_empty() {
        let _ = writeln!(text, "{indent}#{line}");
    }
}

/// Returns a text as YAML reads it back: bare where that is plain, else in quotes.
pub(super) fn scalar(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if starts_plain && text.chars().all(plain) {
        text.to_owned()
    } else {
        serde_json::to_string(text).expect("a text is JSON")
    }
}

/// Returns a text verbatim: as a block below, or in quotes where a block would change it.
fn block(text: &str, indent: usize) -> String {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let is_safe = !body.is_empty()
        && !body.trim_start_matches('\n').starts_with(' ')
        && !body.ends_with([' ', '\n'])
        && body
            .chars()
            .all(|c| matches!(c, ' '..='~' | '\n' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}'))
        && !body.contains(['\u{2028}', '\u{2029}']);
    if !is_safe {
        return serde_json::to_string(text).expect("a text is JSON");
    }
    let keep = if text.ends_with('\n') { "|" } else { "|-" };
    let mut block = keep.to_owned();
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.extend([&" ".repeat(indent), line]);
        }
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::document::Node;

    #[test]
    fn a_formula_comes_back_byte_for_byte_whatever_is_in_it() {
        for text in [
            "x = 1;\n",
            "x = 1;",
            "// first\n\nx = 1;\n  y = 2;\n",
            "x = 1;\r\ny = 2;\r\n",
            "  x = 1;\n",
            "\nx = 1;\n",
            "\n\n  x = 1;\n",
            "x = 1;\n\n",
            "x = 1;  \ny = 2; ",
            "x = 1; // \u{fc} \u{1f600} # : \" '\n",
            "x =\t1;\n",
            "\u{feff}x = 1;",
            "",
            " \n",
            "- a: b\n# c\n",
        ] {
            let draft = Draft::new("a", "a".parse().unwrap(), Wanted::Formula(text.into()));
            let yaml = draft.yaml(None);
            let document = Node::parse(&yaml).unwrap_or_else(|error| panic!("{error:?} in\n{yaml}"));
            let read = document.at(&["demand", "0", "formula", "text"]).unwrap();
            assert_eq!(read.as_text(), Some(text), "{yaml}");
        }
    }

    #[test]
    fn names_of_files_are_quoted_where_they_must_be() {
        for (name, written) in [
            ("a.formula", "a.formula"),
            ("1.formula", "\"1.formula\""),
            ("-a.formula", "\"-a.formula\""),
            ("a b", "\"a b\""),
        ] {
            assert_eq!(scalar(name), written);
        }
    }
}
