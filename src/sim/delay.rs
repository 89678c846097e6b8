//! How long tasks waited, how late they ended, and which of them ended too late.

use std::str::FromStr;

use serde::Serialize;

use super::cluster::Delay;
use super::workload::Task;
use crate::base::Span;

/// How much later than at once a task may end: the longer of a time and a share of its run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DelayLimit {
    /// What any task may be delayed.
    pub least: Span,
    /// What a task may be delayed, as a share of its run.
    pub share: f64,
}

/// A quarter of an hour, or the task's own run time: a slowdown of two at the most, with a floor.
impl Default for DelayLimit {
    fn default() -> Self {
        Self {
            least: Span::minutes(15),
            share: 1.0,
        }
    }
}

/// Seconds that tasks waited, or by which they were late; tasks that can never run do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Wait {
    /// Half of the tasks waited no longer.
    pub p50: f64,
    /// 95 of 100 tasks waited no longer.
    pub p95: f64,
    /// 99 of 100 tasks waited no longer.
    pub p99: f64,
    /// No task waited longer.
    pub max: f64,
}

/// Tasks that ended later than they may, or that can only end so.
///
/// A limit on the count alone can be met by leaving the few longest tasks undone, which hold most of the work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Misses {
    /// How many.
    pub tasks: u32,
    /// As a share of the tasks that were submitted.
    pub share: f64,
    /// Their work in slot-hours.
    pub slot_hours: f64,
    /// Their work as a share of all submitted work.
    pub work_share: f64,
}

/// Reads `15m/1`, the time and the share of the run; a time alone allows no more to long tasks.
impl FromStr for DelayLimit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (least, share) = text.split_once('/').unwrap_or((text, "0"));
        let least: Span = least.trim().parse().map_err(|error| format!("{error}"))?;
        let share = share
            .trim()
            .parse()
            .ok()
            .filter(|share| (0.0..=Self::SHARE_MAX).contains(share));
        match share {
            Some(share) if !least.is_negative() => Ok(Self { least, share }),
            _ => Err(format!(
                "write a time from 0s and a share of the run from 0 to {}, such as 15m/1",
                Self::SHARE_MAX
            )),
        }
    }
}

impl DelayLimit {
    /// A task that may take a thousand times as long as it runs has no limit worth the name.
    pub const SHARE_MAX: f64 = 1000.0;

    /// Returns what a task of some run time may be delayed.
    pub fn of(&self, run: Span) -> Span {
        self.least.max(run.scale(self.share))
    }

    /// Returns how late tasks ended, and those that were too late.
    pub(super) fn judge(&self, tasks: &[Task], delays: Vec<Delay>) -> (Wait, Misses) {
        let mut known = Vec::with_capacity(delays.len());
        let mut misses = Misses::default();
        let (mut n_tasks, mut slot_hours) = (0, 0.0);
        for (task, delay) in tasks.iter().zip(delays) {
            let work = task.run.as_hours() * f64::from(task.slots);
            n_tasks += 1;
            slot_hours += work;
            let late = match delay {
                Delay::Ended(delay) | Delay::AtLeast(delay) => {
                    known.push(delay);
                    delay > self.of(task.run)
                }
                Delay::Never => true,
            };
            if late {
                misses.tasks += 1;
                misses.slot_hours += work;
            }
        }
        if n_tasks > 0 {
            misses.share = f64::from(misses.tasks) / f64::from(n_tasks);
            misses.work_share = misses.slot_hours / slot_hours;
        }
        (Wait::of(known), misses)
    }
}

impl Wait {
    pub(super) fn of(mut waits: Vec<Span>) -> Self {
        waits.sort_unstable();
        // The nearest rank: the least wait that at least that share of the tasks does not exceed.
        let quantile = |share: f64| {
            let rank = (share * waits.len() as f64).ceil().max(1.0) as usize;
            waits.get(rank - 1).map_or(0.0, |wait| wait.as_seconds())
        };
        Self {
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            max: quantile(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn quantiles_are_waits_that_happened() {
        let waits = |seconds: std::ops::RangeInclusive<i64>| seconds.rev().map(Span::seconds).collect();
        let wait = Wait::of(waits(1..=200));
        assert_eq!(
            [wait.p50, wait.p95, wait.p99, wait.max],
            [100.0, 190.0, 198.0, 200.0]
        );
        let wait = Wait::of(waits(7..=7));
        assert_eq!([wait.p50, wait.max], [7.0, 7.0]);
        assert_eq!(Wait::of(Vec::new()), Wait::default());
    }

    #[test]
    fn a_limit_is_a_time_and_a_share() {
        assert_eq!("15m/1".parse(), Ok(DelayLimit::default()));
        let flat = DelayLimit {
            least: Span::hours(1),
            share: 0.0,
        };
        assert_eq!("1h".parse(), Ok(flat));
        for wrong in ["", "/1", "15m/", "15m/-1", "15m/NaN", "-1m/1"] {
            assert!(wrong.parse::<DelayLimit>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_task_misses_when_it_is_later_than_a_quarter_of_an_hour_and_than_its_own_run() {
        let task = |minutes| Task {
            submit: Timestamp::EPOCH,
            run: Span::minutes(minutes),
            slots: 1,
            job: None,
            due: None,
        };
        let tasks = [task(1), task(1), task(60), task(60), task(60), task(118)];
        let delays = vec![
            Delay::Ended(Span::minutes(15)),
            Delay::AtLeast(Span::minutes(16)),
            Delay::Ended(Span::minutes(60)),
            Delay::Ended(Span::minutes(61)),
            Delay::Never,
            Delay::Ended(Span::ZERO),
        ];
        let (delay, misses) = DelayLimit::default().judge(&tasks, delays);
        assert_eq!((misses.tasks, misses.share), (3, 0.5));
        // 1 + 60 + 60 of 300 minutes of work.
        assert!((misses.work_share - 121.0 / 300.0).abs() < 1e-12);
        assert_eq!(delay.max, 61.0 * 60.0);
    }
}
