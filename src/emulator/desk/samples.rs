//! The samples of a pool as the service takes them, every 30 seconds, kept as the changes between them.
//!
//! A pool in which nothing happens costs nothing, however long it is left alone; a formula sees the samples one by one.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::{Span, Timestamp};
use crate::signal::{History, Series};
use crate::sim::cluster::{METRICS, SAMPLE_DELAY};

/// One sample of each of [`METRICS`].
pub(super) type Reading = [u32; METRICS.len()];

/// A day: the longest window in formulas that people publish is some hours.
const KEPT: i64 = 24 * 120;

/// What was sampled, as changes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Samples {
    /// When the first sample was taken.
    start: Option<Timestamp>,
    /// From which sample on the reading was what.
    changes: VecDeque<(i64, Reading)>,
}

impl Samples {
    /// Notes what every sample from now on is, until the next note; the pool's first note begins the sampling.
    pub(super) fn note(&mut self, now: Timestamp, reading: Reading) {
        let start = *self.start.get_or_insert(now);
        let period = Span::SAMPLE_PERIOD.ticks();
        let slot = (now.since(start).ticks() + period - 1) / period;
        match self.changes.back_mut() {
            Some((last, values)) if *last == slot => *values = reading,
            Some((_, values)) if *values == reading => return,
            _ => self.changes.push_back((slot, reading)),
        }
        while self.changes.get(1).is_some_and(|(next, _)| slot - next > KEPT) {
            self.changes.pop_front();
        }
    }

    /// Returns the samples of the metrics that a formula names, as far as they are visible at a moment.
    ///
    /// They are dated by when they become visible, as in the simulator's native baseline: by the clock, a window of three
    /// minutes would never hold more than four of its six samples, and a recorded run holds all.
    pub(super) fn history(&self, now: Timestamp, formula: &str) -> History {
        let mut history = History::new();
        let Some(start) = self.start else {
            return history;
        };
        let newest = (now.since(start) - SAMPLE_DELAY).ticks();
        if newest < 0 {
            return history;
        }
        let newest = newest / Span::SAMPLE_PERIOD.ticks();
        let oldest = (newest - KEPT).max(0);
        for (place, metric) in METRICS.into_iter().enumerate() {
            if !formula.contains(metric.name()) {
                continue;
            }
            let from = start + SAMPLE_DELAY + Span::SAMPLE_PERIOD * oldest;
            let mut series = Series::new(from, Span::SAMPLE_PERIOD);
            let mut changes = self.changes.iter().peekable();
            let mut value = None;
            for slot in oldest..=newest {
                while let Some((_, reading)) = changes.next_if(|(from, _)| *from <= slot) {
                    value = Some(f64::from(reading[place]));
                }
                // A day of samples is far from filling a series.
                let _ = series.push(value);
            }
            history.insert(metric, series);
        }
        history
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Metric;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn reading(active: u32) -> Reading {
        let mut reading = [0; METRICS.len()];
        reading[0] = active;
        reading
    }

    #[test]
    fn samples_are_seen_a_minute_late_and_each_on_its_grid() {
        let mut samples = Samples::default();
        samples.note(at(0), reading(0));
        samples.note(at(40), reading(5));
        samples.note(at(50), reading(7));
        samples.note(at(100), reading(7));
        let seen = |now| {
            let history = samples.history(at(now), "x = $ActiveTasks.GetSample(9);");
            assert!(history.get(Metric::RunningTasks).is_none());
            history
                .get(Metric::ActiveTasks)
                .map_or(Vec::new(), |series| series.values().to_vec())
        };
        assert_eq!(seen(59), Vec::<f64>::new());
        assert_eq!(seen(60), [0.0]);
        assert_eq!(seen(119), [0.0, 0.0]);
        assert_eq!(seen(150), [0.0, 0.0, 7.0, 7.0]);
    }

    #[test]
    fn a_quiet_pool_keeps_one_line() {
        let mut samples = Samples::default();
        for minute in 0..10_000 {
            samples.note(at(60 * minute), reading(3));
        }
        assert_eq!(samples.changes.len(), 1);
        let history = samples.history(at(600_000), "$ActiveTasks");
        assert_eq!(history.get(Metric::ActiveTasks).unwrap().values().len(), 2881);
    }

    #[test]
    fn what_is_older_than_a_day_is_forgotten() {
        let mut samples = Samples::default();
        for minute in 0..3000_u32 {
            samples.note(at(60 * i64::from(minute)), reading(minute % 7));
        }
        assert!(samples.changes.len() <= 1442, "{}", samples.changes.len());
    }
}
