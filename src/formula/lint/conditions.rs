//! Conditions that decide nothing.

use super::Room;
use super::flow::Spot;
use crate::base::{Code, Diagnostic};
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::Function;
use crate::formula::checked::{Kind, Node};
use crate::formula::range::walk::is_condition;

/// Where a condition stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    /// It is a value of its own or the test of a ternary.
    Whole,
    /// It is one side of `&&` or `||`, or behind `!`.
    Part,
}

/// Never-true, always-true and constant conditions, comparisons with themselves, equal arms, `!!`.
pub(super) fn conditions(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for (statement, row) in room.checked.statements.iter().enumerate() {
        let spot = Spot {
            statement,
            node: &row.value,
        };
        visit(room, spot, Role::Whole, out);
    }
}

fn visit<'a>(room: &Room<'a>, spot: Spot<'a>, role: Role, out: &mut Vec<Diagnostic>) {
    let node = spot.node;
    shape(room, node, out);
    if is_condition(node) && decided(room, spot, role, out) {
        return;
    }
    let part = matches!(&node.kind, Kind::Binary(operator, ..) if operator.is_logical())
        || matches!(node.kind, Kind::Unary(UnaryOp::Not, ..));
    let role = if part { Role::Part } else { Role::Whole };
    for child in node.children() {
        visit(room, Spot { node: child, ..spot }, role, out);
    }
}

/// Reports a condition with one outcome; says whether nothing below it needs to be said.
fn decided<'a>(room: &Room<'a>, spot: Spot<'a>, role: Role, out: &mut Vec<Diagnostic>) -> bool {
    let node = spot.node;
    let text = room.text(node);
    if !has_names(node) {
        let outcome = if room.constant(node) == Some(0.0) {
            "never"
        } else {
            "always"
        };
        let message = format!("`{text}` is {outcome} true: there is nothing in it that can change");
        out.push(
            Diagnostic::warning(Code("F203"), node.span.clone(), message)
                .help("drop the condition, or name the setting that it stands for"),
        );
        return true;
    }
    // A setting at the top of the formula is compared on purpose.
    if room.flow.leaves(spot).is_constant() || compares_itself(room, node) {
        return true;
    }
    let Some(truth) = room.analysis.facts.truth(node) else {
        return false;
    };
    if !truth.yes {
        let message = format!("`{text}` is never true");
        let found = Diagnostic::warning(Code("F201"), node.span.clone(), message);
        out.push(with_proof(room, node, found).help(way_out_of_never(node)));
        return true;
    }
    if !truth.no && role == Role::Whole {
        let message = format!("`{text}` is always true");
        let found = Diagnostic::warning(Code("F202"), node.span.clone(), message);
        out.push(with_proof(room, node, found).help(way_out_of_always(node)));
        return true;
    }
    false
}

fn with_proof(room: &Room<'_>, node: &Node, found: Diagnostic) -> Diagnostic {
    if room.analysis.facts.weekdays(node).is_some() {
        let place = node.span.clone();
        return found.label(place, "tried at each of the 168 hours of a week");
    }
    let Kind::Binary(operator, _, left, right) = &node.kind else {
        return found;
    };
    if !operator.is_comparison() {
        return found;
    }
    [left, right].into_iter().fold(found, |found, side| {
        let numbers = room.analysis.facts.value(side).numbers();
        if matches!(side.kind, Kind::Number(_)) || numbers.is_empty() || numbers.nan {
            return found;
        }
        let text = match numbers.only() {
            Some(only) => format!("always {only}"),
            None => format!("from {} to {}", numbers.low, numbers.high),
        };
        found.label(side.span.clone(), text)
    })
}

fn way_out_of_never(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Binary(BinaryOp::And, ..) => "its two sides exclude each other: was `||` meant?",
        _ => "compare with a number that the other side can reach",
    }
}

fn way_out_of_always(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Binary(BinaryOp::Or, ..) => "its two sides cover everything: was `&&` meant?",
        _ => "drop the condition, or compare with a number that makes a difference",
    }
}

/// Says whether anything in the expression has a name: a variable, a sample, the time.
fn has_names(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| {
        found |= !matches!(
            node.kind,
            Kind::Number(_)
                | Kind::Text(_)
                | Kind::Interval(_)
                | Kind::Unary(..)
                | Kind::Binary(..)
                | Kind::Conditional(..)
        );
    });
    found
}

fn compares_itself(room: &Room<'_>, node: &Node) -> bool {
    match &node.kind {
        Kind::Binary(operator, _, left, right) if operator.is_comparison() => {
            has_names(left) && !has_chance(left) && room.is_same_text(left, right)
        }
        _ => false,
    }
}

fn has_chance(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| {
        found |= matches!(
            node.kind,
            Kind::Call {
                function: Function::Rand,
                ..
            }
        );
    });
    found
}

/// Reports what can be seen without knowing any value.
fn shape(room: &Room<'_>, node: &Node, out: &mut Vec<Diagnostic>) {
    let text = room.text(node);
    match &node.kind {
        Kind::Binary(operator, _, left, right) if operator.is_comparison() => {
            if compares_itself(room, node) {
                let message = format!("`{text}` compares `{}` with itself", room.text(left));
                out.push(
                    Diagnostic::warning(Code("F204"), node.span.clone(), message)
                        .help("compare with the other value that was meant"),
                );
            }
            if let Some(inner) = [left, right].into_iter().find(|side| is_ordering(side)) {
                let message = format!(
                    "`{text}` compares the truth of `{}`, which is 0 or 1",
                    room.text(inner)
                );
                out.push(
                    Diagnostic::warning(Code("F206"), node.span.clone(), message)
                        .label(inner.span.clone(), "1 when true, 0 when not")
                        .help("write both comparisons: a < b && b < c"),
                );
            }
        }
        Kind::Conditional(_, then, otherwise) if !has_chance(then) && room.is_same_text(then, otherwise) => {
            let message = format!("both arms are `{}`, so the test decides nothing", room.text(then));
            out.push(
                Diagnostic::warning(Code("F205"), node.span.clone(), message)
                    .label(otherwise.span.clone(), "the same as the other arm")
                    .help("write the value alone, or the arm that was meant"),
            );
        }
        Kind::Unary(operator, _, inner) if matches!(&inner.kind, Kind::Unary(again, ..) if again == operator) =>
        {
            let symbol = operator.symbol();
            let message = format!("`{text}` takes `{symbol}` back with a second `{symbol}`");
            let found = Diagnostic::warning(Code("F207"), node.span.clone(), message);
            out.push(found.help("leave both out; write x != 0 to make a truth value of a number"));
        }
        _ => {}
    }
}

/// Says whether an expression is `<`, `<=`, `>` or `>=`; comparing truths with `==` is done on purpose.
fn is_ordering(node: &Node) -> bool {
    matches!(
        &node.kind,
        Kind::Binary(
            BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual,
            ..
        )
    )
}
