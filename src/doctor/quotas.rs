//! Quotas: what policies may ask for against what there is, as far as anybody knows it.
//!
//! The account's own interface tells no quotas; they are the resource manager's to tell. What can be known without it: what the
//! operator has stated (a policy file of kind account), and what the service said when it granted less than was asked.

use super::checks::Found;
use super::facts::{Facts, PoolFacts};
use super::{Examined, Finding, Outcome};
use crate::account::{CoreQuotas, vm_size};
use crate::base::{Code, Lane};
use crate::policy::{Objective, Policies, Policy};

pub(super) fn examine(examined: &Examined<'_>, facts: &Facts, found: &mut Found) {
    let stated = examined
        .policies
        .and_then(|policies| policies.account.as_ref())
        .map(|account| &account.quotas)
        .filter(|quotas| !quotas.is_empty());
    let reached = facts.pools.iter().any(|pool| {
        let mut errors = pool.pool.resize_errors.iter();
        errors.any(|error| error.code.to_ascii_lowercase().contains("quota"))
    });
    let (Some(quotas), Some(policies)) = (stated, examined.policies) else {
        let hint = "the account itself does not tell them; state them in a policy file of kind account \
                    (`az batch account show --query \"{dedicated: dedicatedCoreQuota, spot: lowPriorityCoreQuota}\"`)";
        let told = if reached {
            format!("a resize has reached one; {hint}")
        } else {
            hint.to_owned()
        };
        found.check(
            "quotas",
            if reached {
                Outcome::Warning
            } else {
                Outcome::Unknown
            },
            told,
        );
        return;
    };
    for pool in &facts.pools {
        if let Some(policy) = policies.policy_for(&pool.id) {
            against(pool, policy, quotas, found);
        }
    }
    promised(policies, facts, found);
    found.conclude(
        "quotas",
        &["D303", "D304", "D305"],
        "the bounds of every policy fit what is stated",
    );
}

fn against(pool: &PoolFacts, policy: &Policy, quotas: &CoreQuotas, found: &mut Found) {
    let by_name = pool.pool.vm_size.as_deref().and_then(vm_size);
    let Some(cores) = policy
        .quota
        .cores_per_node
        .or(by_name.as_ref().map(|size| size.cores))
    else {
        return;
    };
    let wants_spot = policy.objective != Objective::DedicatedOnly && policy.bounds.lane(Lane::Spot).max.0 > 0;
    if wants_spot && quotas.spot_cores == Some(0) {
        found.find(
            Finding::new(
                Code("D304"),
                Outcome::Error,
                format!("policy {} wants spot nodes, and the account has no cores for them", policy.name),
                "ask for a quota of spot cores (it is 0 in a new account), or use mix.objective: dedicatedOnly",
            )
            .of(pool.id.as_str()),
        );
    }
    let family = by_name.and_then(|size| {
        quotas
            .of_family(&size.family)
            .map(|(name, cores)| (name.to_owned(), cores))
    });
    let limits = [
        (
            Lane::Dedicated,
            "dedicated cores".to_owned(),
            quotas.dedicated_cores,
        ),
        (
            Lane::Spot,
            "spot cores".to_owned(),
            quotas.spot_cores.filter(|_| wants_spot),
        ),
        (
            Lane::Dedicated,
            family
                .as_ref()
                .map_or(String::new(), |(name, _)| format!("cores of {name}")),
            family.as_ref().map(|(_, cores)| *cores),
        ),
    ];
    for (lane, name, there) in limits {
        let Some(there) = there.filter(|there| *there > 0) else {
            continue;
        };
        let most = policy.bounds.lane(lane).max.0.min(policy.bounds.total.max.0);
        let asked = u64::from(most) * u64::from(cores);
        if u64::from(there) < asked {
            found.find(
                Finding::new(
                    Code("D303"),
                    Outcome::Warning,
                    format!(
                        "policy {} allows {most} {lane} nodes, {asked} {name}, and there are {there}",
                        policy.name
                    ),
                    "raise the quota, or lower the bounds: what is asked beyond it is refused late",
                )
                .of(pool.id.as_str()),
            );
        }
    }
}

fn promised(policies: &Policies, facts: &Facts, found: &mut Found) {
    let pools = facts.pools.iter().map(|pool| &pool.id);
    if let Some(told) = policies.overpromised(pools, None) {
        found.find(Finding::new(
            Code("D305"),
            Outcome::Warning,
            told,
            "lower `quota.guaranteedCores` of some policies, or raise the quota",
        ));
    }
}
