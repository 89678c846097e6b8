//! `GetSample` over a window fails the run when too few samples arrived; a test in front of it keeps it from failing.

use super::Room;
use super::flow::{Spot, Wanted, wanted_percent};
use super::leaves::Sources;
use super::windows::ages;
use crate::base::{Code, Diagnostic, Lane, Span};
use crate::formula::ast::BinaryOp;
use crate::formula::builtin::{Function, Method, Type};
use crate::formula::checked::{Kind, Node, Sample};
use crate::formula::range::value::Value;
use crate::formula::range::world::lane_index;

/// What the tests in front of a call say about samples.
#[derive(Default)]
struct Guard<'a> {
    /// Some test looks at the samples, their history or the age of the pool.
    any: bool,
    /// The statements that were looked at.
    seen: Vec<usize>,
    /// The shares that are tested, with the test, and the number that they are compared with.
    shares: Vec<(&'a Node, &'a Sample, Option<f64>)>,
}

/// Calls that fail on a fresh pool, and tests in front of them that test something else.
pub(super) fn guards(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let mut stopped = false;
    for (statement, row) in room.checked.statements.iter().enumerate() {
        if !stopped {
            let spot = Spot {
                statement,
                node: &row.value,
            };
            visit(room, spot, &mut Vec::new(), out);
        }
        row.value
            .walk(&mut |node| stopped |= matches!(node.kind, Kind::Stop));
    }
}

/// Visits an expression behind the tests that led there.
fn visit<'a>(room: &Room<'a>, spot: Spot<'a>, tests: &mut Vec<Spot<'a>>, out: &mut Vec<Diagnostic>) {
    if let Kind::Sample(sample) = &spot.node.kind {
        judge(room, spot, sample, tests, out);
    }
    let (test, behind): (&Node, Vec<(&Node, bool)>) = match &spot.node.kind {
        Kind::Conditional(test, then, otherwise) => (test, vec![(then, true), (otherwise, false)]),
        Kind::Binary(operator, _, left, right) if operator.is_logical() => {
            (left, vec![(right, *operator == BinaryOp::And)])
        }
        _ => {
            for node in spot.node.children() {
                visit(room, Spot { node, ..spot }, tests, out);
            }
            return;
        }
    };
    let test = Spot { node: test, ..spot };
    visit(room, test, tests, out);
    let sparse = tests_for_sparse(room, test);
    for (node, outcome) in behind {
        // Where the test has found samples missing, it is no guard.
        let guards = sparse != Some(outcome);
        if guards {
            tests.push(test);
        }
        visit(room, Spot { node, ..spot }, tests, out);
        if guards {
            tests.pop();
        }
    }
}

fn judge<'a>(
    room: &Room<'a>,
    spot: Spot<'a>,
    sample: &'a Sample,
    tests: &[Spot<'a>],
    out: &mut Vec<Diagnostic>,
) {
    let wanted = match wanted_percent(sample) {
        Wanted::Nothing => return,
        Wanted::Default => Some(room.formula.scope().default_sample_percent),
        Wanted::Written(percent) => room.constant(percent),
    };
    if wanted.is_some_and(|wanted| wanted <= 0.0) {
        return;
    }
    let mut guard = Guard::default();
    for test in tests {
        collect(room, *test, &mut guard);
    }
    let text = room.text(spot.node);
    let place = spot.node.span.clone();
    if !guard.any {
        let share = wanted.map_or_else(String::new, |wanted| {
            format!(" less than {} % of", Value::shown(wanted))
        });
        let message =
            format!("`{text}` fails the run while{share} its samples are there, as on every new pool");
        out.push(
            Diagnostic::warning(Code("F228"), place, message).help(
                "test GetSamplePercent over the same window first, and fall back on max(0, GetSample(1))",
            ),
        );
        return;
    }
    let window = ages(room, sample);
    let same_metric = || {
        guard
            .shares
            .iter()
            .filter(|(_, tested, _)| tested.metric == sample.metric)
    };
    if let Some(window) = window
        && let Some((test, tested, _)) = same_metric().next()
        && same_metric().all(|(_, tested, _)| ages(room, tested).is_some_and(|other| other != window))
    {
        let other = ages(room, tested).map_or(Span::ZERO, |(_, far)| far);
        let message = format!(
            "`{text}` reads {} minutes, and the test in front of it looks at {}",
            minutes(window.1),
            minutes(other)
        );
        out.push(
            Diagnostic::warning(Code("F229"), place, message)
                .label(test.span.clone(), "tests another window")
                .help("give both the same window, or the call can still fail"),
        );
        return;
    }
    let enough = |needed: f64| {
        same_metric().filter_map(move |(test, _, share)| share.map(|share| (*test, share, share >= needed)))
    };
    if let Some(wanted) = wanted
        && !enough(wanted).any(|(_, _, enough)| enough)
        && let Some((test, share, _)) = enough(wanted).next()
    {
        let (low, high) = (Value::shown(share), Value::shown(wanted));
        let message =
            format!("`{text}` fails between {low} % and {high} % of its samples: the test lets {low} % pass");
        out.push(
            Diagnostic::warning(Code("F230"), place, message)
                .label(test.span.clone(), format!("content with {low} %"))
                .help(format!(
                    "test for {high}, or write the share that the test asks for into the call"
                )),
        );
    }
}

fn minutes(span: Span) -> String {
    Value::shown(span.as_seconds() / 60.0)
}

/// Collects what a test and the names in it look at.
fn collect<'a>(room: &Room<'a>, spot: Spot<'a>, guard: &mut Guard<'a>) {
    let mut definitions = Vec::new();
    let dates = compares_instants(spot.node);
    spot.node.walk(&mut |node| {
        let inner = Spot { node, ..spot };
        match &node.kind {
            Kind::Binary(operator, _, left, right) if operator.is_comparison() => {
                share_compared(room, inner, left, right, guard);
                share_compared(room, inner, right, left, guard);
            }
            Kind::Sample(sample) => guard.any |= sample.method != Method::GetSample,
            // The age of the pool: time() less some instant, compared with an interval or another instant.
            Kind::Now => guard.any |= dates,
            Kind::Call { function, .. } => guard.any |= *function == Function::Len,
            Kind::Variable(_) => definitions.extend(room.flow.definition(inner)),
            _ => {}
        }
    });
    for definition in definitions {
        let of_time = matches!(definition.node.ty, Type::Timestamp | Type::TimeInterval);
        guard.any |= of_time && dates;
        if !guard.seen.contains(&definition.statement) {
            guard.seen.push(definition.statement);
            collect(room, definition, guard);
        }
    }
}

fn share_compared<'a>(room: &Room<'a>, test: Spot<'a>, one: &'a Node, with: &'a Node, guard: &mut Guard<'a>) {
    let found = room.flow.resolve(Spot { node: one, ..test });
    if let Kind::Sample(sample) = &found.node.kind
        && sample.method == Method::GetSamplePercent
    {
        guard.shares.push((test.node, sample, room.constant(with)));
    }
}

fn compares_instants(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| {
        if let Kind::Binary(operator, _, left, _) = &node.kind {
            found |= operator.is_comparison() && matches!(left.ty, Type::Timestamp | Type::TimeInterval);
        }
    });
    found
}

/// Where samples are missing, the formula answers with its maximum.
pub(super) fn sparse_to_maximum(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |spot| {
        let Kind::Conditional(test, then, otherwise) = &spot.node.kind else {
            return;
        };
        let Some(sparse_first) = tests_for_sparse(room, Spot { node: test, ..spot }) else {
            return;
        };
        let (sparse, full) = if sparse_first {
            (then, otherwise)
        } else {
            (otherwise, then)
        };
        let Some(fallback) = room.constant(sparse) else {
            return;
        };
        let full = room.analysis.facts.value(full).numbers();
        if fallback < 2.0 || full.is_empty() || full.low >= fallback {
            return;
        }
        let at_cap = Lane::ALL.into_iter().find(|lane| {
            let fed = room.flow.lane(*lane).control.has_any(Sources::PERCENT);
            let target = room.analysis.targets[lane_index(*lane)];
            fed && target.high.trunc() <= fallback.trunc() && target.low < target.high
        });
        if let Some(lane) = at_cap {
            let most = Value::shown(room.analysis.targets[lane_index(lane)].high.trunc());
            let message = format!("while samples are missing the {lane} target is {most}, its maximum");
            out.push(
                Diagnostic::warning(Code("F231"), sparse.span.clone(), message)
                    .label(
                        test.span.clone(),
                        "true or false for want of samples, also on a new pool",
                    )
                    .help("fall back on little, or on what was there: max(0, $PendingTasks.GetSample(1))"),
            );
        }
    });
}

/// Says whether a test is true (`Some(true)`) or false (`Some(false)`) when samples are missing.
fn tests_for_sparse<'a>(room: &Room<'a>, spot: Spot<'a>) -> Option<bool> {
    let spot = room.flow.resolve(spot);
    match &spot.node.kind {
        Kind::Binary(operator, _, left, right) => {
            let is_share = |node| {
                let found = room.flow.resolve(Spot { node, ..spot });
                matches!(&found.node.kind, Kind::Sample(sample)
                    if matches!(sample.method, Method::GetSamplePercent | Method::Count))
            };
            let less = match operator {
                BinaryOp::Less | BinaryOp::LessOrEqual => true,
                BinaryOp::Greater | BinaryOp::GreaterOrEqual => false,
                _ => return None,
            };
            if is_share(left) {
                Some(less)
            } else {
                is_share(right).then_some(!less)
            }
        }
        Kind::Sample(sample) if matches!(sample.method, Method::GetSamplePercent | Method::Count) => {
            Some(false)
        }
        _ => None,
    }
}
