//! What a pool is told to have, and what becomes of the telling.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Etag, LeaseOrder, NodeDeallocationOption, PoolId};
use crate::base::{Mix, Nodes, Timestamp};

/// What one pool is told: a resize (Pool - Resize of the REST API), or a formula that carries the target, and what goes with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The pool.
    pub pool: PoolId,
    /// When it was decided.
    pub at: Timestamp,
    /// What the pool shall have.
    pub target: Mix,
    /// What happens to running tasks on nodes that go.
    pub option: NodeDeallocationOption,
    /// Which nodes may go.
    pub removal: Removal,
    /// How many ready nodes of each lane shall take no further tasks (Compute Node - Disable Scheduling).
    pub cordon: Mix,
    /// Whether a resize that is under way is stopped first (Pool - Stop Resize); otherwise the order is refused then.
    pub retake: bool,
    /// Whether the formula that the pool follows is disabled first (Pool - Disable Auto Scale).
    pub release: bool,
    /// The formula that carries the target for a while, in the place of a resize (Pool - Enable Auto Scale).
    pub lease: Option<LeaseOrder>,
    /// Nodes of no use that go first, so that others come in their place; the target counts them.
    pub replace: Option<Replacement>,
    /// The version of the pool that it was decided on: if someone changed the pool since, the order must be refused.
    pub etag: Option<Etag>,
}

/// Nodes of no use that are removed by name (Pool - Remove Nodes). Which they are shows when the order is carried out: one that
/// has come back meanwhile stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Replacement {
    /// The most broken nodes that go, those whose start task failed among them.
    pub broken: Nodes,
    /// They have been so since before this.
    pub broken_before: Timestamp,
    /// The most preempted nodes that go.
    pub away: Nodes,
    /// They have been so since before this.
    pub away_before: Timestamp,
}

impl Order {
    /// Returns an order that wants a pool without nodes, to be filled in.
    pub fn new(pool: PoolId, at: Timestamp) -> Self {
        Self {
            pool,
            at,
            target: Mix::ZERO,
            option: NodeDeallocationOption::default(),
            removal: Removal::Any,
            cordon: Mix::ZERO,
            retake: false,
            release: false,
            lease: None,
            replace: None,
            etag: None,
        }
    }
}

/// Which nodes may go when a target is below what is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Removal {
    /// Any: the service chooses (Pool - Resize).
    #[default]
    Any,
    /// Only those without a task, by name (Pool - Remove Nodes): fewer than asked when not enough are idle.
    Idle,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "camelCase", deny_unknown_fields)]
pub enum Receipt {
    /// The world took it; the nodes come and go from now on.
    Accepted,
    /// The world did not take it.
    Refused(Refusal),
    /// A dry run kept it back; nothing was asked of the pool.
    Withheld,
}

/// Why an order was not taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// Which of the usual causes it is.
    pub kind: RefusalKind,
    /// The world's own sentence.
    pub message: String,
}

/// The usual causes of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RefusalKind {
    /// Someone changed the pool since it was looked at: look again at the next tick.
    Changed,
    /// A resize is under way already.
    Resizing,
    /// The account's quota forbids it.
    Quota,
    /// The pool is gone or about to go.
    Missing,
    /// We may not do that.
    Forbidden,
    /// The world is too busy.
    Throttled,
    /// The world did not answer, so it may or may not have been taken.
    Unreachable,
    /// The world says that the order makes no sense.
    Invalid,
}

impl RefusalKind {
    /// Says whether the same order may be taken at a later tick without anyone doing anything.
    pub const fn may_pass(self) -> bool {
        match self {
            Self::Changed | Self::Resizing | Self::Throttled | Self::Unreachable => true,
            Self::Quota | Self::Missing | Self::Forbidden | Self::Invalid => false,
        }
    }
}
