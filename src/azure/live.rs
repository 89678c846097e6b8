//! The live account as a world: the engine asks, waits and orders here exactly as it does in a simulation.
//!
//! Requests run side by side on a runtime, and the engine gets plain answers. Between two looks the world samples on the
//! 30-second grid, when the latest question named metrics. Entries are kept by [`crate::world::Kept`] around it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::{Handle, Runtime};
use tokio::sync::Notify;

use super::acting::{self, Acting};
use super::cadence::Jobs;
use super::clock::to_duration;
use super::jobs::Counts;
use super::look::{Seen, Wanted, key, look};
use super::pools::Pool;
use super::roster::Roster;
use super::{Client, Fault, sampling, standing, telling};
use crate::account::{NodeDeallocationOption, Order, PoolId, PoolState, Receipt};
use crate::base::{Span, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, Turn, World};
use crate::signal::{Metric, Sample};

/// A world that is a Batch account.
#[derive(Debug)]
pub struct Live {
    client: Client,
    runtime: Runs,
    stop: Stop,
    /// The rounds so far, looks and samples alike.
    round: u64,
    jobs: Jobs,
    /// Jobs that were found to be over while samples were taken, and whose last tasks are untold.
    over: Jobs,
    pools: HashMap<String, PoolMemory>,
    /// What the latest question was about, and what is sampled beside.
    turns: Vec<Turn>,
    metrics: Vec<Metric>,
    /// The instant of the grid that was sampled last.
    sampled: Timestamp,
}

/// What is remembered of a pool between looks.
#[derive(Debug, Default)]
pub(super) struct PoolMemory {
    /// The pool as it was last seen whole.
    state: Option<PoolState>,
    pub(super) roster: Roster,
    /// What the latest order of ours does to running tasks.
    option: NodeDeallocationOption,
    /// Samples that nobody has been told.
    untold: Vec<Sample>,
}

/// What requests run on.
#[derive(Clone, Debug)]
pub enum Runs {
    /// A runtime that runs by itself (multi-threaded).
    Elsewhere(Handle),
    /// A runtime of this thread, which runs while an answer is awaited.
    Here(Arc<Runtime>),
}

impl Runs {
    fn block_on<F: Future>(&self, what: F) -> F::Output {
        match self {
            Self::Elsewhere(runtime) => runtime.block_on(what),
            Self::Here(runtime) => runtime.block_on(what),
        }
    }
}

impl From<Handle> for Runs {
    fn from(runtime: Handle) -> Self {
        Self::Elsewhere(runtime)
    }
}

/// Ends a live world from outside; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(AtomicBool, Notify)>);

/// Samples of one pool that wait to be told, for an hour of all metrics; older ones are let go.
const UNTOLD_MAX: usize = 120 * 8;

impl Stop {
    /// Ends the world: its next or present wait is its last.
    pub fn stop(&self) {
        self.0.0.store(true, Ordering::SeqCst);
        self.0.1.notify_waiters();
    }

    /// Lets a world that was ended wait again; says whether it was.
    pub fn go_on(&self) -> bool {
        self.0.0.swap(false, Ordering::SeqCst)
    }

    fn is_stopped(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }
}

impl Live {
    /// Returns an account as a world, which is used outside of the runtime.
    pub fn new(client: Client, runtime: impl Into<Runs>) -> Self {
        Self {
            client,
            runtime: runtime.into(),
            stop: Stop::default(),
            round: 0,
            jobs: Jobs::new(),
            over: Jobs::new(),
            pools: HashMap::new(),
            turns: Vec::new(),
            metrics: Vec::new(),
            sampled: Timestamp::from_ticks(i64::MIN),
        }
    }

    /// Returns what ends this world from outside.
    pub fn stopper(&self) -> Stop {
        self.stop.clone()
    }

    /// Returns the client that it looks through.
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Waits for a while, or until it is stopped.
    fn pause(&self, pause: Duration) {
        let (clock, stop) = (self.client.clock().clone(), self.stop.clone());
        self.runtime.block_on(async move {
            let stopped = stop.0.1.notified();
            tokio::pin!(stopped);
            // Listening has begun before the flag is read, so that no stop falls between.
            stopped.as_mut().enable();
            if !stop.is_stopped() {
                tokio::select! {
                    () = clock.sleep(pause) => {}
                    () = stopped => {}
                }
            }
        });
    }

    fn look(&mut self, work: bool) -> Result<Seen, Fault> {
        self.round += 1;
        let wanted = Wanted {
            turns: &self.turns,
            samples: !self.metrics.is_empty(),
            tasks: self.metrics.iter().copied().any(sampling::counts_tasks),
            work,
            round: self.round,
        };
        self.runtime
            .block_on(look(&self.client, wanted, &mut self.jobs, &mut self.over))
    }

    /// Takes samples of a grid instant; one that fails is a gap.
    fn sample(&mut self) {
        let taken = sampling::on_the_grid(self.client.clock().now());
        let Ok(mut seen) = self.look(false) else { return };
        self.over = std::mem::take(&mut seen.over);
        self.sampled = taken;
        for pool in &seen.pools {
            let Ok(id) = pool.id.parse::<PoolId>() else {
                continue;
            };
            if let Ok(state) = self.stand(id, pool, &seen) {
                self.keep_samples(&state, taken);
            }
        }
    }

    fn keep_samples(&mut self, state: &PoolState, taken: Timestamp) {
        let key = key(state.id.as_str());
        let tasks = self.tasks_of(&key);
        let memory = self.pools.entry(key).or_default();
        sampling::add_samples(&self.metrics, taken, state, tasks, &mut memory.untold);
        let n_over = memory.untold.len().saturating_sub(UNTOLD_MAX);
        memory.untold.drain(..n_over);
    }

    fn tasks_of(&self, pool: &str) -> Counts {
        let of_pool = self.jobs.values().filter(|job| job.pool == pool);
        of_pool.fold(Counts::default(), |sum, job| {
            let counts = job.counts.task_counts;
            Counts {
                active: sum.active.saturating_add(counts.active),
                running: sum.running.saturating_add(counts.running),
                ..sum
            }
        })
    }

    /// Returns a pool as it stands, or the fault that hides it.
    fn stand(&self, id: PoolId, pool: &Pool, seen: &Seen) -> Result<PoolState, Fault> {
        let key = key(&pool.id);
        if let Some(fault) = seen.fault.as_ref().or(seen.faults.get(&key)) {
            return Err(fault.clone());
        }
        let option = self
            .pools
            .get(&key)
            .map_or_else(Default::default, |memory| memory.option);
        let mut state = standing::pool_state(id, pool, option);
        match (seen.nodes.get(&key), seen.counts.get(&key)) {
            (Some(nodes), _) => standing::add_nodes(&mut state, nodes),
            (None, Some(counts)) => standing::add_counts(&mut state, counts),
            // A pool that was made a moment ago is not counted yet; one with nodes must be.
            (None, None) if state.current.total().0 == 0 => {}
            (None, None) => {
                return Err(Fault::Unreadable {
                    request: "GET /nodecounts".to_owned(),
                    why: format!("it says nothing of pool {}", pool.id),
                });
            }
        }
        Ok(state)
    }

    fn tell(&mut self, question: &Question<'_>, mut seen: Seen, into: &mut Observation) {
        let taken = sampling::on_the_grid(question.now);
        if self.sampled > taken + Span::SAMPLE_PERIOD {
            // The clock was set back: what it told before is no reason to take no samples now.
            self.sampled = Timestamp::from_ticks(i64::MIN);
        }
        let samples_now = taken > self.sampled;
        self.sampled = self.sampled.max(taken);
        for pool in std::mem::take(&mut seen.pools) {
            let Ok(id) = pool.id.parse::<PoolId>() else {
                continue;
            };
            let key = key(&pool.id);
            if !seen.asked.contains(&key) {
                self.pass(id, &pool, &seen, samples_now.then_some(taken));
                seen.others.push(pool);
                continue;
            }
            match self.stand(id.clone(), &pool, &seen) {
                Err(fault) => {
                    // The last tasks of its jobs are told when it is seen again.
                    let untold = seen
                        .over
                        .iter()
                        .filter(|(_, job)| question.work && job.pool == key);
                    self.over
                        .extend(untold.map(|(id, job)| (id.clone(), job.clone())));
                    let known = standing::pool_state(id, &pool, NodeDeallocationOption::default());
                    self.tell_hidden(known, &fault, into);
                }
                Ok(state) => {
                    if samples_now {
                        self.keep_samples(&state, taken);
                    }
                    let work = question.work.then(|| {
                        let mut work = into.spare_work();
                        work.clear();
                        let memory = self.pools.entry(key.clone()).or_default();
                        telling::tell(
                            question.now,
                            &state,
                            &key,
                            &mut self.jobs,
                            memory,
                            &mut seen,
                            &mut work,
                        );
                        work
                    });
                    let memory = self.pools.entry(key).or_default();
                    memory.state = Some(state.clone());
                    let view = into.push(state);
                    view.work = work;
                    view.samples.append(&mut memory.untold);
                }
            }
        }
        if question.account {
            into.account = Some(telling::account(&seen));
        }
        for unread in seen.unread {
            let id = unread.id.as_deref().and_then(|id| id.parse::<PoolId>().ok());
            let Some(id) = id.filter(|id| question.asks(id)) else {
                continue;
            };
            let fault = Fault::Unreadable {
                request: format!("GET /pools ({id})"),
                why: unread.why,
            };
            self.tell_hidden(PoolState::new(id), &fault, into);
        }
    }

    /// Passes a pool whose turn it is not: it is sampled, and the last tasks of its jobs are told when it is looked at.
    fn pass(&mut self, id: PoolId, pool: &Pool, seen: &Seen, taken: Option<Timestamp>) {
        let key = key(&pool.id);
        let untold = seen.over.iter().filter(|(_, job)| job.pool == key);
        self.over
            .extend(untold.map(|(id, job)| (id.clone(), job.clone())));
        if let Some(taken) = taken
            && let Ok(state) = self.stand(id, pool, seen)
        {
            self.keep_samples(&state, taken);
        }
    }

    /// Tells a pool that could not be seen whole, as it was last seen; one that was never seen is told as far as it is known.
    fn tell_hidden(&self, known: PoolState, fault: &Fault, into: &mut Observation) {
        let last = self
            .pools
            .get(&key(known.id.as_str()))
            .and_then(|memory| memory.state.clone());
        let view = into.push(last.unwrap_or(known));
        view.fault = Some(fault.to_observe_error());
    }
}

impl World for Live {
    /// Waits by time that passes: a clock that is set back prolongs nothing, and what is told then is the moment that was waited for.
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        let clock = self.client.clock().clone();
        let began = clock.now();
        let end = clock.passed()
            + if began < at {
                to_duration(at - began)
            } else {
                Duration::ZERO
            };
        loop {
            let now = clock.now();
            if self.stop.is_stopped() {
                return None;
            }
            let left = end.saturating_sub(clock.passed());
            if now >= at || left.is_zero() {
                return Some(now.max(at));
            }
            let on_the_grid = sampling::next_on_the_grid(now);
            // The look itself samples the instant of the grid before it.
            let samples = !self.metrics.is_empty() && on_the_grid < sampling::on_the_grid(at);
            let pause = if samples { on_the_grid - now } else { at - now };
            self.pause(to_duration(pause.max(Span::from_ticks(1))).min(left));
            if samples && clock.now() >= on_the_grid && !self.stop.is_stopped() {
                self.sample();
            }
        }
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.turns.clear();
        self.turns.extend_from_slice(question.turns);
        // Those that no policy speaks of come behind.
        self.turns.extend(question.pools.iter().map(|pools| Turn {
            pools: pools.clone(),
            due: true,
        }));
        self.metrics.clear();
        self.metrics.extend_from_slice(question.metrics);
        let seen = self
            .look(question.work)
            .map_err(|fault| fault.to_observe_error())?;
        self.tell(question, seen, into);
        Ok(())
    }

    /// Keeps nothing itself.
    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let memory = self.pools.entry(key(order.pool.as_str())).or_default();
        let acting = Acting {
            client: &self.client,
            order,
            seen: memory.state.as_ref(),
        };
        match self.runtime.block_on(acting::carry_out(&acting)) {
            Ok(()) => {
                memory.option = order.option;
                Receipt::Accepted
            }
            Err(refusal) => Receipt::Refused(refusal),
        }
    }
}
