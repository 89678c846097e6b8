//! The policies of one account together.

use std::borrow::Cow;

use super::{Policies, Policy};
use crate::account::{CoreQuotas, PoolId};

impl From<Vec<Policy>> for Policies {
    /// Returns policies whose pools share nothing that is stated.
    fn from(policies: Vec<Policy>) -> Self {
        Self {
            policies,
            account: None,
        }
    }
}

impl Policies {
    /// Says whether something is stated of what the pools share, so that the account must be looked at.
    pub fn share(&self) -> bool {
        self.account.is_some() || self.policies.iter().any(Policy::shares)
    }

    /// Returns the place of the policy that decides for a pool: the one that names it, else the first whose pattern matches.
    pub fn index_for(&self, pool: &PoolId) -> Option<usize> {
        let mut first = None;
        let matching = self.policies.iter().enumerate();
        for (index, policy) in matching.filter(|(_, policy)| policy.pool.matches(pool)) {
            if policy.pool.is_exact() {
                return Some(index);
            }
            first = first.or(Some(index));
        }
        first
    }

    /// Returns the quotas to keep to: what is seen of the account and what is stated, the smaller of each.
    pub fn quotas<'a>(&'a self, seen: Option<&'a CoreQuotas>) -> Cow<'a, CoreQuotas> {
        match (self.account.as_ref().map(|account| &account.quotas), seen) {
            (Some(stated), Some(seen)) => Cow::Owned(seen.and(stated)),
            (Some(quotas), None) | (None, Some(quotas)) => Cow::Borrowed(quotas),
            (None, None) => Cow::Owned(CoreQuotas::default()),
        }
    }

    /// Returns a sentence when pools are guaranteed more than the dedicated cores that there are.
    pub fn overpromised<'a>(
        &self,
        pools: impl Iterator<Item = &'a PoolId>,
        seen: Option<&CoreQuotas>,
    ) -> Option<String> {
        let there = self.quotas(seen).dedicated_cores?;
        let promised = pools.filter_map(|pool| self.policy_for(pool)?.quota.guaranteed_cores);
        let promised: u64 = promised.map(u64::from).sum();
        (promised > u64::from(there)).then(|| {
            format!(
                "pools are guaranteed {promised} cores together, and there are {there} dedicated ones; not all of that can be kept"
            )
        })
    }

    /// Returns the policy that decides for a pool.
    pub fn policy_for(&self, pool: &PoolId) -> Option<&Policy> {
        self.index_for(pool).map(|index| &self.policies[index])
    }
}
