//! Nodes while they are given out, one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Claim, Limit, Share, Shared, Short, least};
use crate::account::PoolId;
use crate::base::{Lane, Mix, Nodes, UsdHourly};

/// Quotas and budgets while they are divided among pools, which are in the order of their ids.
pub(super) struct Division<'a> {
    pots: Vec<Pot<'a>>,
    pools: Vec<Pool<'a>>,
}

/// A quota or budget, and what is used of it: cores, or money in billionths of a dollar, so that sums are exact whatever their
/// order.
struct Pot<'a> {
    what: What<'a>,
    whole: u128,
    used: u128,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Cores,
    Family(&'a Arc<str>),
    Budget(&'a Arc<str>, UsdHourly),
}

/// A pool while nodes are given out.
struct Pool<'a> {
    claim: &'a Claim,
    /// What it may have at most.
    goal: Mix,
    has: Mix,
    guaranteed: Mix,
    /// What one node of each lane takes of which pot.
    takes: [Vec<(usize, u128)>; 2],
}

/// Billionths in a dollar.
const PER_USD: f64 = 1e9;

fn money(amount: UsdHourly) -> u128 {
    (amount.0 * PER_USD).round() as u128
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Dedicated => 0,
        Lane::Spot => 1,
    }
}

impl Pool<'_> {
    fn cores(&self) -> u64 {
        let nodes = u64::from(self.has.dedicated.0) + u64::from(self.has.spot.0);
        nodes.saturating_mul(u64::from(self.claim.cores_per_node))
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
    pub(super) fn new(claims: &'a BTreeMap<PoolId, Claim>, shared: &'a Shared) -> Self {
        let mut pots = Vec::new();
        let mut put = |what, whole| {
            pots.push(Pot { what, whole, used: 0 });
            pots.len() - 1
        };
        let cores = [shared.dedicated_cores, shared.spot_cores]
            .map(|cores| cores.map(|cores| put(What::Cores, u128::from(cores))));
        let families: BTreeMap<_, _> = shared
            .families
            .iter()
            .map(|(family, cores)| (family, put(What::Family(family), u128::from(*cores))))
            .collect();
        let budgets: BTreeMap<_, _> = shared
            .budgets
            .iter()
            .map(|(name, budget)| (name, put(What::Budget(name, *budget), money(*budget))))
            .collect();
        let takes = |claim: &Claim, lane: Lane| {
            let each = u128::from(claim.cores_per_node);
            let family = claim.family.as_ref().filter(|_| lane == Lane::Dedicated);
            let of_family = family.and_then(|family| families.get(family));
            let paid = claim.budgets.iter().filter_map(|name| budgets.get(name));
            let price = money(claim.price(lane));
            // The narrower one first, for that is the one that is told.
            let cores = of_family.into_iter().chain(&cores[index(lane)]);
            let cores = cores.map(|pot| (*pot, each));
            cores.chain(paid.map(|pot| (*pot, price))).collect()
        };
        let pools = claims
            .values()
            .map(|claim| Pool {
                claim,
                goal: claim.wants,
                has: Mix::ZERO,
                guaranteed: Mix::ZERO,
                takes: Lane::ALL.map(|lane| takes(claim, lane)),
            })
            .collect();
        Self { pots, pools }
    }

    /// Begins anew from what the pools hold, whether it fits or not, each up to what it was given.
    pub(super) fn begin_with_what_is_held(&mut self) {
        self.pots.iter_mut().for_each(|pot| pot.used = 0);
        for index in 0..self.pools.len() {
            let Pool { claim, has, .. } = self.pools[index];
            self.pools[index].goal = has;
            self.pools[index].has = Mix::ZERO;
            for lane in Lane::ALL {
                self.give(index, lane, claim.holds.get(lane));
            }
        }
    }

    /// Returns what each pool has.
    pub(super) fn given(&self) -> impl Iterator<Item = Mix> {
        self.pools.iter().map(|pool| pool.has)
    }

    /// Returns the first pot that keeps a pool from some more nodes of a lane.
    fn obstacle(&self, pool: usize, lane: Lane, nodes: Nodes) -> Option<&Pot<'a>> {
        self.pools[pool].takes[index(lane)]
            .iter()
            .find(|(pot, each)| {
                let Pot { whole, used, .. } = self.pots[*pot];
                used + each * u128::from(nodes.0) > whole
            })
            .map(|(pot, _)| &self.pots[*pot])
    }

    fn give(&mut self, pool: usize, lane: Lane, nodes: Nodes) {
        let Pool { has, takes, .. } = &mut self.pools[pool];
        *has = has.with(lane, has.get(lane) + nodes);
        for (pot, each) in &takes[index(lane)] {
            self.pots[*pot].used += each * u128::from(nodes.0);
        }
    }

    /// Gives a pool one node towards a goal; false when none fits.
    fn give_one(&mut self, pool: usize, goal: Mix) -> bool {
        let fits = |lane: &Lane| self.obstacle(pool, *lane, Nodes(1)).is_none();
        let lane = self.pools[pool].lanes(goal).find(fits);
        if let Some(lane) = lane {
            self.give(pool, lane, Nodes(1));
        }
        lane.is_some()
    }

    /// Fills pools progressively up to their goals: each turn is that of the pool with the fewest cores.
    fn fill(&mut self, pools: &[usize], goal: impl Fn(&Pool<'_>) -> Mix) {
        if self.fill_at_once(pools, &goal) {
            return;
        }
        let turn = |division: &Self, pool: usize| (division.pools[pool].cores(), pool);
        let mut turns: BTreeSet<(u64, usize)> = pools.iter().map(|pool| turn(self, *pool)).collect();
        while let Some((_, pool)) = turns.pop_first() {
            let goal = goal(&self.pools[pool]);
            if self.give_one(pool, goal) {
                turns.insert(turn(self, pool));
            }
        }
    }

    /// Gives pools all that is missing to their goals where all of it fits, which is what turns would end in; false otherwise.
    fn fill_at_once(&mut self, pools: &[usize], goal: impl Fn(&Pool<'_>) -> Mix) -> bool {
        let lacks = |pool: &Pool<'_>, lane: Lane| goal(pool).get(lane).saturating_sub(pool.has.get(lane));
        let mut used: Vec<u128> = self.pots.iter().map(|pot| pot.used).collect();
        for pool in pools.iter().map(|pool| &self.pools[*pool]) {
            for lane in Lane::ALL {
                let nodes = lacks(pool, lane);
                for (pot, each) in pool.takes[index(lane)].iter().filter(|_| nodes > Nodes::ZERO) {
                    used[*pot] += each * u128::from(nodes.0);
                    if used[*pot] > self.pots[*pot].whole {
                        return false;
                    }
                }
            }
        }
        for pool in pools {
            for lane in Lane::ALL {
                self.give(*pool, lane, lacks(&self.pools[*pool], lane));
            }
        }
        true
    }

    /// Gives what the guarantees cover.
    pub(super) fn keep_guarantees(&mut self) {
        let everyone: Vec<usize> = (0..self.pools.len()).collect();
        self.fill(&everyone, |pool| least(pool.claim.guaranteed(), pool.goal));
        for pool in &mut self.pools {
            pool.guaranteed = least(pool.claim.guaranteed(), pool.has);
        }
    }

    /// Gives one node to each pool that has none, in the order of priority.
    pub(super) fn start_each(&mut self) {
        for class in self.classes() {
            for pool in class {
                let Pool { goal, has, .. } = self.pools[pool];
                if has == Mix::ZERO {
                    self.give_one(pool, goal);
                }
            }
        }
    }

    /// Gives the rest by priority, and within a priority fairly.
    pub(super) fn rank(&mut self) {
        for class in self.classes() {
            self.fill(&class, |pool| pool.goal);
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

    /// Returns what each pool was given, and what it lacks.
    pub(super) fn shares(&self) -> Vec<Share> {
        let share = |(index, pool): (usize, &Pool<'_>)| Share {
            nodes: pool.has,
            now: pool.has,
            guaranteed: pool.guaranteed,
            lent: pool.claim.covered().saturating_sub(pool.claim.guaranteed()),
            short: Lane::ALL
                .into_iter()
                .filter_map(|lane| self.short(index, lane))
                .collect(),
        };
        self.pools.iter().enumerate().map(share).collect()
    }

    fn short(&self, index: usize, lane: Lane) -> Option<Short> {
        let pool = &self.pools[index];
        let lacks = pool.claim.wants.get(lane).saturating_sub(pool.has.get(lane));
        (lacks > Nodes::ZERO).then(|| Short {
            lane,
            lacks,
            because: self
                .obstacle(index, lane, Nodes(1))
                .expect("a pool was left out only when no node of it fitted")
                .limit(),
        })
    }
}

impl Pot<'_> {
    fn limit(&self) -> Limit {
        let left = self.whole.saturating_sub(self.used);
        // The whole was made of a number of this size.
        let cores = |cores: u128| u32::try_from(cores).unwrap_or(u32::MAX);
        match self.what {
            What::Cores => Limit::Quota {
                cores_left: cores(left),
                cores: cores(self.whole),
            },
            What::Family(family) => Limit::Family {
                family: family.clone(),
                cores_left: cores(left),
                cores: cores(self.whole),
            },
            What::Budget(name, budget) => Limit::Budget {
                name: name.clone(),
                left: UsdHourly(left as f64 / PER_USD),
                budget,
            },
        }
    }
}
