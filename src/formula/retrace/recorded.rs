//! What the service printed of a run, and which values can stand behind it.

use std::collections::BTreeMap;

use crate::base::{Span, Timestamp};
use crate::formula::Value;
use crate::formula::builtin::Type;
use crate::formula::range::interval::Interval;
use crate::formula::range::value::{Texts, Times, Value as Set, Vector};

/// Splits `name=value;…`; a string may hold a `;`, and what has no name belongs to the value before it.
pub(crate) fn split(results: &str) -> BTreeMap<String, String> {
    let mut values: BTreeMap<String, String> = BTreeMap::new();
    let mut last = String::new();
    for part in results.split(';') {
        if let Some((name, value)) = part.split_once('=') {
            name.trim().clone_into(&mut last);
            values.insert(last.clone(), value.trim().to_owned());
        } else if let Some(value) = values.get_mut(&last)
            && !part.trim().is_empty()
        {
            value.extend([";", part]);
        }
    }
    values
}

/// Reads a printed value of a type; `None` when it is none of it. A value of any type is read by its form.
pub(super) fn read(text: &str, ty: Type) -> Option<Value> {
    match ty {
        Type::Double => number(text).map(Value::Double),
        Type::DoubleVec => vector(text).map(Value::DoubleVec),
        Type::Timestamp => text.parse().ok().map(Value::Timestamp),
        Type::TimeInterval => text.parse().ok().map(Value::TimeInterval),
        Type::Text => Some(Value::Text(text.into())),
        _ => [Type::Double, Type::DoubleVec, Type::Timestamp]
            .into_iter()
            .find_map(|ty| read(text, ty))
            .or_else(|| Some(Value::Text(text.into()))),
    }
}

fn number(text: &str) -> Option<f64> {
    // Rust reads more words than the service prints.
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eEinfa".contains(&byte));
    text.parse().ok().filter(|_| plain)
}

fn vector(text: &str) -> Option<Vec<f64>> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.is_empty() {
        return Some(Vec::new());
    }
    inner.split(',').map(|element| number(element.trim())).collect()
}

/// `%g` prints six digits (see `print_value`).
const DIGITS: usize = 6;

/// Returns every number that prints as this text does: half a unit of its last digit to both sides.
pub(super) fn behind(text: &str) -> Option<Interval> {
    let nominal = number(text)?;
    if nominal == 0.0 || !nominal.is_finite() {
        return Some(Interval::point(nominal));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or(text);
    let significant = mantissa.trim_start_matches(['-', '+', '0', '.']);
    let digits = significant.bytes().filter(u8::is_ascii_digit).count();
    let exponent: i32 = format!("{nominal:e}").split('e').nth(1)?.parse().ok()?;
    let last = exponent + 1 - i32::try_from(digits.max(DIGITS)).ok()?;
    // A little more, for the rounding of these very lines.
    let half = 0.500_000_1 * 10_f64.powi(last);
    Some(Interval::new(nominal - half, nominal + half))
}

/// Returns the set of values that print as this text does.
pub(super) fn set_behind(text: &str, ty: Type) -> Option<Set> {
    Some(match read(text, ty)? {
        Value::Double(_) => Set::Number(behind(text)?),
        Value::DoubleVec(elements) => {
            let inner = text.trim_start_matches('[').trim_end_matches(']');
            let join = |all: Interval, element: &str| Some(all.join(behind(element.trim())?));
            let parts = inner.split(',').filter(|part| !part.is_empty());
            Set::Vector(Vector {
                elements: parts
                    .map(Some)
                    .try_fold(Interval::EMPTY, |all, part| join(all, part?))?,
                shortest: elements.len() as f64,
                longest: elements.len() as f64,
            })
        }
        Value::Timestamp(at) => Set::Time(within_a_millisecond(at)),
        // No recording shows how the service prints an interval.
        Value::TimeInterval(_) => Set::Anything,
        Value::Text(text) => Set::Text(Texts::of(&text)),
    })
}

fn within_a_millisecond(at: Timestamp) -> Times {
    let millisecond = Span::from_seconds(0.001).ticks();
    Times {
        after_now: false,
        low: at.ticks(),
        high: at.ticks().saturating_add(millisecond - 1),
    }
}

/// Returns what both sets hold as far as it can be told, and whether they hold anything together.
pub(super) fn meet(possible: Set, recorded: Set) -> (Set, bool) {
    match (possible, recorded) {
        (Set::Number(a), Set::Number(b)) => {
            let both = a.meet(b);
            (Set::Number(both), !both.is_empty() || both.nan)
        }
        (Set::Vector(a), Set::Vector(b)) => {
            let lengths = a.shortest <= b.shortest && b.longest <= a.longest;
            let inside = b.longest == 0.0 || covers(a.elements, b.elements);
            (recorded, lengths && inside)
        }
        (Set::Time(a), Set::Time(b)) if !a.after_now && a != Times::ANY => {
            (recorded, a.low <= b.high && b.low <= a.high)
        }
        (Set::Text(a), Set::Text(b)) => (recorded, a.options & b.options != 0 || (a.other && b.other)),
        (Set::Anything | Set::Time(_) | Set::Span(_), _) => (recorded, true),
        (_, Set::Anything) => (possible, true),
        _ => (recorded, false),
    }
}

/// Says whether the ends of what was recorded lie in what is possible, give or take what printing hides.
fn covers(possible: Interval, recorded: Interval) -> bool {
    let slack = |end: f64| end.abs() * 2e-6;
    let above = possible.low - slack(recorded.low) <= recorded.low;
    let below = recorded.high <= possible.high + slack(recorded.high);
    possible.nan || (above && below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_stands_for_all_that_prints_so() {
        for (text, low, high) in [
            ("3.33333", 3.333_325, 3.333_335),
            ("3", 2.999_995, 3.000_005),
            ("-2.5", -2.500_005, -2.499_995),
            ("1.67772e+07", 16_777_150.0, 16_777_250.0),
            ("16777216", 16_777_215.5, 16_777_216.5),
            ("0", 0.0, 0.0),
        ] {
            let behind = behind(text).unwrap();
            assert!((behind.low - low).abs() <= 1e-6 * low.abs(), "{text}: {behind:?}");
            assert!(
                (behind.high - high).abs() <= 1e-6 * high.abs(),
                "{text}: {behind:?}"
            );
            assert!(
                behind.contains(low) && behind.contains(high),
                "{text}: {behind:?}"
            );
        }
        for text in ["", "three", "0x3", "infinity", "1,2"] {
            assert_eq!(behind(text), None, "{text}");
        }
    }

    #[test]
    fn every_number_lies_behind_its_print() {
        for number in [
            1.0 / 3.0,
            2e5 / 3.0,
            99_999.95,
            999_999.5,
            1e-7 / 3.0,
            -12_345.678,
            1e15 / 7.0,
        ] {
            let printed = Value::Double(number).to_string();
            assert!(
                behind(&printed).unwrap().contains(number),
                "{number} prints {printed}"
            );
        }
    }

    #[test]
    fn results_are_split_by_name() {
        let values = split("$TargetDedicatedNodes=3; $v=[1,2];t=a;b;");
        let told: Vec<_> = values
            .iter()
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        assert_eq!(told, ["$TargetDedicatedNodes:3", "$v:[1,2]", "t:a;b"]);
    }
}
