//! What was saved: against the same nodes, all dedicated, and against a formula of the service on the same samples.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::Serialize;

use super::formula_course::{FORMULA_INTERVAL, FormulaCourse};
use super::{HELD_FOR_MAX, Stretch, held_for};
use crate::account::PoolId;
use crate::base::{Mix, Span, Timestamp, Usd};
use crate::engine::PoolView;
use crate::formula::Formula;
use crate::store::{Store, StoreError};
use crate::world::look_of;

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

/// What was paid in some time, and would have been otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Saved {
    /// What the nodes cost.
    pub held: Usd,
    /// What as many cost, were all dedicated.
    pub all_dedicated: Usd,
    /// What the formula would have held, at the same prices.
    pub formula: Usd,
    /// Hours that are counted: those between looks whose prices are known.
    pub hours: f64,
    /// Looks at which the formula was evaluated.
    pub formula_runs: u64,
    /// Looks at which it could not be.
    pub formula_faults: u64,
}

impl AddAssign for Saved {
    fn add_assign(&mut self, other: Self) {
        self.held += other.held;
        self.all_dedicated += other.all_dedicated;
        self.formula += other.formula;
        self.hours += other.hours;
        self.formula_runs += other.formula_runs;
        self.formula_faults += other.formula_faults;
    }
}

/// A pool from one look to the next.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) at: Timestamp,
    nodes: Mix,
    prices: Option<[f64; 2]>,
    course: FormulaCourse,
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
        let mut seats: BTreeMap<PoolId, (Seat, Saved)> = BTreeMap::new();
        self.each_held(stretch, &mut |held| {
            prices.insert((held.pool, held.at), held.prices);
        })?;
        self.walk(&stretch.decisions(), &mut |found| {
            let Ok(Some((at, view))) = look_of(&found.line) else {
                return;
            };
            let id = view.state.id.clone();
            let price = prices.get(&(id.clone(), at)).copied().flatten();
            let blank = || {
                let course = FormulaCourse::of(formula, HISTORY);
                (Seat::new(at, course), Saved::default())
            };
            let (seat, saved) = seats.entry(id).or_insert_with(blank);
            *saved += seat.see(at, &view, price);
        })?;
        let told = seats.into_iter();
        Ok(told.map(|(pool, (_, saved))| Savings::of(pool, saved)).collect())
    }
}

impl Savings {
    fn of(pool: PoolId, saved: Saved) -> Self {
        Self {
            pool,
            held: saved.held,
            all_dedicated: saved.all_dedicated,
            formula: saved.formula,
            formula_faults: saved.formula_faults,
            hours: saved.hours,
        }
    }
}

impl Seat {
    pub(super) const fn new(at: Timestamp, course: FormulaCourse) -> Self {
        Self {
            at,
            nodes: Mix::ZERO,
            prices: None,
            course,
        }
    }

    /// Takes in a look; returns what was paid since the one before.
    pub(super) fn see(&mut self, at: Timestamp, view: &PoolView, prices: Option<[f64; 2]>) -> Saved {
        let mut saved = Saved::default();
        if let (Some(span), Some(prices)) = (held_for(self.at, at), self.prices) {
            let hours = span.as_hours();
            let cost =
                |mix: Mix| (mix.dedicated.as_f64() * prices[0] + mix.spot.as_f64() * prices[1]) * hours;
            saved.hours = hours;
            saved.held = Usd(cost(self.nodes));
            saved.all_dedicated = Usd(self.nodes.total().as_f64() * prices[0] * hours);
            saved.formula = Usd(cost(self.course.wanted()));
        }
        let (runs, faults) = (self.course.runs, self.course.faults);
        self.course.see(at, view);
        saved.formula_runs = self.course.runs - runs;
        saved.formula_faults = self.course.faults - faults;
        let state = &view.state;
        self.nodes = Mix {
            dedicated: state.current.dedicated,
            spot: state.current.spot.saturating_sub(state.nodes.preempted),
        };
        (self.at, self.prices) = (at, prices);
        saved
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
