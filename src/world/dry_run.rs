//! Worlds around a world: one that withholds orders, one that keeps a ledger.

use super::{Ledger, line};
use crate::account::{Order, Receipt};
use crate::base::Timestamp;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};

/// A world in which everything is as in the one inside, but no order goes out.
#[derive(Clone, Debug)]
pub struct DryRun<W>(pub W);

impl<W: World> World for DryRun<W> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.0.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.0.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.0.record(entry)
    }

    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        self.0.record_all(entries)
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Withheld
    }

    fn keeps_receipts(&mut self, waiting: usize) -> bool {
        self.0.keeps_receipts(waiting)
    }
}

/// A world whose entries also go to a ledger, first there: what the ledger does not keep the world inside never hears of.
#[derive(Clone, Debug)]
pub struct Kept<W, L> {
    /// The world.
    pub world: W,
    /// The ledger.
    pub ledger: L,
}

impl<W: World, L: Ledger> World for Kept<W, L> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.world.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.world.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.ledger.append(&line(entry))?;
        self.world.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.world.act(order)
    }
}
