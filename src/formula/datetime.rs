//! Instants as `time("…")` reads them: W3C-DTF in all its lengths, and RFC 1123.

use chrono::NaiveDate;

use super::Dialect;
use crate::base::{Span, Timestamp};

/// Reads the argument of `time`; the error is a sentence.
///
/// At most seven fraction digits (ticks of 100 ns): formulas with nine were refused by the service (nextflow#3866). The
/// name of the day in RFC 1123 is not compared with the date. The lenient dialect also takes nine digits and no zone.
pub(super) fn parse_time(text: &str, dialect: Dialect) -> Result<Timestamp, String> {
    let fail = || {
        format!(
            "\"{text}\" is not a time; write it like \"2026-11-22\", \"2026-11-22T09:00:00Z\" or \"Sun, 22 Nov 2026 09:00:00 GMT\""
        )
    };
    let trimmed = text.trim();
    if trimmed.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return rfc_1123(trimmed).ok_or_else(fail);
    }
    let (date, rest) = trimmed
        .split_once('T')
        .map_or((trimmed, None), |(date, rest)| (date, Some(rest)));
    let day = date_of(date).ok_or_else(fail)?;
    let Some(rest) = rest else { return Ok(day) };
    if date.len() != 10 {
        return Err(fail());
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(fail());
    }
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let offset = match &rest[zone_at..] {
        "Z" => Span::ZERO,
        "" if dialect == Dialect::Lenient => Span::ZERO,
        "" => {
            return Err(format!(
                "\"{text}\" has no time zone; add Z for UTC, or an offset like +02:00"
            ));
        }
        zone => offset_of(zone).ok_or_else(fail)?,
    };
    Ok(day + clock_of(&rest[..zone_at], dialect).ok_or_else(fail)?.map_err(|digits| {
        format!("\"{text}\" has {digits} fraction digits, and the service takes at most 7; cut it to milliseconds")
    })? - offset)
}

fn digits(text: &str, length: usize) -> Option<u32> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
}

fn day(year: u32, month: u32, day: u32) -> Option<Timestamp> {
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok().filter(|year| *year > 0)?, month, day)?;
    Some(Timestamp::from_unix_seconds(
        date.and_hms_opt(0, 0, 0)?.and_utc().timestamp(),
    ))
}

/// `YYYY`, `YYYY-MM` or `YYYY-MM-DD`.
fn date_of(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    let date = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() {
        None
    } else {
        day(year, month, date)
    }
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s…`; too many fraction digits are their count.
fn clock_of(text: &str, dialect: Dialect) -> Option<Result<Span, usize>> {
    let mut parts = text.splitn(3, ':');
    let hour = digits(parts.next()?, 2).filter(|hour| *hour < 24)?;
    let minute = digits(parts.next()?, 2).filter(|minute| *minute < 60)?;
    let (second, fraction) = parts.next().map_or(("00", None), |seconds| {
        seconds
            .split_once('.')
            .map_or((seconds, None), |(second, fraction)| (second, Some(fraction)))
    });
    let second = digits(second, 2).filter(|second| *second < 60)?;
    let mut ticks = 0;
    if let Some(fraction) = fraction {
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        if fraction.len() > 7 && dialect != Dialect::Lenient {
            return Some(Err(fraction.len()));
        }
        ticks = format!("{:0<7}", &fraction[..fraction.len().min(7)])
            .parse()
            .ok()?;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(Ok(Span::seconds(seconds) + Span::from_ticks(ticks)))
}

/// `+hh:mm` or `-hh:mm`.
fn offset_of(text: &str) -> Option<Span> {
    let (hours, minutes) = text.get(1..)?.split_once(':')?;
    let minutes = digits(hours, 2).filter(|h| *h < 24)? * 60 + digits(minutes, 2).filter(|m| *m < 60)?;
    let offset = Span::minutes(i64::from(minutes));
    Some(if text.starts_with('-') { -offset } else { offset })
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// `Mon, 06 Oct 2014 10:20:00 GMT`.
fn rfc_1123(text: &str) -> Option<Timestamp> {
    let parts: Vec<&str> = text.split_ascii_whitespace().collect();
    let [name, date, month, year, clock, "GMT"] = parts.as_slice() else {
        return None;
    };
    let known = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"].contains(name);
    let month = MONTHS.iter().position(|known| known == month)? as u32 + 1;
    let date = digits(date, date.len().clamp(1, 2))?;
    let at = day(digits(year, 4)?, month, date)? + clock_of(clock, Dialect::Strict)?.ok()?;
    (known && clock.len() == 8).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read() {
        for (text, printed) in [
            ("2014", "2014-01-01T00:00:00.000Z"),
            ("2014-10", "2014-10-01T00:00:00.000Z"),
            ("2014-10-06", "2014-10-06T00:00:00.000Z"),
            ("2014-10-06T10:20Z", "2014-10-06T10:20:00.000Z"),
            ("2014-10-06T10:20:30+02:00", "2014-10-06T08:20:30.000Z"),
            ("2024-10-30T00:00:00.880011Z", "2024-10-30T00:00:00.880Z"),
            ("2014-10-06T23:20:30.5-01:30", "2014-10-07T00:50:30.500Z"),
            ("Mon, 06 Oct 2014 10:20:00 GMT", "2014-10-06T10:20:00.000Z"),
            ("Fri, 06 Oct 2014 10:20:00 GMT", "2014-10-06T10:20:00.000Z"),
        ] {
            assert_eq!(
                parse_time(text, Dialect::Service).unwrap().to_string(),
                printed,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_time_says_why() {
        for (text, why) in [
            ("2024-10-30T00:00:00.123456789Z", "9 fraction digits"),
            ("2024-10-30T00:00:00", "no time zone"),
            ("2024-02-30", "not a time"),
            ("2024-10T00:00Z", "not a time"),
            ("2024-10-30T24:00Z", "not a time"),
            ("0000", "not a time"),
            ("yesterday", "not a time"),
            ("Mon, 06 Oct 2014 10:20:00 CET", "not a time"),
            ("2024-10-30T00:00:00.Z", "not a time"),
            ("2024-10-30Té", "not a time"),
        ] {
            let error = parse_time(text, Dialect::Service).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
        let nine = "2024-10-30T00:00:00.123456789";
        assert_eq!(
            parse_time(nine, Dialect::Lenient).unwrap().to_string(),
            "2024-10-30T00:00:00.123Z"
        );
    }
}
