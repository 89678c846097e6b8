//! When a value is the one that was wanted, and how values are shown.

use super::script::Wanted;
use crate::formula::Value;

/// A part in 10⁹ forgives the last digits of sums and logarithms, and nothing that a person would call another number.
const TOLERANCE: f64 = 1e-9;

/// Says whether a value is the one that was wanted.
pub(super) fn same(got: &Value, wanted: &Wanted) -> bool {
    let near = |got: f64, want: f64| near(got, want, wanted.tolerance);
    match (got, &wanted.value) {
        (Value::Double(got), Value::Double(want)) => near(*got, *want),
        (Value::DoubleVec(got), Value::DoubleVec(want)) => {
            got.len() == want.len() && got.iter().zip(want).all(|(got, want)| near(*got, *want))
        }
        (got, want) => got == want,
    }
}

fn near(got: f64, want: f64, tolerance: Option<f64>) -> bool {
    let tolerance = tolerance.unwrap_or(TOLERANCE * want.abs().max(1.0));
    // Infinities are equal to themselves, and infinite tolerance comes from an infinite wish.
    got == want || got.is_nan() && want.is_nan() || want.is_finite() && (got - want).abs() <= tolerance
}

/// Returns a value as a script writes it, with all its digits.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Double(number) => show_number(*number),
        Value::DoubleVec(numbers) => show_vector(numbers),
        Value::Timestamp(at) => at.to_string(),
        Value::TimeInterval(span) => span.to_string(),
        Value::Text(text) => format!("\"{text}\""),
    }
}

/// Returns a vector as a script writes it.
pub(super) fn show_vector(numbers: &[f64]) -> String {
    let numbers: Vec<_> = numbers.iter().map(|number| show_number(*number)).collect();
    format!("[{}]", numbers.join(","))
}

fn show_number(number: f64) -> String {
    match number.abs() {
        size if size.is_nan() => "nan".to_owned(),
        size if size != 0.0 && !(1e-5..1e16).contains(&size) => format!("{number:e}"),
        _ => number.to_string(),
    }
}

/// Returns what was wanted as the script writes it.
pub(super) fn show_wanted(wanted: &Wanted) -> String {
    let value = show(&wanted.value);
    match wanted.tolerance {
        Some(tolerance) => format!("{value} +- {tolerance}"),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_forgive_a_part_in_a_thousand_million() {
        for (got, want, tolerance, equal) in [
            (3.0, 3.0, None, true),
            (3.000_000_000_1, 3.0, None, true),
            (3.000_000_1, 3.0, None, false),
            (1e-10, 0.0, None, true),
            (1e300, 1.000_000_000_1e300, None, true),
            (3.05, 3.0, Some(0.1), true),
            (f64::INFINITY, f64::INFINITY, None, true),
            (1e308, f64::INFINITY, None, false),
            (f64::NEG_INFINITY, 0.0, Some(f64::INFINITY), true),
            (f64::NAN, f64::NAN, None, true),
            (f64::NAN, 0.0, None, false),
        ] {
            assert_eq!(near(got, want, tolerance), equal, "{got} for {want}");
        }
    }
}
