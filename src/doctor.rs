//! An examination of an account and of what steers it: what is wrong, why that matters, and the way out.
//!
//! It only reads. Each [`Check`] says what was looked at and how that stands; what could not be looked at is told as such and
//! never taken for healthy. Each [`Finding`] is one thing that somebody should do something about.

mod access;
mod checks;
mod codes;
mod expiry;
mod facts;
mod finding;
mod nodes;
mod pools;
mod quotas;
mod role;
mod steering;

use serde::Serialize;

use crate::account::PoolPattern;
use crate::azure::{Client, Fault};
use crate::base::Timestamp;
use crate::policy::Policies;

pub use codes::CODES;
pub use expiry::{Ends, Expiring, ends_of_certificates, ends_of_sas, ends_of_token};
pub use finding::{Check, Finding, Outcome};
pub use role::{OPERATIONS, Operation, RoleDefinition, minimal_role};

/// What is examined.
pub struct Examined<'a> {
    /// The account.
    pub client: &'a Client,
    /// The pools that are wanted; all of them without a pattern.
    pub pools: Option<&'a PoolPattern>,
    /// What steers them, where policies are given.
    pub policies: Option<&'a Policies>,
    /// What ends one day: certificates, tokens, signatures.
    pub expiring: &'a [Expiring],
}

/// Who we are to the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// How requests are allowed.
    pub by: String,
    /// Who that is, where a token says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// The tenant that vouches for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// What an examination came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// When.
    pub at: Timestamp,
    /// The account.
    pub account: String,
    /// Where it answers.
    pub endpoint: String,
    /// Who we are to it.
    pub identity: Identity,
    /// What was looked at, in order.
    pub checks: Vec<Check>,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// The least that lowtide has to be allowed, as `az role definition create` takes it.
    pub role: RoleDefinition,
}

impl Report {
    /// Returns the worst that was found; `None` when all is well.
    pub fn worst(&self) -> Option<Outcome> {
        let found = self.findings.iter().map(|finding| finding.severity);
        let checked = self.checks.iter().map(|check| check.outcome);
        found
            .chain(checked)
            .filter(|outcome| Outcome::Unknown < *outcome)
            .max()
    }
}

/// Examines an account; whatever cannot be asked is a check that says so.
///
/// # Errors
/// When the account does not answer at all, so that there is nothing to examine.
pub async fn examine(examined: &Examined<'_>) -> Result<Report, Fault> {
    let client = examined.client;
    let settings = client.settings();
    let mut found = checks::Found::default();
    let identity = access::examine(client, &mut found).await?;
    let facts = facts::gather(examined, &mut found).await;
    pools::examine(&facts, &mut found);
    nodes::examine(&facts, &mut found);
    steering::examine(examined, &facts, &mut found);
    quotas::examine(examined, &facts, &mut found);
    expiry::examine(examined.expiring, facts.now, &mut found);
    let (checks, findings) = found.in_order();
    Ok(Report {
        at: facts.now,
        account: settings.account.clone(),
        endpoint: settings.endpoint.base().to_owned(),
        identity,
        checks,
        findings,
        role: minimal_role(&settings.account),
    })
}
