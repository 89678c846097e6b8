//! Pools: what the service says of them, and what it can be told.

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::client::encode;
use super::lenient;
use super::lists::{Listed, Query};
use super::words::{Allocation, PoolStage};
use super::{Client, Fault};
use crate::account::{Etag, Lease, NodeDeallocationOption};
use crate::base::{Mix, Nodes, Span, Timestamp};

/// A pool as the service tells it (Pool - Get).
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Pool {
    /// Its id, as it was written when the pool was made.
    #[serde(deserialize_with = "lenient::nullable")]
    pub id: String,
    /// Its version; changes with targets, formula and properties, and not with `allocationState`.
    pub e_tag: Option<String>,
    /// Whether it is there to stay.
    #[serde(deserialize_with = "lenient::word")]
    pub state: PoolStage,
    /// Whether a resize is under way.
    #[serde(deserialize_with = "lenient::word")]
    pub allocation_state: Allocation,
    /// Since when it is in that state.
    #[serde(deserialize_with = "lenient::time")]
    pub allocation_state_transition_time: Option<Timestamp>,
    /// The size of its machines.
    pub vm_size: Option<String>,
    /// Tasks that one node runs at the same time.
    #[serde(deserialize_with = "lenient::number")]
    pub task_slots_per_node: Option<u32>,
    /// Dedicated nodes that are there.
    #[serde(deserialize_with = "lenient::count")]
    pub current_dedicated_nodes: u32,
    /// Dedicated nodes that it was told to have.
    #[serde(deserialize_with = "lenient::count")]
    pub target_dedicated_nodes: u32,
    /// Spot nodes that are there, preempted ones included.
    #[serde(deserialize_with = "lenient::count")]
    pub current_low_priority_nodes: u32,
    /// Spot nodes that it was told to have.
    #[serde(deserialize_with = "lenient::count")]
    pub target_low_priority_nodes: u32,
    /// Whether it runs a formula of its own.
    #[serde(deserialize_with = "lenient::flag")]
    pub enable_auto_scale: bool,
    /// That formula.
    pub auto_scale_formula: Option<String>,
    /// How often it is evaluated.
    pub auto_scale_evaluation_interval: Option<String>,
    /// What came of it last.
    pub auto_scale_run: Option<AutoScaleRun>,
    /// Why the latest resize fell short; stays until the next one begins.
    #[serde(deserialize_with = "lenient::nullable")]
    pub resize_errors: Vec<ServiceResizeError>,
    /// What its owner wrote on it.
    #[serde(deserialize_with = "lenient::nullable")]
    pub metadata: Vec<Named>,
}

/// One evaluation of a pool's own formula.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct AutoScaleRun {
    /// When.
    #[serde(deserialize_with = "lenient::time")]
    pub timestamp: Option<Timestamp>,
    /// The variables, `name=value` with `;` between them.
    pub results: Option<String>,
    /// Why it failed.
    pub error: Option<RunError>,
}

/// Why an evaluation failed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RunError {
    /// The service's code.
    #[serde(deserialize_with = "lenient::nullable")]
    pub code: String,
    /// The service's sentence.
    #[serde(deserialize_with = "lenient::nullable")]
    pub message: String,
    /// Details.
    #[serde(deserialize_with = "lenient::nullable")]
    pub values: Vec<Named>,
}

/// Why a resize fell short.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct ServiceResizeError {
    /// The service's code.
    #[serde(deserialize_with = "lenient::nullable")]
    pub code: String,
    /// The service's sentence.
    #[serde(deserialize_with = "lenient::nullable")]
    pub message: String,
}

/// A name with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Named {
    /// The name.
    #[serde(deserialize_with = "lenient::nullable")]
    pub name: String,
    /// The value.
    #[serde(deserialize_with = "lenient::nullable")]
    pub value: String,
}

/// A resize (Pool - Resize); both targets are always sent, because what an omitted one means is not documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize {
    /// What the pool shall have.
    pub target: Mix,
    /// What happens to running tasks on nodes that go.
    pub option: NodeDeallocationOption,
    /// How long the service tries, 5 minutes at the least; its own 15 otherwise.
    pub timeout: Option<Span>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResizeBody {
    target_dedicated_nodes: u32,
    target_low_priority_nodes: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    resize_timeout: Option<String>,
    node_deallocation_option: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AutoScaleBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_scale_formula: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_scale_evaluation_interval: Option<String>,
}

impl Pool {
    /// Says whether its formula is the one that carries a lease.
    pub(super) fn carries(&self, lease: &Lease) -> bool {
        let formula = self.auto_scale_formula.as_deref();
        formula.and_then(Lease::read).as_ref() == Some(lease)
    }

    /// Returns what it was told to have.
    pub const fn target(&self) -> Mix {
        Mix {
            dedicated: Nodes(self.target_dedicated_nodes),
            spot: Nodes(self.target_low_priority_nodes),
        }
    }

    /// Returns what it has.
    pub const fn current(&self) -> Mix {
        Mix {
            dedicated: Nodes(self.current_dedicated_nodes),
            spot: Nodes(self.current_low_priority_nodes),
        }
    }

    /// Returns its version, as an order names it.
    pub fn version(&self) -> Option<Etag> {
        self.e_tag.as_deref().map(etag)
    }
}

/// Reads a version that may stand in quotes; the service writes it without.
pub(super) fn etag(text: &str) -> Etag {
    Etag(text.trim().trim_start_matches("W/").trim_matches('"').into())
}

impl Client {
    /// Lists the pools of the account (Pool - List).
    pub async fn pools(&self, query: &Query<'_>) -> Result<Listed<Pool>, Fault> {
        self.list("/pools", query, usize::MAX).await
    }

    /// Lists pools as the service writes them, with every field (Pool - List).
    pub async fn pools_as_written(&self) -> Result<Vec<Value>, Fault> {
        let listed = self.list("/pools", &Query::default(), usize::MAX).await?;
        Ok(listed.found)
    }

    /// Returns a pool (Pool - Get).
    pub async fn pool(&self, id: &str) -> Result<Pool, Fault> {
        self.get(&of(id, "")).await
    }

    /// Says whether there is a pool of that id (Pool - Exists).
    pub async fn pool_exists(&self, id: &str) -> Result<bool, Fault> {
        match self.call(Method::HEAD, &of(id, "")).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.is_missing() => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// Makes a pool (Pool - Add); the keys are the service's own.
    pub async fn add_pool(&self, pool: &Map<String, Value>) -> Result<(), Fault> {
        self.post("/pools", Some(pool), None).await.map(drop)
    }

    /// Changes what is named of a pool (Pool - Patch); the keys are the service's own.
    pub async fn patch_pool(
        &self,
        id: &str,
        changes: &Map<String, Value>,
        only: Option<&Etag>,
    ) -> Result<(), Fault> {
        self.patch(&of(id, ""), changes, only).await
    }

    /// Deletes a pool (Pool - Delete).
    pub async fn delete_pool(&self, id: &str, only: Option<&Etag>) -> Result<(), Fault> {
        self.delete(&of(id, ""), only).await
    }

    /// Orders nodes (Pool - Resize); it is refused unless the pool is steady and, with `only`, unchanged.
    pub async fn resize(&self, id: &str, resize: &Resize, only: Option<&Etag>) -> Result<(), Fault> {
        let body = ResizeBody {
            target_dedicated_nodes: resize.target.dedicated.0,
            target_low_priority_nodes: resize.target.spot.0,
            resize_timeout: resize.timeout.map(|timeout| timeout.to_string()),
            node_deallocation_option: resize.option.word(),
        };
        self.post(&of(id, "/resize"), Some(&body), only).await.map(drop)
    }

    /// Stops the resize that is under way (Pool - Stop Resize); targets stay as they are.
    pub async fn stop_resize(&self, id: &str, only: Option<&Etag>) -> Result<(), Fault> {
        self.post(&of(id, "/stopresize"), None::<&()>, only)
            .await
            .map(drop)
    }

    /// Lets a pool follow a formula of its own (Pool - Enable Auto Scale); what is not given stays.
    pub async fn enable_auto_scale(
        &self,
        id: &str,
        (formula, interval): (Option<&str>, Option<Span>),
        only: Option<&Etag>,
    ) -> Result<(), Fault> {
        let body = AutoScaleBody {
            auto_scale_formula: formula,
            auto_scale_evaluation_interval: interval.map(|interval| interval.to_string()),
        };
        self.post(&of(id, "/enableautoscale"), Some(&body), only)
            .await
            .map(drop)
    }

    /// Lets a pool follow its formula no longer (Pool - Disable Auto Scale).
    pub async fn disable_auto_scale(&self, id: &str) -> Result<(), Fault> {
        self.post(&of(id, "/disableautoscale"), None::<&()>, None)
            .await
            .map(drop)
    }

    /// Has a formula evaluated on a pool, without effect (Pool - Evaluate Auto Scale); the pool must run one itself.
    pub async fn evaluate_auto_scale(&self, id: &str, formula: &str) -> Result<AutoScaleRun, Fault> {
        let body = AutoScaleBody {
            auto_scale_formula: Some(formula),
            auto_scale_evaluation_interval: None,
        };
        let path = of(id, "/evaluateautoscale");
        let reply = self.post(&path, Some(&body), None).await?;
        Self::read(&format!("POST {path}"), &reply)
    }
}

/// Returns the path of a pool and what is behind it.
pub(super) fn of(id: &str, rest: &str) -> String {
    format!("/pools/{}{rest}", encode(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_the_same_with_quotes_and_without() {
        for text in [
            "0x8DB240238A4192F",
            "\"0x8DB240238A4192F\"",
            "W/\"0x8DB240238A4192F\"",
        ] {
            assert_eq!(&*etag(text).0, "0x8DB240238A4192F", "{text}");
        }
    }

    #[test]
    fn a_resize_is_written_exactly() {
        let body = ResizeBody {
            target_dedicated_nodes: 3,
            target_low_priority_nodes: 12,
            resize_timeout: Some(Span::minutes(15).to_string()),
            node_deallocation_option: NodeDeallocationOption::TaskCompletion.word(),
        };
        assert_eq!(
            serde_json::to_string(&body).unwrap(),
            r#"{"targetDedicatedNodes":3,"targetLowPriorityNodes":12,"resizeTimeout":"PT15M","nodeDeallocationOption":"taskcompletion"}"#
        );
    }
}
