//! Values as the service prints them in `results`.

use std::fmt;

use super::Value;

/// Writes a number as C's `%g` does: six significant digits, no trailing zeros.
///
/// Recorded: `96.6667` for 29/30 · 100, `0.5`, `3.2`, `233`.
pub(super) fn write_number(f: &mut impl fmt::Write, number: f64) -> fmt::Result {
    if number.is_nan() {
        return f.write_str("nan");
    }
    if number.is_infinite() {
        return f.write_str(if number > 0.0 { "inf" } else { "-inf" });
    }
    let scientific = format!("{number:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("the format writes an exponent");
    let exponent: i32 = exponent.parse().expect("the exponent is a whole number");
    if (-4..6).contains(&exponent) {
        let decimals = usize::try_from(5 - exponent).expect("the exponent is below 6");
        f.write_str(without_zeros(&format!("{number:.decimals$}")))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(f, "{}e{sign}{:02}", without_zeros(mantissa), exponent.abs())
    }
}

fn without_zeros(digits: &str) -> &str {
    if digits.contains('.') {
        digits.trim_end_matches('0').trim_end_matches('.')
    } else {
        digits
    }
}

/// Writes a value: `%g`, `[a,b,c]`, `2016-10-14T18:36:43.282Z`, an ISO 8601 duration (no recording shows one) or the bare
/// string.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Double(number) => write_number(f, *number),
            Self::DoubleVec(numbers) => {
                f.write_str("[")?;
                for (index, number) in numbers.iter().enumerate() {
                    f.write_str(if index > 0 { "," } else { "" })?;
                    write_number(f, *number)?;
                }
                f.write_str("]")
            }
            Self::Timestamp(at) => at.fmt(f),
            Self::TimeInterval(span) => span.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_in_c() {
        for (number, printed) in [
            (2900.0 / 30.0, "96.6667"),
            (0.5, "0.5"),
            (3.2, "3.2"),
            (233.0, "233"),
            (16_777_216.0, "1.67772e+07"),
            (1_000_000.0, "1e+06"),
            (999_999.0, "999999"),
            (999_999.5, "1e+06"),
            (0.0001, "0.0001"),
            (0.000_012_345_678, "1.23457e-05"),
            (-0.0, "-0"),
            (1e100, "1e+100"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(Value::Double(number).to_string(), printed);
        }
        assert_eq!(Value::DoubleVec(vec![1.0, 2.5]).to_string(), "[1,2.5]");
        assert_eq!(Value::DoubleVec(Vec::new()).to_string(), "[]");
    }
}
