//! How long the tasks of some jobs run, told finely enough to plan for the longest of many.
//!
//! [`super::Durations`] tells chances of ends in spans that double; a plan that starts at the latest moment needs the quantile
//! of a run time to some percent, and one near 1, for all of a thousand tasks must end in time and not nineteen of twenty.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Span;

/// The run times of the tasks that ended, the latest weighing most, in bins that are 5 % wide.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RunTimes(BTreeMap<u16, f64>);

/// Each bin ends this much later than it begins: less than run times of one kind differ, and a day is in the 233rd bin.
const WIDTH: f64 = 1.05;

/// Each ended task takes this share of the evidence before it away: half of it is gone after 700 tasks.
const KEPT: f64 = 0.999;

/// What weighs less than this has been forgotten.
const FORGOTTEN: f64 = 0.02;

/// A task that has run longer than any before it is taken to run on for this share of the time that it has run.
const LONGER: f64 = 0.25;

impl RunTimes {
    /// Takes in the run time of a task that ended well.
    pub fn learn(&mut self, run: Span) {
        self.0.retain(|_, count| {
            *count *= KEPT;
            *count >= FORGOTTEN
        });
        *self.0.entry(bin(run)).or_default() += 1.0;
    }

    /// Returns how many tasks it knows of, faded.
    pub fn count(&self) -> f64 {
        self.0.values().sum()
    }

    /// Returns the mean run time; `None` while none is known.
    pub fn mean(&self) -> Option<Span> {
        let count = self.count();
        let sum: f64 = self.0.iter().map(|(bin, count)| middle(*bin) * count).sum();
        (count > 0.0).then(|| Span::from_seconds(sum / count))
    }

    /// Returns a time that is no longer than any run time that is known.
    pub fn shortest(&self) -> Option<Span> {
        self.0.keys().next().map(|bin| Span::from_seconds(edge(*bin)))
    }

    /// Returns a run time that `share` of the tasks do not exceed.
    ///
    /// Beyond what so many tasks can tell it is the longest one and a margin that shrinks as more are known.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        let count = self.count();
        let longest = edge(*self.0.keys().next_back()? + 1);
        if share > 1.0 - 1.0 / count {
            return Some(Span::from_seconds(longest * (1.0 + 1.0 / count.max(1.0).sqrt())));
        }
        let mut below = 0.0;
        let reached = self.0.iter().find(|(_, weight)| {
            below += **weight;
            below >= share * count
        });
        let seconds = reached.map_or(longest, |(bin, _)| edge(bin + 1));
        Some(Span::from_seconds(seconds))
    }

    /// Returns the mean of what a task has still to run that has run for `ran`.
    pub fn mean_left(&self, ran: Span) -> Span {
        let longer = self
            .0
            .range(bin(ran)..)
            .map(|(bin, count)| (middle(*bin), *count));
        let (sum, count) = longer
            .filter(|(seconds, _)| *seconds > ran.as_seconds())
            .fold((0.0, 0.0), |(sum, all), (seconds, count)| {
                (sum + seconds * count, all + count)
            });
        if count > 0.0 {
            Span::from_seconds(sum / count) - ran
        } else {
            beyond(ran)
        }
    }
}

/// Returns what is left of a task that has run longer than any that is known.
pub(super) fn beyond(ran: Span) -> Span {
    ran.scale(LONGER)
}

fn bin(run: Span) -> u16 {
    (run.as_seconds().max(1.0).ln() / WIDTH.ln()) as u16
}

fn edge(bin: u16) -> f64 {
    WIDTH.powi(i32::from(bin))
}

fn middle(bin: u16) -> f64 {
    edge(bin) * (1.0 + WIDTH) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: impl IntoIterator<Item = i64>) -> RunTimes {
        let mut times = RunTimes::default();
        for run in runs {
            times.learn(Span::seconds(run));
        }
        times
    }

    fn is_near(span: Span, seconds: f64) -> bool {
        (span.as_seconds() / seconds - 1.0).abs() < 0.06
    }

    #[test]
    fn a_fixed_run_time_is_known_to_some_percent() {
        let times = of([1800; 400]);
        assert!(is_near(times.mean().unwrap(), 1800.0));
        assert!(is_near(times.quantile(0.9).unwrap(), 1850.0));
        assert!(times.shortest().unwrap() <= Span::seconds(1800));
        // Beyond four hundred tasks: a margin of a twentieth.
        assert!(is_near(times.quantile(0.9999).unwrap(), 1850.0 * 1.05));
        // Few tasks tell little.
        assert!(times.quantile(0.99999).unwrap() < of([1800; 4]).quantile(0.99999).unwrap());
        assert_eq!(RunTimes::default().quantile(0.5), None);
    }

    #[test]
    fn what_has_run_for_long_is_one_of_the_long_ones() {
        let times = of((0..500).map(|task| if task % 10 == 0 { 7200 } else { 60 }));
        assert!(times.mean_left(Span::ZERO) < Span::minutes(15));
        let left = times.mean_left(Span::minutes(10));
        assert!(is_near(left + Span::minutes(10), 7200.0), "{left:?}");
        assert_eq!(times.mean_left(Span::hours(4)), Span::hours(1));
        assert!(is_near(times.quantile(0.95).unwrap(), 7300.0));
    }

    #[test]
    fn what_was_long_ago_is_forgotten() {
        let times = of((0..20_000).map(|task| if task < 5000 { 36_000 } else { 60 }));
        assert!(times.quantile(0.999_999).unwrap() < Span::minutes(2));
    }

    proptest::proptest! {
        #[test]
        fn it_comes_back_from_json_and_every_quantile_is_one(
            runs in proptest::collection::vec(0i64..1_000_000, 1..60), share in 0.0f64..1.0, more in 0.0f64..1.0,
        ) {
            let times = of(runs);
            let text = serde_json::to_string(&times).unwrap();
            proptest::prop_assert_eq!(&serde_json::from_str::<RunTimes>(&text).unwrap(), &times);
            let quantile = |share: f64| times.quantile(share).unwrap();
            proptest::prop_assert!(quantile(share) <= quantile(share.max(more)));
            proptest::prop_assert!(quantile(share) >= times.shortest().unwrap());
        }
    }
}
