//! What nodes cost, as time passes between two looks.

use super::series::Points;
use super::table::Family;
use crate::account::PoolState;
use crate::base::{Lane, Mix, Timestamp};
use crate::decision::GuardMemory;
use crate::policy::Prices;

/// The nodes of a pool that are paid for, since a look.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paid {
    pub(super) at: Timestamp,
    pub(super) nodes: Mix,
    pub(super) prices: Prices,
}

/// What was spent in some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spent {
    pub(super) dedicated: f64,
    pub(super) spot: f64,
    pub(super) all_dedicated: f64,
    /// What the nodes cost that the documented formula would have held.
    pub(super) formula: f64,
}

impl Paid {
    /// Returns what is paid for from a look on; preempted nodes cost nothing.
    pub(super) fn of(at: Timestamp, state: &PoolState, prices: Prices) -> Self {
        let spot = state.current.spot.saturating_sub(state.nodes.preempted);
        Self {
            at,
            nodes: state.current.with(Lane::Spot, spot),
            prices,
        }
    }

    /// Returns what the nodes cost until a later look, and what those would have that a formula of the service holds.
    pub(super) fn until(&self, now: Timestamp, formula: Mix) -> Spent {
        let hours = now.since(self.at).as_hours().max(0.0);
        let cost = |nodes: Mix, lane: Lane| f64::from(nodes.get(lane).0) * self.prices.get(lane).0 * hours;
        Spent {
            dedicated: cost(self.nodes, Lane::Dedicated),
            spot: cost(self.nodes, Lane::Spot),
            formula: cost(formula, Lane::Dedicated) + cost(formula, Lane::Spot),
            all_dedicated: f64::from(self.nodes.total().0) * self.prices.dedicated.0 * hours,
        }
    }

    /// Returns what the nodes cost in an hour.
    pub(super) fn per_hour(&self) -> f64 {
        let of = |lane: Lane| f64::from(self.nodes.get(lane).0) * self.prices.get(lane).0;
        of(Lane::Dedicated) + of(Lane::Spot)
    }
}

/// Returns what the nodes of a pool have cost this month.
pub(super) fn month(guards: &GuardMemory, prices: Prices, now: Timestamp) -> f64 {
    let of = |lane: Lane| guards.month_hours(lane, now) * prices.get(lane).0;
    of(Lane::Dedicated) + of(Lane::Spot)
}

/// One budget with what is spent of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Budgeted<'a> {
    pub(super) scope: &'a str,
    pub(super) per_hour: Option<f64>,
    pub(super) per_month: Option<f64>,
    pub(super) spent_hour: f64,
    pub(super) spent_month: f64,
}

impl Budgeted<'_> {
    /// Adds the limits that there are, each with what is spent of it.
    pub(super) fn add_to(&self, points: &mut Points) {
        let windows = [
            ("hour", self.per_hour, self.spent_hour),
            ("month", self.per_month, self.spent_month),
        ];
        for (window, limit, spent) in windows {
            let Some(limit) = limit else { continue };
            let labels = vec![self.scope.to_owned(), window.to_owned()];
            points.push(((Family::BudgetLimit, labels.clone()), limit));
            points.push(((Family::BudgetSpent, labels), spent));
        }
    }
}
