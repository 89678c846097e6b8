//! What was saved: against the same nodes, all dedicated, and against a formula of the service on the same samples.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{HELD_FOR_MAX, Stretch, held_for};
use crate::account::PoolId;
use crate::base::{Mix, Span, Timestamp, Usd};
use crate::engine::PoolView;
use crate::formula::{Evaluator, Formula, Inputs, PoolFacts};
use crate::signal::{History, Metric};
use crate::store::{Store, StoreError};
use crate::world::{PoolRecord, look_of};

/// How often the service evaluates a formula when nobody says otherwise: every 15 minutes (the same page).
const FORMULA_INTERVAL: Span = Span::minutes(15);

/// How far back the formula sees: the longest look-back that public formulas use, a day.
const HISTORY: Span = Span::days(1);

/// What one pool cost, and would have cost otherwise.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Savings {
    /// The pool.
    pub pool: PoolId,
    /// What its nodes cost.
    pub held: Usd,
    /// What as many nodes cost, were all dedicated.
    pub all_dedicated: Usd,
    /// What the formula would have held, at the same prices.
    pub formula: Usd,
    /// Looks at which the formula could not be evaluated; it then keeps its targets.
    pub formula_faults: u64,
    /// Hours that are counted: those between looks whose prices are known.
    pub hours: f64,
}

struct Seat {
    savings: Savings,
    at: Timestamp,
    nodes: Mix,
    prices: Option<[f64; 2]>,
    evaluator: Evaluator,
    history: History,
    wanted: Mix,
    evaluated: Option<Timestamp>,
}

impl Store {
    /// Returns what was saved, pool by pool.
    ///
    /// The formula is evaluated as the service does, every quarter of an hour on the samples that the decisions saw, and its
    /// nodes are taken to come and go at once: a bound that favours the formula. Its work is taken to be what was there.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn savings(&self, stretch: &Stretch, formula: &Formula) -> Result<Vec<Savings>, StoreError> {
        let mut prices = BTreeMap::new();
        let mut seats: BTreeMap<PoolId, Seat> = BTreeMap::new();
        self.each_held(stretch, &mut |held| {
            prices.insert((held.pool, held.at), held.prices);
        })?;
        self.walk(&stretch.decisions(), &mut |found| {
            let Ok(Some((at, view))) = look_of(&found.line) else {
                return;
            };
            let id = view.state.id.clone();
            let price = prices.get(&(id.clone(), at)).copied().flatten();
            let seat = seats
                .entry(id.clone())
                .or_insert_with(|| Seat::new(id, at, formula.evaluator()));
            seat.see(at, &view, price);
        })?;
        Ok(seats.into_values().map(|seat| seat.savings).collect())
    }
}

impl Seat {
    fn new(pool: PoolId, at: Timestamp, evaluator: Evaluator) -> Self {
        Self {
            savings: Savings {
                pool,
                held: Usd::ZERO,
                all_dedicated: Usd::ZERO,
                formula: Usd::ZERO,
                formula_faults: 0,
                hours: 0.0,
            },
            at,
            nodes: Mix::ZERO,
            prices: None,
            evaluator,
            history: History::new(),
            wanted: Mix::ZERO,
            evaluated: None,
        }
    }

    fn see(&mut self, at: Timestamp, view: &PoolView, prices: Option<[f64; 2]>) {
        if let (Some(span), Some(prices)) = (held_for(self.at, at), self.prices) {
            let hours = span.as_hours();
            let cost =
                |mix: Mix| (mix.dedicated.as_f64() * prices[0] + mix.spot.as_f64() * prices[1]) * hours;
            self.savings.hours += hours;
            self.savings.held += Usd(cost(self.nodes));
            self.savings.all_dedicated += Usd(self.nodes.total().as_f64() * prices[0] * hours);
            self.savings.formula += Usd(cost(self.wanted));
        }
        let state = &view.state;
        if self.evaluated.is_none() {
            // It takes the pool over as it is.
            self.wanted = state.target;
        }
        for sample in &view.samples {
            // One that cannot be kept is one that never arrived.
            let _ = self.history.record(sample.metric, sample.taken, sample.value);
        }
        self.count_tasks(at, view);
        self.history.forget_before(at - HISTORY);
        if self.evaluated.is_none_or(|last| at - last >= FORMULA_INTERVAL) {
            self.evaluated = Some(at);
            self.evaluate(at, view);
        }
        self.nodes = Mix {
            dedicated: state.current.dedicated,
            spot: state.current.spot.saturating_sub(state.nodes.preempted),
        };
        (self.at, self.prices) = (at, prices);
    }

    /// Takes the samples that a decision did not need, and the formula does, from the tasks one by one: as many at each moment since
    /// the look before as there are now.
    fn count_tasks(&mut self, at: Timestamp, view: &PoolView) {
        let Some(work) = &view.work else { return };
        let (waiting, running) = (work.waiting.len() as f64, work.running.len() as f64);
        for (metric, value) in [
            (Metric::ActiveTasks, waiting),
            (Metric::RunningTasks, running),
            (Metric::PendingTasks, waiting + running),
        ] {
            if view.samples.iter().any(|sample| sample.metric == metric) {
                continue;
            }
            let mut taken = self.at.max(at - HELD_FOR_MAX) + Span::SAMPLE_PERIOD;
            while taken <= at {
                let _ = self.history.record(metric, taken, value);
                taken += Span::SAMPLE_PERIOD;
            }
        }
    }

    fn evaluate(&mut self, at: Timestamp, view: &PoolView) {
        let facts = PoolFacts {
            target: self.wanted,
            current: self.wanted,
            ..PoolRecord::from(&view.state).facts()
        };
        let inputs = Inputs {
            now: at,
            pool: facts,
            history: &self.history,
            seed: at.ticks().cast_unsigned(),
        };
        match self.evaluator.run(&inputs) {
            Ok(outcome) => {
                self.wanted = outcome.target;
            }
            Err(_) => self.savings.formula_faults += 1,
        }
    }
}

/// Says in a sentence each what the figures assume.
pub fn assumptions() -> [String; 3] {
    [
        format!(
            "nodes are there from one look to the next, {} at most; preempted ones cost nothing",
            HELD_FOR_MAX.in_short()
        ),
        "all-dedicated: as many nodes at each moment, at the dedicated price".to_owned(),
        format!(
            "formula: evaluated every {} on the samples that were seen, its nodes there at once",
            FORMULA_INTERVAL.in_short()
        ),
    ]
}
