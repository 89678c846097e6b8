//! How long the tasks of a deadline run, as a plan takes it.

use super::super::RunTimes;
use super::super::run_times::beyond;
use super::DueSight;
use crate::base::{Span, Timestamp};

/// The share of the time that a task has from its submission which it is taken to run at most, unless its mean is more: the
/// tail of run times must not make everything urgent that could have been done on spot.
const LONGEST_SHARE: f64 = 0.6;

/// The same, where nothing at all is known of run times.
const UNKNOWN_SHARE: f64 = 0.4;

/// How long the tasks of a deadline run, as it is planned with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    pub(super) mean: Option<Span>,
    pub(super) longest: Option<Span>,
    pub(super) shortest: Span,
}

impl Known {
    /// Returns the mean for tasks that have `within` from their submission.
    pub(super) fn mean(self, within: Span) -> Span {
        self.mean.unwrap_or(within.scale(UNKNOWN_SHARE / 2.0))
    }

    /// Returns a time below which no task that has run for `ran` in vain is taken to end.
    pub(super) fn least(self, ran: Span, checkpoint: Option<Span>) -> Span {
        match checkpoint {
            Some(_) => Span::ZERO,
            None => self.shortest.max(ran),
        }
    }

    /// Returns the longest for a task that has `within` from its submission and has run for `ran` in vain.
    pub(super) fn longest(self, within: Span, ran: Span, checkpoint: Option<Span>) -> Span {
        let at_most = within.scale(LONGEST_SHARE).max(self.mean(within).scale(1.05));
        let longest = self.longest.unwrap_or(within.scale(UNKNOWN_SHARE)).min(at_most);
        let longest = if ran >= longest {
            ran + beyond(ran)
        } else {
            longest
        };
        match checkpoint {
            Some(every) if ran > every => longest - ran + every,
            _ => longest,
        }
    }
}

impl DueSight<'_> {
    /// Returns how long the tasks of a deadline run, as it is planned with.
    pub(super) fn known(&self, rule: usize) -> Known {
        let rule_of = |due: &&Option<(usize, Timestamp)>| due.is_some_and(|(of, _)| of == rule);
        let tasks = self.waiting.iter().chain(self.running).filter(rule_of).count();
        let rule = &self.rules[rule];
        let runs = rule.runs.filter(|runs| runs.count() > 0.0);
        // All of them shall end in time, and not each by itself.
        let share = rule.confidence.powf(1.0 / tasks.max(1) as f64);
        // Of tasks that go on where they were saved only the last part is seen.
        let least = rule.typical.filter(|_| rule.checkpoint.is_some());
        Known {
            mean: runs.and_then(RunTimes::mean).max(least).or(rule.typical),
            longest: runs
                .and_then(|runs| runs.quantile(share))
                .max(least)
                .or_else(|| rule.typical.map(|typical| typical.scale(2.0))),
            // What is typical is not what is shortest.
            shortest: runs
                .and_then(RunTimes::shortest)
                .or_else(|| rule.typical.map(|typical| typical.scale(0.5)))
                .unwrap_or(Span::ZERO),
        }
    }
}
