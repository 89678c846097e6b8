//! What an engine did, counted from the entries that it wrote down.

use std::collections::BTreeMap;

use crate::account::Receipt;
use crate::base::Nodes;
use crate::engine::Entry;

/// What an engine did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fold {
    /// Decisions taken.
    pub decisions: u64,
    /// Orders that were accepted.
    pub orders: u64,
    /// Orders that were refused.
    pub refused: u64,
    /// Accepted orders that took away what the one before had added, or added what it had taken away.
    pub reversals: u64,
    /// Decisions that ended in a hold, by the reason's code.
    pub holds: BTreeMap<&'static str, u64>,
    target: Option<Nodes>,
    grew: Option<bool>,
}

impl Fold {
    /// Takes in one entry.
    pub fn count(&mut self, entry: &Entry<'_>) {
        match entry {
            Entry::Decided { decision, .. } => {
                self.looked(decision.start.total());
                if let Some(reason) = decision.hold() {
                    *self.holds.entry(reason.code()).or_default() += 1;
                }
            }
            Entry::Settled { order, receipt } => match receipt {
                Receipt::Accepted => self.accepted(order.target.total()),
                Receipt::Refused(_) => self.refused += 1,
                Receipt::Withheld => {}
            },
            Entry::Started { .. } | Entry::Blind { .. } | Entry::Unmatched { .. } | Entry::Account { .. } => {
            }
        }
    }

    /// Takes in a decision about a pool with this target.
    pub(super) const fn looked(&mut self, target: Nodes) {
        self.decisions += 1;
        self.target = Some(target);
    }

    /// Returns how many decisions ended in a hold.
    pub fn held(&self) -> u64 {
        self.holds.values().sum()
    }

    /// An order that keeps the total and moves nodes between the lanes has no direction.
    fn accepted(&mut self, target: Nodes) {
        self.orders += 1;
        let before = self.target.replace(target).unwrap_or(target);
        if target == before {
            return;
        }
        let grew = target > before;
        self.reversals += u64::from(self.grew.is_some_and(|last| last != grew));
        self.grew = Some(grew);
    }
}
