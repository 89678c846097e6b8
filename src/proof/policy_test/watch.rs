//! What all orders of a test use together of what its account shares, counted beside the engine.

use std::collections::BTreeMap;

use crate::account::{CoreQuotas, PoolId, PoolState, vm_size};
use crate::base::{Lane, Mix, Timestamp};
use crate::decision::Decision;
use crate::policy::Policies;

/// Counts what pools hold, and what each order adds to it.
pub(super) struct Watch<'a> {
    policies: &'a Policies,
    quotas: CoreQuotas,
    /// What each pool holds, with the size of its machines.
    held: BTreeMap<PoolId, (Mix, Option<String>)>,
    /// The decisions that passed a limit.
    passed: Vec<(Timestamp, PoolId)>,
}

/// Money is added up in binary fractions; a millionth more is none.
const MONEY_SLACK: f64 = 1e-6;

impl<'a> Watch<'a> {
    pub(super) fn new(policies: &'a Policies, seen: Option<&CoreQuotas>) -> Self {
        Self {
            policies,
            quotas: policies.quotas(seen).into_owned(),
            held: BTreeMap::new(),
            passed: Vec::new(),
        }
    }

    /// Says whether anything is shared.
    pub(super) fn is_of_use(&self) -> bool {
        !self.quotas.is_empty() || self.policies.account.is_some()
    }

    /// Says whether a decision passed a limit.
    pub(super) fn passed_by(&self, decision: &Decision) -> bool {
        self.passed
            .iter()
            .any(|(at, pool)| *at == decision.at && *pool == decision.pool)
    }

    /// Takes in what the pools hold.
    pub(super) fn look<'p>(&mut self, pools: impl Iterator<Item = &'p PoolState>) {
        let held = pools.map(|pool| {
            let size = pool.vm_size.as_deref().map(str::to_owned);
            (pool.id.clone(), (pool.held(), size))
        });
        self.held = held.collect();
    }

    /// Takes in a decision: what it may add is held from then on, for the rest of the tick.
    pub(super) fn decide(&mut self, decision: &Decision) {
        let before = self.uses();
        let Some((held, _)) = self.held.get_mut(&decision.pool) else {
            return;
        };
        let outcome = decision.outcome();
        *held = Lane::ALL.into_iter().fold(*held, |held, lane| {
            held.with(lane, held.get(lane).max(outcome.get(lane)))
        });
        let after = self.uses();
        let limits = self.limits();
        let passes =
            |((before, after), limit): ((f64, f64), f64)| after > before && after > limit + MONEY_SLACK;
        if before.into_iter().zip(after).zip(limits).any(passes) {
            self.passed.push((decision.at, decision.pool.clone()));
        }
    }

    /// Returns every limit: cores of each lane, of each family, and the money of each budget.
    fn limits(&self) -> Vec<f64> {
        let cores = |cores: Option<u32>| cores.map_or(f64::INFINITY, f64::from);
        let families = self.quotas.families.values().map(|cores| f64::from(*cores));
        let budgets = self.policies.account.iter().flat_map(|account| &account.budgets);
        [self.quotas.dedicated_cores, self.quotas.spot_cores]
            .map(cores)
            .into_iter()
            .chain(families)
            .chain(budgets.map(|shared| shared.budget.per_hour.unwrap_or(f64::INFINITY)))
            .collect()
    }

    /// Returns what is used of each limit, in the same order.
    fn uses(&self) -> Vec<f64> {
        let account = self.policies.account.as_ref();
        let lane = |lane: Lane| {
            self.held
                .iter()
                .map(|(pool, (held, size))| self.cores(pool, size.as_deref()).0 * held.get(lane).as_f64())
                .sum()
        };
        let family = |name: &String| {
            let of = self.held.iter().filter(|(pool, (_, size))| {
                let (_, family) = self.cores(pool, size.as_deref());
                self.quotas
                    .of_family(&family)
                    .is_some_and(|(found, _)| found == name)
            });
            of.map(|(pool, (held, size))| self.cores(pool, size.as_deref()).0 * held.dedicated.as_f64())
                .sum()
        };
        let budget = |shared: &crate::policy::SharedBudget| {
            let paid = self.held.iter().filter(|(pool, _)| shared.pays(pool));
            paid.filter_map(|(pool, (held, _))| {
                let prices = self.policies.policy_for(pool)?.prices;
                Some(
                    Lane::ALL
                        .iter()
                        .map(|lane| held.get(*lane).as_f64() * prices.get(*lane).0)
                        .sum::<f64>(),
                )
            })
            .sum()
        };
        Lane::ALL
            .map(lane)
            .into_iter()
            .chain(self.quotas.families.keys().map(family))
            .chain(account.iter().flat_map(|account| &account.budgets).map(budget))
            .collect()
    }

    /// Returns the cores of a node of a pool, none where nobody knows, and the family of its size.
    fn cores(&self, pool: &PoolId, size: Option<&str>) -> (f64, String) {
        let named = size.and_then(|name| match &self.policies.account {
            Some(account) => account.size(name),
            None => vm_size(name),
        });
        let policy = self.policies.policy_for(pool);
        let stated = policy.and_then(|policy| policy.quota.cores_per_node);
        let cores = stated.or(named.as_ref().map(|size| size.cores)).unwrap_or(0);
        (
            f64::from(cores),
            named.map_or_else(String::new, |size| size.family),
        )
    }
}
