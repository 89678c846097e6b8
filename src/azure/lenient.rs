//! Reading what the service writes, and a little more: numbers as strings, words in either case, times in any precision.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::base::Timestamp;

/// Reads a whole number that may stand in quotes or be missing (`null`).
pub(super) fn number<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64>,
{
    let value = Value::deserialize(deserializer)?;
    let number = match &value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let number = number.and_then(|number| T::try_from(number).ok());
    number
        .map(Some)
        .ok_or_else(|| D::Error::custom(format!("{value} is not a count")))
}

/// Reads a count of which there are none when it is missing.
pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    number(deserializer).map(Option::unwrap_or_default)
}

fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 1e15).then_some(number as i64)
}

/// Reads a time that may be missing.
pub(super) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.map(|text| text.parse().map_err(D::Error::custom))
        .transpose()
}

/// Reads true or false, also in quotes; missing is false.
pub(super) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(flag),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        other => Err(D::Error::custom(format!("{other} is neither true nor false"))),
    }
}

/// Reads a word in either case through [`FromStr`]; missing is the default.
pub(super) fn word<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr + Default,
    T::Err: fmt::Display,
{
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(T::default()),
        Some(text) => text.to_ascii_lowercase().parse().map_err(D::Error::custom),
    }
}

/// Reads what may be `null` as its default.
pub(super) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Read {
        #[serde(deserialize_with = "count")]
        nodes: u32,
        #[serde(deserialize_with = "number")]
        target: Option<u32>,
        #[serde(deserialize_with = "time")]
        at: Option<Timestamp>,
        #[serde(deserialize_with = "flag")]
        on: bool,
    }

    fn read(text: &str) -> Result<Read, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn what_clients_and_service_write_is_read() {
        let expected = Read {
            nodes: 5,
            target: Some(6),
            at: Some(Timestamp::from_unix_seconds(1)),
            on: true,
        };
        for text in [
            r#"{"nodes":5,"target":6,"at":"1970-01-01T00:00:01.0000000Z","on":true}"#,
            r#"{"nodes":"5","target":" 6 ","at":"1970-01-01T00:00:01Z","on":"True","more":[]}"#,
            r#"{"nodes":5.0,"target":6,"at":"1970-01-01T01:00:01+01:00","on":true}"#,
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
        assert_eq!(
            read(r#"{"nodes":null,"target":null,"at":null,"on":null}"#).unwrap(),
            Read::default()
        );
        assert_eq!(read("{}").unwrap(), Read::default());
    }

    #[test]
    fn what_is_no_count_is_not_taken_for_one() {
        for text in [
            r#"{"nodes":-1}"#,
            r#"{"nodes":"many"}"#,
            r#"{"nodes":1.5}"#,
            r#"{"target":5000000000}"#,
            r#"{"on":1}"#,
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
