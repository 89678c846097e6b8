//! What a pool may have of what all pools of an account share: the numbers and the sentence of each reason.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::account::PoolId;
use crate::base::{Lane, Mix, Nodes, Usd, UsdHourly};
use crate::mix::{Limit, Short};

/// What a pool may have of what all pools of the account share.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AccountShare {
    /// What the pool asks for by its own policy.
    pub asked: Mix,
    /// What of it is its own beside the others.
    pub share: Mix,
    /// What of that may be ordered now: fewer while others still hold it.
    pub granted: Mix,
    /// The nodes beyond its own that it keeps, because its bounds want them at least.
    #[serde(skip_serializing_if = "is_usual")]
    pub kept: Mix,
    /// The cores that it is guaranteed.
    #[serde(skip_serializing_if = "is_usual")]
    pub guaranteed_cores: u32,
    /// The nodes that the guarantee gave.
    #[serde(skip_serializing_if = "is_usual")]
    pub guaranteed: Mix,
    /// The guaranteed cores that others may have meanwhile.
    #[serde(skip_serializing_if = "is_usual")]
    pub lent_cores: u32,
    /// Who is served first: the higher.
    #[serde(skip_serializing_if = "is_usual")]
    pub priority: i32,
    /// The cores of one node, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cores_per_node: Option<u32>,
    /// The dedicated cores of the account; `None` when nothing is known to limit them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedicated_cores: Option<u32>,
    /// The spot cores of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot_cores: Option<u32>,
    /// Of the dedicated cores, those of the family of its nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub family_cores: Option<u32>,
    /// The budgets of an hour that its nodes are paid from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paid_from: Vec<PaidFrom>,
    /// Why it has not all that it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<Short>,
}

/// A budget that the nodes of a pool are paid from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PaidFrom {
    /// Its name.
    pub budget: Arc<str>,
    /// What all its pools may cost in an hour.
    pub per_hour: UsdHourly,
    /// What an hour of the granted nodes costs of it.
    pub granted: UsdHourly,
}

/// The money of a month that pools share is spent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SharedMonth {
    /// The name of the budget.
    pub budget: Arc<str>,
    /// What the month may cost.
    pub limit: Usd,
    /// What its pools have cost so far.
    pub spent: Usd,
    /// What follows, by the policy's word.
    pub then: String,
}

/// What pools share could not be seen or reckoned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountUnseen {
    /// Whether the next look may succeed without anyone doing anything.
    pub retry: bool,
    /// What went wrong.
    pub message: String,
}

/// Nobody knows how many cores a node of a pool has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SizeUnknown {
    /// The pool.
    pub pool: PoolId,
    /// The size of its machines, where known.
    pub vm_size: Option<Arc<str>>,
}

/// Says whether a value need not be written.
pub(super) fn is_usual<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl AccountShare {
    /// Says whether any quota or budget concerns the pool.
    pub const fn is_limited(&self) -> bool {
        self.dedicated_cores.is_some()
            || self.spot_cores.is_some()
            || self.family_cores.is_some()
            || !self.paid_from.is_empty()
    }

    fn short_of(&self, f: &mut fmt::Formatter<'_>, short: &Short) -> fmt::Result {
        let Short { lane, lacks, because } = short;
        write!(f, "; {lacks} {} short of ", lane.word())?;
        let each = self.cores_per_node.unwrap_or(1);
        match because {
            Limit::Quota { cores_left, .. } => {
                let quota = match lane {
                    Lane::Dedicated => self.dedicated_cores,
                    Lane::Spot => self.spot_cores,
                };
                write!(f, "{} {} cores", quota.unwrap_or_default(), lane.word())?;
                write!(f, " ({cores_left} left, {each} a node)")
            }
            Limit::Family {
                family, cores_left, ..
            } => {
                let quota = self.family_cores.unwrap_or_default();
                write!(f, "{quota} cores of {family} ({cores_left} left, {each} a node)")
            }
            Limit::Budget { name, left, .. } => {
                let paid = self.paid_from.iter().find(|paid| paid.budget == *name);
                let whole = paid.map_or(0.0, |paid| paid.per_hour.0);
                write!(f, "{}/h of budget {name} ({} left)", Usd(whole), Usd(left.0))
            }
        }
    }
}

impl fmt::Display for AccountShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_limited() {
            f.write_str("no quota or budget of the account is known, so that none restricts it")?;
        } else if self.share == self.asked {
            write!(f, "its share of the account is all that it asks for")?;
        } else {
            write!(f, "its share of the account is {} of {}", self.share, self.asked)?;
        }
        if self.guaranteed_cores > 0 {
            write!(
                f,
                "; {} cores guaranteed, {} nodes by that, {} cores lent",
                self.guaranteed_cores,
                self.guaranteed.total(),
                self.lent_cores
            )?;
        }
        if self.priority != 0 {
            write!(f, "; priority {}", self.priority)?;
        }
        for short in &self.short {
            self.short_of(f, short)?;
        }
        let waiting = |lane: Lane| self.share.get(lane).saturating_sub(self.granted.get(lane));
        let waits: Nodes = Lane::ALL.into_iter().map(waiting).sum();
        if waits > Nodes::ZERO {
            write!(f, "; {waits} of it still held by others")?;
        }
        if self.kept != Mix::ZERO {
            write!(f, "; {} kept beyond it, the least of its bounds", self.kept)?;
        }
        for paid in &self.paid_from {
            let [granted, whole] = [paid.granted, paid.per_hour].map(|rate| Usd(rate.0));
            write!(f, "; {granted} of {whole}/h of budget {}", paid.budget)?;
        }
        Ok(())
    }
}

impl fmt::Display for SharedMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            budget,
            limit,
            spent,
            then,
        } = self;
        write!(
            f,
            "{spent} of the month's {limit} of budget {budget} are spent: {then}"
        )
    }
}

impl fmt::Display for AccountUnseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no nodes are added, for what the account shares is not known: {}",
            self.message
        )?;
        f.write_str(if self.retry {
            " (tried again at the next look)"
        } else {
            ""
        })
    }
}

impl fmt::Display for SizeUnknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.vm_size.as_deref().unwrap_or("nothing that is known");
        write!(
            f,
            "no nodes are added, for nobody knows the cores of a node of pool {}, whose size is {size}; state them as \
             `coresPerNode` in the `quota` of its policy, or under `sizes` of the account",
            self.pool
        )
    }
}
