//! Calendars of people: time zones, cron expressions and holidays, as policies write them.
//!
//! A cron line with one fixed time of day is meant once a day. Where the clock is set forward over it, it comes at the first
//! instant after the gap; where the clock is set back over it, it comes at the earlier of the two. A line with several
//! times, such as `*/15 * * * *`, comes at those that there are, and at both where one is repeated.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, TimeZone};
use chrono_tz::Tz;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{Span, Timestamp, did_you_mean};

/// A time zone of the tz database, such as `Europe/Paris`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(Tz);

/// A cron line: minute, hour, day of the month, month and day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronLine {
    text: String,
    cron: Cron,
}

/// A day on which rules do not begin: `2026-12-25`, or `12-25` for every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holiday {
    year: Option<i32>,
    month: u32,
    day: u32,
}

impl Zone {
    fn local(self, at: Timestamp) -> DateTime<Tz> {
        at.to_utc().with_timezone(&self.0)
    }

    /// Returns when the day of a moment begins and when the next one does, by the zone's calendar.
    pub fn day(self, at: Timestamp) -> (Timestamp, Timestamp) {
        let day = self.local(at).date_naive();
        let begins = |day: Option<NaiveDate>| {
            // Where the clock is set forward over midnight, the day begins when the clock goes on.
            let found = (0..=3).find_map(|hour| {
                let time = day?.and_hms_opt(hour, 0, 0)?;
                self.0.from_local_datetime(&time).earliest()
            });
            found.map(|found| Timestamp::from_utc(found.to_utc()))
        };
        (
            begins(Some(day)).unwrap_or(at),
            begins(day.succ_opt()).unwrap_or(at + Span::days(1)),
        )
    }

    /// Returns whether a moment lies on one of the holidays, by the zone's calendar.
    pub fn is_holiday(self, at: Timestamp, holidays: &[Holiday]) -> bool {
        let local = self.local(at);
        holidays.iter().any(|holiday| holiday.is(&local))
    }
}

impl CronLine {
    /// Returns when the line came last, `at` included; `None` when it never did.
    pub fn latest(&self, zone: Zone, at: Timestamp) -> Option<Timestamp> {
        // The search looks at whole seconds.
        let found = self.cron.find_previous_occurrence(&zone.local(at), true).ok()?;
        Some(Timestamp::from_utc(found.to_utc())).filter(|found| *found <= at)
    }

    /// Returns when the line comes next, `at` not included; `None` when it never does.
    pub fn next(&self, zone: Zone, at: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_next_occurrence(&zone.local(at), false).ok()?;
        Some(Timestamp::from_utc(found.to_utc())).filter(|found| *found > at)
    }
}

impl Holiday {
    fn is(self, day: &impl Datelike) -> bool {
        self.year.is_none_or(|year| year == day.year()) && self.month == day.month() && self.day == day.day()
    }
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<Tz>().map(Self).map_err(|_| {
            let names = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
            let way_out = did_you_mean(text, names).map_or_else(
                || "write it like Europe/Paris".to_owned(),
                |meant| format!("did you mean `{meant}`?"),
            );
            format!("`{text}` is not a time zone; {way_out}")
        })
    }
}

impl FromStr for CronLine {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        const SHAPE: &str =
            "write minute, hour, day of the month, month and day of the week, like 0 7 * * mon-fri";
        let parser = CronParser::builder()
            .seconds(Seconds::Disallowed)
            .year(Year::Disallowed)
            .build();
        let cron = parser
            .parse(text)
            .map_err(|_| format!("`{text}` is not a cron line; {SHAPE}"))?;
        let line = Self {
            text: text.to_owned(),
            cron,
        };
        // The 30th of February never comes; every other line comes within 28 years, when the calendar begins anew.
        let zone = Zone(Tz::UTC);
        line.next(zone, Timestamp::EPOCH)
            .map(|_| line)
            .ok_or_else(|| format!("`{text}` never comes; is the day in that month?"))
    }
}

impl FromStr for Holiday {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a day; write it like 2026-12-25, or 12-25 for every year");
        let parts: Vec<&str> = text.split('-').collect();
        let digits = |part: &&str, length| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
        let (year, month, day) = match parts[..] {
            [year, month, day] if digits(&year, 4) && digits(&month, 2) && digits(&day, 2) => {
                (Some(year), month, day)
            }
            [month, day] if digits(&month, 2) && digits(&day, 2) => (None, month, day),
            _ => return Err(wrong()),
        };
        let year: Option<i32> = year.map(str::parse).transpose().map_err(|_| wrong())?;
        let (month, day) = (
            month.parse().map_err(|_| wrong())?,
            day.parse().map_err(|_| wrong())?,
        );
        // Without a year the 29th of February is a day that there is.
        NaiveDate::from_ymd_opt(year.unwrap_or(2024), month, day)
            .map(|_| Self { year, month, day })
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl fmt::Display for CronLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Holiday {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(year) = self.year {
            write!(f, "{year:04}-")?;
        }
        write!(f, "{:02}-{:02}", self.month, self.day)
    }
}

/// Makes a type that is read from a text and written as one known to serde and to schemas.
macro_rules! text_in_files {
    ($($type:ident $name:literal $pattern:literal $doc:literal;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "description": $doc, "pattern": $pattern })
            }
        }
    )*};
}

text_in_files! {
    Zone "TimeZone" "^[A-Za-z0-9_+/-]+$" "a time zone of the tz database, such as Europe/Paris or UTC";
    CronLine "Cron" "^(@[a-z]+|\\S+( +\\S+){4})$" "minute, hour, day of the month, month and day of the week: 0 7 * * mon-fri";
    Holiday "Day" "^(\\d{4}-)?\\d{2}-\\d{2}$" "a day such as 2026-12-25, or 12-25 for every year";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn berlin() -> Zone {
        "Europe/Berlin".parse().unwrap()
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_after_the_gap() {
        // On 29 March 2026 at 02:00 the clock in Berlin goes to 03:00, which is 01:00 UTC.
        let line: CronLine = "30 2 * * *".parse().unwrap();
        let gap = at("2026-03-29T01:00:00Z");
        assert_eq!(line.next(berlin(), at("2026-03-28T12:00:00Z")), Some(gap));
        assert_eq!(line.latest(berlin(), at("2026-03-29T12:00:00Z")), Some(gap));
        assert_eq!(line.next(berlin(), gap), Some(at("2026-03-30T00:30:00Z")));
    }

    #[test]
    fn a_time_that_comes_twice_is_meant_once() {
        // On 25 October 2026 at 03:00 the clock goes back to 02:00: 02:30 is 00:30 UTC and again 01:30 UTC.
        let line: CronLine = "30 2 * * *".parse().unwrap();
        let first = at("2026-10-25T00:30:00Z");
        assert_eq!(line.next(berlin(), at("2026-10-24T12:00:00Z")), Some(first));
        assert_eq!(line.next(berlin(), first), Some(at("2026-10-26T01:30:00Z")));
        assert_eq!(line.latest(berlin(), at("2026-10-25T23:00:00Z")), Some(first));
        // Every quarter of an hour comes in both hours.
        let quarters: CronLine = "*/15 * * * *".parse().unwrap();
        assert_eq!(
            quarters.next(berlin(), at("2026-10-25T00:59:00Z")),
            Some(at("2026-10-25T01:00:00Z"))
        );
    }

    #[test]
    fn working_hours_follow_the_clock_of_the_place() {
        let line: CronLine = "0 8 * * mon-fri".parse().unwrap();
        assert_eq!(
            line.next(berlin(), at("2026-03-27T12:00:00Z")),
            Some(at("2026-03-30T06:00:00Z"))
        );
        assert_eq!(
            line.latest(berlin(), at("2026-03-29T12:00:00Z")),
            Some(at("2026-03-27T07:00:00Z"))
        );
        assert_eq!(
            line.latest(berlin(), at("2026-03-27T07:00:00.9Z")),
            Some(at("2026-03-27T07:00:00Z"))
        );
    }

    #[test]
    fn days_begin_at_midnight_or_when_the_clock_goes_on() {
        assert_eq!(
            berlin().day(at("2026-03-29T12:00:00Z")),
            (at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z"))
        );
        // In Havana the clock goes from 00:00 to 01:00 on 8 March 2026.
        let havana: Zone = "America/Havana".parse().unwrap();
        assert_eq!(
            havana.day(at("2026-03-08T12:00:00Z")),
            (at("2026-03-08T05:00:00Z"), at("2026-03-09T04:00:00Z"))
        );
    }

    #[test]
    fn what_never_comes_and_what_is_none_is_refused() {
        for text in ["0 0 30 2 *", "0 7 * *", "0 7 * * * *", "x", "", "0 25 * * *"] {
            assert!(
                text.parse::<CronLine>().is_err(),
                "{text:?} was read as a cron line"
            );
        }
        for text in ["2026-02-30", "13-01", "1-1", "2026-12-25T00:00", "christmas"] {
            assert!(text.parse::<Holiday>().is_err(), "{text:?} was read as a day");
        }
        assert_eq!(
            "Europe/Pariss".parse::<Zone>().unwrap_err(),
            "`Europe/Pariss` is not a time zone; did you mean `Europe/Paris`?"
        );
        for text in ["02-29", "2026-12-25"] {
            assert_eq!(text.parse::<Holiday>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_ends_of_the_calendar_have_no_next_and_no_latest() {
        let line: CronLine = "0 7 * * *".parse().unwrap();
        assert_eq!(line.next(berlin(), Timestamp::from_ticks(i64::MAX)), None);
        assert_eq!(line.latest(berlin(), Timestamp::from_ticks(i64::MIN)), None);
    }
}
