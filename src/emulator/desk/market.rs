//! The spot market of the account: the units that machines of all pools are of, and what happens when one goes down.

use std::sync::Arc;

use super::Desk;
use super::chance::Chance;
use super::node::{AfterTasks, Node, NodeState};
use super::refs::{Event, NodeRef, Step};
use crate::base::{Lane, Span, Timestamp};
use crate::sim::cluster::Spot;
use crate::sim::{SpotMarket, Supply};

/// For how long a made-up market is drawn, and a recorded one repeated; later what is up stays up.
const DRAWN: Span = Span::days(120);

/// Units of spot capacity, shared by every pool of the account.
#[derive(Debug, Default)]
pub(super) struct Market {
    spot: Spot,
    /// Whether somebody has shut it, whatever its units do.
    shut: bool,
}

impl Market {
    /// Returns the market as it is at a moment, of an account that was opened at another.
    pub(super) fn new(market: &SpotMarket, opened: Timestamp, seed: u64, now: Timestamp) -> Self {
        let supply: Option<Arc<Supply>> = market.supply(opened, opened + DRAWN, seed);
        Self {
            spot: Spot::new(supply, now),
            shut: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        !self.shut && self.spot.is_open()
    }

    pub(super) fn give(&mut self) -> Option<u32> {
        self.spot.give()
    }

    pub(super) fn release(&mut self, unit: u32) {
        self.spot.release(unit);
    }

    /// Puts a machine on the unit that it was on before, and says whether there is such a unit.
    pub(super) fn seat(&mut self, unit: u32) -> bool {
        let is_there = unit < self.spot.n_units();
        if is_there {
            self.spot.seat(unit);
        }
        is_there
    }

    pub(super) fn draw_life(&self, chance: &mut Chance) -> Option<Span> {
        let life = self.spot.draw_life(&mut chance.once())?;
        Some(life.whole_milliseconds())
    }
}

impl Desk {
    /// Takes every spot machine away and gives none until the storm is over; a restart ends it as well.
    pub fn storm(&mut self) {
        self.market.shut = true;
        self.n_changes += 1;
        let mut victims = Vec::new();
        for pool in self.pools.values() {
            let spot = pool.present().filter(|(_, node)| node.lane == Lane::Spot);
            victims.extend(spot.map(|(index, node)| {
                let node_ref = NodeRef {
                    pool: pool.number,
                    index,
                };
                (node_ref, node.machine)
            }));
        }
        for (node, machine) in victims {
            self.evict(node, machine);
        }
        self.calm();
    }

    /// Ends a storm: spot machines can be had again.
    pub fn end_storm(&mut self) {
        self.market.shut = false;
        self.n_changes += 1;
        self.retry();
        self.calm();
    }

    /// Notes the first turn of every unit.
    pub(super) fn note_turns(&mut self) {
        for unit in 0..self.market.spot.n_units() {
            self.note_turn(unit);
        }
    }

    fn note_turn(&mut self, unit: u32) {
        if let Some(at) = self.market.spot.next_turn(unit) {
            self.agenda.note(at, Event::Turned { unit });
        }
    }

    /// Turns a unit; one that goes down takes its machines in every pool.
    pub(super) fn turn(&mut self, unit: u32) {
        self.market.spot.turn(unit);
        self.note_turn(unit);
        if self.market.spot.is_up(unit) {
            let retry = self.setup.timing.retry;
            self.agenda.note(self.now + retry, Event::Retried);
            return;
        }
        let mut victims = Vec::new();
        for pool in self.pools.values() {
            let of_unit = pool.present().filter(|(_, node)| node.unit == Some(unit));
            victims.extend(of_unit.map(|(index, node)| {
                (
                    NodeRef {
                        pool: pool.number,
                        index,
                    },
                    node.machine,
                )
            }));
        }
        for (node, machine) in victims {
            self.evict(node, machine);
        }
    }

    /// Returns a node while it is there and has that machine.
    pub(super) fn node_with(&self, node: NodeRef, machine: u32) -> Option<&Node> {
        let current = &self.pools.get(&node.pool)?.nodes[node.index as usize];
        (current.is_here() && current.machine == machine).then_some(current)
    }

    /// Takes a machine away; the service asks for another after a while.
    pub(super) fn evict(&mut self, node: NodeRef, machine: u32) {
        let Some(current) = self.node_with(node, machine) else {
            return;
        };
        if matches!(
            current.state,
            NodeState::LeavingPool | NodeState::Preempted | NodeState::Deallocated
        ) {
            return;
        }
        let leaves = current.after_tasks == AfterTasks::Leave;
        self.clear_node(node.pool, node.index, false);
        self.release_unit(node);
        let (now, retry) = (self.now, self.setup.timing.retry);
        if leaves {
            self.pool_mut(node.pool).drop_node(node.index, now);
            self.settle(node.pool);
            return;
        }
        let life = self.pool_mut(node.pool).change(node.index, now, |node| {
            node.state = NodeState::Preempted;
            node.after_tasks = AfterTasks::Stay;
            node.start_task = None;
            node.booted = None;
            node.machine += 1;
            node.life += 1;
            node.life
        });
        let step = Step::Restored;
        self.agenda.note(now + retry, Event::Node { node, life, step });
    }

    /// Gives a preempted node another machine, if one is to be had and it is not too late.
    pub(super) fn give_back(&mut self, node: NodeRef) {
        let now = self.now;
        let at = self.node(node);
        let away = now - at.state_since;
        let too_late = self
            .setup
            .timing
            .restored_within
            .is_some_and(|within| away > within);
        if at.state != NodeState::Preempted || too_late || !self.market.is_open() {
            // It is asked for again when a unit comes up.
            return;
        }
        let unit = self.market.give();
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.state = NodeState::Creating;
            node.unit = unit;
        });
        self.create_machine(node);
    }

    /// Has what waits for a spot machine, in every pool: preempted nodes first.
    pub(super) fn retry(&mut self) {
        if !self.market.is_open() {
            return;
        }
        let mut preempted = Vec::new();
        let mut awaiting = Vec::new();
        for pool in self.pools.values().filter(|pool| pool.deleting.is_none()) {
            if pool.count(Lane::Spot, NodeState::Preempted) > 0 {
                let away = pool
                    .present()
                    .filter(|(_, node)| node.state == NodeState::Preempted);
                preempted.extend(away.map(|(index, _)| NodeRef {
                    pool: pool.number,
                    index,
                }));
            }
            if pool.resize.awaited > 0 {
                awaiting.push(pool.number);
            }
        }
        for node in preempted {
            self.give_back(node);
        }
        for number in awaiting {
            let awaited = std::mem::take(&mut self.pool_mut(number).resize.awaited);
            for _ in 0..awaited {
                self.add_node(number, Lane::Spot);
            }
            self.settle(number);
        }
    }
}
