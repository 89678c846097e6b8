//! A made-up workload: builds that follow the working day, and a batch that starts every night.
//!
//! Builds arrive as a Poisson process whose rate follows the clock; their run times are log-normal, as the recorded logs
//! have a long tail too. The chance comes from `Pcg64Mcg`, so that a seed gives the same tasks everywhere.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{ReadOptions, Task, Workload};
use crate::base::{Span, Timestamp};
use crate::sim::draw::{Times, exponential};

/// What is made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CiRecipe {
    /// How many days, the first a Monday.
    pub days: u32,
    /// Builds of a working day; a day of the weekend has an eighth of them.
    pub builds_daily: f64,
    /// The run time that half of the builds stay below.
    pub build_median: Span,
    /// Tasks that are submitted together each night at 01:00.
    pub nightly_tasks: u32,
    /// How long each nightly task runs at most; the least is half of it.
    pub nightly_run: Span,
}

/// One day of a team with about 600 builds and a nightly test batch: small enough to read, busy enough to scale.
impl Default for CiRecipe {
    fn default() -> Self {
        Self {
            days: 1,
            builds_daily: 600.0,
            build_median: Span::minutes(6),
            nightly_tasks: 120,
            nightly_run: Span::minutes(40),
        }
    }
}

/// The share of a working day's builds that each hour of the day gets; the hours sum to 100.
const HOURLY_SHARE: [f64; 24] = [
    0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 3.0, 7.0, 11.0, 12.0, 10.0, 6.0, 9.0, 11.0, 10.0, 7.0, 4.0, 2.0, 1.0,
    1.0, 1.0, 0.5, 0.5,
];

/// The spread of the run times' logarithm: the longest of 20 builds takes about four times the median.
const RUN_SIGMA: f64 = 0.85;

/// A build that ran for 3 hours hangs, and a team's time limit ends it.
const BUILD_RUN_MAX: Span = Span::hours(3);

/// Makes up a workload; the same recipe and seed give the same tasks.
pub fn generate(recipe: &CiRecipe, seed: u64) -> Workload {
    let mut chance = Pcg64Mcg::seed_from_u64(seed);
    let start = Timestamp::from_unix_seconds(ReadOptions::START_UNIX_SECONDS);
    let mut tasks = Vec::new();
    for hour in 0..recipe.days * 24 {
        let hour_start = start + Span::hours(i64::from(hour));
        let weekday = hour / 24 % 7;
        let daily = if weekday < 5 {
            recipe.builds_daily
        } else {
            recipe.builds_daily / 8.0
        };
        let hourly = daily * HOURLY_SHARE[hour as usize % 24] / 100.0;
        let mut offset = exponential(&mut chance) / hourly;
        while offset < 1.0 {
            tasks.push(Task {
                submit: hour_start + Span::from_seconds((offset * 3600.0).floor()),
                run: build_run(&mut chance, recipe.build_median),
                slots: 1,
                job: None,
                due: None,
            });
            offset += exponential(&mut chance) / hourly;
        }
        if hour % 24 == 1 {
            tasks.extend((0..recipe.nightly_tasks).map(|_| Task {
                submit: hour_start,
                run: whole_seconds(recipe.nightly_run.scale(0.5 + 0.5 * chance.random::<f64>())),
                slots: 1,
                job: None,
                due: None,
            }));
        }
    }
    let days = if recipe.days == 1 { "day" } else { "days" };
    let name = format!("ci-day (generated, {} {days}, seed {seed})", recipe.days);
    Workload::new(name, start, tasks)
}

fn build_run(chance: &mut Pcg64Mcg, median: Span) -> Span {
    let times = Times::LogNormal {
        median,
        sigma: RUN_SIGMA,
    };
    whole_seconds(times.draw(chance)).min(BUILD_RUN_MAX)
}

/// Logs count in seconds, and no task runs for less than one.
fn whole_seconds(span: Span) -> Span {
    Span::from_seconds(span.as_seconds().round().max(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_day_and_another_a_different_one() {
        let recipe = CiRecipe::default();
        assert_eq!(generate(&recipe, 7), generate(&recipe, 7));
        assert_ne!(generate(&recipe, 7).tasks, generate(&recipe, 8).tasks);
    }

    #[test]
    fn a_week_has_working_hours_nights_and_a_weekend() {
        let recipe = CiRecipe {
            days: 7,
            ..CiRecipe::default()
        };
        let week = generate(&recipe, 1);
        let count = |from: i64, to: i64| {
            let hour = |hour| week.start + Span::hours(hour);
            week.tasks
                .iter()
                .filter(|task| (hour(from)..hour(to)).contains(&task.submit))
                .count()
        };
        assert!(
            (500..700).contains(&(count(0, 24) - 120)),
            "{} tasks on Monday",
            count(0, 24)
        );
        assert!(count(10, 11) > 50 && count(20, 21) < 20);
        assert!(count(5 * 24, 6 * 24) < 250);
        assert!(week.tasks.is_sorted_by_key(|task| task.submit));
        assert!(
            week.tasks
                .iter()
                .all(|task| task.run >= Span::seconds(1) && task.run <= BUILD_RUN_MAX)
        );
    }
}
