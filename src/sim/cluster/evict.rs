//! How spot machines are lost and had again.

use super::Eviction;
use super::calendar::{Event, NodeRef};
use super::meter::NodeState;
use super::simulator::Cluster;
use crate::account::NodeEnd;
use crate::base::{Lane, Span};
use crate::sim::draw::exponential;

impl Cluster {
    /// Adds a node whose machine boots; a spot machine must be to be had.
    pub(super) fn add_node(&mut self, lane: Lane) -> NodeRef {
        let unit = match lane {
            Lane::Dedicated => None,
            Lane::Spot => self.spot.give(),
        };
        let node = self.fleet.add(lane, unit);
        self.boot(node);
        node
    }

    /// Turns a unit of spot capacity, and every other that turns at the same moment, so that no task is started on a machine
    /// that goes in the same instant.
    pub(super) fn turn(&mut self, unit: u32) {
        let mut next = Some(unit);
        while let Some(unit) = next {
            self.spot.turn(unit);
            if let Some(at) = self.spot.next_turn(unit) {
                self.calendar.note(at, Event::Turned { unit });
            }
            if !self.spot.is_up(unit) {
                self.evict_unit(unit);
            }
            next = self.calendar.pop_turn(self.now);
        }
        self.try_again();
    }

    fn evict_unit(&mut self, unit: u32) {
        let mut victims = std::mem::take(&mut self.victims);
        victims.clear();
        let of_unit = self.fleet.nodes().filter(|(_, node)| node.unit == Some(unit));
        victims.extend(of_unit.map(|(index, _)| index));
        for index in &victims {
            if let Some(node) = self.evict(*index) {
                self.spot.preempted.push(node);
            }
        }
        self.victims = victims;
    }

    /// Notes that the service asks again for what could not be had, if there is such and it can be had.
    fn try_again(&mut self) {
        let awaited = self.spot.ungranted > 0 || !self.spot.preempted.is_empty();
        if awaited && self.spot.is_open() {
            self.calendar.note(self.now + self.setup.retry, Event::Retried);
        }
    }

    /// Has what waits for a machine, preempted nodes first.
    pub(super) fn retry(&mut self) {
        if !self.spot.is_open() {
            return;
        }
        let mut preempted = std::mem::take(&mut self.spot.preempted);
        for node in preempted.drain(..) {
            self.restore(node);
        }
        self.spot.preempted = preempted;
        for _ in 0..std::mem::take(&mut self.spot.ungranted) {
            self.add_node(Lane::Spot);
        }
    }

    /// Gives a preempted node another machine, or lets it wait for one.
    pub(super) fn restore(&mut self, node: NodeRef) {
        if !self.fleet.is_current(node) {
            return;
        }
        let away = self.now - self.fleet.node(node.index).since;
        if self.setup.restored_within.is_some_and(|within| away > within) {
            return;
        }
        if !self.spot.is_open() {
            self.spot.preempted.push(node);
            return;
        }
        let unit = self.spot.give();
        self.fleet.restart(node.index, unit);
        self.boot(node);
    }

    /// Draws when a spot machine goes by itself.
    pub(super) fn expect_eviction(&mut self, node: NodeRef) {
        if self.fleet.lane(node.index) != Lane::Spot {
            return;
        }
        if let Some(life) = self.spot.draw_life(&mut self.chance) {
            let back_after = self.setup.retry;
            self.calendar
                .note(self.now + life, Event::Evicted { node, back_after });
        }
        if let Eviction::Constant {
            per_node_hour,
            back_after,
        } = self.setup.eviction
            && per_node_hour > 0.0
        {
            let hours = exponential(&mut self.chance) / per_node_hour;
            let life = Span::from_seconds(hours * 3600.0);
            self.calendar
                .note(self.now + life, Event::Evicted { node, back_after });
        }
    }

    /// Takes one machine away; the service asks for another after a while.
    pub(super) fn evict_alone(&mut self, index: u32, back_after: Span) {
        if let Some(node) = self.evict(index) {
            self.calendar
                .note(self.now + back_after, Event::Restored { node });
        }
    }

    /// Takes a machine away, and returns the preempted node if there is one now: a node that was to go does not come back.
    fn evict(&mut self, index: u32) -> Option<NodeRef> {
        let state = self.fleet.state(index);
        if state == NodeState::Leaving {
            return None;
        }
        self.tally.evictions += 1;
        let node = self.fleet.node(index);
        self.diary.node_ended(NodeEnd {
            lane: node.lane,
            granted: node.granted,
            at: self.now,
            evicted: true,
        });
        let mut tasks = std::mem::take(&mut self.thrown_out);
        self.fleet.evacuate(index, &mut tasks);
        for running in tasks.drain(..) {
            self.tally.evicted += 1;
            self.put_back(&running);
        }
        self.thrown_out = tasks;
        self.release_unit(index);
        if state == NodeState::Draining {
            self.fleet.remove(index);
            return None;
        }
        self.fleet.set_state(index, NodeState::Preempted);
        Some(self.fleet.now_at(index))
    }

    /// Takes the machine of a node off its unit.
    pub(super) fn release_unit(&mut self, index: u32) {
        if let Some(unit) = self.fleet.take_unit(index) {
            self.spot.release(unit);
        }
    }
}
