//! The forecast strategy: what came at this time of earlier days or weeks is expected to come again.
//!
//! ```text
//! S(τ) = mean of the metric around τ − season, τ − 2 seasons, … as far as samples are kept
//! seasonal:  S(now + horizon)          shifted:  S(now + horizon) + metric(now) − S(now)
//! fitted:    what a model says that was fitted to the five days before (`fitted.rs`)
//! ```
//!
//! All are held against the past day, each quarter of an hour, and the one with the smallest error is believed, if it was better than
//! taking the present value for the future one (MASE below 1; Hyndman and Koehler, 2006, with the same horizon). A forecast
//! can only raise what another strategy asks for, because the strategy that asks for most nodes wins.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Need;
use super::complaint::Complaint;
use super::fitted::{Fits, Fitted};
use crate::base::{Nodes, Span, Timestamp};
use crate::decision::{ForecastAsk, Memory, Reason, Snapshot, WayErrors};
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
    /// Whether a model is fitted to the five days before, and believed where it missed less over the past day than the seasons before did;
    /// true when left out, for a season of 24h. A season of 7d would have to be seen several times, and a week is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fitted: Option<bool>,
}

/// Samples within this span count as of one time: ten of them, so that one that is off does not decide.
const AROUND: Span = Span::minutes(5);

/// A forecast is held against each quarter of an hour of the past day: a step that comes once a day must not fall between.
const POINTS_APART: Span = Span::minutes(15);
const POINTS_MAX: i64 = 96;

/// Less than a quarter of a day would prove a forecast on a night alone.
const POINTS_MIN: usize = 24;

/// A forecast by each way; `None` where the past does not reach.
#[derive(Clone, Copy)]
struct Ways {
    seasonal: f64,
    shifted: Option<f64>,
    fitted: Option<f64>,
}

/// How far off a way was, added up.
#[derive(Clone, Copy, Default)]
struct Misses {
    absolute: f64,
    /// As shares of what came, over the points where something did.
    relative: f64,
}

/// How far off each way was, over the points that were known.
#[derive(Clone, Copy, Default)]
struct Errors {
    points: usize,
    above_zero: usize,
    naive: f64,
    seasonal: Misses,
    shifted: Misses,
    fitted: Misses,
}

impl Misses {
    fn add(&mut self, said: f64, came: f64) {
        self.absolute += (said - came).abs();
        if came > 0.0 {
            self.relative += (said - came).abs() / came;
        }
    }
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
        if self.fitted == Some(true) && self.season > Span::hours(24) {
            let message = "a model of a week's season needs more weeks than samples are kept of";
            complaints.push(Complaint::new(
                &["fitted"],
                message,
                "leave it out, or take a season of 24h",
            ));
        }
        complaints
    }

    /// Returns it as it is meant when a policy is read: told, and fitted where it can be, where nothing is said. A ledger from before says
    /// nothing and does neither, so that its lines are decided again to the same bytes.
    #[must_use]
    pub fn as_read(&self) -> Self {
        Self {
            told: Some(self.told.unwrap_or(true)),
            fitted: Some(self.fitted.unwrap_or(self.season == Span::hours(24))),
            ..self.clone()
        }
    }

    /// Returns the need: none where the past does not reach, or where the forecast was no better than the present value. What was fitted
    /// is kept for the looks after, and changes nothing.
    pub fn need(&self, snapshot: &Snapshot<'_>, fits: &mut Fits) -> Need {
        let past = snapshot.history.get(self.metric).map(|series| {
            let now = snapshot.now;
            let (season, horizon) = (self.season, self.horizon);
            let past = Past {
                series,
                now,
                season,
                horizon,
                fitted: None,
            };
            let asked = (past.point(POINTS_MAX - 1), now);
            let fitted = (self.fitted == Some(true)).then(|| fits.of(&snapshot.pool.id, series, asked));
            Past {
                fitted: fitted.flatten(),
                ..past
            }
        });
        let mut ask = ForecastAsk {
            metric: self.metric.name().to_owned(),
            horizon: self.horizon,
            season: self.season,
            value: None,
            shifted: false,
            fitted: false,
            mape_percent: None,
            mase: None,
            points: 0,
            ways: None,
            trusted: false,
            nodes: Nodes::ZERO,
        };
        if let Some(past) = past {
            self.believe(&mut ask, past.errors(), past.forecast(snapshot.now));
        }
        if let Some(value) = ask.value.filter(|_| ask.trusted) {
            let slots = f64::from(snapshot.pool.task_slots_per_node.max(1));
            ask.nodes = Nodes::ceil(value / self.per_node.unwrap_or(slots));
        }
        Need {
            nodes: ask.nodes,
            reason: Reason::Forecast(ask),
        }
    }

    /// Takes the way that was off by the least, the first among equals, and says whether it is believed.
    fn believe(&self, ask: &mut ForecastAsk, errors: Errors, ways: Option<Ways>) {
        ask.points = u32::try_from(errors.points).unwrap_or(u32::MAX);
        let Some(ways) = ways else { return };
        let known = errors.points >= POINTS_MIN;
        let (mut value, mut misses) = (ways.seasonal, errors.seasonal);
        if let Some(shifted) = ways
            .shifted
            .filter(|_| known && errors.shifted.absolute < misses.absolute)
        {
            (value, misses, ask.shifted) = (shifted, errors.shifted, true);
        }
        if let Some(fitted) = ways
            .fitted
            .filter(|_| known && errors.fitted.absolute < misses.absolute)
        {
            (value, misses, ask.shifted, ask.fitted) = (fitted, errors.fitted, false, true);
        }
        ask.value = Some(value.max(0.0));
        if known {
            let above_zero = errors.above_zero as f64;
            let mase = |misses: Misses| (errors.naive > 0.0).then(|| misses.absolute / errors.naive);
            ask.mape_percent = (above_zero > 0.0).then(|| 100.0 * misses.relative / above_zero);
            ask.mase = mase(misses);
            ask.ways = ways.fitted.map(|_| WayErrors {
                seasonal: mase(errors.seasonal),
                shifted: mase(errors.shifted),
                fitted: mase(errors.fitted),
            });
        }
        // A week's season cannot be held against anything, for a week is what is kept.
        ask.trusted = if known {
            misses.absolute < errors.naive
        } else {
            self.season == Memory::HISTORY_KEPT
        };
    }
}

/// A metric's past as seen at a moment.
struct Past<'a> {
    series: &'a Series,
    now: Timestamp,
    season: Span,
    horizon: Span,
    fitted: Option<Fitted<'a>>,
}

impl Past<'_> {
    /// A moment of the past day, the latest first: what came at the end of its horizon is known.
    fn point(&self, number: i64) -> Timestamp {
        let half = Span::from_ticks(AROUND.ticks() / 2);
        self.now - self.horizon - half - POINTS_APART * number
    }

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
            fitted: self.fitted.map(|fitted| fitted.said(at, at + self.horizon)),
        })
    }

    fn errors(&self) -> Errors {
        let mut errors = Errors::default();
        let half = Span::from_ticks(AROUND.ticks() / 2);
        for point in 0..POINTS_MAX {
            let at = self.point(point);
            let known = (
                self.forecast(at),
                self.around(at - half),
                self.around(at + self.horizon),
            );
            if let (
                Some(Ways {
                    seasonal,
                    shifted: Some(shifted),
                    fitted,
                }),
                Some(then),
                Some(came),
            ) = known
            {
                errors.points += 1;
                errors.above_zero += usize::from(came > 0.0);
                errors.naive += (then - came).abs();
                errors.seasonal.add(seasonal, came);
                errors.shifted.add(shifted, came);
                if let Some(fitted) = fitted {
                    errors.fitted.add(fitted, came);
                }
            }
        }
        errors
    }
}

#[cfg(test)]
mod tests;
