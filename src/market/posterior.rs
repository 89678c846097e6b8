//! What is believed of a rate after some evidence: a gamma distribution, the conjugate prior of events over time.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Gamma, Normal};

use super::Hazard;
use super::hazard::{chance, hours};
use crate::base::{Probability, Span};

/// A rate that is not known exactly: Gamma(`events`, `hours`), as after so many events in so many hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rate {
    /// The shape: events seen, and what the prior is worth in events. Above 0.
    pub events: f64,
    /// The inverse scale: hours watched, and what the prior is worth in hours. Above 0.
    pub hours: f64,
}

/// What is known of a rate before anything is seen.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prior {
    /// The rate that is expected.
    pub per_node_hour: Hazard,
    /// How many hours of evidence it is worth: after as many, evidence and prior count the same.
    pub weight: Span,
}

/// From this many events on the gamma's quantiles are taken by Wilson and Hilferty's cube root, exact to six digits there,
/// where the series of the exact ones grow long.
const MANY_EVENTS: f64 = 10_000.0;

impl Rate {
    /// Returns the expected rate.
    pub fn mean(self) -> Hazard {
        Hazard(self.events / self.hours)
    }

    /// Returns the rate that the true one stays below with a chance.
    pub fn quantile(self, below: Probability) -> Hazard {
        Hazard(unit_quantile(self.events, below.get()) / self.hours)
    }

    /// Returns the middle interval that holds the true rate with a chance.
    pub fn interval(self, level: Probability) -> (Hazard, Hazard) {
        let tail = level.complement().get() / 2.0;
        (self.quantile(chance(tail)), self.quantile(chance(1.0 - tail)))
    }

    /// Returns the chance that nothing happens for a span, the rate being as uncertain as it is: Lomax, with a heavier tail
    /// than any one rate has.
    pub fn predictive_survival(self, span: Span) -> Probability {
        chance((self.hours / (self.hours + span.as_hours().max(0.0))).powf(self.events))
    }
}

/// Returns the quantile of Gamma(events, 1).
fn unit_quantile(events: f64, below: f64) -> f64 {
    if below <= 0.0 {
        return 0.0;
    }
    if events > MANY_EVENTS {
        let z = Normal::standard().inverse_cdf(below.min(1.0 - f64::EPSILON));
        let ninth = 1.0 / (9.0 * events);
        return events * (1.0 - ninth + z * ninth.sqrt()).powi(3);
    }
    // No finite rate is certain not to be exceeded.
    Gamma::new(events, 1.0).map_or(0.0, |gamma| gamma.inverse_cdf(below.min(1.0 - f64::EPSILON)))
}

impl Prior {
    /// Returns a prior that is worth one eviction.
    pub fn worth_one_eviction(per_node_hour: Hazard) -> Self {
        Self {
            per_node_hour,
            weight: hours(1.0 / per_node_hour.0),
        }
    }

    /// Returns the rate that is believed when nothing has been seen.
    pub fn rate(self) -> Rate {
        // A prior of nothing would divide by nothing: a rate of 1e-9 an hour is one event in a hundred thousand years.
        let rate = self.per_node_hour.0.max(1e-9);
        let weight = self.weight.as_hours().max(1e-3);
        Rate {
            events: rate * weight,
            hours: weight,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_tables() {
        let one = Rate {
            events: 1.0,
            hours: 4.0,
        };
        // Gamma(1) is exponential: its median is ln 2.
        assert!((one.quantile(chance(0.5)).0 - std::f64::consts::LN_2 / 4.0).abs() < 1e-9);
        // Chi-square of 20 degrees, half of it: 90 % point 28.412, 10 % point 12.443.
        let ten = Rate {
            events: 10.0,
            hours: 100.0,
        };
        let (low, high) = ten.interval(chance(0.8));
        assert!(
            (low.0 - 0.062_213).abs() < 1e-5 && (high.0 - 0.142_06).abs() < 1e-5,
            "{low} {high}"
        );
        assert_eq!(ten.mean(), Hazard(0.1));
    }

    #[test]
    fn quantiles_of_many_events_join_those_of_few() {
        let at = |events| unit_quantile(events, 0.9) / events;
        assert!((at(9_999.0) - at(10_001.0)).abs() < 1e-5);
        assert!(
            at(1e12).is_finite()
                && unit_quantile(1e12, 1.0).is_finite()
                && unit_quantile(0.01, 1.0).is_finite()
        );
    }

    #[test]
    fn an_uncertain_rate_survives_longer_than_its_mean() {
        let rate = Rate {
            events: 2.0,
            hours: 10.0,
        };
        let span = Span::hours(20);
        // (10/30)^2 against e^-4.
        assert!((rate.predictive_survival(span).get() - 1.0 / 9.0).abs() < 1e-12);
        assert!(rate.predictive_survival(span) > rate.mean().survival(span));
    }

    #[test]
    fn a_prior_is_worth_its_weight() {
        let prior = Prior::worth_one_eviction(Hazard(0.025));
        assert_eq!(prior.weight, Span::hours(40));
        assert!((prior.rate().events - 1.0).abs() < 1e-9);
        let nothing = Prior {
            per_node_hour: Hazard::NEVER,
            weight: Span::ZERO,
        };
        assert!(nothing.rate().mean().0 > 0.0 && nothing.rate().quantile(chance(0.9)).0.is_finite());
    }
}
