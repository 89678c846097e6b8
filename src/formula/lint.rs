//! What is likely not meant, in a formula that can be read.
//!
//! Each lint is a function from a [`Room`] to diagnostics; the codes, with a bad and a good example each, are
//! [`codes`](super::codes). Lints look at the typed tree, at the proven values of its expressions (`range`) and at the
//! flow of values between statements; what cannot be proven is not said.

mod bounds;
mod calendar;
mod conditions;
mod feedback;
mod flow;
mod guards;
mod leaves;
mod names;
mod samples;
mod sizing;
mod statements;
mod windows;

use flow::{Flow, Spot};

use super::Formula;
use super::checked::{Checked, Kind, Node};
use super::range::targets::Analysis;
use crate::base::{Code, Diagnostic, Span};

/// Returns what is likely not meant in a formula, by place and code: warnings and notes.
///
/// What the checker finds (F1xx, F3xx) is in [`Formula::diagnostics`] and not repeated.
pub fn lint(formula: &Formula) -> Vec<Diagnostic> {
    let analysis = Analysis::of(formula);
    let room = Room {
        formula,
        checked: formula.checked(),
        flow: Flow::of(formula.checked(), &analysis.facts),
        analysis: &analysis,
    };
    let mut found = Vec::new();
    for lint in LINTS {
        lint(&room, &mut found);
    }
    drop_echoes(&mut found);
    found.sort_by_key(|row| (row.span.start, row.span.end, row.code));
    found
}

/// Returns how far back a formula looks at its samples at the most; `None` where its text does not tell.
pub fn looks_back(formula: &Formula) -> Option<Span> {
    let analysis = Analysis::of(formula);
    let room = Room {
        formula,
        checked: formula.checked(),
        flow: Flow::of(formula.checked(), &analysis.facts),
        analysis: &analysis,
    };
    windows::farthest(&room)
}

type Lint = fn(&Room<'_>, &mut Vec<Diagnostic>);

const LINTS: &[Lint] = &[
    conditions::conditions,
    calendar::weekday_out_of_range,
    calendar::sunday_as_workday,
    calendar::hours_in_utc,
    sizing::only_active_tasks,
    sizing::slots_ignored,
    sizing::double_capacity,
    sizing::other_lane,
    feedback::ratchet,
    feedback::stall,
    feedback::never_leaves_zero,
    feedback::one_task_starts_nothing,
    bounds::upper_bound,
    bounds::negative,
    bounds::clamped_away,
    bounds::zero_divisor,
    windows::percent_as_fraction,
    windows::wanted_percents,
    windows::look_backs,
    windows::counts,
    guards::guards,
    guards::sparse_to_maximum,
    samples::newest_only,
    samples::order_dependent,
    samples::hidden_preemption,
    samples::preempted_count,
    samples::retired,
    names::deprecated,
    names::both_names,
    names::deallocation,
    names::lost_dollar,
    names::placeholders,
    statements::unused,
    statements::overwritten,
    statements::without_effect,
    statements::chance,
    statements::joined_lines,
    statements::sets_nothing,
    statements::after_stop,
    statements::of_one_number,
];

/// What a lint can look at.
struct Room<'a> {
    formula: &'a Formula,
    checked: &'a Checked,
    flow: Flow<'a>,
    analysis: &'a Analysis<'a>,
}

impl<'a> Room<'a> {
    /// Returns an expression as it is written, on one line and shortened to what a message can hold.
    fn text(&self, node: &Node) -> String {
        let words: Vec<&str> = self.source_of(node).split_whitespace().collect();
        let text = words.join(" ");
        if text.chars().count() <= 60 {
            return text;
        }
        text.chars().take(57).chain("...".chars()).collect()
    }

    /// Returns an expression as it is written.
    fn source_of(&self, node: &Node) -> &'a str {
        self.formula.source().get(node.span.clone()).unwrap_or_default()
    }

    /// Says whether two expressions are written alike, white space apart.
    fn is_same_text(&self, one: &Node, other: &Node) -> bool {
        let letters = |node| {
            self.source_of(node)
                .chars()
                .filter(|letter| !letter.is_whitespace())
        };
        letters(one).eq(letters(other))
    }

    /// Calls `visit` on each expression of each statement, outermost first.
    fn each(&self, visit: &mut dyn FnMut(Spot<'a>)) {
        for (statement, row) in self.checked.statements.iter().enumerate() {
            row.value.walk(&mut |node| visit(Spot { statement, node }));
        }
    }

    /// Calls `visit` on each comparison with a number: the comparison, the side that is compared, the other side and the
    /// number that it always is. Where both sides are numbers it is called for each.
    fn each_comparison(&self, visit: &mut dyn FnMut(Spot<'a>, Spot<'a>, &'a Node, f64)) {
        self.each(&mut |spot| {
            let Kind::Binary(operator, _, left, right) = &spot.node.kind else {
                return;
            };
            if !operator.is_comparison() {
                return;
            }
            for (node, other) in [(left, right), (right, left)] {
                if let Some(number) = self.constant(other) {
                    visit(spot, Spot { node, ..spot }, other, number);
                }
            }
        });
    }

    /// Returns the only number that an expression can be.
    fn constant(&self, node: &Node) -> Option<f64> {
        self.analysis.facts.value(node).numbers().only()
    }
}

/// A weekday of 7 says all that there is to say about the condition that it stands in.
fn drop_echoes(found: &mut Vec<Diagnostic>) {
    let said: Vec<_> = found
        .iter()
        .filter(|row| row.code == Code("F208"))
        .map(|row| row.span.clone())
        .collect();
    let echoes = [Code("F201"), Code("F202"), Code("F209")];
    found.retain(|row| {
        let inside = |span: &std::ops::Range<usize>| row.span.start <= span.start && span.end <= row.span.end;
        !(echoes.contains(&row.code) && said.iter().any(inside))
    });
}
