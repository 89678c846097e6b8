//! The world that the sidecar steers: a world inside, a ledger before it, and the board that is told of all.
//!
//! A mistake of ours in a look or in an order ends that look or that order, and is told: the pools are held then.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::board::Board;
use super::control::Control;
use super::log;
use super::metrics::Metrics;
use crate::account::{Order, Receipt, Refusal, RefusalKind};
use crate::base::Timestamp;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::world::{Ledger, line};

/// A world that is steered.
#[derive(Debug)]
pub struct Steered<W, L> {
    /// The world inside.
    pub inside: W,
    /// Where entries are kept, before anybody hears of them.
    pub ledger: L,
    /// Who is told.
    pub board: Board,
    /// What is counted.
    pub metrics: Arc<Mutex<Metrics>>,
    /// What may be asked of the loop.
    pub control: Control,
    /// A file that stops everything while it is there.
    pub kill_switch: Option<PathBuf>,
    /// Whether orders are kept back.
    pub dry_run: bool,
    /// When the look under way began.
    pub(super) began: Option<(Instant, Timestamp)>,
}

/// What a kill-switch file says beyond this is not told.
const WHY_CHARS_MAX: usize = 200;

impl<W, L> Steered<W, L> {
    fn metrics(&self) -> MutexGuard<'_, Metrics> {
        // Whoever panicked while holding them left counts that are as good as any.
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in that the look under way has ended.
    fn look_ended(&mut self) {
        if let Some((began, at)) = self.began.take() {
            self.metrics().ticked(began.elapsed(), at);
        }
    }

    /// Says whether the kill switch is there, and tells the board why.
    fn look_at_kill_switch(&self) -> bool {
        let Some(path) = &self.kill_switch else {
            return false;
        };
        let why = match std::fs::read_to_string(path) {
            Ok(text) => Some(format!(
                "the kill switch {} is there: {}",
                path.display(),
                text.trim().chars().take(WHY_CHARS_MAX).collect::<String>()
            )),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            // What cannot be read is there: nothing is ordered on a doubt.
            Err(error) => Some(format!(
                "the kill switch {} cannot be read: {error}",
                path.display()
            )),
        };
        let is_there = why.is_some();
        let before = self
            .board
            .write(|standing| std::mem::replace(&mut standing.health.kill_switch, why.clone()));
        log::kill_switch(before.as_deref(), why.as_deref());
        is_there
    }
}

impl<W: World, L: Ledger> World for Steered<W, L> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.look_ended();
        loop {
            if self.control.is_asked() {
                return None;
            }
            match self.inside.wait_until(at) {
                Some(now) => {
                    self.began = Some((Instant::now(), now));
                    return Some(now);
                }
                None if self.control.was_cut_for_nothing() => {}
                None => return None,
            }
        }
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.look_at_kill_switch();
        let inside = &mut self.inside;
        let looked = catch_unwind(AssertUnwindSafe(|| inside.observe(question, into)));
        looked.unwrap_or_else(|_| {
            into.clear();
            Err(ObserveError {
                message: "a mistake in lowtide ended the look; the log says where".to_owned(),
                retry: true,
            })
        })
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        let text = line(entry);
        let ledger = &mut self.ledger;
        let kept = catch_unwind(AssertUnwindSafe(|| ledger.append(&text))).unwrap_or_else(|_| {
            Err(RecordError {
                message: "a mistake in lowtide kept the ledger from taking a line; the log says where"
                    .to_owned(),
            })
        });
        let fault = kept.as_ref().err().map(|error| error.message.clone());
        let before = self
            .board
            .write(|standing| std::mem::replace(&mut standing.health.ledger_fault, fault));
        log::ledger(before.as_deref(), kept.as_ref().err());
        kept?;
        self.inside.record(entry)?;
        self.board.take(entry, &text, None);
        self.metrics().take(entry);
        log::entry(entry, None);
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if self.dry_run || self.look_at_kill_switch() {
            return Receipt::Withheld;
        }
        let began = Instant::now();
        let inside = &mut self.inside;
        let receipt = catch_unwind(AssertUnwindSafe(|| inside.act(order))).unwrap_or_else(|_| {
            Receipt::Refused(Refusal {
                kind: RefusalKind::Unreachable,
                message: "a mistake in lowtide ended the order; the log says where".to_owned(),
            })
        });
        self.metrics().applied(began.elapsed());
        receipt
    }
}
