//! Whether policies and pools fit each other.

use super::checks::Found;
use super::facts::Facts;
use super::{Examined, Finding, Outcome};
use crate::base::{Code, did_you_mean};

pub(super) fn examine(examined: &Examined<'_>, facts: &Facts, found: &mut Found) {
    let Some(policies) = examined.policies else {
        found.check(
            "policies",
            Outcome::Note,
            "none is given; name them with --policies to have them compared with the pools",
        );
        return;
    };
    let Some(all) = &facts.all else {
        found.check(
            "policies",
            Outcome::Unknown,
            "the pools that they speak of cannot be listed",
        );
        return;
    };
    for policy in &policies.policies {
        let is_wanted = examined.pools.is_none_or(|wanted| wanted == &policy.pool);
        if !is_wanted || all.iter().any(|pool| policy.pool.matches(pool)) {
            continue;
        }
        let names = all.iter().map(crate::account::PoolId::as_str);
        let meant = did_you_mean(policy.pool.as_str(), names);
        let meant = meant.map_or(String::new(), |meant| format!("; did you mean {meant}?"));
        found.find(Finding::new(
            Code("D301"),
            Outcome::Warning,
            format!(
                "policy {} speaks of {}, and no pool is called so",
                policy.name, policy.pool
            ),
            format!("make the pool, or mend `pool` in the policy{meant}"),
        ));
    }
    for pool in facts
        .pools
        .iter()
        .filter(|pool| policies.policy_for(&pool.id).is_none())
    {
        let nodes = pool.pool.current().total().0;
        let severity = if nodes == 0 {
            Outcome::Note
        } else {
            Outcome::Warning
        };
        found.find(
            Finding::new(
                Code("D302"),
                severity,
                format!("no policy speaks of it, and it has {nodes} nodes"),
                "write a policy for it, or one with mode: shadow to see what would be done",
            )
            .of(pool.id.as_str()),
        );
    }
    let n = policies.policies.len();
    let count = if n == 1 {
        "1 policy".to_owned()
    } else {
        format!("{n} policies")
    };
    found.conclude(
        "policies",
        &["D301", "D302"],
        format!("{count}, and every pool has one"),
    );
}
