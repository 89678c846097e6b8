//! The eviction rate at which the answer changes.

use super::search::{Candidate, Pick, Search};
use super::solve::{answer, least_spot};
use super::terms::Terms;
use super::{BreakEven, Change, Problem, Promise, ShareRule};
use crate::base::Probability;
use crate::market::{Hazard, Outlook};

/// Rates below an eviction in a hundred years are taken for none.
const HAZARD_MIN: f64 = 1e-6;
/// Rates above one eviction a second are not looked at: no node would boot.
pub(super) const HAZARD_MAX: f64 = 3600.0;
/// Each step halves the logarithm of what is left of nine and a half decades; these leave a part in a hundred thousand.
const STEPS: usize = 21;

/// Returns the rate at which spot enters or leaves the best mix.
pub(super) fn of(problem: &Problem, terms: &Terms, best: &Candidate) -> Option<BreakEven> {
    if matches!(problem.rule, ShareRule::DedicatedOnly | ShareRule::Fixed { .. }) {
        return None;
    }
    let now = problem.hazard.0.clamp(HAZARD_MIN, HAZARD_MAX);
    let uses_at = |hazard: f64| uses_spot(&Terms::new(&problem.at_hazard(Hazard(hazard))), problem.rule);
    let used_now = best.spot > least_spot(terms);
    let (mut with, mut without, change) = if used_now {
        (now, HAZARD_MAX, Change::SpotLeaves)
    } else {
        (HAZARD_MIN, now, Change::SpotEnters)
    };
    let changes = if used_now {
        !uses_at(without)
    } else {
        uses_at(with)
    };
    if !changes {
        return None;
    }
    for _ in 0..STEPS {
        let middle = (with * without).sqrt();
        if uses_at(middle) {
            with = middle;
        } else {
            without = middle;
        }
    }
    Some(BreakEven {
        hazard: Hazard((with * without).sqrt()),
        change,
    })
}

/// Returns whether the best mix has more spot than the limits demand.
fn uses_spot(terms: &Terms, rule: ShareRule) -> bool {
    if rule == ShareRule::ExpectedCost {
        for promise in [Promise::Met, Promise::Late, Promise::WhileSpotLasts] {
            let search = Search { terms, promise };
            let without = search.without_spot();
            let below = without.map_or(f64::INFINITY, |without| without.cost);
            if search.walk(search.some_spot(), Pick::AnyBelow(below)).is_some() {
                return true;
            }
            if without.is_some() {
                return false;
            }
        }
    }
    answer(terms, rule).1.spot > least_spot(terms)
}

impl Problem {
    /// Returns the same problem at another eviction rate, with all hazards in proportion: a chance to last S becomes S^x at x
    /// times the rate. Where the rate is nothing now, all of the new one is of single nodes.
    #[must_use]
    pub fn at_hazard(&self, hazard: Hazard) -> Self {
        let old = &self.outlook;
        let outlook = if self.hazard.0 > 0.0 {
            let x = hazard.0 / self.hazard.0;
            let spared = if old.survival.get() > 0.0 {
                old.survival_of_shock.get() * old.survival.get().powf(x - 1.0)
            } else {
                old.survival_of_shock.get()
            };
            Outlook {
                up: if self.outage { old.up } else { power(old.up, x) },
                survival: power(old.survival, x),
                survival_of_shock: chance(spared),
                ..*old
            }
        } else {
            let alone = hazard.survival(self.horizon).get();
            Outlook {
                survival: chance(old.survival.get() * alone),
                survival_of_shock: chance(old.survival_of_shock.get() * alone),
                ..*old
            }
        };
        Self {
            outlook,
            hazard,
            ..self.clone()
        }
    }
}

fn power(base: Probability, exponent: f64) -> Probability {
    chance(base.get().powf(exponent))
}

/// Returns a number as a chance; what is no number is never.
fn chance(number: f64) -> Probability {
    Probability::new(number.clamp(0.0, 1.0)).unwrap_or(Probability::ZERO)
}
