//! Texts of the configuration that are more than texts.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::azure::Endpoint;
use crate::base::Span;
use crate::base::schema::Format;

/// Where a Batch account answers.
#[derive(Clone, Debug)]
pub struct EndpointText(pub Endpoint);

/// Where to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressText(pub SocketAddr);

/// How the texts of a configuration are read.
pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Endpoint",
        wanted: "an endpoint like https://myaccount.westeurope.batch.azure.com",
        read: Format::reads::<Endpoint>,
    },
    Format {
        name: "Address",
        wanted: "an address like 127.0.0.1:9464",
        read: Format::reads::<AddressText>,
    },
    Format {
        name: "Duration",
        wanted: "a duration like 90s or 1h30m",
        read: Format::reads::<Span>,
    },
];

/// This machine alone, at a port that nobody else is known to use.
impl Default for AddressText {
    fn default() -> Self {
        Self(SocketAddr::from((Ipv4Addr::LOCALHOST, 9464)))
    }
}

impl FromStr for AddressText {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let address = text.trim().parse().map(Self);
        address.map_err(|_| format!("`{text}` is no address with a port; write it like 127.0.0.1:9464"))
    }
}

impl<'de> Deserialize<'de> for AddressText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for EndpointText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for AddressText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Address".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "an address and a port" })
    }
}

impl JsonSchema for EndpointText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Endpoint".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "description": "scheme, host and port" })
    }
}
