//! Targets that are computed from the pool's own size: they can stick, stall or never start.
//!
//! Each is proven by asking what the targets are in a pool of a given size, whatever else holds.

use super::Room;
use super::leaves::{Leaves, Sources};
use crate::base::{Code, Diagnostic, Lane};
use crate::formula::range::World;
use crate::formula::range::interval::Interval;
use crate::formula::range::world::lane_index;

/// The target never goes down, not even when nothing is left to do.
pub(super) fn ratchet(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for lane in fed_back(room) {
        let holds = |nodes: f64| {
            let idle = World {
                other: Interval::point(0.0),
                ..pool_of(nodes).with_tasks(0.0, 0.0)
            };
            room.analysis.targets_in(&idle)[lane_index(lane)].low >= nodes
        };
        let grows = || room.analysis.targets_in(&pool_of(7.0))[lane_index(lane)].high >= 8.0;
        // Just below the cap, where a floor of the formula's own no longer holds it up.
        let large = (room.analysis.targets[lane_index(lane)].high.trunc() - 1.0).min(1000.0);
        if large >= 7.0 && holds(7.0) && holds(large) && grows() {
            let message = format!(
                "the {lane} target can grow but never shrink: with no task at all it stays what it was"
            );
            out.push(at_last_word(room, lane, "F215", message)
                .help("let the tasks say how many nodes are needed, and use the current target only to slow the way down"));
        }
    }
}

/// A factor such as ×1.1 is lost to truncation while the pool is small.
pub(super) fn stall(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    for lane in fed_back(room) {
        let most = |nodes: u32| room.analysis.targets_in(&pool_of(nodes.into()))[lane_index(lane)].high;
        if most(1) >= 2.0 || room.analysis.targets[lane_index(lane)].high < 2.0 {
            continue;
        }
        let grows = |nodes: &u32| most(*nodes) >= f64::from(*nodes) + 1.0;
        if let Some(first) = (2..=40).chain([50, 60, 80, 100, 200, 400, 1000]).find(grows) {
            let message = format!(
                "the {lane} target cannot grow below {first} nodes: the fraction that is added is cut off each time"
            );
            out.push(
                at_last_word(room, lane, "F216", message)
                    .help("add at least one node: max(n + 1, n * 1.1), or round up with ceil"),
            );
        }
    }
}

/// From an empty pool nothing can raise the targets.
pub(super) fn never_leaves_zero(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    if !reads_pool(room) || !starts_nothing(room, &EMPTY_POOL) {
        return;
    }
    let can_be_more = |lane: &Lane| room.analysis.targets[lane_index(*lane)].high >= 1.0;
    let Some(lane) = set_lanes(room).find(can_be_more) else {
        return;
    };
    let message = "an empty pool stays empty: with no node there, nothing can raise the targets";
    out.push(
        at_last_word(room, lane, "F217", message.to_owned())
            .help("let waiting tasks start a node: max($ActiveTasks.GetSample(1)) > 0 ? max(1, ...) : ..."),
    );
}

/// One waiting task makes a fraction of a node, which is cut off.
pub(super) fn one_task_starts_nothing(room: &Room<'_>, out: &mut Vec<Diagnostic>) {
    let up = room.flow.lane(Lane::Dedicated).up | room.flow.lane(Lane::Spot).up;
    if !up.has_any(Sources::TASKS) {
        return;
    }
    let world = World {
        slots: Interval::point(4.0),
        ..EMPTY_POOL.with_full_history()
    };
    let waiting = |tasks: f64| world.with_tasks(tasks, 0.0);
    if !starts_nothing(room, &waiting(1.0)) || starts_nothing(room, &waiting(1000.0)) {
        return;
    }
    let enough = (2..=100).find(|tasks| !starts_nothing(room, &waiting(f64::from(*tasks))));
    let Some(lane) = set_lanes(room).next() else {
        return;
    };
    let until = enough.map_or_else(
        || "more than a hundred wait".to_owned(),
        |tasks| format!("{tasks} wait"),
    );
    let message =
        format!("one waiting task starts no node on a pool of four slots: nothing starts until {until}");
    out.push(at_last_word(room, lane, "F218", message).help(
        "targets are cut off, not rounded: round up with ceil(tasks / slots), or (tasks + slots - 1) / slots",
    ));
}

const EMPTY_POOL: World = {
    let none = Interval::point(0.0);
    World {
        usable: none,
        preempted: none,
        running: none,
        pending: World::ANY.active,
        ..World::ANY.with_nodes(none)
    }
};

fn pool_of(nodes: f64) -> World {
    World {
        usable: Interval::new(0.0, nodes * 2.0),
        preempted: Interval::new(0.0, nodes),
        ..World::ANY.with_nodes(Interval::point(nodes))
    }
}

fn starts_nothing(room: &Room<'_>, world: &World) -> bool {
    let targets = room.analysis.targets_in(world);
    set_lanes(room).all(|lane| {
        let target = targets[lane_index(lane)];
        !target.is_empty() && target.high < 1.0
    })
}

fn set_lanes(room: &Room<'_>) -> impl Iterator<Item = Lane> {
    Lane::ALL
        .into_iter()
        .filter(|lane| room.flow.last_word(*lane).is_some())
}

/// Returns the lanes whose targets are made of their own count.
fn fed_back(room: &Room<'_>) -> Vec<Lane> {
    set_lanes(room)
        .filter(|lane| room.flow.lane(*lane).up.has_any(Sources::nodes_of(*lane)))
        .collect()
}

fn reads_pool(room: &Room<'_>) -> bool {
    let leaves = |lane| -> Leaves { room.flow.lane(lane) };
    let all = leaves(Lane::Dedicated).all() | leaves(Lane::Spot).all();
    all.has_any(
        Sources::nodes_of(Lane::Dedicated)
            | Sources::nodes_of(Lane::Spot)
            | Sources::USABLE
            | Sources::RUNNING,
    )
}

fn at_last_word(room: &Room<'_>, lane: Lane, code: &'static str, message: String) -> Diagnostic {
    let statement = room
        .flow
        .last_word(lane)
        .expect("only lanes that are set are looked at");
    Diagnostic::warning(
        Code(code),
        room.checked.statements[statement].span.clone(),
        message,
    )
}
