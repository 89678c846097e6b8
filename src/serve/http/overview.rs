//! Pages about the account as a whole: its numbers, its policies, and the description of the interface itself.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};

use super::super::{Role, Status};
use super::answers::{
    AccountAnswer, BudgetAnswer, HourlyCost, NodesByLane, PoliciesAnswer, PolicyAnswer, PolicyTextAnswer,
};
use super::pools::{cost, word};
use super::problem::Problem;
use super::site::Site;
use crate::base::did_you_mean;

/// The account and the sidecar in a few numbers.
#[utoipa::path(
    get,
    path = "/api/v1/account",
    tag = "reads",
    responses((status = 200, description = "The account", body = AccountAnswer)),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn account(State(site): State<Site>) -> Result<Json<AccountAnswer>, Problem> {
    let halts = site.halts().await?;
    let measures = site.measures();
    let budgets = site.metrics().budgets();
    let standing = site.board().read();
    let readiness = standing.health.readiness();
    let totals = standing.totals();
    let costs = standing
        .pools
        .values()
        .filter_map(|pool| cost(pool, &standing.in_effect));
    let cost = costs.fold(HourlyCost::default(), |sum, cost| HourlyCost {
        now: sum.now + cost.now,
        all_dedicated: sum.all_dedicated + cost.all_dedicated,
    });
    let of = |mix: crate::base::Mix| NodesByLane::default().plus(mix.into());
    Ok(Json(AccountAnswer {
        account: site.stands().account.clone(),
        version: env!("CARGO_PKG_VERSION"),
        status: match readiness.status {
            Status::Ready => "ready",
            Status::Degraded => "degraded",
            Status::Standby => "standby",
            Status::NotReady => "notReady",
        }
        .to_owned(),
        reasons: readiness
            .reasons
            .into_iter()
            .map(|reason| reason.message)
            .collect(),
        role: match standing.health.role {
            Role::Alone => "alone",
            Role::Leader => "leader",
            Role::Standby => "standby",
        }
        .to_owned(),
        dry_run: site.stands().dry_run,
        began: standing.health.began,
        last_seen: standing.health.last_seen,
        now: site.now(),
        pools: totals.pools,
        unread: totals.unread,
        current: of(totals.current),
        target: of(totals.target),
        cost,
        spent: measures.values().map(|measures| measures.spent).sum(),
        spent_all_dedicated: measures
            .values()
            .map(|measures| measures.spent_all_dedicated)
            .sum(),
        budgets: budgets
            .into_iter()
            .map(|budget| BudgetAnswer {
                scope: budget.scope,
                window: budget.window,
                limit: budget.limit,
                spent: budget.spent,
            })
            .collect(),
        halts,
    }))
}

/// The policies in effect, and what is wrong with their files.
#[utoipa::path(
    get,
    path = "/api/v1/policies",
    tag = "reads",
    responses((status = 200, description = "The policies", body = PoliciesAnswer)),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn policies(State(site): State<Site>) -> Json<PoliciesAnswer> {
    let standing = site.board().read();
    let reload = &standing.health.reload;
    let interval = |name: &str| {
        let policies = standing.in_effect.policies.iter();
        let policy = policies.clone().find(|policy| &*policy.name == name);
        policy.map_or(0.0, |policy| policy.interval.as_seconds())
    };
    let policies = standing.policies.0.iter().map(|policy| PolicyAnswer {
        policy: policy.policy.to_string(),
        pool: policy.pool.clone(),
        mode: word(policy.mode),
        interval_seconds: interval(&policy.policy),
        hash: policy.hash.clone(),
    });
    Json(PoliciesAnswer {
        policies: policies.collect(),
        faults: super::problem::faults(&reload.faults),
        read_at: reload.at,
    })
}

/// A policy as it is written: the text that is in effect, with the files of formulas that it names.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{name}",
    tag = "reads",
    params(("name" = String, Path, description = "The policy")),
    responses(
        (status = 200, description = "The text", body = PolicyTextAnswer),
        (status = 404, description = "No such policy is in effect", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn policy_text(
    State(site): State<Site>,
    Path(name): Path<String>,
) -> Result<Json<PolicyTextAnswer>, Problem> {
    let written = Arc::clone(&site.board().read().written);
    let Some(found) = written.get(&name) else {
        let meant = did_you_mean(&name, written.keys().map(String::as_str));
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        return Err(Problem::not_found(format!(
            "no policy of that name is in effect that was read from a file{meant}"
        )));
    };
    Ok(Json(PolicyTextAnswer {
        policy: name,
        text: found.text.clone(),
        files: found.files.clone(),
    }))
}

/// This description of the interface (OpenAPI 3.1).
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "reads",
    responses((status = 200, description = "The description", body = Object)),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn openapi() -> Response {
    Json(super::openapi::document()).into_response()
}
