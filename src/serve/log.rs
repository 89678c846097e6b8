//! What is said in the log: a line for what is ordered, changed or does not work, with fields that can be searched for.

use std::io;

use tracing::{debug, error, info, warn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, fmt};

use super::config::{LogFormat, LogLevel, LogSection};
use super::folder::FaultyText;
use super::health::{FileFault, Reload};
use super::traces::{self, Collector};
use crate::account::Receipt;
use crate::base::Severity;
use crate::decision::Reason;
use crate::engine::{Entry, RecordError};
use crate::policy::Policies;

/// Begins to write the log of this process to standard error, and to send its traces to a collector; once.
pub(super) fn begin(section: &LogSection, collector: Option<&Collector>) {
    let filter = format!("warn,lowtide={},{}=off", section.level.word(), traces::TARGET);
    let text = (section.format == LogFormat::Text).then(|| {
        let lines = fmt::layer().with_writer(io::stderr).with_ansi(false);
        lines.with_target(false).with_filter(EnvFilter::new(&filter))
    });
    let json = (section.format == LogFormat::Json).then(|| {
        let lines = fmt::layer().with_writer(io::stderr).with_target(false).json();
        let flat = lines.flatten_event(true).with_current_span(false);
        flat.with_span_list(false).with_filter(EnvFilter::new(&filter))
    });
    let spans = collector.map(|collector| {
        tracing_opentelemetry::layer()
            .with_tracer(collector.tracer())
            .with_location(false)
            .with_threads(false)
            .with_filter(EnvFilter::new(format!("off,{}=info", traces::TARGET)))
    });
    // A second log of the same process has nobody to read it.
    let _ = Registry::default().with(text).with(json).with(spans).try_init();
}

/// Says a mistake of ours in the log, instead of on the terminal.
pub(super) fn explain_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        error!(
            place,
            message, "a mistake in lowtide; please report it with these lines"
        );
    }));
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
            } else if matches!(decision.hold(), Some(Reason::Mistake { .. })) {
                error!(
                    decision = number,
                    pool, policy, why, "the pool is held by a mistake of ours"
                );
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

/// Says that the clock was set back.
pub(super) fn clock_set_back() {
    warn!("the clock of this machine was set back; everything is looked at anew by the time that it has now");
}

/// Says that nobody can tell what is halted.
pub(super) fn halts_unread(error: &str) {
    warn!(
        error,
        "what is halted cannot be read; what was halted before stays so"
    );
}

/// Says that the policies were read again.
pub(super) fn reloaded(policies: Option<&Policies>, reload: &Reload) {
    let whole = reload.is_whole();
    match policies {
        Some(policies) => info!(policies = policies.policies.len(), whole, "policies read again"),
        None => info!(whole, "policies read again; nothing changed"),
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
        if fault.severity == Severity::Error {
            error!(
                file,
                line, column, code, help, "{message}; the policy stays as it was"
            );
        } else {
            warn!(file, line, column, code, help, "{message}");
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
