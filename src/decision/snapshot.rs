//! All that one decision about one pool sees.

use super::{BrokenNodes, GuardMemory, OurOrders, SignalMemory, SpotMemory};
use crate::account::{Halt, PoolState, Work};
use crate::base::Timestamp;
use crate::signal::History;
use crate::sizing::Learned;

/// What is known of one pool at one moment; the same snapshot, policy and memory give the same decision.
#[derive(Clone, Copy, Debug)]
pub struct Snapshot<'a> {
    /// The moment.
    pub now: Timestamp,
    /// The seed of all chance in the decision.
    pub seed: u64,
    /// The pool as it stands.
    pub pool: &'a PoolState,
    /// Its sampled past.
    pub history: &'a History,
    /// What is known of signals from outside.
    pub signals: &'a SignalMemory,
    /// What guards remember of it.
    pub guards: &'a GuardMemory,
    /// What a backlog has learned of it.
    pub learned: &'a Learned,
    /// What is known of its spot market.
    pub spot: &'a SpotMemory,
    /// What is remembered of orders, and of what others did.
    pub ours: &'a OurOrders,
    /// What is remembered of its nodes that are of no use.
    pub broken: &'a BrokenNodes,
    /// Its tasks and nodes one by one, where known.
    pub work: Option<&'a Work>,
    /// Somebody's word that it is left alone.
    pub halt: Option<&'a Halt>,
}

impl<'a> Snapshot<'a> {
    /// Returns somebody's word that the pool is left alone, when it holds now.
    pub fn halted(&self) -> Option<&'a Halt> {
        self.halt.filter(|halt| halt.holds(self.now))
    }
}
