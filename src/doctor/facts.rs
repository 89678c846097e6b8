//! What an examination asks of the pools: each once, and nodes one by one only where their counts say that something is wrong.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::checks::Found;
use super::{Examined, Outcome};
use crate::account::PoolId;
use crate::azure::{Client, Pool, PoolNodeCounts, Query, ServiceNode, StateCounts};
use crate::base::Timestamp;

/// Pools whose nodes are listed one by one: more in trouble have the same cause, and each costs a request.
const LISTED_MAX: usize = 50;

/// What is known of the account.
pub(super) struct Facts {
    pub(super) now: Timestamp,
    /// The pools that are wanted.
    pub(super) pools: Vec<PoolFacts>,
    /// The ids of all pools; `None` when they could not be listed.
    pub(super) all: Option<Vec<PoolId>>,
}

/// What is known of a pool.
pub(super) struct PoolFacts {
    pub(super) id: PoolId,
    pub(super) pool: Pool,
    pub(super) written: Written,
    /// Its nodes, where they were listed.
    pub(super) nodes: Vec<NodeFacts>,
}

/// What is known of a node.
pub(super) struct NodeFacts {
    pub(super) node: ServiceNode,
    pub(super) trouble: NodeTrouble,
}

/// What of a pool matters to an examination alone.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Written {
    pub(super) resize_timeout: Option<String>,
    pub(super) certificate_references: Option<Vec<Value>>,
    pub(super) cloud_service_configuration: Option<Value>,
    pub(super) target_node_communication_mode: Option<String>,
    pub(super) start_task: Option<Value>,
}

/// What a node says of its own trouble.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct NodeTrouble {
    start_task_info: Option<StartTaskInfo>,
    errors: Option<Vec<NodeError>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct StartTaskInfo {
    exit_code: Option<i64>,
    result: Option<String>,
    failure_info: Option<NodeError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct NodeError {
    code: Option<String>,
    message: Option<String>,
}

impl NodeTrouble {
    /// Returns what the service says of it, as far as it says anything.
    pub(super) fn told(&self) -> Option<String> {
        if let Some(start) = &self.start_task_info
            && start
                .result
                .as_deref()
                .is_some_and(|result| result.eq_ignore_ascii_case("failure"))
        {
            let code = start
                .exit_code
                .map_or(String::new(), |code| format!(" with exit code {code}"));
            let why = start.failure_info.as_ref().and_then(NodeError::told);
            let why = why.map_or(String::new(), |why| format!(": {why}"));
            return Some(format!("its start task failed{code}{why}"));
        }
        self.errors.as_ref()?.iter().find_map(NodeError::told)
    }
}

impl NodeError {
    fn told(&self) -> Option<String> {
        let parts: Vec<&str> = [self.code.as_deref(), self.message.as_deref()]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect();
        (!parts.is_empty()).then(|| parts.join(": "))
    }
}

/// Asks for the pools that are wanted, and for the nodes of those in trouble.
pub(super) async fn gather(examined: &Examined<'_>, found: &mut Found) -> Facts {
    let client = examined.client;
    let mut facts = Facts {
        now: client.clock().now(),
        pools: Vec::new(),
        all: None,
    };
    let written = match client.pools_as_written().await {
        Ok(written) => written,
        Err(fault) => {
            found.check(
                "pools",
                Outcome::Unknown,
                format!("they cannot be listed: {fault}"),
            );
            return facts;
        }
    };
    let every: Vec<PoolFacts> = written.into_iter().filter_map(read).collect();
    facts.all = Some(every.iter().map(|pool| pool.id.clone()).collect());
    let wanted = |pool: &PoolFacts| examined.pools.is_none_or(|pattern| pattern.matches(&pool.id));
    facts.pools = every.into_iter().filter(wanted).collect();
    let told = match (facts.pools.len(), examined.pools) {
        (0, Some(pattern)) => format!("none is called {pattern}"),
        (0, None) => "there are none".to_owned(),
        (1, _) => "1 is looked at".to_owned(),
        (n, _) => format!("{n} are looked at"),
    };
    let outcome = if facts.pools.is_empty() {
        Outcome::Note
    } else {
        Outcome::Ok
    };
    found.check("pools", outcome, told);
    list_nodes(client, &mut facts, found).await;
    facts
}

fn read(value: Value) -> Option<PoolFacts> {
    let written = serde_json::from_value(value.clone()).unwrap_or_default();
    let pool: Pool = serde_json::from_value(value).ok()?;
    Some(PoolFacts {
        id: pool.id.parse().ok()?,
        pool,
        written,
        nodes: Vec::new(),
    })
}

async fn list_nodes(client: &Client, facts: &mut Facts, found: &mut Found) {
    let counts = match client.node_counts(&Query::default()).await {
        Ok(counts) => counts.found,
        Err(fault) => {
            found.check(
                "nodes",
                Outcome::Unknown,
                format!("they cannot be counted: {fault}"),
            );
            return;
        }
    };
    let by_pool: BTreeMap<String, PoolNodeCounts> = counts
        .into_iter()
        .map(|counts| (counts.pool_id.to_ascii_lowercase(), counts))
        .collect();
    let mut listed = 0;
    for pool in &mut facts.pools {
        let counts = by_pool.get(&pool.pool.id.to_ascii_lowercase());
        if !counts
            .is_some_and(|counts| is_worth_a_look(&counts.dedicated) || is_worth_a_look(&counts.low_priority))
        {
            continue;
        }
        listed += 1;
        if listed > LISTED_MAX {
            found.check(
                "nodes",
                Outcome::Unknown,
                format!(
                    "more than {LISTED_MAX} pools have nodes in trouble; name a pool to see those of others"
                ),
            );
            return;
        }
        match client.nodes_as_written(&pool.pool.id, &Query::default()).await {
            Ok(nodes) => pool.nodes = nodes.into_iter().filter_map(read_node).collect(),
            Err(fault) => {
                let told = format!("those of pool {} cannot be listed: {fault}", pool.id);
                found.check("nodes", Outcome::Unknown, told);
            }
        }
    }
}

fn read_node(value: Value) -> Option<NodeFacts> {
    let trouble = serde_json::from_value(value.clone()).unwrap_or_default();
    let node = serde_json::from_value(value).ok()?;
    Some(NodeFacts { node, trouble })
}

/// Says whether some node is in a state in which it may be stuck.
const fn is_worth_a_look(counts: &StateCounts) -> bool {
    let stuck = counts.start_task_failed + counts.unusable + counts.unknown + counts.preempted;
    let coming = counts.creating
        + counts.starting
        + counts.waiting_for_start_task
        + counts.rebooting
        + counts.reimaging;
    stuck + coming > 0
}
