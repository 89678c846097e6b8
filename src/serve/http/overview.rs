//! Pages about the account as a whole: its numbers, its policies, and the description of the interface itself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::super::{Role, Status};
use super::answers::{AccountAnswer, HourlyCost, NodesByLane, PoliciesAnswer, PolicyAnswer};
use super::pools::{cost, word};
use super::problem::Problem;
use super::site::Site;

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
        pools: totals.pools,
        unread: totals.unread,
        current: of(totals.current),
        target: of(totals.target),
        cost,
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
    let policies = standing.policies.0.iter().map(|policy| PolicyAnswer {
        policy: policy.policy.to_string(),
        pool: policy.pool.clone(),
        mode: word(policy.mode),
        hash: policy.hash.clone(),
    });
    Json(PoliciesAnswer {
        policies: policies.collect(),
        faults: super::problem::faults(&reload.faults),
        read_at: reload.at,
    })
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
