//! From tasks and a spot market to the plain numbers of an instance.

use std::collections::BTreeMap;

use super::instance::{DEDICATED, Instance, Job, Late, SPOT, Window, outermost};
use super::program;
use super::{Problem, Tolerance};
use crate::base::{Span, Timestamp};

/// Returns the instance in which each task runs without a break.
pub(super) fn whole(problem: &Problem<'_>) -> Instance {
    instance(problem, f64::INFINITY)
}

/// Returns the instance in which each task runs in pieces from checkpoint to checkpoint; without checkpoints, as a whole.
pub(super) fn cut(problem: &Problem<'_>) -> Instance {
    let interval = problem.checkpoint.map_or(f64::INFINITY, Span::as_seconds);
    instance(problem, interval)
}

/// Returns how many pieces the tasks have between checkpoints.
pub(super) fn n_pieces(problem: &Problem<'_>) -> f64 {
    let tasks = &problem.workload.tasks;
    let of = |run: f64| match problem.checkpoint {
        Some(interval) => (run / interval.as_seconds()).ceil(),
        None => 1.0,
    };
    tasks.iter().map(|task| of(task.run.as_seconds())).sum()
}

fn instance(problem: &Problem<'_>, interval: f64) -> Instance {
    let slots = problem.setup.task_slots_per_node;
    let start = problem.workload.start;
    let dearer = problem.dearer();
    let (mut jobs, mut whenever) = (Vec::new(), Vec::new());
    let has_dues = problem.workload.has_dues();
    let fitting = problem.workload.tasks.iter().filter(|task| task.slots <= slots);
    for task in fitting.filter(|task| !task.run.is_negative()) {
        let submitted = (task.submit - start).as_seconds();
        let run = task.run.as_seconds();
        // Where deadlines are to be met, what has none may end at any time.
        let slack = match task.due {
            Some(due) => due.span().as_seconds() - run,
            None if has_dues => f64::INFINITY,
            None => problem.limit.of(task.run).as_seconds().max(0.0),
        };
        // No plan does it in time: that it costs something all the same is left out.
        if slack < 0.0 {
            continue;
        }
        let into = if slack.is_finite() {
            &mut jobs
        } else {
            &mut whenever
        };
        let mut done = 0.0;
        while done < run {
            let length = interval.min(run - done);
            into.push(Job {
                earliest: submitted + done,
                latest: submitted + done + slack,
                run: length,
                weight: f64::from(task.slots) / f64::from(slots),
                tasks: length / run,
            });
            done += length;
        }
    }
    // Without a price every plan costs nothing; the numbers must only not divide by it.
    let prices = if dearer > 0.0 {
        [
            problem.prices.dedicated.0 / dearer,
            problem.prices.spot.0 / dearer,
        ]
    } else {
        [1.0, 1.0]
    };
    let mut initial = [0.0; 2];
    initial[DEDICATED] = f64::from(problem.setup.initial.dedicated.0);
    initial[SPOT] = f64::from(problem.setup.initial.spot.0);
    Instance {
        windows: windows(problem, start),
        jobs,
        whenever,
        boot: problem.setup.boot.range().0.as_seconds().max(0.0),
        prices,
        initial,
        late: None,
    }
}

/// Returns when a spot node can be ready: while its unit is up, from a boot after it came up.
fn windows(problem: &Problem<'_>, start: Timestamp) -> Vec<Window> {
    let Some(supply) = &problem.supply else {
        return vec![Window {
            from: f64::NEG_INFINITY,
            until: f64::INFINITY,
        }];
    };
    let boot = problem.setup.boot.range().0;
    let runs = supply.units().iter().flatten();
    let windows = runs.map(|run| {
        // A node that is there at the start has booted before.
        let there = run.from <= start && problem.setup.initial.spot.0 > 0;
        let from = if there { run.from } else { run.from + boot };
        let goes_on = supply.end().is_some_and(|end| run.until >= end);
        Window {
            from: (from - start).as_seconds(),
            until: if goes_on {
                f64::INFINITY
            } else {
                (run.until - start).as_seconds()
            },
        }
    });
    outermost(windows.filter(|window| window.from < window.until).collect())
}

/// Returns how much may be late; `None` when that is nothing.
pub(super) fn late(instance: &Instance, tolerance: Tolerance) -> Option<Late> {
    let n_tasks: f64 = instance.jobs.iter().map(|job| job.tasks).sum();
    let late = Late {
        tasks: n_tasks * tolerance.tasks.min(1.0),
        work: instance.work() * tolerance.work.min(1.0),
    };
    (late.tasks > 0.0 && late.work > 0.0).then_some(late)
}

/// Returns like jobs taken together, by their means, until they have no more than so many start times; `None` when they have
/// no more as they are.
///
/// What is found for these is a point to judge the true jobs by, never a bound by itself.
pub(super) fn gathered(instance: &Instance, step: f64, n_columns_max: usize) -> Option<Instance> {
    let mut gathered: Option<Instance> = None;
    let mut cell = step / 2.0;
    let mut class = 0.05;
    while program::n_columns(gathered.as_ref().unwrap_or(instance), step) > n_columns_max as f64 {
        let jobs = gather(&instance.jobs, cell, class);
        let shrunk = gathered.as_ref().is_none_or(|last| jobs.len() < last.jobs.len());
        gathered = Some(Instance {
            jobs,
            ..instance.clone()
        });
        if !shrunk {
            break;
        }
        cell *= 2.0;
        class *= 1.5;
    }
    gathered
}

/// Takes jobs together that can start within the same cells of time and run about equally long.
fn gather(jobs: &[Job], cell: f64, class: f64) -> Vec<Job> {
    let mut groups: BTreeMap<(i64, i64, i64), Job> = BTreeMap::new();
    for job in jobs {
        let key = (
            (job.earliest / cell) as i64,
            ((job.latest - job.earliest) / cell) as i64,
            (job.run.ln() / class).floor() as i64,
        );
        let sum = groups.entry(key).or_insert(Job {
            earliest: 0.0,
            latest: 0.0,
            run: 0.0,
            weight: 0.0,
            tasks: 0.0,
        });
        sum.earliest += job.earliest * job.weight;
        sum.latest += job.latest * job.weight;
        sum.run += job.run * job.weight;
        sum.weight += job.weight;
        sum.tasks += job.tasks;
    }
    let mean = |sum: Job| Job {
        earliest: sum.earliest / sum.weight,
        latest: sum.latest / sum.weight,
        run: sum.run / sum.weight,
        ..sum
    };
    groups.into_values().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::bound::STOP;
    use crate::sim::bound::interior::solve;
    use crate::sim::bound::program::Program;

    #[test]
    fn a_point_found_for_like_jobs_taken_together_bounds_the_jobs_themselves() {
        let job = |number: u32| {
            let run = 300.0 + f64::from(number * number % 97) * 40.0;
            let earliest = f64::from(number * 61 % 20_000);
            Job {
                earliest,
                latest: earliest + run.max(900.0),
                run,
                weight: 0.25,
                tasks: 1.0,
            }
        };
        let windows = (0..6).map(|n| Window {
            from: f64::from(n) * 5000.0,
            until: f64::from(n) * 5000.0 + 2500.0,
        });
        let instance = Instance {
            jobs: (0..400).map(job).collect(),
            windows: windows.collect(),
            boot: 240.0,
            prices: [1.0, 0.2],
            initial: [0.0; 2],
            late: None,
            whenever: Vec::new(),
        };
        assert_eq!(gathered(&instance, 900.0, 1_000_000), None);
        let together = gathered(&instance, 900.0, 3000).unwrap();
        assert!(together.jobs.len() < 250 && (together.work() / instance.work() - 1.0).abs() < 1e-9);
        let exact = solve(&Program::new(&instance, 900.0), STOP);
        let program = Program::new(&together, 900.0);
        let value = program.value_for(&instance, &solve(&program, STOP).point);
        let optimum = exact.value * (1.0 + exact.gap);
        assert!(
            value <= optimum && value >= 0.98 * optimum,
            "{value} is no bound near {optimum}"
        );
    }
}
