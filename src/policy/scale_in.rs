//! How nodes are taken away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use crate::account::{NodeDeallocationOption, Removal};
use crate::decision::Decision;

/// How nodes are taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ScaleIn {
    /// What happens to running tasks on nodes that go; as the formula sets it, or as the pool has it, when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deallocation: Option<NodeDeallocationOption>,
    /// Which nodes go first. With unusable, preempted or idle in the list only nodes without a task go, in that order and by
    /// name, those that boot last, and where there are not enough of them fewer go; without a list the service chooses. Nodes beyond a
    /// limit (bounds, quota, budget, the most of a schedule) take no further tasks until the pool is within it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<GoesFirst>,
    /// Whether as many nodes as shall go take no further tasks, so that they become idle while the pool can still grow; needs a list
    /// that names nodes. A backlog does so by itself.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub drain: bool,
}

/// Nodes that go before others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum GoesFirst {
    /// Those that are broken.
    Unusable,
    /// Spot nodes that were taken away and wait to come back.
    Preempted,
    /// Those without a task.
    Idle,
    /// Spot nodes before dedicated ones, where a bound or limit takes nodes away; always so.
    Spot,
}

impl ScaleIn {
    /// Returns what cannot be meant.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        if self.drain && !self.is_by_name() {
            let message = "nodes that drain are removed by name, and no list names any";
            let help = "add `prefer: [unusable, preempted, idle]`";
            return vec![Complaint::new(&["drain"], message, help)];
        }
        let in_order = self.prefer.windows(2).all(|pair| pair[0] < pair[1]);
        if in_order {
            return Vec::new();
        }
        let message = "nodes go in one order: unusable, preempted, idle, spot";
        let help = "list those that you mean in that order, each once";
        vec![Complaint::new(&["prefer"], message, help)]
    }

    /// Sets how the nodes of an order go.
    pub(super) fn apply(&self, decision: &mut Decision) {
        if let Some(option) = self.deallocation {
            decision.option = option;
        }
        if self.is_by_name() {
            decision.removal = Removal::Idle;
        }
    }

    /// Says whether nodes go by name.
    pub(super) fn is_by_name(&self) -> bool {
        self.prefer.iter().any(|first| *first != GoesFirst::Spot)
    }
}
