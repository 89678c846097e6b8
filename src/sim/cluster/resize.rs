//! How the pool follows an order.
//!
//! ```text
//! steady ─ order ─► resizing ─ machines granted, victims gone ─► steady
//!                      │ ▲  └─ spot that is not to be had until the resize times out ─► steady, with an error
//!                      └─┘ another order: refused as the service does (409 PoolBeingResized), or taken when it retakes
//! ```
//!
//! The pool stays `resizing` while victims finish their tasks, however long that takes: the hazard of `taskcompletion` that
//! the service has too. Which nodes go is the service's choice and not documented; here it is those that would lose least:
//! preempted ones, then unusable, booting, idle and running ones, those with the fewest tasks first, cordoned ones and then the youngest
//! place among equals. Where none may go that works, they are named as the live account does: booting ones after idle ones. The service goes on trying to reach its spot target after a resize has timed out.

use std::cmp::Reverse;
use std::sync::Arc;

use super::calendar::Event;
use super::meter::NodeState;
use super::simulator::Cluster;
use crate::account::{
    AllocationState, NodeDeallocationOption, Refusal, RefusalKind, Removal, Replacement, ResizeError,
};
use crate::base::{Lane, Mix, Nodes, Timestamp};

/// What an order tells the pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// What the pool shall have.
    pub target: Mix,
    /// What happens to running tasks on nodes that go.
    pub option: NodeDeallocationOption,
    /// Which nodes may go.
    pub removal: Removal,
    /// How many ready nodes of each lane shall take no further tasks: as many as there are at that moment, at the most.
    pub cordon: Mix,
    /// Whether a resize that is under way is stopped first.
    pub retake: bool,
    /// Nodes of no use that go first, so that others come in their place.
    pub replace: Option<Replacement>,
}

/// Where the pool is with its latest order.
#[derive(Debug, Default)]
pub(super) struct Resize {
    /// The number of the latest order.
    order: u64,
    /// Grants of that order that are to come.
    grants: u32,
    /// It has had its time: what was not to be had keeps the pool from being steady no longer.
    pub(super) timed_out: bool,
    /// Why the latest order was not met in full.
    pub(super) errors: Vec<ResizeError>,
}

impl Resize {
    /// Says whether machines of the latest order are about to be granted.
    pub(super) const fn is_granting(&self) -> bool {
        self.grants > 0
    }
}

impl Cluster {
    /// Says whether a resize is under way that keeps the pool from taking an order.
    pub fn allocation(&self) -> AllocationState {
        if self.setup.refuses_while_resizing && self.is_resizing() {
            AllocationState::Resizing
        } else {
            AllocationState::Steady
        }
    }

    fn is_resizing(&self) -> bool {
        let census = self.fleet.census();
        let waits = self.spot.ungranted > 0 && !self.resize.timed_out;
        let goes = census.of(NodeState::Draining) + census.of(NodeState::Leaving);
        self.resize.grants > 0 || waits || goes > Nodes::ZERO
    }

    /// Returns why the latest order was not met in full; empty when it was.
    pub fn resize_errors(&self) -> &[ResizeError] {
        &self.resize.errors
    }

    /// Orders nodes as Pool - Resize does; the pool begins to follow at once.
    ///
    /// # Errors
    /// While another resize is under way.
    pub fn order(&mut self, target: Mix, option: NodeDeallocationOption) -> Result<(), Refusal> {
        self.obey(&Command {
            target,
            option,
            cordon: self.fleet.census().cordoned(),
            ..Command::default()
        })
    }

    /// Begins to follow a command. One that leaves the target and changes only which nodes take tasks needs no steady pool.
    ///
    /// # Errors
    /// While another resize is under way that the command does not retake.
    pub fn obey(&mut self, command: &Command) -> Result<(), Refusal> {
        let cordons = command.cordon != self.fleet.census().cordoned();
        let beside = command.retake || command.replace.is_some();
        if !(cordons && command.target == self.target && !beside) {
            if self.is_resizing() {
                if self.setup.refuses_while_resizing && !command.retake {
                    return Err(Refusal {
                        kind: RefusalKind::Resizing,
                        message: "The specified pool is being resized".to_owned(),
                    });
                }
                self.return_to_service();
            }
            if let Some(replacement) = &command.replace {
                self.replace(replacement);
            }
            self.begin_resize(command);
        }
        self.version += 1;
        for lane in Lane::ALL {
            self.cordon(lane, command.cordon.get(lane));
        }
        self.dispatch();
        Ok(())
    }

    /// Lets nodes of no use go that have been so for long enough, the longest first.
    fn replace(&mut self, replacement: &Replacement) {
        let of = |state: NodeState, before: Timestamp, most: Nodes| {
            let nodes = self.fleet.nodes();
            let found = nodes.filter(|(_, node)| node.state == Some(state) && node.since <= before);
            let mut found: Vec<_> = found.map(|(index, node)| (node.since, index)).collect();
            found.sort_unstable();
            found.truncate(most.0 as usize);
            found
        };
        let broken = of(NodeState::Unusable, replacement.broken_before, replacement.broken);
        let away = of(NodeState::Preempted, replacement.away_before, replacement.away);
        for (_, index) in broken.into_iter().chain(away) {
            self.dismiss(index, NodeDeallocationOption::Requeue);
        }
    }

    fn begin_resize(&mut self, command: &Command) {
        self.resize.errors.clear();
        self.resize.order += 1;
        self.resize.grants = 0;
        self.resize.timed_out = false;
        self.target = command.target;
        self.option = command.option;
        let order = self.resize.order;
        for lane in Lane::ALL {
            let want = self.granted(lane, command.target.get(lane));
            let have = self.kept_and_awaited(lane);
            if want > have {
                self.resize.grants += 1;
                let nodes = want.saturating_sub(have);
                let grant = Event::Granted { order, lane, nodes };
                self.calendar.note(self.now + self.setup.resize_time, grant);
            } else if want < have {
                self.shrink(lane, have.saturating_sub(want), command);
                if command.removal == Removal::Idle {
                    self.target = self.target.with(lane, self.kept_and_awaited(lane));
                }
            }
        }
        if self.spot.has_supply() {
            let time = self.setup.resize_timeout.max(self.setup.resize_time);
            self.calendar.note(self.now + time, Event::TimedOut { order });
        }
    }

    /// Counts the nodes that are there and not about to go, and the machines that are waited for.
    fn kept_and_awaited(&self, lane: Lane) -> Nodes {
        let census = self.fleet.census();
        let goes = census.get(lane, NodeState::Draining) + census.get(lane, NodeState::Leaving);
        let awaited = match lane {
            Lane::Dedicated => 0,
            Lane::Spot => self.spot.ungranted,
        };
        census.mix().get(lane).saturating_sub(goes) + Nodes(awaited)
    }

    /// Lets nodes that were to go after their tasks take tasks again.
    fn return_to_service(&mut self) {
        let mut drained = std::mem::take(&mut self.victims);
        drained.clear();
        let draining = self.fleet.nodes();
        drained.extend(
            draining
                .filter(|(_, node)| node.state == Some(NodeState::Draining))
                .map(|(index, _)| index),
        );
        for index in &drained {
            self.fleet.set_state(*index, NodeState::Running);
        }
        self.victims = drained;
    }

    pub(super) fn grant(&mut self, order: u64, lane: Lane, nodes: Nodes) {
        if order != self.resize.order {
            return;
        }
        self.resize.grants -= 1;
        if lane == Lane::Spot && !self.spot.is_open() {
            self.spot.ungranted += nodes.0;
            return;
        }
        for _ in 0..nodes.0 {
            self.add_node(lane);
        }
    }

    pub(super) fn time_out(&mut self, order: u64) {
        if order != self.resize.order || self.spot.ungranted == 0 {
            return;
        }
        self.resize.timed_out = true;
        self.resize.errors.push(ResizeError {
            code: "AllocationTimedout".into(),
            message: Arc::from(
                "Desired number of low priority nodes could not be allocated as the resize timeout was reached",
            ),
        });
    }

    /// Returns how much of a target the quota allows, and notes what it does not.
    fn granted(&mut self, lane: Lane, target: Nodes) -> Nodes {
        let quota = self.setup.quota_nodes().get(lane);
        if target <= quota {
            return target;
        }
        let family = self.setup.cores.is_some_and(|cores| cores.is_family_tighter());
        let code = match lane {
            Lane::Dedicated if family => "AccountVMSeriesCoreQuotaReached",
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

    /// Takes away that many nodes, or as many as the command allows: what is only waited for first.
    fn shrink(&mut self, lane: Lane, nodes: Nodes, command: &Command) {
        let mut nodes = nodes.0;
        if lane == Lane::Spot {
            let dropped = nodes.min(self.spot.ungranted);
            self.spot.ungranted -= dropped;
            nodes -= dropped;
        }
        let mut victims = std::mem::take(&mut self.victims);
        victims.clear();
        let fleet = &self.fleet;
        let may_go = |index: &u32| {
            command.removal == Removal::Any
                || matches!(
                    fleet.state(*index),
                    NodeState::Preempted | NodeState::Unusable | NodeState::Idle | NodeState::Starting
                )
        };
        victims.extend(fleet.staying(lane).filter(may_go));
        let rank = |index: &u32| {
            let rank = match fleet.state(*index) {
                NodeState::Preempted => 0,
                NodeState::Unusable => 1,
                NodeState::Starting if command.removal == Removal::Idle => 4,
                NodeState::Starting => 2,
                _ => 3 + fleet.n_tasks(*index),
            };
            (rank, !fleet.node(*index).cordoned, Reverse(*index))
        };
        let n_victims = (nodes as usize).min(victims.len());
        if n_victims < victims.len() {
            victims.select_nth_unstable_by_key(n_victims, rank);
            victims.truncate(n_victims);
        }
        victims.sort_unstable_by_key(rank);
        for index in &victims {
            self.dismiss(*index, command.option);
        }
        self.victims = victims;
    }

    fn dismiss(&mut self, index: u32, option: NodeDeallocationOption) {
        use NodeDeallocationOption as Option;
        if self.fleet.state(index) == NodeState::Preempted {
            self.fleet.remove(index);
            return;
        }
        if self.fleet.n_tasks(index) > 0 && matches!(option, Option::TaskCompletion | Option::RetainedData) {
            self.fleet.set_state(index, NodeState::Draining);
            return;
        }
        let mut tasks = std::mem::take(&mut self.thrown_out);
        self.fleet.evacuate(index, &mut tasks);
        for running in tasks.drain(..) {
            if option == Option::Terminate {
                self.terminate(&running);
            } else {
                self.tally.requeued += 1;
                self.put_back(&running);
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

    /// Lets so many ready nodes of a lane take no further tasks, and the others take some: the emptiest are closed, and the
    /// youngest place among equals. They are chosen anew by every command, because those that were the emptiest fill up.
    fn cordon(&mut self, lane: Lane, nodes: Nodes) {
        if nodes == Nodes::ZERO && self.fleet.census().cordoned().get(lane) == Nodes::ZERO {
            return;
        }
        let ready = self
            .fleet
            .nodes()
            .filter(|(_, node)| node.lane == lane && node.is_ready());
        let mut emptiest: Vec<_> = ready
            .map(|(index, node)| (Reverse(node.free), Reverse(index)))
            .collect();
        emptiest.sort_unstable();
        for (place, (_, Reverse(index))) in emptiest.into_iter().enumerate() {
            let closes = place < nodes.0 as usize;
            if self.fleet.node(index).cordoned != closes {
                self.fleet.set_cordoned(index, closes);
            }
        }
    }
}
