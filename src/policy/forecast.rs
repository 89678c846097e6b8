//! The forecast strategy: what came at this time of earlier days or weeks is expected to come again.
//!
//! ```text
//! S(τ) = mean of the metric around τ − season, τ − 2 seasons, … as far as samples are kept
//! seasonal:  S(now + horizon)          shifted:  S(now + horizon) + metric(now) − S(now)
//! ```
//!
//! Both are held against the past day, each quarter of an hour, and the one with the smaller error is believed, if it was better than
//! taking the present value for the future one (MASE below 1; Hyndman and Koehler, 2006, with the same horizon). A forecast
//! can only raise what another strategy asks for, because the strategy that asks for most nodes wins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Need;
use super::complaint::Complaint;
use crate::base::{Nodes, Span, Timestamp};
use crate::decision::{ForecastAsk, Memory, Reason, Snapshot};
use crate::signal::{Metric, Series};

/// What came at this time of earlier days or weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Forecast {
    /// The metric, such as `$PendingTasks`.
    pub metric: Metric,
    /// After how long it comes again: 24h or 7d.
    pub season: Span,
    /// How far ahead is looked, no less than nodes take to start.
    pub horizon: Span,
    /// How much of the metric one node carries; the pool's task slots when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_node: Option<f64>,
    /// Whether what is forecast stands in the decision also where another strategy asks for more; true when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<bool>,
}

/// Samples within this span count as of one time: ten of them, so that one that is off does not decide.
const AROUND: Span = Span::minutes(5);

/// A forecast is held against each quarter of an hour of the past day: a step that comes once a day must not fall between.
const POINTS_APART: Span = Span::minutes(15);
const POINTS_MAX: i64 = 96;

/// Less than a quarter of a day would prove a forecast on a night alone.
const POINTS_MIN: usize = 24;

/// A forecast by both ways; `None` where the past does not reach.
#[derive(Clone, Copy)]
struct Ways {
    seasonal: f64,
    shifted: Option<f64>,
}

/// How far off each way was, added up over the points that were known.
#[derive(Clone, Copy, Default)]
struct Errors {
    points: usize,
    seasonal: f64,
    shifted: f64,
    naive: f64,
    /// Relative errors, over the points that were not zero.
    seasonal_relative: f64,
    shifted_relative: f64,
    above_zero: usize,
}

impl Forecast {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.season != Span::hours(24) && self.season != Span::days(7) {
            let message = format!(
                "a season of {} is none that can be learned",
                self.season.in_short()
            );
            complaints.push(Complaint::new(&["season"], message, "take 24h or 7d"));
        }
        if self.horizon < Span::minutes(1) || self.horizon > Span::hours(6) {
            let message = format!("a forecast cannot look {} ahead", self.horizon.in_short());
            complaints.push(Complaint::new(
                &["horizon"],
                message,
                "take 1m to 6h, somewhat more than nodes take to start",
            ));
        }
        if self
            .per_node
            .is_some_and(|carried| !carried.is_finite() || carried <= 0.0)
        {
            let message = "a node must carry something of the metric";
            complaints.push(Complaint::new(&["perNode"], message, "take a number above 0"));
        }
        complaints
    }

    /// Returns it as it is meant when a policy is read: told where nothing is said. A ledger from before says nothing, and tells nothing,
    /// so that its lines are decided again to the same bytes.
    #[must_use]
    pub fn as_read(&self) -> Self {
        Self {
            told: Some(self.told.unwrap_or(true)),
            ..self.clone()
        }
    }

    /// Returns the need: none where the past does not reach, or where the forecast was no better than the present value.
    pub fn need(&self, snapshot: &Snapshot<'_>) -> Need {
        let past = snapshot.history.get(self.metric).map(|series| Past {
            series,
            now: snapshot.now,
            season: self.season,
            horizon: self.horizon,
        });
        let errors = past.as_ref().map_or_else(Errors::default, Past::errors);
        let ways = past.as_ref().and_then(|past| past.forecast(snapshot.now));
        let mut ask = ForecastAsk {
            metric: self.metric.name().to_owned(),
            horizon: self.horizon,
            season: self.season,
            value: None,
            shifted: false,
            mape_percent: None,
            mase: None,
            points: u32::try_from(errors.points).unwrap_or(u32::MAX),
            trusted: false,
            nodes: Nodes::ZERO,
        };
        if let Some(ways) = ways {
            let known = errors.points >= POINTS_MIN;
            let shifted = ways.shifted.filter(|_| known && errors.shifted < errors.seasonal);
            let (error, relative) = match shifted {
                Some(_) => (errors.shifted, errors.shifted_relative),
                None => (errors.seasonal, errors.seasonal_relative),
            };
            let value = shifted.unwrap_or(ways.seasonal).max(0.0);
            ask.value = Some(value);
            ask.shifted = shifted.is_some();
            if known {
                let above_zero = errors.above_zero as f64;
                ask.mape_percent = (above_zero > 0.0).then(|| 100.0 * relative / above_zero);
                ask.mase = (errors.naive > 0.0).then(|| error / errors.naive);
            }
            // A week's season cannot be held against anything, for a week is what is kept.
            ask.trusted = if known {
                error < errors.naive
            } else {
                self.season == Memory::HISTORY_KEPT
            };
            if ask.trusted {
                let slots = f64::from(snapshot.pool.task_slots_per_node.max(1));
                ask.nodes = Nodes::ceil(value / self.per_node.unwrap_or(slots));
            }
        }
        Need {
            nodes: ask.nodes,
            reason: Reason::Forecast(ask),
        }
    }
}

/// A metric's past as seen at a moment.
struct Past<'a> {
    series: &'a Series,
    now: Timestamp,
    season: Span,
    horizon: Span,
}

impl Past<'_> {
    /// The mean around a time; `None` without a sample there.
    fn around(&self, at: Timestamp) -> Option<f64> {
        let age = self.now.since(at);
        let half = Span::from_ticks(AROUND.ticks() / 2);
        let values = self.series.between(self.now, age - half, age + half);
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// The mean of the seasons before around a time, of those that are kept.
    fn season(&self, at: Timestamp) -> Option<f64> {
        let oldest = self.now - Memory::HISTORY_KEPT;
        let (mut sum, mut count) = (0.0, 0.0);
        let mut before = at - self.season;
        while before >= oldest {
            if let Some(value) = self.around(before) {
                sum += value;
                count += 1.0;
            }
            before = before - self.season;
        }
        (count > 0.0).then(|| sum / count)
    }

    /// What was, or is, forecast at a moment for the end of its horizon.
    fn forecast(&self, at: Timestamp) -> Option<Ways> {
        let seasonal = self.season(at + self.horizon)?;
        // Samples that are taken after that moment were not known then.
        let half = Span::from_ticks(AROUND.ticks() / 2);
        let now = self.around(at - half);
        let shift = now.zip(self.season(at - half)).map(|(now, then)| now - then);
        Some(Ways {
            seasonal,
            shifted: shift.map(|shift| seasonal + shift),
        })
    }

    fn errors(&self) -> Errors {
        let mut errors = Errors::default();
        let half = Span::from_ticks(AROUND.ticks() / 2);
        for point in 0..POINTS_MAX {
            let at = self.now - self.horizon - half - POINTS_APART * point;
            let known = (
                self.forecast(at),
                self.around(at - half),
                self.around(at + self.horizon),
            );
            if let (
                Some(Ways {
                    seasonal,
                    shifted: Some(shifted),
                }),
                Some(then),
                Some(came),
            ) = known
            {
                errors.points += 1;
                errors.seasonal += (seasonal - came).abs();
                errors.shifted += (shifted - came).abs();
                errors.naive += (then - came).abs();
                if came > 0.0 {
                    errors.above_zero += 1;
                    errors.seasonal_relative += (seasonal - came).abs() / came;
                    errors.shifted_relative += (shifted - came).abs() / came;
                }
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::PoolState;
    use crate::decision::GuardMemory;
    use crate::signal::History;

    fn forecast() -> Forecast {
        Forecast {
            metric: Metric::PendingTasks,
            season: Span::hours(24),
            horizon: Span::minutes(30),
            per_node: None,
            told: None,
        }
    }

    /// Asks at an hour of a day when the metric of all time before was a function of the hour and of the day from 0.
    fn ask(forecast: &Forecast, days: i64, hour: f64, value: impl Fn(f64, i64) -> f64) -> ForecastAsk {
        let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
        let now = Timestamp::EPOCH + Span::days(days) + Span::from_seconds(hour * 3600.0);
        let slots = now.since(Timestamp::EPOCH).ticks() / Span::SAMPLE_PERIOD.ticks();
        for slot in 0..=slots {
            let hours = slot as f64 / 120.0;
            let sample = value(hours % 24.0, (hours / 24.0) as i64);
            series.push(Some(sample)).unwrap();
        }
        let mut history = History::new();
        history.insert(Metric::PendingTasks, series);
        let mut pool = PoolState::new("p".parse().unwrap());
        pool.task_slots_per_node = 4;
        let snapshot = Snapshot {
            now,
            seed: 0,
            pool: &pool,
            history: &history,
            signals: &crate::decision::SignalMemory::default(),
            guards: &GuardMemory::default(),
            learned: &crate::sizing::Learned::default(),
            spot: &crate::decision::SpotMemory::default(),
            ours: &crate::decision::OurOrders::default(),
            broken: &crate::decision::BrokenNodes::default(),
            work: None,
            halt: None,
        };
        match forecast.need(&snapshot).reason {
            Reason::Forecast(ask) => ask,
            other => panic!("{other:?}"),
        }
    }

    /// Forty tasks from nine to five.
    fn office(hour: f64, _: i64) -> f64 {
        if (9.0..17.0).contains(&hour) { 40.0 } else { 0.0 }
    }

    #[test]
    fn what_came_every_day_is_seen_before_it_comes() {
        let seen = ask(&forecast(), 3, 8.75, office);
        assert_eq!(
            (seen.value, seen.trusted, seen.nodes),
            (Some(40.0), true, Nodes(10))
        );
        assert_eq!((seen.mape_percent, seen.mase), (Some(0.0), Some(0.0)));
        let early = ask(&forecast(), 3, 8.25, office);
        assert_eq!((early.value, early.nodes), (Some(0.0), Nodes(0)));
        let carried = Forecast {
            per_node: Some(20.0),
            ..forecast()
        };
        assert_eq!(ask(&carried, 3, 8.75, office).nodes, Nodes(2));
    }

    #[test]
    fn a_day_that_is_busier_throughout_shifts_the_forecast() {
        let growing = |hour: f64, day: i64| 100.0 + 10.0 * (hour - 12.0).abs() + 80.0 * day as f64;
        let seen = ask(&forecast(), 4, 12.0, growing);
        // Half an hour from now 105 above what this day adds; days before were 120 lower on average of 0, 80, 160 and 240.
        assert!(seen.shifted && seen.trusted, "{seen:?}");
        assert!((seen.value.unwrap() - 425.0).abs() < 2.0, "{seen:?}");
    }

    #[test]
    fn what_never_came_again_is_not_believed() {
        // Each day is another one: as now is the better guess.
        let unsteady = |hour: f64, day: i64| {
            let begins = [3.0, 15.0, 8.0, 20.0, 5.0, 12.0][day as usize % 6];
            if (begins..begins + 2.0).contains(&hour) {
                40.0
            } else {
                0.0
            }
        };
        let seen = ask(&forecast(), 5, 15.0, unsteady);
        assert!(seen.mase.unwrap() > 1.0, "{seen:?}");
        assert_eq!((seen.trusted, seen.nodes), (false, Nodes(0)));
        let flat = ask(&forecast(), 5, 12.0, |_, _| 50.0);
        assert_eq!(
            (flat.trusted, flat.mase, flat.nodes),
            (false, None, Nodes(0)),
            "nothing to gain"
        );
        let first_day = ask(&forecast(), 0, 12.0, office);
        assert_eq!((first_day.value, first_day.trusted), (None, false));
        let second_day = ask(&forecast(), 1, 8.75, office);
        assert!(!second_day.trusted, "held against a night alone: {second_day:?}");
    }

    #[test]
    fn a_weekly_season_is_taken_as_it_is() {
        let week = Forecast {
            season: Span::days(7),
            ..forecast()
        };
        let monday = |hour: f64, day: i64| if day % 7 == 1 { office(hour, day) } else { 0.0 };
        let seen = ask(&week, 8, 8.75, monday);
        assert_eq!((seen.value, seen.trusted, seen.mase), (Some(40.0), true, None));
        assert_eq!(ask(&week, 9, 8.75, monday).nodes, Nodes(0));
    }
}
