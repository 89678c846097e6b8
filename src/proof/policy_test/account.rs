//! An account as a test writes it down: a world for the engine.

use serde_json::{Map, Value};

use super::Made;
use super::file::{FaultSpan, Orders, TestFileTest};
use crate::account::{Order, PoolState, Receipt, Refusal, Work};
use crate::base::{Lane, Nodes, Span, Timestamp};
use crate::decision::Memory;
use crate::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use crate::policy::Policy;
use crate::signal::{Metric, Sample};
use crate::world::PoolRecord;

/// The account of one test.
pub(super) struct WrittenAccount<'a> {
    test: &'a TestFileTest,
    policy: &'a Policy,
    pool: PoolState,
    /// Nodes that are on their way: when they are usable, and how many.
    starting: Vec<(Timestamp, Nodes)>,
    work: Option<Work>,
    /// How many of the changes of state have happened.
    changed: usize,
    samples: Vec<(Metric, Vec<Sample>)>,
    now: Timestamp,
    /// What an observer without the engine's memory remembers, to judge by.
    witness: Memory,
    /// What was decided.
    pub(super) made: Vec<Made>,
}

impl<'a> WrittenAccount<'a> {
    /// Returns the account at the start of a test.
    pub(super) fn new(test: &'a TestFileTest, policy: &'a Policy) -> Self {
        let mut facts = test.pool.clone();
        for lane in ["DedicatedNodes", "LowPriorityNodes"] {
            if let Some(target) = facts.get(&format!("target{lane}")).cloned() {
                facts.entry(format!("current{lane}")).or_insert(target);
            }
        }
        let mut account = Self {
            test,
            policy,
            pool: PoolState::new(test.pool_id(policy)),
            starting: Vec::new(),
            work: None,
            changed: 0,
            samples: samples(test),
            now: test.start,
            witness: Memory::default(),
            made: Vec::new(),
        };
        account.change(&facts);
        account
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
    fn pass_time(&mut self) {
        while let Some(change) = self.test.states.get(self.changed) {
            if self.test.start + change.at > self.now {
                break;
            }
            self.changed += 1;
            self.change(&change.pool);
            if change.work.is_some() {
                self.work.clone_from(&change.work);
            }
        }
        let before = self.starting.len();
        let now = self.now;
        self.starting.retain(|(ready, _)| *ready > now);
        if self.starting.len() < before {
            self.pool.nodes.starting = self.starting.iter().map(|(_, nodes)| *nodes).sum();
            self.count_usable();
        }
    }

    fn fault(&self) -> impl Iterator<Item = &FaultSpan> {
        let since = self.now.since(self.test.start);
        self.test
            .faults
            .iter()
            .filter(move |fault| fault.from <= since && since < fault.until)
    }

    /// Carries an order out: nodes that come are on their way for as long as they boot, nodes that go are gone.
    fn carry_out(&mut self, order: &Order) {
        let before = self.pool.current;
        let came: Nodes = Lane::ALL
            .iter()
            .map(|lane| order.target.get(*lane).saturating_sub(before.get(*lane)))
            .sum();
        self.pool.target = order.target;
        self.pool.current = order.target;
        self.pool.option = order.option;
        // Preempted nodes go first, as in the simulator.
        let gone = before.spot.saturating_sub(order.target.spot);
        self.pool.nodes.preempted = self.pool.nodes.preempted.saturating_sub(gone);
        if came > Nodes::ZERO && self.test.boot > Span::ZERO {
            self.starting.push((self.now + self.test.boot, came));
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
fn samples(test: &TestFileTest) -> Vec<(Metric, Vec<Sample>)> {
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
    test.series
        .iter()
        .map(|(metric, series)| of(*metric, series))
        .collect()
}

impl World for WrittenAccount<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.now = at.max(self.now);
        (self.now <= self.test.start + self.test.lasts).then_some(self.now)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.pass_time();
        if let Some(message) = self.fault().find_map(|fault| fault.observe.clone()) {
            return Err(ObserveError { message, retry: true });
        }
        let view = into.push(self.pool.clone());
        let arrived = self.now - self.test.delay;
        for (metric, samples) in &mut self.samples {
            while samples.last().is_some_and(|sample| sample.taken <= arrived) {
                let sample = samples.pop();
                if question.metrics.contains(metric) {
                    view.samples.extend(sample);
                }
            }
        }
        view.work.clone_from(&self.work);
        if let Some(work) = &mut self.work {
            // What ended is told once.
            work.finished.clear();
            work.ended.clear();
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, seen } = entry {
            let blind = seen.is_none_or(|view| {
                self.witness
                    .absorb(decision.at, &view.state, &view.samples, view.work.as_ref());
                let known = self.witness.pool(&view.state.id).map(|pool| &pool.history);
                known.is_none_or(|history| {
                    let missing = &self.policy.missing;
                    missing
                        .objection(decision.at, &self.policy.metrics, history)
                        .is_some()
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
                self.carry_out(order);
                Receipt::Accepted
            }
        }
    }
}
