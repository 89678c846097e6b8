//! The page about savings: what the nodes cost, and what they would have as dedicated ones or under a formula of the service.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::extract::Params;
use super::problem::{Kind, Problem};
use super::site::Site;
use super::tallies::{Kept, Past};
use crate::account::PoolId;
use crate::base::Timestamp;
use crate::store::report::{Saved, assumptions};

/// Which savings are told.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SavingsAsked {
    /// Of how much time: `24h` or `7d`; 24h when left out.
    #[serde(rename = "for")]
    lasts: Option<String>,
    /// Of one pool alone.
    pool: Option<String>,
}

/// What was saved over a day or a week.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavingsAnswer {
    /// The first moment that counts, where there was a look.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub from: Option<Timestamp>,
    /// The latest look that counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub to: Option<Timestamp>,
    /// Whether the ledger was read to its end; it is read on meanwhile, and the next answer tells more.
    pub whole: bool,
    /// All pools that are told of, together.
    pub total: SavedAnswer,
    /// Each pool of which something is known in that time, by its id.
    pub pools: Vec<PoolSavings>,
    /// What is assumed, in sentences.
    pub assumes: Vec<String>,
}

/// What was saved of one pool.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PoolSavings {
    /// The pool.
    pub pool: String,
    /// What was saved.
    pub saved: SavedAnswer,
}

/// What was paid, and would have been otherwise, in US dollars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SavedAnswer {
    /// What the nodes cost.
    pub held: f64,
    /// What as many cost, were all dedicated.
    pub all_dedicated: f64,
    /// What the nodes cost that the formula would have held which the service documents for pending tasks; missing where it could
    /// never be evaluated, because nobody took its samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub formula: Option<f64>,
    /// What the nodes cost of the pools for which the formula could be evaluated: what it is to be held against.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_beside_formula: Option<f64>,
    /// How often the formula could not be evaluated, and kept its targets.
    pub formula_faults: u64,
    /// Hours that count, added up over pools: those between looks whose prices are known.
    pub hours: f64,
}

/// What the nodes of the latest day or week cost, and would have cost otherwise.
///
/// It is read from the ledger beside the loop, and kept: an answer may be some minutes old.
#[utoipa::path(
    get,
    path = "/api/v1/savings",
    tag = "reads",
    params(SavingsAsked),
    responses(
        (status = 200, description = "The savings", body = SavingsAnswer),
        (status = 400, description = "A parameter cannot be read", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The ledger cannot be searched", body = Problem, content_type = "application/problem+json"),
    ),
    security((), ("token" = []), ("certificate" = []))
)]
pub(super) async fn savings(
    State(site): State<Site>,
    Params(asked): Params<SavingsAsked>,
) -> Result<Json<SavingsAnswer>, Problem> {
    let wrong = |detail: String, way_out: &str| Problem::new(Kind::BadRequest, detail, way_out);
    let past = match asked.lasts.as_deref().unwrap_or("24h") {
        "24h" => Past::Day,
        "7d" => Past::Week,
        other => {
            return Err(wrong(
                format!("savings are not kept for `{other}`"),
                "write 24h or 7d; `lowtide report savings --from` tells any time",
            ));
        }
    };
    let pool = asked.pool.map(|text| text.parse::<PoolId>()).transpose();
    let pool = pool.map_err(|error| wrong(error.to_string(), "GET /api/v1/pools tells all pools"))?;
    let kept = site.tallied(past).await?;
    Ok(Json(SavingsAnswer::of(&kept, pool.as_ref())))
}

impl SavingsAnswer {
    fn of(kept: &Kept, only: Option<&PoolId>) -> Self {
        let told = kept.tallied.pools.iter();
        let told = told.filter(|(pool, _)| only.is_none_or(|only| only == *pool));
        let pools: Vec<PoolSavings> = told
            .map(|(pool, saved)| PoolSavings {
                pool: pool.to_string(),
                saved: SavedAnswer::from(saved),
            })
            .collect();
        Self {
            from: kept.tallied.from,
            to: kept.tallied.to,
            whole: kept.whole,
            total: pools
                .iter()
                .fold(SavedAnswer::default(), |sum, pool| sum.plus(&pool.saved)),
            pools,
            assumes: assumptions().into(),
        }
    }
}

impl From<&Saved> for SavedAnswer {
    fn from(saved: &Saved) -> Self {
        let told = saved.formula_runs > 0;
        Self {
            held: saved.held.0,
            all_dedicated: saved.all_dedicated.0,
            formula: told.then_some(saved.formula.0),
            held_beside_formula: told.then_some(saved.held.0),
            formula_faults: saved.formula_faults,
            hours: saved.hours,
        }
    }
}

impl SavedAnswer {
    fn plus(self, other: &Self) -> Self {
        let add = |one: Option<f64>, other: Option<f64>| match (one, other) {
            (Some(one), Some(other)) => Some(one + other),
            (one, other) => one.or(other),
        };
        Self {
            held: self.held + other.held,
            all_dedicated: self.all_dedicated + other.all_dedicated,
            formula: add(self.formula, other.formula),
            held_beside_formula: add(self.held_beside_formula, other.held_beside_formula),
            formula_faults: self.formula_faults + other.formula_faults,
            hours: self.hours + other.hours,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Usd;

    #[test]
    fn a_pool_whose_samples_nobody_takes_is_not_held_against_the_formula() {
        let saved = |formula_runs| Saved {
            held: Usd(2.0),
            all_dedicated: Usd(8.0),
            formula: Usd(5.0),
            hours: 1.0,
            formula_runs,
            formula_faults: 4,
        };
        let sum = SavedAnswer::from(&saved(0)).plus(&SavedAnswer::from(&saved(3)));
        assert_eq!((sum.held, sum.all_dedicated), (4.0, 16.0));
        assert_eq!((sum.formula, sum.held_beside_formula), (Some(5.0), Some(2.0)));
        assert_eq!(SavedAnswer::from(&saved(0)).formula, None);
    }
}
