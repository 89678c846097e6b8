//! How likely the provider is to take a node away: a rate per hour, and the bands in which Azure publishes it.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::{Probability, Span};

/// Evictions per node-hour: the chance that a node that is still there goes within the next moment, per hour of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Hazard(pub f64);

/// Azure's bands of the share of spot machines of a size and region that are evicted within an hour.
///
/// The portal and Resource Graph (`SpotResources`, `skuspotevictionrate`) give nothing finer; the share is per machine
/// and says nothing of how many go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Band {
    /// 0 to 5 %.
    #[serde(rename = "0-5")]
    UpTo5,
    /// 5 to 10 %.
    #[serde(rename = "5-10")]
    UpTo10,
    /// 10 to 15 %.
    #[serde(rename = "10-15")]
    UpTo15,
    /// 15 to 20 %.
    #[serde(rename = "15-20")]
    UpTo20,
    /// More than 20 %.
    #[serde(rename = "20+")]
    Over20,
}

impl Hazard {
    /// No eviction ever.
    pub const NEVER: Self = Self(0.0);

    /// Returns the chance to last for a span at this rate.
    pub fn survival(self, span: Span) -> Probability {
        chance((-self.0 * span.as_hours()).exp())
    }

    /// Returns the rate at which a share of all nodes is gone after an hour.
    pub fn from_hourly_share(share: Probability) -> Self {
        Self(-share.complement().get().ln())
    }

    /// Returns the mean time to an eviction; the longest span there is when there is none.
    pub fn mean_time(self) -> Span {
        hours(1.0 / self.0)
    }
}

/// Writes `0.025/h`, to three significant digits.
impl fmt::Display for Hazard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/h", significant(self.0)))
    }
}

/// Returns a number to three significant digits, without an exponent.
pub(super) fn significant(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = usize::try_from(2 - magnitude).unwrap_or(0).min(9);
    format!("{value:.decimals$}")
}

impl Band {
    /// All of them, mildest first.
    pub const ALL: [Self; 5] = [
        Self::UpTo5,
        Self::UpTo10,
        Self::UpTo15,
        Self::UpTo20,
        Self::Over20,
    ];

    /// Returns the band as Azure writes it, in percent.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UpTo5 => "0-5",
            Self::UpTo10 => "5-10",
            Self::UpTo15 => "10-15",
            Self::UpTo20 => "15-20",
            Self::Over20 => "20+",
        }
    }

    /// Returns the rate of the middle of the band; of the open one that of 25 %.
    pub fn hazard(self) -> Hazard {
        let share = match self {
            Self::UpTo5 => 0.025,
            Self::UpTo10 => 0.075,
            Self::UpTo15 => 0.125,
            Self::UpTo20 => 0.175,
            Self::Over20 => 0.25,
        };
        Hazard::from_hourly_share(chance(share))
    }
}

/// Returns a number as a chance: outside of 0 to 1 by rounding it is the nearest, and what is no number is never.
pub(super) fn chance(number: f64) -> Probability {
    Probability::new(number.clamp(0.0, 1.0)).unwrap_or(Probability::ZERO)
}

/// Returns a number of hours as a span; one that no span holds is the longest span.
pub(super) fn hours(number: f64) -> Span {
    Span::from_seconds(number * 3600.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_are_worth_the_rate_of_their_middle() {
        for (band, per_hour) in Band::ALL.into_iter().zip([0.025, 0.078, 0.134, 0.192, 0.288]) {
            assert!((band.hazard().0 - per_hour).abs() < 5e-4, "{}", band.label());
            let gone = band.hazard().survival(Span::hours(1)).complement().get();
            assert!((Hazard::from_hourly_share(chance(gone)).0 - band.hazard().0).abs() < 1e-12);
            let json = serde_json::to_string(&band).unwrap();
            assert_eq!(json, format!("{:?}", band.label()));
        }
    }

    #[test]
    fn a_rate_of_nought_never_takes_a_node() {
        assert_eq!(Hazard::NEVER.survival(Span::days(9999)), Probability::ONE);
        assert!(Hazard::NEVER.mean_time() > Span::days(365 * 1000));
        assert_eq!(Hazard(0.5).mean_time(), Span::hours(2));
    }

    #[test]
    fn numbers_are_told_to_three_digits() {
        for (value, told) in [(0.025_317, "0.0253"), (1234.5, "1234"), (0.0, "0"), (1.0, "1.00")] {
            assert_eq!(significant(value), told);
        }
    }
}
