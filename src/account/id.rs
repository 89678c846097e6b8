//! The names of pools and of their versions.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a pool; cheap to clone.
///
/// Pool - Add, REST API: letters, digits, hyphens and underscores, at most 64 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolId(Arc<str>);

/// Says why a text is not a pool id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pool id; use 1 to 64 letters, digits, hyphens and underscores")]
pub struct PoolIdError(pub String);

/// The version of a pool that an answer or an order speaks of (`ETag`); cheap to clone, compared byte for byte.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Etag(pub Arc<str>);

impl PoolId {
    /// The longest id that the service takes.
    pub const CHARS_MAX: usize = 64;

    /// Returns the id as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PoolId {
    type Err = PoolIdError;
    fn from_str(text: &str) -> Result<Self, PoolIdError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=Self::CHARS_MAX).contains(&text.len()) && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(PoolIdError(text.to_owned()))
        }
    }
}

impl fmt::Display for PoolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for PoolId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PoolId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PoolId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PoolId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_what_the_service_takes() {
        for text in ["a", "genomics-main_2", &"x".repeat(64)] {
            assert_eq!(text.parse::<PoolId>().unwrap().as_str(), text);
        }
        for text in ["", "a b", "pool*", "ü", &"x".repeat(65)] {
            assert!(text.parse::<PoolId>().is_err(), "{text:?} was read as a pool id");
        }
    }
}
