//! Which samples are read, and what for.

use super::Room;
use super::flow::Spot;
use super::leaves::Sources;
use super::windows::each_sample;
use crate::base::{Code, Diagnostic, Lane};
use crate::formula::builtin::{Function, Method};
use crate::formula::checked::{Kind, Node, Sample, Selection};
use crate::signal::Metric;

/// One sample alone sizes the pool.
pub(super) fn newest_only(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let up = room.flow.lane(Lane::Dedicated).up | room.flow.lane(Lane::Spot).up;
    if !up.has_any(Sources::TASKS) {
        return;
    }
    let mut first: Option<&Node> = None;
    let mut more = false;
    each_sample(room, &mut |_, node, sample| {
        if sample.method == Method::GetSample && Sources::of_metric(sample.metric).has_any(Sources::RAW_TASKS)
        {
            more |= longest(room, node) > 1.0;
            first = first.or(Some(node));
        }
    });
    if let Some(node) = first.filter(|_| !more) {
        let message = format!(
            "`{}` is one sample, and nothing but single samples sizes the pool",
            room.text(node)
        );
        out.push(
            Diagnostic::warning(Code("F232"), node.span.clone(), message).help(
                "take a window as well: avg or max over the last minutes, behind a test of GetSamplePercent",
            ),
        );
    }
}

/// An element of a sample vector is picked by its place, and no document says in which order samples come.
pub(super) fn order_dependent(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |spot| {
        if let Kind::Call {
            function: Function::Val,
            arguments,
            ..
        } = &spot.node.kind
            && let Some(found) = samples(
                room,
                Spot {
                    node: &arguments[0],
                    ..spot
                },
            )
            && longest(room, found) > 1.0
        {
            let message = format!(
                "`{}` depends on the order of samples, which is not documented",
                room.text(spot.node)
            );
            out.push(
                Diagnostic::warning(Code("F233"), spot.node.span.clone(), message)
                    .help("the newest sample is val(GetSample(1), 0); for the others use avg, max or min"),
            );
        }
    });
}

/// The least of several counts of preempted nodes is 0 as soon as one sample saw none.
pub(super) fn hidden_preemption(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    room.each(&mut |spot| {
        let Kind::Call {
            function: Function::Min,
            arguments,
            ..
        } = &spot.node.kind
        else {
            return;
        };
        let hidden = arguments.iter().any(|node| {
            samples(room, Spot { node, ..spot }).is_some_and(|found| {
                matches!(&found.kind, Kind::Sample(sample) if sample.metric == Metric::PreemptedNodeCount)
                    && longest(room, found) > 1.0
            })
        });
        if hidden {
            let message = format!(
                "`{}` hides a preemption: one sample without any makes it 0",
                room.text(spot.node)
            );
            out.push(
                Diagnostic::warning(Code("F234"), spot.node.span.clone(), message)
                    .help("take the newest sample, or max over the window"),
            );
        }
    });
}

/// `$PreemptedNodeCount` has a say in the targets.
pub(super) fn preempted_count(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let all = room.flow.lane(Lane::Dedicated).all() | room.flow.lane(Lane::Spot).all();
    if !all.has_any(Sources::PREEMPTED) {
        return;
    }
    let mut first: Option<&Node> = None;
    each_sample(room, &mut |_, node, sample| {
        if sample.metric == Metric::PreemptedNodeCount {
            first = first.or(Some(node));
        }
    });
    if let Some(node) = first {
        let message = "$PreemptedNodeCount has a say in the targets, and the service may fill it with zeros";
        out.push(Diagnostic::note(Code("F235"), node.span.clone(), message)
            .help("compare with $CurrentLowPriorityNodes, which counts preempted nodes too, or evaluate it once to see"));
    }
}

/// A metric that the service no longer fills; said once for each.
pub(super) fn retired(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let mut said: Vec<Metric> = Vec::new();
    each_sample(room, &mut |_, node, sample| {
        if !sample.metric.is_retired() || said.contains(&sample.metric) {
            return;
        }
        said.push(sample.metric);
        let message = format!("{} holds no data since 31 March 2024", sample.metric);
        out.push(
            Diagnostic::warning(Code("F236"), node.span.clone(), message)
                .help("size by tasks: $PendingTasks, $ActiveTasks, $RunningTasks"),
        );
    });
}

/// Returns the `GetSample` call that an expression or the name in it stands for.
fn samples<'a>(room: &Room<'a>, spot: Spot<'a>) -> Option<&'a Node> {
    let found = room.flow.resolve(spot).node;
    let is_call = |sample: &Sample| sample.method == Method::GetSample;
    matches!(&found.kind, Kind::Sample(sample) if is_call(sample)).then_some(found)
}

/// Returns how many samples a call can give.
fn longest(room: &Room<'_>, node: &Node) -> f64 {
    match &node.kind {
        Kind::Sample(Sample {
            selection: Some(Selection::Latest(count)),
            ..
        }) => room.constant(count).unwrap_or(f64::INFINITY),
        _ => f64::INFINITY,
    }
}
