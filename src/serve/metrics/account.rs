//! What the pools of an account share: quotas and budgets.

use std::collections::BTreeMap;

use super::money::Budgeted;
use super::series::Points;
use super::table::Family;
use crate::account::{CoreQuotas, Holding, PoolId, PoolState, vm_size};
use crate::base::Lane;
use crate::engine::AccountView;
use crate::policy::{AccountPolicy, Policies};

/// The quotas of the account, and what its pools hold of them.
#[derive(Debug, Default)]
pub(super) struct Shared {
    quotas: Option<CoreQuotas>,
    holdings: BTreeMap<PoolId, Holding>,
}

impl Shared {
    /// Takes in what the account was seen to share; the pools that are decided for follow one by one.
    pub(super) fn see(&mut self, seen: &AccountView) {
        if seen.fault.is_some() {
            return;
        }
        self.quotas.clone_from(&seen.quotas);
        self.holdings.clear();
        for holding in &seen.pools {
            self.holdings.insert(holding.pool.clone(), holding.clone());
        }
    }

    /// Takes in what a pool holds.
    pub(super) fn hold(&mut self, state: &PoolState) {
        self.holdings.insert(state.id.clone(), Holding::from(state));
    }

    /// Adds the quotas that there are, each with what is used of it.
    pub(super) fn add_to(&self, points: &mut Points, stated: Option<&AccountPolicy>) {
        let quotas = match (&self.quotas, stated) {
            (Some(seen), Some(stated)) => seen.and(&stated.quotas),
            (Some(seen), None) => seen.clone(),
            (None, Some(stated)) if !stated.quotas.is_empty() => stated.quotas.clone(),
            (None, _) => return,
        };
        let mut add = |family: &str, kind: Lane, limit: u32, used: u64| {
            let labels = vec![family.to_owned(), kind.word().to_owned()];
            points.push(((Family::QuotaCores, labels.clone()), f64::from(limit)));
            points.push(((Family::QuotaUsedCores, labels), used as f64));
        };
        if let Some(limit) = quotas.dedicated_cores {
            add(
                "all",
                Lane::Dedicated,
                limit,
                self.used(Lane::Dedicated, None, stated),
            );
        }
        if let Some(limit) = quotas.spot_cores {
            add("all", Lane::Spot, limit, self.used(Lane::Spot, None, stated));
        }
        for (family, limit) in &quotas.families {
            let used = self.used(Lane::Dedicated, Some(family), stated);
            add(family, Lane::Dedicated, *limit, used);
        }
    }

    fn used(&self, lane: Lane, family: Option<&str>, stated: Option<&AccountPolicy>) -> u64 {
        let cores = |holding: &Holding| {
            let name = holding.vm_size.as_deref()?;
            let size = stated.map_or_else(|| vm_size(name), |stated| stated.size(name))?;
            let counts = family.is_none_or(|family| crate::account::same_family(family, &size.family));
            counts.then(|| u64::from(size.cores) * u64::from(holding.held().get(lane).0))
        };
        self.holdings.values().filter_map(cores).sum()
    }
}

/// Returns the budgets of the policies and those that pools share, each with what is spent of it: what each pool costs in an
/// hour, and has cost this month.
pub(super) fn budgets(policies: &Policies, pools: &[(&PoolId, f64, f64)]) -> Points {
    let mut points = Points::new();
    let mut add = |mut budgeted: Budgeted<'_>, pays: &dyn Fn(&PoolId) -> bool| {
        for (_, hour, month) in pools.iter().filter(|(id, ..)| pays(id)) {
            budgeted.spent_hour += hour;
            budgeted.spent_month += month;
        }
        budgeted.add_to(&mut points);
    };
    for policy in &policies.policies {
        let budgeted = Budgeted {
            scope: &policy.name,
            per_hour: policy.budget.per_hour,
            per_month: policy.budget.per_month,
            ..Budgeted::default()
        };
        let pays = |id: &PoolId| {
            policies
                .policy_for(id)
                .is_some_and(|other| other.name == policy.name)
        };
        add(budgeted, &pays);
    }
    for shared in policies.account.iter().flat_map(|account| &account.budgets) {
        let budgeted = Budgeted {
            scope: &shared.name,
            per_hour: shared.budget.per_hour,
            per_month: shared.budget.per_month,
            ..Budgeted::default()
        };
        add(budgeted, &|id| shared.pays(id));
    }
    points
}
