//! A pool: what was asked for, what is there, and what of its latest resize is still to come.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::autoscale::Autoscale;
use super::node::{AfterTasks, Node, NodeState};
use super::refs::TaskRef;
use super::samples::Samples;
use crate::account::{AllocationState, NodeDeallocationOption, PoolId};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::sim::cluster::Fill;

/// The finest time that the service and the state file tell apart.
pub(super) const MILLISECOND: Span = Span::from_ticks(10_000);

/// A pool of the account.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pool {
    pub(super) number: u32,
    pub(super) id: PoolId,
    /// What was given when it was made and is only told again: images, networks, start task, metadata.
    pub(super) given: Map<String, Value>,
    pub(super) vm_size: String,
    pub(super) cores: u32,
    pub(super) family: String,
    pub(super) slots_per_node: u32,
    pub(super) packs: bool,
    pub(super) created: Timestamp,
    /// When targets, formula or properties last changed; the version follows from it.
    pub(super) modified: Timestamp,
    /// Since when it is being deleted.
    pub(super) deleting: Option<Timestamp>,
    pub(super) allocation: AllocationState,
    pub(super) allocation_since: Timestamp,
    pub(super) target: Mix,
    pub(super) resize_timeout: Span,
    pub(super) option: NodeDeallocationOption,
    pub(super) resize: Resize,
    pub(super) autoscale: Option<Autoscale>,
    /// Grows whenever autoscale is turned on, off or changed.
    pub(super) autoscale_version: u32,
    pub(super) autoscale_enabled_at: Option<Timestamp>,
    pub(super) nodes: Vec<Node>,
    vacant: Vec<u32>,
    /// Open nodes by free slots.
    #[serde(skip)]
    open: BTreeMap<u32, BTreeSet<u32>>,
    /// Nodes by lane and state.
    #[serde(skip)]
    counts: [[u32; NodeState::ALL.len()]; 2],
    /// The jobs that run here, by falling priority and then by age.
    pub(super) jobs: BTreeSet<(i32, u32)>,
    pub(super) tasks: TaskTally,
    pub(super) samples: Samples,
    /// What its nodes come to in time.
    #[serde(default)]
    pub(super) hours: NodeHours,
}

/// How long nodes were there that are paid for: all but those that were taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct NodeHours {
    /// Up to when they are added up; not at all without.
    until: Option<Timestamp>,
    /// By lane, added up.
    pub(super) milliseconds: [u64; 2],
    /// How often one came, went, was taken away or came back.
    pub(super) n_turns: u64,
}

/// What of the latest resize is still to come.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Resize {
    /// Its number; what belongs to an earlier one is void.
    pub(super) number: u32,
    /// In how many lanes machines are still to be granted.
    pub(super) granting: u32,
    /// Spot machines that were not to be had, and are waited for.
    pub(super) awaited: u32,
    /// Its time is over.
    pub(super) timed_out: bool,
    /// Why it was not met; they stay until the next begins.
    pub(super) errors: Vec<ResizeFault>,
}

/// Why a resize was not met (`ResizeError` of Pool - Get).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResizeFault {
    pub(super) lane: Lane,
    pub(super) code: String,
    pub(super) message: String,
    pub(super) values: Vec<(String, String)>,
}

/// Tasks of a pool's jobs, as samples count them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TaskTally {
    /// Ready to run and not running.
    pub(super) active: u32,
    pub(super) running: u32,
    pub(super) succeeded: u32,
    pub(super) failed: u32,
}

impl Pool {
    /// Returns an empty pool that is steady.
    pub(super) fn new(number: u32, id: PoolId, now: Timestamp) -> Self {
        Self {
            number,
            id,
            given: Map::new(),
            vm_size: String::new(),
            cores: 1,
            family: String::new(),
            slots_per_node: 1,
            packs: false,
            created: now,
            modified: now,
            deleting: None,
            allocation: AllocationState::Steady,
            allocation_since: now,
            target: Mix::ZERO,
            resize_timeout: super::pool_making::RESIZE_TIMEOUT,
            option: NodeDeallocationOption::Requeue,
            resize: Resize::default(),
            autoscale: None,
            autoscale_version: 0,
            autoscale_enabled_at: None,
            nodes: Vec::new(),
            vacant: Vec::new(),
            open: BTreeMap::new(),
            counts: [[0; NodeState::ALL.len()]; 2],
            jobs: BTreeSet::new(),
            tasks: TaskTally::default(),
            samples: Samples::default(),
            hours: NodeHours::default(),
        }
    }

    /// Adds up the time of the nodes that are paid for, up to a moment from which on others are there.
    pub(super) fn add_hours(&mut self, now: Timestamp) {
        let until = self.hours.until.unwrap_or(now);
        let passed = u64::try_from(now.since(until).ticks() / MILLISECOND.ticks()).unwrap_or(0);
        for lane in Lane::ALL {
            let nodes = self.current(lane) - self.count(lane, NodeState::Preempted);
            self.hours.milliseconds[lane as usize] += passed * u64::from(nodes);
        }
        self.hours.until = Some(now.max(until));
    }

    fn turn(&mut self, now: Timestamp) {
        self.add_hours(now);
        self.hours.n_turns += 1;
    }

    /// Notes that targets, formula or properties changed; two changes never have one version.
    pub(super) fn touch(&mut self, now: Timestamp) {
        let next = self.modified + MILLISECOND;
        self.modified = now.max(next);
    }

    /// Moves the allocation state.
    pub(super) fn allocate(&mut self, state: AllocationState, now: Timestamp) {
        if self.allocation != state {
            self.allocation = state;
            self.allocation_since = now;
        }
    }

    /// Returns which of the nodes with room a task is given.
    pub(super) const fn fill(&self) -> Fill {
        if self.packs { Fill::Pack } else { Fill::Spread }
    }

    /// Returns the nodes of a lane in a state.
    pub(super) const fn count(&self, lane: Lane, state: NodeState) -> u32 {
        self.counts[lane as usize][state as usize]
    }

    /// Returns the nodes of a lane.
    pub(super) fn current(&self, lane: Lane) -> u32 {
        self.counts[lane as usize].iter().sum()
    }

    /// Returns the nodes of both lanes.
    pub(super) fn mix(&self) -> Mix {
        Mix {
            dedicated: Nodes(self.current(Lane::Dedicated)),
            spot: Nodes(self.current(Lane::Spot)),
        }
    }

    /// Returns the nodes that can run tasks.
    pub(super) fn usable(&self) -> u32 {
        let of = |lane| self.count(lane, NodeState::Idle) + self.count(lane, NodeState::Running);
        Lane::ALL.into_iter().map(of).sum()
    }

    /// Returns the cores of a lane that are taken: by nodes in whatever state, for preempted ones come back by themselves, and
    /// by spot machines that are waited for.
    pub(super) fn cores_held(&self, lane: Lane) -> u64 {
        let awaited = match lane {
            Lane::Dedicated => 0,
            Lane::Spot => self.resize.awaited,
        };
        u64::from(self.current(lane) + awaited) * u64::from(self.cores)
    }

    /// Returns every node and its place.
    pub(super) fn present(&self) -> impl Iterator<Item = (u32, &Node)> {
        (0..).zip(&self.nodes).filter(|(_, node)| node.is_here())
    }

    /// Returns the place of a node by its id.
    pub(super) fn place_of(&self, id: &str) -> Option<u32> {
        self.present()
            .find(|(_, node)| node.id.eq_ignore_ascii_case(id))
            .map(|(index, _)| index)
    }

    /// Adds a node, which begins as `creating`, and returns its place.
    pub(super) fn add_node(&mut self, id: String, lane: Lane, now: Timestamp) -> u32 {
        self.turn(now);
        let (index, life, machine) = match self.vacant.pop() {
            Some(index) => {
                let gone = &self.nodes[index as usize];
                (index, gone.life + 1, gone.machine + 1)
            }
            None => (self.nodes.len() as u32, 0, 0),
        };
        let node = Node {
            id: id.into(),
            lane,
            state: NodeState::Creating,
            state_since: now,
            takes_tasks: true,
            after_tasks: AfterTasks::Stay,
            allocated: now,
            booted: None,
            life,
            machine,
            unit: None,
            free: self.slots_per_node,
            tasks: Vec::new(),
            recent: VecDeque::new(),
            n_run: 0,
            n_succeeded: 0,
            start_task: None,
            address: (index % 65_000) as u16 + 4,
        };
        if index as usize == self.nodes.len() {
            self.nodes.push(node);
        } else {
            self.nodes[index as usize] = node;
        }
        self.counts[lane as usize][NodeState::Creating as usize] += 1;
        index
    }

    /// Takes a node away for good.
    pub(super) fn drop_node(&mut self, index: u32, now: Timestamp) {
        self.turn(now);
        self.close(index);
        let node = &mut self.nodes[index as usize];
        assert!(node.tasks.is_empty(), "no node goes with a task");
        self.counts[node.lane as usize][node.state as usize] -= 1;
        node.id = "".into();
        node.recent.clear();
        node.life += 1;
        node.machine += 1;
        self.vacant.push(index);
    }

    /// Lets nodes stay that were to leave after their tasks.
    pub(super) fn recall(&mut self, now: Timestamp) {
        for index in 0..self.nodes.len() as u32 {
            let node = &self.nodes[index as usize];
            if node.is_here() && node.after_tasks == AfterTasks::Leave {
                self.change(index, now, |node| node.after_tasks = AfterTasks::Stay);
            }
        }
    }

    /// Changes a node, keeping counts and open places in step with it.
    pub(super) fn change<T>(&mut self, index: u32, now: Timestamp, how: impl FnOnce(&mut Node) -> T) -> T {
        self.close(index);
        let node = &mut self.nodes[index as usize];
        let before = node.state;
        let result = how(node);
        let (lane, after) = (node.lane, node.state);
        if after != before {
            node.state_since = now;
            if [before, after].contains(&NodeState::Preempted) {
                self.turn(now);
            }
            self.counts[lane as usize][before as usize] -= 1;
            self.counts[lane as usize][after as usize] += 1;
        }
        self.reopen(index);
        result
    }

    /// Returns a node with so much room, if there is one: the one that its fill type prefers, the oldest place among equals.
    pub(super) fn room_for(&self, slots: u32) -> Option<u32> {
        let mut rooms = self.open.range(slots..).filter(|(_, places)| !places.is_empty());
        let (_, places) = match self.fill() {
            Fill::Pack => rooms.next()?,
            Fill::Spread => rooms.next_back()?,
        };
        places.first().copied()
    }

    /// Lets a task hold slots of a node.
    pub(super) fn seat(&mut self, index: u32, task: TaskRef, slots: u32, now: Timestamp) {
        self.change(index, now, |node| {
            node.free -= slots;
            node.tasks.push(task);
            node.n_run += 1;
            node.state = NodeState::Running;
            node.remember(task);
        });
    }

    /// Takes a task off its node; a node without tasks is idle, or offline when its scheduling is disabled.
    pub(super) fn unseat(&mut self, index: u32, task: TaskRef, slots: u32, now: Timestamp) {
        self.change(index, now, |node| {
            node.tasks.retain(|other| *other != task);
            node.free += slots;
            if node.tasks.is_empty() && node.state == NodeState::Running {
                node.state = if node.takes_tasks {
                    NodeState::Idle
                } else {
                    NodeState::Offline
                };
            }
        });
    }

    fn close(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        if node.is_open()
            && let Some(places) = self.open.get_mut(&node.free)
        {
            places.remove(&index);
        }
    }

    fn reopen(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        if node.is_open() {
            self.open.entry(node.free).or_default().insert(index);
        }
    }

    /// Finds counts and open places again, which are not kept in a state file.
    pub(super) fn recount(&mut self) {
        self.open.clear();
        self.counts = [[0; NodeState::ALL.len()]; 2];
        for index in 0..self.nodes.len() as u32 {
            let node = &self.nodes[index as usize];
            if node.is_here() {
                self.counts[node.lane as usize][node.state as usize] += 1;
                self.reopen(index);
            }
        }
    }
}
