//! Instants and durations in ticks of 100 nanoseconds, the unit of the Batch service.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub, SubAssign};
use std::str::FromStr;

use chrono::{DateTime, Datelike, SecondsFormat, TimeZone, Timelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const TICKS_PER_SECOND: i64 = 10_000_000;

/// The first instant of year 1 and the last of year 9999, in ticks since 1970: the range of the service's clock.
const TICKS_MIN: i64 = -62_135_596_800 * TICKS_PER_SECOND;
const TICKS_MAX: i64 = 253_402_300_800 * TICKS_PER_SECOND - 1;

/// An instant in UTC, in ticks of 100 ns since 1970-01-01, within the years 1 to 9999.
///
/// Arithmetic saturates at the ends of that range, so that no formula can overflow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A signed length of time in ticks of 100 ns; arithmetic saturates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// Says why a text is not an instant or a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TimeError {
    /// A sentence that names the text and a way out.
    pub message: String,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);

    /// Returns the instant cut to the millisecond, which is how finely the service prints instants and the ledger keeps them.
    #[must_use]
    pub fn whole_milliseconds(self) -> Self {
        Self::from_ticks(self.0.div_euclid(10_000) * 10_000)
    }

    /// Returns the instant that many ticks after 1970, clamped to the years 1 to 9999.
    pub fn from_ticks(ticks: i64) -> Self {
        Self(ticks.clamp(TICKS_MIN, TICKS_MAX))
    }

    /// Returns the instant that many seconds after 1970.
    pub fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_ticks(seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// Returns the ticks since 1970.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Returns the seconds since 1970, with their fraction.
    pub fn unix_seconds(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }

    /// Returns the same instant as a calendar date and time in UTC.
    pub fn to_utc(self) -> DateTime<Utc> {
        let seconds = self.0.div_euclid(TICKS_PER_SECOND);
        let nanos = u32::try_from(self.0.rem_euclid(TICKS_PER_SECOND) * 100).expect("below one second");
        Utc.timestamp_opt(seconds, nanos)
            .single()
            .expect("a timestamp lies in the years 1 to 9999")
    }

    /// Returns the instant of a calendar date and time; what is finer than a tick is dropped.
    pub fn from_utc(at: DateTime<Utc>) -> Self {
        let ticks = at.timestamp().saturating_mul(TICKS_PER_SECOND);
        Self::from_ticks(ticks.saturating_add(i64::from(at.timestamp_subsec_nanos() / 100)))
    }

    /// Returns the year, 1 to 9999.
    pub fn year(self) -> i32 {
        self.to_utc().year()
    }

    /// Returns the day of the week, 0 for Sunday and 1 for Monday.
    pub fn weekday(self) -> u32 {
        self.to_utc().weekday().num_days_from_sunday()
    }

    /// Returns the hour of the day in UTC, 0 to 23.
    pub fn hour(self) -> u32 {
        self.to_utc().hour()
    }

    /// Returns the time since `earlier`, negative when this comes first.
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// 30 seconds: how often the Batch service takes a sample (automatic scaling guide, "Get sample data").
    pub const SAMPLE_PERIOD: Self = Self::seconds(30);

    /// Returns the span cut to the millisecond, toward the past.
    #[must_use]
    pub const fn whole_milliseconds(self) -> Self {
        Self(self.0.div_euclid(10_000) * 10_000)
    }

    /// Returns a length of that many ticks.
    pub const fn from_ticks(ticks: i64) -> Self {
        Self(ticks)
    }

    /// Returns a length of that many seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// Returns a length of that many minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes.saturating_mul(60))
    }

    /// Returns a length of that many hours.
    pub const fn hours(hours: i64) -> Self {
        Self::minutes(hours.saturating_mul(60))
    }

    /// Returns a length of that many days of 24 hours.
    pub const fn days(days: i64) -> Self {
        Self::hours(days.saturating_mul(24))
    }

    /// Returns a length of a fractional number of seconds, rounded to the nearest tick; NaN gives zero.
    pub fn from_seconds(seconds: f64) -> Self {
        Self((seconds * TICKS_PER_SECOND as f64).round() as i64)
    }

    /// Returns the length in ticks.
    pub const fn ticks(self) -> i64 {
        self.0
    }

    /// Returns the length in seconds.
    pub fn as_seconds(self) -> f64 {
        self.0 as f64 / TICKS_PER_SECOND as f64
    }

    /// Returns the length in hours.
    pub fn as_hours(self) -> f64 {
        self.as_seconds() / 3600.0
    }

    /// Returns the length without its sign.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Returns the length as people say it: `45s`, `1h30m`, `7d`; what is finer than a second is dropped above a minute.
    pub fn in_short(self) -> String {
        let ticks = self.0.unsigned_abs();
        let per_second = TICKS_PER_SECOND.unsigned_abs();
        let seconds = ticks / per_second;
        let sign = if self.0 < 0 { "-" } else { "" };
        if seconds < 60 {
            return format!("{}s", self.as_seconds());
        }
        let parts = [
            (seconds / 86_400, 'd'),
            (seconds / 3600 % 24, 'h'),
            (seconds / 60 % 60, 'm'),
            (seconds % 60, 's'),
        ];
        let parts = parts.iter().filter(|(count, _)| *count > 0);
        parts.fold(sign.to_owned(), |text, (count, unit)| {
            text + &format!("{count}{unit}")
        })
    }

    /// Says whether the length is below zero.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// Returns the length times a factor, rounded to the nearest tick and saturated; NaN gives zero.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as i64)
    }
}

impl Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self::from_ticks(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Timestamp {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self::from_ticks(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Span;
    fn sub(self, other: Self) -> Span {
        self.since(other)
    }
}

impl Add for Span {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl SubAssign for Span {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Mul<i64> for Span {
    type Output = Self;
    fn mul(self, factor: i64) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

impl Div<Span> for Span {
    type Output = f64;
    fn div(self, other: Span) -> f64 {
        self.0 as f64 / other.0 as f64
    }
}

impl Neg for Span {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

/// Writes `2016-10-14T18:36:43.282Z`: always milliseconds, as the service prints a timestamp.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// Writes an ISO 8601 duration such as `PT5M`, `-PT0.5S` or `P1DT2H`; zero is `PT0S`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ticks = self.0.unsigned_abs();
        let per_second = TICKS_PER_SECOND.unsigned_abs();
        let (seconds, fraction) = (ticks / per_second, ticks % per_second);
        let (days, hours, minutes, rest) = (
            seconds / 86_400,
            seconds / 3600 % 24,
            seconds / 60 % 60,
            seconds % 60,
        );
        f.write_str(if self.0 < 0 { "-P" } else { "P" })?;
        if days > 0 {
            write!(f, "{days}D")?;
        }
        if days > 0 && seconds % 86_400 == 0 && fraction == 0 {
            return Ok(());
        }
        f.write_str("T")?;
        if hours > 0 {
            write!(f, "{hours}H")?;
        }
        if minutes > 0 {
            write!(f, "{minutes}M")?;
        }
        if fraction > 0 {
            let digits = format!("{fraction:07}");
            write!(f, "{rest}.{}S", digits.trim_end_matches('0'))?;
        } else if rest > 0 || seconds == 0 {
            write!(f, "{rest}S")?;
        }
        Ok(())
    }
}

/// Reads RFC 3339 with up to seven fraction digits and any offset.
impl FromStr for Timestamp {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let at = DateTime::parse_from_rfc3339(text).map_err(|_| TimeError {
            message: format!("`{text}` is not a time; write it like 2026-11-22T09:00:00Z"),
        })?;
        let at = at.with_timezone(&Utc);
        if !(1..=9999).contains(&at.year()) {
            return Err(TimeError {
                message: format!("`{text}` lies outside the years 1 to 9999"),
            });
        }
        Ok(Self::from_utc(at))
    }
}

/// Reads an ISO 8601 duration (`PT5M`, `PT01H00M00S`, `P1DT2H`) or the short forms `30s`, `5m`, `2h`, `7d`, `1h30m`.
impl FromStr for Span {
    type Err = TimeError;
    fn from_str(text: &str) -> Result<Self, TimeError> {
        parse_span(text).ok_or_else(|| TimeError {
            message: format!("`{text}` is not a duration; write it like 90s, 5m, 1h30m or PT5M"),
        })
    }
}

fn parse_span(text: &str) -> Option<Span> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let iso = rest.starts_with('P');
    let mut in_time = !iso;
    let mut rest = rest.strip_prefix('P').unwrap_or(rest);
    let mut total = 0.0_f64;
    let mut parts = 0;
    while !rest.is_empty() {
        if let (true, false, Some(after)) = (iso, in_time, rest.strip_prefix('T')) {
            in_time = true;
            rest = after;
            continue;
        }
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let amount: f64 = rest[..digits].parse().ok()?;
        let unit = rest[digits..].chars().next()?;
        let seconds = match (iso, in_time, unit) {
            (true, true, 'S') | (false, _, 's') => 1.0,
            (true, true, 'M') | (false, _, 'm') => 60.0,
            (true, true, 'H') | (false, _, 'h') => 3600.0,
            (true, false, 'D') | (false, _, 'd') => 86_400.0,
            _ => return None,
        };
        total += amount * seconds;
        parts += 1;
        rest = &rest[digits + unit.len_utf8()..];
    }
    let span = Span::from_seconds(total);
    (parts > 0).then_some(if negative { -span } else { span })
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "date-time" })
    }
}

impl JsonSchema for Span {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a duration such as 90s, 5m, 1h30m, 7d or PT5M",
            "pattern": "^-?(P(\\d+(\\.\\d+)?D)?(T(\\d+(\\.\\d+)?[HMS])*)?|(\\d+(\\.\\d+)?[smhd])+)$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_both_notations_and_print_iso() {
        for (text, printed) in [
            ("5m", "PT5M"),
            ("1h30m", "PT1H30M"),
            ("PT01H00M00S", "PT1H"),
            ("P1DT2H", "P1DT2H"),
            ("7d", "P7D"),
            ("0s", "PT0S"),
            ("-PT0.5S", "-PT0.5S"),
            ("90s", "PT1M30S"),
        ] {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.to_string(), printed);
            assert_eq!(printed.parse::<Span>().unwrap(), span);
        }
        for wrong in ["", "5", "m", "P", "PT", "5M", "PT5m", "1y", "5m "] {
            assert!(wrong.parse::<Span>().is_err(), "{wrong:?} was read as a duration");
        }
    }

    #[test]
    fn spans_are_told_in_short() {
        for (text, told) in [
            ("PT1H30M", "1h30m"),
            ("PT0.5S", "0.5s"),
            ("PT45S", "45s"),
            ("P7D", "7d"),
            ("PT0S", "0s"),
            ("-PT90S", "-1m30s"),
        ] {
            assert_eq!(text.parse::<Span>().unwrap().in_short(), told);
        }
    }

    #[test]
    fn timestamps_print_milliseconds_as_the_service_does() {
        let at: Timestamp = "2016-10-14T20:36:43.2829999+02:00".parse().unwrap();
        assert_eq!(at.to_string(), "2016-10-14T18:36:43.282Z");
        assert_eq!((at.weekday(), at.hour()), (5, 18));
    }

    #[test]
    fn arithmetic_saturates_at_the_ends_of_the_calendar() {
        let end = Timestamp::from_ticks(i64::MAX);
        assert_eq!(end.year(), 9999);
        assert_eq!(end + Span::days(i64::MAX), end);
        assert_eq!((Timestamp::from_ticks(i64::MIN) - Span::days(1)).year(), 1);
    }
}
