//! Several pools share the core quotas of an account and a budget.
//!
//! Nodes are given one at a time, in four stages:
//!
//! 1. *Kept*: what guarantees promise, as far as it is wanted. What a pool does not want of its guarantee is lent: it stays in the
//!    quota, for the later stages.
//! 2. *Started*: one node to each pool that wants some and has none yet, so that no pool starves under those above it.
//! 3. *Ranked*: the rest by priority, the highest first; and within a priority
//! 4. *filled*: to the pool with the fewest cores yet, by progressive filling (Bertsekas, Gallager, Data Networks, 6.5.2), which is
//!    max-min fair. The id of the pool breaks ties.
//!
//! In each turn a pool takes a node of the lane of which it has the smaller share of what it wants. A lane that does not fit any
//! more is left out from then on: quota and budget only shrink, so it never fits again. In the end no further node of any pool
//! fits, which is to say that the division is Pareto-efficient.
//!
//! Where nodes are of different sizes, more quota may give a pool less: a large node that fits now takes what small ones had.
//! With nodes of one size and price, more quota or budget never takes a node from anybody.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::problem::amount;
use super::{Problem, ProblemError};
use crate::account::PoolId;
use crate::base::{Lane, Mix, Nodes, UsdHourly};

/// What one pool asks of the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The nodes that it wants.
    pub wants: Mix,
    /// The cores of one of its nodes, 1 or more.
    pub cores_per_node: u32,
    /// The price of its nodes.
    pub prices: LanePrices,
    /// The cores that it is guaranteed.
    pub guarantee: Cores,
    /// Who is served first once guarantees are kept: the higher.
    pub priority: i32,
}

/// A price for each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LanePrices {
    /// A dedicated node.
    pub dedicated: UsdHourly,
    /// A spot node.
    pub spot: UsdHourly,
}

/// Cores of each lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cores {
    /// Of dedicated nodes.
    pub dedicated: u32,
    /// Of spot nodes.
    pub spot: u32,
}

/// What all pools share; `None` where nothing limits them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shared {
    /// The cores of dedicated nodes.
    pub dedicated_cores: Option<u32>,
    /// The cores of spot nodes.
    pub spot_cores: Option<u32>,
    /// The cost of all nodes.
    pub budget: Option<UsdHourly>,
}

/// What one pool is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// The nodes.
    pub nodes: Mix,
    /// Of them, those that its guarantee gave.
    pub guaranteed: Mix,
    /// The nodes of its guarantee that it does not want now and others may have.
    pub lent: Mix,
    /// Why it has not all that it wants; empty when it has.
    pub short: Vec<Short>,
}

/// Why a pool has fewer nodes of a lane than it wants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Short {
    /// The lane.
    pub lane: Lane,
    /// The nodes that it lacks.
    pub lacks: Nodes,
    /// What stood in the way of the next one.
    pub because: Limit,
}

/// What stood in the way of one more node.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "limit", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Limit {
    /// The cores of the lane.
    Quota {
        /// The cores left, fewer than one node has.
        cores_left: u32,
        /// The cores of the account.
        cores: u32,
    },
    /// The budget.
    Budget {
        /// The money left, less than one node costs.
        left: UsdHourly,
        /// The budget.
        budget: UsdHourly,
    },
}

/// Divides quotas and a budget among pools.
///
/// # Errors
///
/// A price or budget that is no amount, a node without cores, or more nodes wanted than an account can have.
pub fn allocate(
    claims: &BTreeMap<PoolId, Claim>,
    shared: &Shared,
) -> Result<BTreeMap<PoolId, Share>, ProblemError> {
    check(claims, shared)?;
    let mut division = Division::new(claims, shared);
    division.keep_guarantees();
    division.start_each();
    for class in division.classes() {
        division.fill(&class, |claim| claim.wants);
    }
    Ok(division.shares())
}

/// A pool while nodes are given out.
#[derive(Clone, Copy)]
struct Pool<'a> {
    id: &'a PoolId,
    claim: &'a Claim,
    has: Mix,
    guaranteed: Mix,
}

struct Division<'a> {
    shared: &'a Shared,
    /// In the order of their ids.
    pools: Vec<Pool<'a>>,
    cores_used: [u64; 2],
    cost: Money,
}

/// Money in billionths of a dollar: sums are exact, whatever their order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Money(u128);

impl Money {
    const PER_USD: f64 = 1e9;

    fn of(amount: UsdHourly) -> Self {
        Self((amount.0 * Self::PER_USD).round() as u128)
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    fn as_usd(self) -> UsdHourly {
        UsdHourly(self.0 as f64 / Self::PER_USD)
    }
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Dedicated => 0,
        Lane::Spot => 1,
    }
}

impl Claim {
    fn price(&self, lane: Lane) -> Money {
        Money::of(match lane {
            Lane::Dedicated => self.prices.dedicated,
            Lane::Spot => self.prices.spot,
        })
    }

    /// Returns the nodes that the guarantee covers, wanted or not.
    fn covered(&self) -> Mix {
        Mix::new(
            self.guarantee.dedicated / self.cores_per_node,
            self.guarantee.spot / self.cores_per_node,
        )
    }

    /// Returns the nodes that the guarantee covers and that are wanted.
    fn guaranteed(&self) -> Mix {
        let covered = self.covered();
        Mix {
            dedicated: covered.dedicated.min(self.wants.dedicated),
            spot: covered.spot.min(self.wants.spot),
        }
    }
}

impl Pool<'_> {
    fn cores(&self) -> u64 {
        u64::from(self.has.total().0) * u64::from(self.claim.cores_per_node)
    }

    /// Returns the lanes of which it has less than `goal`, the one with the smaller share of what is wanted first.
    fn lanes(&self, goal: Mix) -> impl Iterator<Item = Lane> {
        let share = |lane: Lane| self.has.get(lane).as_f64() / self.claim.wants.get(lane).as_f64();
        let has = self.has;
        let order = if share(Lane::Spot) < share(Lane::Dedicated) {
            [Lane::Spot, Lane::Dedicated]
        } else {
            Lane::ALL
        };
        order
            .into_iter()
            .filter(move |lane| has.get(*lane) < goal.get(*lane))
    }
}

impl<'a> Division<'a> {
    fn new(claims: &'a BTreeMap<PoolId, Claim>, shared: &'a Shared) -> Self {
        let pools = claims.iter().map(|(id, claim)| Pool {
            id,
            claim,
            has: Mix::ZERO,
            guaranteed: Mix::ZERO,
        });
        Self {
            shared,
            pools: pools.collect(),
            cores_used: [0; 2],
            cost: Money(0),
        }
    }

    /// Returns what keeps a pool from one more node of a lane.
    fn limit(&self, claim: &Claim, lane: Lane) -> Option<Limit> {
        let quota = match lane {
            Lane::Dedicated => self.shared.dedicated_cores,
            Lane::Spot => self.shared.spot_cores,
        };
        let used = self.cores_used[index(lane)];
        if let Some(cores) = quota
            && used + u64::from(claim.cores_per_node) > u64::from(cores)
        {
            // What is used was within the quota when it was given.
            let cores_left = cores - used as u32;
            return Some(Limit::Quota { cores_left, cores });
        }
        let budget = self.shared.budget?;
        let (whole, used) = (Money::of(budget), self.cost);
        (used.plus(claim.price(lane)) > whole).then(|| Limit::Budget {
            left: Money(whole.0 - used.0).as_usd(),
            budget,
        })
    }

    fn give(&mut self, pool: usize, lane: Lane) {
        let Pool { claim, has, .. } = &mut self.pools[pool];
        *has = has.with(lane, has.get(lane) + Nodes(1));
        self.cores_used[index(lane)] += u64::from(claim.cores_per_node);
        self.cost = self.cost.plus(claim.price(lane));
    }

    /// Gives a pool one node towards a goal; false when none fits.
    fn give_one(&mut self, pool: usize, goal: Mix) -> bool {
        let at = &self.pools[pool];
        let lane = at.lanes(goal).find(|lane| self.limit(at.claim, *lane).is_none());
        if let Some(lane) = lane {
            self.give(pool, lane);
        }
        lane.is_some()
    }

    /// Fills pools progressively up to their goals: each turn is that of the pool with the fewest cores.
    fn fill(&mut self, pools: &[usize], goal: impl Fn(&Claim) -> Mix) {
        let turn = |division: &Self, pool: usize| (division.pools[pool].cores(), pool);
        let mut turns: BTreeSet<(u64, usize)> = pools.iter().map(|pool| turn(self, *pool)).collect();
        while let Some((_, pool)) = turns.pop_first() {
            let goal = goal(self.pools[pool].claim);
            if self.give_one(pool, goal) {
                turns.insert(turn(self, pool));
            }
        }
    }

    /// Gives what the guarantees cover.
    fn keep_guarantees(&mut self) {
        let everyone: Vec<usize> = (0..self.pools.len()).collect();
        self.fill(&everyone, Claim::guaranteed);
        for pool in &mut self.pools {
            pool.guaranteed = pool.has;
        }
    }

    /// Gives one node to each pool that has none, in the order of priority.
    fn start_each(&mut self) {
        for class in self.classes() {
            for pool in class {
                let Pool { claim, has, .. } = self.pools[pool];
                if has == Mix::ZERO {
                    self.give_one(pool, claim.wants);
                }
            }
        }
    }

    /// Returns the pools of each priority, the highest first, in the order of their ids.
    fn classes(&self) -> Vec<Vec<usize>> {
        let mut classes: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for (index, pool) in self.pools.iter().enumerate() {
            classes.entry(pool.claim.priority).or_default().push(index);
        }
        classes.into_values().rev().collect()
    }

    fn shares(self) -> BTreeMap<PoolId, Share> {
        let share = |pool: &Pool<'_>| Share {
            nodes: pool.has,
            guaranteed: pool.guaranteed,
            lent: less(pool.claim.covered(), pool.claim.guaranteed()),
            short: Lane::ALL
                .into_iter()
                .filter_map(|lane| self.short(pool, lane))
                .collect(),
        };
        self.pools
            .iter()
            .map(|pool| (pool.id.clone(), share(pool)))
            .collect()
    }

    fn short(&self, pool: &Pool<'_>, lane: Lane) -> Option<Short> {
        let lacks = pool.claim.wants.get(lane).saturating_sub(pool.has.get(lane));
        (lacks > Nodes::ZERO).then(|| Short {
            lane,
            lacks,
            because: self
                .limit(pool.claim, lane)
                .expect("a pool was left out only when no node of it fitted"),
        })
    }
}

fn less(mix: Mix, other: Mix) -> Mix {
    Mix {
        dedicated: mix.dedicated.saturating_sub(other.dedicated),
        spot: mix.spot.saturating_sub(other.spot),
    }
}

fn check(claims: &BTreeMap<PoolId, Claim>, shared: &Shared) -> Result<(), ProblemError> {
    let mut wanted = 0_u64;
    for claim in claims.values() {
        amount("prices.dedicated", claim.prices.dedicated.0)?;
        amount("prices.spot", claim.prices.spot.0)?;
        if claim.cores_per_node == 0 {
            return Err(ProblemError::NoCores);
        }
        wanted += u64::from(claim.wants.dedicated.0) + u64::from(claim.wants.spot.0);
    }
    if let Some(budget) = shared.budget {
        amount("budget", budget.0)?;
    }
    if wanted > u64::from(Problem::NODES_MAX) {
        return Err(ProblemError::TooMany {
            field: "nodes wanted by all pools",
            value: wanted,
        });
    }
    Ok(())
}
