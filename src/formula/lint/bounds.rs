//! How large and how small the targets can get, and where a clamp or a divisor makes nonsense.

use super::Room;
use super::flow::Spot;
use crate::base::{Code, Diagnostic, Lane, Nodes};
use crate::formula::ast::BinaryOp;
use crate::formula::builtin::{Function, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::range::interval::Interval;
use crate::formula::range::value::Value;
use crate::formula::range::world::lane_index;
use crate::formula::range::{Basis, World};

/// The service's quotas end far below: a pool holds at most 3,000 nodes ("Batch service quotas and limits").
const PLAUSIBLE_MAX: Nodes = Nodes(10_000);

fn has_fault(value: &Node) -> bool {
    let mut fault = false;
    value.walk(&mut |node| fault |= matches!(node.kind, Kind::Fails(..)));
    fault
}

/// No bound on a target at all, or one that is none.
pub(super) fn upper_bound(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let ranges = room.analysis.ranges();
    for lane in Lane::ALL {
        let Some(statement) = room.flow.last_word(lane) else {
            continue;
        };
        let statement = &room.checked.statements[statement];
        // A value with a fault in it has no bound that means anything; the fault is reported.
        if has_fault(&statement.value) {
            continue;
        }
        let place = statement.span.clone();
        let range = ranges.get(lane);
        match (range.basis, range.high) {
            (Basis::Unbounded, _) => {
                let message = format!("nothing bounds the {lane} target: it grows with what it reads");
                out.push(
                    Diagnostic::warning(Code("F219"), place, message)
                        .help("put a cap around it: min(cap, ...)"),
                );
            }
            (_, Some(high)) if high > PLAUSIBLE_MAX => {
                let message = format!("the {lane} target is bounded by {high} nodes, which is no bound");
                out.push(
                    Diagnostic::warning(Code("F220"), place, message)
                        .help("cap it at what the quota or the budget allows"),
                );
            }
            _ => {}
        }
    }
}

/// A target that is below zero in a plain situation.
pub(super) fn negative(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for lane in Lane::ALL {
        let Some(statement) = room.flow.last_word(lane) else {
            continue;
        };
        if room.analysis.targets[lane_index(lane)].low > -1.0 {
            continue;
        }
        let situations = situations();
        let seen = situations.iter().find_map(|(text, world)| {
            let target = room.analysis.targets_in(world)[lane_index(lane)];
            (!target.is_empty() && target.high <= -1.0).then_some((text, target.high))
        });
        if let Some((text, least)) = seen {
            let message = format!("the {lane} target is {} {text}", Value::shown(least));
            let place = room.checked.statements[statement].span.clone();
            out.push(Diagnostic::warning(Code("F221"), place, message).help(
                "put max(0, ...) around it: what the service does with a negative target is not documented",
            ));
        }
    }
}

/// Plain situations: they prove that something can happen, where an interval only says that it may.
fn situations() -> Vec<(&'static str, World)> {
    let pool = |nodes: f64| World {
        usable: Interval::point(nodes * 2.0),
        preempted: Interval::point(0.0),
        ..World::ANY.with_nodes(Interval::point(nodes)).with_full_history()
    };
    let no_samples = World {
        percent: Interval::point(0.0),
        history: Interval::point(0.0),
        ..pool(0.0)
    };
    vec![
        (
            "when no task is there and no node",
            pool(0.0).with_tasks(0.0, 0.0),
        ),
        (
            "when one task waits and no node is there",
            pool(0.0).with_tasks(1.0, 0.0),
        ),
        (
            "when no task is there and 100 nodes of each kind are",
            pool(100.0).with_tasks(0.0, 0.0),
        ),
        (
            "when 1000 tasks wait and no node is there",
            pool(0.0).with_tasks(1000.0, 0.0),
        ),
        (
            "when 1000 tasks run and none waits",
            pool(100.0).with_tasks(0.0, 1000.0),
        ),
        ("when no sample has arrived", no_samples),
    ]
}

/// `min` or `max` that is always the same number, although something in it varies.
pub(super) fn clamped_away(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |spot| {
        let Kind::Call {
            function, arguments, ..
        } = &spot.node.kind
        else {
            return;
        };
        if !matches!(function, Function::Min | Function::Max) || arguments.len() < 2 {
            return;
        }
        let Some(always) = room.constant(spot.node) else {
            return;
        };
        let varying = arguments.iter().find(|node| {
            room.constant(node).is_none() && !room.flow.leaves(Spot { node, ..spot }).is_constant()
        });
        if let Some(varying) = varying {
            let text = room.text(spot.node);
            let message = format!("`{text}` is always {}", Value::shown(always));
            let numbers = room.analysis.facts.value(varying).numbers();
            let (low, high) = (Value::shown(numbers.low), Value::shown(numbers.high));
            out.push(
                Diagnostic::warning(Code("F222"), spot.node.span.clone(), message)
                    .label(
                        varying.span.clone(),
                        format!("from {low} to {high}, and never the outcome"),
                    )
                    .help("a cap is min(cap, x) and a floor max(floor, x); the floor must be below the cap"),
            );
        }
    });
}

/// A divisor that can be zero and is not tested.
pub(super) fn zero_divisor(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for row in &room.checked.statements {
        divisors(room, &row.value, &mut Vec::new(), out);
    }
}

fn divisors<'a>(room: &Room<'a>, node: &'a Node, tests: &mut Vec<&'a Node>, out: &mut Vec<Diagnostic>) {
    if let Kind::Binary(BinaryOp::Divide, _, _, by) = &node.kind
        && by.ty == Type::Double
        && !tests.iter().any(|test| mentions(room, test, by))
    {
        let numbers = room.analysis.facts.value(by).numbers();
        if numbers.contains(0.0) && numbers != Interval::ALL {
            let text = room.text(by);
            let message = match numbers.only() {
                Some(_) => format!("`{}` divides by zero", room.text(node)),
                None => format!("`{text}` can be 0, and dividing by it gives no number"),
            };
            out.push(
                Diagnostic::warning(Code("F223"), by.span.clone(), message).help(format!(
                    "test it first: {text} > 0 ? ... : 0, or divide by max(1, {text})"
                )),
            );
        }
    }
    let (test, behind): (Option<&Node>, Vec<&Node>) = match &node.kind {
        Kind::Conditional(test, then, otherwise) => (Some(test), vec![then, otherwise]),
        Kind::Binary(operator, _, left, right) if operator.is_logical() => (Some(left), vec![right]),
        _ => (None, node.children()),
    };
    if let Some(test) = test {
        divisors(room, test, tests, out);
        tests.push(test);
    }
    for child in behind {
        divisors(room, child, tests, out);
    }
    if test.is_some() {
        tests.pop();
    }
}

/// Says whether a test has the expression in it, however it is compared.
fn mentions(room: &Room<'_>, test: &Node, wanted: &Node) -> bool {
    let mut found = false;
    test.walk(&mut |node| found |= room.is_same_text(node, wanted));
    found
}
