//! Several pools share the core quotas of an account and budgets.
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
//! more is left out from then on: quotas and budgets only shrink, so it never fits again. In the end no further node of any pool
//! fits, which is to say that the division is Pareto-efficient.
//!
//! That is what each pool shall have once all have given back what is not theirs. Nodes do not go at once, so the same stages
//! are gone through a second time, from what each pool holds up to its share: what a pool may have *now*. Whoever holds more than
//! its share keeps the others waiting, and nothing is ever promised twice.
//!
//! Where nodes are of different sizes, more quota may give a pool less: a large node that fits now takes what small ones had.
//! With nodes of one size and price, more quota or budget never takes a node from anybody.

mod division;

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::division::Division;
use super::problem::amount;
use super::{Problem, ProblemError};
use crate::account::PoolId;
use crate::base::{Lane, Mix, Nodes, UsdHourly};

/// What one pool asks of the account.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// The nodes that it wants.
    pub wants: Mix,
    /// The nodes that it holds: nobody else can have them before they are gone.
    pub holds: Mix,
    /// The cores of one of its nodes, 1 or more.
    pub cores_per_node: u32,
    /// The family whose quota its dedicated nodes count against too, where it is shared.
    pub family: Option<Arc<str>>,
    /// The budgets that its nodes are paid from.
    pub budgets: Vec<Arc<str>>,
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

/// What all pools share; what is not there limits nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shared {
    /// The cores of dedicated nodes.
    pub dedicated_cores: Option<u32>,
    /// The cores of spot nodes.
    pub spot_cores: Option<u32>,
    /// The cores of dedicated nodes of each family.
    pub families: BTreeMap<Arc<str>, u32>,
    /// The cost of all nodes that are paid from each budget.
    pub budgets: BTreeMap<Arc<str>, UsdHourly>,
}

/// What one pool is given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Share {
    /// The nodes that are its own once everybody has given back what is not.
    pub nodes: Mix,
    /// The nodes that it may have at once: fewer than its own while others hold them.
    pub now: Mix,
    /// Of its own, those that its guarantee gave.
    pub guaranteed: Mix,
    /// The nodes of its guarantee that it does not want now and others may have.
    pub lent: Mix,
    /// Why it has not all that it wants; empty when it has.
    pub short: Vec<Short>,
}

/// Why a pool has fewer nodes of a lane than it wants.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "limit", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Limit {
    /// The cores of the lane.
    Quota {
        /// The cores left, fewer than one node has.
        cores_left: u32,
        /// The cores that there are to share.
        cores: u32,
    },
    /// The cores of the family.
    Family {
        /// The family.
        family: Arc<str>,
        /// The cores left, fewer than one node has.
        cores_left: u32,
        /// The cores that there are to share.
        cores: u32,
    },
    /// A budget.
    Budget {
        /// Its name.
        name: Arc<str>,
        /// The money left, less than one node costs.
        left: UsdHourly,
        /// The money that there is to share.
        budget: UsdHourly,
    },
}

/// Divides quotas and budgets among pools.
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
    division.rank();
    let mut shares = division.shares();
    division.begin_with_what_is_held();
    division.keep_guarantees();
    division.start_each();
    division.rank();
    for (share, now) in shares.iter_mut().zip(division.given()) {
        share.now = least(share.nodes, now);
    }
    Ok(claims.keys().cloned().zip(shares).collect())
}

impl Claim {
    /// Returns the price of a node of a lane.
    pub const fn price(&self, lane: Lane) -> UsdHourly {
        match lane {
            Lane::Dedicated => self.prices.dedicated,
            Lane::Spot => self.prices.spot,
        }
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
        least(self.covered(), self.wants)
    }
}

/// Returns the smaller count of each lane.
fn least(one: Mix, other: Mix) -> Mix {
    Mix {
        dedicated: one.dedicated.min(other.dedicated),
        spot: one.spot.min(other.spot),
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
    for budget in shared.budgets.values() {
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
