//! A world that is told of by sources outside of the account as well: queues, other metrics, whatever says what is to come.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::{Order, PoolId, Receipt};
use crate::base::{Span, Timestamp};
use crate::decision::Memory;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::signal::{Metric, Reading, Sample, SignalId, SignalQuery};

/// Answers what is asked of sources outside of the account.
pub trait MetricSource {
    /// Asks for signals, all at one moment. What is not among the readings was not told; a source that fails hides its own
    /// signals and no others.
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading>;

    /// Returns the samples of a pool's past that this source has kept, each metric's oldest first: what formulas look back on
    /// after a restart. Usually there are none.
    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        let _ = wanted;
        Vec::new()
    }
}

/// A signal that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Its name.
    pub id: SignalId,
    /// What is asked.
    pub query: SignalQuery,
    /// From which age a number is of no use.
    pub stale_after: Span,
}

/// A past that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct WantedPast<'a> {
    /// The pool.
    pub pool: &'a PoolId,
    /// The metrics.
    pub metrics: &'a [Metric],
    /// From when on.
    pub from: Timestamp,
    /// Until when, included.
    pub to: Timestamp,
}

/// A world with sources outside of it: what they say goes to the pools that ask for it, and their past is told first.
#[derive(Clone, Debug)]
pub struct WithSignals<W, S> {
    /// The world.
    pub world: W,
    /// The sources.
    pub source: S,
    /// The pools whose past was asked for.
    known: BTreeSet<PoolId>,
    /// Whether the past is asked for at all.
    of_now: bool,
}

impl<W, S> WithSignals<W, S> {
    /// Returns a world that asks these sources beside it.
    pub const fn new(world: W, source: S) -> Self {
        Self {
            world,
            source,
            known: BTreeSet::new(),
            of_now: false,
        }
    }

    /// Returns a world that asks these sources what is now, and not of the past: for whoever remembers that already.
    pub fn of_now(world: W, source: S) -> Self {
        Self {
            of_now: true,
            ..Self::new(world, source)
        }
    }
}

impl<W: World, S: MetricSource> WithSignals<W, S> {
    /// Asks for all signals of all pools at once, each once, and tells each pool its own.
    fn tell_readings(&mut self, question: &Question<'_>, into: &mut Observation) {
        let mut wanted: BTreeMap<SignalId, Wanted> = BTreeMap::new();
        let mut of_pools: Vec<BTreeSet<SignalId>> = Vec::with_capacity(into.pools().len());
        for view in into.pools() {
            let pool = &view.state.id;
            let asks = question.signals.iter().filter(|ask| ask.speaks_of(pool));
            let ids = asks.map(|ask| {
                let query = ask.query.for_pool(pool.as_str());
                let id = query.id();
                let stale_after = ask.stale_after;
                let wants = || Wanted {
                    id: id.clone(),
                    query,
                    stale_after,
                };
                let wanted = wanted.entry(id.clone()).or_insert_with(wants);
                wanted.stale_after = wanted.stale_after.min(stale_after);
                id
            });
            of_pools.push(ids.collect());
        }
        let wanted: Vec<Wanted> = wanted.into_values().collect();
        if wanted.is_empty() {
            return;
        }
        let readings = self.source.read(question.now, &wanted);
        for (view, ids) in into.pools_mut().iter_mut().zip(&of_pools) {
            let own = readings.iter().filter(|reading| ids.contains(&reading.signal));
            view.readings.extend(own.cloned());
        }
    }

    /// Tells the past of pools that are seen for the first time, before what the world tells of now.
    fn tell_past(&mut self, question: &Question<'_>, into: &mut Observation) {
        for view in into.pools_mut() {
            if question.metrics.is_empty() || !self.known.insert(view.state.id.clone()) {
                continue;
            }
            let wanted = WantedPast {
                pool: &view.state.id,
                metrics: question.metrics,
                from: question.now - Memory::HISTORY_KEPT,
                to: question.now,
            };
            let past = self.source.past(&wanted);
            view.samples.splice(0..0, past);
            // The past ends where the world's own samples begin, wherever both know something.
            view.samples.sort_by_key(|sample| sample.taken);
        }
    }
}

impl<W: World, S: MetricSource> World for WithSignals<W, S> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.world.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.world.observe(question, into)?;
        if !self.of_now {
            self.tell_past(question, into);
        }
        self.tell_readings(question, into);
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.world.record(entry)
    }

    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        self.world.record_all(entries)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.world.act(order)
    }

    fn keeps_receipts(&mut self, waiting: usize) -> bool {
        self.world.keeps_receipts(waiting)
    }
}

impl<S: MetricSource + ?Sized> MetricSource for &mut S {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        (**self).read(now, wanted)
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        (**self).past(wanted)
    }
}
