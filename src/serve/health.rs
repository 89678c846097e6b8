//! How the sidecar itself fares, and whether it is ready.
//!
//! ```text
//! alive     the process answers
//! ready     a look has succeeded, the latest did, the ledger takes lines; a standby is ready to take over
//! degraded  ready, and something deserves a look: a policy file that cannot be used, a kill switch
//! ```

use std::sync::Arc;

use serde::Serialize;

use super::folder::FaultyText;
use crate::base::{LineIndex, Severity, Timestamp};
use crate::policy::{self, Mode};

/// How the sidecar fares.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// When it began.
    pub began: Option<Timestamp>,
    /// When it last looked, whether it saw anything or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_look: Option<Timestamp>,
    /// When it last saw the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<Timestamp>,
    /// Why the latest look saw nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_fault: Option<String>,
    /// Why the ledger did not take the latest line; nothing is ordered then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger_fault: Option<String>,
    /// Whether it steers or waits to.
    pub role: Role,
    /// What stops everything, as the kill-switch file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_switch: Option<String>,
    /// How the policies were last read.
    pub reload: Reload,
    /// Whether it is about to end.
    pub stopping: bool,
}

/// Whether an instance steers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It is the only one there can be.
    #[default]
    Alone,
    /// It holds the lease.
    Leader,
    /// Another one holds the lease.
    Standby,
}

/// How the policies were last read.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reload {
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// When they last were all whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whole_at: Option<Timestamp>,
    /// How often they were read.
    pub times: u64,
    /// What is wrong with them; a file with faults keeps the policy that it held before.
    pub faults: Vec<FileFault>,
}

/// One fault of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileFault {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The code, as `lowtide reference codes` lists it.
    pub code: &'static str,
    /// Whether it keeps the file from being used.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// A way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

/// The policies in effect.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct Policies(pub Vec<PolicyStanding>);

/// A policy in effect.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyStanding {
    /// Its name: the file's without folder and ending.
    pub policy: Arc<str>,
    /// The pools it speaks of.
    pub pool: String,
    /// How much it may do.
    pub mode: Mode,
    /// The first 12 digits of the SHA-256 of what it means.
    pub hash: String,
}

/// Whether it is ready.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// In one word.
    pub status: Status,
    /// Why it is not ready, or what deserves a look.
    pub reasons: Vec<Reason>,
}

/// Readiness in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// It steers.
    Ready,
    /// It steers, and something deserves a look.
    Degraded,
    /// It is ready to take over from the instance that steers.
    Standby,
    /// It does not steer.
    NotReady,
}

/// A reason why it is not ready, or what deserves a look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The kind of reason.
    pub code: &'static str,
    /// A sentence.
    pub message: String,
}

impl Health {
    /// Returns the health of what has just begun.
    pub fn new(began: Timestamp) -> Self {
        Self {
            began: Some(began),
            ..Self::default()
        }
    }

    /// Takes in a look and what kept it from seeing anything.
    pub(super) fn look(&mut self, at: Timestamp, fault: Option<String>) {
        self.last_look = Some(at);
        if fault.is_none() {
            self.last_seen = Some(at);
        }
        self.account_fault = fault;
    }

    /// Returns whether it is ready, and why not.
    pub fn readiness(&self) -> Readiness {
        let mut reasons = self.obstacles();
        let (standby, not_ready) = (self.role == Role::Standby, !reasons.is_empty());
        reasons.extend(self.worries());
        let status = match (standby, not_ready, reasons.is_empty()) {
            (true, false, _) => Status::Standby,
            (_, true, _) => Status::NotReady,
            (false, false, true) => Status::Ready,
            (false, false, false) => Status::Degraded,
        };
        Readiness { status, reasons }
    }

    /// Returns what keeps it from steering.
    fn obstacles(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let mut add = |code, message: String| reasons.push(Reason { code, message });
        if self.stopping {
            add("stopping", "it is about to end".to_owned());
        }
        if let Some(fault) = &self.ledger_fault {
            let message = format!("the ledger takes no line, and nothing is ordered: {fault}");
            add("ledger", message);
        }
        if self.role == Role::Standby {
            return reasons;
        }
        match (&self.account_fault, self.last_look) {
            (Some(fault), _) => add("account", format!("the account cannot be seen: {fault}")),
            (None, None) => add("noLook", "it has not looked at the account yet".to_owned()),
            (None, Some(_)) => {}
        }
        reasons
    }

    /// Returns what deserves a look although it steers.
    fn worries(&self) -> Vec<Reason> {
        let mut reasons = Vec::new();
        let errors = self.reload.faults.iter();
        for fault in errors.filter(|fault| fault.severity == Severity::Error) {
            let FileFault {
                file, line, message, ..
            } = fault;
            reasons.push(Reason {
                code: "policies",
                message: format!("{file}:{line}: {message}"),
            });
        }
        if let Some(why) = &self.kill_switch {
            reasons.push(Reason {
                code: "killSwitch",
                message: why.clone(),
            });
        }
        reasons
    }
}

impl Reload {
    /// Takes in that the policies were read, with everything that is wrong.
    pub(super) fn done(&mut self, at: Timestamp, faults: &[FaultyText]) {
        self.at = Some(at);
        self.times += 1;
        self.faults = faults.iter().flat_map(FileFault::of).collect();
        if self.is_whole() {
            self.whole_at = Some(at);
        }
    }

    /// Says whether nothing is wrong with them.
    pub fn is_whole(&self) -> bool {
        !self.faults.iter().any(|fault| fault.severity == Severity::Error)
    }
}

impl FileFault {
    /// Returns everything that is wrong with a text.
    pub fn of(faulty: &FaultyText) -> impl Iterator<Item = Self> {
        let lines = LineIndex::new(&faulty.text);
        faulty.diagnostics.iter().map(move |found| {
            let at = lines.at(found.span.start);
            Self {
                file: faulty.file.clone(),
                line: at.line,
                column: at.column,
                code: found.code.0,
                severity: found.severity,
                message: found.message.clone(),
                help: found.help.clone(),
            }
        })
    }
}

impl Policies {
    /// Returns how much a policy may do.
    pub fn mode(&self, policy: &str) -> Option<Mode> {
        let found = self.0.iter().find(|standing| &*standing.policy == policy);
        found.map(|standing| standing.mode)
    }
}

impl From<&policy::Policies> for Policies {
    fn from(policies: &policy::Policies) -> Self {
        Self(policies.policies.iter().map(PolicyStanding::from).collect())
    }
}

impl From<&policy::Policy> for PolicyStanding {
    fn from(policy: &policy::Policy) -> Self {
        Self {
            policy: policy.name.clone(),
            pool: policy.pool.as_str().to_owned(),
            mode: policy.mode,
            hash: crate::world::policy_hash(policy),
        }
    }
}
