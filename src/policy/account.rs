//! What the pools of an account share: quotas of cores and budgets over pools, as the operator states them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use super::{Budget, PatternText, Policy};
use crate::account::{CoreQuotas, PoolId, PoolPattern, VmSize, vm_size};

/// What all pools of an account share, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountFile {
    /// The version of this format: 1.
    pub version: u32,
    /// What tells this file from a policy: account.
    pub kind: AccountKind,
    /// The cores that all pools together may use; where the account has quotas of its own, the smaller of the two counts.
    #[serde(default, skip_serializing_if = "CoreQuotas::is_empty")]
    pub quotas: CoreQuotas,
    /// What some or all pools together may cost, each under a name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub budgets: BTreeMap<String, SharedBudgetFile>,
    /// Machine sizes whose cores do not follow from their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sizes: BTreeMap<String, SizeFile>,
}

/// The word that tells an account's file from a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum AccountKind {
    /// An account.
    Account,
}

/// What some pools together may cost, in US dollars at the prices of their policies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedBudgetFile {
    /// The pools, as ids or patterns such as genomics-*; all of them when left out.
    #[serde(default = "everyone")]
    #[schemars(length(min = 1))]
    pub pools: Vec<PatternText>,
    /// What their nodes may cost in an hour; never passed by an order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_hour: Option<f64>,
    /// What their nodes may cost in a month, which begins in UTC; what follows when it is spent, onSoft says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub per_month: Option<f64>,
    /// What follows when the money of the month is spent; spotOnly when left out.
    #[serde(default)]
    pub on_soft: super::OnSoft,
}

/// What a machine size has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SizeFile {
    /// Its cores.
    #[schemars(range(min = 1, max = 2048))]
    pub cores: u32,
    /// The family whose quota they count against; as the name of the size says when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
}

fn everyone() -> Vec<PatternText> {
    vec![PatternText("*".to_owned())]
}

/// What all pools of an account share, ready to decide with.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountPolicy {
    /// Its name: the file's name without folder and ending.
    pub name: Arc<str>,
    /// The cores that all pools together may use.
    pub quotas: CoreQuotas,
    /// What pools together may cost, in the order of their names.
    pub budgets: Vec<SharedBudget>,
    /// Machine sizes by their names in lower case.
    pub sizes: BTreeMap<String, SizeFile>,
}

/// What some pools together may cost.
#[derive(Clone, Debug, PartialEq)]
pub struct SharedBudget {
    /// Its name.
    pub name: Arc<str>,
    /// The pools.
    pub pools: Vec<PoolPattern>,
    /// The money.
    pub budget: Budget,
}

impl SharedBudget {
    /// Says whether the nodes of a pool are paid from it.
    pub fn pays(&self, pool: &PoolId) -> bool {
        self.pools.iter().any(|pattern| pattern.matches(pool))
    }
}

impl AccountPolicy {
    /// Returns what the file means.
    ///
    /// # Errors
    /// Everything that cannot be meant, each with its place in the file.
    pub fn from_file(name: &str, file: &AccountFile) -> Result<Self, Vec<Complaint>> {
        let complaints = file.complaints();
        if !complaints.is_empty() {
            return Err(complaints);
        }
        let budget = |(name, file): (&String, &SharedBudgetFile)| SharedBudget {
            name: name.as_str().into(),
            pools: file
                .pools
                .iter()
                .filter_map(|pattern| pattern.0.parse().ok())
                .collect(),
            budget: Budget {
                per_hour: file.per_hour,
                per_month: file.per_month,
                on_soft: file.on_soft,
            },
        };
        let size = |(name, size): (&String, &SizeFile)| (name.to_ascii_lowercase(), size.clone());
        Ok(Self {
            name: name.into(),
            quotas: file.quotas.clone(),
            budgets: file.budgets.iter().map(budget).collect(),
            sizes: file.sizes.iter().map(size).collect(),
        })
    }

    /// Returns the file that means this.
    pub fn to_file(&self) -> AccountFile {
        let budget = |shared: &SharedBudget| {
            let pattern = |pattern: &PoolPattern| PatternText(pattern.as_str().to_owned());
            let file = SharedBudgetFile {
                pools: shared.pools.iter().map(pattern).collect(),
                per_hour: shared.budget.per_hour,
                per_month: shared.budget.per_month,
                on_soft: shared.budget.on_soft,
            };
            (shared.name.to_string(), file)
        };
        AccountFile {
            version: 1,
            kind: AccountKind::Account,
            quotas: self.quotas.clone(),
            budgets: self.budgets.iter().map(budget).collect(),
            sizes: self.sizes.clone(),
        }
    }

    /// Returns what a machine size means for quotas: what is stated here, or what its name says.
    pub fn size(&self, name: &str) -> Option<VmSize> {
        let named = vm_size(name);
        let Some(stated) = self.sizes.get(&name.to_ascii_lowercase()) else {
            return named;
        };
        let by_name = || named.map_or_else(String::new, |size| size.family);
        Some(VmSize {
            cores: stated.cores,
            family: stated.family.clone().unwrap_or_else(by_name),
        })
    }
}

impl AccountFile {
    /// Returns what cannot be meant.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        for (name, budget) in &self.budgets {
            if budget.per_hour.is_none() && budget.per_month.is_none() {
                let message = format!("the budget `{name}` limits nothing");
                let help = "add `perHour: …` or `perMonth: …`, in US dollars";
                complaints.push(Complaint::new(&["budgets", name], message, help));
            }
        }
        let mut seen = BTreeSet::new();
        for name in self.sizes.keys() {
            if !seen.insert(name.to_ascii_lowercase()) {
                let message = format!("the size `{name}` stands twice: case is no matter");
                complaints.push(Complaint::new(&["sizes", name], message, "keep one of the two"));
            }
        }
        let mut families: Vec<&String> = Vec::new();
        for name in self.quotas.families.keys() {
            if families
                .iter()
                .any(|other| crate::account::same_family(other, name))
            {
                let message = format!("the family `{name}` stands twice, written in two ways");
                complaints.push(Complaint::new(
                    &["quotas", "families", name],
                    message,
                    "keep one of the two",
                ));
            }
            families.push(name);
        }
        if let (Some(whole), families) = (self.quotas.dedicated_cores, &self.quotas.families)
            && let Some((name, cores)) = families.iter().find(|(_, cores)| **cores > whole)
        {
            let message = format!("the family `{name}` may use {cores} cores, of {whole} in all");
            let help = "lower it: what is more can never be used";
            complaints.push(Complaint::new(&["quotas", "families", name], message, help));
        }
        complaints
    }
}

impl Policy {
    /// Says whether it speaks of what pools share.
    pub(super) const fn shares(&self) -> bool {
        self.quota.guaranteed_cores.is_some() || self.quota.priority.is_some()
    }
}
