//! A policy file as it is written: the types that serde reads and that the JSON Schema is made from.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    Actuator, Backlog, Budget, ByDeadlines, CooldownGuard, Deadline, Eviction, Fallback, FlapGuard, Forecast,
    LostWorkFile, Mode, Objective, OthersRule, OwnFormulaRule, Queue, Quota, ReplaceRule, RetakeRule,
    ScaleIn, Schedule, StepGuard, StormGuard, Track,
};
use crate::base::{Nodes, Span};
use crate::formula::Dialect;

/// What an operator wants for a pool, or for all pools whose ids match a pattern.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyFile {
    /// The version of this format: 1.
    pub version: u32,
    /// A pool id, or a pattern in which * stands for any run of characters, such as genomics-*.
    pub pool: PatternText,
    /// How much the policy may do; full when left out.
    #[serde(default)]
    pub mode: Mode,
    /// How often it looks, 10s to 24h; 60s when left out.
    #[serde(default = "interval")]
    pub interval: Span,
    /// What says how many nodes are needed; with several, the one that asks for most nodes wins.
    #[schemars(length(min = 1))]
    pub demand: Vec<DemandFile>,
    /// The least and the most nodes; 0 to 1000 where left out.
    #[serde(default)]
    pub bounds: BoundsFile,
    /// How nodes are split between the lanes, and what they cost.
    #[serde(default)]
    pub mix: MixFile,
    /// Work that must be done by a time of the clock.
    #[serde(default)]
    pub deadlines: Vec<Deadline>,
    /// The most cores or nodes that the pool may use.
    #[serde(default)]
    pub quota: Quota,
    /// What the pool may cost.
    #[serde(default)]
    pub budget: Budget,
    /// What restrains the outcome.
    #[serde(default)]
    pub guards: GuardsFile,
    /// How nodes are taken away.
    #[serde(default)]
    pub scale_in: ScaleIn,
    /// By what means a pool is brought to its target; resize when left out.
    #[serde(default)]
    pub actuator: Actuator,
    /// What is done about a pool that runs a formula of its own; leave when left out.
    #[serde(default)]
    pub own_formula: OwnFormulaRule,
    /// When a resize is stopped that is under way.
    #[serde(default)]
    pub retake: RetakeRule,
    /// How long what somebody else did to the pool is respected.
    #[serde(default)]
    pub others: OthersRule,
    /// When nodes of no use are replaced.
    #[serde(default)]
    pub replace: ReplaceRule,
}

/// One strategy that says how many nodes are needed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum DemandFile {
    /// A formula in the language of the Batch service.
    Formula(FormulaFile),
    /// So many nodes at such times.
    Schedule(Schedule),
    /// As many nodes as keep a metric near its target.
    Track(Track),
    /// Nodes for the messages of a queue.
    Queue(Queue),
    /// Nodes for what came at this time of earlier days or weeks; it can only raise what another strategy asks for.
    Forecast(Forecast),
    /// As many nodes as let the waiting tasks start in time, told by the tasks and nodes of the pool one by one.
    Backlog(Backlog),
    /// What the deadlines of the policy need; other tasks get nodes from other strategies.
    Deadlines(ByDeadlines),
}

/// A formula, in a file of its own or in place.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormulaFile {
    /// The file, its path as seen from the policy.
    #[serde(default)]
    pub file: Option<String>,
    /// The formula itself, best as a block text (`text: |`).
    #[serde(default)]
    pub text: Option<String>,
    /// What its result is taken for.
    pub role: Role,
    /// How it is understood; as the service does when left out.
    #[serde(default)]
    pub dialect: Dialect,
}

/// What a formula's result is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The targets of both lanes, as the formula splits them.
    Targets,
    /// The sum of its targets is how many usable nodes are needed; the mix of the policy splits them.
    Demand,
}

/// The least and the most nodes, each as [least, most].
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BoundsFile {
    /// Both lanes together.
    #[serde(default)]
    pub total: Option<[Nodes; 2]>,
    /// Dedicated nodes.
    #[serde(default)]
    pub dedicated: Option<[Nodes; 2]>,
    /// Spot nodes.
    #[serde(default)]
    pub spot: Option<[Nodes; 2]>,
}

/// How nodes are split and paid for.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MixFile {
    /// How needed nodes are split between the lanes; dedicatedOnly when left out. Formulas of role targets split themselves.
    #[serde(default)]
    pub objective: Objective,
    /// The chance that is tolerated that usable nodes fall short of what is needed, where expectedCost splits a need; 0.05 when
    /// left out.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub risk: Option<f64>,
    /// What one node costs in US dollars an hour.
    #[serde(default)]
    pub prices: PricesFile,
    /// What is believed of evictions; a backlog leaves spot alone where work that is lost makes it dearer than dedicated nodes.
    #[serde(default)]
    pub eviction: Eviction,
    /// What an eviction destroys of a task; learned when left out.
    #[serde(default)]
    pub lost_work: LostWorkFile,
    /// What expectedCost does when spot nodes do not come.
    #[serde(default)]
    pub fallback: Fallback,
}

/// What one node costs in US dollars an hour.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PricesFile {
    /// A dedicated node; 0.192 when left out.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub dedicated: Option<f64>,
    /// A spot node; a fifth of a dedicated one when left out.
    #[serde(default)]
    #[schemars(range(min = 0.0, max = 1000.0))]
    pub spot: Option<f64>,
}

/// What restrains the outcome.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GuardsFile {
    /// What is done when samples are missing.
    #[serde(default)]
    pub missing: MissingFile,
    /// When spot is left alone because too much of it was taken away.
    #[serde(default)]
    pub storm: Option<StormGuard>,
    /// How much may change at a time.
    #[serde(default)]
    pub step: Option<StepGuard>,
    /// How long the pool is left as it is after a change.
    #[serde(default)]
    pub cooldown: Option<CooldownGuard>,
    /// When the pool goes up and down too often.
    #[serde(default)]
    pub flap: Option<FlapGuard>,
}

/// When samples are too old or too few to take nodes away on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MissingFile {
    /// What must be known besides what the strategies read.
    #[serde(default)]
    pub required: Vec<Required>,
    /// The age from which a metric's newest sample is stale; 3m when left out.
    #[serde(default)]
    pub stale_after: Option<Span>,
    /// The share of possible samples that is enough; 50% when left out.
    #[serde(default)]
    pub enough: Option<Percent>,
    /// How far back that share is counted; 10m when left out.
    #[serde(default)]
    pub within: Option<Span>,
    /// What follows: take no nodes away, or let formulas do as they do in the service.
    #[serde(default)]
    pub then: Then,
}

/// What must be known before nodes are taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Required {
    /// The tasks of the pool that are active or running (`$PendingTasks`), also where no strategy counts them.
    Tasks,
}

/// What follows from missing samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Then {
    /// No nodes are taken away.
    #[default]
    Hold,
    /// Formulas may take nodes away on whatever samples there are.
    Ignore,
}

/// A share from 0% to 100%.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Percent(pub f64);

/// A pool id or pattern as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PatternText(pub String);

fn interval() -> Span {
    Span::minutes(1)
}

impl FromStr for Percent {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        text.strip_suffix('%')
            .and_then(|number| number.trim_end().parse().ok())
            .filter(|percent| (0.0..=100.0).contains(percent))
            .map(Self)
            .ok_or_else(|| format!("`{text}` is not a share; write it like 50%, from 0% to 100%"))
    }
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^\\d+(\\.\\d+)? ?%$" })
    }
}

impl JsonSchema for PatternText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "PoolPattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_*-]{1,64}$" })
    }
}
