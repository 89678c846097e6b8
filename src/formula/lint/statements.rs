//! Statements that do nothing, do it twice, or are not what the line looks like.

use super::Room;
use super::flow::Spot;
use crate::base::{Code, Diagnostic};
use crate::formula::ast::{BinaryOp, Expr, ExprKind};
use crate::formula::builtin::{Function, ServiceVariable, Type};
use crate::formula::checked::{CheckedStatement, Kind, Node, Target};

/// A variable that no statement reads; it still shows up in the results, so this is a note.
pub(super) fn unused(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let mut said: Vec<&str> = Vec::new();
    for row in &room.checked.statements {
        let Target::Variable(index) = &row.target else {
            continue;
        };
        let name: &str = &room.checked.variables[index.0].name;
        // A service's name without its `$` is another matter.
        let lost_dollar = ServiceVariable::named(&format!("${name}")).is_some();
        if said.contains(&name)
            || lost_dollar
            || room
                .checked
                .statements
                .iter()
                .any(|row| reads(room, &row.value, name))
        {
            continue;
        }
        said.push(name);
        let message = format!("{name} is set and never read; it only shows up in the results");
        let found = Diagnostic::note(Code("F241"), row.target_span.clone(), message);
        out.push(found.help("drop it, unless it is there to be seen"));
    }
}

fn reads(room: &Room<'_>, value: &Node, name: &str) -> bool {
    let mut found = false;
    value.walk(&mut |node| {
        found |= matches!(&node.kind, Kind::Variable(read) if *room.checked.variables[read.0].name == *name);
    });
    found
}

/// A value that the next assignment to the same name replaces before anything reads it.
pub(super) fn overwritten(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let rows = &room.checked.statements;
    for (index, row) in rows.iter().enumerate() {
        let later = &rows[index + 1..];
        let Some(next) = later.iter().position(|other| sets_same(room, row, other)) else {
            continue;
        };
        let between = later[..=next]
            .iter()
            .any(|other| reads_target(room, row, &other.value));
        if between || may_fail_on_purpose(&row.value) {
            continue;
        }
        let name = &room.formula.source()[row.target_span.clone()];
        let message = format!("this value of {name} is replaced before anything reads it");
        out.push(
            Diagnostic::warning(Code("F242"), row.target_span.clone(), message)
                .label(later[next].target_span.clone(), "replaced here")
                .help("drop the first assignment, or read it in the second"),
        );
    }
}

fn sets_same(room: &Room<'_>, one: &CheckedStatement, other: &CheckedStatement) -> bool {
    match (&one.target, &other.target) {
        (Target::Variable(a), Target::Variable(b)) => {
            room.checked.variables[a.0].name == room.checked.variables[b.0].name
        }
        (Target::Nothing, _) => false,
        (one, other) => one == other,
    }
}

/// Says whether a value reads what a statement sets, or may end the run with it.
fn reads_target(room: &Room<'_>, row: &CheckedStatement, value: &Node) -> bool {
    let mut found = false;
    value.walk(&mut |node| {
        found |= match (&node.kind, &row.target) {
            (Kind::Stop, _) | (Kind::Option, Target::Option) => true,
            (Kind::Variable(read), Target::Variable(set)) => {
                room.checked.variables[read.0].name == room.checked.variables[set.0].name
            }
            (Kind::Nodes { lane: read, .. }, Target::Nodes { lane: set, .. }) => read == set,
            _ => false,
        };
    });
    found
}

/// An expression that ends the run does something even if nobody reads it.
fn may_fail_on_purpose(value: &Node) -> bool {
    let mut found = false;
    value.walk(&mut |node| found |= matches!(node.kind, Kind::Stop | Kind::Fails(..)));
    found
}

/// A bare expression.
pub(super) fn without_effect(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for row in &room.checked.statements {
        if row.target != Target::Nothing || may_fail_on_purpose(&row.value) {
            continue;
        }
        let text = room.text(&row.value);
        let message = format!("`{text}` is computed and thrown away");
        let found = Diagnostic::warning(Code("F243"), row.span.clone(), message);
        let equality = match &row.value.kind {
            Kind::Binary(BinaryOp::Equal, at, left, _) => {
                Some((*at, matches!(left.kind, Kind::Variable(_) | Kind::Nodes { .. })))
            }
            _ => None,
        };
        out.push(match equality {
            Some((at, true)) => found
                .help("was an assignment meant? write one `=`")
                .fix(at..at + 2, "="),
            _ => found.help("give it a name: x = ..., or drop it"),
        });
    }
}

/// `rand()`: the size of the pool is left to chance.
pub(super) fn chance(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |spot| {
        if matches!(
            spot.node.kind,
            Kind::Call {
                function: Function::Rand,
                ..
            }
        ) {
            let message =
                "rand() makes two runs over the same samples differ, so that no decision can be explained";
            out.push(
                Diagnostic::warning(Code("F245"), spot.node.span.clone(), message)
                    .help("decide by samples or by time().minute"),
            );
        }
    });
}

/// A line that begins with `-` goes on with the statement of the line above: its `;` may be missing.
pub(super) fn joined_lines(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for statement in &room.formula.ast().statements {
        let indent = indent_at(room.formula.source(), statement.span.start);
        joined(room.formula.source(), &statement.value, indent, out);
    }
}

fn joined(source: &str, expression: &Expr, indent: usize, out: &mut Vec<Diagnostic>) {
    let ExprKind::Binary(operator, place, left, right) = &expression.kind else {
        return;
    };
    let line = source[..place.start].rfind('\n').map_or(0, |at| at + 1);
    let leads = left.span.end <= line && source[line..place.start].trim().is_empty();
    if leads && *operator == BinaryOp::Subtract && place.start - line <= indent {
        let message =
            "this line goes on with the statement above and is subtracted from it: is a `;` missing there?";
        out.push(
            Diagnostic::warning(Code("F246"), place.clone(), message)
                .label(left.span.end..left.span.end, "the statement does not end here")
                .help("put `;` at the end of the line above, or put the `-` there"),
        );
    }
    joined(source, left, indent, out);
    joined(source, right, indent, out);
}

fn indent_at(source: &str, start: usize) -> usize {
    start - source[..start].rfind('\n').map_or(0, |at| at + 1)
}

/// A formula that changes nothing.
pub(super) fn sets_nothing(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let rows = &room.checked.statements;
    if let Some(first) = rows.first()
        && !rows.iter().any(|row| matches!(row.target, Target::Nodes { .. }))
    {
        let message = "no target is set, so the pool stays as it is";
        out.push(
            Diagnostic::warning(Code("F248"), first.span.clone(), message)
                .help("set $TargetDedicatedNodes or $TargetLowPriorityNodes"),
        );
    }
}

/// Statements behind a `stop()` that is always reached.
pub(super) fn after_stop(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let rows = &room.checked.statements;
    let stop = rows.iter().position(|row| matches!(row.value.kind, Kind::Stop));
    if let Some(stop) = stop
        && let Some(next) = rows.get(stop + 1)
    {
        let last = rows.last().map_or(next.span.end, |row| row.span.end);
        let message = "nothing behind stop() is ever evaluated";
        out.push(
            Diagnostic::warning(Code("F249"), next.span.start..last, message)
                .label(rows[stop].span.clone(), "the run ends here")
                .help("stop under a condition, test ? stop() : 0, or drop what follows"),
        );
    }
}

/// `max`, `min`, `avg` or `sum` of one number, which is that number.
pub(super) fn of_one_number(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |Spot { node, .. }| {
        let Kind::Call {
            function, arguments, ..
        } = &node.kind
        else {
            return;
        };
        let reduces = matches!(
            function,
            Function::Max | Function::Min | Function::Avg | Function::Sum
        );
        if let ([only], true) = (arguments.as_slice(), reduces)
            && only.ty == Type::Double
        {
            let message = format!(
                "`{}` is `{}`: there is one number in it",
                room.text(node),
                room.text(only)
            );
            out.push(
                Diagnostic::warning(Code("F250"), node.span.clone(), message)
                    .help("add the bound that was meant: max(0, x), min(cap, x)"),
            );
        }
    });
}
