//! A policy that was read and found whole.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    AccountPolicy, Backlog, Budget, ByDeadlines, Deadline, Eviction, Fallback, Forecast, OrderRules, Queue,
    Quota, Role, ScaleIn, Schedule, SteadyGuards, Track,
};
use crate::account::PoolPattern;
use crate::base::{Lane, Mix, Nodes, Span, UsdHourly};
use crate::formula::Formula;
use crate::market::LostWork;
use crate::signal::Metric;

/// How much a policy may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mode {
    /// Adds and takes away nodes.
    #[default]
    Full,
    /// Adds nodes and takes none away.
    OutOnly,
    /// Decides and tells, but orders nothing.
    Shadow,
    /// Does not decide; every decision is a hold.
    Paused,
}

/// A policy, ready to decide with.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Its name: the file's name without folder and ending.
    pub name: Arc<str>,
    /// The pools it speaks of.
    pub pool: PoolPattern,
    /// How much it may do.
    pub mode: Mode,
    /// How often it looks.
    pub interval: Span,
    /// The strategies that say what is needed, at least one; the one that asks for most nodes wins.
    pub demand: Vec<Demand>,
    /// The bounds of every outcome.
    pub bounds: Bounds,
    /// What is believed of evictions.
    pub eviction: Eviction,
    /// How a need is split between the lanes.
    pub objective: Objective,
    /// The chance that is tolerated that usable nodes fall short of a need, 0 to 1, where the least expected cost decides.
    pub risk: f64,
    /// What an eviction destroys of a task; nothing where that is learned.
    pub lost_work: Option<LostWork>,
    /// What is done when spot nodes do not come.
    pub fallback: Fallback,
    /// What a node costs.
    pub prices: Prices,
    /// Work that must be done by a time of the clock.
    pub deadlines: Vec<Deadline>,
    /// The most cores or nodes that the pool may use.
    pub quota: Quota,
    /// What the pool may cost.
    pub budget: Budget,
    /// What is done when samples are missing.
    pub missing: MissingGuard,
    /// What keeps the pool steady.
    pub steady: SteadyGuards,
    /// How nodes are taken away.
    pub scale_in: ScaleIn,
    /// How what was decided is ordered.
    pub orders: OrderRules,
    /// The metrics whose samples the strategies read, in order and each once.
    pub metrics: Vec<Metric>,
}

/// One strategy that says how many nodes are needed.
#[derive(Clone, Debug)]
pub enum Demand {
    /// A formula in the language of the Batch service.
    Formula(DemandFormula),
    /// So many nodes at such times.
    Schedule(Schedule),
    /// As many nodes as keep a metric near its target.
    Track(Track),
    /// Nodes for the messages of a queue.
    Queue(Queue),
    /// Nodes for what came at this time of earlier days or weeks; it can only raise what another strategy asks for.
    Forecast(Forecast),
    /// As many nodes as let the waiting tasks start in time.
    Backlog(Backlog),
    /// What the deadlines of the policy need.
    Deadlines(ByDeadlines),
}

/// A formula and what its result is taken for.
#[derive(Clone, Debug)]
pub struct DemandFormula {
    /// The formula.
    pub formula: Formula,
    /// The file it came from; `None` when it stands in the policy.
    pub file: Option<Arc<str>>,
    /// What its result is taken for.
    pub role: Role,
}

/// How a need is split between the lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Objective {
    /// Dedicated nodes only.
    #[default]
    DedicatedOnly,
    /// Spot nodes as far as the bounds let them, dedicated ones for the rest.
    SpotFirst,
    /// The lane that costs least: a backlog is worked off by spot nodes, and by dedicated ones where waiting for spot would
    /// keep too many tasks too long; what other strategies need is split by what evictions, lateness and changes are expected
    /// to cost beside the nodes.
    ExpectedCost,
    /// This share of the nodes is spot, from 0 to 1, as far as the bounds let it.
    FixedShare(#[schemars(range(min = 0.0, max = 1.0))] f64),
}

/// From and to, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The least.
    pub min: Nodes,
    /// The most.
    pub max: Nodes,
}

/// The bounds of a pool's targets; they can always be met together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Both lanes together.
    pub total: Range,
    /// Dedicated nodes.
    pub dedicated: Range,
    /// Spot nodes.
    pub spot: Range,
}

/// What one node costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prices {
    /// A dedicated node.
    pub dedicated: UsdHourly,
    /// A spot node.
    pub spot: UsdHourly,
}

/// When samples are too old or too few to take nodes away on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MissingGuard {
    /// Whether it is minded at all; without it formulas take nodes away on any samples, as they do in the service.
    pub minded: bool,
    /// The age from which a metric's newest sample is stale.
    pub stale_after: Span,
    /// The share of possible samples, in percent, below which a metric is thin.
    pub enough_percent: f64,
    /// How far back that share is counted.
    pub within: Span,
}

/// The policies of an account, in the order given: the first that matches a pool decides for it.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    /// The policies.
    pub policies: Vec<Policy>,
    /// What their pools share; `None` where nothing is stated.
    pub account: Option<AccountPolicy>,
}

impl Policy {
    /// The chance to fall short that is tolerated where a policy does not say: one look in twenty.
    pub const RISK_USUAL: f64 = 0.05;

    /// Says whether it wants tasks and nodes told one by one. Nodes that drain are known by that alone: counts say nothing of those
    /// that have a task still.
    pub fn wants_work(&self) -> bool {
        self.decides_by_work() || self.scale_in.drain
    }

    /// Says whether it decides by tasks and nodes one by one.
    pub(super) fn decides_by_work(&self) -> bool {
        !self.deadlines.is_empty() || self.backlog().is_some()
    }

    /// Returns the formulas among the strategies, each with its place among all of them, from 0.
    pub fn formulas(&self) -> impl Iterator<Item = (usize, &DemandFormula)> {
        self.demand
            .iter()
            .enumerate()
            .filter_map(|(index, demand)| match demand {
                Demand::Formula(formula) => Some((index, formula)),
                _ => None,
            })
    }
}

impl Default for Prices {
    /// A machine of four cores with Linux: the pay-as-you-go list price of `Standard_D4s_v5` in East US was 0.192 dollars an
    /// hour, and low-priority nodes cost a fifth of dedicated ones (Azure Batch pricing). They stand in where a policy gives
    /// none, so that costs can be compared; a bill needs the prices of the account.
    fn default() -> Self {
        let dedicated = UsdHourly(0.192);
        Self {
            dedicated,
            spot: UsdHourly(dedicated.0 * Self::SPOT_SHARE),
        }
    }
}

impl Prices {
    /// What a spot node costs as a share of a dedicated one, where a policy does not say.
    pub const SPOT_SHARE: f64 = 0.2;

    /// Returns what a mix costs an hour.
    pub fn rate(self, mix: Mix) -> UsdHourly {
        UsdHourly(mix.dedicated.as_f64() * self.dedicated.0 + mix.spot.as_f64() * self.spot.0)
    }

    /// Returns the price of one lane.
    pub const fn get(self, lane: Lane) -> UsdHourly {
        match lane {
            Lane::Dedicated => self.dedicated,
            Lane::Spot => self.spot,
        }
    }
}
