//! A hazard that follows the clock: one for each hour of the day, on weekdays and at weekends.

use serde::{Deserialize, Serialize};

use super::Hazard;
use crate::base::{Span, Timestamp};

/// Hours in a day, and in a week.
const DAY: usize = 24;
const WEEK: usize = 7 * DAY;

/// Hours of the day twice: 48 bins, weekdays first.
pub(super) const BINS: usize = 2 * DAY;

/// A hazard for each hour of the day in UTC, on weekdays (Monday to Friday) and at weekends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rhythm {
    /// Monday to Friday, from midnight UTC.
    pub weekday: [Hazard; DAY],
    /// Saturday and Sunday, from midnight UTC.
    pub weekend: [Hazard; DAY],
}

impl Rhythm {
    /// Returns the rhythm with these hazards, weekdays first.
    pub(super) fn from_bins(mut hazard: impl FnMut(usize) -> Hazard) -> Self {
        Self {
            weekday: std::array::from_fn(&mut hazard),
            weekend: std::array::from_fn(|hour| hazard(DAY + hour)),
        }
    }

    /// Returns the hazard at an instant.
    pub fn at(&self, at: Timestamp) -> Hazard {
        let bin = bin_of(hour_of_week(at) as usize);
        if bin < DAY {
            self.weekday[bin]
        } else {
            self.weekend[bin - DAY]
        }
    }

    /// Returns the integral of the hazard over a number of hours from an instant.
    pub(super) fn cumulative(&self, from: Timestamp, hours: f64) -> f64 {
        let start = hour_of_week(from);
        let end = start + hours;
        let weeks = (end / WEEK as f64).floor();
        weeks * self.since_monday(WEEK as f64) + self.since_monday(end - weeks * WEEK as f64)
            - self.since_monday(start)
    }

    /// Returns the integral from Monday, 0 h, to an hour of the week.
    fn since_monday(&self, hour_of_week: f64) -> f64 {
        let whole: fn(&[Hazard; DAY]) -> f64 = |day| day.iter().map(|hazard| hazard.0).sum();
        let day = ((hour_of_week / DAY as f64) as usize).min(6);
        let weekdays = day.min(5);
        let before = weekdays as f64 * whole(&self.weekday) + (day - weekdays) as f64 * whole(&self.weekend);
        let today = if day < 5 { &self.weekday } else { &self.weekend };
        let mut left = hour_of_week - (day * DAY) as f64;
        let mut sum = before;
        for hazard in today {
            if left <= 0.0 {
                break;
            }
            sum += hazard.0 * left.min(1.0);
            left -= 1.0;
        }
        sum
    }

    /// Returns how many hours after an instant the hazard next changes.
    pub(super) fn next_change(from: Timestamp) -> f64 {
        let hour = hour_of_week(from);
        1.0 - hour.fract()
    }

    /// Returns the hazards, weekdays first.
    pub fn iter(&self) -> impl Iterator<Item = Hazard> {
        self.weekday.iter().chain(&self.weekend).copied()
    }
}

/// Returns the hours since Monday, 0 h UTC, with their fraction.
fn hour_of_week(at: Timestamp) -> f64 {
    // 1970-01-01 was a Thursday, three days after a Monday.
    let hours = (at - Timestamp::EPOCH).ticks().rem_euclid(Span::days(7).ticks());
    (Span::from_ticks(hours).as_hours() + 72.0) % WEEK as f64
}

/// Returns the bin of a whole hour of the week.
const fn bin_of(hour_of_week: usize) -> usize {
    let hour = hour_of_week % WEEK;
    if hour < 5 * DAY {
        hour % DAY
    } else {
        DAY + hour % DAY
    }
}

/// Returns how many hours of a span that ends at an instant lie in each bin: pairs of bin and hours.
pub(super) fn overlaps(until: Timestamp, span: Span) -> Vec<(usize, f64)> {
    let total = span.as_hours().max(0.0);
    let whole_weeks = (total / WEEK as f64).floor();
    let mut pieces = Vec::new();
    if whole_weeks > 0.0 {
        pieces.extend((0..WEEK).map(|hour| (bin_of(hour), whole_weeks)));
    }
    let mut left = total - whole_weeks * WEEK as f64;
    let mut hour = hour_of_week(until - Span::from_seconds(left * 3600.0));
    while left > 0.0 {
        let piece = (1.0 - hour.fract()).min(left);
        pieces.push((bin_of(hour as usize), piece));
        left -= piece;
        hour = hour.floor() + 1.0;
    }
    pieces
}

/// Returns the bin of an instant.
pub(super) fn bin_at(at: Timestamp) -> usize {
    bin_of(hour_of_week(at) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-27 was a Friday.
    fn friday(hour: i64) -> Timestamp {
        "2026-11-27T00:00:00Z".parse::<Timestamp>().unwrap() + Span::hours(hour)
    }

    fn rhythm() -> Rhythm {
        Rhythm::from_bins(|bin| Hazard(if bin < 24 { bin as f64 } else { 100.0 + bin as f64 }))
    }

    #[test]
    fn weekdays_and_weekends_have_hours_of_their_own() {
        let rhythm = rhythm();
        for (hour, hazard) in [
            (0, 0.0),
            (9, 9.0),
            (23, 23.0),
            (24, 124.0),
            (71, 147.0),
            (72, 0.0),
        ] {
            assert_eq!(rhythm.at(friday(hour)), Hazard(hazard), "{hour} h after Friday");
        }
    }

    #[test]
    fn the_integral_adds_up_hour_by_hour_over_any_stretch() {
        let rhythm = rhythm();
        for (from, length) in [(0, 1), (5, 30), (20, 60), (1, 168), (100, 500)] {
            let by_hand: f64 = (from..from + length).map(|hour| rhythm.at(friday(hour)).0).sum();
            assert!(
                (rhythm.cumulative(friday(from), length as f64) - by_hand).abs() < 1e-6,
                "{from}+{length}"
            );
        }
        let half = friday(9) + Span::minutes(30);
        assert!((rhythm.cumulative(half, 1.0) - 9.5).abs() < 1e-9);
    }

    #[test]
    fn a_span_is_shared_out_over_the_hours_it_touches() {
        let shared = overlaps(friday(25), Span::minutes(90));
        assert_eq!(shared, [(23, 0.5), (24, 1.0)]);
        let total: f64 = overlaps(friday(7), Span::hours(1000))
            .iter()
            .map(|piece| piece.1)
            .sum();
        assert!((total - 1000.0).abs() < 1e-6);
        assert_eq!(bin_at(friday(24)), 24);
    }
}
