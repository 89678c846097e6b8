//! A file of policy tests as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::account::{CoreQuotas, PoolId, RefusalKind, Work};
use crate::base::schema::{Format, SchemaCodes};
use crate::base::{Code, Nodes, Span, Timestamp};
use crate::decision::Verdict;
use crate::policy::Policy;
use crate::signal::{Metric, parse_shorthand};
use crate::world::{LackWord, PoolRecord};

pub(super) const UNREADABLE: Code = Code("T020");
pub(super) const CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("T021"),
    duplicate_key: Code("T022"),
    missing_key: Code("T023"),
    wrong_type: Code("T024"),
    wrong_value: Code("T025"),
};
pub(super) const POLICY: Code = Code("T026");
pub(super) const TIMES: Code = Code("T027");
pub(super) const NO_EXPECTATION: Code = Code("T028");

/// A fortnight of looks each minute; a test that needs more is a backtest.
pub(super) const LOOKS_MAX: i64 = 20_000;

/// Tests of one policy, or of several that share an account.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TestFile {
    /// The policy, its path as seen from this file; the file of the same name without `.test` when left out.
    #[serde(default)]
    pub(super) policy: Option<String>,
    /// Several policies, their paths as seen from this file; each test then has `pools`.
    #[serde(default)]
    pub(super) policies: Vec<String>,
    /// What their pools share: a file of kind account, its path as seen from this file.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// The tests, each with an account of its own.
    #[schemars(length(min = 1))]
    pub(super) tests: Vec<TestFileTest>,
}

/// One test: an account, what happens to it, and what must come of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct TestFileTest {
    /// What is proven, in a few words.
    pub(super) name: String,
    /// When the policy looks first; all other times count from here.
    pub(super) start: Timestamp,
    /// How long it goes on looking.
    #[serde(rename = "for")]
    pub(super) lasts: Span,
    /// The pool at the start; the current nodes are the target, and usable, where nothing else is said.
    #[serde(default)]
    #[schemars(with = "PoolRecord")]
    pub(super) pool: Map<String, Value>,
    /// How long ordered nodes take to be usable; no time when left out.
    #[serde(default)]
    pub(super) boot: Span,
    /// How old samples are when they arrive; no time when left out.
    #[serde(default)]
    pub(super) delay: Span,
    /// What becomes of orders.
    #[serde(default)]
    pub(super) orders: Orders,
    /// The samples of each metric, 30 seconds apart.
    #[serde(default)]
    pub(super) series: BTreeMap<Metric, SeriesText>,
    /// What sources outside of the account say, by the names that decisions use (storageQueue:agents), 30 seconds apart; after the
    /// last number nothing new is said.
    #[serde(default)]
    pub(super) signals: BTreeMap<String, SeriesText>,
    /// What else happens to the pool, in order of time.
    #[serde(default)]
    pub(super) states: Vec<StateChange>,
    /// Several pools by their ids, in place of `pool`, `series` and `states`; those without a policy keep what they hold.
    #[serde(default)]
    pub(super) pools: BTreeMap<String, PoolPart>,
    /// The quotas that the account is seen to have; not known when left out.
    #[serde(default)]
    pub(super) quotas: Option<CoreQuotas>,
    /// What goes wrong.
    #[serde(default)]
    pub(super) faults: Vec<FaultSpan>,
    /// What must come of it.
    pub(super) expect: Vec<Expect>,
}

/// One pool of several.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PoolPart {
    /// The pool at the start; the current nodes are the target, and usable, where nothing else is said.
    #[schemars(with = "PoolRecord")]
    pub(super) pool: Map<String, Value>,
    /// How long ordered nodes take to be usable; as the test says when left out.
    pub(super) boot: Option<Span>,
    /// The samples of each metric, 30 seconds apart.
    pub(super) series: BTreeMap<Metric, SeriesText>,
    /// What sources outside of the account say, by the names that decisions use (storageQueue:agents), 30 seconds apart; after the
    /// last number nothing new is said.
    pub(super) signals: BTreeMap<String, SeriesText>,
    /// What else happens to the pool, in order of time.
    pub(super) states: Vec<StateChange>,
}

/// What a test says of one pool.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) facts: &'a Map<String, Value>,
    pub(super) boot: Span,
    pub(super) series: &'a BTreeMap<Metric, SeriesText>,
    pub(super) signals: &'a BTreeMap<String, SeriesText>,
    pub(super) states: &'a [StateChange],
}

/// What becomes of orders.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Orders {
    /// They are carried out.
    #[default]
    Accepted,
    /// They are kept back, as in a dry run.
    Withheld,
}

/// Samples of one metric.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SeriesText {
    /// When the first one is taken; -10m when left out.
    #[serde(default = "ten_minutes_before")]
    pub(super) from: Span,
    /// The samples in short: `3x20` (twenty times 3), `0+2x5` (0, 2, 4, 6, 8), `_` or `_x4` (missing).
    pub(super) values: SamplesText,
}

/// Samples in short.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct SamplesText(String);

impl JsonSchema for SamplesText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SamplesText".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

fn ten_minutes_before() -> Span {
    -Span::minutes(10)
}

/// A change of the pool that no order made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StateChange {
    /// When.
    pub(super) at: Span,
    /// The facts of the pool that are others from then on.
    #[serde(default)]
    #[schemars(with = "PoolRecord")]
    pub(super) pool: Map<String, Value>,
    /// The tasks and nodes one by one, from then on.
    #[serde(default)]
    pub(super) work: Option<Work>,
}

/// Something that goes wrong for a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FaultSpan {
    /// From when on.
    pub(super) from: Span,
    /// Until when.
    pub(super) until: Span,
    /// Samples of these metrics that are taken meanwhile never arrive.
    #[serde(default)]
    pub(super) missing: Vec<Metric>,
    /// These signals have no number meanwhile.
    #[serde(default)]
    pub(super) signals: Vec<String>,
    /// Why they have none; fault when left out.
    #[serde(default)]
    pub(super) lack: Option<LackWord>,
    /// Nothing can be seen meanwhile, for this reason.
    #[serde(default)]
    pub(super) observe: Option<String>,
    /// What the account shares cannot be seen meanwhile, for this reason.
    #[serde(default)]
    pub(super) account: Option<String>,
    /// Orders are refused meanwhile, for this cause.
    #[serde(default)]
    pub(super) refuse: Option<RefusalKind>,
}

/// What must come of a test at a time, or at each look of a while.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Expect {
    /// The pool, where there are several.
    #[serde(default)]
    pub(super) pool: Option<String>,
    /// The first look at or after this time.
    #[serde(default)]
    pub(super) at: Option<Span>,
    /// Every look from this time on; from the start when left out.
    #[serde(default)]
    pub(super) from: Option<Span>,
    /// Every look before this time; to the end when left out.
    #[serde(default)]
    pub(super) until: Option<Span>,
    /// Whether one look of the while is enough.
    #[serde(default)]
    pub(super) once: bool,
    /// What is ordered.
    #[serde(default)]
    pub(super) order: Option<OrderWanted>,
    /// The code of the reason why nothing is done, such as observeFailed; none for no hold.
    #[serde(default)]
    pub(super) hold: Option<String>,
    /// The code of the reason of some step, such as bound.
    #[serde(default)]
    pub(super) reason: Option<String>,
    /// What the decision comes to: out, in, shift, steady or hold.
    #[serde(default)]
    pub(super) verdict: Option<Verdict>,
    /// The dedicated nodes of the outcome.
    #[serde(default)]
    pub(super) dedicated: Option<Count>,
    /// Its spot nodes.
    #[serde(default)]
    pub(super) spot: Option<Count>,
    /// Its nodes of both lanes.
    #[serde(default)]
    pub(super) total: Option<Count>,
}

/// What is ordered.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum OrderWanted {
    /// Whether there is one.
    Word(OrderWord),
    /// This one.
    Mix(crate::base::Mix),
}

/// Whether there is an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum OrderWord {
    /// There is none.
    None,
    /// There is one.
    Any,
}

/// A count of nodes, or the least and the most.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Count {
    /// Exactly.
    Exactly(Nodes),
    /// From and to, both included.
    Between([Nodes; 2]),
}

impl Expect {
    pub(super) fn wants_nothing(&self) -> bool {
        let texts = self.hold.is_none() && self.reason.is_none() && self.verdict.is_none();
        let counts = self.dedicated.is_none() && self.spot.is_none() && self.total.is_none();
        texts && counts && self.order.is_none()
    }
}

impl SeriesText {
    /// Returns the samples, a gap where one is missing.
    pub(super) fn values(&self) -> Result<Vec<Option<f64>>, String> {
        parse_shorthand(&self.values.0).map_err(|error| error.to_string())
    }
}

impl TestFileTest {
    /// Returns the pools by their ids, each with what is said of it.
    pub(super) fn parts<'a>(&'a self, policy: &Policy) -> Vec<(PoolId, Part<'a>)> {
        if self.pools.is_empty() {
            let part = Part {
                facts: &self.pool,
                boot: self.boot,
                series: &self.series,
                signals: &self.signals,
                states: &self.states,
            };
            return vec![(self.pool_id(policy), part)];
        }
        let told = |(id, part): (&String, &'a PoolPart)| {
            let told = Part {
                facts: &part.pool,
                boot: part.boot.unwrap_or(self.boot),
                series: &part.series,
                signals: &part.signals,
                states: &part.states,
            };
            // An id that is none has been told of.
            Some((id.parse().ok()?, told))
        };
        self.pools.iter().filter_map(told).collect()
    }

    /// Returns the pool's id: the one given, or one that the policy matches.
    pub(super) fn pool_id(&self, policy: &Policy) -> PoolId {
        let given = self.pool.get("id").and_then(Value::as_str);
        let named = given.map_or_else(|| policy.pool.as_str().replace('*', "test"), str::to_owned);
        named
            .parse()
            .unwrap_or_else(|_| "test".parse().expect("`test` is a pool id"))
    }
}

pub(super) const FORMATS: &[Format] = &[
    Format {
        name: "Timestamp",
        wanted: "a time like 2026-11-22T09:00:00Z",
        read: Format::reads::<Timestamp>,
    },
    Format {
        name: "Duration",
        wanted: "a duration like 90s, or -10m for before the start",
        read: Format::reads::<Span>,
    },
    Format {
        name: "SamplesText",
        wanted: "samples in quotes, like \"0x20 3x4\" (without quotes 0x20 is a hexadecimal number)",
        read: |text| {
            parse_shorthand(text)
                .map(|_| ())
                .map_err(|error| error.to_string())
        },
    },
    Format {
        name: "PoolId",
        wanted: "a pool id",
        read: Format::reads::<PoolId>,
    },
];
