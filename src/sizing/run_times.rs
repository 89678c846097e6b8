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

    /// Returns these and tasks that have not ended, each of which runs for so long at the least.
    ///
    /// An unfinished task is taken for those that are known to run longer, by their shares, as the estimate of Kaplan and Meier
    /// has it; and where none is, for one that runs on for a share of what it has run. Otherwise the tasks that ended first would
    /// speak for all: of those on spot that begin anew, they are the short ones.
    #[must_use]
    pub fn with_unfinished(&self, at_least: impl IntoIterator<Item = Span>) -> Self {
        let mut bins: BTreeMap<u16, [f64; 2]> = BTreeMap::new();
        for (bin, count) in &self.0 {
            bins.entry(*bin).or_default()[0] = *count;
        }
        for span in at_least.into_iter().filter(|span| *span > Span::ZERO) {
            bins.entry(bin(span)).or_default()[1] += 1.0;
        }
        let count_of = |which: usize| bins.values().map(|counts| counts[which]).sum::<f64>();
        let (ended, unfinished) = (count_of(0), count_of(1));
        // Unfinished tasks say how those that ended are spread, and are no further evidence of how sure that is.
        let count = if ended > 0.0 { ended } else { unfinished };
        let (mut left, mut at_risk) = (count, ended + unfinished);
        let mut all = BTreeMap::new();
        for (bin, [ended, unfinished]) in &bins {
            if *ended > 0.0 {
                let share = (ended / at_risk).min(1.0) * left;
                all.insert(*bin, share);
                left -= share;
            }
            at_risk -= ended + unfinished;
        }
        if let Some((last, _)) = bins.last_key_value().filter(|_| left > 1e-9 * count) {
            let on = bin(Span::from_seconds(edge(*last)).scale(1.0 + LONGER));
            *all.entry(on).or_default() += left;
        }
        Self(all)
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
    /// Beyond what so many tasks can tell it is the longest one and a margin that shrinks as more are known, or what a log-normal
    /// distribution of their spread has there: of tasks of one length nothing longer is believed, of others much.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        let count = self.count();
        let longest = edge(*self.0.keys().next_back()? + 1);
        if share > 1.0 - 1.0 / count {
            let beyond = longest * (1.0 + 1.0 / count.max(1.0).sqrt());
            return Some(Span::from_seconds(beyond.max(self.extrapolated(share))));
        }
        let mut below = 0.0;
        let reached = self.0.iter().find(|(_, weight)| {
            below += **weight;
            below >= share * count
        });
        let seconds = reached.map_or(longest, |(bin, _)| edge(bin + 1));
        Some(Span::from_seconds(seconds))
    }

    /// Returns in seconds what a log-normal distribution with the mean and the spread of these has at a share of the tasks.
    fn extrapolated(&self, share: f64) -> f64 {
        let count = self.count();
        let logs = || {
            self.0
                .iter()
                .map(|(bin, weight)| (f64::from(*bin) * WIDTH.ln(), weight))
        };
        let mean = logs().map(|(log, weight)| log * weight).sum::<f64>() / count;
        let squares = logs().map(|(log, weight)| weight * (log - mean).powi(2));
        let spread = (squares.sum::<f64>() / count).sqrt();
        // The share of a normal distribution below z is 1 − e^(−z²÷2) ÷ 2 or more (Chernoff).
        let z = (-2.0 * (2.0 * (1.0 - share).max(1e-12)).min(1.0).ln()).sqrt();
        (mean + z * spread).exp()
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
    fn beyond_what_is_known_the_spread_of_run_times_counts() {
        // Ten tasks of 5 to 40 minutes: one of ten thousand may take hours.
        let times = of((0..10).map(|task| 300 * (1 + task % 8)));
        let rare = times.quantile(0.9999).unwrap();
        assert!(rare > Span::hours(2) && rare < Span::hours(8), "{rare:?}");
        assert!(times.quantile(0.5).unwrap() < Span::minutes(25));
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
    fn tasks_that_have_not_ended_count_as_the_long_ones() {
        // Half of the tasks run for four hours; those of them that are known by now are one in ten of what ended.
        let ended = of((0..100).map(|task| if task % 10 == 0 { 14_400 } else { 600 }));
        assert!(is_near(ended.quantile(0.85).unwrap(), 600.0 * 1.03));
        let all = ended.with_unfinished([Span::hours(1); 80]);
        assert!(is_near(all.quantile(0.51).unwrap(), 14_400.0 * 1.03), "{all:?}");
        assert!((all.count() - ended.count()).abs() < 1e-6);
        // Of tasks that have just begun nothing follows.
        let begun = ended.with_unfinished([Span::seconds(5); 80]);
        assert_eq!(begun.quantile(0.85), ended.quantile(0.85));
        // One that has run longer than any runs on for a quarter of that.
        let longest = ended.with_unfinished([Span::hours(8)]).quantile(0.999).unwrap();
        assert!(longest > Span::hours(9), "{longest:?}");
        assert!(RunTimes::default().with_unfinished([Span::hours(2)]).mean() > Some(Span::hours(2)));
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
