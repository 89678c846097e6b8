//! Pages about what was decided: a search through the ledger, and one decision step by step.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::answers::{DecisionsAnswer, Explanation, NumberedDecision};
use super::extract::{Params, PoolInPath};
use super::pools::{explanation, unknown};
use super::problem::{Kind, Problem};
use super::site::Site;
use crate::base::{Span, Timestamp};
use crate::store::{Found, Search};
use crate::world::EntryKind;

/// Which decisions are looked for; all that is stated must hold.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Looked {
    /// Not before this moment: `2026-11-22T09:00:00Z`, or how long ago, such as `2h`.
    from: Option<String>,
    /// Not after this moment, written alike.
    to: Option<String>,
    /// With a step for this reason, by its code, such as `cooldown`.
    reason: Option<String>,
    /// With all these words in its sentences; a word may end in `*`.
    text: Option<String>,
    /// At most so many, 1,000 at the most; 100 when left out.
    limit: Option<usize>,
    /// Behind this one, as `next` of the page before gave it.
    after: Option<u64>,
}

/// The decision that is explained.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Explained {
    /// The latest one at or before this moment: `2026-11-22T09:00:00Z`, or how long ago, such as `2h`; the latest of all when left out.
    at: Option<String>,
}

/// The decisions about a pool, the newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/api/v1/pools/{id}/decisions",
    tag = "reads",
    params(("id" = String, Path, description = "The pool"), Looked),
    responses(
        (status = 200, description = "A page of decisions", body = DecisionsAnswer),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger cannot be searched", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn search(
    State(site): State<Site>,
    PoolInPath(pool): PoolInPath,
    Params(looked): Params<Looked>,
) -> Result<Json<DecisionsAnswer>, Problem> {
    let now = site.now();
    let moment = |text: &Option<String>| text.as_deref().map(|text| moment(text, now)).transpose();
    let search = Search {
        pool: Some(pool),
        from: moment(&looked.from)?,
        to: moment(&looked.to)?,
        kind: Some(EntryKind::Decided),
        reason: looked.reason,
        text: looked.text,
        newest_first: true,
        after: looked.after,
        limit: looked
            .limit
            .unwrap_or(Search::LIMIT_USUAL)
            .clamp(1, Search::LIMIT_MAX),
    };
    let page = site.memory(move |store| store.search(&search)).await?;
    Ok(Json(DecisionsAnswer {
        decisions: page.found.iter().map(numbered).collect::<Result<_, _>>()?,
        next: page.next,
    }))
}

/// One decision step by step: the latest, or the one that held at a moment.
#[utoipa::path(
    get,
    path = "/api/v1/pools/{id}/explain",
    tag = "reads",
    params(("id" = String, Path, description = "The pool"), Explained),
    responses(
        (status = 200, description = "The decision", body = Explanation),
        (status = 404, description = "Nothing was decided about that pool by then", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn explain(
    State(site): State<Site>,
    PoolInPath(pool): PoolInPath,
    Params(explained): Params<Explained>,
) -> Result<Json<Explanation>, Problem> {
    let Some(at) = explained.at else {
        let standing = site.board().read();
        let known = standing
            .pools
            .get(&pool)
            .ok_or_else(|| unknown(&pool, standing.pools.keys()))?;
        return Ok(Json(explanation(known.number, &known.decision)));
    };
    let at = moment(&at, site.now())?;
    let wanted = pool.clone();
    let found = site.memory(move |store| store.decision_at(&wanted, at)).await?;
    let found = found
        .ok_or_else(|| Problem::not_found(format!("nothing was decided about pool {pool} up to {at}")))?;
    let NumberedDecision { number, decision } = numbered(&found)?;
    Ok(Json(Explanation {
        number: Some(number),
        text: text_of(&decision),
        decision,
    }))
}

fn numbered(found: &Found) -> Result<NumberedDecision, Problem> {
    let decision = serde_json::from_str(&found.line).map_err(|error| {
        Problem::new(
            Kind::LedgerAway,
            format!("line {} of the ledger cannot be read: {error}", found.number),
            "check the ledger with `lowtide ledger verify`",
        )
    })?;
    Ok(NumberedDecision {
        number: found.number,
        decision,
    })
}

/// Reads a moment: a time, or how long ago.
pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let ago = text
        .parse::<Span>()
        .ok()
        .filter(|ago| !ago.is_negative())
        .map(|ago| now - ago);
    text.parse::<Timestamp>().ok().or(ago).ok_or_else(|| {
        Problem::new(
            Kind::BadRequest,
            format!("`{text}` is no moment"),
            "write it like 2026-11-22T09:00:00Z, or how long ago, like 2h",
        )
    })
}

/// Returns a line of the ledger as a few lines for a terminal.
fn text_of(line: &Value) -> String {
    use std::fmt::Write as _;
    let nodes = |mix: &Value| {
        let lane = |lane: &str| mix[lane].as_u64().unwrap_or(0);
        crate::base::Mix::new(
            u32::try_from(lane("dedicated")).unwrap_or(u32::MAX),
            u32::try_from(lane("spot")).unwrap_or(u32::MAX),
        )
        .to_string()
    };
    let word = |value: &Value| value.as_str().unwrap_or("").to_owned();
    let target = nodes(&line["target"]);
    let headline = if line["order"].is_object() {
        format!("order {target} → {}", nodes(&line["order"]))
    } else if line["hold"].is_object() {
        format!("hold at {target}")
    } else {
        format!("no order, {target} is right")
    };
    let mut text = format!(
        "{}: {headline}\n  {} by policy {}\n",
        word(&line["pool"]),
        word(&line["at"]),
        word(&line["policy"])
    );
    for step in line["steps"].as_array().into_iter().flatten() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "  {:<8}  {}  {}",
            word(&step["stage"]),
            nodes(&step["to"]),
            word(&step["text"])
        );
    }
    text
}
