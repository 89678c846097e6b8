//! What is said in the log: a line for what is ordered, changed or does not work, with fields that can be searched for.

use std::io;

use tracing::{debug, error, info, warn};
use tracing_subscriber::EnvFilter;

use super::config::{LogFormat, LogLevel, LogSection};
use super::folder::FaultyText;
use super::health::FileFault;
use crate::account::Receipt;
use crate::base::Severity;
use crate::engine::{Entry, RecordError};

/// Begins to write the log of this process to standard error; once.
pub fn begin(section: &LogSection) {
    let filter = EnvFilter::new(format!("warn,lowtide={}", section.level.word()));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false);
    // A second log of the same process has nobody to read it.
    let _ = match section.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .try_init(),
    };
}

/// Says what an entry of the ledger is about, with its number where the ledger numbers its lines.
pub(super) fn entry(entry: &Entry<'_>, number: Option<u64>) {
    match entry {
        Entry::Started { policies, memory, .. } => info!(
            decision = number,
            policies = policies.policies.len(),
            pools = memory.pools.len(),
            "began to steer"
        ),
        Entry::Blind { error, .. } => {
            warn!(decision = number, error = %error.message, "the account cannot be seen; every pool is held");
        }
        Entry::Unmatched { .. } => {
            warn!(
                decision = number,
                "no pool of the account matches the policies that were due"
            );
        }
        Entry::Account { seen, .. } => {
            if let Some(fault) = &seen.fault {
                warn!(decision = number, error = %fault.message, "what the account shares cannot be seen");
            }
        }
        Entry::Decided { decision, .. } => {
            let (pool, policy) = (decision.pool.as_str(), &*decision.policy);
            let (from, to) = (decision.start.to_string(), decision.outcome().to_string());
            let last = decision.steps().last();
            let (reason, why) = last.map_or(("", String::new()), |step| {
                (step.reason.code(), step.reason.text())
            });
            if decision.order().is_some() {
                info!(decision = number, pool, policy, from, to, reason, why, "order");
            } else {
                debug!(decision = number, pool, policy, from, reason, why, "no order");
            }
        }
        Entry::Settled { order, receipt } => {
            let (pool, to) = (order.pool.as_str(), order.target.to_string());
            match receipt {
                Receipt::Accepted => info!(decision = number, pool, to, "order accepted"),
                Receipt::Withheld => info!(decision = number, pool, to, "order withheld"),
                Receipt::Refused(refusal) => {
                    warn!(decision = number, pool, to, kind = ?refusal.kind, error = %refusal.message, "order refused");
                }
            }
        }
    }
}

/// Says that the ledger takes no lines any more, or takes them again.
pub(super) fn ledger(before: Option<&str>, now: Option<&RecordError>) {
    match (before, now) {
        (None, Some(error)) => {
            error!(error = %error.message, "the ledger takes no line; nothing is ordered until it does");
        }
        (Some(_), None) => info!("the ledger takes lines again"),
        _ => {}
    }
}

/// Says that the kill switch came or went.
pub(super) fn kill_switch(before: Option<&str>, now: Option<&str>) {
    match (before, now) {
        (None, Some(why)) => warn!(why, "everything is stopped"),
        (Some(_), None) => info!("the kill switch is gone; orders go out again"),
        _ => {}
    }
}

/// Says what is wrong with the policies.
pub(super) fn faults(faults: &[FaultyText]) {
    for fault in faults.iter().flat_map(FileFault::of) {
        let FileFault {
            file,
            line,
            column,
            code,
            message,
            help,
            ..
        } = &fault;
        let help = help.as_deref().unwrap_or_default();
        match fault.severity {
            Severity::Error => {
                error!(
                    file,
                    line, column, code, help, "{message}; the policy stays as it was"
                );
            }
            _ => warn!(file, line, column, code, help, "{message}"),
        }
    }
}

impl LogLevel {
    /// Returns the word that filters use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}
