//! How many tasks may be late, how many were, and how many of those under way will be.
//!
//! A task is late when it ends later than its run time and what it may be delayed by: a fixed wait, or a multiple of its run
//! time where that is more. A share of the tasks may be late, and a share of the work: by count alone the longest tasks, which
//! hold most of the work, would be the ones to be let down.

use serde::{Deserialize, Serialize};

use super::DurationModel;
use crate::base::Span;

/// What delay is allowed, and how much may be missed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MissLimits {
    /// The delay that every task may have.
    pub wait: Span,
    /// The delay that a task may have as a multiple of its run time, where that is more.
    pub slowdown: f64,
    /// The share of tasks that may be late, 0 to 1.
    pub tasks: f64,
    /// The share of work that may be late, 0 to 1.
    pub work: f64,
}

/// The share of the allowed lateness that is planned with: the rest is for what nobody foresees.
const SPENT: f64 = 0.95;

/// What has been late so far; old counts fade.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct MissBudget {
    /// What ended.
    ended: Burn,
    /// The late part of it.
    late: Burn,
}

/// An amount of tasks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Burn {
    /// Their count.
    pub tasks: f64,
    /// Their work in slot-hours.
    pub work: f64,
}

impl MissLimits {
    /// Returns the delay that a task may have.
    pub fn allowed(&self, run: Span) -> Span {
        self.wait.max(run.scale(self.slowdown))
    }

    /// Returns what is expected to be late of a task that has been delayed by `delay` so far and ran for `ran`: it is late
    /// when its run time is such that the delay is not allowed, which is when it ends soon.
    pub fn expected(&self, model: &DurationModel, delay: Span, ran: Span, slots: u32) -> Burn {
        if delay <= self.wait {
            return Burn::default();
        }
        let longest = if self.slowdown > 0.0 {
            delay.scale(1.0 / self.slowdown).max(ran)
        } else {
            Span::days(3650)
        };
        let chance = model.ends_within(ran, longest - ran);
        // A late task ends somewhere between the two, short ends being no rarer than long ones.
        let run = ran + (longest - ran).scale(0.5).min(model.mean_left(ran));
        Burn {
            tasks: chance,
            work: chance * run.as_hours() * f64::from(slots),
        }
    }
}

impl MissBudget {
    /// Takes in a task that ended well.
    pub fn learn(&mut self, limits: &MissLimits, delay: Span, run: Span, slots: u32) {
        let burn = Burn {
            tasks: 1.0,
            work: run.as_hours() * f64::from(slots),
        };
        self.ended.add(burn);
        if delay > limits.allowed(run) {
            self.late.add(burn);
        }
    }

    /// Leaves a share of all counts.
    pub fn fade(&mut self, kept: f64) {
        for burn in [&mut self.ended, &mut self.late] {
            burn.tasks *= kept;
            burn.work *= kept;
        }
    }

    /// Returns what ended.
    pub const fn ended(&self) -> Burn {
        self.ended
    }

    /// Returns what was late.
    pub const fn late(&self) -> Burn {
        self.late
    }

    /// Returns what may still be late, with `under_way` tasks not ended of which `expected` will be; below zero is overdrawn.
    ///
    /// The work of tasks under way is not known and does not count.
    pub fn left(&self, limits: &MissLimits, under_way: f64, expected: Burn) -> Burn {
        Burn {
            tasks: SPENT * limits.tasks * (self.ended.tasks + under_way) - self.late.tasks - expected.tasks,
            work: SPENT * limits.work * self.ended.work - self.late.work - expected.work,
        }
    }
}

/// How dear lateness is, in hours of a dedicated slot.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LatePrice {
    /// A late task.
    pub task: f64,
    /// An hour of its work.
    pub hour: f64,
}

/// A late hour counts as two and a half hours of a dedicated slot while few are late. Below one and a quarter no lateness would
/// be worth a dedicated slot at the usual price of spot; twice that covers what is not foreseen: tasks that wait behind others.
const LATE_HOUR: f64 = 2.5;

/// A late task counts as so many late means of work besides its own.
const LATE_TASK: f64 = 1.3;

/// From this share of the allowed lateness on it grows dearer,
const DEARER_FROM: f64 = 0.6;

/// by so many e-folds for each further share of one,
const DEARER_BY: f64 = 6.0;

/// but no more than so many.
const DEARER_MOST: f64 = 2.0;

/// The count of tasks at which what was late so far is half believed.
const TASKS_BELIEVED: f64 = 500.0;

impl MissBudget {
    /// Returns how dear lateness is: the dearer, the more of what is allowed is used up.
    ///
    /// A late task counts twice: by the count of tasks and by its work.
    pub fn price(&self, limits: &MissLimits) -> LatePrice {
        let belief = self.ended.tasks / (self.ended.tasks + TASKS_BELIEVED);
        let dearer = |late: f64, allowed: f64| {
            let used = late / allowed.max(1e-9);
            (belief * DEARER_BY * (used - DEARER_FROM))
                .clamp(0.0, DEARER_MOST)
                .exp()
        };
        let mean = if self.ended.tasks > 0.0 {
            self.ended.work / self.ended.tasks
        } else {
            WORK_USUAL
        };
        LatePrice {
            task: LATE_TASK * LATE_HOUR * mean * dearer(self.late.tasks, limits.tasks * self.ended.tasks),
            hour: LATE_HOUR * dearer(self.late.work, limits.work * self.ended.work),
        }
    }
}

/// The slot-hours of a task before any has ended: the ten minutes that a run time is believed to be at first, and some more.
const WORK_USUAL: f64 = 0.3;

impl Burn {
    /// Adds another amount.
    pub fn add(&mut self, other: Self) {
        self.tasks += other.tasks;
        self.work += other.work;
    }

    /// Returns the amount by which this one is more.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self {
            tasks: self.tasks - other.tasks,
            work: self.work - other.work,
        }
    }

    /// Says whether both parts are no more than those of another amount.
    pub fn within(self, other: Self) -> bool {
        self.tasks <= other.tasks && self.work <= other.work
    }

    /// Says whether nothing is late.
    pub fn is_nothing(self) -> bool {
        self.tasks <= 0.0 && self.work <= 0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sizing::{Durations, LIMITS};

    fn model(run: Span) -> DurationModel {
        let mut durations = Durations::default();
        (0..2000).for_each(|_| durations.learn(run));
        durations.model([])
    }

    #[test]
    fn short_tasks_may_wait_a_while_and_long_ones_as_long_as_they_run() {
        let mut budget = MissBudget::default();
        for (delay, run) in [(15, 1), (16, 1), (100, 120), (121, 120)] {
            budget.learn(&LIMITS, Span::minutes(delay), Span::minutes(run), 1);
        }
        let late = budget.late();
        assert_eq!(late.tasks, 2.0);
        assert!((late.work - 121.0 / 60.0).abs() < 1e-9);
        // 5 % of 4 ended and 36 under way, with a margin, less the two and one to come.
        let coming = Burn {
            tasks: 1.0,
            work: 0.0,
        };
        let left = budget.left(&LIMITS, 36.0, coming);
        assert!((left.tasks - (0.95 * 2.0 - 3.0)).abs() < 1e-9, "{left:?}");
    }

    #[test]
    fn a_task_that_ran_for_an_hour_is_no_five_minute_task() {
        let model = model(Span::minutes(90));
        let expected = |delay, ran| LIMITS.expected(&model, Span::minutes(delay), Span::minutes(ran), 1);
        assert!(expected(15, 0).is_nothing());
        // It has run for an hour and waited for less: whatever it is, it is not late yet.
        assert!(expected(55, 60).is_nothing());
        // Two hours of waiting are more than the hour and a half that it takes.
        assert!(expected(120, 60).tasks > 0.8);
        assert!(expected(70, 60).tasks < 0.5);
    }

    proptest! {
        #[test]
        fn longer_delays_never_make_fewer_late(
            run in 10i64..20_000, delay in 0i64..40_000, more in 0i64..40_000, ran in 0i64..20_000,
        ) {
            let model = model(Span::seconds(run));
            let chance = |delay| LIMITS.expected(&model, Span::seconds(delay), Span::seconds(ran), 1).tasks;
            prop_assert!((0.0..=1.0).contains(&chance(delay)));
            prop_assert!(chance(delay) <= chance(delay + more) + 1e-12);
        }

        #[test]
        fn a_budget_comes_back_from_json(delays in proptest::collection::vec((0i64..5000, 1i64..5000), 0..40)) {
            let mut budget = MissBudget::default();
            for (delay, run) in delays {
                budget.learn(&LIMITS, Span::seconds(delay), Span::seconds(run), 1);
            }
            budget.fade(0.7);
            let text = serde_json::to_string(&budget).unwrap();
            prop_assert_eq!(serde_json::from_str::<MissBudget>(&text).unwrap(), budget);
        }
    }
}
