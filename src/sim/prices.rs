//! What nodes cost over the time of a run.

use super::SupplyError;
use crate::base::{Lane, Span, Timestamp, UsdHourly};
use crate::market::{PricePath, PriceStep};
use crate::policy::Prices;

/// What the nodes of each lane cost over time.
#[derive(Clone, Debug, PartialEq)]
pub struct PricePaths {
    /// A dedicated node.
    pub dedicated: PricePath,
    /// A spot node.
    pub spot: PricePath,
}

impl PricePaths {
    /// Returns prices that never change.
    pub const fn constant(prices: &Prices) -> Self {
        Self {
            dedicated: PricePath::constant(prices.dedicated),
            spot: PricePath::constant(prices.spot),
        }
    }

    /// Returns the price of one lane.
    pub const fn get(&self, lane: Lane) -> &PricePath {
        match lane {
            Lane::Dedicated => &self.dedicated,
            Lane::Spot => &self.spot,
        }
    }

    /// Returns the lowest price that each lane ever has.
    pub fn least(&self) -> Prices {
        Prices {
            dedicated: self.dedicated.least(),
            spot: self.spot.least(),
        }
    }

    /// Returns when a price changes after `start` and before `end`.
    pub(in crate::sim) fn changes_between(&self, start: Timestamp, end: Timestamp) -> Vec<Timestamp> {
        let both = self.dedicated.changes().chain(self.spot.changes());
        let mut changes: Vec<_> = both.filter(|at| start < *at && *at < end).collect();
        changes.sort_unstable();
        changes.dedup();
        changes
    }
}

/// Reads a price over time: a header `t_s,usd_hourly` and a row for each change, in order of time from the start of the run.
///
/// # Errors
/// With the first line that is not such a row, and when there is none.
pub fn read_prices(text: &str, start: Timestamp) -> Result<PricePath, SupplyError> {
    let wrong = |line: Option<usize>, message: String| SupplyError {
        line,
        message,
        help: "rows are `seconds,dollars an hour` in order of time below the header `t_s,usd_hourly`"
            .to_owned(),
    };
    let mut lines = text.lines().zip(1..);
    if lines
        .next()
        .is_none_or(|(header, _)| header.trim() != "t_s,usd_hourly")
    {
        return Err(wrong(
            Some(1),
            "the header `t_s,usd_hourly` is missing".to_owned(),
        ));
    }
    let mut steps: Vec<PriceStep> = Vec::new();
    for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
        let row = line.split_once(',').and_then(|(at, price)| {
            let seconds = at.trim().parse::<f64>().ok()?;
            let price = price.trim().parse::<f64>().ok()?;
            // A million dollars an hour is a slip of the pen.
            ((0.0..=1e9).contains(&seconds) && (0.0..=1e6).contains(&price)).then_some((seconds, price))
        });
        let Some((seconds, price)) = row else {
            return Err(wrong(Some(number), format!("`{line}` is no price")));
        };
        let from = start + Span::from_seconds(seconds);
        if steps.last().is_some_and(|last| last.from >= from) {
            return Err(wrong(
                Some(number),
                format!("`{line}` is not later than the row before it"),
            ));
        }
        steps.push(PriceStep {
            from,
            price: UsdHourly(price),
        });
    }
    let first = steps
        .first()
        .ok_or_else(|| wrong(None, "there is no price".to_owned()))?;
    PricePath::new(first.price, steps.clone())
        .ok_or_else(|| wrong(None, "the prices are not in order".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_or_refused_with_its_line() {
        let at = Timestamp::from_unix_seconds;
        let path = read_prices("t_s,usd_hourly\n0,0.04\n3600,0.08\n", at(100)).unwrap();
        assert_eq!(path.price_at(at(3699)), UsdHourly(0.04));
        assert_eq!(path.price_at(at(3700)), UsdHourly(0.08));
        for (text, expected) in [
            ("", "line 1: the header"),
            ("t_s,usd_hourly\n", "there is no price"),
            ("t_s,usd_hourly\n0,-1\n", "line 2: `0,-1` is no price"),
            ("t_s,usd_hourly\n5,1\n5,2\n", "line 3: `5,2` is not later"),
        ] {
            let error = read_prices(text, at(0)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
