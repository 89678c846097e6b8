//! An account as a test writes it down: a world for the engine.

use serde_json::{Map, Value};

use super::Made;
use super::file::{FaultSpan, Orders, Part, TestFileTest};
use super::watch::Watch;
use crate::account::{Holding, Order, OwnFormula, PoolId, PoolState, Receipt, Refusal, Work};
use crate::base::{Lane, Nodes, Span, Timestamp};
use crate::decision::Memory;
use crate::engine::{AccountView, Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policies;
use crate::signal::{Found, Metric, Reading, Sample};
use crate::world::{LackWord, PoolRecord};

/// The account of one test.
pub(super) struct WrittenAccount<'a> {
    test: &'a TestFileTest,
    policies: &'a Policies,
    pools: Vec<WrittenPool<'a>>,
    now: Timestamp,
    /// What an observer without the engine's memory remembers, to judge by.
    witness: Memory,
    /// What all orders together use of what the account shares.
    pub(super) watch: Watch<'a>,
    /// What was decided.
    pub(super) made: Vec<Made>,
}

/// What one source says: when, and how much.
type Said = Vec<(Timestamp, Option<f64>)>;

/// One pool of it.
struct WrittenPool<'a> {
    part: Part<'a>,
    pool: PoolState,
    /// Nodes that are on their way: when they are usable, and how many.
    starting: Vec<(Timestamp, Nodes)>,
    work: Option<Work>,
    /// How many of the changes of state have happened.
    changed: usize,
    samples: Vec<(Metric, Vec<Sample>)>,
    /// What sources say, by the names of the signals.
    signals: Vec<(&'a str, Said)>,
}

impl<'a> WrittenAccount<'a> {
    /// Returns the account at the start of a test.
    pub(super) fn new(test: &'a TestFileTest, policies: &'a Policies) -> Self {
        let parts = test.parts(&policies.policies[0]);
        Self {
            test,
            policies,
            pools: parts
                .into_iter()
                .map(|(id, part)| WrittenPool::new(id, part, test))
                .collect(),
            now: test.start,
            witness: Memory::default(),
            watch: Watch::new(policies, test.quotas.as_ref()),
            made: Vec::new(),
        }
    }

    fn fault(&self) -> impl Iterator<Item = &FaultSpan> {
        let since = self.now.since(self.test.start);
        self.test
            .faults
            .iter()
            .filter(move |fault| fault.from <= since && since < fault.until)
    }

    /// Returns what the account shares, where that is asked for or written down.
    fn shared(&self, asked: bool) -> Option<AccountView> {
        let fault = self.fault().find_map(|fault| fault.account.clone());
        (asked || self.test.quotas.is_some()).then(|| AccountView {
            quotas: self.test.quotas.clone(),
            pools: self
                .pools
                .iter()
                .map(|written| Holding::from(&written.pool))
                .collect(),
            fault: fault.map(|message| ObserveError { message, retry: true }),
        })
    }
}

impl<'a> WrittenPool<'a> {
    fn new(id: PoolId, part: Part<'a>, test: &TestFileTest) -> Self {
        let mut facts = part.facts.clone();
        for lane in ["DedicatedNodes", "LowPriorityNodes"] {
            if let Some(target) = facts.get(&format!("target{lane}")).cloned() {
                facts.entry(format!("current{lane}")).or_insert(target);
            }
        }
        let mut written = Self {
            part,
            pool: PoolState::new(id),
            starting: Vec::new(),
            work: None,
            changed: 0,
            samples: samples(test, part),
            signals: signals(test, part),
        };
        written.change(&facts);
        written
    }

    /// Changes the facts of the pool that are given.
    fn change(&mut self, facts: &Map<String, Value>) {
        let record = serde_json::to_value(PoolRecord::from(&self.pool));
        let Ok(Value::Object(mut record)) = record else {
            return;
        };
        record.extend(facts.clone());
        // The schema has accepted the facts, and the record is made of the same type.
        if let Ok(record) = serde_json::from_value::<PoolRecord>(Value::Object(record)) {
            self.pool = record.state(self.pool.id.clone());
        }
        if !facts.contains_key("usableNodes") {
            self.count_usable();
        }
    }

    fn count_usable(&mut self) {
        let nodes = &mut self.pool.nodes;
        let away = nodes.starting + nodes.preempted + nodes.unusable;
        nodes.usable = self.pool.current.total().saturating_sub(away);
    }

    /// Lets happen what happens until now.
    fn pass_time(&mut self, start: Timestamp, now: Timestamp) {
        while let Some(change) = self.part.states.get(self.changed) {
            if start + change.at > now {
                break;
            }
            self.changed += 1;
            self.change(&change.pool);
            if change.work.is_some() {
                self.work.clone_from(&change.work);
            }
        }
        let before = self.starting.len();
        self.starting.retain(|(ready, _)| *ready > now);
        if self.starting.len() < before {
            self.pool.nodes.starting = self.starting.iter().map(|(_, nodes)| *nodes).sum();
            self.count_usable();
        }
    }

    /// Follows a formula of ours, or none any more.
    fn follow_formula(&mut self, order: &Order) {
        if let Some(order) = &order.lease {
            self.pool.auto_scale = true;
            self.pool.formula = Some(OwnFormula::Lease(order.lease.clone()));
        } else if order.release {
            self.pool.auto_scale = false;
            self.pool.formula = None;
        }
    }

    /// Lets nodes of no use go and others come in their place.
    fn replace(&mut self, order: &Order, now: Timestamp) {
        let Some(replacement) = &order.replace else {
            return;
        };
        let nodes = &mut self.pool.nodes;
        let broken = replacement.broken.min(nodes.unusable);
        let away = replacement.away.min(nodes.preempted);
        nodes.unusable = nodes.unusable.saturating_sub(broken);
        nodes.preempted = nodes.preempted.saturating_sub(away);
        if self.part.boot > Span::ZERO {
            self.starting.push((now + self.part.boot, broken + away));
        }
    }

    /// Returns what sources say at a moment; the newest that they have said, as old as it is.
    fn readings(&self, test: &TestFileTest, now: Timestamp) -> Vec<Reading> {
        let since = now.since(test.start);
        let mut readings = Vec::new();
        for (signal, told) in &self.signals {
            let hit = |fault: &&FaultSpan| {
                fault.signals.iter().any(|name| name == signal) && fault.from <= since && since < fault.until
            };
            let fault = test.faults.iter().find(hit);
            let newest = told.iter().rev().find(|(taken, _)| *taken <= now);
            let (taken, found) = match (fault, newest) {
                (Some(fault), _) => {
                    let lack = fault.lack.unwrap_or(LackWord::Fault);
                    (now, Found::Lacking(lack.into()))
                }
                (None, Some((taken, Some(value)))) => (*taken, Found::Value(*value)),
                (None, Some((_, None)) | None) => continue,
            };
            readings.push(Reading {
                signal: (*signal).into(),
                taken,
                found,
            });
        }
        readings
    }

    /// Carries an order out: nodes that come are on their way for as long as they boot, nodes that go are gone.
    fn carry_out(&mut self, order: &Order, now: Timestamp) {
        let before = self.pool.current;
        let came: Nodes = Lane::ALL
            .iter()
            .map(|lane| order.target.get(*lane).saturating_sub(before.get(*lane)))
            .sum();
        self.pool.target = order.target;
        self.pool.current = order.target;
        self.pool.option = order.option;
        self.follow_formula(order);
        self.replace(order, now);
        // Preempted nodes go first, as in the simulator.
        let gone = before.spot.saturating_sub(order.target.spot);
        self.pool.nodes.preempted = self.pool.nodes.preempted.saturating_sub(gone);
        if came > Nodes::ZERO && self.part.boot > Span::ZERO {
            self.starting.push((now + self.part.boot, came));
        }
        // Nodes that are on their way go first.
        let mut gone = before.total().saturating_sub(order.target.total());
        for (_, nodes) in self.starting.iter_mut().rev() {
            let cancelled = gone.min(*nodes);
            *nodes = nodes.saturating_sub(cancelled);
            gone = gone.saturating_sub(cancelled);
        }
        self.pool.nodes.starting = self.starting.iter().map(|(_, nodes)| *nodes).sum();
        self.count_usable();
    }
}

/// Returns the samples of a test that ever arrive, metric by metric, oldest first.
fn samples(test: &TestFileTest, part: Part<'_>) -> Vec<(Metric, Vec<Sample>)> {
    let of = |metric: Metric, series: &super::file::SeriesText| {
        let values = series.values().unwrap_or_default();
        let lost = |taken: Timestamp| {
            let since = taken.since(test.start);
            let hit = |fault: &FaultSpan| {
                fault.missing.contains(&metric) && fault.from <= since && since < fault.until
            };
            test.faults.iter().any(hit)
        };
        let mut taken = test.start + series.from;
        let mut samples = Vec::new();
        for value in values {
            if let Some(value) = value.filter(|_| !lost(taken)) {
                samples.push(Sample { metric, taken, value });
            }
            taken += Span::SAMPLE_PERIOD;
        }
        samples.reverse();
        (metric, samples)
    };
    // Newest first, so that the next one to arrive is taken from the end.
    part.series
        .iter()
        .map(|(metric, series)| of(*metric, series))
        .collect()
}

/// Returns what sources say in a test, signal by signal, oldest first.
fn signals<'a>(test: &TestFileTest, part: Part<'a>) -> Vec<(&'a str, Said)> {
    let told = |(name, series): (&'a String, &super::file::SeriesText)| {
        let taken = |slot: usize| {
            let slot = i64::try_from(slot).unwrap_or(i64::MAX);
            test.start + series.from + Span::SAMPLE_PERIOD * slot
        };
        let values = series.values().unwrap_or_default();
        let told = values.into_iter().enumerate();
        (
            name.as_str(),
            told.map(|(slot, value)| (taken(slot), value)).collect(),
        )
    };
    part.signals.iter().map(told).collect()
}

impl World for WrittenAccount<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.now = at.max(self.now);
        (self.now <= self.test.start + self.test.lasts).then_some(self.now)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        for written in &mut self.pools {
            written.pass_time(self.test.start, self.now);
        }
        if let Some(message) = self.fault().find_map(|fault| fault.observe.clone()) {
            return Err(ObserveError { message, retry: true });
        }
        into.account = self.shared(question.account);
        self.watch.look(self.pools.iter().map(|written| &written.pool));
        let arrived = self.now - self.test.delay;
        let asked = |pool: &PoolId| question.pools.iter().any(|pattern| pattern.matches(pool));
        for written in self.pools.iter_mut().filter(|written| asked(&written.pool.id)) {
            let readings = written.readings(self.test, self.now);
            let view = into.push(written.pool.clone());
            view.readings = readings;
            for (metric, samples) in &mut written.samples {
                while samples.last().is_some_and(|sample| sample.taken <= arrived) {
                    let sample = samples.pop();
                    if question.metrics.contains(metric) {
                        view.samples.extend(sample);
                    }
                }
            }
            view.work.clone_from(&written.work);
            if let Some(work) = &mut written.work {
                // What ended is told once.
                work.finished.clear();
                work.ended.clear();
            }
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, seen } = entry {
            let policy = self.policies.policy_for(&decision.pool);
            self.watch.decide(decision);
            let blind = seen.is_none_or(|view| {
                self.witness
                    .absorb(decision.at, &view.state, &view.samples, view.work.as_ref());
                self.witness.hear(decision.at, &view.state.id, &view.readings);
                let known = self.witness.pool(&view.state.id);
                known.zip(policy).is_none_or(|(pool, policy)| {
                    let (missing, at) = (&policy.missing, decision.at);
                    let snapshot = pool.snapshot(at, &view.state, view.work.as_ref());
                    missing.objection(at, &policy.metrics, &pool.history).is_some()
                        || policy.misses_a_signal(&snapshot)
                })
            });
            let decision = (*decision).clone();
            self.made.push(Made { decision, blind });
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        if let Some(kind) = self.fault().find_map(|fault| fault.refuse) {
            let message = "the test refuses it".to_owned();
            return Receipt::Refused(Refusal { kind, message });
        }
        match self.test.orders {
            Orders::Withheld => Receipt::Withheld,
            Orders::Accepted => {
                let now = self.now;
                for written in &mut self.pools {
                    if written.pool.id == order.pool {
                        written.carry_out(order, now);
                    }
                }
                Receipt::Accepted
            }
        }
    }
}
