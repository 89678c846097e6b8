//! The life of nodes: they are created, boot, run their start task, are restarted, break and leave.

use super::Desk;
use super::node::{AfterTasks, NodeState, Restart, StartTaskRun};
use super::refs::{Event, NodeRef, Step};
use super::setup::TroubleKind;
use crate::base::{Lane, Span};
use crate::sim::Times;

impl Desk {
    /// Adds a node; a spot machine must be to be had.
    pub(super) fn add_node(&mut self, number: u32, lane: Lane) -> u32 {
        let now = self.now;
        let suffix = match lane {
            Lane::Dedicated => "d",
            Lane::Spot => "p",
        };
        let id = format!("tvmps_{}{}_{suffix}", self.chance.hex(), self.chance.hex());
        let unit = (lane == Lane::Spot).then(|| self.market.give()).flatten();
        let pool = self.pool_mut(number);
        let index = pool.add_node(id, lane, now);
        pool.nodes[index as usize].unit = unit;
        self.create_machine(NodeRef { pool: number, index });
        index
    }

    /// Lets a node that was just added have booted, and its start task have ended well, already.
    pub(super) fn ready_at_once(&mut self, node: NodeRef) {
        let now = self.now;
        let has_start_task = self.pool(node.pool).given.contains_key("startTask");
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.booted = Some(now);
            node.start_task = has_start_task.then_some(StartTaskRun {
                started: now,
                ended: Some(now),
                exit_code: Some(0),
                retries: 0,
            });
        });
        self.is_ready(node);
    }

    /// Has a machine made for a node that is `creating`, and draws how long it lasts.
    pub(super) fn create_machine(&mut self, node: NodeRef) {
        let creating = self.setup.timing.creating;
        let time = self.setup_span(creating);
        self.expect(node, Step::Boots, time);
        let (pool, machine) = (self.pool(node.pool), self.node(node).machine);
        let is_spot = pool.nodes[node.index as usize].lane == Lane::Spot;
        let hourly = self.setup.timing.evictions_hourly;
        if is_spot {
            if let Some(life) = self.market.draw_life(&mut self.chance) {
                self.agenda
                    .note(self.now + life, Event::Evicted { node, machine });
            }
            if let Some(life) = self.draw_rate(hourly) {
                self.agenda
                    .note(self.now + life, Event::Evicted { node, machine });
            }
        }
    }

    /// Draws when something happens next that happens so often in an hour.
    fn draw_rate(&mut self, hourly: f64) -> Option<Span> {
        (hourly > 0.0).then(|| {
            let mean = Span::hours(1).scale(1.0 / hourly);
            self.chance.time(Times::Exponential { mean })
        })
    }

    fn setup_span(&mut self, spread: super::setup::Spread) -> Span {
        self.chance.between(spread.least, spread.most)
    }

    /// Notes the next step of a node's life; what was foreseen before is void.
    fn expect(&mut self, node: NodeRef, step: Step, time: Span) {
        let at = &mut self.pool_mut(node.pool).nodes[node.index as usize];
        at.life += 1;
        let life = at.life;
        self.agenda
            .note(self.now + time, Event::Node { node, life, step });
    }

    fn set_state(&mut self, node: NodeRef, state: NodeState) {
        let now = self.now;
        self.pool_mut(node.pool)
            .change(node.index, now, |node| node.state = state);
    }

    /// Takes the next step of a node's life.
    pub(super) fn take_step(&mut self, node: NodeRef, life: u32, step: Step) {
        let is_current = self
            .pools
            .get(&node.pool)
            .and_then(|pool| pool.nodes.get(node.index as usize))
            .is_some_and(|node| node.is_here() && node.life == life);
        if !is_current {
            return;
        }
        match step {
            Step::Boots => self.boots(node),
            Step::Booted => self.booted(node),
            Step::Started => self.start_task_ended(node),
            Step::Sticks => self.set_state(node, NodeState::Unusable),
            Step::Stopped => {
                self.release_unit(node);
                self.set_state(node, NodeState::Deallocated);
            }
            Step::Gone => self.gone(node),
            Step::Restored => self.give_back(node),
        }
    }

    /// Lets a machine boot, unless it sticks.
    pub(super) fn boots(&mut self, node: NodeRef) {
        let now = self.now;
        self.pool_mut(node.pool).change(node.index, now, |node| {
            if !matches!(node.state, NodeState::Rebooting | NodeState::Reimaging) {
                node.state = NodeState::Starting;
            }
            node.booted = Some(now);
        });
        let starting = self.setup.timing.starting;
        let time = self.setup_span(starting);
        let sticks = self.chance_of(node.pool, self.setup.timing.boot_sticks, |kind| match kind {
            TroubleKind::NodesUnusable(chance) => Some(chance),
            _ => None,
        });
        let step = if self.chance.happens(sticks) {
            Step::Sticks
        } else {
            Step::Booted
        };
        self.expect(node, step, time);
    }

    /// Returns the chance of a fault: the usual one, or the highest of what troubles a pool now.
    fn chance_of(&self, pool: u32, usual: f64, of: impl Fn(TroubleKind) -> Option<f64>) -> f64 {
        let pool = self.pool(pool);
        self.setup
            .troubles_of(&pool.id, self.now)
            .filter_map(of)
            .fold(usual, f64::max)
    }

    fn booted(&mut self, node: NodeRef) {
        let now = self.now;
        if !self.pool(node.pool).given.contains_key("startTask") {
            self.is_ready(node);
            return;
        }
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.state = NodeState::WaitingForStartTask;
            node.start_task = Some(StartTaskRun {
                started: now,
                ended: None,
                exit_code: None,
                retries: 0,
            });
        });
        let spread = self.setup.timing.start_task;
        let time = self.setup_span(spread);
        self.expect(node, Step::Started, time);
    }

    fn start_task_ended(&mut self, node: NodeRef) {
        let now = self.now;
        let fails = self.chance_of(node.pool, self.setup.timing.start_task_fails, |kind| match kind {
            TroubleKind::StartTasksFail(chance) => Some(chance),
            _ => None,
        });
        let failed = self.chance.happens(fails);
        self.pool_mut(node.pool).change(node.index, now, |node| {
            if let Some(run) = &mut node.start_task {
                run.ended = Some(now);
                run.exit_code = Some(i32::from(failed));
            }
            if failed {
                node.state = NodeState::StartTaskFailed;
            }
        });
        if !failed {
            self.is_ready(node);
        }
    }

    fn is_ready(&mut self, node: NodeRef) {
        let now = self.now;
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.state = if node.takes_tasks {
                NodeState::Idle
            } else {
                NodeState::Offline
            };
            node.life += 1;
        });
        let machine = self.node(node).machine;
        let hourly = self.setup.timing.breaks_hourly;
        if let Some(life) = self.draw_rate(hourly) {
            self.agenda.note(self.now + life, Event::Broken { node, machine });
        }
    }

    /// Lets a machine be of no use; its tasks go back.
    pub(super) fn break_down(&mut self, node: NodeRef, machine: u32) {
        let Some(current) = self.node_with(node, machine) else {
            return;
        };
        if !current.state.is_ready() {
            return;
        }
        let leaves = current.after_tasks == AfterTasks::Leave;
        self.clear_node(node.pool, node.index, false);
        if leaves {
            self.see_off(node.pool, node.index);
        } else {
            self.set_state(node, NodeState::Unusable);
        }
    }

    /// Boots a node again, or deallocates it; its tasks are gone already.
    pub(super) fn restart(&mut self, node: NodeRef, how: Restart) {
        let now = self.now;
        let starting = self.setup.timing.starting;
        let time = self.setup_span(starting);
        let (state, step) = match how {
            Restart::Reboot => (NodeState::Rebooting, Step::Booted),
            Restart::Reimage => (NodeState::Reimaging, Step::Booted),
            Restart::Deallocate => (NodeState::Deallocating, Step::Stopped),
        };
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.state = state;
            node.after_tasks = AfterTasks::Stay;
            if how != Restart::Deallocate {
                node.booted = Some(now);
            }
        });
        self.expect(node, step, time);
    }

    /// Does what was to be done with a node once it has no task.
    pub(super) fn node_emptied(&mut self, node: NodeRef) {
        let at = self.node(node);
        if !at.tasks.is_empty() {
            return;
        }
        match at.after_tasks {
            AfterTasks::Stay => {}
            AfterTasks::Leave => self.see_off(node.pool, node.index),
            AfterTasks::Restart(how) => self.restart(node, how),
        }
    }

    fn gone(&mut self, node: NodeRef) {
        self.release_unit(node);
        let now = self.now;
        let pool = self.pool_mut(node.pool);
        pool.drop_node(node.index, now);
        let is_empty = pool.deleting.is_some() && pool.present().next().is_none();
        if is_empty {
            self.pool_is_gone(node.pool);
        } else {
            self.settle(node.pool);
        }
    }

    /// Takes a node's machine off its unit of spot capacity.
    pub(super) fn release_unit(&mut self, node: NodeRef) {
        let at = &mut self.pool_mut(node.pool).nodes[node.index as usize];
        if let Some(unit) = at.unit.take() {
            self.market.release(unit);
        }
    }
}
