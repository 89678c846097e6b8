//! A scenario as it is written: the types that serde reads and that the JSON Schema is made from.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{PatternText, SpreadText, TimesText};
use crate::account::{PoolId, PoolPattern};
use crate::base::schema::{Format, SchemaCodes};
use crate::base::{Code, Span, Timestamp};
use crate::emulator::faults::HttpFaults;

pub(super) const UNREADABLE: Code = Code("E001");
pub(super) const SCHEMA_CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("E002"),
    duplicate_key: Code("E003"),
    missing_key: Code("E004"),
    wrong_type: Code("E005"),
    wrong_value: Code("E006"),
};
pub(super) const TWICE: Code = Code("E007");

/// What a local account is like, what is in it at the start, and what happens to it. Times count from its opening.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScenarioFile {
    /// The version of this format.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "the schema holds it to 1")]
    version: u32,
    /// The time in the account when it is opened; the time of this machine when left out.
    #[serde(default)]
    pub(super) start: Option<Timestamp>,
    /// The seed of all chance.
    #[serde(default)]
    pub(super) seed: u64,
    /// Names and quotas.
    #[serde(default)]
    pub(super) account: ScenarioAccount,
    /// How long things take, and what goes wrong by itself.
    #[serde(default)]
    pub(super) timing: ScenarioTiming,
    /// Where spot machines come from, as `backtest --spot` takes it; they can always be had when left out.
    #[serde(default)]
    pub(super) spot: Option<String>,
    /// Pools that are there at the start, with their nodes ready.
    #[serde(default)]
    pub(super) pools: Vec<ScenarioPool>,
    /// Jobs that are there at the start.
    #[serde(default)]
    pub(super) jobs: Vec<ScenarioJob>,
    /// Tasks that come by themselves.
    #[serde(default)]
    pub(super) workload: Option<ScenarioWorkload>,
    /// What goes wrong for a while.
    #[serde(default)]
    pub(super) troubles: Vec<ScenarioTrouble>,
    /// Resizes that somebody else orders, in order of time.
    #[serde(default)]
    pub(super) resizes: Vec<ScenarioResize>,
    /// Faults of the wire.
    #[serde(default)]
    pub(super) http: HttpFaults,
}

/// Names and quotas of the account.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ScenarioAccount {
    /// Its name; `lowtide` when left out.
    pub(super) name: Option<String>,
    /// Cores of dedicated nodes in all pools.
    pub(super) dedicated_cores: Option<u32>,
    /// Cores of spot nodes in all pools.
    pub(super) spot_cores: Option<u32>,
    /// Cores of dedicated nodes by family, such as `standardDSv5Family: 100`; families without a line are free.
    pub(super) family_cores: BTreeMap<String, u32>,
    /// How many pools there may be.
    pub(super) pools: Option<u32>,
    /// How many active jobs there may be.
    pub(super) active_jobs: Option<u32>,
    /// Whether the pools stand in the user's subscription; then tokens alone are taken, as the service does.
    pub(super) user_subscription: bool,
    /// Whether keys are refused and tokens alone taken.
    pub(super) tokens_only: bool,
}

/// How long things take, and what goes wrong by itself.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ScenarioTiming {
    /// From a resize to the machines that it grants.
    pub(super) allocation: Option<SpreadText>,
    /// A new machine, before it boots.
    pub(super) creating: Option<SpreadText>,
    /// The boot.
    pub(super) starting: Option<SpreadText>,
    /// The start task, for pools that have one.
    pub(super) start_task: Option<SpreadText>,
    /// A node that leaves.
    pub(super) leaving: Option<SpreadText>,
    /// From a stopped resize to a steady pool.
    pub(super) stopping: Option<SpreadText>,
    /// A job that is ended, deleted, disabled or enabled.
    pub(super) job: Option<SpreadText>,
    /// How long a task runs whose command line and settings do not say it.
    pub(super) task: Option<TimesText>,
    /// The chance, 0 to 1, that a start task fails.
    pub(super) start_task_fails: f64,
    /// The chance, 0 to 1, that a machine sticks while it boots.
    pub(super) boot_sticks: f64,
    /// How often a ready machine breaks in an hour.
    pub(super) breaks_hourly: f64,
    /// How often a spot machine is taken away in an hour, beside what the market takes.
    pub(super) evictions_hourly: f64,
    /// How long the service waits before it asks again for spot machines.
    pub(super) retry: Option<Span>,
    /// For how long after it was taken away a spot machine is replaced.
    pub(super) restored_within: Option<Span>,
}

/// A pool that is there at the start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioPool {
    /// Its id.
    pub id: PoolId,
    /// The size of its machines, such as `standard_d4s_v5`.
    pub vm_size: String,
    /// Its dedicated nodes.
    #[serde(default)]
    pub dedicated: u32,
    /// Its spot nodes.
    #[serde(default)]
    pub spot: u32,
    /// The task slots of a node.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 256))]
    pub task_slots_per_node: u32,
    /// Its own autoscale formula.
    #[serde(default)]
    pub formula: Option<String>,
    /// How often the formula is evaluated, 5 minutes to 168 hours.
    #[serde(default)]
    pub interval: Option<Span>,
    /// The command line of its start task.
    #[serde(default)]
    pub start_task: Option<String>,
}

/// A job that is there at the start.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScenarioJob {
    /// Its id.
    pub id: PoolId,
    /// The pool that it runs in.
    pub pool: PoolId,
    /// Its priority.
    #[serde(default)]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: i32,
}

/// Tasks that come by themselves.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScenarioWorkload {
    /// The job that they are added to; made in the first pool when it is not among the jobs.
    pub(super) job: PoolId,
    /// The tasks, as `backtest --workload` takes them: a file, `builtin:ci-day`, `generate:…`.
    pub(super) tasks: String,
}

/// Something that goes wrong for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScenarioTrouble {
    /// What.
    pub(super) kind: ScenarioTroubleKind,
    /// In which pools: an id, or a pattern such as `gen-*`; in all when left out.
    #[serde(default)]
    pub(super) pools: Option<PatternText>,
    /// From when on.
    #[serde(default)]
    pub(super) from: Span,
    /// For how long; to the end when left out.
    #[serde(default, rename = "for")]
    pub(super) lasts: Option<Span>,
    /// How many times as long machines take, for `slowAllocation`; 5 when left out.
    #[serde(default)]
    pub(super) times: Option<f64>,
    /// The chance, 0 to 1, for start tasks and nodes; 1 when left out.
    #[serde(default)]
    pub(super) chance: Option<f64>,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ScenarioTroubleKind {
    /// Machines take longer to be granted.
    SlowAllocation,
    /// No machine is granted: resizes time out.
    NoCapacity,
    /// Resizes never end, not even when their time is over.
    StuckResize,
    /// Start tasks fail.
    StartTasksFail,
    /// Machines stick while they boot, and are unusable.
    NodesUnusable,
}

/// A resize that somebody else orders; refused when the pool takes none.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ScenarioResize {
    /// When.
    pub(super) at: Span,
    /// Which pool.
    pub(super) pool: PoolId,
    /// Dedicated nodes; as they are when left out.
    #[serde(default)]
    pub(super) dedicated: Option<u32>,
    /// Spot nodes; as they are when left out.
    #[serde(default)]
    pub(super) spot: Option<u32>,
}

const fn one() -> u32 {
    1
}

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Timestamp",
        wanted: "a time like 2026-11-22T09:00:00Z",
        read: Format::reads::<Timestamp>,
    },
    Format {
        name: "Duration",
        wanted: "a duration like 90s or 1h30m",
        read: Format::reads::<Span>,
    },
    Format {
        name: "Spread",
        wanted: "a time like 90s, or two like 1m..3m",
        read: Format::reads::<SpreadText>,
    },
    Format {
        name: "Times",
        wanted: "how times are spread, like lognormal:10m/1.2",
        read: Format::reads::<TimesText>,
    },
    Format {
        name: "PoolId",
        wanted: "an id of letters, digits, hyphens and underscores",
        read: Format::reads::<PoolId>,
    },
    Format {
        name: "PoolPattern",
        wanted: "a pool id, or a pattern such as gen-*",
        read: Format::reads::<PoolPattern>,
    },
];
