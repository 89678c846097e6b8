//! What the interface answers: the types that are written as JSON, and that its description is made from.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::measured::{MeasuresAnswer, StagesAnswer};
use super::problem::TextFault;
use crate::account::HaltScope;
use crate::base::{Mix, Timestamp};

/// Nodes of both lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct NodesByLane {
    /// Dedicated ones.
    pub dedicated: u32,
    /// Spot ones, which the provider may take away.
    pub spot: u32,
}

impl From<Mix> for NodesByLane {
    fn from(mix: Mix) -> Self {
        Self {
            dedicated: mix.dedicated.0,
            spot: mix.spot.0,
        }
    }
}

/// Nodes by what they do, both lanes together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodesByState {
    /// Those that can run tasks.
    pub usable: u32,
    /// Ready and without a task.
    pub idle: u32,
    /// With at least one task.
    pub running: u32,
    /// On their way; paid for, of no use yet.
    pub starting: u32,
    /// Spot nodes that were taken away and wait to come back.
    pub preempted: u32,
    /// Broken or otherwise of no use.
    pub unusable: u32,
}

/// What an hour costs at the prices of the policy, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HourlyCost {
    /// The nodes that are there.
    pub now: f64,
    /// As many nodes, if all of them were dedicated.
    pub all_dedicated: f64,
}

/// A pool and the latest decision about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolAnswer {
    /// The pool.
    pub pool: String,
    /// The policy that decides for it.
    pub policy: String,
    /// How much the policy may do: full, outOnly, shadow or paused; missing when it is no longer in effect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// What the latest decision comes to: out, in, shift, steady or hold.
    pub verdict: &'static str,
    /// What was needed and why, in the words of its first step; missing where nothing could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Why it ends as it does, in the words of its last step.
    pub reason: String,
    /// The code of that reason.
    pub reason_code: String,
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    pub decided_at: Timestamp,
    /// The number of that decision in the ledger, where it numbers its lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// When the pool was last seen whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub seen_at: Option<Timestamp>,
    /// What it has.
    pub current: NodesByLane,
    /// What it is told to have: its target at the latest look, or what was ordered then and accepted.
    pub target: NodesByLane,
    /// What the decision orders; missing when it orders nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<NodesByLane>,
    /// What its nodes do; missing when it was never seen whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<NodesByState>,
    /// The nodes that the latest decision asked for, before bounds and guards; missing when nothing could be asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<NodesByLane>,
    /// Where each part of the latest decision ended.
    pub stages: StagesAnswer,
    /// What the policy allows: the least and the most nodes of both lanes together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<BoundsAnswer>,
    /// What is measured of it.
    pub measures: MeasuresAnswer,
    /// Whether a resize is under way: steady, resizing or stopping.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allocation_state: Option<String>,
    /// What an hour costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<HourlyCost>,
    /// What halts it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub halt: Option<HaltAnswer>,
    /// What could not be read of it at the latest look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The latest order, and what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt: Option<ReceiptAnswer>,
}

/// The least and the most nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct BoundsAnswer {
    /// The least.
    pub min: u32,
    /// The most.
    pub max: u32,
}

/// A budget with what is spent of it, in US dollars.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(super) struct BudgetAnswer {
    /// The policy, or the budget that pools share.
    pub scope: String,
    /// hour or month.
    pub window: String,
    /// What it allows.
    pub limit: f64,
    /// What is spent of it: what an hour costs now, or what was spent this month.
    pub spent: f64,
}

/// An order with what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReceiptAnswer {
    /// When it was decided.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// What the pool was told to have.
    pub target: NodesByLane,
    /// accepted, refused or withheld.
    pub result: &'static str,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// All pools that are steered.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PoolsAnswer {
    /// The pools, by id.
    pub pools: Vec<PoolAnswer>,
}

/// A pool with all that is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoolDetail {
    /// The pool and the latest decision, in short.
    pub pool: PoolAnswer,
    /// The pool as it was last seen, by the names of the Batch REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub state: Option<Value>,
    /// The latest decision, step by step.
    pub explanation: Explanation,
}

/// A decision, step by step.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explanation {
    /// The number of its line in the ledger, where it numbers them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
    /// As a few lines for a terminal.
    pub text: String,
    /// As `plan -o json` and the ledger write it.
    #[schema(value_type = DecisionLine)]
    pub decision: Value,
}

/// A decision as `plan -o json` and the ledger write it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionLine {
    /// `decided`, on lines of the ledger.
    pub kind: Option<String>,
    /// The pool.
    pub pool: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// The policy.
    pub policy: String,
    /// What the pool had.
    pub current: NodesByLane,
    /// What it was told to have: where the chain starts.
    pub target: NodesByLane,
    /// What is ordered; null when nothing is.
    pub order: Option<OrderLine>,
    /// The steps, each from where the one before ended.
    pub steps: Vec<StepLine>,
    /// Why nothing is done, where that is so: a code with its numbers.
    #[schema(value_type = Option<Object>)]
    pub hold: Option<Value>,
    /// What was forecast and is believed, where another strategy asked for more.
    #[schema(value_type = Option<Object>)]
    pub forecast: Option<Value>,
    /// What signals from outside said, where some were asked.
    #[schema(value_type = Option<Vec<Object>>)]
    pub signals: Option<Value>,
    /// What was seen, on lines of the ledger.
    #[schema(value_type = Option<Object>)]
    pub seen: Option<Value>,
    /// What an hour costs, where that was reckoned.
    #[schema(value_type = Option<Object>)]
    pub bill: Option<Value>,
    /// The best of what was not chosen, where that was reckoned.
    #[schema(value_type = Option<Object>)]
    pub runner_up: Option<Value>,
}

/// What is ordered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OrderLine {
    /// Dedicated nodes.
    pub dedicated: u32,
    /// Spot nodes.
    pub spot: u32,
    /// What happens to running tasks on nodes that go.
    pub node_deallocation_option: String,
    /// Which nodes may go, unless any may.
    pub removal: Option<String>,
    /// How many ready nodes take no further tasks, unless none.
    pub cordon: Option<NodesByLane>,
    /// Whether a resize that is under way is stopped first.
    pub retake: Option<bool>,
    /// Whether a formula of the pool's own is disabled first.
    pub release: Option<bool>,
    /// The formula that carries the target and ends by itself, where one does.
    #[schema(value_type = Option<Object>)]
    pub lease: Option<Value>,
    /// The nodes of no use that are replaced.
    #[schema(value_type = Option<Object>)]
    pub replace: Option<Value>,
}

/// One step of a decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct StepLine {
    /// Its part in deciding: propose, split, allocate, restrain, order or hold.
    pub stage: String,
    /// Where it ends.
    pub to: NodesByLane,
    /// Why: a code with its numbers.
    #[schema(value_type = Object)]
    pub reason: Value,
    /// Why, in a sentence.
    pub text: String,
}

/// Decisions that were looked for.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DecisionsAnswer {
    /// The decisions, the newest first.
    pub decisions: Vec<NumberedDecision>,
    /// What to send as `after` for those behind; missing at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A line of the ledger with a decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct NumberedDecision {
    /// Its number in the ledger.
    pub number: u64,
    /// The line.
    #[schema(value_type = DecisionLine)]
    pub decision: Value,
}

/// What would be ordered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PlanAnswer {
    /// When the account was looked at.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// Whether anything would be ordered.
    pub changes: bool,
    /// One decision for each pool, with its bill where one was reckoned.
    #[schema(value_type = Vec<DecisionLine>)]
    pub decisions: Vec<Value>,
    /// Pools that could not be read, and why.
    pub faults: Vec<PoolFault>,
    /// Steered pools that none of the policies speaks of.
    pub unmatched: Vec<String>,
}

/// A pool that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct PoolFault {
    /// The pool.
    pub pool: String,
    /// What could not be read.
    pub message: String,
}

/// The account and the sidecar in a few numbers.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct AccountAnswer {
    /// The account.
    pub account: String,
    /// The version of the program.
    pub version: &'static str,
    /// ready, degraded, standby or notReady.
    pub status: String,
    /// Why it is not ready, or what deserves a look.
    pub reasons: Vec<String>,
    /// alone, leader or standby.
    pub role: String,
    /// Whether orders are kept back.
    pub dry_run: bool,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub began: Option<Timestamp>,
    /// When it last saw the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_seen: Option<Timestamp>,
    /// What time it is for the sidecar.
    #[schema(value_type = String, format = DateTime)]
    pub now: Timestamp,
    /// Pools that are steered.
    pub pools: usize,
    /// Those of them that could not be read at the latest look.
    pub unread: usize,
    /// The nodes they have.
    pub current: NodesByLane,
    /// The nodes they were told to have.
    pub target: NodesByLane,
    /// What an hour of them costs.
    pub cost: HourlyCost,
    /// What they have cost since it began, in US dollars.
    pub spent: f64,
    /// What as many dedicated nodes would have cost since then.
    pub spent_all_dedicated: f64,
    /// The budgets that there are.
    pub budgets: Vec<BudgetAnswer>,
    /// What is halted.
    pub halts: Vec<HaltAnswer>,
}

/// A halt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct HaltAnswer {
    /// The pool, or a pattern of pools.
    pub pool: String,
    /// What is forbidden: in, out or all.
    #[schema(value_type = String)]
    pub scope: HaltScope,
    /// When it ends by itself; missing when somebody has to end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
    /// Why.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// Who said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What is halted after a pause or a resumption.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct HaltsAnswer {
    /// The halts that hold now for what was named.
    pub halts: Vec<HaltAnswer>,
    /// The steered pools that were named.
    pub pools: Vec<String>,
}

/// The policies in effect.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PoliciesAnswer {
    /// The policies, in the order in which they are asked.
    pub policies: Vec<PolicyAnswer>,
    /// What is wrong with the files as they were last read; a file with errors keeps the policy that it held before.
    pub faults: Vec<TextFault>,
    /// When they were last read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub read_at: Option<Timestamp>,
}

/// A policy in effect.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PolicyAnswer {
    /// Its name: the file's without folder and ending.
    pub policy: String,
    /// The pools it speaks of.
    pub pool: String,
    /// How much it may do: full, outOnly, shadow or paused.
    pub mode: String,
    /// How often it looks, in seconds.
    pub interval_seconds: f64,
    /// The first digits of the SHA-256 of what it means.
    pub hash: String,
}

/// A policy as it is written.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PolicyTextAnswer {
    /// Its name.
    pub policy: String,
    /// The text that is in effect: YAML.
    pub text: String,
    /// The files with formulas that it names, as they were read with it.
    pub files: std::collections::BTreeMap<String, String>,
}

/// What was asked of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// Always true: it is done between two looks, and told on /api/v1/events.
    pub accepted: bool,
}
