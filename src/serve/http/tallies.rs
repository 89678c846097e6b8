//! Savings as they are kept for pages: read on beside the loop, a slice of the ledger at a time, and no more than a part of a core.
//!
//! ```text
//! asked ─► what is kept, at once ─┬─► (old) read on: slice ─ pause ─ slice ─ … ─► the end of the ledger ─ rest
//!          nothing yet: wait ─────┘                └─► kept anew after each
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::problem::Problem;
use super::site::Site;
use crate::base::Span;
use crate::store::report::{Tallied, Tally};

/// Lines of a slice: about a second of one core, so that an answer that waits for the first one waits no longer.
const SLICE_LINES: usize = 10_000;
/// While there is more to read, a quarter of a core is taken: the loop has the rest.
const PAUSE_TIMES: u32 = 3;
/// Where all is read, a twentieth: what a look adds is read in a moment.
const REST_TIMES: u32 = 19;
/// Nobody reads a sum more often than this.
const REST_LEAST: Duration = Duration::from_secs(15);
/// Longer than this nobody waits for a newer sum than the one that is kept.
const SOON: Duration = Duration::from_millis(1_500);

/// The times that are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    Day,
    Week,
}

/// What is kept of a time, as it was last read.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) tallied: Tallied,
    /// Whether the ledger was read to its end.
    pub(super) whole: bool,
}

/// The tallies of an account.
#[derive(Debug, Default)]
pub(super) struct Tallies {
    day: Arc<Shelf>,
    week: Arc<Shelf>,
}

#[derive(Debug)]
struct Shelf {
    /// `None` before the first slice was read, or failed to be.
    kept: watch::Sender<Option<Result<Arc<Kept>, Problem>>>,
    reading: Mutex<Reading>,
    tally: Arc<Mutex<Option<Tally>>>,
}

#[derive(Debug, Default)]
struct Reading {
    under_way: bool,
    /// Not read again before this moment.
    next: Option<Instant>,
}

impl Past {
    pub(super) const fn span(self) -> Span {
        match self {
            Self::Day => Span::hours(24),
            Self::Week => Span::days(7),
        }
    }
}

impl Default for Shelf {
    fn default() -> Self {
        Self {
            kept: watch::Sender::new(None),
            reading: Mutex::default(),
            tally: Arc::default(),
        }
    }
}

impl Site {
    /// Returns what was saved in a time, as it was last read; reads on where that is long ago.
    pub(super) async fn tallied(&self, past: Past) -> Result<Arc<Kept>, Problem> {
        let tallies = self.tallies();
        let shelf = match past {
            Past::Day => &tallies.day,
            Past::Week => &tallies.week,
        };
        let mut kept = shelf.kept.subscribe();
        if shelf.begins(Instant::now()) {
            kept.mark_unchanged();
            tokio::spawn(read_on(self.clone(), Arc::clone(shelf), past));
            // What comes in a moment is waited for; otherwise what is kept is told.
            let _ = tokio::time::timeout(SOON, kept.changed()).await;
        }
        // What it reads on from stays for as long as we hold it.
        let told = kept.wait_for(Option::is_some).await;
        let told = told.map(|told| told.clone());
        told.ok().flatten().expect("it was waited for")
    }
}

impl Shelf {
    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether it is to be read on now, by whoever asks.
    fn begins(&self, now: Instant) -> bool {
        let mut reading = self.reading();
        let begins = !reading.under_way && reading.next.is_none_or(|next| next <= now);
        reading.under_way |= begins;
        if begins {
            // What failed is asked for anew.
            self.kept
                .send_if_modified(|kept| kept.take_if(|kept| kept.is_err()).is_some());
        }
        begins
    }

    fn rests(&self, took: Duration) {
        let mut reading = self.reading();
        reading.under_way = false;
        reading.next = Some(Instant::now() + (took * REST_TIMES).max(REST_LEAST));
    }
}

/// Reads to the end of the ledger, slice by slice.
async fn read_on(site: Site, shelf: Arc<Shelf>, past: Past) {
    loop {
        let began = Instant::now();
        let told = slice(&site, &shelf, past).await;
        let took = began.elapsed();
        let goes_on = told.as_ref().is_ok_and(|kept| !kept.whole);
        shelf.kept.send_replace(Some(told.map(Arc::new)));
        if !goes_on {
            return shelf.rests(took);
        }
        tokio::time::sleep(took * PAUSE_TIMES).await;
    }
}

async fn slice(site: &Site, shelf: &Shelf, past: Past) -> Result<Kept, Problem> {
    let (tally, now) = (Arc::clone(&shelf.tally), site.now());
    site.memory(move |store| {
        // Whoever panicked while reading left a tally that may have counted a part of a look: it is begun anew.
        let mut held = tally.lock().unwrap_or_else(|poisoned| {
            tally.clear_poison();
            let mut held = poisoned.into_inner();
            *held = None;
            held
        });
        let tally = held.get_or_insert_with(|| Tally::of_the_last(past.span(), now));
        let whole = store.tally(tally, SLICE_LINES)?;
        Ok(Kept {
            tallied: tally.sums(),
            whole,
        })
    })
    .await
}
