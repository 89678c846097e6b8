//! What all pools of an account share: quotas of cores, and what each pool holds of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{PoolId, PoolState, same_family};
use crate::base::{Lane, Mix};

/// The cores that an account may use at once; what is left out is not limited, or not known.
///
/// `dedicatedCoreQuota`, `lowPriorityCoreQuota` and `dedicatedCoreQuotaPerVMFamily` of Batch Account - Get (ARM). An account of mode
/// `UserSubscription` has none of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CoreQuotas {
    /// Of dedicated nodes, whatever their size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedicated_cores: Option<u32>,
    /// Of spot nodes, whatever their size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_cores: Option<u32>,
    /// Of dedicated nodes by the family of their size, such as standardDSv5Family.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub families: BTreeMap<String, u32>,
}

/// What a pool holds of an account's quotas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The pool.
    pub pool: PoolId,
    /// The size of its machines, where known.
    pub vm_size: Option<Arc<str>>,
    /// What it was told to have.
    pub target: Mix,
    /// What it has.
    pub current: Mix,
}

impl CoreQuotas {
    /// Says whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Returns the name and the cores of a family's quota.
    pub fn of_family(&self, family: &str) -> Option<(&str, u32)> {
        let mut named = self.families.iter();
        let found = named.find(|(name, _)| same_family(name, family));
        found.map(|(name, cores)| (name.as_str(), *cores))
    }

    /// Returns what both allow: the smaller of two numbers, the one where only one is given.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let smaller = |one: Option<u32>, other: Option<u32>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let mut families = self.families.clone();
        for (family, cores) in &other.families {
            match families.iter_mut().find(|(name, _)| same_family(name, family)) {
                Some((_, least)) => *least = (*least).min(*cores),
                None => {
                    families.insert(family.clone(), *cores);
                }
            }
        }
        Self {
            dedicated_cores: smaller(self.dedicated_cores, other.dedicated_cores),
            spot_cores: smaller(self.spot_cores, other.spot_cores),
            families,
        }
    }
}

impl Holding {
    /// Returns what nobody else can have now: what a pool was told to have comes at any moment, what it has goes only in time.
    pub fn held(&self) -> Mix {
        held(self.target, self.current)
    }
}

impl From<&PoolState> for Holding {
    fn from(pool: &PoolState) -> Self {
        Self {
            pool: pool.id.clone(),
            vm_size: pool.vm_size.clone(),
            target: pool.target,
            current: pool.current,
        }
    }
}

impl PoolState {
    /// Returns what no other pool can have now: the larger of what it was told to have and what it has, lane by lane.
    pub fn held(&self) -> Mix {
        held(self.target, self.current)
    }
}

fn held(target: Mix, current: Mix) -> Mix {
    Lane::ALL.into_iter().fold(target, |held, lane| {
        held.with(lane, target.get(lane).max(current.get(lane)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_two_allow_is_the_smaller_of_each() {
        let quotas = |dedicated, families: &[(&str, u32)]| CoreQuotas {
            dedicated_cores: dedicated,
            spot_cores: None,
            families: families
                .iter()
                .map(|(name, cores)| ((*name).to_owned(), *cores))
                .collect(),
        };
        let seen = quotas(Some(100), &[("standardDSv5Family", 50), ("standardHFamily", 0)]);
        let stated = quotas(None, &[("DSv5", 20), ("standardFSv2Family", 8)]);
        let both = seen.and(&stated);
        assert_eq!(both.dedicated_cores, Some(100));
        assert_eq!(
            both.of_family("standardDSv5Family"),
            Some(("standardDSv5Family", 20))
        );
        assert_eq!(
            both.of_family("Standard FSv2 Family").map(|found| found.1),
            Some(8)
        );
        assert_eq!(both.of_family("standardEFamily"), None);
    }
}
