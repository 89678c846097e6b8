//! Which jobs are asked for their task counts in a round: those with work every time, quiet ones now and then.
//!
//! One call a job is what a look at a large account costs. A job in which nothing waits or runs may get tasks at any time, so
//! it is looked at again after a few rounds; jobs that are new are looked at at once.

use std::collections::BTreeMap;

use super::jobs::{Job, TaskCounts};
use super::taskbook::Taskbook;

/// What is remembered of a job between rounds.
#[derive(Clone, Debug)]
pub(super) struct JobMemory {
    /// The pool that it runs on, in lower case.
    pub(super) pool: String,
    /// Jobs of a higher one get nodes first.
    pub(super) priority: i32,
    /// Its tasks when it was last asked.
    pub(super) counts: TaskCounts,
    /// Where it stands among the quiet ones, so that not all of them are asked in one round.
    phase: u64,
    asked: bool,
    /// The completed tasks at the last time that ended tasks were listed.
    pub(super) completed_told: Option<u32>,
    /// Its tasks one by one, where they are asked for.
    pub(super) book: Option<Taskbook>,
}

/// The jobs of an account by id.
pub(super) type Jobs = BTreeMap<String, JobMemory>;

/// Quiet jobs are asked in one round of so many: at looks a minute apart, a first task waits five minutes at the worst, which
/// is the shortest interval of the service's own formulas.
pub(super) const QUIET_ROUNDS: u64 = 5;

impl JobMemory {
    /// Says whether it is asked in a round.
    pub(super) fn is_due(&self, round: u64) -> bool {
        let counts = self.counts.task_counts;
        !self.asked
            || counts.active > 0
            || counts.running > 0
            || (round + self.phase).is_multiple_of(QUIET_ROUNDS)
    }

    /// Takes in what it was answered.
    pub(super) fn answered(&mut self, counts: TaskCounts) {
        self.counts = counts;
        self.asked = true;
    }
}

/// Takes in the list of active jobs, as far as their pools are wanted; returns those that are active no longer.
pub(super) fn see(jobs: &mut Jobs, active: &[Job], wanted: impl Fn(&str) -> bool) -> Jobs {
    let mut before = std::mem::take(jobs);
    for job in active {
        let Some(pool) = job
            .pool()
            .map(str::to_ascii_lowercase)
            .filter(|pool| wanted(pool))
        else {
            continue;
        };
        let mut memory = before.remove(&job.id).unwrap_or_else(|| JobMemory {
            pool: pool.clone(),
            priority: 0,
            counts: TaskCounts::default(),
            phase: phase(&job.id),
            asked: false,
            completed_told: None,
            book: None,
        });
        memory.pool = pool;
        memory.priority = job.priority.unwrap_or(0);
        jobs.insert(job.id.clone(), memory);
    }
    before
}

/// Spreads ids evenly (FNV-1a), the same on every machine.
fn phase(id: &str) -> u64 {
    id.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    }) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::azure::jobs::{Counts, PoolInfo};

    fn job(id: &str, pool: &str) -> Job {
        Job {
            id: id.to_owned(),
            pool_info: PoolInfo {
                pool_id: Some(pool.to_owned()),
            },
            ..Job::default()
        }
    }

    #[test]
    fn quiet_jobs_are_asked_in_turn_and_busy_ones_always() {
        let mut jobs = Jobs::new();
        let active: Vec<_> = (0..100)
            .map(|number| job(&format!("job-{number}"), "P"))
            .collect();
        see(&mut jobs, &active, |pool| pool == "p");
        assert!(
            jobs.values().all(|job| job.is_due(1)),
            "new ones are asked at once"
        );
        for job in jobs.values_mut() {
            job.answered(TaskCounts::default());
        }
        let due: Vec<_> = (0..QUIET_ROUNDS)
            .map(|round| jobs.values().filter(|job| job.is_due(round)).count())
            .collect();
        assert_eq!(due.iter().sum::<usize>(), 100, "{due:?}");
        assert!(due.iter().all(|count| (5..45).contains(count)), "{due:?}");
        let busy = TaskCounts {
            task_counts: Counts {
                active: 1,
                ..Counts::default()
            },
            ..TaskCounts::default()
        };
        for job in jobs.values_mut() {
            job.answered(busy);
        }
        assert!((0..QUIET_ROUNDS).all(|round| jobs.values().all(|job| job.is_due(round))));
    }

    #[test]
    fn jobs_that_are_over_or_elsewhere_are_let_go() {
        let mut jobs = Jobs::new();
        see(
            &mut jobs,
            &[job("a", "p"), job("b", "P"), job("c", "other")],
            |pool| pool == "p",
        );
        assert_eq!(jobs.keys().collect::<Vec<_>>(), ["a", "b"]);
        let gone = see(&mut jobs, &[job("b", "p")], |pool| pool == "p");
        assert_eq!(gone.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(jobs.keys().collect::<Vec<_>>(), ["b"]);
    }
}
