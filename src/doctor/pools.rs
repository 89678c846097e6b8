//! Pools that are stuck, fell short, steer themselves, or stand on something that is retired.

use super::checks::Found;
use super::facts::{Facts, PoolFacts};
use super::{Finding, Outcome};
use crate::azure::{Allocation, PoolStage};
use crate::base::{Code, Span, Timestamp};

/// The service gives up a resize after this, unless it is told otherwise (`resizeTimeout` of Pool - Resize).
const RESIZE_TIMEOUT: Span = Span::minutes(15);
/// How much longer a resize may take before somebody should look: the service looks at its own timeouts now and then.
const RESIZE_GRACE: Span = Span::minutes(10);
/// A formula that has not been evaluated for so many of its intervals is not evaluated any more.
const INTERVALS_MISSED: i64 = 3;

pub(super) fn examine(facts: &Facts, found: &mut Found) {
    for pool in &facts.pools {
        if pool.pool.state == PoolStage::Deleting {
            continue;
        }
        stuck(pool, facts.now, found);
        fell_short(pool, facts.now, found);
        own_formula(pool, facts.now, found);
        retired(pool, found);
    }
    if facts.pools.is_empty() {
        return;
    }
    found.conclude(
        "resizes",
        &["D101", "D102", "D106"],
        "none is stuck, none fell short",
    );
    found.conclude("formulas", &["D103", "D104"], "no pool follows one of its own");
    found.conclude(
        "retired",
        &["D105"],
        "no pool uses certificates, cloud services or classic communication",
    );
}

fn since(pool: &PoolFacts, now: Timestamp) -> Option<Span> {
    let since = pool.pool.allocation_state_transition_time?;
    Some(now.since(since)).filter(|lasted| !lasted.is_negative())
}

fn stuck(pool: &PoolFacts, now: Timestamp, found: &mut Found) {
    if pool.pool.allocation_state == Allocation::Steady {
        return;
    }
    let told = pool
        .written
        .resize_timeout
        .as_deref()
        .and_then(|text| text.parse().ok());
    let timeout: Span = told.unwrap_or(RESIZE_TIMEOUT);
    let Some(lasted) = since(pool, now).filter(|lasted| timeout + RESIZE_GRACE < *lasted) else {
        return;
    };
    let (verb, way_out) = match pool.pool.allocation_state {
        Allocation::Stopping => (
            "stopping a resize",
            "ask Azure support, or make the pool anew: the service has not finished what it was told",
        ),
        _ => (
            "resizing",
            "stop it (`az batch pool resize --abort`) and order again; with taskcompletion it waits for the longest task, and nodes \
             that are to go are better drained first",
        ),
    };
    let (target, current) = (pool.pool.target(), pool.pool.current());
    found.find(
        Finding::new(
            Code("D101"),
            Outcome::Error,
            format!(
                "it has been {verb} for {} (timeout {}), from {current} to {target}",
                whole(lasted).in_short(),
                timeout.in_short()
            ),
            way_out,
        )
        .of(pool.id.as_str()),
    );
}

/// Tells of the errors of the latest resize; they stay until the next one begins, so old ones of a pool at its target are history.
fn fell_short(pool: &PoolFacts, now: Timestamp, found: &mut Found) {
    let missing = pool.pool.target().saturating_sub(pool.pool.current());
    if pool.pool.allocation_state != Allocation::Steady
        || missing.total().0 == 0
        || pool.pool.enable_auto_scale
    {
        return;
    }
    let ago = since(pool, now).map_or(String::new(), |ago| format!(" for {}", whole(ago).in_short()));
    let Some(error) = pool.pool.resize_errors.first() else {
        found.find(
            Finding::new(
                Code("D106"),
                Outcome::Warning,
                format!("it is steady{ago} with {missing} less than its target"),
                "order its target again: the service does not by itself",
            )
            .of(pool.id.as_str()),
        );
        return;
    };
    found.find(
        Finding::new(
            Code("D102"),
            Outcome::Error,
            format!(
                "it lacks {missing}{ago}: {} ({})",
                error.code,
                error.message.trim_end_matches('.')
            ),
            way_out_of(&error.code),
        )
        .of(pool.id.as_str()),
    );
}

fn way_out_of(code: &str) -> &'static str {
    let is = |word: &str| code.to_ascii_lowercase().contains(word);
    if is("quota") {
        "raise the quota (portal: Batch account, Quotas), or lower the bounds of the policies that share it"
    } else if is("allocationtimedout") {
        "the region has too few of these machines now: order again later, use another size, or fall back to dedicated nodes \
         (`mix.fallback`)"
    } else if is("allocationfailed") {
        "read the details of the pool's resizeErrors in the portal: image, subnet and identity are the usual causes"
    } else if is("resizestopped") {
        "order the target again: somebody stopped the resize"
    } else {
        "read the details of the pool's resizeErrors in the portal, then order again"
    }
}

fn own_formula(pool: &PoolFacts, now: Timestamp, found: &mut Found) {
    if !pool.pool.enable_auto_scale {
        return;
    }
    found.find(
        Finding::new(
            Code("D103"),
            Outcome::Note,
            "it follows an autoscale formula of its own".to_owned(),
            "leave it so, or bring the formula into a policy (`lowtide import native`) and disable it on the pool",
        )
        .of(pool.id.as_str()),
    );
    let Some(run) = &pool.pool.auto_scale_run else {
        return;
    };
    if let Some(error) = &run.error {
        let values = error.values.iter().map(|value| value.value.as_str());
        let detail = values
            .filter(|value| !value.is_empty())
            .collect::<Vec<_>>()
            .join("; ");
        found.find(
            Finding::new(
                Code("D104"),
                Outcome::Error,
                format!(
                    "its formula fails, {}: {}{}{detail}",
                    error.code,
                    error.message,
                    if detail.is_empty() { "" } else { "; " }
                ),
                "check the formula (`lowtide check`), mend it, and enable it again",
            )
            .of(pool.id.as_str()),
        );
    }
    let interval = pool.pool.auto_scale_evaluation_interval.as_deref();
    let interval: Option<Span> = interval.and_then(|text| text.parse().ok());
    if let (Some(at), Some(interval)) = (run.timestamp, interval)
        && interval * INTERVALS_MISSED < now.since(at)
    {
        found.find(
            Finding::new(
                Code("D104"),
                Outcome::Warning,
                format!("its formula was evaluated {} ago and should be every {}", whole(now.since(at)).in_short(), interval.in_short()),
                "enable it again (`az batch pool autoscale enable`); if that does not help, make the pool anew",
            )
            .of(pool.id.as_str()),
        );
    }
}

fn retired(pool: &PoolFacts, found: &mut Found) {
    let written = &pool.written;
    let classic = written.target_node_communication_mode.as_deref();
    let size = pool.pool.vm_size.as_deref().unwrap_or("").to_ascii_lowercase();
    let burstable = size.trim_start_matches("standard_").starts_with('b');
    let spot = pool.pool.target_low_priority_nodes > 0 || pool.pool.current_low_priority_nodes > 0;
    let certificates = written
        .certificate_references
        .as_ref()
        .is_some_and(|list| !list.is_empty());
    #[rustfmt::skip] // A table: its rows stay together.
    let facts = [
        (certificates, Outcome::Error, "it has certificates of the Batch account, which were retired on 29 February 2024",
            "let nodes fetch certificates from Key Vault (the Key Vault extension of the pool)"),
        (written.cloud_service_configuration.is_some(), Outcome::Error, "it stands on cloud services, which were retired on 29 February 2024",
            "make the pool anew with virtualMachineConfiguration"),
        (classic.is_some_and(|mode| mode.eq_ignore_ascii_case("classic")), Outcome::Error, "its nodes communicate the classic way, which was retired on 31 March 2026",
            "set targetNodeCommunicationMode to simplified (Pool - Patch) and open the firewall for it"),
        (spot && burstable, Outcome::Error, "it has spot nodes of a B-series size, which Batch does not grant",
            "use another size, or dedicated nodes"),
        (spot && !burstable, Outcome::Note, "it has spot nodes; in an account of mode BatchService those are low-priority machines, retired on 30 September 2025",
            "use an account of mode UserSubscription for spot (`az batch account show --query poolAllocationMode` tells)"),
    ];
    for (is_so, severity, what, way_out) in facts {
        if is_so {
            found.find(Finding::new(Code("D105"), severity, what.to_owned(), way_out).of(pool.id.as_str()));
        }
    }
}

/// Cuts a length to whole seconds, as people say it.
pub(super) fn whole(span: Span) -> Span {
    Span::seconds(span.as_seconds() as i64)
}
