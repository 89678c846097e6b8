//! The configuration as it is written: the types that serde reads and that the JSON Schema is made from.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::history_section::HistorySection;
use super::http_section::HttpSection;
use super::text::EndpointText;
use crate::azure::{ApiVersion, Auth, Limits};
use crate::base::Span;

/// What the sidecar of one Batch account needs to know. Paths are seen from the folder of this file; secrets stand in files or in
/// the environment, never here.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConfigFile {
    /// The version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub version: u32,
    /// Whether orders are kept back: everything is decided and written down, and nothing is ordered, whatever the policies say.
    #[serde(default)]
    pub dry_run: bool,
    /// A file that stops everything while it is there; what it says is told as the reason. Looked for at every look.
    #[serde(default)]
    pub kill_switch_file: Option<PathBuf>,
    /// The Batch account.
    pub account: AccountSection,
    /// Where the policies are.
    pub policies: PoliciesSection,
    /// A file that says where the signals come from that are none of the account's own (`lowtide schema sources`).
    #[serde(default)]
    pub sources_file: Option<PathBuf>,
    /// Where every decision is written down.
    #[serde(default)]
    pub ledger: LedgerSection,
    /// The Prometheus that has the past that the ledger no longer has; without one, pages show what the ledger has.
    #[serde(default)]
    pub history: Option<HistorySection>,
    /// Where it answers: health, metrics and the JSON interface.
    #[serde(default)]
    pub http: HttpSection,
    /// What it says on standard error.
    #[serde(default)]
    pub log: LogSection,
    /// Where traces of its ticks go; nowhere when left out.
    #[serde(default)]
    pub traces: Option<TracesSection>,
}

/// The Batch account, and how the sidecar is let in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountSection {
    /// Where the account answers, such as `https://NAME.westeurope.batch.azure.com`.
    pub endpoint: EndpointText,
    /// The name of the account; the endpoint's first word when left out.
    #[serde(default)]
    pub name: Option<String>,
    /// How to be let in: auto is the first of the others that this section and the environment speak of.
    #[serde(default)]
    pub auth: Auth,
    /// A file with the key of the account.
    #[serde(default)]
    pub key_file: Option<PathBuf>,
    /// The variable of the environment that holds the key of the account.
    #[serde(default)]
    pub key_env: Option<String>,
    /// Certificates of authorities to trust besides the system's (PEM).
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// The version of the service's interface.
    #[serde(default)]
    pub api_version: ApiVersion,
    /// Requests a second at the most.
    #[serde(default = "usual_rate")]
    #[schemars(range(min = 0.1, max = 1000.0))]
    pub requests_per_second: f64,
}

/// Where the policies are.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PoliciesSection {
    /// The folder with the policies, *.yaml, in the order of their names: the first that speaks of a pool decides for it.
    pub folder: PathBuf,
    /// How often the folder is looked at beside what the system tells of it; network file systems tell nothing.
    #[serde(default = "usual_poll")]
    pub poll: Span,
}

/// Where every decision is written down; lowtide.db beside this file when nothing is said.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LedgerSection {
    /// A database in one file (SQLite): searched, pruned and resumed from.
    pub sqlite: Option<PathBuf>,
    /// A file with the address of a PostgreSQL database, `postgres://user:password@host/database`, which several instances share.
    pub postgres_file: Option<PathBuf>,
    /// The variable of the environment that holds that address.
    pub postgres_env: Option<String>,
    /// A file of JSON lines, one entry a line; nothing of it is pruned, and a restart begins without memory.
    pub json_lines: Option<PathBuf>,
    /// Entries older than this go, but for those that a restart needs; all are kept when left out.
    pub keep_for: Option<Span>,
    /// The oldest entries go while the database is larger, but for those that a restart needs.
    #[schemars(range(min = 1_000_000))]
    pub bytes_max: Option<u64>,
    /// How long an instance leads when it renews nothing, from 5s to 10m; a standby takes over within it. PostgreSQL alone: a lock on
    /// the file of SQLite ends with its process. 30s when left out.
    pub lease: Option<Span>,
}

/// What is said on standard error.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LogSection {
    /// Lines for people, or one JSON object a line for machines.
    pub format: LogFormat,
    /// How much is said.
    pub level: LogLevel,
}

/// The forms of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How much a log says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// What does not work.
    Error,
    /// And what deserves a look.
    Warn,
    /// And what is ordered and changed.
    #[default]
    Info,
    /// And every decision.
    Debug,
    /// And every step inside.
    Trace,
}

/// Where traces go.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TracesSection {
    /// The collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub endpoint: String,
}

/// No policy is looked at more often than every 30 seconds, which is long enough for the largest account.
fn usual_rate() -> f64 {
    Limits::USUAL_RATE
}

fn usual_poll() -> Span {
    Span::seconds(30)
}
