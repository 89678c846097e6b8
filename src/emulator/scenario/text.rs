//! Times in a scenario as they are written: `90s`, `1m..3m` for any time between, `lognormal:10m/1.2`.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::account::PoolPattern;
use crate::base::Span;
use crate::emulator::Spread;
use crate::sim::Times;

/// A time, or any between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpreadText(pub(super) Spread);

/// A distribution of times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimesText(pub(super) Times);

/// A pool id, or a pattern of ids.
#[derive(Clone, Debug)]
pub(super) struct PatternText(pub(super) PoolPattern);

/// A day: what takes longer in an account is stuck.
const LONGEST: Span = Span::days(1);

impl FromStr for SpreadText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (least, most) = text.split_once("..").unwrap_or((text, text));
        let span = |text: &str| text.trim().parse::<Span>().map_err(|error| error.to_string());
        let (least, most) = (span(least)?, span(most)?);
        if least.is_negative() || most < least || LONGEST < most {
            return Err(format!("`{text}` must lie between 0s and 1d, the least first"));
        }
        Ok(Self(Spread {
            least: least.whole_milliseconds(),
            most: most.whole_milliseconds(),
        }))
    }
}

impl FromStr for TimesText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.parse::<Times>().and_then(Times::checked).map(Self)
    }
}

impl<'de> Deserialize<'de> for SpreadText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for TimesText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for PatternText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PatternText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PoolPattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "a pool id, or a pattern such as gen-*" })
    }
}

impl JsonSchema for SpreadText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Spread".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "a time such as 90s, or any between two, such as 1m..3m",
        })
    }
}

impl JsonSchema for TimesText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Times".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "how times are spread: fixed:5m, exp:5m, lognormal:10m/1.2, weibull:1h/0.6 or pareto:10s/1.1/4h",
        })
    }
}
