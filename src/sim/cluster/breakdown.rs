//! How nodes fail to start, stick, break and are mended.

use rand::RngExt;

use super::calendar::{Event, NodeRef};
use super::meter::NodeState;
use super::simulator::Cluster;
use crate::base::Span;
use crate::sim::draw::exponential;

impl Cluster {
    /// Notes when a machine that boots is ready, unless it sticks.
    pub(super) fn expect_booted(&mut self, node: NodeRef, time: Span) {
        let sticks = self.setup.faults.boot_sticks;
        if sticks > 0.0 && self.chance.random::<f64>() < sticks {
            self.tally.node_faults += 1;
            self.expect_mended(node);
        } else {
            self.calendar.note(self.now + time, Event::Booted { node });
        }
    }

    /// Runs the start task of a machine that has booted.
    pub(super) fn booted(&mut self, node: NodeRef) {
        let fails = self.setup.faults.start_fails;
        if fails > 0.0 && self.chance.random::<f64>() < fails {
            self.tally.node_faults += 1;
            self.fleet.set_state(node.index, NodeState::Unusable);
            self.expect_mended(node);
        } else {
            self.fleet.set_state(node.index, NodeState::Idle);
            self.expect_breakdown(node);
        }
    }

    /// Draws when a machine that is ready breaks.
    pub(super) fn expect_breakdown(&mut self, node: NodeRef) {
        let hourly = self.setup.faults.breaks_hourly;
        if hourly > 0.0 {
            let life = Span::from_seconds(exponential(&mut self.chance) / hourly * 3600.0);
            self.calendar.note(self.now + life, Event::Broken { node });
        }
    }

    /// Lets a machine be of no use; its tasks go back. One that is about to go goes.
    pub(super) fn break_down(&mut self, index: u32) {
        let state = self.fleet.state(index);
        if state == NodeState::Leaving {
            return;
        }
        self.tally.node_faults += 1;
        let mut tasks = std::mem::take(&mut self.thrown_out);
        self.fleet.evacuate(index, &mut tasks);
        for running in tasks.drain(..) {
            self.tally.broken += 1;
            self.put_back(&running);
        }
        self.thrown_out = tasks;
        if state == NodeState::Draining {
            self.see_off(index);
            return;
        }
        self.fleet.set_state(index, NodeState::Unusable);
        let node = self.fleet.now_at(index);
        self.expect_mended(node);
        // Every event about it is void, that of its eviction too.
        self.expect_eviction(node);
    }

    fn expect_mended(&mut self, node: NodeRef) {
        if let Some(after) = self.setup.faults.mended_after {
            self.calendar.note(self.now + after, Event::Mended { node });
        }
    }

    /// Boots a machine again; what was foreseen of its eviction stays.
    pub(super) fn mend(&mut self, node: NodeRef) {
        self.fleet.set_state(node.index, NodeState::Starting);
        let time = self.draw_boot();
        self.tally.node_starts += 1;
        self.expect_booted(node, time);
    }
}
