//! A policy in effect, as the ledger keeps it: enough to decide the same again without the files that it came from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Span, UsdHourly};
use crate::formula::{Dialect, Formula, Scope};
use crate::market::LostWork;
use crate::policy::{
    Backlog, Bounds, Budget, ByDeadlines, Complaint, Deadline, Demand, DemandFormula, Eviction, Fallback,
    Forecast, MissingGuard, Mode, Objective, OrderRules, Policy, Prices, Queue, Quota, Range, Role, ScaleIn,
    Schedule, SteadyGuards, Track,
};
use crate::signal::Metric;

/// A policy in effect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyRecord {
    name: Arc<str>,
    pool: String,
    mode: Mode,
    interval: Span,
    demand: Vec<DemandRecord>,
    total: [Nodes; 2],
    dedicated: [Nodes; 2],
    spot: [Nodes; 2],
    #[serde(default)]
    eviction: Eviction,
    objective: Objective,
    #[serde(default = "usual_risk")]
    risk: f64,
    #[serde(default = "all_is_lost")]
    lost_work: Option<LostWork>,
    #[serde(default)]
    fallback: Fallback,
    prices: [UsdHourly; 2],
    deadlines: Vec<Deadline>,
    quota: Quota,
    budget: Budget,
    missing: MissingRecord,
    steady: SteadyGuards,
    scale_in: ScaleIn,
    #[serde(default, skip_serializing_if = "is_usual")]
    orders: OrderRules,
    metrics: Vec<Metric>,
}

/// Returns the first 12 digits of the SHA-256 of what a policy means: two that decide alike have the same.
pub fn policy_hash(policy: &Policy) -> String {
    use sha2::Digest as _;
    let text = serde_json::to_vec(&PolicyRecord::from(policy)).expect("a policy is made of numbers and text");
    let digest = sha2::Sha256::digest(&text);
    digest[..6].iter().fold(String::new(), |mut text, byte| {
        text += &format!("{byte:02x}");
        text
    })
}

/// A strategy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DemandRecord {
    /// A formula.
    Formula(FormulaRecord),
    /// A schedule.
    Schedule(Schedule),
    /// A tracked metric.
    Track(Track),
    /// A queue.
    Queue(Queue),
    /// A forecast.
    Forecast(Forecast),
    /// A backlog.
    Backlog(Backlog),
    /// The deadlines of the policy.
    Deadlines(ByDeadlines),
}

/// A formula with the settings that it is compiled with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FormulaRecord {
    file: Option<Arc<str>>,
    source: String,
    role: Role,
    dialect: Dialect,
    default_sample_percent: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct MissingRecord {
    minded: bool,
    stale_after: Span,
    enough_percent: f64,
    within: Span,
}

impl From<&Policy> for PolicyRecord {
    fn from(policy: &Policy) -> Self {
        let ends = |range: Range| [range.min, range.max];
        Self {
            name: policy.name.clone(),
            pool: policy.pool.as_str().to_owned(),
            mode: policy.mode,
            interval: policy.interval,
            demand: policy.demand.iter().map(DemandRecord::from).collect(),
            total: ends(policy.bounds.total),
            dedicated: ends(policy.bounds.dedicated),
            spot: ends(policy.bounds.spot),
            eviction: policy.eviction,
            objective: policy.objective,
            risk: policy.risk,
            lost_work: policy.lost_work,
            fallback: policy.fallback,
            prices: [policy.prices.dedicated, policy.prices.spot],
            deadlines: policy.deadlines.clone(),
            quota: policy.quota,
            budget: policy.budget,
            missing: MissingRecord {
                minded: policy.missing.minded,
                stale_after: policy.missing.stale_after,
                enough_percent: policy.missing.enough_percent,
                within: policy.missing.within,
            },
            steady: policy.steady,
            scale_in: policy.scale_in.clone(),
            orders: policy.orders.clone(),
            metrics: policy.metrics.clone(),
        }
    }
}

impl From<&Demand> for DemandRecord {
    fn from(demand: &Demand) -> Self {
        match demand {
            Demand::Formula(demand) => Self::Formula(demand.into()),
            Demand::Schedule(schedule) => Self::Schedule(schedule.clone()),
            Demand::Track(track) => Self::Track(track.clone()),
            Demand::Queue(queue) => Self::Queue(queue.clone()),
            Demand::Forecast(forecast) => Self::Forecast(forecast.clone()),
            Demand::Backlog(backlog) => Self::Backlog(*backlog),
            Demand::Deadlines(deadlines) => Self::Deadlines(*deadlines),
        }
    }
}

impl DemandRecord {
    fn demand(&self) -> Result<Demand, String> {
        match self {
            Self::Formula(record) => record.formula().map(Demand::Formula),
            Self::Schedule(schedule) => Ok(Demand::Schedule(schedule.clone())),
            Self::Track(track) => whole(track.complaints()).map(|()| Demand::Track(track.clone())),
            Self::Forecast(forecast) => {
                whole(forecast.complaints()).map(|()| Demand::Forecast(forecast.clone()))
            }
            Self::Deadlines(deadlines) => Ok(Demand::Deadlines(*deadlines)),
            Self::Backlog(backlog) => whole(backlog.complaints()).map(|()| Demand::Backlog(*backlog)),
            Self::Queue(queue) => whole(queue.complaints()).map(|()| Demand::Queue(queue.clone())),
        }
    }
}

impl From<&DemandFormula> for FormulaRecord {
    fn from(demand: &DemandFormula) -> Self {
        let scope = demand.formula.scope();
        Self {
            file: demand.file.clone(),
            source: demand.formula.source().to_owned(),
            role: demand.role,
            dialect: scope.dialect,
            default_sample_percent: scope.default_sample_percent,
        }
    }
}

impl FormulaRecord {
    fn formula(&self) -> Result<DemandFormula, String> {
        let scope = Scope {
            dialect: self.dialect,
            default_sample_percent: self.default_sample_percent,
        };
        let formula =
            Formula::compile(&self.source, &scope).map_err(|_| "a formula cannot be compiled".to_owned())?;
        Ok(DemandFormula {
            formula,
            file: self.file.clone(),
            role: self.role,
        })
    }
}

impl PolicyRecord {
    /// Returns the policy.
    ///
    /// # Errors
    /// When a part of it cannot be what an engine decided by.
    pub fn policy(&self) -> Result<Policy, String> {
        let range = |[min, max]: [Nodes; 2]| Range { min, max };
        let policy = Policy {
            name: self.name.clone(),
            pool: self
                .pool
                .parse()
                .map_err(|error: crate::account::PoolIdError| error.to_string())?,
            mode: self.mode,
            interval: self.interval,
            demand: self
                .demand
                .iter()
                .map(DemandRecord::demand)
                .collect::<Result<_, _>>()?,
            bounds: Bounds {
                total: range(self.total),
                dedicated: range(self.dedicated),
                spot: range(self.spot),
            },
            eviction: self.eviction,
            objective: self.objective,
            risk: self.risk,
            lost_work: self.lost_work,
            fallback: self.fallback,
            prices: Prices {
                dedicated: self.prices[0],
                spot: self.prices[1],
            },
            deadlines: self.deadlines.clone(),
            quota: self.quota,
            budget: self.budget,
            missing: MissingGuard {
                minded: self.missing.minded,
                stale_after: self.missing.stale_after,
                enough_percent: self.missing.enough_percent,
                within: self.missing.within,
            },
            steady: self.steady,
            scale_in: self.scale_in.clone(),
            orders: self.orders.clone(),
            metrics: self.metrics.clone(),
        };
        if policy.demand.is_empty() || !policy.bounds.can_be_met() {
            return Err(format!("policy `{}` cannot be decided by", self.name));
        }
        Ok(policy)
    }
}

/// Says whether a part of a policy need not be written.
fn is_usual<T: Default + PartialEq>(part: &T) -> bool {
    *part == T::default()
}

/// What was believed of every task before it could be learned.
#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands for a field that may be nothing"
)]
const fn all_is_lost() -> Option<LostWork> {
    Some(LostWork::All)
}

const fn usual_risk() -> f64 {
    Policy::RISK_USUAL
}

/// Refuses a strategy that no policy could have had.
fn whole(complaints: Vec<Complaint>) -> Result<(), String> {
    complaints
        .into_iter()
        .next()
        .map_or(Ok(()), |complaint| Err(complaint.message))
}
