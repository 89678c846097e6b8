//! What guards remember of a pool: changes of its target, evictions, and what its nodes have cost this month.
//!
//! All of it follows from what is seen at each look and nothing from what was ordered: an order that was refused or kept back
//! starts no cooldown, a resize by someone else does, and a dry run over recorded looks remembers the same.

use chrono::{Datelike, TimeZone, Utc};
use serde::{Deserialize, Serialize};

use crate::account::{PoolState, Work};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};

/// What guards remember of one pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GuardMemory {
    /// Changes of the pool's target, oldest first.
    pub changes: Vec<TargetChange>,
    /// Losses of spot nodes, oldest first.
    pub losses: Vec<SpotLoss>,
    /// How long its nodes have been there this month.
    pub month: Option<MonthUse>,
    /// How long its tasks have run, of those that finished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<RunTimes>,
}

/// How long tasks have run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunTimes {
    /// How many.
    pub count: u64,
    /// Their run times added up, in seconds.
    pub seconds: f64,
}

/// A change of a pool's target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetChange {
    /// When: the latest look before it was seen, which is when an order of ours went out.
    pub at: Timestamp,
    /// The nodes of both lanes before.
    pub from: Nodes,
    /// The nodes of both lanes after.
    pub to: Nodes,
}

/// Spot nodes that were taken away between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SpotLoss {
    /// When it was seen.
    pub at: Timestamp,
    /// How many.
    pub lost: Nodes,
    /// How many were left.
    pub left: Nodes,
}

/// How long the nodes of a pool have been there in a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MonthUse {
    /// The first instant of the month, in UTC as the provider bills.
    pub began: Timestamp,
    /// The time of dedicated nodes, added up.
    pub dedicated_milliseconds: u64,
    /// The time of spot nodes, added up; preempted ones cost nothing.
    pub spot_milliseconds: u64,
}

impl GuardMemory {
    /// How long changes and losses are kept, which is the longest that a guard may look back.
    pub const KEPT: Span = Span::hours(24);

    /// Takes in a look at the pool; `before` is the one before it.
    pub fn see(
        &mut self,
        before: Option<(Timestamp, &PoolState)>,
        now: Timestamp,
        pool: &PoolState,
        work: Option<&Work>,
    ) {
        if let Some((then, before)) = before {
            let (from, to) = (before.target, pool.target);
            if from != to {
                let (from, to) = (from.total(), to.total());
                self.changes.push(TargetChange { at: then, from, to });
            }
            let lost = lost(before, pool, work);
            if lost > Nodes::ZERO {
                let left = paid(pool).spot;
                self.losses.push(SpotLoss { at: now, lost, left });
            }
            self.spend(then, now, paid(before));
        }
        if let Some(work) = work {
            self.finish(work);
        }
        let oldest = now - Self::KEPT;
        forget(&mut self.changes, |change| change.at < oldest);
        forget(&mut self.losses, |loss| loss.at < oldest);
    }

    /// Returns the spot nodes that the look of this moment found taken away.
    pub fn lost_at(&self, now: Timestamp) -> Nodes {
        let last = self.losses.last().filter(|loss| loss.at == now);
        last.map_or(Nodes::ZERO, |loss| loss.lost)
    }

    fn finish(&mut self, work: &Work) {
        for task in &work.finished {
            let runs = self.runs.get_or_insert(RunTimes {
                count: 0,
                seconds: 0.0,
            });
            runs.count = runs.count.saturating_add(1);
            runs.seconds += task.ended.since(task.started).as_seconds().max(0.0);
        }
    }

    /// Returns how long nodes of a lane have been there in the month of a moment, in hours.
    pub fn month_hours(&self, lane: Lane, now: Timestamp) -> f64 {
        let month = self.month.filter(|month| month.began == month_of(now));
        month.map_or(0.0, |month| {
            let milliseconds = match lane {
                Lane::Dedicated => month.dedicated_milliseconds,
                Lane::Spot => month.spot_milliseconds,
            };
            milliseconds as f64 / 3_600_000.0
        })
    }

    fn spend(&mut self, then: Timestamp, now: Timestamp, nodes: Mix) {
        let began = month_of(now);
        let known = self.month.filter(|month| month.began == began);
        let mut month = known.unwrap_or(MonthUse {
            began,
            dedicated_milliseconds: 0,
            spot_milliseconds: 0,
        });
        // What was spent before the month began belongs to the month before, which is over.
        let passed = now.since(then.max(began)).ticks().max(0).unsigned_abs() / TICKS_PER_MILLISECOND;
        let add = |time: &mut u64, nodes: Nodes| {
            *time = time.saturating_add(passed.saturating_mul(u64::from(nodes.0)));
        };
        add(&mut month.dedicated_milliseconds, nodes.dedicated);
        add(&mut month.spot_milliseconds, nodes.spot);
        self.month = Some(month);
    }
}

const TICKS_PER_MILLISECOND: u64 = 10_000;

/// The nodes of a pool that are paid for: all but the preempted ones.
fn paid(pool: &PoolState) -> Mix {
    pool.current
        .with(Lane::Spot, pool.current.spot.saturating_sub(pool.nodes.preempted))
}

/// The spot nodes that were taken away: those that are told one by one, or at least those that are preempted now and were
/// not before.
fn lost(before: &PoolState, pool: &PoolState, work: Option<&Work>) -> Nodes {
    let counted = pool.nodes.preempted.saturating_sub(before.nodes.preempted);
    let told = work.map_or(0, |work| {
        work.ended
            .iter()
            .filter(|end| end.evicted && end.lane == Lane::Spot)
            .count()
    });
    counted.max(Nodes(u32::try_from(told).unwrap_or(u32::MAX)))
}

/// Removes the oldest entries that are too old; the list is in order of time.
fn forget<T>(list: &mut Vec<T>, is_old: impl Fn(&T) -> bool) {
    let old = list.partition_point(is_old);
    list.drain(..old);
}

/// Returns the first instant of a moment's month in UTC.
fn month_of(at: Timestamp) -> Timestamp {
    let at = at.to_utc();
    Utc.with_ymd_and_hms(at.year(), at.month(), 1, 0, 0, 0)
        .single()
        .map_or(Timestamp::EPOCH, Timestamp::from_utc)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(target: Mix, preempted: u32) -> PoolState {
        let mut pool = PoolState::new("p".parse().unwrap());
        pool.target = target;
        pool.current = target;
        pool.nodes.preempted = Nodes(preempted);
        pool
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn changes_are_of_the_look_before_and_losses_of_the_look_that_saw_them() {
        let mut memory = GuardMemory::default();
        let (one, two) = (at("2026-11-25T10:00:00Z"), at("2026-11-25T10:01:00Z"));
        let (small, large) = (pool(Mix::new(1, 4), 0), pool(Mix::new(1, 9), 3));
        memory.see(None, one, &small, None);
        assert_eq!((memory.changes.len(), memory.losses.len()), (0, 0));
        memory.see(Some((one, &small)), two, &large, None);
        assert_eq!(
            memory.changes,
            [TargetChange {
                at: one,
                from: Nodes(5),
                to: Nodes(10)
            }]
        );
        assert_eq!(
            memory.losses,
            [SpotLoss {
                at: two,
                lost: Nodes(3),
                left: Nodes(6)
            }]
        );
        // A day later both are forgotten.
        let later = two + Span::days(1) + Span::seconds(1);
        memory.see(Some((two, &large)), later, &large, None);
        assert_eq!((memory.changes.len(), memory.losses.len()), (0, 0));
    }

    #[test]
    fn a_month_counts_from_its_first_instant_and_leaves_preempted_nodes_out() {
        let mut memory = GuardMemory::default();
        let farm = pool(Mix::new(2, 5), 1);
        // Half an hour of October and two hours of November.
        let (then, now) = (at("2026-10-31T23:30:00Z"), at("2026-11-01T02:00:00Z"));
        memory.see(Some((then, &farm)), now, &farm, None);
        assert_eq!(memory.month_hours(Lane::Dedicated, now), 4.0);
        assert_eq!(memory.month_hours(Lane::Spot, now), 8.0);
        let next = at("2026-12-01T00:00:00Z");
        assert_eq!(memory.month_hours(Lane::Spot, next), 0.0);
    }
}
