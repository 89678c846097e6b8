//! How long tasks waited for a node, as far as the ledger saw them one by one; and how many waited, from samples.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Stretch;
use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::engine::PoolView;
use crate::signal::Metric;
use crate::store::{Store, StoreError};
use crate::world::look_of;

/// How the tasks of one pool waited.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wait {
    /// The pool.
    pub pool: PoolId,
    /// Tasks that were seen to have begun; none where the ledger has no tasks one by one.
    pub tasks: usize,
    /// Half of them waited no longer.
    pub p50: Option<Span>,
    /// Nineteen of twenty waited no longer.
    pub p95: Option<Span>,
    /// None waited longer.
    pub most: Option<Span>,
    /// Tasks that wait at the last look.
    pub waiting: usize,
    /// The longest that one of these has waited.
    pub waiting_longest: Option<Span>,
    /// Tasks that waited on average, by the samples of `$ActiveTasks`, or else of `$PendingTasks`, which counts running ones too.
    pub mean_waiting: Option<f64>,
    /// The metric that says so.
    pub mean_of: Option<&'static str>,
}

/// Tasks that are remembered so that none counts twice; older ones are over by then.
const BEGUN_KEPT: Span = Span::days(2);

#[derive(Default)]
struct Seat {
    /// When tasks were submitted and began, each once for each number among equals.
    begun: BTreeMap<(Timestamp, Timestamp), usize>,
    waits: Vec<Span>,
    waiting: Vec<Span>,
    /// Sum and count of samples, of active and of pending tasks.
    samples: [(f64, usize); 2],
}

impl Store {
    /// Returns how tasks waited, pool by pool.
    ///
    /// A task counts when it is first seen running or finished; one that lost its node counts again when it begins anew, with
    /// the whole time since it was submitted.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn waits(&self, stretch: &Stretch) -> Result<Vec<Wait>, StoreError> {
        let mut seats: BTreeMap<PoolId, Seat> = BTreeMap::new();
        self.walk(&stretch.decisions(), &mut |found| {
            if let Ok(Some((at, view))) = look_of(&found.line) {
                seats.entry(view.state.id.clone()).or_default().see(at, &view);
            }
        })?;
        Ok(seats.into_iter().map(|(pool, seat)| seat.finish(pool)).collect())
    }
}

impl Seat {
    fn see(&mut self, at: Timestamp, view: &PoolView) {
        for sample in &view.samples {
            let of = match sample.metric {
                Metric::ActiveTasks => &mut self.samples[0],
                Metric::PendingTasks => &mut self.samples[1],
                _ => continue,
            };
            of.0 += sample.value;
            of.1 += 1;
        }
        let Some(work) = &view.work else { return };
        let running = work.running.iter().map(|task| (task.submitted, task.started));
        let finished = work.finished.iter().map(|task| (task.submitted, task.started));
        let mut now: BTreeMap<(Timestamp, Timestamp), usize> = BTreeMap::new();
        for task in running.chain(finished) {
            *now.entry(task).or_default() += 1;
        }
        for ((submitted, started), count) in now {
            let known = self.begun.entry((submitted, started)).or_default();
            for _ in *known..count {
                self.waits.push(started - submitted);
            }
            *known = (*known).max(count);
        }
        let old: BTreeSet<_> = self
            .begun
            .keys()
            .filter(|(_, began)| at - *began > BEGUN_KEPT)
            .copied()
            .collect();
        let running: BTreeSet<_> = work
            .running
            .iter()
            .map(|task| (task.submitted, task.started))
            .collect();
        for task in old.difference(&running) {
            self.begun.remove(task);
        }
        self.waiting = work.waiting.iter().map(|task| at - task.submitted).collect();
    }

    fn finish(mut self, pool: PoolId) -> Wait {
        self.waits.sort_unstable();
        let at = |share: f64| {
            let rank = (share * self.waits.len() as f64).ceil() as usize;
            self.waits.get(rank.saturating_sub(1)).copied()
        };
        let mean = |(sum, count): (f64, usize)| (count > 0).then(|| sum / count as f64);
        let (active, pending) = (mean(self.samples[0]), mean(self.samples[1]));
        Wait {
            pool,
            tasks: self.waits.len(),
            p50: at(0.5),
            p95: at(0.95),
            most: self.waits.last().copied(),
            waiting: self.waiting.len(),
            waiting_longest: self.waiting.iter().max().copied(),
            mean_waiting: active.or(pending),
            mean_of: match (active, pending) {
                (Some(_), _) => Some(Metric::ActiveTasks.name()),
                (None, Some(_)) => Some(Metric::PendingTasks.name()),
                (None, None) => None,
            },
        }
    }
}
