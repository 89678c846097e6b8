//! The recorded past of a pool, as far as a backtest can play it again: the tasks that ended, the pool, and how often spot was evicted.

use std::sync::Arc;

use crate::account::{PoolId, PoolState};
use crate::base::{Mix, Span, Timestamp};
use crate::decision::GuardMemory;
use crate::sim::Options;
use crate::sim::cluster::{Eviction, Setup};
use crate::sim::workload::{JobShape, ReadOptions, Workload, read};
use crate::store::report::HELD_FOR_MAX;
use crate::store::{Glimpse, Glimpsed, Search, Store, StoreError, Trace};
use crate::world::{EntryKind, look_of};

/// What is played again.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    pub(super) looks: u64,
    pub(super) workload: Arc<Workload>,
    /// What the nodes cost that were there, where prices are told.
    pub(super) cost: Option<f64>,
    unfinished: usize,
    pool: PoolState,
    evicted: u32,
    spot_hours: f64,
}

/// Looks that are read: a week at a look every 30 seconds. Each is a line of some tens of KiB, a fraction of a millisecond.
const LOOKS_MAX: usize = 20_160;
/// Tasks that are played again: a simulation of so many takes seconds.
const TASKS_MAX: usize = 200_000;
/// How long an evicted node stays away; the service then boots it again by itself, as `lowtide backtest` has it.
const BACK_AFTER: Span = Span::minutes(10);

/// Reads the past of a pool; `None` where no task was seen to end.
pub(super) fn of(
    store: &Store,
    pool: &PoolId,
    (from, to): (Timestamp, Timestamp),
) -> Result<Option<Past>, StoreError> {
    let mut glimpses: Vec<Glimpse> = Vec::new();
    let glimpsed = Glimpsed {
        pool: pool.clone(),
        from,
        to,
    };
    store.glimpse(&glimpsed, &mut |glimpse| {
        glimpses.push(glimpse);
        // Two days of looks every second: whatever is beyond is not the past of one pool.
        glimpses.len() < 10 * LOOKS_MAX
    })?;
    // The latest count.
    let glimpses = &glimpses[glimpses.len().saturating_sub(LOOKS_MAX)..];
    let (Some(first), Some(last)) = (glimpses.first(), glimpses.last()) else {
        return Ok(None);
    };
    let mut reading = Reading::default();
    let search = Search {
        pool: Some(pool.clone()),
        kind: Some(EntryKind::Decided),
        from: Some(first.at),
        to: Some(last.at),
        after: Some(first.number.saturating_sub(1)),
        limit: Search::LIMIT_MAX,
        ..Search::default()
    };
    store.walk(&search, &mut |found| reading.see(&found.line))?;
    Ok(reading.finish((first.at, last.at), cost(glimpses)))
}

/// What is gathered look by look.
#[derive(Default)]
struct Reading {
    trace: Trace,
    guards: GuardMemory,
    before: Option<(Timestamp, PoolState)>,
    pool: Option<PoolState>,
    evicted: u32,
    spot_hours: f64,
}

impl Reading {
    fn see(&mut self, line: &str) {
        // A line that cannot be read is a look that saw nothing.
        let Ok(Some((at, view))) = look_of(line) else {
            return;
        };
        if view.fault.is_some() || self.before.as_ref().is_some_and(|(before, _)| at <= *before) {
            return;
        }
        let before = self.before.as_ref().map(|(at, state)| (*at, state));
        if let Some((since, state)) = before {
            let there = state.current.spot.saturating_sub(state.nodes.preempted);
            self.spot_hours += there.as_f64() * (at - since).min(HELD_FOR_MAX).as_hours();
        }
        self.guards.see(before, at, &view.state, view.work.as_ref());
        self.evicted = self.evicted.saturating_add(self.guards.lost_at(at).0);
        self.trace.see(at, &view);
        self.pool.get_or_insert_with(|| view.state.clone());
        self.before = Some((at, view.state));
    }

    fn finish(self, (from, to): (Timestamp, Timestamp), cost: Option<f64>) -> Option<Past> {
        let start = self.trace.first_submitted()?;
        let options = ReadOptions {
            shape: JobShape::Slots { cores_per_slot: 1 },
            start: Some(start),
            ..ReadOptions::default()
        };
        let table = self.trace.to_task_table();
        let workload = read(table.as_bytes(), "the ledger.csv", &options).ok()?;
        let tasks = workload.tasks.len();
        (tasks > 0 && tasks <= TASKS_MAX).then_some(())?;
        Some(Past {
            from,
            to,
            looks: self.trace.looks(),
            unfinished: self.trace.unfinished(),
            workload: Arc::new(workload),
            cost,
            pool: self.pool?,
            evicted: self.evicted,
            spot_hours: self.spot_hours,
        })
    }
}

/// Returns what the nodes of decisions cost, from each to the next.
fn cost(glimpses: &[Glimpse]) -> Option<f64> {
    let mut sum = None;
    for pair in glimpses.windows(2) {
        let Some((held, [dedicated, spot])) = pair[0].held.zip(pair[0].prices) else {
            continue;
        };
        let hours = (pair[1].at - pair[0].at).min(HELD_FOR_MAX).as_hours();
        let hourly = held.dedicated.as_f64() * dedicated + held.spot.as_f64() * spot;
        *sum.get_or_insert(0.0) += hourly * hours;
    }
    sum
}

impl Past {
    /// Returns evictions of a spot node in an hour.
    fn hazard(&self) -> Option<f64> {
        (self.evicted > 0 && self.spot_hours > 0.0).then(|| f64::from(self.evicted) / self.spot_hours)
    }

    /// Returns what both runs share.
    pub(super) fn options(&self) -> Options {
        let eviction = self
            .hazard()
            .map_or(Eviction::Never, |per_node_hour| Eviction::Constant {
                per_node_hour,
                back_after: BACK_AFTER,
            });
        Options {
            setup: Setup {
                task_slots_per_node: self.pool.task_slots_per_node.clamp(1, Setup::SLOTS_MAX),
                eviction,
                initial: self.initial(),
                ..Setup::default()
            },
            ..Options::default()
        }
    }

    fn initial(&self) -> Mix {
        let most = Setup::NODES_MAX;
        Mix {
            dedicated: self.pool.current.dedicated.min(most),
            spot: self
                .pool
                .current
                .spot
                .saturating_sub(self.pool.nodes.preempted)
                .min(most),
        }
    }

    /// Says what is assumed.
    pub(super) fn assumes(&self) -> Vec<String> {
        let mut told = vec![match self.hazard() {
            Some(hazard) => format!(
                "a spot node is evicted {hazard:.3} times an hour, as {} were in {:.0} node-hours, and its place is filled again after 10 minutes",
                self.evicted, self.spot_hours
            ),
            None => "no spot node is evicted, as none was in that time".to_owned(),
        }];
        told.push(
            "a resize takes a minute and a node three minutes to boot, as `lowtide backtest` has it"
                .to_owned(),
        );
        if self.unfinished > 0 {
            told.push(format!(
                "{} tasks had not ended at the last look and are left out, because nobody knows how long they run",
                self.unfinished
            ));
        }
        told
    }
}
