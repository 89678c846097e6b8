//! Which account is spoken to, and how patiently.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use reqwest::Url;
use schemars::JsonSchema;
use serde::Deserialize;

/// All that a client needs to know besides its credential.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the account answers.
    pub endpoint: Endpoint,
    /// The name of the account.
    pub account: String,
    /// The version of the service's interface.
    pub version: ApiVersion,
    /// Certificates of authorities that are trusted besides the system's, as PEM.
    pub authorities: Option<Vec<u8>>,
    /// How patient it is.
    pub limits: Limits,
    /// The seed of its chance: jitter and request ids.
    pub seed: u64,
}

/// How patient a client is, and how much it asks at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The longest that one try may take; the service itself gives up after 30 seconds.
    pub one_try: Duration,
    /// The longest that a request may take with all its tries: a look must end before the next one is due.
    pub whole: Duration,
    /// Requests under way at the same time: enough to hide the way to the region, few enough to be a good neighbour.
    pub at_once: usize,
    /// Requests a second at the most; the service publishes no limit, and halves this by throttling. See [`Limits::USUAL_RATE`].
    pub per_second: f64,
    /// The longest that an order waits for a pool to be steady before the rest is left to the next look.
    pub patience: Duration,
}

impl Limits {
    /// Requests a second when nobody says: an account at the service's own limits (500 pools, 1,000 active jobs) takes some 1,052 for a
    /// look, which then fit into the 30 seconds between two of them, and leave a third of them to rest.
    pub const USUAL_RATE: f64 = 50.0;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            one_try: Duration::from_secs(35),
            whole: Duration::from_secs(90),
            at_once: 16,
            per_second: Self::USUAL_RATE,
            patience: Duration::from_secs(10),
        }
    }
}

/// A version of the service's interface; the fields that we read and write are the same in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// The current one.
    #[default]
    #[serde(rename = "2025-06-01")]
    V2025,
    /// The one before the bare dates, which `az batch` and older clients speak.
    #[serde(rename = "2024-02-01.19.0")]
    V2024,
}

impl ApiVersion {
    /// Returns the value of the parameter `api-version`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::V2025 => "2025-06-01",
            Self::V2024 => "2024-02-01.19.0",
        }
    }
}

/// Where an account answers: scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: Url,
    base: String,
}

/// Says why a text is no endpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no endpoint: {why}; write it like https://myaccount.westeurope.batch.azure.com")]
pub struct EndpointError {
    text: String,
    why: String,
}

impl Endpoint {
    /// Returns scheme, host and port without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Says whether what is sent there is encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Says whether it is this machine, where nothing goes over a network.
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
        host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
    }

    /// Returns the name or address of the machine.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("")
    }

    /// Returns the account that the name of a public endpoint begins with.
    pub fn account(&self) -> Option<&str> {
        let (account, rest) = self.host().split_once('.')?;
        rest.contains("batch.").then_some(account)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

/// Reads an endpoint; without a scheme it is https, as `az batch` has it.
impl FromStr for Endpoint {
    type Err = EndpointError;
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let error = |why: &str| EndpointError {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let trimmed = text.trim();
        let with_scheme = if trimmed.contains("://") {
            trimmed.to_owned()
        } else {
            format!("https://{trimmed}")
        };
        let url = Url::parse(&with_scheme).map_err(|why| error(&why.to_string()))?;
        if !["http", "https"].contains(&url.scheme()) {
            return Err(error("it begins with neither https:// nor http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(error("it has a user name in it"));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(error("it has more than host and port"));
        }
        let base = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, base })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_they_are_printed() {
        for (text, base, account) in [
            (
                "https://acme.westeurope.batch.azure.com",
                "https://acme.westeurope.batch.azure.com",
                Some("acme"),
            ),
            (
                "acme.westeurope.batch.azure.com/",
                "https://acme.westeurope.batch.azure.com",
                Some("acme"),
            ),
            (" http://127.0.0.1:18080/ ", "http://127.0.0.1:18080", None),
            ("localhost:18443", "https://localhost:18443", None),
        ] {
            let endpoint: Endpoint = text.parse().unwrap();
            assert_eq!((endpoint.base(), endpoint.account()), (base, account), "{text}");
        }
        for text in [
            "",
            "ftp://a",
            "https://a/b",
            "https://u:p@a",
            "https://a?b=c",
            "http://",
        ] {
            assert!(text.parse::<Endpoint>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn this_machine_is_known_by_all_its_names() {
        for (text, expected) in [
            ("http://127.0.0.1:1", true),
            ("http://[::1]:1", true),
            ("http://LOCALHOST", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.org", false),
        ] {
            assert_eq!(
                text.parse::<Endpoint>().unwrap().is_loopback(),
                expected,
                "{text}"
            );
        }
    }
}
