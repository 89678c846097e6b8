//! What the targets are made of: the wrong tasks, tasks for nodes, one number for two lanes, the other lane's count.

use super::Room;
use super::flow::Spot;
use super::leaves::Sources;
use crate::base::{Code, Diagnostic, Lane};
use crate::formula::builtin::Function;
use crate::formula::checked::{Kind, Node};
use crate::signal::Metric;

/// Only `$ActiveTasks` sizes the pool, so that it shrinks under the tasks that run.
pub(super) fn only_active_tasks(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let up = (room.flow.lane(Lane::Dedicated).up | room.flow.lane(Lane::Spot).up).unscaled();
    let holds = Sources::RUNNING
        | Sources::PENDING
        | Sources::USABLE
        | Sources::nodes_of(Lane::Dedicated)
        | Sources::nodes_of(Lane::Spot);
    if !up.has_any(Sources::ACTIVE) || up.has_any(holds) {
        return;
    }
    if let Some(spot) = first_sample(room, |metric| metric == Metric::ActiveTasks) {
        let message = "the size rests on $ActiveTasks alone, which does not count the tasks that run";
        out.push(
            Diagnostic::warning(Code("F211"), spot.node.span.clone(), message)
                .help("use $PendingTasks, which counts waiting and running tasks, or add $RunningTasks"),
        );
    }
}

/// A count of tasks becomes a count of nodes as if a node ran one task.
pub(super) fn slots_ignored(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let leaves = [room.flow.lane(Lane::Dedicated), room.flow.lane(Lane::Spot)];
    let (up, all) = (leaves[0].up | leaves[1].up, leaves[0].all() | leaves[1].all());
    if !up.has_any(Sources::RAW_TASKS) || all.has_any(Sources::SLOTS) {
        return;
    }
    let is_task = |metric| Sources::of_metric(metric).has_any(Sources::RAW_TASKS);
    if let Some(spot) = first_sample(room, is_task) {
        let message = format!(
            "`{}` counts tasks and sizes the pool as if each node ran one task at a time",
            room.text(spot.node)
        );
        out.push(
            Diagnostic::note(Code("F212"), spot.node.span.clone(), message).help(
                "with more slots divide and round up: (tasks + $TaskSlotsPerNode - 1) / $TaskSlotsPerNode",
            ),
        );
    }
}

/// Both lanes get the whole of the same number, which orders twice what is needed.
pub(super) fn double_capacity(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let (Some(dedicated), Some(spot)) = (core(room, Lane::Dedicated), core(room, Lane::Spot)) else {
        return;
    };
    let same_place = dedicated.node.span == spot.node.span;
    let same_text = dedicated.statement == spot.statement || names_nothing(dedicated.node);
    let same = same_place || (same_text && room.is_same_text(dedicated.node, spot.node));
    if !same || room.flow.leaves(spot).is_constant() {
        return;
    }
    let places = Lane::ALL.map(|lane| {
        room.flow
            .last_word(lane)
            .map(|index| &room.checked.statements[index])
    });
    let [Some(first), Some(second)] = places else {
        return;
    };
    let message = "both kinds of nodes are sized by the same number, so twice as many are ordered as needed";
    out.push(
        Diagnostic::warning(Code("F213"), second.span.clone(), message)
            .label(first.span.clone(), "already orders this many")
            .help("order the rest only: $TargetLowPriorityNodes = max(0, nodes - $TargetDedicatedNodes)"),
    );
}

/// One lane is fed by the other lane's count, which does not follow it.
pub(super) fn other_lane(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for (lane, other) in [(Lane::Spot, Lane::Dedicated), (Lane::Dedicated, Lane::Spot)] {
        let up = room.flow.lane(lane).up;
        let Some(statement) = room.flow.last_word(lane) else {
            continue;
        };
        if !up.has_any(Sources::nodes_of(other)) || up.has_any(Sources::nodes_of(lane)) {
            continue;
        }
        let row = &room.checked.statements[statement];
        let read = first_read(room, other).map(|spot| spot.node);
        let wrong = read.map_or_else(|| format!("the {other} nodes"), |node| room.text(node));
        let message = format!("the {lane} target is fed by {wrong}, which does not follow the {lane} nodes");
        let found = Diagnostic::warning(Code("F214"), row.span.clone(), message)
            .help(format!("feed it with {}, or leave {wrong} out", names_of(lane)));
        out.push(match read {
            Some(node) => found.label(node.span.clone(), format!("counts {other} nodes")),
            None => found,
        });
    }
}

const fn names_of(lane: Lane) -> &'static str {
    match lane {
        Lane::Dedicated => "$TargetDedicatedNodes or $CurrentDedicatedNodes",
        Lane::Spot => "$TargetLowPriorityNodes or $CurrentLowPriorityNodes",
    }
}

/// Returns the first expression that reads a lane's nodes from the pool.
fn first_read<'a>(room: &Room<'a>, lane: Lane) -> Option<Spot<'a>> {
    let mut first = None;
    room.each(&mut |spot| {
        let reads = match &spot.node.kind {
            Kind::Nodes { lane: read, .. } => *read == lane && room.flow.definition(spot).is_none(),
            Kind::Counter(metric) => Sources::nodes_of(lane).has_any(Sources::of_metric(*metric)),
            _ => false,
        };
        if reads && first.is_none() {
            first = Some(spot);
        }
    });
    first
}

fn first_sample<'a>(room: &Room<'a>, wanted: impl Fn(Metric) -> bool) -> Option<Spot<'a>> {
    let mut first = None;
    room.each(&mut |spot| {
        if let Kind::Sample(sample) = &spot.node.kind
            && sample.method == crate::formula::builtin::Method::GetSample
            && wanted(sample.metric)
            && first.is_none()
        {
            first = Some(spot);
        }
    });
    first
}

/// Returns what a lane's target is, names followed and clamps and rounding taken off.
fn core<'a>(room: &Room<'a>, lane: Lane) -> Option<Spot<'a>> {
    let statement = room.flow.last_word(lane)?;
    let mut spot = Spot {
        statement,
        node: &room.checked.statements[statement].value,
    };
    loop {
        spot = room.flow.resolve(spot);
        let Kind::Call {
            function, arguments, ..
        } = &spot.node.kind
        else {
            return Some(spot);
        };
        let clamp = matches!(
            function,
            Function::Min | Function::Max | Function::Ceil | Function::Floor | Function::Round
        );
        let mut varying = arguments
            .iter()
            .filter(|node| !room.flow.leaves(Spot { node, ..spot }).is_constant());
        match (varying.next(), varying.next()) {
            (Some(only), None) if clamp => spot.node = only,
            _ => return Some(spot),
        }
    }
}

/// Says whether an expression reads no variable that could differ between two statements.
fn names_nothing(node: &Node) -> bool {
    let mut found = false;
    node.walk(&mut |node| found |= matches!(node.kind, Kind::Variable(_) | Kind::Nodes { .. }));
    !found
}
