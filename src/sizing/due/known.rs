//! How long the tasks of a deadline run, as a plan takes it.

use super::super::RunTimes;
use super::super::kept::Kept;
use super::super::run_times::beyond;
use super::DueSight;
use crate::account::{LostRuns, RunningTask};
use crate::base::{Span, Timestamp};
use crate::market::LostWork;

/// The share of the time that a task has from its submission which it is taken to run at most, unless its mean is more: the
/// tail of run times must not make everything urgent that could have been done on spot.
const LONGEST_SHARE: f64 = 0.6;

/// The same, where nothing at all is known of run times.
const UNKNOWN_SHARE: f64 = 0.4;

/// The same in both cases for tasks that save their work: a run on spot is then no gamble that must leave time to begin anew, and the
/// long tasks go on from where they came, so that only a boot, a look and what was not saved are to be kept free.
const SAVED_SHARE: f64 = 0.85;

/// The tasks that end first are the short ones: fewer than this say how long some run, and not how long all do.
const ENOUGH: f64 = 20.0;

/// How long the tasks of a deadline run, as it is planned with.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) runs: Option<RunTimes>,
    pub(super) mean: Option<Span>,
    pub(super) longest: Option<Span>,
    pub(super) shortest: Span,
    /// Whether enough have ended, or somebody has said how long they run.
    pub(super) has_enough: bool,
    /// What one is taken to run at the least that runs as long as the longest of those that have not ended.
    pub(super) seen: Span,
    /// Whether tasks go on where they saved their work.
    pub(super) saves: bool,
}

impl Known {
    /// Returns the mean for tasks that have `within` from their submission.
    pub(super) fn mean(&self, within: Span) -> Span {
        self.mean
            .unwrap_or_else(|| within.scale(UNKNOWN_SHARE / 2.0).max(self.seen))
    }

    /// Returns a time below which no task that has come so far is taken to end.
    pub(super) fn least(&self, past: Past) -> Span {
        self.shortest.max(past.at_least) - past.kept.least
    }

    /// Returns how long a further run of a task may take that has `within` from its submission.
    pub(super) fn longest(&self, within: Span, past: Past) -> Span {
        let (most, of_unknown) = if self.saves {
            (SAVED_SHARE, SAVED_SHARE)
        } else {
            (LONGEST_SHARE, UNKNOWN_SHARE)
        };
        let at_most = within.scale(most).max(self.mean(within).scale(1.05));
        let unknown = || within.scale(of_unknown).max(self.seen);
        let longest = match self.longest {
            Some(longest) if self.has_enough => longest,
            Some(longest) => longest.max(unknown()),
            None => unknown(),
        };
        let longest = longest.min(at_most);
        let longest = if past.at_least >= longest {
            past.at_least + beyond(past.at_least)
        } else {
            longest
        };
        longest - past.kept.least + past.kept.load
    }

    /// Returns how long a further run of a task takes in the mean.
    pub(super) fn left(&self, within: Span, past: Past) -> Span {
        let mean = self.mean(within).max(past.at_least);
        (mean - past.kept.likely).max(Span::ZERO) + past.kept.load
    }
}

/// How far a task came in the runs in which it lost its node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Past {
    /// It runs for so long at the least.
    pub(super) at_least: Span,
    /// What it has of those runs.
    pub(super) kept: Kept,
}

impl DueSight<'_> {
    /// Returns how long the tasks of a deadline run, as it is planned with.
    pub(super) fn known(&self, rule: usize) -> Known {
        let of_rule = |due: &Option<(usize, Timestamp)>| due.is_some_and(|(of, _)| of == rule);
        let waiting = self.work.waiting.iter().zip(self.waiting);
        let waiting = waiting.filter(|(_, due)| of_rule(due));
        let running = self.work.running.iter().zip(self.running);
        let running = running.filter(|(_, due)| of_rule(due));
        let at_least: Vec<Span> = waiting
            .map(|(task, _)| self.past(task.ran, task.lost).at_least)
            .chain(running.map(|(task, _)| self.at_least(task)))
            .collect();
        let rule = &self.rules[rule];
        // All of them shall end in time, and not each by itself.
        let share = rule.confidence.powf(1.0 / at_least.len().max(1) as f64);
        let ended = rule.runs.filter(|runs| runs.count() > 0.0);
        let runs = ended.map(|runs| runs.with_unfinished(at_least.iter().copied()));
        // As long as none has ended, the one that has run longest is what there is to go by.
        let longest = at_least.iter().copied().max().unwrap_or(Span::ZERO);
        let seen = longest + beyond(longest);
        let typical = rule.typical.map(|typical| typical.scale(2.0));
        let has_enough = typical.is_some() || ended.is_some_and(|runs| runs.count() >= ENOUGH);
        Known {
            mean: runs.as_ref().and_then(RunTimes::mean).or(rule.typical),
            longest: runs
                .as_ref()
                .and_then(|runs| runs.quantile(share))
                .or_else(|| typical.map(|typical| typical.max(seen))),
            // What is typical is not what is shortest.
            shortest: ended
                .and_then(RunTimes::shortest)
                .or_else(|| rule.typical.map(|typical| typical.scale(0.5)))
                .unwrap_or(Span::ZERO),
            has_enough,
            seen,
            saves: matches!(self.lost, LostWork::SinceCheckpoint(_)),
            runs,
        }
    }

    /// Returns how far a task came in its lost runs.
    pub(super) fn past(&self, ran: Span, lost: LostRuns) -> Past {
        let kept = Kept::of(lost, self.lost);
        Past {
            // Of a run that saved nothing it is known all the same that the task runs for longer.
            at_least: kept.least.max(ran),
            kept,
        }
    }

    /// Returns how long a running task runs at the least.
    pub(super) fn at_least(&self, task: &RunningTask) -> Span {
        let past = self.past(task.ran, task.lost);
        past.at_least.max(past.kept.at_least(self.now - task.started))
    }
}
