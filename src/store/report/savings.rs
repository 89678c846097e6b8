//! What was saved: against the same nodes, all dedicated, and against a formula of the service on the same samples.

use std::collections::BTreeMap;

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

struct Seat {
    savings: Savings,
    at: Timestamp,
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
                .or_insert_with(|| Seat::new(id, at, FormulaCourse::of(formula, HISTORY)));
            seat.see(at, &view, price);
        })?;
        Ok(seats.into_values().map(|seat| seat.savings).collect())
    }
}

impl Seat {
    fn new(pool: PoolId, at: Timestamp, course: FormulaCourse) -> Self {
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
            course,
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
            self.savings.formula += Usd(cost(self.course.wanted()));
        }
        self.course.see(at, view);
        self.savings.formula_faults = self.course.faults;
        let state = &view.state;
        self.nodes = Mix {
            dedicated: state.current.dedicated,
            spot: state.current.spot.saturating_sub(state.nodes.preempted),
        };
        (self.at, self.prices) = (at, prices);
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
