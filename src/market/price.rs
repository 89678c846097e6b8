//! What an hour of a node costs over time: a price that holds until the next one.

use serde::{Deserialize, Serialize};

use crate::base::{Span, Timestamp, Usd, UsdHourly};

/// A price that changes at instants: constant, stepped, or as it was recorded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Steps")]
pub struct PricePath {
    first: UsdHourly,
    steps: Vec<PriceStep>,
}

/// A price from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PriceStep {
    /// From when.
    pub from: Timestamp,
    /// The price.
    pub price: UsdHourly,
}

/// A [`PricePath`] as it is written, before it is known to be one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Steps {
    first: UsdHourly,
    #[serde(default)]
    steps: Vec<PriceStep>,
}

impl TryFrom<Steps> for PricePath {
    type Error = &'static str;
    fn try_from(path: Steps) -> Result<Self, &'static str> {
        Self::new(path.first, path.steps)
            .ok_or("steps of a price must rise in time, and no price lies below 0")
    }
}

impl PricePath {
    /// Returns a price that never changes.
    pub const fn constant(price: UsdHourly) -> Self {
        Self {
            first: price,
            steps: Vec::new(),
        }
    }

    /// Returns a price that is `first` until the first step; `None` unless steps rise in time and every price is a number
    /// not below 0.
    pub fn new(first: UsdHourly, steps: Vec<PriceStep>) -> Option<Self> {
        let rises = steps.windows(2).all(|pair| pair[0].from < pair[1].from);
        let mut prices = std::iter::once(first).chain(steps.iter().map(|step| step.price));
        let are_prices = prices.all(|price| price.0.is_finite() && price.0 >= 0.0);
        (rises && are_prices).then_some(Self { first, steps })
    }

    /// Returns the instants at which the price may change, in order.
    pub fn changes(&self) -> impl Iterator<Item = Timestamp> + '_ {
        self.steps.iter().map(|step| step.from)
    }

    /// Returns the lowest price that there ever is.
    pub fn least(&self) -> UsdHourly {
        let later = self.steps.iter().map(|step| step.price);
        later.fold(
            self.first,
            |least, price| {
                if price.0 < least.0 { price } else { least }
            },
        )
    }

    /// Returns the price at an instant.
    pub fn price_at(&self, at: Timestamp) -> UsdHourly {
        let next = self.steps.partition_point(|step| step.from <= at);
        next.checked_sub(1)
            .map_or(self.first, |held| self.steps[held].price)
    }

    /// Returns what one node costs from one instant to another: the integral of the price, exact for steps; nothing when
    /// the second is not after the first.
    pub fn integral(&self, from: Timestamp, to: Timestamp) -> Usd {
        let mut at = from;
        let mut sum = Usd::ZERO;
        let next = self.steps.partition_point(|step| step.from <= from);
        for step in &self.steps[next..] {
            if step.from >= to {
                break;
            }
            sum += self.price_at(at) * (step.from - at);
            at = step.from;
        }
        sum + self.price_at(at) * (to - at).max(Span::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::EPOCH + Span::hours(hour)
    }

    fn path() -> PricePath {
        let step = |hour, price| PriceStep {
            from: at(hour),
            price: UsdHourly(price),
        };
        PricePath::new(UsdHourly(1.0), vec![step(10, 2.0), step(20, 0.5)]).unwrap()
    }

    #[test]
    fn a_price_holds_until_the_next_one() {
        let path = path();
        for (hour, price) in [(0, 1.0), (9, 1.0), (10, 2.0), (19, 2.0), (20, 0.5), (99, 0.5)] {
            assert_eq!(path.price_at(at(hour)), UsdHourly(price), "{hour} h");
        }
    }

    #[test]
    fn the_bill_is_the_area_under_the_price() {
        let path = path();
        for (from, to, usd) in [
            (0, 10, 10.0),
            (9, 21, 1.0 + 20.0 + 0.5),
            (10, 20, 20.0),
            (30, 34, 2.0),
            (7, 5, 0.0),
        ] {
            assert_eq!(path.integral(at(from), at(to)), Usd(usd), "{from} to {to}");
        }
        assert_eq!(
            PricePath::constant(UsdHourly(3.0)).integral(at(0), at(2)),
            Usd(6.0)
        );
    }

    #[test]
    fn steps_that_go_back_in_time_are_refused() {
        let json = r#"{"first":1.0,"steps":[{"from":"2026-01-02T00:00:00Z","price":1.0},{"from":"2026-01-01T00:00:00Z","price":2.0}]}"#;
        assert!(serde_json::from_str::<PricePath>(json).is_err());
        assert_eq!(PricePath::new(UsdHourly(-1.0), Vec::new()), None);
    }
}
