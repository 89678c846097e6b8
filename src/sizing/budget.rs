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

/// What a late hour counts as in hours of a dedicated slot before it is known how many will be late, and while as much is late
/// as is aimed at: about twice what at the usual price of spot no lateness would be worth a dedicated slot for.
const LATE_HOUR: f64 = 2.5;

/// The share of the allowed lateness that is aimed at: of tasks, of which an outage makes many late at once, so that the rest
/// is kept for the next one; and of work, which is lost by long tasks one by one, and is expected long before they end.
const AIM: Burn = Burn {
    tasks: 0.65,
    work: 0.92,
};

/// By so many e-folds the price rises for each share of one by which more is late than is aimed at, and falls likewise.
const STEP: Burn = Burn {
    tasks: 8.0,
    work: 14.0,
};

/// The price moves by no more e-folds than this, a factor of 20, either way: from what nobody pays to what everybody does.
const FOLDS_MOST: f64 = 3.0;

/// The count of tasks at which what was late so far is half believed.
const TASKS_BELIEVED: f64 = 500.0;

/// The slot-hours of a task before any has ended: the ten minutes that a run time is believed to be at first, and some more.
const WORK_USUAL: f64 = 0.3;

impl MissBudget {
    /// Returns the shares of what may be late that are used up, with `under_way` tasks not ended of which `expected` will be
    /// late: one is all that may be.
    ///
    /// The work of tasks under way is not known and does not count, but for that of the late ones.
    pub fn used(&self, limits: &MissLimits, under_way: f64, expected: Burn) -> Burn {
        let tasks = limits.tasks * (self.ended.tasks + under_way);
        let work = limits.work * (self.ended.work + expected.work);
        let late = |late: f64, allowed: f64| if late > 0.0 { late / allowed.max(1e-9) } else { 0.0 };
        Burn {
            tasks: late(self.late.tasks + expected.tasks, tasks),
            work: late(self.late.work + expected.work, work),
        }
    }

    /// Returns how dear lateness is: the price at which as much is late as may be.
    ///
    /// To pay least while no more than a share is late is to pay a price for each late task that is the multiplier of that
    /// constraint. It is found by ascent on the dual: for each task that ends it is raised by a step times what was late
    /// beyond the share that is aimed at, in logarithms so that it stays above zero (exponentiated gradient; Shalev-Shwartz,
    /// "Online Learning and Online Convex Optimization", section 2.7). With a step that falls as one over the tasks that ended,
    /// these add up to
    ///
    /// ```text
    /// ln price = ln LATE_HOUR + belief · STEP · (used − AIM)
    /// ```
    ///
    /// There is one for the count of tasks and one for work; a late task pays both. What of the tasks under way is expected to
    /// be late counts as if it were, so that the price rises in an outage, not after it.
    pub fn price(&self, used: Burn) -> LatePrice {
        let belief = self.belief();
        let price = |used: f64, aim: f64, step: f64| {
            let folds = belief * step * (used - aim);
            LATE_HOUR * folds.clamp(-FOLDS_MOST, FOLDS_MOST).exp()
        };
        let mean = if self.ended.tasks > 0.0 {
            self.ended.work / self.ended.tasks
        } else {
            WORK_USUAL
        };
        LatePrice {
            task: mean * price(used.tasks, AIM.tasks, STEP.tasks),
            hour: price(used.work, AIM.work, STEP.work),
        }
    }

    /// Returns how far what was late so far is believed, 0 to 1.
    pub fn belief(&self) -> f64 {
        self.ended.tasks / (self.ended.tasks + TASKS_BELIEVED)
    }
}

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

    #[test]
    fn lateness_is_cheap_while_little_of_it_is_used_and_dear_when_all_is() {
        let price = |n_late: i64| {
            let mut budget = MissBudget::default();
            for task in 0..2000 {
                let delay = if task < n_late { 30 } else { 1 };
                budget.learn(&LIMITS, Span::minutes(delay), Span::minutes(6), 1);
            }
            budget.price(budget.used(&LIMITS, 0.0, Burn::default()))
        };
        // 100 of 2000 tasks and 200 of equal tasks' work may be late; 65 and 184 are aimed at.
        let (none, aimed, all) = (price(0), price(65), price(100));
        assert!((aimed.task - 2.5 * 0.1).abs() < 1e-9, "{aimed:?}");
        assert!(
            none.task < 0.02 && all.task > 1.1 * aimed.task,
            "{none:?} {all:?}"
        );
        let (some, aimed, all) = (price(150).hour, price(184).hour, price(200).hour);
        assert!(
            none.hour < some && some < aimed && all > 2.0 * aimed,
            "{some} {all}"
        );
        assert!((aimed - 2.5).abs() < 1e-9, "{aimed}");
        // What is sure to be late counts before it ends.
        let budget = MissBudget::default();
        let doomed = Burn {
            tasks: 4.0,
            work: 2.0,
        };
        let used = budget.used(&LIMITS, 80.0, doomed);
        assert!(
            (used.tasks - 1.0).abs() < 1e-9 && (used.work - 10.0).abs() < 1e-9,
            "{used:?}"
        );
        assert!(budget.used(&LIMITS, 0.0, Burn::default()).is_nothing());
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
