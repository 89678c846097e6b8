//! Lengths of time as other tools write them.

use crate::base::Span;

/// Reads an ISO 8601 duration (`PT15M`, `PT06M00S`), one of ours (`15m`), a clock (`0:15:00`, `1.02:00:00`, `1 day, 2:00:00`) or
/// a number with a word (`5 min`, `1 hour`).
///
/// The service answers with ISO 8601, `az batch` prints Python's `timedelta`, batch-shipyard reads clocks, nextflow words.
pub(super) fn length(text: &str) -> Option<Span> {
    let text = text.trim();
    text.parse().ok().or_else(|| clock(text)).or_else(|| words(text))
}

fn clock(text: &str) -> Option<Span> {
    let (days, clock) = match text.split_once(',') {
        Some((days, clock)) => (days.trim().split(' ').next()?.parse().ok()?, clock.trim()),
        None => match text.split_once('.') {
            Some((days, clock)) if clock.contains(':') => (days.parse().ok()?, clock),
            _ => (0, text),
        },
    };
    let parts: Vec<&str> = clock.split(':').collect();
    let [hours, minutes, seconds] = parts[..] else {
        return None;
    };
    let whole = |text: &str| text.parse::<u32>().ok().map(i64::from);
    let seconds: f64 = seconds
        .parse()
        .ok()
        .filter(|seconds| (0.0..60.0).contains(seconds))?;
    let minutes = whole(minutes).filter(|minutes| *minutes < 60)?;
    Some(Span::days(days) + Span::hours(whole(hours)?) + Span::minutes(minutes) + Span::from_seconds(seconds))
}

fn words(text: &str) -> Option<Span> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = match unit.trim() {
        "ms" | "milli" | "millis" => Span::from_seconds(0.001),
        "s" | "sec" | "second" | "seconds" => Span::seconds(1),
        "m" | "min" | "minute" | "minutes" => Span::minutes(1),
        "h" | "hour" | "hours" => Span::hours(1),
        "d" | "day" | "days" => Span::days(1),
        _ => return None,
    };
    Some(unit.scale(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_is_understood() {
        for (text, wanted) in [
            ("PT15M", "15m"),
            ("PT06M00S", "6m"),
            ("PT01H00M00S", "1h"),
            ("0:15:00", "15m"),
            ("00:05:00", "5m"),
            ("1 day, 2:00:00", "1d2h"),
            ("7 days, 0:00:00", "7d"),
            ("1.02:00:00", "1d2h"),
            ("5 min", "5m"),
            ("10min", "10m"),
            ("1.5 hours", "1h30m"),
            ("90 sec", "1m30s"),
            (" 20m ", "20m"),
        ] {
            assert_eq!(
                length(text).map(Span::in_short).as_deref(),
                Some(wanted),
                "{text}"
            );
        }
        for text in [
            "",
            "often",
            "1:2",
            "0:75:00",
            "0:00:61",
            "5 fortnights",
            "-1:00:00",
            "min",
        ] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
