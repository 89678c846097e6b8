//! The account as a state file: everything that a restart needs, as one JSON object.
//!
//! The file has `format` 1. What follows from the rest (names, counts, open nodes, which units of the spot market are up)
//! is found again and not kept. Times are kept to the millisecond, the finest that anything happens at.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Desk;
use super::chance::Chance;
use super::job::Job;
use super::market::Market;
use super::pool::Pool;
use super::refs::{Event, TaskRef};
use super::setup::Setup;
use super::task::{Course, TaskState};
use crate::base::Timestamp;
use crate::sim::cluster::Calendar;

/// The format that is written, and the only one that is read.
const FORMAT: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Written<'a> {
    format: u32,
    opened: Timestamp,
    now: Timestamp,
    chance: &'a Chance,
    agenda: &'a Calendar<Event>,
    pools: Vec<&'a Pool>,
    jobs: Vec<&'a Job>,
    next_number: u32,
    next_submitted: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Read {
    opened: Timestamp,
    now: Timestamp,
    chance: Chance,
    agenda: Calendar<Event>,
    pools: Vec<Pool>,
    jobs: Vec<Job>,
    next_number: u32,
    next_submitted: usize,
}

#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Says why a state file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not what this program writes.
    #[error("the state cannot be read: {0}; move the file away to begin with an empty account")]
    Unreadable(#[from] serde_json::Error),
    /// It is of another version of this program.
    #[error(
        "the state has format {0}, and this program reads format {FORMAT}; use the program that wrote it"
    )]
    OtherFormat(u32),
    /// Its parts contradict each other.
    #[error("the state contradicts itself: {0}; move the file away to begin with an empty account")]
    Contradiction(String),
}

impl Desk {
    /// Returns the account as the text of a state file.
    pub fn state(&self) -> String {
        let written = Written {
            format: FORMAT,
            opened: self.setup.start,
            now: self.now,
            chance: &self.chance,
            agenda: &self.agenda,
            pools: self.pools.values().collect(),
            jobs: self.jobs.values().collect(),
            next_number: self.next_number,
            next_submitted: self.next_submitted,
        };
        serde_json::to_string(&written).expect("the state has text keys only")
    }

    /// Returns the account of a state file; `setup` is asked for what it is made of, by when it was opened.
    ///
    /// # Errors
    /// When the file is not whole, of another format, or contradicts itself.
    pub fn restore(text: &str, setup: impl FnOnce(Timestamp) -> Setup) -> Result<Self, StateError> {
        let Format { format } = serde_json::from_str(text)?;
        if format != FORMAT {
            return Err(StateError::OtherFormat(format));
        }
        let read: Read = serde_json::from_str(text)?;
        let setup = Setup {
            start: read.opened,
            ..setup(read.opened)
        };
        let mut desk = Self::new(setup);
        desk.now = read.now;
        desk.chance = read.chance;
        desk.next_number = read.next_number;
        desk.next_submitted = read.next_submitted;
        for pool in read.pools {
            desk.pool_names
                .insert(pool.id.as_str().to_ascii_lowercase(), pool.number);
            desk.pools.insert(pool.number, pool);
        }
        for job in read.jobs {
            desk.job_names.insert(job.id.to_ascii_lowercase(), job.number);
            desk.jobs.insert(job.number, job);
        }
        desk.check()?;
        desk.take_seats();
        desk.take_agenda(read.agenda);
        desk.requeue_commands();
        desk.calm();
        Ok(desk)
    }

    /// Finds counts again, and puts the spot machines on their units of the market as it is now.
    fn take_seats(&mut self) {
        self.market = Market::new(&self.setup.spot, self.setup.start, self.setup.seed, self.now);
        for pool in self.pools.values_mut() {
            for node in &mut pool.nodes {
                // Under another market than before, a machine is of no unit.
                node.unit = node.unit.filter(|unit| self.market.seat(*unit));
            }
            pool.recount();
        }
    }

    /// Takes over what was foreseen; the turns of the market are noted anew, for it may be another one.
    fn take_agenda(&mut self, mut agenda: Calendar<Event>) {
        self.agenda = Calendar::default();
        self.note_turns();
        while let Some(at) = agenda.next_at() {
            match agenda.pop() {
                Some(Event::Turned { .. }) | None => {}
                Some(event) => self.agenda.note(at, event),
            }
        }
    }

    /// Puts tasks back whose real commands ended with the program.
    fn requeue_commands(&mut self) {
        let under_way = self.jobs.values().flat_map(|job| {
            let tasks = job.tasks.iter();
            let commands =
                tasks.filter(|(_, task)| task.course == Course::Command && task.state == TaskState::Running);
            commands.map(|(task, _)| TaskRef {
                job: job.number,
                task: *task,
            })
        });
        for task in under_way.collect::<Vec<_>>() {
            self.requeue_by_user(task);
        }
        self.commands.stopped.clear();
    }

    /// Checks that whatever is referred to is there.
    fn check(&self) -> Result<(), StateError> {
        let wrong = |what: String| Err(StateError::Contradiction(what));
        if self.pool_names.len() != self.pools.len() || self.job_names.len() != self.jobs.len() {
            return wrong("two pools or jobs have one id".to_owned());
        }
        let mut seated: BTreeMap<TaskRef, (u32, u32)> = BTreeMap::new();
        for pool in self.pools.values() {
            for (index, node) in pool.present() {
                let held: u32 = node
                    .tasks
                    .iter()
                    .filter_map(|task| Some(self.jobs.get(&task.job)?.tasks.get(&task.task)?.slots))
                    .sum();
                if held + node.free != pool.slots_per_node {
                    return wrong(format!("the slots of node {} do not add up", node.id));
                }
                seated.extend(node.tasks.iter().map(|task| (*task, (pool.number, index))));
            }
            if pool.jobs.iter().any(|(_, job)| !self.jobs.contains_key(job)) {
                return wrong(format!("pool {} runs a job that is not there", pool.id));
            }
        }
        for job in self.jobs.values() {
            let pool = self.pool_of(job.number);
            for (number, task) in &job.tasks {
                let at = seated.get(&TaskRef {
                    job: job.number,
                    task: *number,
                });
                let place = task.node.as_ref().map(|(index, _)| *index);
                let runs = task.state == TaskState::Running;
                if runs != at.is_some() || (runs && at.copied() != pool.zip(place)) {
                    return wrong(format!("task {} of job {} is not where it runs", task.id, job.id));
                }
            }
            let listed = job.names.values().chain(&job.waiting).chain(&job.blocked);
            if job.names.len() != job.tasks.len()
                || listed.into_iter().any(|task| !job.tasks.contains_key(task))
            {
                return wrong(format!("job {} lists a task that is not there", job.id));
            }
        }
        Ok(())
    }
}
