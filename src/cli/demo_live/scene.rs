//! What one frame of the live demo shows, as plain data.

use crate::account::PoolId;
use crate::base::{Lane, Span, Timestamp};

/// Everything that a frame shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Scene {
    /// The name of the account.
    pub(super) account: String,
    /// The time in it.
    pub(super) at: Option<Timestamp>,
    /// How many times as fast as the wall's its clock runs.
    pub(super) speed: f64,
    /// Where the sidecar answers.
    pub(super) url: String,
    /// The token that lets write there.
    pub(super) token: String,
    /// For how long the spot storm goes on.
    pub(super) storm: Option<Span>,
    /// What the nodes cost.
    pub(super) money: Money,
    /// The pools, by id.
    pub(super) pools: Vec<PoolScene>,
    /// What was decided and ordered, the newest first.
    pub(super) told: Vec<Told>,
    /// Which pool is chosen.
    pub(super) chosen: usize,
    /// Whether the decision about it is shown step by step.
    pub(super) explains: bool,
}

/// What nodes cost, in dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Money {
    /// An hour of those that are there.
    pub(super) hourly: f64,
    /// An hour of as many dedicated ones.
    pub(super) hourly_dedicated: f64,
    /// All since the beginning.
    pub(super) spent: f64,
    /// The same with dedicated ones.
    pub(super) spent_dedicated: f64,
}

/// One pool in a frame.
#[derive(Clone, Debug, Default)]
pub(super) struct PoolScene {
    pub(super) id: String,
    /// What it was told to have, by lane.
    pub(super) target: [u32; 2],
    /// The nodes of each lane by what they do.
    pub(super) nodes: [NodeStates; 2],
    pub(super) waiting: u32,
    pub(super) running: u32,
    /// How many tasks waited, the oldest first.
    pub(super) queue: Vec<u64>,
    /// What halts it, in words.
    pub(super) halt: Option<String>,
    /// What the latest decision comes to, and why.
    pub(super) verdict: String,
    pub(super) reason: String,
    /// The decision step by step, for a terminal.
    pub(super) steps: String,
}

/// Nodes of one lane by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeStates {
    pub(super) running: u32,
    pub(super) idle: u32,
    pub(super) starting: u32,
    pub(super) preempted: u32,
    pub(super) unusable: u32,
}

/// Something that was decided or ordered.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    pub(super) at: Timestamp,
    pub(super) pool: PoolId,
    /// In one word: out, in, shift, hold, refused.
    pub(super) word: String,
    pub(super) text: String,
}

impl NodeStates {
    pub(super) fn total(self) -> u32 {
        self.running + self.idle + self.starting + self.preempted + self.unusable
    }
}

impl PoolScene {
    pub(super) fn of_lane(&self, lane: Lane) -> (u32, NodeStates) {
        let place = usize::from(lane == Lane::Spot);
        (self.target[place], self.nodes[place])
    }
}

impl Money {
    /// Returns how much less it is than with dedicated nodes alone, in percent; nothing while there is nothing to compare.
    pub(super) fn saved(self) -> Option<f64> {
        (self.spent_dedicated > 0.005).then(|| 100.0 * (1.0 - self.spent / self.spent_dedicated))
    }

    /// Adds what nodes cost for a while.
    pub(super) fn pass(&mut self, span: Span) {
        self.spent += self.hourly * span.as_hours();
        self.spent_dedicated += self.hourly_dedicated * span.as_hours();
    }
}
