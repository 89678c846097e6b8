//! Nodes: what the service says of them one by one and in numbers, and what they can be told.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::client::encode;
use super::lenient;
use super::lists::{Listed, Query};
use super::pools;
use super::words::{NodeState, Scheduling};
use super::{Client, Fault};
use crate::account::{Etag, NodeDeallocationOption};
use crate::base::{Lane, Timestamp};

/// A node as the service tells it (Compute Node - Get).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceNode {
    /// Its id.
    #[serde(deserialize_with = "lenient::nullable")]
    pub id: String,
    /// What it does.
    #[serde(deserialize_with = "lenient::word")]
    pub state: NodeState,
    /// Whether it takes tasks.
    #[serde(deserialize_with = "lenient::word")]
    pub scheduling_state: Scheduling,
    /// Since when it does that.
    #[serde(deserialize_with = "lenient::time")]
    pub state_transition_time: Option<Timestamp>,
    /// When it was allocated; survives preemption.
    #[serde(deserialize_with = "lenient::time")]
    pub allocation_time: Option<Timestamp>,
    /// When it last booted.
    #[serde(deserialize_with = "lenient::time")]
    pub last_boot_time: Option<Timestamp>,
    /// Whether it is dedicated; otherwise it is spot.
    pub is_dedicated: Option<bool>,
    /// The tasks that run on it.
    #[serde(deserialize_with = "lenient::count")]
    pub running_tasks_count: u32,
    /// The task slots that they take.
    #[serde(deserialize_with = "lenient::number")]
    pub running_task_slots_count: Option<u32>,
}

/// The nodes of a pool by state (Account - List Pool Node Counts).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PoolNodeCounts {
    /// The pool.
    #[serde(deserialize_with = "lenient::nullable")]
    pub pool_id: String,
    /// Its dedicated nodes.
    #[serde(deserialize_with = "lenient::nullable")]
    pub dedicated: StateCounts,
    /// Its spot nodes.
    #[serde(deserialize_with = "lenient::nullable")]
    pub low_priority: StateCounts,
}

/// Nodes by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the states are told in `NodeState`")]
pub struct StateCounts {
    #[serde(deserialize_with = "lenient::count")]
    pub creating: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub idle: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub leaving_pool: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub offline: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub preempted: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub rebooting: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub reimaging: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub running: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub starting: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub start_task_failed: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub unknown: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub unusable: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub waiting_for_start_task: u32,
    // The service writes a capital S, its examples do not.
    #[serde(
        rename = "upgradingOS",
        alias = "upgradingOs",
        deserialize_with = "lenient::count"
    )]
    pub upgrading_os: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub deallocated: u32,
    #[serde(deserialize_with = "lenient::count")]
    pub deallocating: u32,
    /// All of them, preempted ones included.
    #[serde(deserialize_with = "lenient::count")]
    pub total: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RemoveBody<'a> {
    node_list: &'a [String],
    node_deallocation_option: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DisableBody {
    node_disable_scheduling_option: &'static str,
}

/// Nodes that one request may remove (Pool - Remove Nodes).
pub const REMOVED_AT_ONCE_MAX: usize = 100;

impl ServiceNode {
    /// Returns how it is paid for; where the service does not say, its name tells, which ends in `_p` on spot.
    pub fn lane(&self) -> Lane {
        match self.is_dedicated {
            Some(true) => Lane::Dedicated,
            Some(false) => Lane::Spot,
            None => lane_of_id(&self.id),
        }
    }

    /// Says whether it takes no further tasks.
    pub const fn is_cordoned(&self) -> bool {
        matches!(self.scheduling_state, Scheduling::Disabled) || matches!(self.state, NodeState::Offline)
    }

    /// Returns the task slots that are taken: a task takes one at the least.
    pub fn busy_slots(&self) -> u32 {
        self.running_task_slots_count.unwrap_or(self.running_tasks_count)
    }
}

/// Returns how a node is paid for by its name alone (`tvmps_…_p` and `tvmps_…_d`).
pub(super) fn lane_of_id(id: &str) -> Lane {
    if id.ends_with("_p") {
        Lane::Spot
    } else {
        Lane::Dedicated
    }
}

impl Client {
    /// Lists the nodes of a pool (Compute Node - List).
    pub async fn nodes(&self, pool: &str, query: &Query<'_>) -> Result<Listed<ServiceNode>, Fault> {
        self.list(&pools::of(pool, "/nodes"), query, usize::MAX).await
    }

    /// Returns a node (Compute Node - Get).
    pub async fn node(&self, pool: &str, node: &str) -> Result<ServiceNode, Fault> {
        self.get(&of(pool, node, "")).await
    }

    /// Counts the nodes of all pools by state, a few seconds late (Account - List Pool Node Counts).
    pub async fn node_counts(&self, query: &Query<'_>) -> Result<Listed<PoolNodeCounts>, Fault> {
        self.list("/nodecounts", query, usize::MAX).await
    }

    /// Removes nodes by name, at most [`REMOVED_AT_ONCE_MAX`]; the targets sink with them (Pool - Remove Nodes).
    pub async fn remove_nodes(
        &self,
        pool: &str,
        nodes: &[String],
        option: NodeDeallocationOption,
        only: Option<&Etag>,
    ) -> Result<(), Fault> {
        let body = RemoveBody {
            node_list: nodes,
            node_deallocation_option: option.word(),
        };
        self.post(&pools::of(pool, "/removenodes"), Some(&body), only)
            .await
            .map(drop)
    }

    /// Lets a node finish its tasks and take no more (Compute Node - Disable Scheduling).
    pub async fn disable_scheduling(&self, pool: &str, node: &str) -> Result<(), Fault> {
        let body = DisableBody {
            node_disable_scheduling_option: NodeDeallocationOption::TaskCompletion.word(),
        };
        let done = self
            .post(&of(pool, node, "/disablescheduling"), Some(&body), None)
            .await;
        already(done.map(drop))
    }

    /// Lets a node take tasks again (Compute Node - Enable Scheduling).
    pub async fn enable_scheduling(&self, pool: &str, node: &str) -> Result<(), Fault> {
        let done = self
            .call(Method::POST, &of(pool, node, "/enablescheduling"))
            .await;
        already(done.map(drop))
    }
}

/// A node that is already as it shall be is no fault.
fn already(done: Result<(), Fault>) -> Result<(), Fault> {
    match done {
        Err(fault) if fault.has_code("NodeAlreadyInTargetSchedulingState") => Ok(()),
        done => done,
    }
}

fn of(pool: &str, node: &str, rest: &str) -> String {
    pools::of(pool, &format!("/nodes/{}{rest}", encode(node)))
}
