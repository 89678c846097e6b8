//! By what means a pool is brought to its target.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use crate::base::Span;

/// By what means a pool is brought to its target.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Actuator {
    /// The pool is resized; when nobody orders any more it keeps its latest target for good.
    #[default]
    Resize,
    /// The pool is given a formula that carries the target for a while, and that is renewed as long as somebody decides; when
    /// nobody does any more, the rule behind it takes over.
    LeaseFormula(LeaseFormula),
}

/// A formula that carries a target for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct LeaseFormula {
    /// How long a target holds when nobody renews it, from 10m to 24h; it is renewed when half of that is over. The service looks
    /// at a formula every 5 minutes, so that the rule behind it takes over so much later at the most.
    pub lease: Span,
    /// What the pool does by itself when nobody renews its target.
    pub fallback: LeaseFallback,
    /// By which name the formula is known again; that of the policy when left out. Two that steer one pool in turns share one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holder: Option<Arc<str>>,
}

/// What a pool does by itself when nobody renews its target; always within bounds, quota and the money of an hour, and with
/// running tasks that end before their node goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LeaseFallback {
    /// It has slots for the most tasks that waited and ran at one time in the last 15 minutes, and keeps its target while their
    /// samples are missing.
    #[default]
    Tasks,
    /// It comes down to the least nodes that the bounds want.
    Least,
    /// It keeps the target.
    Keep,
}

impl Default for LeaseFormula {
    fn default() -> Self {
        Self {
            lease: Span::minutes(30),
            fallback: LeaseFallback::default(),
            holder: None,
        }
    }
}

/// The service looks at a formula every 5 minutes at most (Pool - Enable Auto Scale, `autoScaleEvaluationInterval`): a lease that
/// is no longer than two of these could end between two looks without ever having been carried out.
const LEASE_MIN: Span = Span::minutes(10);

/// After a day without anybody who decides, a target of yesterday is worse than any rule.
const LEASE_MAX: Span = Span::hours(24);

/// A lease is renewed at half its time, so that it outlives a look that fails, and another one.
const LOOKS_MIN: i64 = 4;

impl LeaseFormula {
    /// How often the service evaluates a formula of ours: the shortest that it takes.
    pub const EVALUATED_EVERY: Span = Span::minutes(5);

    /// How long the service takes no further formula after it took one (503 `TooManyEnableAutoScaleRequests`).
    pub const INSTALL_PAUSE: Span = Span::seconds(30);

    /// Returns what cannot be meant of a policy that looks so often.
    pub(super) fn complaints(&self, interval: Span) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let least = LEASE_MIN.max(Span::from_ticks(interval.ticks().saturating_mul(LOOKS_MIN)));
        if self.lease < least || self.lease > LEASE_MAX {
            let message = format!(
                "a target cannot hold for {} without anybody",
                self.lease.in_short()
            );
            let help = if least > LEASE_MAX {
                format!("a lease lasts for {LOOKS_MIN} looks at least, and for 24h at most: look more often")
            } else {
                format!(
                    "take {} to 24h: the service looks every 5m, and a lease must outlive a look that fails",
                    least.in_short()
                )
            };
            complaints.push(Complaint::new(&["lease"], message, help));
        }
        let named = self.holder.as_deref();
        if let Some(holder) = named.filter(|name| &*crate::account::Lease::holder_of(name) != *name) {
            let message = format!("`{holder}` cannot be written into a formula");
            let help = "use 1 to 64 letters, digits, dots, hyphens and underscores";
            complaints.push(Complaint::new(&["holder"], message, help));
        }
        complaints
    }
}
