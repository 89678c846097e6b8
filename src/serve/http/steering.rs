//! Pages that ask for something: a plan, a pause, its end, and that policies are read again.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::FaultyText;
use super::answers::{Accepted, HaltAnswer, HaltsAnswer, PlanAnswer, PoolFault};
use super::extract::{Body, PoolsInPath};
use super::guard::Caller;
use super::planner::PlanLook;
use super::problem::{Kind, Problem, faults_of};
use super::site::Site;
use crate::account::{Halt, HaltScope, PoolPattern};
use crate::base::{Severity, Span};
use crate::policy::{Policies, read, read_account};
use crate::store::{KeptHalt, Store, StoreError};

/// What is to be planned by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PlanAsked {
    /// Policies to decide by, in the order in which they are asked; those in effect when left out.
    #[schema(max_items = 500)]
    policies: Vec<PolicyText>,
}

/// A policy as its file would hold it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PolicyText {
    /// The name of the file, without folder and ending.
    name: String,
    /// What is in it: YAML. Formulas stand in the text; it can name no other file.
    text: String,
}

/// What is paused, for how long, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct PauseAsked {
    /// What is forbidden: in (taking nodes away), out (adding them) or all.
    #[schema(value_type = String, example = "all")]
    scope: HaltScope,
    /// For how long, such as 2h; until it is resumed when left out.
    #[serde(rename = "for")]
    #[schema(example = "2h")]
    lasts: Option<String>,
    /// Why, for those who wonder later.
    #[schema(max_length = 500)]
    why: String,
    /// Who says it; how they were let in when left out.
    #[schema(max_length = 100)]
    by: Option<String>,
}

/// What is resumed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct ResumeAsked {
    /// What is allowed again: in, out or all; everything when left out.
    #[schema(value_type = Option<String>)]
    scope: Option<HaltScope>,
    /// Whose pauses end, by the name that they have; everybody's when left out.
    #[schema(max_length = 100)]
    by: Option<String>,
}

impl Default for PauseAsked {
    fn default() -> Self {
        Self {
            scope: HaltScope::All,
            lasts: None,
            why: String::new(),
            by: None,
        }
    }
}

/// A reason is read on one line of a terminal.
const WHY_CHARACTERS_MAX: usize = 500;
/// A name, and where from.
const BY_CHARACTERS_MAX: usize = 100;
/// Policies of one plan: one for each pool of the largest account that is benchmarked.
const POLICIES_MAX: usize = 500;

/// What would be ordered now, by the policies in effect or by others. Nothing is ordered and nothing is written down.
#[utoipa::path(
    post,
    path = "/api/v1/plan",
    tag = "writes",
    request_body = PlanAsked,
    responses(
        (status = 200, description = "What would be ordered", body = PlanAnswer),
        (status = 401, description = "A token is needed: a look costs the account requests", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "A policy cannot be used", body = Problem, content_type = "application/problem+json"),
        (status = 502, description = "The account cannot be seen", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("certificate" = []))
)]
pub(super) async fn plan(
    State(site): State<Site>,
    Body(asked): Body<PlanAsked>,
) -> Result<Json<PlanAnswer>, Problem> {
    let policies = if asked.policies.is_empty() {
        Policies::clone(&site.board().read().in_effect)
    } else {
        given(asked.policies)?
    };
    let steered: Vec<String> = {
        let standing = site.board().read();
        let pools = standing
            .pools
            .keys()
            .filter(|pool| policies.policy_for(pool).is_none());
        pools.map(ToString::to_string).collect()
    };
    let planner = site.stands().planner.clone();
    let looked = tokio::task::spawn_blocking(move || planner.look(&policies)).await;
    let PlanLook {
        at,
        decisions,
        faults,
    } = looked
        .map_err(|_| {
            Problem::new(
                Kind::Broken,
                "a mistake in lowtide ended the plan",
                "please report it together with the policies",
            )
        })?
        .map_err(|error| {
            Problem::new(
                Kind::AccountAway,
                error.to_string(),
                "`lowtide doctor` tells what is wrong with the account",
            )
        })?;
    let changes = decisions.iter().any(|(decision, _)| decision.order().is_some());
    let line = |(decision, priced): &(crate::decision::Decision, Option<crate::engine::Priced>)| {
        let mut line = serde_json::to_value(decision).expect("a decision is made of numbers and text");
        let priced = priced
            .as_ref()
            .and_then(|priced| serde_json::to_value(priced).ok());
        if let (Some(line), Some(Value::Object(priced))) = (line.as_object_mut(), priced) {
            line.extend(priced);
        }
        line
    };
    Ok(Json(PlanAnswer {
        at,
        changes,
        decisions: decisions.iter().map(line).collect(),
        faults: faults
            .into_iter()
            .map(|(pool, message)| PoolFault { pool, message })
            .collect(),
        unmatched: steered,
    }))
}

/// Reads policies that were sent; all that is wrong with any of them is told at once.
fn given(texts: Vec<PolicyText>) -> Result<Policies, Problem> {
    if texts.len() > POLICIES_MAX {
        let detail = format!("{} policies were sent, and {POLICIES_MAX} are taken", texts.len());
        return Err(Problem::new(
            Kind::BadRequest,
            detail,
            "send those of some pools at a time",
        ));
    }
    let mut policies = Policies::from(Vec::new());
    let mut faulty = Vec::new();
    for PolicyText { name, text } in texts {
        let diagnostics = if crate::policy::is_account(&text) {
            let (account, faults) = read_account(&name, &text);
            policies.account = account.or(policies.account.take());
            faults
        } else {
            let mut no_file = |file: &str| {
                Err(format!(
                    "`{file}` cannot be sent along; write the formula into the policy (text: …)"
                ))
            };
            let (policy, findings) = read(&name, &text, &mut no_file);
            policies.policies.extend(policy);
            findings.policy
        };
        faulty.push(FaultyText {
            file: name,
            text,
            diagnostics,
        });
    }
    let has_errors = faulty
        .iter()
        .flat_map(|faulty| &faulty.diagnostics)
        .any(|found| found.severity == Severity::Error);
    if !has_errors && !policies.policies.is_empty() {
        return Ok(policies);
    }
    Err(Problem::new(
        Kind::PolicyFaults,
        "what was sent is no set of policies",
        "mend what `faults` names; `lowtide check` shows it with its place underlined",
    )
    .with_faults(faults_of(&faulty)))
}

/// Pause a pool, or all that match a pattern such as `genomics-*`, for a while or until it is resumed. Survives restarts. Pauses that
/// different people make stand side by side.
#[utoipa::path(
    post,
    path = "/api/v1/pools/{id}/pause",
    tag = "writes",
    params(("id" = String, Path, description = "The pool, or a pattern")),
    request_body = PauseAsked,
    responses(
        (status = 200, description = "What is halted now", body = HaltsAnswer),
        (status = 400, description = "The pause cannot be understood", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "A token is needed", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger keeps no halts", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("certificate" = []))
)]
pub(super) async fn pause(
    State(site): State<Site>,
    Extension(caller): Extension<Caller>,
    PoolsInPath(pools): PoolsInPath,
    Body(asked): Body<PauseAsked>,
) -> Result<Json<HaltsAnswer>, Problem> {
    let wrong = |detail: String, way_out: &str| Problem::new(Kind::BadRequest, detail, way_out);
    let lasts = asked.lasts.as_deref().map(str::parse::<Span>).transpose();
    let lasts =
        lasts.map_err(|error| wrong(error.to_string(), "write it like 90s, 45m or 2h, or leave it out"))?;
    if lasts.is_some_and(|lasts| lasts <= Span::seconds(0)) {
        return Err(wrong(
            "a pause lasts longer than nothing".to_owned(),
            "write it like 90s, 45m or 2h, or leave it out",
        ));
    }
    let by = asked
        .by
        .filter(|by| !by.is_empty())
        .unwrap_or_else(|| caller.0.to_owned());
    if asked.why.chars().count() > WHY_CHARACTERS_MAX || by.chars().count() > BY_CHARACTERS_MAX {
        let detail =
            format!("a reason has up to {WHY_CHARACTERS_MAX} characters, a name up to {BY_CHARACTERS_MAX}");
        return Err(wrong(detail, "say it in a sentence"));
    }
    let halt = KeptHalt {
        pools: pools.clone(),
        halt: Halt {
            scope: asked.scope,
            until: lasts.map(|lasts| site.now() + lasts),
            why: asked.why,
            by: Some(by),
        },
        since: site.now(),
    };
    site.memory(move |store| store.halt(&halt)).await?;
    site.stands().control.look();
    Ok(Json(standing_halts(&site, &pools).await?))
}

/// End the pauses of a pool, or of all that match a pattern: those that were made for exactly what is named here.
#[utoipa::path(
    post,
    path = "/api/v1/pools/{id}/resume",
    tag = "writes",
    params(("id" = String, Path, description = "The pool, or the pattern that was paused")),
    request_body = ResumeAsked,
    responses(
        (status = 200, description = "What is still halted of what was named", body = HaltsAnswer),
        (status = 401, description = "A token is needed", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger keeps no halts", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("certificate" = []))
)]
pub(super) async fn resume(
    State(site): State<Site>,
    PoolsInPath(pools): PoolsInPath,
    Body(asked): Body<ResumeAsked>,
) -> Result<Json<HaltsAnswer>, Problem> {
    let wanted = pools.clone();
    let by = asked.by.filter(|by| !by.is_empty());
    site.memory(move |store| allow(store, &wanted, asked.scope, by.as_deref()))
        .await?;
    site.stands().control.look();
    Ok(Json(standing_halts(&site, &pools).await?))
}

/// Allows again what the halts of exactly these pools forbid, everybody's or those of one: all of it, or one way.
///
/// # Errors
/// When it is not certain that the ledger keeps that.
pub fn allow(
    store: &Store,
    pools: &PoolPattern,
    scope: Option<HaltScope>,
    by: Option<&str>,
) -> Result<(), StoreError> {
    let rest = match scope {
        Some(HaltScope::In) => HaltScope::Out,
        Some(HaltScope::Out) => HaltScope::In,
        Some(HaltScope::All) | None => return store.lift(pools, by).map(drop),
    };
    let halts = store.halts()?.into_iter();
    let named =
        |kept: &KeptHalt| kept.pools == *pools && by.is_none_or(|by| kept.halt.by.as_deref() == Some(by));
    for mut kept in halts.filter(named) {
        if kept.halt.scope == HaltScope::All {
            kept.halt.scope = rest;
            store.halt(&kept)?;
        } else if Some(kept.halt.scope) == scope {
            store.lift(pools, Some(kept.halt.by.as_deref().unwrap_or("")))?;
        }
    }
    Ok(())
}

/// Returns the halts that hold for what was named, and the steered pools that it names.
async fn standing_halts(site: &Site, named: &PoolPattern) -> Result<HaltsAnswer, Problem> {
    let halts = site.halts().await?;
    let standing = site.board().read();
    let pools: Vec<_> = standing.pools.keys().filter(|pool| named.matches(pool)).collect();
    let holds =
        |halt: &HaltAnswer| halt.pool == named.as_str() || pools.iter().any(|pool| halt.is_about(pool));
    Ok(HaltsAnswer {
        halts: halts.iter().filter(|halt| holds(halt)).cloned().collect(),
        pools: pools.into_iter().map(ToString::to_string).collect(),
    })
}

/// Read policies, tokens and certificates again. A policy file with errors keeps the policy that it held before.
#[utoipa::path(
    post,
    path = "/api/v1/reload",
    tag = "writes",
    responses(
        (status = 202, description = "They are read between two looks; an event `reload` tells how that went", body = Accepted),
        (status = 401, description = "A token is needed", body = Problem, content_type = "application/problem+json"),
    ),
    security(("token" = []), ("certificate" = []))
)]
pub(super) async fn reload(State(site): State<Site>) -> (StatusCode, Json<Accepted>) {
    site.stands().control.reload();
    (StatusCode::ACCEPTED, Json(Accepted { accepted: true }))
}
