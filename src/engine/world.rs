//! The wall between the engine and everything that is not a decision.

use super::{Entry, Observation, ObserveError, Question, RecordError};
use crate::account::{Order, Receipt};
use crate::base::Timestamp;

/// A world that answers a question, takes an order and keeps a record.
pub trait World {
    /// Waits until that moment and returns what time it is then, never earlier; `None` ends the loop.
    ///
    /// A world may return a later moment than asked for (it was busy, or has nothing earlier to show).
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp>;

    /// Answers a question; what is known goes into `into`, which comes empty and keeps its buffers from look to look.
    ///
    /// # Errors
    /// When nothing could be seen at all. What fails for one pool alone goes into its [`super::PoolView::fault`].
    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError>;

    /// Keeps an entry for good.
    ///
    /// # Errors
    /// When it is not certain that the entry is kept; what it speaks of is then not done.
    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError>;

    /// Keeps the entries of a look for good, in their order; all or none where the world can.
    ///
    /// # Errors
    /// When it is not certain that every one is kept; nothing of what they speak of is then done.
    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        entries.iter().try_for_each(|entry| self.record(entry))
    }

    /// Carries out an order, or says why not.
    fn act(&mut self, order: &Order) -> Receipt;

    /// Says whether what became of the latest orders, so many, is to be kept before the next one goes out. A world that takes long to
    /// keep a line may wait for a few more: whoever reads its ledger until then knows of those orders, and of no answer.
    fn keeps_receipts(&mut self, _waiting: usize) -> bool {
        true
    }
}

impl<W: World + ?Sized> World for &mut W {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        (**self).wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        (**self).observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        (**self).record(entry)
    }

    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        (**self).record_all(entries)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        (**self).act(order)
    }

    fn keeps_receipts(&mut self, waiting: usize) -> bool {
        (**self).keeps_receipts(waiting)
    }
}
