//! A number out of a text that a file or a command gives.

use crate::signal::{Found, Lack};

/// The most that is read: a number, or a small JSON object with one.
pub(super) const BYTES_MAX: u64 = 64 << 10;

/// Reads a number: the text itself, or `value` of a JSON object.
pub(super) fn read(text: &[u8]) -> Found {
    let Ok(text) = std::str::from_utf8(text) else {
        return Found::Lacking(Lack::NotANumber);
    };
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Found::Lacking(Lack::Empty);
    }
    if let Ok(number) = text.parse::<f64>() {
        return of(number);
    }
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(serde_json::Value::Null) => Found::Lacking(Lack::Null),
        Ok(serde_json::Value::Object(object)) => match object.get("value") {
            Some(serde_json::Value::Null) => Found::Lacking(Lack::Null),
            Some(serde_json::Value::Number(number)) => {
                number.as_f64().map_or(Found::Lacking(Lack::NotANumber), of)
            }
            Some(_) => Found::Lacking(Lack::NotANumber),
            None => Found::Lacking(Lack::Empty),
        },
        _ => Found::Lacking(Lack::NotANumber),
    }
}

/// Returns a number that is one.
pub(super) fn of(number: f64) -> Found {
    if number.is_finite() {
        Found::Value(number)
    } else {
        Found::Lacking(Lack::NotANumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_never_zero() {
        for (text, found) in [
            ("17", Found::Value(17.0)),
            (" 17.5\n", Found::Value(17.5)),
            ("\u{feff}0\r\n", Found::Value(0.0)),
            ("{\"value\": 3, \"more\": []}", Found::Value(3.0)),
            ("", Found::Lacking(Lack::Empty)),
            (" \n", Found::Lacking(Lack::Empty)),
            ("{}", Found::Lacking(Lack::Empty)),
            ("null", Found::Lacking(Lack::Null)),
            ("{\"value\": null}", Found::Lacking(Lack::Null)),
            ("NaN", Found::Lacking(Lack::NotANumber)),
            ("inf", Found::Lacking(Lack::NotANumber)),
            ("many", Found::Lacking(Lack::NotANumber)),
            ("{\"value\": \"3\"}", Found::Lacking(Lack::NotANumber)),
            ("3 4", Found::Lacking(Lack::NotANumber)),
            ("[3]", Found::Lacking(Lack::NotANumber)),
            ("true", Found::Lacking(Lack::NotANumber)),
        ] {
            assert_eq!(read(text.as_bytes()), found, "{text:?}");
        }
        assert_eq!(read(&[0xff, 0x31]), Found::Lacking(Lack::NotANumber));
    }
}
