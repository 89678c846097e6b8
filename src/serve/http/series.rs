//! The page about the course of a pool: nodes, targets, queue and cost over time, and the decisions, in a bounded number of points.
//!
//! ```text
//! ledger ─► rows of what it has ───────────────┐
//! Prometheus, where one is named ─► rows before ┴─► columns, with where they come from
//! ```

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::course::Frame;
use super::decisions::moment;
use super::elsewhere::{History, rows};
use super::extract::{Params, PoolInPath};
use super::problem::{Kind, Problem};
use super::series_answer::{Row, SeriesAnswer};
use super::series_ledger::{Told, tell};
use super::site::Site;
use crate::account::PoolId;
use crate::base::Span;

/// Which time is told, in how many points.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Not before this moment: `2026-11-22T09:00:00Z`, or how long ago, such as `6h`; at most 31 days before the end. 6h when left out.
    from: Option<String>,
    /// Not after this moment, written alike; now when left out.
    to: Option<String>,
    /// At most so many points, 2 to 600; 300 when left out.
    points: Option<usize>,
    /// Where points come from: `ledger` or `prometheus` alone. When left out, the ledger, and before it the Prometheus that the
    /// configuration names under `history`.
    #[param(inline)]
    history: Option<Of>,
}

/// Where points come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum Of {
    Ledger,
    Prometheus,
}

/// Points of a course when nobody says how many: more than a phone has pixels across.
const POINTS_USUAL: usize = 300;
/// The most: each reads one line of the ledger, a second together.
const POINTS_MAX: usize = 600;
/// The longest time: the month that a budget is about.
const LENGTH_MAX: Span = Span::days(31);
/// A pause between two looks that is longer than this is shown as a gap: nobody knows what was there.
pub(super) const GAP: Span = Span::minutes(15);

/// The course of a pool over some time: nodes, targets, queue and cost, and the decisions that changed something.
///
/// Each point is the last decision of its stretch; what nodes cost is the mean of it.
#[utoipa::path(
    get,
    path = "/api/v1/pools/{id}/series",
    tag = "reads",
    params(("id" = String, Path, description = "The pool"), Asked),
    responses(
        (status = 200, description = "The course", body = SeriesAnswer),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger cannot be searched", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Nobody tells the past now", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn series(
    State(site): State<Site>,
    PoolInPath(pool): PoolInPath,
    Params(asked): Params<Asked>,
) -> Result<Json<SeriesAnswer>, Problem> {
    let now = site.now();
    let given = |text: &Option<String>| text.as_deref().map(|text| moment(text, now)).transpose();
    let to = given(&asked.to)?.unwrap_or(now);
    let from = given(&asked.from)?.unwrap_or(to - Span::hours(6));
    if to <= from || to - from > LENGTH_MAX {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("from {from} to {to} is no time of up to 31 days"),
            "leave `to` out and say how long ago, such as from=6h or from=30d",
        ));
    }
    let points = asked.points.unwrap_or(POINTS_USUAL).clamp(2, POINTS_MAX);
    let frame = Frame { from, to, points };
    let history = match asked.history {
        Some(Of::Ledger) => None,
        None => site.stands().history.clone(),
        Some(Of::Prometheus) => Some(site.all_from_prometheus()?),
    };
    let mut answer = match history {
        None => site.told(&pool, frame).await?.answer(&pool, frame),
        Some(history) => site.told_by_both(&pool, frame, &history).await?,
    };
    // What the ledger does not tell is taken as the policy has it now.
    answer.price_dedicated = answer.price_dedicated.or_else(|| site.price_dedicated(&pool));
    Ok(Json(answer))
}

impl Site {
    fn all_from_prometheus(&self) -> Result<History, Problem> {
        let named = self
            .stands()
            .history
            .clone()
            .map(|history| History { all: true, ..history });
        named.ok_or_else(|| {
            Problem::new(
                Kind::BadRequest,
                "no Prometheus is named that has the history",
                "add [history] with prometheus = \"http://…\" to the configuration",
            )
        })
    }

    /// Returns what the ledger tells.
    async fn told(&self, pool: &PoolId, frame: Frame) -> Result<Told, Problem> {
        let pool = pool.clone();
        self.memory(move |store| tell(store, &pool, frame)).await
    }

    /// Returns what the ledger tells, and in the place of all of it, or before it, what Prometheus does.
    async fn told_by_both(
        &self,
        pool: &PoolId,
        frame: Frame,
        history: &History,
    ) -> Result<SeriesAnswer, Problem> {
        let has_ledger = self.stands().memory.is_some();
        let mut told = if has_ledger {
            self.told(pool, frame).await?
        } else {
            Told::nothing(frame)
        };
        let first = told.rows.first().map(Row::moment);
        let until = first.filter(|_| !history.all).unwrap_or(frame.to);
        let step = told.course.step();
        if !history.all && until - frame.from <= GAP.max(step + step) {
            return Ok(told.answer(pool, frame));
        }
        let past = self
            .elsewhere()
            .ask(&history.server, pool, (frame.from, until, step));
        match past.await {
            Ok(past) => {
                let before = rows(&past, (frame.from, until));
                let own = if history.all {
                    Vec::new()
                } else {
                    std::mem::take(&mut told.rows)
                };
                let of = match (before.is_empty(), own.is_empty()) {
                    (true, false) => "ledger",
                    (false, false) => "both",
                    _ => "prometheus",
                };
                told.rows = joined(before, own, step);
                let mut answer = told.answer(pool, frame);
                answer.history.of = of;
                answer.history.until = first.filter(|_| of == "both");
                Ok(answer)
            }
            Err(why) if has_ledger => {
                let mut answer = told.answer(pool, frame);
                answer.history.fault = Some(why);
                Ok(answer)
            }
            Err(why) => Err(Problem::new(
                Kind::LedgerAway,
                format!("the ledger is a file of lines, and Prometheus does not tell the past: {why}"),
                "look whether the server under [history] answers",
            )
            .again_in(30)),
        }
    }

    fn price_dedicated(&self, pool: &PoolId) -> Option<f64> {
        let standing = self.board().read();
        let policy = standing.in_effect.policy_for(pool)?;
        Some(policy.prices.dedicated.0)
    }
}

/// Puts rows behind others, with a gap between them where one is.
fn joined(mut before: Vec<Row>, own: Vec<Row>, step: Span) -> Vec<Row> {
    if let (Some(last), Some(first)) = (before.last().map(Row::moment), own.first().map(Row::moment)) {
        let gap = GAP.max(step + step);
        before.extend((first - last > gap).then(|| Row::nothing_at(last + step)));
    }
    before.extend(own);
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn rows_that_are_far_apart_have_a_gap_between_them() {
        let at = |minute: i64| Row::nothing_at(Timestamp::from_unix_seconds(minute * 60));
        let step = Span::minutes(2);
        assert_eq!(joined(vec![at(0), at(2)], vec![at(4)], step).len(), 3);
        let apart = joined(vec![at(0), at(2)], vec![at(60)], step);
        assert_eq!(apart[2].moment(), at(4).moment());
        assert_eq!(joined(Vec::new(), vec![at(60)], step).len(), 1);
    }
}
