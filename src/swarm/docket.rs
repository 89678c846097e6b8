//! What is known of a world whatever it is made of: its plan, its time, what was found, what was counted, who hears of it.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::found::{Found, Law};
use super::plan::Plan;
use super::plant;
use super::tally::Tally;
use super::told::Told;
use crate::base::Timestamp;

/// Hears what happens, line by line.
pub type Trace = Arc<dyn Fn(&str) + Send + Sync>;

/// The docket of a world.
pub(super) struct Docket {
    pub(super) plan: Plan,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    trace: Option<Trace>,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    tally: Tally,
    found: Option<Found>,
    /// The pools of which something could not be read since the look began; the empty one stands for all.
    blurred: Vec<String>,
    /// The pools of which no more than how many nodes are in which state could not be read.
    uncounted: Vec<String>,
    /// The pools whose nodes were read one by one.
    listed: Vec<String>,
    lines: DefaultHasher,
    told: Told,
}

impl Docket {
    pub(super) fn new(
        plan: &Plan,
        trace: Option<Trace>,
        now: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self {
            plan: plan.clone(),
            now: Box::new(now),
            trace,
            entries: Mutex::default(),
        }
    }

    /// Returns the true time.
    pub(super) fn now(&self) -> Timestamp {
        (self.now)()
    }

    /// Says whether nothing fails any more.
    pub(super) fn is_calm(&self) -> bool {
        self.now() >= self.plan.calm_from()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // Whoever panicked while holding it has been found out already.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts something.
    pub(super) fn count(&self, what: impl FnOnce(&mut Tally)) {
        what(&mut self.entries().tally);
    }

    /// Returns what was counted; the lines of the ledgers are in it as one number.
    pub(super) fn tally(&self) -> Tally {
        let entries = self.entries();
        let mut tally = entries.tally.clone();
        tally.lines = entries.lines.finish();
        tally
    }

    /// Takes a line of a ledger into the number that stands for all of them.
    pub(super) fn note(&self, line: &str) {
        (line, plant::salt(&self.plan)).hash(&mut self.entries().lines);
    }

    /// Notes that something of a pool could not be read; of all of them where it has no name.
    pub(super) fn blur(&self, pool: String) {
        self.entries().blurred.push(pool);
    }

    /// Notes that it could not be read how many nodes of a pool are in which state.
    pub(super) fn blur_counts(&self, pool: String) {
        self.entries().uncounted.push(pool);
    }

    /// Notes that the nodes of a pool were read one by one, so that their counts do not matter.
    pub(super) fn list(&self, pool: String) {
        self.entries().listed.push(pool);
    }

    /// Begins a look, of which everything can be read so far.
    pub(super) fn clear_blur(&self) {
        let mut entries = self.entries();
        entries.blurred.clear();
        entries.uncounted.clear();
        entries.listed.clear();
    }

    /// Says whether something that matters of a pool could not be read.
    pub(super) fn is_blurred(&self, pool: &str) -> bool {
        let is_it = |name: &String| name.is_empty() || name.eq_ignore_ascii_case(pool);
        let entries = self.entries();
        let is_listed = entries.listed.iter().any(|name| name.eq_ignore_ascii_case(pool));
        entries.blurred.iter().any(is_it) || !is_listed && entries.uncounted.iter().any(is_it)
    }

    /// Does something with what was told of samples.
    pub(super) fn told<T>(&self, what: impl FnOnce(&mut Told) -> T) -> T {
        what(&mut self.entries().told)
    }

    /// Finds a law broken; the first one counts.
    pub(super) fn find(&self, law: Law, what: String) {
        self.tell(|| format!("FOUND {law:?}: {what}"));
        let found = Found {
            plan: self.plan.clone(),
            law,
            at: self.now(),
            what,
        };
        self.entries().found.get_or_insert(found);
    }

    pub(super) fn found(&self) -> Option<Found> {
        self.entries().found.clone()
    }

    pub(super) fn is_broken(&self) -> bool {
        self.entries().found.is_some()
    }

    /// Tells what happens to whoever traces it.
    pub(super) fn tell(&self, what: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            trace(&format!("{} {}", self.now(), what()));
        }
    }
}
