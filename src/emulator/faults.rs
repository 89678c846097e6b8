//! Faults of the wire, by schedule and seed: the struct that a scenario file has under `http`.

mod strike;
mod wire;

pub use wire::Wire;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::base::Span;

/// The faults of the wire that a scenario asks for; none by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpFaults {
    /// The seed of the chances below: the same requests in the same order meet the same faults.
    #[serde(default)]
    pub seed: u64,
    /// How far the server's clock is off, such as `-5m`: its `Date` header, and its check of signatures and tokens.
    #[serde(default)]
    pub clock_skew: Option<Span>,
    /// What goes wrong, and when; the first that strikes a request is the only one.
    #[serde(default)]
    pub faults: Vec<HttpFault>,
}

/// One fault of the wire.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HttpFault {
    /// What happens to a request that is struck.
    pub kind: HttpFaultKind,
    /// The share of requests that are struck, 0 to 1; all of them by default.
    #[serde(default = "all")]
    pub share: f64,
    /// When it begins, since the start of the account, on the account's clock.
    #[serde(default)]
    pub from: Option<Span>,
    /// How long it lasts; without it, to the end.
    #[serde(default, rename = "for")]
    pub lasts: Option<Span>,
    /// The most requests that are struck; without it, no limit.
    #[serde(default)]
    pub times: Option<u32>,
    /// Only requests of this verb, such as `POST`.
    #[serde(default)]
    pub method: Option<String>,
    /// Only requests whose path starts so, such as `/pools/p0/resize`.
    #[serde(default)]
    pub path: Option<String>,
    /// The `Retry-After` of a refusal, in whole seconds; without it, no such header.
    #[serde(default)]
    pub retry_after: Option<Span>,
    /// How long a slow answer waits, on the wall clock; one second by default.
    #[serde(default)]
    pub delay: Option<Span>,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum HttpFaultKind {
    /// 429 `TooManyRequests`, without effect.
    TooManyRequests,
    /// 503 `ServerBusy`, without effect.
    ServerBusy,
    /// 500 `InternalError`, without effect.
    InternalError,
    /// 500 `OperationTimedOut`; the request took effect.
    OperationTimedOut,
    /// The answer waits.
    Slow,
    /// The answer breaks off in the middle of its body; the request took effect.
    Torn,
    /// The connection closes without an answer; the request took effect.
    Lost,
    /// The connection closes without an answer and without effect.
    Refused,
}

impl HttpFaults {
    /// Returns what is wrong with the numbers: where, and why.
    pub fn problems(&self) -> Vec<(String, String)> {
        let each = self.faults.iter().enumerate();
        each.flat_map(|(index, fault)| {
            let found = fault.problems();
            found
                .into_iter()
                .map(move |(name, reason)| (format!("faults[{index}].{name}"), reason))
        })
        .collect()
    }
}

impl HttpFault {
    fn problems(&self) -> Vec<(&'static str, String)> {
        let mut found = Vec::new();
        if !(0.0..=1.0).contains(&self.share) {
            found.push(("share", format!("{} is no share; write 0 to 1", self.share)));
        }
        let spans = [
            ("from", self.from),
            ("for", self.lasts),
            ("retryAfter", self.retry_after),
            ("delay", self.delay),
        ];
        for (name, span) in spans {
            if span.is_some_and(Span::is_negative) {
                found.push((
                    name,
                    "it is below zero; write a length of time such as 10s".to_owned(),
                ));
            }
        }
        if self.delay.is_some_and(|delay| DELAY_MAX < delay) {
            found.push((
                "delay",
                "it is longer than ten minutes; clients give up long before".to_owned(),
            ));
        }
        found
    }
}

/// The longest that an answer waits: clients give up long before.
const DELAY_MAX: Span = Span::minutes(10);

fn all() -> f64 {
    1.0
}
