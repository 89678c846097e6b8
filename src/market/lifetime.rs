//! How long something lasts, by family: a node, a run of capacity, an outage.
//!
//! With T the lifetime, S(t) = P(T > t), h = -S'/S and H = -ln S. Ages within the formulas are hours.

use serde::{Deserialize, Serialize};
use statrs::function::erf::{erfc, erfc_inv};

use super::hazard::{chance, hours};
use super::{Hazard, Piecewise};
use crate::base::{Probability, Span};

/// A distribution of lifetimes. [`Lifetime::fault`] says what is wrong with parameters that come from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "family", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Lifetime {
    /// Age does not matter: S = exp(-h t).
    Exponential {
        /// The rate.
        hazard: Hazard,
    },
    /// S = exp(-(t/scale)^shape): below 1 the young go first, above 1 the old.
    Weibull {
        /// The shape k.
        shape: f64,
        /// The age that 1/e of all reach, in hours.
        scale_hours: f64,
    },
    /// The logarithm of the lifetime is normal: S = 1 - Phi((ln t - mu)/sigma); the best in every group of capacity runs
    /// and outages that was measured.
    LogNormal {
        /// The logarithm of the median in hours.
        mu: f64,
        /// The standard deviation of the logarithm.
        sigma: f64,
    },
    /// Early deaths, then a quiet life, then a hard end.
    Bathtub(Bathtub),
    /// A constant hazard on each piece of the age.
    Piecewise(Piecewise),
}

/// F(t) = A (1 - exp(-t/t1) + exp((t-b)/t2) - exp(-b/t2)): preemptible machines with a hard limit on their life
/// (Kadupitiya, Jadhao and Sharma, HPDC 2020; the last term makes F(0) exactly 0). A share of machines that F never takes
/// lives for ever when there is no end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Bathtub {
    /// A: the share that dies early.
    pub share: f64,
    /// t1: how fast it does, in hours.
    pub early_hours: f64,
    /// The hard end, where the provider has one; Azure has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<BathtubEnd>,
}

/// The end of a [`Bathtub`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BathtubEnd {
    /// b: about when it comes, in hours.
    pub at_hours: f64,
    /// t2: how sharply, in hours.
    pub late_hours: f64,
}

/// A hazard at the very start of a life may have no bound; a second is the finest age that anybody acts on.
const AGE_MIN_HOURS: f64 = 1.0 / 3600.0;

impl Lifetime {
    /// Returns the hazard at an age; ages below a second count as a second.
    pub fn hazard(&self, age: Span) -> Hazard {
        Hazard(self.rate(age.as_hours().max(AGE_MIN_HOURS)))
    }

    /// Returns the chance that what is `age` old lasts for another `span`.
    pub fn survival(&self, age: Span, span: Span) -> Probability {
        let from = age.as_hours().max(0.0);
        chance((-self.cumulative_between(from, from + span.as_hours().max(0.0))).exp())
    }

    /// Returns the age that this share of all do not reach; `None` when so many never die.
    pub fn quantile(&self, share: Probability) -> Option<Span> {
        let age = self.age_at_cumulative(-share.complement().get().ln());
        age.is_finite().then(|| hours(age))
    }

    /// Returns what is wrong with the parameters, with what they must be; `None` when nothing is.
    pub fn fault(&self) -> Option<String> {
        let positive = |name: &str, value: f64| {
            (!(value.is_finite() && value > 0.0))
                .then(|| format!("`{name}` is {value} and must be a number above 0"))
        };
        match self {
            Self::Exponential { hazard } => (!(hazard.0.is_finite() && hazard.0 >= 0.0))
                .then(|| format!("`hazard` is {} and must be a number not below 0", hazard.0)),
            Self::Weibull { shape, scale_hours } => {
                positive("shape", *shape).or_else(|| positive("scaleHours", *scale_hours))
            }
            Self::LogNormal { mu, sigma } => (!mu.is_finite())
                .then(|| format!("`mu` is {mu} and must be a number"))
                .or_else(|| positive("sigma", *sigma)),
            Self::Bathtub(bathtub) => {
                let share = Probability::new(bathtub.share)
                    .is_none()
                    .then(|| format!("`share` is {} and must lie between 0 and 1", bathtub.share));
                let end = bathtub.end.as_ref().and_then(|end| {
                    positive("atHours", end.at_hours).or_else(|| positive("lateHours", end.late_hours))
                });
                share
                    .or_else(|| positive("earlyHours", bathtub.early_hours))
                    .or(end)
            }
            Self::Piecewise(_) => None,
        }
    }

    /// Returns h(t), t in hours.
    pub(super) fn rate(&self, age: f64) -> f64 {
        match self {
            Self::Exponential { hazard } => hazard.0,
            Self::Weibull { shape, scale_hours } => {
                shape / scale_hours * (age / scale_hours).powf(shape - 1.0)
            }
            Self::LogNormal { mu, sigma } => {
                let z = (age.ln() - mu) / sigma;
                (ln_normal_density(z) - ln_normal_survival(z)).exp() / (sigma * age)
            }
            Self::Bathtub(bathtub) => bathtub.density(age) / bathtub.survival(age),
            Self::Piecewise(pieces) => pieces.hazard(age),
        }
    }

    /// Returns H(t), t in hours.
    pub(super) fn cumulative(&self, age: f64) -> f64 {
        if age <= 0.0 {
            return 0.0;
        }
        match self {
            Self::Exponential { hazard } => hazard.0 * age,
            Self::Weibull { shape, scale_hours } => (age / scale_hours).powf(*shape),
            Self::LogNormal { mu, sigma } => -ln_normal_survival((age.ln() - mu) / sigma),
            Self::Bathtub(bathtub) => -bathtub.survival(age).ln(),
            Self::Piecewise(pieces) => pieces.cumulative(age),
        }
    }

    /// Returns H(to) - H(from); infinite when nothing lives to `from`.
    pub(super) fn cumulative_between(&self, from: f64, to: f64) -> f64 {
        let before = self.cumulative(from);
        if before.is_infinite() {
            return f64::INFINITY;
        }
        (self.cumulative(to) - before).max(0.0)
    }

    /// Returns the age at which H reaches a value, in hours; infinite when it never does.
    pub(super) fn age_at_cumulative(&self, value: f64) -> f64 {
        match self {
            Self::Exponential { hazard } if value > 0.0 => value / hazard.0,
            Self::Exponential { .. } => 0.0,
            Self::Weibull { shape, scale_hours } => scale_hours * value.powf(1.0 / shape),
            Self::LogNormal { mu, sigma } => {
                // S = erfc(z/√2)/2.
                let z = std::f64::consts::SQRT_2 * erfc_inv(2.0 * (-value).exp());
                (mu + sigma * z).exp()
            }
            Self::Bathtub(bathtub) => bathtub.age_at_survival((-value).exp()),
            Self::Piecewise(pieces) => pieces.age_at_cumulative(value),
        }
    }

    /// Returns the ages in hours at which the hazard jumps.
    pub(super) fn kinks(&self) -> &[f64] {
        match self {
            Self::Piecewise(pieces) => pieces.cuts_hours(),
            _ => &[],
        }
    }
}

impl Bathtub {
    fn survival(&self, age: f64) -> f64 {
        let late = self.end.map_or(0.0, |end| {
            ((age - end.at_hours) / end.late_hours).exp() - (-end.at_hours / end.late_hours).exp()
        });
        let gone = self.share * (-(-age / self.early_hours).exp_m1() + late);
        (1.0 - gone).max(0.0)
    }

    fn density(&self, age: f64) -> f64 {
        let late = self.end.map_or(0.0, |end| {
            ((age - end.at_hours) / end.late_hours).exp() / end.late_hours
        });
        self.share * ((-age / self.early_hours).exp() / self.early_hours + late)
    }

    /// Halves an interval of ages; S falls, so that one age belongs to each of its values.
    fn age_at_survival(&self, wanted: f64) -> f64 {
        let mut high = self.early_hours;
        while self.survival(high) > wanted {
            high *= 2.0;
            // 2^60 early lives: the share that never dies.
            if high > self.early_hours * 1e18 {
                return f64::INFINITY;
            }
        }
        let mut low = 0.0;
        for _ in 0..100 {
            let middle = f64::midpoint(low, high);
            if self.survival(middle) > wanted {
                low = middle;
            } else {
                high = middle;
            }
        }
        high
    }
}

/// Returns the logarithm of the standard normal density.
pub(super) fn ln_normal_density(z: f64) -> f64 {
    const HALF_LN_TWO_PI: f64 = 0.918_938_533_204_672_8;
    -0.5 * z * z - HALF_LN_TWO_PI
}

/// Returns the logarithm of the chance that a standard normal is above z.
pub(super) fn ln_normal_survival(z: f64) -> f64 {
    // Far out erfc is nought in floating point, and the first terms of Mills' ratio are exact to 1e-6.
    const FAR: f64 = 25.0;
    if z > FAR {
        let square = 1.0 / (z * z);
        return ln_normal_density(z) - z.ln() + (square * (3.0 * square - 1.0)).ln_1p();
    }
    (0.5 * erfc(z / std::f64::consts::SQRT_2)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Lifetime> {
        let end = Some(BathtubEnd {
            at_hours: 24.5,
            late_hours: 0.77,
        });
        let bathtub = |share, end| {
            Lifetime::Bathtub(Bathtub {
                share,
                early_hours: 0.94,
                end,
            })
        };
        vec![
            Lifetime::Exponential { hazard: Hazard(0.3) },
            Lifetime::Weibull {
                shape: 0.6,
                scale_hours: 2.0,
            },
            Lifetime::LogNormal { mu: -0.4, sigma: 1.7 },
            bathtub(0.41, end),
            bathtub(0.41, None),
            Lifetime::Piecewise(
                Piecewise::new(vec![0.5, 4.0], vec![Hazard(1.0), Hazard(0.2), Hazard(0.05)]).unwrap(),
            ),
        ]
    }

    #[test]
    fn the_hazard_is_the_slope_of_the_cumulative_hazard() {
        for lifetime in all() {
            for age in [0.1, 0.7, 3.0, 20.0] {
                let step = 1e-6;
                let slope =
                    (lifetime.cumulative(age + step) - lifetime.cumulative(age - step)) / (2.0 * step);
                let rate = lifetime.rate(age);
                assert!(
                    (slope - rate).abs() < 1e-5 * (1.0 + rate),
                    "{lifetime:?} at {age}: {slope} {rate}"
                );
            }
        }
    }

    #[test]
    fn a_quantile_is_the_age_that_so_many_do_not_reach() {
        for lifetime in all() {
            for share in [0.05, 0.3, 0.4] {
                let age = lifetime.quantile(chance(share)).unwrap();
                let gone = lifetime.survival(Span::ZERO, age).complement().get();
                assert!((gone - share).abs() < 1e-6, "{lifetime:?}: {gone} for {share}");
            }
        }
        let immortal = &all()[4];
        assert_eq!(immortal.quantile(chance(0.5)), None);
        assert_eq!(
            immortal.survival(Span::hours(1000), Span::hours(1000)),
            Probability::ONE
        );
    }

    #[test]
    fn nothing_outlives_a_hard_end() {
        let bathtub = &all()[3];
        assert_eq!(
            bathtub.survival(Span::hours(20), Span::hours(10)),
            Probability::ZERO
        );
        assert_eq!(
            bathtub.survival(Span::hours(30), Span::hours(1)),
            Probability::ZERO
        );
        assert!(bathtub.hazard(Span::hours(24)) > bathtub.hazard(Span::hours(12)));
    }

    #[test]
    fn the_far_tail_of_the_normal_joins_the_near_one() {
        for z in [24.999_999, 25.000_001] {
            // ln Q(25) = -316.639408..., by Mills' ratio to six terms.
            assert!(
                (ln_normal_survival(z) + 316.6394).abs() < 1e-3,
                "{}",
                ln_normal_survival(z)
            );
        }
        assert!(ln_normal_survival(1e9).is_finite());
        assert!((ln_normal_survival(0.0) - 0.5_f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn parameters_from_outside_are_told_what_is_wrong_with_them() {
        for lifetime in all() {
            assert_eq!(lifetime.fault(), None);
            let json = serde_json::to_string(&lifetime).unwrap();
            assert_eq!(serde_json::from_str::<Lifetime>(&json).unwrap(), lifetime);
        }
        let json = r#"{"family":"weibull","shape":-1,"scaleHours":2}"#;
        let weibull: Lifetime = serde_json::from_str(json).unwrap();
        assert_eq!(
            weibull.fault().unwrap(),
            "`shape` is -1 and must be a number above 0"
        );
    }
}
