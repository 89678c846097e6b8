//! Counts nodes by lane and state, and adds up the time they spend there; money follows from that.
//!
//! Time is added up in whole ticks, so that the sums are exact and the same on every machine.

use crate::base::{Lane, Mix, Nodes, Span, Timestamp, Usd};
use crate::market::PricePath;
use crate::policy::Prices;

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeState {
    /// It boots.
    Starting,
    /// It is ready and has no task.
    Idle,
    /// It has at least one task.
    Running,
    /// It finishes its tasks and takes no more.
    Draining,
    /// It is being removed.
    Leaving,
    /// It was taken away and is to come back.
    Preempted,
    /// Its start task failed, or it broke; it is of no use.
    Unusable,
}

impl NodeState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::Idle,
        Self::Running,
        Self::Draining,
        Self::Leaving,
        Self::Preempted,
        Self::Unusable,
    ];

    /// Says whether a node in this state is paid for: every one that exists is, taken away ones do not.
    pub const fn is_billed(self) -> bool {
        !matches!(self, Self::Preempted)
    }

    /// Says whether a node in this state works on tasks.
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::Running | Self::Draining)
    }
}

/// How many nodes there are of each lane and state, and how many slots are busy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    nodes: [[u32; NodeState::ALL.len()]; 2],
    /// Ready nodes that take no further tasks: idle ones, running ones.
    cordoned: [[u32; 2]; 2],
    /// Slots with a task.
    pub busy_slots: u64,
}

impl Census {
    /// Returns the nodes of a lane in a state.
    pub const fn get(&self, lane: Lane, state: NodeState) -> Nodes {
        Nodes(self.nodes[lane as usize][state as usize])
    }

    /// Returns the nodes of both lanes in a state.
    pub fn of(&self, state: NodeState) -> Nodes {
        self.get(Lane::Dedicated, state) + self.get(Lane::Spot, state)
    }

    /// Returns the nodes of each lane in any state.
    pub fn mix(&self) -> Mix {
        self.mix_of(|_| true)
    }

    /// Returns the nodes of each lane that work on tasks.
    pub fn working(&self) -> Mix {
        self.mix_of(NodeState::is_busy)
    }

    fn mix_of(&self, counts: impl Fn(NodeState) -> bool) -> Mix {
        let lane = |lane: Lane| {
            let states = NodeState::ALL.into_iter().filter(|state| counts(*state));
            states.map(|state| self.get(lane, state)).sum()
        };
        Mix {
            dedicated: lane(Lane::Dedicated),
            spot: lane(Lane::Spot),
        }
    }

    /// Returns the nodes of each lane that take no further tasks.
    pub fn cordoned(&self) -> Mix {
        Mix {
            dedicated: Nodes(self.cordoned[0].iter().sum()),
            spot: Nodes(self.cordoned[1].iter().sum()),
        }
    }

    /// Returns the nodes of both lanes that have no task and take none.
    pub const fn cordoned_idle(&self) -> Nodes {
        Nodes(self.cordoned[0][0] + self.cordoned[1][0])
    }

    /// Returns the nodes that can be given tasks or run some, ready and not both cordoned and idle.
    pub fn usable(&self) -> Nodes {
        (self.of(NodeState::Idle) + self.of(NodeState::Running)).saturating_sub(self.cordoned_idle())
    }

    pub(super) const fn cordon(&mut self, lane: Lane, state: NodeState) {
        self.cordoned[lane as usize][matches!(state, NodeState::Running) as usize] += 1;
    }

    pub(super) const fn uncordon(&mut self, lane: Lane, state: NodeState) {
        self.cordoned[lane as usize][matches!(state, NodeState::Running) as usize] -= 1;
    }

    pub(super) const fn enter(&mut self, lane: Lane, state: NodeState) {
        self.nodes[lane as usize][state as usize] += 1;
    }

    pub(super) const fn leave(&mut self, lane: Lane, state: NodeState) {
        self.nodes[lane as usize][state as usize] -= 1;
    }
}

/// The time that nodes have spent, by lane and state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    read: Timestamp,
    node_ticks: [[u128; NodeState::ALL.len()]; 2],
    busy_slot_ticks: u128,
    /// When it is to be read on the way, in order; what was read there: ticks billed, and those of them without a task.
    marks: Vec<Timestamp>,
    readings: Vec<[Billed; 2]>,
}

/// Node-ticks of one lane that are billed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Billed {
    all: u128,
    without_task: u128,
}

impl Meter {
    pub(super) const fn new(start: Timestamp) -> Self {
        Self {
            read: start,
            node_ticks: [[0; NodeState::ALL.len()]; 2],
            busy_slot_ticks: 0,
            marks: Vec::new(),
            readings: Vec::new(),
        }
    }

    /// Keeps what was billed up to each of some moments to come, in order of time: those at which a price changes.
    pub(super) fn mark(&mut self, marks: Vec<Timestamp>) {
        debug_assert!(marks.is_sorted() && marks.first().is_none_or(|first| *first >= self.read));
        self.marks = marks;
    }

    /// Adds the time since the last reading, through which the census was what it is.
    pub(super) fn advance(&mut self, now: Timestamp, census: &Census) {
        while let Some(mark) = self.marks.get(self.readings.len()).filter(|mark| **mark <= now) {
            self.add_time(*mark, census);
            self.readings.push(Lane::ALL.map(|lane| self.billed(lane)));
        }
        self.add_time(now, census);
    }

    fn billed(&self, lane: Lane) -> Billed {
        let of = |pick: fn(NodeState) -> bool| {
            let states = NodeState::ALL.into_iter().filter(|state| pick(*state));
            states.map(|state| self.node_ticks(lane, state)).sum()
        };
        Billed {
            all: of(NodeState::is_billed),
            without_task: of(|state| state.is_billed() && !state.is_busy()),
        }
    }

    /// Returns what a lane costs at a price that changes only where the meter was marked, and the part of it that was paid for
    /// nodes without a task.
    pub fn bill(&self, lane: Lane, price: &PricePath, start: Timestamp) -> (Usd, Usd) {
        let ends = self.readings.iter().map(|reading| reading[lane as usize]);
        let froms = std::iter::once(start).chain(self.marks.iter().copied());
        let (mut before, mut bill) = (Billed::default(), (Usd::ZERO, Usd::ZERO));
        for (from, until) in froms.zip(ends.chain([self.billed(lane)])) {
            let price = price.price_at(from).0;
            bill.0 += Usd(price * hours(until.all - before.all));
            bill.1 += Usd(price * hours(until.without_task - before.without_task));
            before = until;
        }
        bill
    }

    fn add_time(&mut self, now: Timestamp, census: &Census) {
        let ticks = u128::from(now.since(self.read).ticks().unsigned_abs());
        if ticks == 0 {
            return;
        }
        self.read = now;
        for (lane_ticks, lane_nodes) in self.node_ticks.iter_mut().zip(&census.nodes) {
            for (ticks_so_far, nodes) in lane_ticks.iter_mut().zip(lane_nodes) {
                *ticks_so_far += ticks * u128::from(*nodes);
            }
        }
        self.busy_slot_ticks += ticks * u128::from(census.busy_slots);
    }

    /// Returns the node-ticks of a lane in a state.
    pub const fn node_ticks(&self, lane: Lane, state: NodeState) -> u128 {
        self.node_ticks[lane as usize][state as usize]
    }

    /// Returns the slot-hours in which tasks ran.
    pub fn busy_slot_hours(&self) -> f64 {
        hours(self.busy_slot_ticks)
    }

    /// Returns the node-hours of the lanes and states that a test picks.
    pub fn node_hours(&self, pick: impl Fn(Lane, NodeState) -> bool) -> f64 {
        hours(
            cells()
                .filter(|(lane, state)| pick(*lane, *state))
                .map(|(lane, state)| self.node_ticks(lane, state))
                .sum(),
        )
    }

    /// Returns what a lane costs.
    pub fn cost(&self, lane: Lane, prices: &Prices) -> Usd {
        Usd(prices.get(lane).0 * self.node_hours(|of, state| of == lane && state.is_billed()))
    }

    /// Returns the part of the cost that was paid for nodes without a task: booting, idle, leaving or broken.
    pub fn wasted(&self, prices: &Prices) -> Usd {
        let lane = |lane| {
            let hours = self.node_hours(|of, state| of == lane && state.is_billed() && !state.is_busy());
            Usd(prices.get(lane).0 * hours)
        };
        Lane::ALL.into_iter().map(lane).sum()
    }
}

/// Returns ticks in hours.
pub(super) fn hours(ticks: u128) -> f64 {
    ticks as f64 / Span::hours(1).ticks() as f64
}

fn cells() -> impl Iterator<Item = (Lane, NodeState)> {
    Lane::ALL
        .into_iter()
        .flat_map(|lane| NodeState::ALL.into_iter().map(move |state| (lane, state)))
}
