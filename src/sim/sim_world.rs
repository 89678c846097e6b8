//! The simulated pool as a world: the engine asks, waits and orders here exactly as it does at a real account.

use std::fmt;

use super::cluster::{Census, Cluster, Command, NodeState};
use super::fold::Fold;
use super::followed::TurnKeeper;
use crate::account::{
    AllocationState, Etag, Lease, NodeCounts, Order, OwnFormula, PoolId, PoolState, Receipt, Refusal,
    RefusalKind,
};
use crate::base::{Nodes, Timestamp};
use crate::engine::{AccountView, Entry, Observation, ObserveError, Question, RecordError, SignalAsk, World};
use crate::policy::Counts;
use crate::signal::{Found, Reading, as_number};

/// Keeps the entries that a simulated engine writes down.
pub type Keep<'a> = dyn FnMut(&Entry<'_>) -> Result<(), RecordError> + 'a;

/// Is told by how many thousandths of the whole a run has moved on.
pub type OnProgress<'a> = dyn Fn(u64) + Sync + 'a;

/// Thousandths in a whole run.
pub const PROGRESS_STEPS: u64 = 1000;

/// A world with one simulated pool in it.
pub struct SimWorld<'a> {
    cluster: Cluster,
    pool: PoolId,
    etag: Etag,
    start: Timestamp,
    end: Timestamp,
    fold: Fold,
    keep: Option<&'a mut Keep<'a>>,
    turns: Option<TurnKeeper>,
    on_progress: &'a OnProgress<'a>,
    steps_told: u64,
    dates_by_sight: bool,
    /// The formula that the pool follows: none but one of ours can be given to it.
    lease: Option<Lease>,
    /// How often it was given one, which changes its version.
    n_leases: u64,
}

impl<'a> SimWorld<'a> {
    /// Returns a world that ends at a moment.
    pub fn new(cluster: Cluster, pool: PoolId, end: Timestamp, on_progress: &'a OnProgress<'a>) -> Self {
        Self {
            etag: etag(cluster.version(), 0),
            start: cluster.now(),
            cluster,
            pool,
            end,
            fold: Fold::default(),
            keep: None,
            turns: None,
            on_progress,
            steps_told: 0,
            dates_by_sight: false,
            lease: None,
            n_leases: 0,
        }
    }

    /// Keeps the entries of the engine as well as counting them.
    #[must_use]
    pub fn keeping(mut self, keep: &'a mut Keep<'a>) -> Self {
        self.keep = Some(keep);
        self
    }

    /// Keeps the decisions that change something as well.
    #[must_use]
    pub(super) fn telling_turns(mut self, turns: TurnKeeper) -> Self {
        self.turns = Some(turns);
        self
    }

    pub(super) fn take_turns(&mut self) -> Option<TurnKeeper> {
        self.turns.take()
    }

    /// Dates samples by when they become visible, so that windows end at the newest one.
    ///
    /// The service's own windows do: a recorded run has all six samples of 180 seconds (`doAzureParallel#215`), which it could
    /// not have if samples that come a minute late counted by the clock. By the clock the documented formula, which wants 70 %
    /// of three minutes, would never see more than four of six.
    #[must_use]
    pub(super) const fn dating_by_sight(mut self) -> Self {
        self.dates_by_sight = true;
        self
    }

    /// Lets the pool run to the end, whoever has ordered what, and returns it with what the engine did.
    pub fn finish(mut self) -> (Cluster, Fold) {
        self.pass_time(self.end);
        (self.cluster, self.fold)
    }

    /// Returns the pool itself.
    pub const fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// Counts a decision that no engine took.
    pub(super) const fn looked(&mut self, target: Nodes) {
        self.fold.looked(target);
    }

    fn pass_time(&mut self, to: Timestamp) {
        self.cluster.advance(to);
        let passed = to.since(self.start) / self.end.since(self.start);
        let steps = (passed * PROGRESS_STEPS as f64) as u64;
        if steps > self.steps_told {
            (self.on_progress)(steps - self.steps_told);
            self.steps_told = steps;
        }
    }

    fn state(&self) -> PoolState {
        let census = self.cluster.census();
        PoolState {
            allocation: self.cluster.allocation(),
            target: self.cluster.target(),
            current: census.mix(),
            nodes: counts(census),
            cordoned: census.cordoned(),
            task_slots_per_node: self.cluster.setup().task_slots_per_node,
            option: self.cluster.option(),
            auto_scale: self.lease.is_some(),
            formula: self.lease.clone().map(OwnFormula::Lease),
            etag: Some(self.etag.clone()),
            resize_errors: self.cluster.resize_errors().to_vec(),
            ..PoolState::new(self.pool.clone())
        }
    }

    /// Returns what a signal would have said. A message becomes a task at once, for the log knows tasks alone: one that is gone
    /// when its task is there was never seen, one that stays until its task has ended is there for as long.
    fn reading(&self, ask: &SignalAsk, now: Timestamp) -> Option<Reading> {
        let messages = match ask.counts {
            Counts::Messages { stay: false, .. } => 0.0,
            Counts::Messages {
                tasks_per_message, ..
            } if tasks_per_message <= 0.0 => 0.0,
            Counts::Messages {
                tasks_per_message, ..
            } => as_number(self.cluster.unfinished().count()) / tasks_per_message,
            Counts::Measure => return None,
        };
        Some(Reading {
            signal: ask.query.for_pool(self.pool.as_str()).id(),
            taken: now,
            found: Found::Value(messages),
        })
    }

    fn carry_out(&mut self, order: &Order) -> Result<(), Refusal> {
        let refusal = |kind, message: String| Err(Refusal { kind, message });
        if order.pool != self.pool {
            return refusal(
                RefusalKind::Missing,
                format!("there is no pool `{}` here", order.pool),
            );
        }
        if order.etag.as_ref().is_some_and(|etag| *etag != self.etag) {
            return refusal(
                RefusalKind::Changed,
                "The condition specified in the ETag was not met".to_owned(),
            );
        }
        self.follow(order)?;
        self.etag = etag(self.cluster.version(), self.n_leases);
        Ok(())
    }
}

impl SimWorld<'_> {
    /// Follows an order. A formula that carries a target is looked at when it comes, as the service does, and is one command then.
    fn follow(&mut self, order: &Order) -> Result<(), Refusal> {
        if self.lease.is_some() && !order.release && order.lease.is_none() {
            return Err(Refusal {
                kind: RefusalKind::Invalid,
                message: "The pool follows an autoscale formula".to_owned(),
            });
        }
        let is_steady = self.cluster.allocation() == AllocationState::Steady;
        let renews = order.lease.is_some() && order.target == self.cluster.target() && is_steady;
        if !(renews && order.replace.is_none()) {
            self.cluster.obey(&Command {
                target: order.target,
                option: order.option,
                removal: order.removal,
                cordon: order.cordon,
                retake: order.retake,
                replace: order.replace,
            })?;
        }
        self.n_leases += u64::from(order.lease.is_some() || order.release);
        self.lease = order.lease.as_ref().map(|order| order.lease.clone());
        Ok(())
    }
}

impl World for SimWorld<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        let at = at.max(self.cluster.now());
        if at > self.end {
            return None;
        }
        self.pass_time(at);
        Some(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        if question.account {
            // The one pool is all that there is, and the limits of the simulation are its own.
            into.account = Some(AccountView::default());
        }
        if question.asks(&self.pool) {
            let work = question.work.then(|| {
                let mut work = into.spare_work();
                self.cluster.tell_work(&mut work);
                work
            });
            let asks = question.signals.iter().filter(|ask| ask.speaks_of(&self.pool));
            let readings: Vec<Reading> = asks.filter_map(|ask| self.reading(ask, question.now)).collect();
            let view = into.push(self.state());
            view.readings = readings;
            view.work = work;
            self.cluster.tell_samples(question.metrics, &mut view.samples);
            if self.dates_by_sight {
                let delay = self.cluster.sample_delay();
                view.samples.iter_mut().for_each(|sample| sample.taken += delay);
            }
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Some(keep) = &mut self.keep {
            keep(entry)?;
        }
        if let Some(turns) = &mut self.turns {
            turns.see(entry);
        }
        self.fold.count(entry);
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.carry_out(order)
            .map_or_else(Receipt::Refused, |()| Receipt::Accepted)
    }
}

impl fmt::Debug for SimWorld<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimWorld")
            .field("pool", &self.pool)
            .field("now", &self.cluster.now())
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

fn etag(version: u64, n_leases: u64) -> Etag {
    Etag(format!("0x{:X}", version.wrapping_add(n_leases << 32)).into())
}

fn counts(census: &Census) -> NodeCounts {
    let offline = census.cordoned_idle();
    NodeCounts {
        usable: census.usable(),
        idle: census.of(NodeState::Idle).saturating_sub(offline),
        running: census.of(NodeState::Running) + census.of(NodeState::Draining),
        starting: census.of(NodeState::Starting),
        preempted: census.of(NodeState::Preempted),
        unusable: offline + census.of(NodeState::Unusable),
    }
}
