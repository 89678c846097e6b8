//! When a formula runs, as a set of instants: any, one hour of the week, one month, one day, one minute.
//!
//! A condition on the time is proven by trying it on every cell of a grid.

use super::interval::Interval;
use super::value::Times;
use crate::base::{Span, Timestamp};
use crate::formula::builtin::Member;

/// A set of instants in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Any,
    /// An hour of the week; 0 is Sunday from midnight to one.
    HourOfWeek(u8),
    /// A month, from 1.
    Month(u8),
    /// A day of the month, from 1.
    Day(u8),
    /// A minute of any hour.
    Minute(u8),
    /// One instant.
    At(Timestamp),
}

const SECOND: i64 = Span::seconds(1).ticks();
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Moment {
    /// Returns the cells of the grid that tells the values of a member apart; none for a year or a second.
    pub(crate) fn grid(member: Member) -> impl Iterator<Item = Self> {
        let (cells, first, make): (u8, u8, fn(u8) -> Self) = match member {
            Member::Weekday | Member::Hour => (168, 0, Self::HourOfWeek),
            Member::Month => (12, 1, Self::Month),
            Member::Day => (31, 1, Self::Day),
            Member::Minute => (60, 0, Self::Minute),
            Member::Year | Member::Second => (0, 0, Self::Minute),
        };
        (first..first + cells).map(make)
    }

    /// Returns the instants that the run can be at.
    pub(crate) fn now(self) -> Times {
        match self {
            Self::At(instant) => Times::at(instant),
            _ => Times::NOW,
        }
    }

    /// Returns the day of the week, 0 for Sunday, if it is the same for all instants.
    pub(crate) const fn weekday(self) -> Option<u8> {
        match self {
            Self::HourOfWeek(hour) => Some(hour / 24),
            _ => None,
        }
    }

    /// Returns what a member of the instants can be.
    pub(crate) fn member(self, times: Times, member: Member) -> Interval {
        let any = range_of(member);
        if !times.after_now {
            let [first, last] =
                [times.low, times.high].map(|ticks| of_instant(Timestamp::from_ticks(ticks), member));
            // No member changes and changes back within a second.
            let is_short = times.high.saturating_sub(times.low) < SECOND;
            return if is_short && first == last {
                Interval::point(first)
            } else {
                any
            };
        }
        match self {
            Self::HourOfWeek(hour) => {
                let start = i64::from(hour) * HOUR;
                let (low, high) = (start + times.low, start + HOUR - 1 + times.high);
                match member {
                    Member::Weekday => cyclic(low, high, DAY, 7),
                    Member::Hour => cyclic(low, high, HOUR, 24),
                    _ => any,
                }
            }
            Self::Minute(minute) if member == Member::Minute => {
                let start = i64::from(minute) * MINUTE;
                cyclic(start + times.low, start + MINUTE - 1 + times.high, MINUTE, 60)
            }
            // A shifted month or day is not this one everywhere.
            Self::Month(month) if member == Member::Month && times == Times::NOW => {
                Interval::point(month.into())
            }
            Self::Day(day) if member == Member::Day && times == Times::NOW => Interval::point(day.into()),
            _ => any,
        }
    }
}

/// Returns which of `count` units in a circle the ticks from `low` to `high` fall into.
fn cyclic(low: i64, high: i64, unit: i64, count: i64) -> Interval {
    let (first, last) = (low.div_euclid(unit), high.div_euclid(unit));
    let (from, to) = (first.rem_euclid(count), last.rem_euclid(count));
    if last - first >= count || from > to {
        Interval::new(0.0, (count - 1) as f64)
    } else {
        Interval::new(from as f64, to as f64)
    }
}

/// Returns every value that a member has at some instant.
pub(crate) const fn range_of(member: Member) -> Interval {
    match member {
        Member::Year => Interval::new(1.0, 9999.0),
        Member::Month => Interval::new(1.0, 12.0),
        Member::Day => Interval::new(1.0, 31.0),
        Member::Weekday => Interval::new(0.0, 6.0),
        Member::Hour => Interval::new(0.0, 23.0),
        Member::Minute | Member::Second => Interval::new(0.0, 59.0),
    }
}

fn of_instant(at: Timestamp, member: Member) -> f64 {
    use chrono::{Datelike, Timelike};
    let at = at.to_utc();
    match member {
        Member::Year => f64::from(at.year()),
        Member::Month => f64::from(at.month()),
        Member::Day => f64::from(at.day()),
        Member::Weekday => f64::from(at.weekday().num_days_from_sunday()),
        Member::Hour => f64::from(at.hour()),
        Member::Minute => f64::from(at.minute()),
        Member::Second => f64::from(at.second()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_the_week_has_one_weekday_and_hour_also_when_shifted() {
        // Monday from 23 h: two hours later it is Tuesday, 1 h.
        let monday = Moment::HourOfWeek(24 + 23);
        let later = Times {
            after_now: true,
            low: 2 * HOUR,
            high: 2 * HOUR,
        };
        assert_eq!(monday.member(Times::NOW, Member::Weekday).only(), Some(1.0));
        assert_eq!(monday.member(later, Member::Weekday).only(), Some(2.0));
        assert_eq!(monday.member(later, Member::Hour).only(), Some(1.0));
        // Half an hour later it can be 23 h or midnight: any hour, as an interval.
        let half = Times {
            after_now: true,
            low: HOUR / 2,
            high: HOUR / 2,
        };
        assert_eq!(monday.member(half, Member::Hour), Interval::new(0.0, 23.0));
        assert_eq!(
            Moment::Any.member(Times::NOW, Member::Day),
            Interval::new(1.0, 31.0)
        );
    }
}
