//! The metrics: a fold over the entries of the ledger, so that a backtest and a sidecar draw the same dashboards.
//!
//! What the ledger does not tell (how long things took, how the process fares) is told beside it. The series of a pool go with
//! the pool: there are never more pools than policies speak of, and the values of every other label are words of the house.

mod account;
mod measures;
mod money;
mod pool;
mod series;
mod table;
mod work;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use prometheus::{Registry, TextEncoder};

pub use measures::{BudgetMeasure, Measures};
pub use table::{METRICS, MetricKind, MetricRow};

use account::Shared;
use money::{Paid, Spent};
use pool::Gauges;
use series::{Points, Series, Told};
use table::Family;
use work::Watched;

use super::health::{Health, Role};
use crate::account::{Order, PoolId, PoolState, Receipt, RefusalKind};
use crate::base::{Mix, Nodes, Timestamp};
use crate::decision::{Decision, GuardMemory, OurOrders, Stage};
use crate::engine::{Entry, PoolView};
use crate::policy::{Policies, Policy};
use crate::signal::Metric;
use crate::store::report::FormulaCourse;
use crate::world::policy_hash;

/// The metrics of an account.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    series: Series,
    policies: Policies,
    hashes: Vec<String>,
    pools: BTreeMap<PoolId, PoolFold>,
    shared: Shared,
    /// The series that are of no pool.
    told: Told,
    process: Told,
}

/// What is remembered of a pool from one decision to the next.
#[derive(Debug, Default)]
struct PoolFold {
    told: Told,
    paid: Option<Paid>,
    spent: Spent,
    seen: Option<(Timestamp, PoolState)>,
    /// The gauges of what was last seen; they stay while the pool cannot be read.
    standing: Points,
    guards: GuardMemory,
    watched: Watched,
    newest: BTreeMap<Metric, (Timestamp, f64)>,
    /// How long the tasks waited that were started latest, in seconds.
    waits: VecDeque<f64>,
    /// Since when the task waits that has waited longest.
    waits_since: Option<Timestamp>,
    /// Spot nodes that were taken away.
    evicted: Nodes,
    /// Whether the latest order that was taken added nodes.
    grew: Option<bool>,
    /// What was ordered by us, by which the engine tells what others did.
    ours: OurOrders,
    /// What the service's documented formula would have held.
    formula: Option<FormulaCourse>,
}

impl Metrics {
    /// Returns metrics in a registry of their own.
    ///
    /// # Errors
    /// Never, unless two rows of the table have one name.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let series = Series::register(&registry)?;
        series.set(Family::BuildInfo, &[env!("CARGO_PKG_VERSION")], 1.0);
        Ok(Self {
            registry,
            series,
            policies: Policies::default(),
            hashes: Vec::new(),
            pools: BTreeMap::new(),
            shared: Shared::default(),
            told: Told::default(),
            process: Told::default(),
        })
    }

    /// Takes in an entry of the ledger.
    pub fn take(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Started { policies, memory, .. } => {
                self.begin(policies);
                for (id, remembered) in memory.pools.iter().filter(|(_, pool)| !pool.gone) {
                    let fold = self.pools.entry(id.clone()).or_default();
                    fold.guards = remembered.guards.clone();
                    fold.ours = remembered.ours.clone();
                    let last_seen = || (remembered.seen_at, remembered.last_seen.clone());
                    fold.seen.get_or_insert_with(last_seen);
                }
            }
            Entry::Blind { .. } | Entry::Unmatched { .. } => {}
            Entry::Account { seen, .. } => self.shared.see(seen),
            Entry::Decided { decision, seen } => self.decided(decision, *seen),
            Entry::Settled { order, receipt } => self.settled(order, receipt),
        }
    }

    /// Takes in how long a look with its decisions and orders took.
    pub fn ticked(&mut self, took: Duration, at: Timestamp) {
        self.series.observe(Family::TickDuration, &[], took.as_secs_f64());
        let now = vec![((Family::LastTick, Vec::new()), at.unix_seconds())];
        self.process.set(&self.series, now);
    }

    /// Takes in how long an order took to be answered.
    pub fn applied(&self, took: Duration) {
        self.series
            .observe(Family::ApplyDuration, &[], took.as_secs_f64());
    }

    /// Returns everything in the exposition format of Prometheus.
    pub fn export(&mut self, health: &Health) -> String {
        self.tell_account();
        self.tell_health(health);
        // What is registered is encoded; a name that could not be is a mistake in the table, which a test finds.
        TextEncoder::new()
            .encode_to_string(&self.registry.gather())
            .unwrap_or_default()
    }

    /// Takes in new policies: pools that none of them speaks of are forgotten.
    fn begin(&mut self, policies: &Policies) {
        self.policies = policies.clone();
        self.hashes = policies.policies.iter().map(policy_hash).collect();
        let series = &self.series;
        self.pools.retain(|id, fold| {
            let stays = policies.policy_for(id).is_some();
            if !stays {
                fold.told.clear(series);
            }
            stays
        });
        self.shared = Shared::default();
    }

    fn decided(&mut self, decision: &Decision, seen: Option<&PoolView>) {
        let index = self.policies.index_for(&decision.pool);
        let policy = index.map(|index| (&self.policies.policies[index], &*self.hashes[index]));
        let fold = self.pools.entry(decision.pool.clone()).or_default();
        let pool = decision.pool.as_str();
        fold.count(&self.series, decision);
        let mut gauges = Gauges::of(pool);
        gauges.stages(decision);
        gauges.signals(decision);
        if let Some((policy, hash)) = policy {
            gauges.policy(policy, hash);
        }
        if let Some(view) = seen.filter(|view| view.fault.is_none()) {
            fold.see(&self.series, decision, view, policy.map(|(policy, _)| policy));
            self.shared.hold(&view.state);
        }
        fold.gauges(&mut gauges, decision.at);
        let points = gauges.finish();
        fold.told.set(&self.series, points);
    }

    fn settled(&mut self, order: &Order, receipt: &Receipt) {
        let fold = self.pools.entry(order.pool.clone()).or_default();
        let pool = order.pool.as_str();
        fold.told
            .add(&self.series, Family::Apply, &[pool, result_word(receipt)], 1.0);
        let before = fold.seen.as_ref().map(|(_, state)| state.target.total());
        let grows = before.map(|before| (order.target.total() > before, order.target.total() != before));
        if let (Receipt::Accepted, Some((grows, true))) = (receipt, grows) {
            if fold.grew.is_some_and(|grew| grew != grows) {
                fold.told.add(&self.series, Family::Reversals, &[pool], 1.0);
            }
            fold.grew = Some(grows);
        }
        if let Some((_, state)) = &fold.seen {
            fold.ours.ordered(order, state, receipt);
        }
    }

    /// Returns what each pool costs in an hour and has cost this month.
    fn costs(&self) -> Vec<(&PoolId, f64, f64)> {
        let pools = self.pools.iter();
        let costs = pools.filter_map(|(id, fold)| {
            let paid = fold.paid?;
            let month = money::month(&fold.guards, paid.prices, paid.at);
            Some((id, paid.per_hour(), month))
        });
        costs.collect()
    }

    fn tell_account(&mut self) {
        let mut points = account::budgets(&self.policies, &self.costs());
        self.shared.add_to(&mut points, self.policies.account.as_ref());
        for fold in self.pools.values() {
            let (Some(paid), Some((_, state))) = (fold.paid, &fold.seen) else {
                continue;
            };
            let Some(size) = &state.vm_size else { continue };
            for (class, price) in [("dedicated", paid.prices.dedicated), ("spot", paid.prices.spot)] {
                points.push(((Family::Price, vec![size.to_string(), class.to_owned()]), price.0));
            }
        }
        self.told.set(&self.series, points);
    }

    fn tell_health(&self, health: &Health) {
        let flag = |family, value: bool| self.series.set(family, &[], f64::from(u8::from(value)));
        flag(Family::ReloadSuccess, health.reload.is_whole());
        flag(Family::Ready, health.readiness().status.answer().is_success());
        flag(Family::Leader, health.role != Role::Standby);
        flag(Family::LedgerWritable, health.ledger_fault.is_none());
        if let Some(at) = health.reload.whole_at {
            self.series.set(Family::ReloadTimestamp, &[], at.unix_seconds());
        }
    }
}

impl PoolFold {
    /// Counts a decision.
    fn count(&mut self, series: &Series, decision: &Decision) {
        let pool = decision.pool.as_str();
        let reason = decision.steps().last().map_or("none", |step| step.reason.code());
        let (before, after) = (decision.start.total(), decision.outcome().total());
        let direction = match decision.hold() {
            Some(_) => "hold",
            None if after > before => "out",
            None if after < before => "in",
            None => "same",
        };
        self.told
            .add(series, Family::Decisions, &[pool, direction, reason], 1.0);
        if let Some(hold) = decision.hold() {
            self.told.add(series, Family::Holds, &[pool, hold.code()], 1.0);
        }
        let clamps = decision.steps().iter();
        for step in clamps.filter(|step| matches!(step.stage, Stage::Allocate | Stage::Restrain)) {
            self.told
                .add(series, Family::Clamps, &[pool, step.reason.code()], 1.0);
        }
    }

    /// Takes in what was seen of the pool.
    fn see(&mut self, series: &Series, decision: &Decision, view: &PoolView, policy: Option<&Policy>) {
        let (now, pool) = (decision.at, decision.pool.as_str());
        let before = self.seen.as_ref().map(|(at, state)| (*at, state));
        if let Some((_, before)) = before {
            self.ours.see(before, now, &view.state);
        }
        let is_foreign = self.ours.foreign.is_some_and(|change| change.at == now);
        self.told.add(
            series,
            Family::ForeignChanges,
            &[pool],
            f64::from(u8::from(is_foreign)),
        );
        self.guards.see(before, now, &view.state, view.work.as_ref());
        let evicted = self.guards.lost_at(now);
        self.evicted += evicted;
        self.told
            .add(series, Family::Evictions, &[pool], pool::count(evicted));
        if let Some(paid) = &self.paid {
            let held = self.formula.as_ref().map_or(Mix::ZERO, FormulaCourse::wanted);
            let spent = paid.until(now, held);
            self.told
                .add(series, Family::Cost, &[pool, "dedicated"], spent.dedicated);
            self.told.add(series, Family::Cost, &[pool, "spot"], spent.spot);
            self.spent.dedicated += spent.dedicated;
            self.spent.spot += spent.spot;
            self.spent.all_dedicated += spent.all_dedicated;
            self.spent.formula += spent.formula;
        }
        self.formula
            .get_or_insert_with(FormulaCourse::documented)
            .see(now, view);
        self.paid = policy.map(|policy| Paid::of(now, &view.state, policy.prices));
        if let Some(work) = &view.work {
            for (class, seconds) in self.watched.boots(work) {
                self.told
                    .observe(series, Family::NodeBoot, &[pool, class], seconds);
            }
            let since = before.map_or(now, |(at, _)| at);
            for seconds in work::waits(work, since, now) {
                self.told.observe(series, Family::QueueWait, &[pool], seconds);
                self.waited(seconds);
            }
            self.waits_since = work.waiting.iter().map(|task| task.submitted).min();
        }
        for sample in &view.samples {
            self.newest.insert(sample.metric, (sample.taken, sample.value));
        }
        self.seen = Some((now, view.state.clone()));
        let mut standing = Gauges::of(pool);
        standing.seen(view);
        self.standing = standing.finish();
    }

    /// Adds what is known of the pool, whether it was seen just now or before.
    fn gauges(&self, gauges: &mut Gauges<'_>, now: Timestamp) {
        let newest: Vec<_> = self
            .newest
            .iter()
            .map(|(metric, newest)| (*metric, *newest))
            .collect();
        gauges.sampled(&newest, now);
        gauges.extend(&self.standing);
        let saved = self.spent.all_dedicated - self.spent.dedicated - self.spent.spot;
        gauges.add(Family::Savings, &["allDedicated"], saved);
        // A formula whose samples nobody takes would have held nothing that can be told.
        if self.formula.as_ref().is_some_and(|course| course.runs > 0) {
            let saved = self.spent.formula - self.spent.dedicated - self.spent.spot;
            gauges.add(Family::Savings, &["formula"], saved);
        }
    }
}

const fn result_word(receipt: &Receipt) -> &'static str {
    match receipt {
        Receipt::Accepted => "accepted",
        Receipt::Withheld => "withheld",
        Receipt::Refused(refusal) => match refusal.kind {
            RefusalKind::Changed => "changed",
            RefusalKind::Resizing => "resizing",
            RefusalKind::Quota => "quota",
            RefusalKind::Missing => "missing",
            RefusalKind::Forbidden => "forbidden",
            RefusalKind::Throttled => "throttled",
            RefusalKind::Unreachable => "unreachable",
            RefusalKind::Invalid => "invalid",
        },
    }
}
