//! The past that the ledger no longer has, out of a Prometheus that scrapes the sidecar: asked beside the loop, so many at a time,
//! kept for a while, and left alone for a while when it does not answer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::series_answer::Row;
use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::source::{Exported, PastPoint};

/// The past of a pool, the oldest first.
pub(super) type Past = Arc<BTreeMap<Timestamp, PastPoint>>;

/// Where the past is that the ledger no longer has.
#[derive(Clone, Debug)]
pub struct History {
    /// The server.
    pub server: Arc<Exported>,
    /// Whether all of the past is taken from there.
    pub all: bool,
}

/// What is asked for: the pool, the first and the last step, and how long a step is, in ticks.
type Key = (PoolId, i64, i64, i64);

/// What was asked, and what came.
#[derive(Debug)]
pub(super) struct Elsewhere {
    kept: Mutex<BTreeMap<Key, (Instant, Past)>>,
    /// Until when it is left alone, and why.
    away: Mutex<Option<(Instant, String)>>,
    turns: Semaphore,
}

/// Pools that are asked for at the same time, each by four queries: a server that is also that of the alerts has more to do.
const AT_ONCE: usize = 2;
/// Whoever looks at a page waits no longer; then the ledger has to do.
const PATIENCE: Duration = Duration::from_secs(8);
/// A server that does not answer is left alone for so long: the page is then as quick as without it.
const LEFT_ALONE: Duration = Duration::from_secs(30);
/// What is past changes no more, but for its newest step.
const KEPT_FOR: Duration = Duration::from_mins(5);
/// Courses that are kept, of 600 points at the most.
const KEPT_MAX: usize = 64;
/// Nobody scrapes more often, so that shorter steps tell nothing more.
const STEP_LEAST: Span = Span::seconds(15);

impl Default for Elsewhere {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            away: Mutex::default(),
            turns: Semaphore::new(AT_ONCE),
        }
    }
}

/// Whoever panicked while holding it left what is as good as any.
fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Elsewhere {
    /// Returns the past of a pool at steps of a length or somewhat more.
    pub(super) async fn ask(
        &self,
        server: &Exported,
        pool: &PoolId,
        (from, to, step): (Timestamp, Timestamp, Span),
    ) -> Result<Past, String> {
        let step = Span::seconds(step.max(STEP_LEAST).as_seconds().ceil() as i64);
        // On a grid, so that a page that asks again a moment later asks for the same.
        let on_grid = |at: Timestamp| at.ticks().div_euclid(step.ticks()) * step.ticks();
        let key = (pool.clone(), on_grid(from), on_grid(to), step.ticks());
        if let Some((asked, past)) = hold(&self.kept).get(&key)
            && asked.elapsed() < KEPT_FOR
        {
            return Ok(Arc::clone(past));
        }
        if let Some((until, why)) = &*hold(&self.away)
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        let frame = (Timestamp::from_ticks(key.1), Timestamp::from_ticks(key.2), step);
        let asked = async {
            let turn = self.turns.acquire().await;
            let past = server.past(pool, frame).await;
            drop(turn);
            past
        };
        let told = tokio::time::timeout(PATIENCE, asked).await;
        let told = told.unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())));
        match told {
            Ok(past) => Ok(self.keep(key, past)),
            Err(why) => {
                tracing::warn!(%pool, %why, "Prometheus tells no history; pages show what the ledger has");
                *hold(&self.away) = Some((Instant::now() + LEFT_ALONE, why.clone()));
                Err(why)
            }
        }
    }

    fn keep(&self, key: Key, past: BTreeMap<Timestamp, PastPoint>) -> Past {
        let past = Arc::new(past);
        let mut kept = hold(&self.kept);
        kept.retain(|_, (asked, _)| asked.elapsed() < KEPT_FOR);
        if kept.len() >= KEPT_MAX {
            let oldest = kept
                .iter()
                .min_by_key(|(_, (asked, _))| *asked)
                .map(|(key, _)| key.clone());
            oldest.map(|key| kept.remove(&key));
        }
        kept.insert(key, (Instant::now(), Arc::clone(&past)));
        past
    }
}

/// Returns what a server told in some time, the end excluded, as rows; a moment at which it told nothing is a gap.
pub(super) fn rows(past: &BTreeMap<Timestamp, PastPoint>, (from, until): (Timestamp, Timestamp)) -> Vec<Row> {
    let step = past
        .keys()
        .zip(past.keys().skip(1))
        .map(|(one, other)| *other - *one);
    let step = step.min().unwrap_or(STEP_LEAST);
    let mut rows = Vec::new();
    let mut before: Option<Timestamp> = None;
    for (at, point) in past.range(from..until) {
        if let Some(before) = before.filter(|before| *at - *before > step) {
            rows.push(Row::nothing_at(before + step));
        }
        before = Some(*at);
        rows.push(row(*at, point));
    }
    rows
}

fn row(at: Timestamp, point: &PastPoint) -> Row {
    let whole = |nodes: f64| nodes.round().clamp(0.0, f64::from(u32::MAX)) as u32;
    let [dedicated, spot] = point.current;
    Row {
        dedicated: dedicated.map(whole),
        // Those that are taken away stand in the pool and cost nothing.
        spot: spot.map(|spot| whole(spot - point.preempted.unwrap_or(0.0))),
        target_dedicated: point.outcome[0].map(whole),
        target_spot: point.outcome[1].map(whole),
        asked: point.asked.map(whole),
        waiting: point.waiting,
        running: point.running,
        preempted: point.preempted.map(whole),
        cost_hourly: point.cost_hourly,
        ..Row::nothing_at(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_without_points_are_gaps_and_nodes_that_are_away_are_not_paid_for() {
        let at = |minute: i64| Timestamp::from_unix_seconds(minute * 60);
        let point = PastPoint {
            current: [Some(2.0), Some(5.0)],
            preempted: Some(4.0),
            ..PastPoint::default()
        };
        let minutes = [0, 1, 2, 7, 8, 9];
        let past = minutes.map(|minute| (at(minute), point.clone())).into();
        let told = rows(&past, (at(1), at(9)));
        let moments: Vec<_> = told.iter().map(|row| (row.at / 60.0, row.spot)).collect();
        let one = Some(1);
        assert_eq!(
            moments,
            [(1.0, one), (2.0, one), (3.0, None), (7.0, one), (8.0, one)]
        );
    }
}
