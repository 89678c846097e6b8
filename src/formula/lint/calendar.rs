//! Days and hours: Sunday is 0, and hours are UTC.

use super::Room;
use super::flow::Spot;
use crate::base::{Code, Diagnostic};
use crate::formula::ast::BinaryOp;
use crate::formula::builtin::Member;
use crate::formula::checked::{Kind, Node};
use crate::formula::range::calendar::range_of;
use crate::formula::range::value::{Times, Value};
use crate::formula::range::walk::is_condition;

/// A weekday compared with 7 or more: Sunday is 0.
pub(super) fn weekday_out_of_range(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each_comparison(&mut |spot, side, other, number| {
        if number <= range_of(Member::Weekday).high || member(room, side) != Some(Member::Weekday) {
            return;
        }
        let message = format!(
            "`{}` waits for weekday {number}, which does not come",
            room.text(spot.node)
        );
        out.push(
            Diagnostic::warning(Code("F208"), spot.node.span.clone(), message)
                .label(other.span.clone(), "the last day of the week is 6, Saturday")
                .help("Sunday is 0 and Monday 1; a weekend is weekday == 0 || weekday == 6"),
        );
    });
}

/// A condition that tells Saturday from the workdays but not Sunday: `weekday < 6`, `weekday > 5`.
pub(super) fn sunday_as_workday(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for (statement, row) in room.checked.statements.iter().enumerate() {
        let spot = Spot {
            statement,
            node: &row.value,
        };
        outermost_conditions(spot.node, &mut |node| {
            let spot = Spot { node, ..spot };
            if takes_sunday_for_workday(room, spot) {
                let message = format!(
                    "`{}` treats Sunday like a workday, since Sunday is 0",
                    room.text(node)
                );
                out.push(Diagnostic::warning(Code("F209"), node.span.clone(), message)
                    .help("workdays are weekday >= 1 && weekday <= 5; a weekend is weekday == 0 || weekday == 6"));
            }
        });
    }
}

fn takes_sunday_for_workday<'a>(room: &Room<'a>, spot: Spot<'a>) -> bool {
    let Some([sunday, workdays @ .., saturday]) = room.analysis.facts.weekdays(spot.node) else {
        return false;
    };
    let all_alike = workdays.iter().all(|day| *day == workdays[0]);
    all_alike && sunday == workdays[0] && saturday != workdays[0] && orders_weekdays(room, spot)
}

/// Says whether a weekday is compared with `<` and the like here: `weekday == 6` means Saturday and nothing else.
fn orders_weekdays<'a>(room: &Room<'a>, spot: Spot<'a>) -> bool {
    let mut found = false;
    spot.node.walk(&mut |node| {
        if let Kind::Binary(operator, _, left, right) = &node.kind {
            let ordering =
                operator.is_comparison() && !matches!(operator, BinaryOp::Equal | BinaryOp::NotEqual);
            found |= ordering
                && [left, right]
                    .into_iter()
                    .any(|side| member(room, Spot { node: side, ..spot }) == Some(Member::Weekday));
        }
    });
    found
}

/// Hours that are compared as they come from `time()`, in UTC; said once.
pub(super) fn hours_in_utc(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let mut places = Vec::new();
    room.each(&mut |spot| {
        if let Kind::Member(inner, Member::Hour) = &spot.node.kind
            && room.analysis.facts.value(inner) == Value::Time(Times::NOW)
        {
            places.push(spot.node);
        }
    });
    let Some(first) = places.first() else { return };
    let message = format!(
        "`{}` is the hour in UTC, whatever the time where the work is",
        room.text(first)
    );
    let found = Diagnostic::note(Code("F210"), first.span.clone(), message).help(
        "add the distance first: (time() + 2 * TimeInterval_Hour).hour; daylight saving is not followed",
    );
    out.push(
        places[1..]
            .iter()
            .fold(found, |found, node| found.label(node.span.clone(), "here, too")),
    );
}

/// Returns the member of time that an expression or the name in it stands for.
fn member<'a>(room: &Room<'a>, spot: Spot<'a>) -> Option<Member> {
    match &room.flow.resolve(spot).node.kind {
        Kind::Member(_, member) => Some(*member),
        _ => None,
    }
}

fn outermost_conditions<'a>(node: &'a Node, visit: &mut dyn FnMut(&'a Node)) {
    if is_condition(node) {
        return visit(node);
    }
    for child in node.children() {
        outermost_conditions(child, visit);
    }
}
