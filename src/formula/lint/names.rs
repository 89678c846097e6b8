//! Old names, lost `$`, placeholders that nobody filled, and the node deallocation option.

use super::Room;
use super::leaves::Sources;
use crate::account::NodeDeallocationOption;
use crate::base::{Code, Diagnostic, Lane};
use crate::formula::ast::{Expr, ExprKind, Place};
use crate::formula::builtin::ServiceVariable;
use crate::formula::checked::{Kind, Target};

const OLD_NAMES: [(&str, &str); 5] = [
    ("$TargetDedicated", "$TargetDedicatedNodes"),
    ("$TargetLowPriority", "$TargetLowPriorityNodes"),
    ("$CurrentDedicated", "$CurrentDedicatedNodes"),
    ("$CurrentLowPriority", "$CurrentLowPriorityNodes"),
    ("$TVMDeallocationOption", "$NodeDeallocationOption"),
];

/// A name from before low-priority nodes came; said once for each.
pub(super) fn deprecated(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let places = service_places(room);
    for (old, new) in OLD_NAMES {
        let mut places = places
            .iter()
            .filter(|place| room.formula.source()[(*place).clone()] == *old);
        let Some(first) = places.next() else { continue };
        let message = format!("{old} is the old name of {new}");
        let found = Diagnostic::warning(Code("F237"), first.clone(), message)
            .help(format!("write {new}"))
            .fix(first.clone(), new);
        out.push(places.fold(found, |found, place| found.label(place.clone(), "here, too")));
    }
}

/// Returns where names of the service stand, in order.
fn service_places(room: &Room<'_>) -> Vec<Place> {
    let name_at = |start: usize| {
        let rest = &room.formula.source()[start..];
        let end = rest.find(|letter: char| letter != '$' && letter != '_' && !letter.is_ascii_alphanumeric());
        start..start + end.unwrap_or(rest.len())
    };
    let mut places = Vec::new();
    for row in &room.checked.statements {
        if matches!(row.target, Target::Nodes { .. } | Target::Option) {
            places.push(row.target_span.clone());
        }
        row.value.walk(&mut |node| {
            if matches!(
                node.kind,
                Kind::Nodes { .. } | Kind::Option | Kind::Counter(_) | Kind::Sample(_)
            ) {
                places.push(name_at(node.span.start));
            }
        });
    }
    places
}

/// Both names of one target are set, and the full one wins wherever it stands.
pub(super) fn both_names(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for lane in Lane::ALL {
        let set = |wanted: bool| {
            room.checked.statements.iter().rfind(
                |row| matches!(&row.target, Target::Nodes { lane: set, alias } if *set == lane && *alias == wanted),
            )
        };
        let (Some(full), Some(short)) = (set(false), set(true)) else {
            continue;
        };
        let message = format!("this {lane} target is never used: the full name is set, too, and wins");
        out.push(
            Diagnostic::warning(Code("F238"), short.span.clone(), message)
                .label(full.target_span.clone(), "wins, wherever it stands")
                .help("set the full name only"),
        );
    }
}

/// No deallocation option on a pool that shrinks, or one that ends running tasks.
pub(super) fn deallocation(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let all = room.flow.lane(Lane::Dedicated).all() | room.flow.lane(Lane::Spot).all();
    let shrinks = !all.is_empty() && all != Sources::NONE;
    let option = room
        .checked
        .statements
        .iter()
        .rfind(|row| row.target == Target::Option);
    let Some(row) = option else {
        if shrinks {
            missing_option(room, out);
        }
        return;
    };
    row.value.walk(&mut |node| {
        let Kind::Text(word) = &node.kind else { return };
        let message = match word.parse() {
            Ok(NodeDeallocationOption::Requeue) => {
                "requeue starts running tasks anew when their node goes: long tasks lose their work"
            }
            Ok(NodeDeallocationOption::Terminate) => {
                "terminate ends running tasks for good when their node goes"
            }
            _ => return,
        };
        let found = Diagnostic::note(Code("F240"), node.span.clone(), message);
        out.push(found.help("taskcompletion lets them finish first"));
    });
}

fn missing_option(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let last = Lane::ALL
        .into_iter()
        .filter_map(|lane| room.flow.last_word(lane))
        .max();
    let Some(row) = last.map(|index| &room.checked.statements[index]) else {
        return;
    };
    let message =
        "no $NodeDeallocationOption is set, so scaling in starts running tasks anew elsewhere (requeue)";
    let source = room.formula.source();
    let line_end = if source.contains("\r\n") { "\r\n" } else { "\n" };
    let (at, mark) = match semicolon(room, row.span.end) {
        Some(at) => (line_or(source, room, at + 1), ""),
        None => (row.span.end, ";"),
    };
    out.push(
        Diagnostic::warning(Code("F239"), row.target_span.clone(), message)
            .help("add $NodeDeallocationOption = taskcompletion;")
            .fix(
                at..at,
                format!("{mark}{line_end}$NodeDeallocationOption = taskcompletion;"),
            ),
    );
}

/// Returns where the `;` stands that ends a statement: behind spaces and comments, or nowhere.
fn semicolon(room: &Room<'_>, end: usize) -> Option<usize> {
    let source = room.formula.source();
    let mut at = end;
    loop {
        at += source[at..].len() - source[at..].trim_start().len();
        match room
            .formula
            .ast()
            .comments
            .iter()
            .find(|row| row.span.start == at)
        {
            Some(comment) => at = comment.span.end,
            None => return source[at..].starts_with(';').then_some(at),
        }
    }
}

/// Returns the end of the line when nothing but a comment stands between `at` and there, else `at`.
fn line_or(source: &str, room: &Room<'_>, at: usize) -> usize {
    let line = source[at..].split('\n').next().unwrap_or_default();
    let begin = at + line.len() - line.trim_start().len();
    let comments = &room.formula.ast().comments;
    let comment = comments.iter().find(|row| row.span.start == begin);
    let end = comment.map_or(begin, |row| row.span.end);
    match source.get(end..at + line.len()) {
        Some(rest) if rest.trim().is_empty() => at + line.trim_end().len(),
        // More code stands there, or the comment goes on.
        _ => at,
    }
}

/// A variable that is a service's name without its `$`: what shells and templates leave of it.
pub(super) fn lost_dollar(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let mut said: Vec<&str> = Vec::new();
    for row in &room.checked.statements {
        let Target::Variable(index) = &row.target else {
            continue;
        };
        let name: &str = &room.checked.variables[index.0].name;
        let meant = format!("${name}");
        if said.contains(&name) || ServiceVariable::named(&meant).is_none() {
            continue;
        }
        said.push(name);
        let start = row.target_span.start;
        let message = format!("{name} is a variable of this formula, and not {meant} of the service");
        out.push(
            Diagnostic::warning(Code("F244"), row.target_span.clone(), message)
                .help(format!(
                    "write {meant}; shells, templates and here-documents eat the $ unless it is quoted"
                ))
                .fix(start..start, "$"),
        );
    }
}

/// A string with a placeholder that the host language did not fill.
pub(super) fn placeholders(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for statement in &room.formula.ast().statements {
        each_text(&statement.value, &mut |place, text| {
            let mark = ["${", "{{", "$(", "<%", "%s"]
                .into_iter()
                .find(|mark| text.contains(mark));
            if let Some(mark) = mark {
                let message = format!(
                    "\"{text}\" holds `{mark}`, which something in front of the service should have replaced"
                );
                out.push(
                    Diagnostic::warning(Code("F247"), place, message)
                        .help("expand the template before the formula is sent"),
                );
            }
        });
    }
}

fn each_text(expression: &Expr, visit: &mut dyn FnMut(Place, &str)) {
    match &expression.kind {
        ExprKind::Text(text) => visit(expression.span.clone(), text),
        ExprKind::Number(_) | ExprKind::Name(_) => {}
        ExprKind::Group(inner) | ExprKind::Member(inner, _) | ExprKind::Unary(_, inner) => {
            each_text(inner, visit);
        }
        ExprKind::Call(call) => call.arguments.iter().for_each(|part| each_text(part, visit)),
        ExprKind::Method(object, call) => {
            each_text(object, visit);
            call.arguments.iter().for_each(|part| each_text(part, visit));
        }
        ExprKind::Binary(_, _, left, right) => {
            each_text(left, visit);
            each_text(right, visit);
        }
        ExprKind::Conditional(_, test, then, otherwise) => {
            for part in [test, then, otherwise] {
                each_text(part, visit);
            }
        }
    }
}
