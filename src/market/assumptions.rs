//! What is taken for granted before a market has shown anything, and how fast what it shows grows old.

use serde::{Deserialize, Serialize};
use statrs::function::gamma::gamma;

use super::posterior::Prior;
use super::{Band, Hazard, Shock};
use crate::base::{Probability, Span};

/// Priors, half-lives, and when losses are a shock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Assumptions {
    /// Evictions of a node.
    pub node: Prior,
    /// How long it takes until what was seen of nodes counts half.
    pub half_life: Span,
    /// How long capacity lasts on average; worth one run of it.
    pub up_mean: Span,
    /// How long an outage lasts on average; worth one outage.
    pub down_mean: Span,
    /// What a shock takes; worth one shock.
    pub shock: Shock,
    /// How long it takes until what was seen of capacity counts half.
    pub regime_half_life: Span,
    /// From which share of the fleet on losses are a shock and not single evictions.
    pub shock_share: f64,
    /// How close together they must be.
    pub shock_within: Span,
    /// How long a node that is wanted may take to be allocated before capacity is said to be short.
    pub grant_within: Span,
}

impl Default for Assumptions {
    /// The mildest band of Azure, a shock every two days and outages of an hour, as in its synthetic markets; half-lives of
    /// 7 and 2 days times ln 2; a shock is a third of a fleet, half of whose fate is shared (measured on spot pools of 4 and 16
    /// nodes: correlations of 0.42 and 0.89, most lost nodes fall with half their fleet or more).
    fn default() -> Self {
        Self {
            node: Band::UpTo5.prior(),
            half_life: Span::hours(116),
            up_mean: Span::hours(48),
            down_mean: Span::hours(1),
            shock: Shock {
                share: 0.75,
                correlation: 0.5,
            },
            regime_half_life: Span::hours(33),
            shock_share: 0.34,
            shock_within: Span::minutes(5),
            grant_within: Span::minutes(5),
        }
    }
}

impl Band {
    /// Returns the band as a prior that is worth one eviction.
    pub fn prior(self) -> Prior {
        Prior::worth_one_eviction(self.hazard())
    }
}

/// Capacity runs have this Weibull shape in every group that was measured (0.57 to 0.61): the young end first.
const UP_SHAPE: f64 = 0.6;

/// Outages too: the slope of ln H between 0.25 and 4 hours, where 0.71 and 0.12 of the outages of nine single-node markets
/// last longer.
const DOWN_SHAPE: f64 = 0.65;

impl Assumptions {
    /// Returns the rates at which a run of capacity is expected to end, for each stretch between the cuts of its age.
    pub(super) fn up_rates<const N: usize>(&self, cuts: &[f64]) -> [f64; N] {
        rates(self.up_mean, UP_SHAPE, cuts)
    }

    /// Returns the rates at which an outage is expected to end, for each stretch between the cuts of its age.
    pub(super) fn down_rates<const N: usize>(&self, cuts: &[f64]) -> [f64; N] {
        rates(self.down_mean, DOWN_SHAPE, cuts)
    }

    /// Returns what is wrong, with what it must be; `None` when nothing is.
    pub fn fault(&self) -> Option<String> {
        let share = |name: &str, value: f64| {
            Probability::new(value)
                .is_none()
                .then(|| format!("`{name}` is {value} and must lie between 0 and 1"))
        };
        let spans = [
            ("weight", self.node.weight),
            ("halfLife", self.half_life),
            ("upMean", self.up_mean),
            ("downMean", self.down_mean),
            ("regimeHalfLife", self.regime_half_life),
            ("shockWithin", self.shock_within),
            ("grantWithin", self.grant_within),
        ];
        let mut of_spans = spans.into_iter().filter(|(_, span)| *span <= Span::ZERO);
        let Hazard(rate) = self.node.per_node_hour;
        (!(rate.is_finite() && rate > 0.0))
            .then(|| format!("`perNodeHour` is {rate} and must be a number above 0"))
            .or_else(|| {
                of_spans
                    .next()
                    .map(|(name, _)| format!("`{name}` must be longer than nothing"))
            })
            .or_else(|| share("share", self.shock.share))
            .or_else(|| share("correlation", self.shock.correlation))
            .or_else(|| share("shockShare", self.shock_share))
    }
}

/// Returns the mean rate of a Weibull of this mean and shape on each stretch between cuts.
fn rates<const N: usize>(mean: Span, shape: f64, cuts: &[f64]) -> [f64; N] {
    // The mean of a Weibull of scale 1 is Gamma(1 + 1/k).
    let scale = mean.max(Span::seconds(1)).as_hours() / gamma(1.0 + 1.0 / shape);
    let cumulative = |age: f64| (age / scale).powf(shape);
    std::array::from_fn(|bin| {
        let low = if bin == 0 { 0.0 } else { cuts[bin - 1] };
        // The last stretch has no end; its rate is that of its first doubling.
        let high = cuts.get(bin).copied().unwrap_or(2.0 * low);
        (cumulative(high) - cumulative(low)) / (high - low)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Piecewise;
    use crate::market::numeric::area_survived;

    #[test]
    fn expected_runs_and_outages_have_the_mean_that_was_asked_for() {
        let cuts = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
        for hours in [0.5, 1.0, 4.0] {
            let assumptions = Assumptions {
                up_mean: Span::from_seconds(3600.0 * hours),
                down_mean: Span::from_seconds(3600.0 * hours),
                ..Assumptions::default()
            };
            for rates in [assumptions.up_rates::<8>(&cuts), assumptions.down_rates(&cuts)] {
                assert!(rates.windows(2).all(|pair| pair[0] > pair[1]), "{rates:?}");
                let lifetime = Piecewise::new(cuts.to_vec(), rates.map(Hazard).to_vec()).unwrap();
                let mean = area_survived(|age| lifetime.cumulative(age), 500.0, &cuts);
                // Pieces hold the hazard still within a stretch, which moves the mean a little.
                assert!((mean / hours - 1.0).abs() < 0.1, "{mean} for {hours}");
            }
        }
    }

    #[test]
    fn assumptions_are_checked() {
        assert_eq!(Assumptions::default().fault(), None);
        let wrong = Assumptions {
            half_life: Span::ZERO,
            ..Assumptions::default()
        };
        assert_eq!(wrong.fault().unwrap(), "`halfLife` must be longer than nothing");
        let read: Assumptions = serde_json::from_str(r#"{"shockShare":0.2}"#).unwrap();
        assert_eq!(read.shock_share, 0.2);
    }
}
