//! How the sidecar answers over HTTP, as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::AddressText;

/// Where it answers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HttpSection {
    /// The address and port; port 0 is any that is free.
    pub listen: AddressText,
}
