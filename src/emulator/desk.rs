//! A Batch account on the desk: pools, nodes, jobs, tasks and the pools' own formulas, as events in one calendar.
//!
//! It is synchronous and reads no clock: [`Desk::advance`] lets everything happen up to a moment, [`Desk::answer`] carries
//! out one request at that moment. The same setup, requests and moments give the same answers. What nothing happens to
//! costs nothing: a request looks at the next event and at what it asks for.

mod autoscale;
mod body;
mod chance;
mod job;
mod job_requests;
mod life;
mod market;
mod node;
mod node_requests;
mod opening;
mod pool;
mod pool_making;
mod pool_requests;
mod refs;
mod refuse;
mod resize;
mod route;
mod samples;
mod schedule;
mod setup;
mod state;
mod task;
mod task_requests;
mod views;
mod work;

use std::collections::{BTreeMap, BTreeSet};

pub use setup::{Account, ForeignResize, Setup, Spread, Submission, Timing, Trouble, TroubleKind};
pub use state::StateError;
pub use work::{Command, CommandEnd, RunId};

use crate::account::PoolId;
use crate::base::{Lane, Timestamp};
use crate::sim::cluster::Calendar;
use chance::Chance;
use job::Job;
use market::Market;
use node::Node;
use pool::Pool;
use refs::{Event, NodeRef, TaskRef};

/// A local Batch account.
#[derive(Debug)]
pub struct Desk {
    setup: Setup,
    now: Timestamp,
    agenda: Calendar<Event>,
    chance: Chance,
    market: Market,
    pools: BTreeMap<u32, Pool>,
    /// Numbers of pools by lower-case id.
    pool_names: BTreeMap<String, u32>,
    jobs: BTreeMap<u32, Job>,
    /// Numbers of jobs by lower-case id.
    job_names: BTreeMap<String, u32>,
    next_number: u32,
    next_submitted: usize,
    /// Pools that something happened to since they were last looked over.
    stirred: BTreeSet<u32>,
    commands: Commands,
    n_changes: u64,
}

/// Real commands of tasks that are to be started and stopped; see [`Desk::take_commands`].
#[derive(Debug, Default)]
struct Commands {
    started: Vec<(TaskRef, u32)>,
    stopped: Vec<(TaskRef, u32)>,
}

impl Desk {
    /// Opens an empty account.
    pub fn new(setup: Setup) -> Self {
        let now = setup.start.whole_milliseconds();
        let market = Market::new(&setup.spot, now, setup.seed, now);
        let mut desk = Self {
            chance: Chance::new(setup.seed),
            now,
            agenda: Calendar::default(),
            market,
            pools: BTreeMap::new(),
            pool_names: BTreeMap::new(),
            jobs: BTreeMap::new(),
            job_names: BTreeMap::new(),
            next_number: 1,
            next_submitted: 0,
            stirred: BTreeSet::new(),
            commands: Commands::default(),
            n_changes: 0,
            setup,
        };
        desk.note_turns();
        desk.note_scenario();
        desk
    }

    /// Notes what a scenario lets happen by itself.
    fn note_scenario(&mut self) {
        self.note_submission();
        for (number, foreign) in (0..).zip(&self.setup.foreign) {
            self.agenda.note(foreign.at, Event::Foreign { number });
        }
    }

    /// Returns the time in the account.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Returns what the account was made of.
    pub const fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Returns a number that grows with everything that happens.
    pub const fn n_changes(&self) -> u64 {
        self.n_changes
    }

    /// Returns the cores of a lane that nodes hold in all pools.
    pub fn cores_held(&self, lane: Lane) -> u32 {
        let held: u64 = self.pools.values().map(|pool| pool.cores_held(lane)).sum();
        u32::try_from(held).unwrap_or(u32::MAX)
    }

    fn pool_named(&mut self, pool: &PoolId) -> Option<&mut Pool> {
        let number = self.pool_names.get(&pool.as_str().to_ascii_lowercase())?;
        self.pools.get_mut(number)
    }

    /// Returns how many tasks of a pool's jobs run, or wait and would find room on one of its nodes, and how many wait that would
    /// not; nothing when there is no such pool.
    pub fn unfinished(&self, pool: &PoolId) -> Option<(u64, u64)> {
        let number = self.pool_names.get(&pool.as_str().to_ascii_lowercase())?;
        let pool = self.pools.get(number)?;
        let jobs = pool.jobs.iter().filter_map(|(_, job)| self.jobs.get(job));
        // What fits no node never waits for room, and is active all the same.
        let waiting: u64 = jobs.map(|job| job.waiting.len() as u64).sum();
        Some((
            waiting + u64::from(pool.tasks.running),
            u64::from(pool.tasks.active).saturating_sub(waiting),
        ))
    }

    /// Returns how many milliseconds nodes of each lane of a pool were there that are paid for, added up, and how often one came,
    /// went, was taken away or came back; nothing when there is no such pool.
    pub fn paid_milliseconds(&mut self, pool: &PoolId) -> Option<([u64; 2], u64)> {
        let now = self.now;
        let pool = self.pool_named(pool)?;
        pool.add_hours(now);
        Some((pool.hours.milliseconds, pool.hours.n_turns))
    }

    /// Says whether real commands are to be started or stopped.
    pub const fn has_commands(&self) -> bool {
        !self.commands.started.is_empty() || !self.commands.stopped.is_empty()
    }

    /// Lets everything happen up to and including a moment, in whole milliseconds; a moment that has passed changes nothing.
    pub fn advance(&mut self, to: Timestamp) {
        let to = to.whole_milliseconds();
        while let Some(at) = self.agenda.next_at().filter(|at| *at <= to) {
            self.now = self.now.max(at);
            let event = self.agenda.pop().expect("an event was seen");
            self.happen(event);
            self.calm();
        }
        self.now = self.now.max(to);
    }

    fn happen(&mut self, event: Event) {
        self.n_changes += 1;
        match event {
            Event::Turned { unit } => self.turn(unit),
            Event::Retried => self.retry(),
            Event::Granted { pool, resize, lane } => self.grant(pool, resize, lane),
            Event::TimedOut { pool, resize } => self.time_out(pool, resize),
            Event::Stopped { pool, resize } => self.stopped(pool, resize),
            Event::Node { node, life, step } => self.take_step(node, life, step),
            Event::Evicted { node, machine } => self.evict(node, machine),
            Event::Broken { node, machine } => self.break_down(node, machine),
            Event::Ended { task, run } => self.run_over(task, run),
            Event::Evaluated { pool, version } => self.evaluate(pool, version),
            Event::PoolGone { pool } => self.pool_is_gone(pool),
            Event::JobTurned { job, version } => self.job_turned(job, version),
            Event::Submitted => self.submit_next(),
            Event::Foreign { number } => self.foreign_resize(number),
        }
    }

    /// Looks over the pools that something happened to: starts what can run, and notes what samples show.
    fn calm(&mut self) {
        while let Some(number) = self.stirred.pop_first() {
            self.dispatch(number);
            self.stirred.remove(&number);
            let now = self.now;
            if let Some(pool) = self.pools.get_mut(&number) {
                pool.note_samples(now);
            }
        }
    }

    fn pool(&self, number: u32) -> &Pool {
        &self.pools[&number]
    }

    /// Returns a pool to be changed; it is looked over afterwards.
    fn pool_mut(&mut self, number: u32) -> &mut Pool {
        self.stirred.insert(number);
        self.pools.get_mut(&number).expect("the pool is there")
    }

    fn stir(&mut self, pool: u32) {
        self.stirred.insert(pool);
    }

    fn node(&self, node: NodeRef) -> &Node {
        &self.pool(node.pool).nodes[node.index as usize]
    }

    fn job_mut(&mut self, number: u32) -> &mut Job {
        self.jobs.get_mut(&number).expect("the job is there")
    }

    /// Returns a number that nothing had before.
    fn number(&mut self) -> u32 {
        self.next_number += 1;
        self.next_number - 1
    }
}
