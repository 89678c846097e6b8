//! Lifetimes fitted to recorded lives by maximum likelihood, and how well they foretell lives that they have not seen.
//!
//! A life that ended at t adds ln f(t) = ln h(t) - H(t) to the likelihood, one that was stopped then ln S(t) = -H(t).

mod families;
mod simplex;

use serde::{Deserialize, Serialize};

use super::{Hazard, Life, Lifetime};

/// A family of lifetimes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Family {
    /// Age does not matter.
    Exponential,
    /// The hazard is a power of the age.
    Weibull,
    /// The logarithm of the lifetime is normal.
    LogNormal,
    /// Early deaths, then a quiet life, then perhaps a hard end.
    Bathtub,
    /// A constant hazard on each piece of the age.
    Piecewise,
}

/// The likeliest lifetime of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The family.
    pub family: Family,
    /// The lifetime.
    pub lifetime: Lifetime,
    /// Numbers that were chosen to fit; the cuts of a piecewise hazard, which are where equal counts of ends fall, are not
    /// counted.
    pub n_parameters: usize,
    /// The logarithm of the likelihood, lives in hours.
    pub log_likelihood: f64,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Exponential,
        Self::Weibull,
        Self::LogNormal,
        Self::Bathtub,
        Self::Piecewise,
    ];

    /// Returns its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exponential => "exponential",
            Self::Weibull => "weibull",
            Self::LogNormal => "log-normal",
            Self::Bathtub => "bathtub",
            Self::Piecewise => "piecewise",
        }
    }

    /// Returns the likeliest lifetime of the family; `None` when no life ended, or none of the family can have made them.
    pub fn fit(self, lives: &[Life]) -> Option<Fit> {
        if !lives.iter().any(|life| life.ended) {
            return None;
        }
        let fit = match self {
            Self::Exponential => Some(families::exponential(lives)),
            Self::Weibull => families::weibull(lives),
            Self::LogNormal => families::log_normal(lives),
            Self::Bathtub => families::bathtub(lives),
            Self::Piecewise => families::piecewise(lives),
        };
        fit.filter(|fit| fit.log_likelihood.is_finite() && fit.lifetime.fault().is_none())
    }
}

impl Fit {
    fn new(family: Family, lifetime: Lifetime, n_parameters: usize, lives: &[Life]) -> Self {
        Self {
            family,
            log_likelihood: log_likelihood(&lifetime, lives),
            lifetime,
            n_parameters,
        }
    }

    /// Returns Akaike's criterion, 2 k - 2 ln L: of two fits to the same lives the one with less is the better guess.
    pub fn aic(&self) -> f64 {
        2.0 * self.n_parameters as f64 - 2.0 * self.log_likelihood
    }
}

/// Returns the logarithm of the likelihood of lives; minus infinity when the lifetime cannot have made them.
pub fn log_likelihood(lifetime: &Lifetime, lives: &[Life]) -> f64 {
    lives
        .iter()
        .map(|life| {
            let age = life.hours();
            let survived = -lifetime.cumulative(age);
            // Past a hard end a rate is no number, and surviving to there is already impossible.
            if life.ended && survived > f64::NEG_INFINITY {
                survived + lifetime.rate(age).ln()
            } else {
                survived
            }
        })
        .sum()
}

/// The share that a lifetime is given of a constant hazard when it is scored: one life in a thousand may be of another making.
const OTHERS: f64 = 0.001;

/// Returns the logarithm of the likelihood for each life that ended, to compare how lifetimes foretell lives that they were not
/// fitted to: more is better. `None` when none ended.
///
/// A thousandth of every lifetime is a constant hazard, `otherwise`: else a hard end that one life outlives by a minute would
/// make all the others count for nothing.
pub fn score_per_end(lifetime: &Lifetime, otherwise: Hazard, lives: &[Life]) -> Option<f64> {
    let n_ends = lives.iter().filter(|life| life.ended).count();
    let score = |life: &Life| {
        let age = life.hours();
        let survived = (-lifetime.cumulative(age)).exp();
        let others = (-otherwise.0 * age).exp();
        let (own, other) = if life.ended {
            let rate = if survived > 0.0 { lifetime.rate(age) } else { 0.0 };
            (survived * rate, others * otherwise.0)
        } else {
            (survived, others)
        };
        ((1.0 - OTHERS) * own + OTHERS * other).ln()
    };
    (n_ends > 0).then(|| lives.iter().map(score).sum::<f64>() / n_ends as f64)
}
