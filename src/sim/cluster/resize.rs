//! How the pool follows an order.
//!
//! ```text
//! steady ─ order ─► resizing ─ machines granted, victims gone ─► steady
//!   (while resizing, another order is refused, as the service answers 409 PoolBeingResized)
//! ```
//!
//! The pool stays `resizing` while victims finish their tasks, however long that takes: the hazard of `taskcompletion` that
//! the service has too. Which nodes go is the service's choice and not documented; here it is those that would lose least:
//! preempted ones, then booting, idle and running ones, those with the fewest tasks first and the youngest place among equals.

use std::cmp::Reverse;
use std::sync::Arc;

use super::calendar::Event;
use super::meter::NodeState;
use super::simulator::Cluster;
use crate::account::{AllocationState, NodeDeallocationOption, Refusal, RefusalKind, ResizeError};
use crate::base::{Lane, Mix, Nodes};

/// Where the pool is with its latest order.
#[derive(Debug, Default)]
pub(super) struct Resize {
    /// Grants that are to come and victims that are to go.
    pub(super) outstanding: u32,
    /// Why the latest order was not met in full.
    pub(super) errors: Vec<ResizeError>,
}

impl Cluster {
    /// Says whether a resize is under way.
    pub const fn allocation(&self) -> AllocationState {
        if self.resize.outstanding == 0 {
            AllocationState::Steady
        } else {
            AllocationState::Resizing
        }
    }

    /// Returns why the latest order was not met in full; empty when it was.
    pub fn resize_errors(&self) -> &[ResizeError] {
        &self.resize.errors
    }

    /// Orders nodes; the pool begins to follow at once.
    ///
    /// # Errors
    /// While another resize is under way.
    pub fn order(&mut self, target: Mix, option: NodeDeallocationOption) -> Result<(), Refusal> {
        if self.allocation() != AllocationState::Steady {
            return Err(Refusal {
                kind: RefusalKind::Resizing,
                message: "The specified pool is being resized".to_owned(),
            });
        }
        self.resize.errors.clear();
        self.target = target;
        self.option = option;
        self.version += 1;
        let current = self.fleet.census().mix();
        for lane in Lane::ALL {
            let granted = self.granted(lane, target.get(lane));
            let (have, want) = (current.get(lane), granted);
            if want > have {
                self.resize.outstanding += 1;
                let grant = Event::Granted {
                    lane,
                    nodes: want.saturating_sub(have),
                };
                self.calendar.note(self.now + self.setup.resize_time, grant);
            } else if want < have {
                self.shrink(lane, have.saturating_sub(want), option);
            }
        }
        self.dispatch();
        Ok(())
    }

    /// Returns how much of a target the quota allows, and notes what it does not.
    fn granted(&mut self, lane: Lane, target: Nodes) -> Nodes {
        let quota = self.setup.quota.get(lane);
        if target <= quota {
            return target;
        }
        let code = match lane {
            Lane::Dedicated => "AccountCoreQuotaReached",
            Lane::Spot => "AccountSpotCoreQuotaReached",
        };
        self.resize.errors.push(ResizeError {
            code: code.into(),
            message: Arc::from(format!(
                "the quota of {quota} {lane} nodes is below the target of {target}"
            )),
        });
        quota
    }

    fn shrink(&mut self, lane: Lane, nodes: Nodes, option: NodeDeallocationOption) {
        let mut victims = std::mem::take(&mut self.victims);
        victims.clear();
        victims.extend(self.fleet.staying(lane));
        let rank = |index: &u32| {
            let rank = match self.fleet.state(*index) {
                NodeState::Preempted => 0,
                NodeState::Starting => 1,
                _ => 2 + self.fleet.n_tasks(*index),
            };
            (rank, Reverse(*index))
        };
        let n_victims = (nodes.0 as usize).min(victims.len());
        if n_victims < victims.len() {
            victims.select_nth_unstable_by_key(n_victims, rank);
            victims.truncate(n_victims);
        }
        victims.sort_unstable_by_key(rank);
        for index in &victims {
            self.dismiss(*index, option);
        }
        self.victims = victims;
    }

    fn dismiss(&mut self, index: u32, option: NodeDeallocationOption) {
        use NodeDeallocationOption as Option;
        if self.fleet.state(index) == NodeState::Preempted {
            self.fleet.remove(index);
            return;
        }
        self.resize.outstanding += 1;
        if self.fleet.n_tasks(index) > 0 && matches!(option, Option::TaskCompletion | Option::RetainedData) {
            self.fleet.set_state(index, NodeState::Draining);
            return;
        }
        let mut tasks = std::mem::take(&mut self.thrown_out);
        self.fleet.evacuate(index, &mut tasks);
        for running in tasks.drain(..) {
            if option == Option::Terminate {
                self.running -= 1;
                self.tally.terminated += 1;
                self.lose(running);
            } else {
                self.tally.requeued += 1;
                self.put_back(running);
            }
        }
        self.thrown_out = tasks;
        self.see_off(index);
    }

    /// Begins the removal of a node that has no task.
    pub(super) fn see_off(&mut self, index: u32) {
        self.fleet.set_state(index, NodeState::Leaving);
        let node = self.fleet.now_at(index);
        self.calendar
            .note(self.now + self.setup.resize_time, Event::Gone { node });
    }
}
