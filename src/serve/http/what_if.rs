//! What another policy would have made of a pool's recorded past: a backtest of it beside the policy in effect. Never writes.
//!
//! ```text
//! ledger ─► looks ─► tasks as they came, evictions as they were ─► simulated pool ─► the policy in effect │ as it was sent
//! ```
//!
//! It runs beside the loop, on a thread where waiting is allowed, one at a time.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::super::{FaultyText, Written};
use super::extract::{Body, PoolInPath};
use super::past::{self, Past};
use super::problem::{Kind, Problem, TextFault, faults_of};
use super::site::Site;
use crate::account::PoolId;
use crate::base::{Severity, Span, Timestamp};
use crate::policy::{Policies, Policy, read};
use crate::sim::{self, Contender, Run};

/// What is to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WhatIfAsked {
    /// The policy: YAML. It may name the files with formulas that the policy in effect names, and no others.
    text: String,
    /// How much of the past, such as 24h; at most 7d. 24h when left out.
    #[serde(rename = "for")]
    #[schema(example = "24h")]
    lasts: Option<String>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WhatIfAnswer {
    /// The pool.
    pub pool: String,
    /// The first look that was gone by.
    #[schema(value_type = String, format = DateTime)]
    pub from: Timestamp,
    /// The last one.
    #[schema(value_type = String, format = DateTime)]
    pub to: Timestamp,
    /// How many looks there were.
    pub looks: u64,
    /// The tasks that ended in that time and are played again.
    pub tasks: usize,
    /// What the nodes that were there cost in that time, in US dollars, where the ledger tells prices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recorded_cost: Option<f64>,
    /// What is assumed, in sentences.
    pub assumes: Vec<String>,
    /// The policy in effect, simulated.
    pub present: OutcomeAnswer,
    /// The policy that was sent, simulated.
    pub changed: OutcomeAnswer,
    /// What deserves a look in the text that was sent, although it can be used.
    pub faults: Vec<TextFault>,
}

/// What one policy comes to.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct OutcomeAnswer {
    /// The policy.
    pub policy: String,
    /// What it costs, in US dollars.
    pub cost: f64,
    /// The part of it that was paid for nodes without a task.
    pub wasted: f64,
    /// Hours of dedicated nodes.
    pub dedicated_hours: f64,
    /// Hours of spot nodes.
    pub spot_hours: f64,
    /// Half of the tasks waited no longer, in seconds.
    pub wait_p50_seconds: f64,
    /// Nineteen of twenty waited no longer.
    pub wait_p95_seconds: f64,
    /// None waited longer.
    pub wait_most_seconds: f64,
    /// Tasks that ended.
    pub completed: u32,
    /// Tasks that had not ended two hours after the last should have.
    pub unfinished: u32,
    /// Spot nodes that were taken away.
    pub evictions: u32,
    /// Orders.
    pub orders: u64,
}

/// The longest past: a week has every day of it, and a backtest of it takes seconds.
const PAST_MAX: Span = Span::days(7);
/// What another policy would have made of a pool's recorded past, beside the policy in effect.
///
/// The tasks that ended come again as they came, for a simulated pool that is as large and as often evicted as this one was. Nothing
/// is ordered and nothing is written down.
#[utoipa::path(
    post,
    path = "/api/v1/pools/{id}/what-if",
    tag = "reads",
    params(("id" = String, Path, description = "The pool")),
    request_body = WhatIfAsked,
    responses(
        (status = 200, description = "What both come to", body = WhatIfAnswer),
        (status = 400, description = "The request cannot be understood", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such pool is steered", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger has seen no task of the pool end in that time", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The policy cannot be used, or not be simulated", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Another one is being tried", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn what_if(
    State(site): State<Site>,
    PoolInPath(pool): PoolInPath,
    Body(asked): Body<WhatIfAsked>,
) -> Result<Json<WhatIfAnswer>, Problem> {
    let lasts = asked.lasts.as_deref().unwrap_or("24h");
    let lasts = lasts
        .parse::<Span>()
        .ok()
        .filter(|lasts| *lasts > Span::ZERO && *lasts <= PAST_MAX);
    let lasts = lasts.ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            "`for` is no time of up to 7d",
            "write it like 6h, 24h or 7d, or leave it out",
        )
    })?;
    let (present, written) = in_effect(&site, &pool)?;
    let (changed, findings) = sent(&pool, &present, &written, asked.text)?;
    let turn = site.what_if_turn().try_acquire_owned().map_err(|_| {
        let detail = "another policy is being tried, and one is tried at a time";
        Problem::new(Kind::TooManyAtOnce, detail, "ask again in a few seconds").again_in(3)
    })?;
    let (id, to) = (pool.clone(), site.now());
    let tried = site.memory(move |store| {
        // Held to the end, also when nobody waits for the answer any more.
        let _turn = turn;
        let past = past::of(store, &id, (to - lasts, to))?;
        Ok(past.map(|past| try_both(&past, present, changed).map(|runs| (past, runs))))
    });
    let (past, (present, changed)) = tried.await?.ok_or_else(|| nothing_recorded(&pool))??;
    Ok(Json(WhatIfAnswer {
        pool: pool.to_string(),
        from: past.from,
        to: past.to,
        looks: past.looks,
        tasks: past.workload.tasks.len(),
        recorded_cost: past.cost,
        assumes: past.assumes(),
        present,
        changed,
        faults: faults_of(&[findings]),
    }))
}

/// Returns the policy that decides for a pool, and the files with formulas that it names.
fn in_effect(site: &Site, pool: &PoolId) -> Result<(Policy, BTreeMap<String, String>), Problem> {
    let standing = site.board().read();
    let policies: &Policies = &standing.in_effect;
    let Some(policy) = policies
        .policy_for(pool)
        .filter(|_| standing.pools.contains_key(pool))
    else {
        return Err(super::pools::unknown(pool, standing.pools.keys()));
    };
    let written = standing.written.get(&*policy.name);
    let files = written
        .map(|Written { files, .. }| files.clone())
        .unwrap_or_default();
    Ok((policy.clone(), files))
}

/// Reads the policy that was sent; all that is wrong with it is told at once.
fn sent(
    pool: &PoolId,
    present: &Policy,
    files: &BTreeMap<String, String>,
    text: String,
) -> Result<(Policy, FaultyText), Problem> {
    let mut file = |name: &str| {
        files.get(name).cloned().ok_or_else(|| {
            format!("the policy in effect names no `{name}`; write the formula into the policy (text: …)")
        })
    };
    let (policy, findings) = read(&present.name, &text, &mut file);
    let mut diagnostics = findings.policy;
    for file in findings.files {
        diagnostics.extend(
            file.diagnostics
                .into_iter()
                .filter(|found| found.severity == Severity::Error),
        );
    }
    let faulty = FaultyText {
        file: format!("{}.yaml", present.name),
        text,
        diagnostics,
    };
    match policy.filter(|_| !faulty.is_error()) {
        Some(policy) if policy.pool.matches(pool) => Ok((policy, faulty)),
        Some(policy) => Err(Problem::new(
            Kind::PolicyFaults,
            format!("the policy speaks of {}, and not of pool {pool}", policy.pool),
            format!("write `pool: {pool}`, or a pattern that matches it"),
        )),
        None => Err(Problem::new(
            Kind::PolicyFaults,
            "what was sent is no policy",
            "mend what `faults` names",
        )
        .with_faults(faults_of(&[faulty]))),
    }
}

fn nothing_recorded(pool: &PoolId) -> Problem {
    Problem::new(
        Kind::NothingRecorded,
        format!(
            "the ledger has seen no task of pool {pool} end in that time, so there is nothing to play again"
        ),
        "wait until tasks have ended, or choose a longer time; a policy that asks for a backlog sees tasks one by one, a formula alone \
         does not",
    )
}

/// Simulates both.
fn try_both(
    past: &Past,
    present: Policy,
    changed: Policy,
) -> Result<(OutcomeAnswer, OutcomeAnswer), Problem> {
    let contenders = [Contender::Policy(present), Contender::Policy(changed)];
    let report = sim::backtest(&contenders, &past.workload, &past.options(), &|_| {});
    let runs = report.map_err(|error| {
        Problem::new(
            Kind::PolicyFaults,
            error.to_string(),
            "what a backtest can play is told by `lowtide backtest --help`",
        )
    })?;
    let mut outcomes = runs.runs.iter().map(OutcomeAnswer::from);
    let pair = outcomes.next().zip(outcomes.next());
    Ok(pair.expect("each contender has a run"))
}

impl From<&Run> for OutcomeAnswer {
    fn from(run: &Run) -> Self {
        Self {
            policy: run.policy.clone(),
            cost: run.cost.total.0,
            wasted: run.cost.wasted.0,
            dedicated_hours: run.node_hours.dedicated,
            spot_hours: run.node_hours.spot,
            wait_p50_seconds: run.wait.p50,
            wait_p95_seconds: run.wait.p95,
            wait_most_seconds: run.wait.max,
            completed: run.tasks.completed,
            unfinished: run.tasks.unfinished,
            evictions: run.evictions,
            orders: run.orders,
        }
    }
}
