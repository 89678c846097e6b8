//! Pages about pools: all of them, and one with all that is known of it.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;

use super::super::{Measures, PoolStanding};
use super::answers::{
    BoundsAnswer, Explanation, HaltAnswer, HourlyCost, NodesByLane, NodesByState, PoolAnswer, PoolDetail,
    PoolsAnswer, ReceiptAnswer,
};
use super::extract::PoolInPath;
use super::measured::{MeasuresAnswer, StagesAnswer};
use super::problem::Problem;
use super::site::Site;
use crate::account::{Halt, PoolId, Receipt};
use crate::base::{Lane, Mix, Timestamp, did_you_mean};
use crate::decision::{Decision, Stage};
use crate::policy::{Mode, Policies};
use crate::world::PoolRecord;

/// All pools that are steered, each with the latest decision about it in short.
#[utoipa::path(
    get,
    path = "/api/v1/pools",
    tag = "reads",
    responses(
        (status = 200, description = "The pools", body = PoolsAnswer),
        (status = 401, description = "A token is needed", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn all(State(site): State<Site>) -> Result<Json<PoolsAnswer>, Problem> {
    let (halts, now) = (site.halts().await?, site.now());
    let measures = site.measures();
    let standing = site.board().read();
    let terms = Terms {
        policies: &standing.in_effect,
        measures: &measures,
        halts: &halts,
        now,
    };
    let pools = standing.pools.values();
    let pools = pools.map(|pool| answer(pool, &terms)).collect();
    Ok(Json(PoolsAnswer { pools }))
}

/// One pool with all that is known of it, and the latest decision step by step.
#[utoipa::path(
    get,
    path = "/api/v1/pools/{id}",
    tag = "reads",
    params(("id" = String, Path, description = "The pool")),
    responses(
        (status = 200, description = "The pool", body = PoolDetail),
        (status = 404, description = "No such pool is steered", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn one(
    State(site): State<Site>,
    PoolInPath(id): PoolInPath,
) -> Result<Json<PoolDetail>, Problem> {
    let (halts, now) = (site.halts().await?, site.now());
    let measures = site.measures();
    let standing = site.board().read();
    let pool = standing
        .pools
        .get(&id)
        .ok_or_else(|| unknown(&id, standing.pools.keys()))?;
    Ok(Json(PoolDetail {
        pool: answer(
            pool,
            &Terms {
                policies: &standing.in_effect,
                measures: &measures,
                halts: &halts,
                now,
            },
        ),
        state: pool
            .state
            .as_ref()
            .and_then(|state| serde_json::to_value(state).ok()),
        explanation: explanation(pool.number, &pool.decision),
    }))
}

/// Returns the problem of a pool that nobody steers.
pub(super) fn unknown<'a>(id: &PoolId, known: impl Iterator<Item = &'a PoolId>) -> Problem {
    let meant = did_you_mean(id.as_str(), known.map(PoolId::as_str));
    let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
    Problem::not_found(format!("no pool {id} is steered{meant}"))
}

pub(super) fn explanation(number: Option<u64>, decision: &Decision) -> Explanation {
    Explanation {
        number,
        text: decision.to_text(),
        decision: serde_json::to_value(decision).expect("a decision is made of numbers and text"),
    }
}

/// What a pool is told with.
pub(super) struct Terms<'a> {
    policies: &'a Policies,
    measures: &'a BTreeMap<PoolId, Measures>,
    halts: &'a [HaltAnswer],
    now: Timestamp,
}

/// Returns a pool as the interface tells it.
pub(super) fn answer(pool: &PoolStanding, terms: &Terms<'_>) -> PoolAnswer {
    let decision = &*pool.decision;
    let last = decision.steps().last();
    let own: Vec<Halt> = terms
        .halts
        .iter()
        .filter(|halt| halt.is_about(&pool.pool))
        .map(HaltAnswer::halt)
        .collect();
    PoolAnswer {
        pool: pool.pool.to_string(),
        policy: pool.policy.to_string(),
        mode: pool.mode.map(word),
        verdict: decision.verdict().word(),
        because: decision.steps().first().map(|step| step.reason.text()),
        reason: last.map_or(String::new(), |step| step.reason.text()),
        reason_code: last.map_or(String::new(), |step| step.reason.code().to_owned()),
        decided_at: pool.decided_at,
        number: pool.number,
        seen_at: pool.seen_at,
        current: decision.current.into(),
        target: pool.target().into(),
        order: decision.order().map(|order| order.target.into()),
        nodes: pool.state.as_ref().map(NodesByState::from),
        asked: asked(decision).map(NodesByLane::from),
        stages: StagesAnswer::of(decision),
        bounds: terms.policies.policy_for(&pool.pool).map(|policy| BoundsAnswer {
            min: policy.bounds.total.min.0,
            max: policy.bounds.total.max.0,
        }),
        measures: MeasuresAnswer::of(terms.measures.get(&pool.pool), decision),
        allocation_state: pool
            .state
            .as_ref()
            .map(|state| state.allocation_state.word().to_owned()),
        cost: cost(pool, terms.policies),
        halt: Halt::together(&own, terms.now).map(|halt| HaltAnswer::new(pool.pool.as_str(), halt)),
        fault: pool.fault.clone(),
        receipt: pool.receipt.as_ref().map(|settled| ReceiptAnswer {
            at: settled.at,
            target: settled.target.into(),
            result: match settled.receipt {
                Receipt::Accepted => "accepted",
                Receipt::Refused(_) => "refused",
                Receipt::Withheld => "withheld",
            },
            message: match &settled.receipt {
                Receipt::Refused(refusal) => Some(refusal.message.clone()),
                Receipt::Accepted | Receipt::Withheld => None,
            },
        }),
    }
}

/// Returns the nodes that were asked for before anything held them back.
fn asked(decision: &Decision) -> Option<Mix> {
    let asks = |stage: Stage| matches!(stage, Stage::Propose | Stage::Split);
    let step = decision.steps().iter().rfind(|step| asks(step.stage));
    step.map(|step| step.to)
}

/// Returns the word of a mode as policies write it.
pub(super) fn word(mode: Mode) -> String {
    let word = serde_json::to_value(mode).expect("a mode is a word");
    word.as_str().unwrap_or_default().to_owned()
}

/// Returns what an hour of a pool costs at the prices of its policy; preempted nodes are not paid for.
pub(super) fn cost(pool: &PoolStanding, policies: &Policies) -> Option<HourlyCost> {
    let prices = policies.policy_for(&pool.pool)?.prices;
    let state = pool.state.as_ref()?;
    let there = Mix {
        dedicated: state.current_dedicated_nodes,
        spot: state
            .current_low_priority_nodes
            .saturating_sub(state.preempted_nodes),
    };
    let of = |lane: Lane| there.get(lane).as_f64() * prices.get(lane).0;
    Some(HourlyCost {
        now: of(Lane::Dedicated) + of(Lane::Spot),
        all_dedicated: there.total().as_f64() * prices.dedicated.0,
    })
}

impl From<&PoolRecord> for NodesByState {
    fn from(pool: &PoolRecord) -> Self {
        Self {
            usable: pool.usable_nodes.0,
            idle: pool.idle_nodes.0,
            running: pool.running_nodes.0,
            starting: pool.starting_nodes.0,
            preempted: pool.preempted_nodes.0,
            unusable: pool.unusable_nodes.0,
        }
    }
}

impl NodesByLane {
    /// Returns both together.
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            dedicated: self.dedicated.saturating_add(other.dedicated),
            spot: self.spot.saturating_add(other.spot),
        }
    }
}
