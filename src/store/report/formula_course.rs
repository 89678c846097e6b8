//! What a formula of the service would have held of a pool, look by look.

use super::HELD_FOR_MAX;
use crate::base::{Mix, Span, Timestamp};
use crate::engine::PoolView;
use crate::formula::documented::PENDING_TASKS;
use crate::formula::{Evaluator, Formula, Inputs, PoolFacts, Scope};
use crate::signal::{History, Metric};
use crate::world::PoolRecord;

/// How often the service evaluates a formula when nobody says otherwise: every 15 minutes ("Create a formula to automatically scale
/// compute nodes in a Batch pool", learn.microsoft.com).
pub(super) const FORMULA_INTERVAL: Span = Span::minutes(15);

/// How far back the documented formula sees: three minutes, and what was sampled late.
const DOCUMENTED_HISTORY: Span = Span::minutes(15);

/// The course that a formula would have steered. It is evaluated as the service does, every quarter of an hour on the samples that the
/// looks saw, and its nodes are taken to come and go at once.
#[derive(Debug)]
pub struct FormulaCourse {
    evaluator: Evaluator,
    history: History,
    /// How far back the formula sees.
    sees: Span,
    at: Option<Timestamp>,
    wanted: Mix,
    evaluated: Option<Timestamp>,
    /// Looks at which the formula could not be evaluated; it then keeps its targets.
    pub faults: u64,
    /// Looks at which it could.
    pub runs: u64,
}

impl FormulaCourse {
    /// Returns the course of a formula that sees so far back.
    pub fn of(formula: &Formula, sees: Span) -> Self {
        Self {
            evaluator: formula.evaluator(),
            history: History::new(),
            sees,
            at: None,
            wanted: Mix::ZERO,
            evaluated: None,
            faults: 0,
            runs: 0,
        }
    }

    /// Returns the course of the formula that the service documents for pending tasks.
    pub fn documented() -> Self {
        let formula = Formula::compile(PENDING_TASKS, &Scope::default());
        Self::of(
            &formula.expect("the documented formula is whole"),
            DOCUMENTED_HISTORY,
        )
    }

    /// Returns the nodes that it holds since the latest look.
    pub const fn wanted(&self) -> Mix {
        self.wanted
    }

    /// Takes in a look.
    pub fn see(&mut self, at: Timestamp, view: &PoolView) {
        if self.evaluated.is_none() {
            // It takes the pool over as it is.
            self.wanted = view.state.target;
        }
        for sample in &view.samples {
            // One that cannot be kept is one that never arrived.
            let _ = self.history.record(sample.metric, sample.taken, sample.value);
        }
        self.count_tasks(at, view);
        self.history.forget_before(at - self.sees);
        if self.evaluated.is_none_or(|last| at - last >= FORMULA_INTERVAL) {
            self.evaluated = Some(at);
            self.evaluate(at, view);
        }
        self.at = Some(at);
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
            let since = self.at.unwrap_or(at);
            let mut taken = since.max(at - HELD_FOR_MAX) + Span::SAMPLE_PERIOD;
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
                self.runs += 1;
                self.wanted = outcome.target;
            }
            Err(_) => self.faults += 1,
        }
    }
}
