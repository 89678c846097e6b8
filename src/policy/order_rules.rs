//! How what was decided is ordered: by what means, and what is done beside the target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use super::replace::ReplaceRule;
use super::{Actuator, Policy};
use crate::account::{OwnFormula, PoolState};
use crate::base::{Span, Timestamp};
use crate::decision::{OthersChange, OthersWord, OurOrders, Retakes};

/// How what was decided is ordered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OrderRules {
    /// By what means.
    pub actuator: Actuator,
    /// What is done about a pool that runs a formula of its own.
    pub own_formula: OwnFormulaRule,
    /// When a resize is stopped that is under way.
    pub retake: RetakeRule,
    /// How long what somebody else did to a pool is respected.
    pub others: OthersRule,
    /// When nodes of no use are replaced.
    pub replace: ReplaceRule,
}

/// What is done about a pool that runs a formula of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum OwnFormulaRule {
    /// The pool is left alone.
    #[default]
    Leave,
    /// The formula is written into the ledger and disabled, and the pool is steered from then on.
    TakeOver,
}

/// When a resize is stopped that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RetakeRule {
    /// A resize is stopped and ordered anew when it has taken so long and another target is needed; 15m when left out, which is
    /// how long the service itself tries to get nodes. Nodes that finish their tasks before they go take longer.
    pub after: Span,
}

/// How long what somebody else did to a pool is respected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OthersRule {
    /// A lane that somebody else raised is not lowered below that, one that was lowered is not raised above it, and a formula that
    /// was changed is left alone, for so long after it was seen; 1h when left out. With 0s it is steered at once.
    pub respect_for: Span,
}

impl Default for RetakeRule {
    fn default() -> Self {
        Self {
            after: Span::minutes(15),
        }
    }
}

/// Somebody who resizes a pool by hand in the night has a reason, sees it done within minutes, and looks at it again within the
/// hour; whoever forgets it must not pay for it until the morning.
impl Default for OthersRule {
    fn default() -> Self {
        Self {
            respect_for: Span::hours(1),
        }
    }
}

/// A pool takes a minute or two to follow any order; one that was stopped before never gets there.
const RETAKE_MIN: Span = Span::minutes(2);
const RETAKE_MAX: Span = Span::hours(24);

/// What is to last longer than a week is no change by hand but a policy.
const RESPECT_MAX: Span = Span::days(7);

impl RetakeRule {
    /// Returns why a resize that is under way is stopped for another target.
    pub fn retakes(self, orders: &OurOrders, now: Timestamp) -> Option<Retakes> {
        let since = orders.resizing_since?;
        (now.since(since) >= self.after).then_some(Retakes {
            since,
            after: self.after,
        })
    }
}

impl OthersRule {
    /// Returns what somebody else did, as long as it is respected.
    pub fn word(self, orders: &OurOrders, now: Timestamp) -> Option<OthersWord> {
        let OthersChange {
            at,
            from,
            to,
            formula,
        } = orders.foreign?;
        let until = at + self.respect_for;
        (now < until).then_some(OthersWord {
            at,
            from,
            to,
            formula,
            until,
        })
    }
}

impl OrderRules {
    /// Returns what cannot be meant of means and takeovers.
    pub(super) fn complaints(&self, interval: Span) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if let Actuator::LeaseFormula(lease) = &self.actuator {
            let of_lease = lease.complaints(interval).into_iter();
            complaints.extend(of_lease.map(|complaint| complaint.below(&["actuator", "leaseFormula"])));
        }
        if !(RETAKE_MIN..=RETAKE_MAX).contains(&self.retake.after) {
            let message = format!(
                "a resize cannot be stopped after {}",
                self.retake.after.in_short()
            );
            let help = "take 2m to 24h: a pool needs minutes to follow any order";
            complaints.push(Complaint::new(&["retake", "after"], message, help));
        }
        if self.others.respect_for > RESPECT_MAX {
            let message = "what others did cannot be respected for longer than a week";
            let help = "take 0s to 7d, or mode: paused";
            complaints.push(Complaint::new(&["others", "respectFor"], message, help));
        }
        let of_replace = self.replace.complaints().into_iter();
        complaints.extend(of_replace.map(|complaint| complaint.below(&["replace"])));
        complaints
    }
}

impl Policy {
    /// Returns the lease that it gives to pools, where that is its means.
    pub const fn leases(&self) -> Option<&super::LeaseFormula> {
        match &self.orders.actuator {
            Actuator::LeaseFormula(lease) => Some(lease),
            Actuator::Resize => None,
        }
    }

    /// Takes what another formula says out of a look at a pool that is left alone because of it: nothing is decided by it, and it
    /// would make every line of the ledger longer.
    pub fn forget_what_is_left(&self, pool: &mut PoolState) {
        let is_other = matches!(pool.formula, Some(OwnFormula::Other(_)));
        if is_other && self.orders.own_formula == OwnFormulaRule::Leave {
            pool.formula = None;
        }
    }

    /// Says whether an order may come of what it decides about a pool: not where the pool follows a formula that is left to it.
    pub fn steers(&self, pool: &PoolState, ours: &OurOrders) -> bool {
        match &pool.formula {
            _ if !pool.auto_scale => true,
            Some(OwnFormula::Lease(lease)) if self.ends(lease, ours) => true,
            Some(_) | None => self.orders.own_formula == OwnFormulaRule::TakeOver,
        }
    }

    /// Says whether a lease that a pool follows is ours to renew and to end: one by our name, or one that we installed by another
    /// name, as an earlier policy of the pool.
    pub fn ends(&self, lease: &crate::account::Lease, ours: &OurOrders) -> bool {
        lease.holder == self.holder() || ours.leased_at.is_some()
    }

    /// Returns by which name its formulas are known again.
    pub fn holder(&self) -> std::sync::Arc<str> {
        let named = self.leases().and_then(|lease| lease.holder.as_deref());
        crate::account::Lease::holder_of(named.unwrap_or(&self.name))
    }
}
