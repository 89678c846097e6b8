//! What a model that was fitted to the past says: the third way of the forecast strategy, and a library's.
//!
//! ```text
//!   five days, a mean for each quarter of an hour    origin    what is said of the hours after it
//!   ├───────┼───────┼───────┼───────┼───────┤           │       ├ · · · · · · ┤
//!   mean = season + trend + rest   (MSTL, by LOESS)             season of the last day + ETS of trend and rest
//! ```
//!
//! Origins are full hours, so that one fit serves all looks of an hour. What is fitted follows from the samples of its five days alone: to keep
//! it saves time and changes no decision. (Bandara, Hyndman and Bergmeir, "MSTL", 2021; Hyndman, Koehler, Ord and Snyder, "Forecasting
//! with Exponential Smoothing", 2008.)

use std::collections::BTreeMap;

use augurs::ets::AutoETS;
use augurs::mstl::MSTLModel;
use augurs::{Fit as _, Predict as _};

use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::signal::Series;

/// A quarter of an hour has thirty samples: their mean is steady, and a start of work is still seen in time.
const CELL: Span = Span::minutes(15);
const DAY_CELLS: usize = 96;

/// With the day that a forecast is held against, and the farthest horizon, these five days lie within the seven that are kept.
const CELLS: usize = 5 * DAY_CELLS;
const PAST: Span = Span::days(5);

const ORIGINS_APART: Span = Span::hours(1);

/// Samples come late: an origin is so old before it is used that they are there, and nothing is fitted twice.
const SETTLED: Span = Span::minutes(5);

/// The farthest horizon (6 hours), after an origin that is up to an hour and five minutes old, lies before the middle of the 29th cell.
const AHEAD: usize = 29;

/// A straight line over two hours leaves a day its shape; over a night it would draw one that never was.
const GAP_MAX: Span = Span::hours(2);
const GAP_CELLS_MAX: usize = 8;

/// A tenth.
const MISSING_CELLS_MAX: usize = CELLS / 10;

/// A trend that goes on for ever is none of a pool: no more is forecast than twice the most of the five days.
const RISE_MAX: f64 = 2.0;

/// Forecasts are told to a thousandth of the most, far below their error: the last digits of a search are those of a processor.
const STEPS: f64 = 1000.0;

/// What was fitted for each pool of a policy, for the looks after.
#[derive(Debug, Default)]
pub struct Fits {
    pools: BTreeMap<PoolId, BTreeMap<Timestamp, Fit>>,
}

/// What was fitted at one origin.
#[derive(Debug)]
struct Fit {
    /// How many samples the five days had. A sample that is there never changes, and one that comes late makes one more.
    samples: usize,
    /// What is said of each cell after the origin; `None` where too much is missing.
    ahead: Option<Vec<f64>>,
}

/// What is said at each moment of a time.
#[derive(Clone, Copy)]
pub(super) struct Fitted<'a> {
    origins: &'a BTreeMap<Timestamp, Fit>,
}

impl Fits {
    /// Returns what is said of a pool's metric at each moment from one to another; `None` where too little is known for one of them.
    pub(super) fn of(
        &mut self,
        pool: &PoolId,
        series: &Series,
        (first, last): (Timestamp, Timestamp),
    ) -> Option<Fitted<'_>> {
        let (oldest, newest) = (origin(first), origin(last));
        // What could not be held against the whole of the day is not fitted at all.
        if series.oldest()? > oldest - PAST + GAP_MAX + CELL {
            return None;
        }
        if !self
            .pools
            .get(pool)
            .is_some_and(|fits| fits.contains_key(&newest))
        {
            self.forget_before(oldest);
        }
        let fits = self.pools.entry(pool.clone()).or_default();
        let mut at = newest;
        while oldest <= at {
            let samples = series.between(at, Span::ZERO, PAST).len();
            if fits.get(&at).is_none_or(|fit| fit.samples != samples) {
                let ahead = ahead(series, at);
                fits.insert(at, Fit { samples, ahead });
            }
            fits[&at].ahead.as_ref()?;
            at = at - ORIGINS_APART;
        }
        Some(Fitted { origins: fits })
    }

    /// Forgets the origins before one, and the pools that have no other.
    fn forget_before(&mut self, oldest: Timestamp) {
        self.pools.retain(|_, fits| {
            *fits = fits.split_off(&oldest);
            !fits.is_empty()
        });
    }
}

impl Fitted<'_> {
    /// Returns what is said at one moment of a later one: on the line between the middles of two cells.
    pub(super) fn said(self, at: Timestamp, of: Timestamp) -> f64 {
        let origin = origin(at);
        let fit = self.origins.get(&origin).and_then(|fit| fit.ahead.as_ref());
        let points = fit.expect("each origin of the time that was asked for is fitted");
        let place = (of.since(origin) / CELL - 0.5).clamp(0.0, (AHEAD - 1) as f64);
        let (before, part) = (place.floor() as usize, place.fract());
        let after = points[(before + 1).min(AHEAD - 1)];
        points[before] * (1.0 - part) + after * part
    }
}

/// Returns the full hour whose fit is used at a moment.
fn origin(at: Timestamp) -> Timestamp {
    let settled = (at - SETTLED).ticks();
    Timestamp::from_ticks(settled - settled.rem_euclid(ORIGINS_APART.ticks()))
}

/// Fits the model to the five days before an origin; returns what it says of each cell after it.
fn ahead(series: &Series, origin: Timestamp) -> Option<Vec<f64>> {
    let past = bridged(&means(series, origin))?;
    let most = past.iter().fold(0.0, |most: f64, mean| most.max(mean.abs()));
    if most == 0.0 {
        return Some(vec![0.0; AHEAD]);
    }
    if !most.is_finite() {
        return None;
    }
    // The library reckons in single precision, which holds no 1e300.
    let shares: Vec<f64> = past.iter().map(|mean| mean / most).collect();
    let points = fit(&shares)?;
    let told = |point: &f64| (point * STEPS).round().clamp(0.0, RISE_MAX * STEPS) / STEPS * most;
    let told: Vec<f64> = points.iter().map(told).collect();
    told.iter().all(|point| point.is_finite()).then_some(told)
}

/// Fits the model; `None` where it does not find one.
fn fit(shares: &[f64]) -> Option<Vec<f64>> {
    // An additive error, for a metric may be zero; a level, or a level with a slope, whichever has the better AICc. A slope
    // that is damped is another search, takes as long as both, and missed no less on recorded arrivals.
    let ets = AutoETS::new(1, "AZN").expect("additive, any, none is a specification");
    let ets = ets.damped(false).expect("any trend may be undamped");
    let fitted = MSTLModel::new(vec![DAY_CELLS], ets.into_trend_model())
        .fit(shares)
        .ok()?;
    // Without intervals, which the library draws by chance.
    Some(fitted.predict(AHEAD, None).ok()?.point)
}

/// Returns the mean of each cell before an origin, oldest first; a sample at the end of a cell is of that cell.
fn means(series: &Series, origin: Timestamp) -> Vec<Option<f64>> {
    let ends = std::iter::successors(Some(origin - PAST + CELL), |end| Some(*end + CELL));
    let mean = |end| {
        let (values, sum) = series.between_with_sum(end, Span::ZERO, CELL);
        let sum = sum.unwrap_or_else(|| values.iter().sum());
        (!values.is_empty()).then(|| sum / values.len() as f64)
    };
    ends.take(CELLS).map(mean).collect()
}

/// Draws a straight line over gaps, a level one at the ends; `None` where one is too long, or too much is missing in all.
fn bridged(cells: &[Option<f64>]) -> Option<Vec<f64>> {
    let missing = cells.iter().filter(|cell| cell.is_none()).count();
    if missing > MISSING_CELLS_MAX {
        return None;
    }
    let mut whole: Vec<f64> = Vec::with_capacity(cells.len());
    let mut gap = 0;
    for cell in cells {
        let Some(value) = *cell else {
            gap += 1;
            if gap > GAP_CELLS_MAX {
                return None;
            }
            continue;
        };
        let before = whole.last().copied().unwrap_or(value);
        let step = (value - before) / (gap + 1) as f64;
        whole.extend((1..=gap).map(|cell| before + step * cell as f64));
        whole.push(value);
        gap = 0;
    }
    let last = *whole.last()?;
    whole.extend(std::iter::repeat_n(last, gap));
    Some(whole)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Just, Strategy, any, prop_assert, prop_oneof, proptest};
    use proptest::test_runner::Config;

    use super::*;

    /// The cells of a series that ends at the origin, five days after 1970.
    fn series(cells: &[Option<f64>]) -> (Series, Timestamp) {
        let mut series = Series::new(Timestamp::EPOCH + CELL, CELL);
        for cell in cells {
            series.push(*cell).unwrap();
        }
        (series, Timestamp::EPOCH + PAST)
    }

    fn growing(cell: usize) -> f64 {
        let day = cell as f64 / DAY_CELLS as f64;
        100.0 + 20.0 * day + 50.0 * (day * std::f64::consts::TAU).sin()
    }

    #[test]
    fn a_rhythm_that_grows_goes_on_growing() {
        let past: Vec<_> = (0..CELLS).map(|cell| Some(growing(cell))).collect();
        let (series, origin) = series(&past);
        for (place, point) in ahead(&series, origin).unwrap().iter().enumerate() {
            let came = growing(CELLS + place);
            assert!((point - came).abs() < 0.05 * came, "{place}: {point} of {came}");
        }
    }

    #[test]
    fn short_gaps_are_bridged_and_long_ones_are_not() {
        let cell = |kept: &dyn Fn(usize) -> bool| {
            let cells = (0..CELLS).map(|cell| kept(cell).then(|| growing(cell)));
            bridged(&cells.collect::<Vec<_>>())
        };
        let whole = cell(&|at| !(101..=108).contains(&at)).unwrap();
        let middle = f64::midpoint(growing(100), growing(109));
        assert!((f64::midpoint(whole[104], whole[105]) - middle).abs() < 1e-9);
        assert_eq!(cell(&|at| !(101..=109).contains(&at)), None, "over two hours");
        assert!(cell(&|at| at % 10 != 3).is_some(), "a tenth is missing");
        assert_eq!(cell(&|at| at % 9 != 3), None, "more than a tenth is missing");
        let edges = cell(&|at| (8..CELLS - 8).contains(&at)).unwrap();
        assert_eq!((edges[0], edges[CELLS - 1]), (growing(8), growing(CELLS - 9)));
        assert_eq!(bridged(&[None; 8]), None);
    }

    #[test]
    fn an_origin_is_a_full_hour_that_is_settled() {
        let hour =
            |minutes: i64| origin(Timestamp::EPOCH + Span::minutes(minutes)).ticks() / ORIGINS_APART.ticks();
        assert_eq!([59, 60, 64, 65, 124, 125].map(hour), [0, 0, 0, 1, 1, 2]);
    }

    /// A metric of any size, with gaps and stretches that stay as they are.
    fn cells() -> impl Strategy<Value = Vec<Option<f64>>> {
        let size = prop_oneof![Just(0.0), Just(1e-300), Just(1.0), Just(4000.0), Just(1e300)];
        let values = prop_oneof![
            8 => (0..100_u32).prop_map(|value| Some(f64::from(value) / 100.0)),
            4 => Just(Some(0.0)),
            1 => any::<f64>().prop_map(|value| Some(value).filter(|value| value.is_finite())),
            1 => Just(None),
        ];
        let runs = proptest::collection::vec((values, 1..40_usize), 1..120);
        (size, runs).prop_map(|(size, runs)| {
            let cells = runs
                .iter()
                .flat_map(|(value, length)| std::iter::repeat_n(*value, *length));
            let sized = |value: f64| if value.abs() <= 1.0 { value * size } else { value };
            let cells = cells.map(|cell| cell.map(sized));
            cells.cycle().take(CELLS).collect()
        })
    }

    proptest! {
        #![proptest_config(Config { cases: 48, ..Config::default() })]

        #[test]
        fn nothing_that_comes_makes_it_panic_or_say_less_than_nothing(cells in cells()) {
            let (series, origin) = series(&cells);
            let most = cells.iter().flatten().fold(0.0, |most: f64, value| most.max(value.abs()));
            if let Some(points) = ahead(&series, origin) {
                prop_assert!(points.len() == AHEAD);
                for point in points {
                    prop_assert!((0.0..=RISE_MAX * most).contains(&point), "{point} of {most}");
                }
            }
        }
    }
}
