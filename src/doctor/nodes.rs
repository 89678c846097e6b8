//! Nodes that are paid for and of no use: failed at start, broken, out of contact, on their way for ever, taken away for good.

use super::checks::Found;
use super::facts::{Facts, NodeFacts, PoolFacts};
use super::pools::whole;
use super::{Finding, Outcome};
use crate::azure::NodeState;
use crate::base::{Code, Span, Timestamp};

/// Images of custom pools take some minutes to boot, start tasks with large packages a quarter of an hour.
const COMING_MAX: Span = Span::minutes(30);
/// "The platform attempts to restore a preempted VM only in the first 48 hours" (Use Spot VMs with Batch, read 2026-11).
const RESTORED_WITHIN: Span = Span::hours(48);
/// Spot that is away for so long is away for more than a wave.
const PREEMPTED_NOTICED: Span = Span::hours(6);
/// Nodes named in a finding; the rest is counted.
const NAMED_MAX: usize = 3;

/// A kind of trouble.
struct Kind {
    code: Code,
    severity: Outcome,
    what: &'static str,
    way_out: &'static str,
}

pub(super) fn examine(facts: &Facts, found: &mut Found) {
    for pool in &facts.pools {
        for (kind, of_kind) in sorted(pool, facts.now) {
            found.find(finding(pool, &kind, &of_kind, facts.now));
        }
    }
    if !facts.pools.is_empty() {
        found.conclude(
            "nodes",
            &["D201", "D202", "D203", "D204"],
            "none is broken, stuck or away for long",
        );
    }
}

/// Returns the nodes in trouble by what is wrong with them and by what the service says of it, the most frequent words first.
fn sorted(pool: &PoolFacts, now: Timestamp) -> Vec<(Kind, Vec<&NodeFacts>)> {
    let mut kinds: Vec<(Kind, Vec<&NodeFacts>)> = Vec::new();
    for node in &pool.nodes {
        let Some(kind) = kind(node, pool, now) else {
            continue;
        };
        let alike = kinds
            .iter_mut()
            .find(|(other, nodes)| other.what == kind.what && nodes[0].trouble.told() == node.trouble.told());
        match alike {
            Some((_, nodes)) => nodes.push(node),
            None => kinds.push((kind, vec![node])),
        }
    }
    kinds.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    kinds
}

fn kind(facts: &NodeFacts, pool: &PoolFacts, now: Timestamp) -> Option<Kind> {
    let node = &facts.node;
    let lasted = lasted(facts, now);
    let is = |code, severity, what, way_out| {
        Some(Kind {
            code: Code(code),
            severity,
            what,
            way_out,
        })
    };
    let replace = "remove them (`az batch node delete`), so that the pool gets others; what keeps happening is the image or the network";
    match node.state {
        NodeState::StartTaskFailed => is(
            "D201",
            Outcome::Error,
            "failed in their start task",
            "read stderr.txt of the start task (`az batch node file download --file-path startup/stderr.txt`), mend it (Pool - Patch), \
             and reboot or remove the nodes",
        ),
        NodeState::Unusable => is("D201", Outcome::Error, "are unusable", replace),
        NodeState::Unknown => is("D204", Outcome::Warning, "are out of contact", replace),
        NodeState::Preempted if lasted.is_some_and(|lasted| RESTORED_WITHIN < lasted) => is(
            "D203",
            Outcome::Error,
            "are preempted and will not come back",
            "remove them and order the target again, or let dedicated nodes take over (`mix.fallback`)",
        ),
        NodeState::Preempted if lasted.is_some_and(|lasted| PREEMPTED_NOTICED < lasted) => is(
            "D203",
            Outcome::Warning,
            "are preempted",
            "use a size or region with more spot capacity, or let dedicated nodes take over (`mix.fallback`)",
        ),
        state if state.is_starting() && lasted.is_some_and(|lasted| COMING_MAX < lasted) => is(
            "D202",
            Outcome::Warning,
            "are on their way",
            if pool.written.start_task.is_some() {
                "look whether the start task hangs (stdout.txt and stderr.txt in startup/), and give it a time limit; else remove them"
            } else {
                replace
            },
        ),
        _ => None,
    }
}

fn lasted(facts: &NodeFacts, now: Timestamp) -> Option<Span> {
    let since = facts.node.state_transition_time.or(facts.node.allocation_time)?;
    Some(now.since(since))
}

fn finding(pool: &PoolFacts, kind: &Kind, nodes: &[&NodeFacts], now: Timestamp) -> Finding {
    let names: Vec<&str> = nodes
        .iter()
        .take(NAMED_MAX)
        .map(|node| node.node.id.as_str())
        .collect();
    let more = nodes.len().saturating_sub(NAMED_MAX);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let longest = nodes.iter().filter_map(|node| lasted(node, now)).max();
    let longest = longest.filter(|lasted| !lasted.is_negative());
    let longest = longest.map_or(String::new(), |lasted| {
        format!(" for up to {}", whole(lasted).in_short())
    });
    let told = nodes[0]
        .trouble
        .told()
        .map_or(String::new(), |told| format!("; {told}"));
    let count = match nodes.len() {
        1 => "1 node".to_owned(),
        n => format!("{n} nodes"),
    };
    Finding::new(
        kind.code,
        kind.severity,
        format!(
            "{count} {}{longest} ({}{more}){told}",
            plural(kind.what, nodes.len()),
            names.join(", ")
        ),
        kind.way_out,
    )
    .of(pool.id.as_str())
}

/// Says of one node what is said of several.
fn plural(what: &str, n: usize) -> String {
    if n == 1 {
        what.replace("failed in their", "failed in its")
            .replace("are on their", "is on its")
            .replacen("are ", "is ", 1)
    } else {
        what.to_owned()
    }
}
