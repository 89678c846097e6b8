//! What was run: time, calls, faults by kind, orders.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use super::faults::FaultKind;
use crate::base::Span;

/// What worlds came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Worlds that were run.
    pub worlds: u64,
    /// The time that passed in them.
    pub simulated: Span,
    /// Looks of the engine.
    pub looks: u64,
    /// Looks at which nothing could be seen.
    pub blind: u64,
    /// Calls of the client.
    pub calls: u64,
    /// Decisions.
    pub decisions: u64,
    /// Decisions that were holds.
    pub holds: u64,
    /// Orders.
    pub orders: u64,
    /// Orders that were refused.
    pub refused: u64,
    /// Starts from what the ledger remembers.
    pub restarts: u64,
    /// Bytes of ledgers that were replayed.
    pub ledger_bytes: u64,
    /// Tasks that were submitted.
    pub tasks: u64,
    /// Looks at pools in the calm that had come to where their policy wants them, or had time left to.
    pub rested: u64,
    /// Faults by kind.
    pub faults: BTreeMap<FaultKind, u64>,
    /// All lines of the ledgers of one world as one number: the same world has the same.
    pub lines: u64,
}

impl Tally {
    pub(super) fn strike(&mut self, kind: FaultKind) {
        *self.faults.entry(kind).or_default() += 1;
    }

    /// Returns the simulated time in years.
    pub fn years(&self) -> f64 {
        self.simulated.as_seconds() / (365.25 * 86_400.0)
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.worlds += other.worlds;
        self.simulated += other.simulated;
        self.looks += other.looks;
        self.blind += other.blind;
        self.calls += other.calls;
        self.decisions += other.decisions;
        self.holds += other.holds;
        self.orders += other.orders;
        self.refused += other.refused;
        self.restarts += other.restarts;
        self.ledger_bytes += other.ledger_bytes;
        self.tasks += other.tasks;
        self.rested += other.rested;
        self.lines ^= other.lines;
        for (kind, count) in &other.faults {
            *self.faults.entry(*kind).or_default() += count;
        }
    }
}
