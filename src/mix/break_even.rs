//! The eviction rate at which the answer changes.

use super::branch::Care;
use super::search::{Candidate, Search};
use super::solve::{answer, least_spot};
use super::terms::Terms;
use super::{BreakEven, Change, Problem, Promise, ShareRule};
use crate::base::Probability;
use crate::market::{Hazard, Outlook};

/// Rates below an eviction in a hundred years are taken for none.
const HAZARD_MIN: f64 = 1e-6;
/// Rates above one eviction a second are not looked at: no node would boot.
pub(super) const HAZARD_MAX: f64 = 3600.0;
/// How near the rate is told, as a difference of logarithms: a part in a hundred thousand.
const WIDTH: f64 = 1e-5;
/// A quarter of the steps halve the 22 units of nine and a half decades; these leave less than `WIDTH` of them.
const STEPS_MAX: usize = 88;
/// How many mixes of a large pool are looked at for each rate. At its break-even rate all its mixes cost about the same, and
/// rounding to whole nodes decides between them: the rate is told to within the node or two of the bill that this makes.
const LOOKS: u32 = 32;

/// Returns the rate at which spot enters or leaves the best mix.
pub(super) fn of(problem: &Problem, terms: &Terms, best: &Candidate) -> Option<BreakEven> {
    if matches!(problem.rule, ShareRule::DedicatedOnly | ShareRule::Fixed { .. }) {
        return None;
    }
    let now = problem.hazard.0.clamp(HAZARD_MIN, HAZARD_MAX);
    let terms_at = |hazard: f64| Terms::new(&problem.at_hazard(Hazard(hazard)));
    let uses_at = |hazard: f64| gain(&terms_at(hazard), problem.rule) > 0.0;
    let used_now = best.spot > least_spot(terms);
    let (with, without, change) = if used_now {
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
    let middle = crossing(with.ln(), without.ln(), |at| {
        gain(&terms_at(at.exp()), problem.rule)
    });
    Some(BreakEven {
        hazard: Hazard(middle.exp()),
        change,
    })
}

/// Returns where a gain changes its sign between `with`, where it is above zero, and `without`: the secant of the two ends, a
/// stale end weighed down by half (the Illinois method), and a plain half where a gain is no number or the ends close in slowly.
fn crossing(mut with: f64, mut without: f64, gain: impl Fn(f64) -> f64) -> f64 {
    let (mut gains, mut stale) = ((f64::NAN, f64::NAN), 0_i32);
    for round in 0..STEPS_MAX {
        let width = without - with;
        if width.abs() <= WIDTH {
            break;
        }
        let share = gains.0 / (gains.0 - gains.1);
        let is_secant = gains.0.is_finite() && gains.1.is_finite() && share.is_finite();
        let share = if is_secant && round % 4 != 3 {
            // Never the end itself: what is left on that side must shrink too.
            let margin = 0.4 * WIDTH / width.abs();
            share.clamp(margin, 1.0 - margin)
        } else {
            0.5
        };
        let middle = with + share * width;
        let here = gain(middle);
        if here > 0.0 {
            (with, gains.0) = (middle, here);
            stale = stale.max(0) + 1;
            if stale > 1 {
                gains.1 *= 0.5;
            }
        } else {
            (without, gains.1) = (middle, here);
            stale = stale.min(0) - 1;
            if stale < -1 {
                gains.0 *= 0.5;
            }
        }
    }
    f64::midpoint(with, without)
}

/// Returns what the best mix with more spot than the limits demand saves over the best one without; no more than zero when spot
/// is not worth it, without end when there is no other way.
fn gain(terms: &Terms, rule: ShareRule) -> f64 {
    if rule == ShareRule::ExpectedCost {
        for promise in [Promise::Met, Promise::Late, Promise::WhileSpotLasts] {
            let search = Search { terms, promise };
            let with = search.with_spot(Care::Looks(LOOKS));
            match (with, search.without_spot()) {
                (Some(with), Some(without)) => return without.cost - with.cost,
                (Some(_), None) => return f64::INFINITY,
                (None, Some(_)) => return f64::NEG_INFINITY,
                (None, None) => {}
            }
        }
    }
    if answer(terms, rule).1.spot > least_spot(terms) {
        f64::INFINITY
    } else {
        f64::NEG_INFINITY
    }
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
