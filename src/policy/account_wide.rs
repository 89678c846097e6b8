//! The policies of one account together.

use super::{Policies, Policy};
use crate::account::PoolId;

impl Policies {
    /// Returns the place of the policy that decides for a pool: the one that names it, else the first whose pattern matches.
    pub fn index_for(&self, pool: &PoolId) -> Option<usize> {
        let matching = |exact: bool| {
            self.policies
                .iter()
                .position(|policy| policy.pool.is_exact() == exact && policy.pool.matches(pool))
        };
        matching(true).or_else(|| matching(false))
    }

    /// Returns the policy that decides for a pool.
    pub fn policy_for(&self, pool: &PoolId) -> Option<&Policy> {
        self.index_for(pool).map(|index| &self.policies[index])
    }
}
