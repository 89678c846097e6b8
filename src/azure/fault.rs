//! What can go wrong between us and the service: typed reasons, whether they pass by themselves, and what to do.

use std::time::Duration;

use super::token_fault::TokenFault;
use crate::account::{Refusal, RefusalKind};
use crate::engine::ObserveError;

/// Why a request brought no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// No connection came about: name, address, port or network.
    #[error("{server} cannot be reached: {why}")]
    Unreachable {
        /// Who was asked.
        server: String,
        /// The network's own words.
        why: String,
    },
    /// The certificate of the other side is signed by nobody we trust, or is for another name.
    #[error("the certificate of {server} is not trusted: {why}")]
    Untrusted {
        /// Who was asked.
        server: String,
        /// What is wrong with the certificate.
        why: String,
    },
    /// No answer came in time.
    #[error("{server} did not answer within {} s", .after.as_secs_f64())]
    TimedOut {
        /// Who was asked.
        server: String,
        /// How long it was waited.
        after: Duration,
    },
    /// The connection or the answer broke off.
    #[error("the answer of {server} broke off: {why}")]
    Torn {
        /// Who was asked.
        server: String,
        /// Where it broke off.
        why: String,
    },
    /// An answer came that is none of the service's.
    #[error("the answer to {request} cannot be read: {why}")]
    Unreadable {
        /// Method and path.
        request: String,
        /// What is wrong with it.
        why: String,
    },
    /// The service says no.
    #[error("{request}: {status} {code}{}{message}", if .message.is_empty() { "" } else { ": " })]
    Refused {
        /// Method and path.
        request: String,
        /// The HTTP status.
        status: u16,
        /// The service's code, such as `PoolBeingResized`; empty when it gives none.
        code: String,
        /// The service's sentence, without the ids that it appends.
        message: String,
        /// How long the service wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// No token could be had.
    #[error(transparent)]
    Token(#[from] TokenFault),
    /// Another instance may steer by now; nothing was sent.
    #[error("{request} was not sent: the lead was lost before its turn came")]
    NotLeading {
        /// Method and path.
        request: String,
    },
    /// The order makes no sense as it stands; nothing was asked.
    #[error("{0}")]
    Senseless(String),
}

impl Fault {
    /// Says whether the same request may succeed later without anyone doing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Torn { .. }
            | Self::NotLeading { .. } => true,
            Self::Untrusted { .. } | Self::Unreadable { .. } | Self::Senseless(_) => false,
            Self::Refused { status, .. } => matches!(status, 408 | 409 | 412 | 429 | 500..),
            Self::Token(fault) => fault.may_pass(),
        }
    }

    /// Says whether the service may have done what it was asked, although we were not told.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Torn { .. } => true,
            // 503 comes from a server that was too busy to begin; the others may have broken on the way back.
            Self::Refused { status, .. } => *status >= 500 && *status != 503,
            _ => false,
        }
    }

    /// Says whether the service asks for fewer requests.
    pub const fn is_throttling(&self) -> bool {
        matches!(
            self,
            Self::Refused {
                status: 429 | 503,
                ..
            }
        )
    }

    /// Says whether what was asked for is not there.
    pub const fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Says whether the service answered with this code, in either case.
    pub fn has_code(&self, expected: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.eq_ignore_ascii_case(expected))
    }

    /// Returns a way out, where there is one for the operator.
    pub fn help(&self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable { .. } => {
                "check the endpoint (`az batch account show` prints accountEndpoint), the network, and HTTPS_PROXY / NO_PROXY"
            }
            Self::Untrusted { .. } => {
                "name the authority that signed it with --ca-file FILE (PEM), and the host as the certificate spells it"
            }
            Self::TimedOut { .. } => {
                "check that the network lets the connection through (firewall, private endpoint)"
            }
            Self::Refused { status: 401, .. } => {
                "check that the identity belongs to the tenant of the account and has a role on it, such as Azure Batch Data Contributor"
            }
            Self::Refused { status: 403, .. } if self.has_code("AuthenticationFailed") => {
                "check account name, key and this machine's clock (15 minutes off are too many); accounts in user-subscription mode \
                 take tokens only: --auth managedIdentity, workloadIdentity, clientSecret or az"
            }
            Self::Refused { status: 403, .. } => {
                "give the identity a role on the account, such as Azure Batch Data Contributor"
            }
            Self::Token(fault) => return fault.help(),
            _ => return None,
        })
    }

    /// Returns the fault as a world tells it to the engine.
    pub fn to_observe_error(&self) -> ObserveError {
        let help = self.help().map_or(String::new(), |help| format!("; {help}"));
        ObserveError {
            message: format!("{self}{help}"),
            retry: self.may_pass(),
        }
    }

    /// Returns the fault as the answer to an order.
    pub fn to_refusal(&self) -> Refusal {
        Refusal {
            kind: self.kind(),
            message: self.to_string(),
        }
    }

    fn kind(&self) -> RefusalKind {
        match self {
            Self::Unreachable { .. }
            | Self::TimedOut { .. }
            | Self::Torn { .. }
            | Self::Unreadable { .. } => RefusalKind::Unreachable,
            Self::NotLeading { .. } => RefusalKind::Changed,
            Self::Senseless(_) => RefusalKind::Invalid,
            Self::Token(fault) if fault.may_pass() => RefusalKind::Unreachable,
            Self::Untrusted { .. } | Self::Token(_) => RefusalKind::Forbidden,
            Self::Refused { status, code, .. } => kind_of(*status, code),
        }
    }
}

/// Returns which of the usual causes a status with a code is ("Batch status and error codes").
fn kind_of(status: u16, code: &str) -> RefusalKind {
    let is = |expected: &str| code.eq_ignore_ascii_case(expected);
    match status {
        401 | 403 => RefusalKind::Forbidden,
        404 => RefusalKind::Missing,
        412 => RefusalKind::Changed,
        429 | 503 => RefusalKind::Throttled,
        409 if is("PoolBeingResized") || is("PoolBeingCreated") => RefusalKind::Resizing,
        409 if is("PoolBeingDeleted") => RefusalKind::Missing,
        409 if is("PoolQuotaReached") || is("ActiveJobAndScheduleQuotaReached") => RefusalKind::Quota,
        408 | 500.. => RefusalKind::Unreachable,
        _ => RefusalKind::Invalid,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> Fault {
        Fault::Refused {
            request: "POST /pools/p/resize".to_owned(),
            status,
            code: code.to_owned(),
            message: String::new(),
            retry_after: None,
        }
    }

    #[test]
    fn every_answer_has_its_kind() {
        use RefusalKind as Kind;
        for (status, code, kind) in [
            (400, "InvalidPropertyValue", Kind::Invalid),
            (401, "", Kind::Forbidden),
            (403, "AuthenticationFailed", Kind::Forbidden),
            (404, "PoolNotFound", Kind::Missing),
            (409, "PoolBeingResized", Kind::Resizing),
            (409, "poolbeingresized", Kind::Resizing),
            (409, "PoolBeingDeleted", Kind::Missing),
            (409, "PoolQuotaReached", Kind::Quota),
            (409, "OperationInvalidForCurrentState", Kind::Invalid),
            (412, "ConditionNotMet", Kind::Changed),
            (429, "TooManyRequests", Kind::Throttled),
            (500, "InternalError", Kind::Unreachable),
            (503, "ServerBusy", Kind::Throttled),
        ] {
            assert_eq!(refused(status, code).to_refusal().kind, kind, "{status} {code}");
        }
    }

    #[test]
    fn a_lost_answer_is_not_a_refusal() {
        for (status, may_have_happened) in
            [(429, false), (503, false), (409, false), (500, true), (504, true)]
        {
            assert_eq!(
                refused(status, "").may_have_happened(),
                may_have_happened,
                "{status}"
            );
        }
    }

    #[test]
    fn a_sentence_names_the_request_and_the_code() {
        assert_eq!(
            refused(409, "PoolBeingResized").to_string(),
            "POST /pools/p/resize: 409 PoolBeingResized"
        );
    }
}
