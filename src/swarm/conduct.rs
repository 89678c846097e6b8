//! What we may do at this moment: nothing, but for the time in which an order is being carried out.

use crate::account::{Order, Removal};
use crate::base::{Lane, Mix, Nodes};

/// An order that is being carried out, as the service's side sees it.
#[derive(Clone, Debug)]
pub(super) struct Conduct {
    pub(super) order: Order,
    /// The targets of the pool when it was decided.
    pub(super) start: Mix,
    /// How often the targets were changed for it.
    pub(super) n_changes: u32,
    /// The nodes that are there, none of which with a task may go by an order that takes idle ones alone.
    pub(super) there: Mix,
}

impl Conduct {
    pub(super) fn new(order: &Order, start: Mix) -> Self {
        Self {
            order: order.clone(),
            start,
            n_changes: 0,
            there: Mix::ZERO,
        }
    }

    /// Judges a change of the targets that a request of ours made; returns what is wrong with it, where something is.
    pub(super) fn judge(&mut self, before: Mix, after: Mix) -> Result<(), Wrong> {
        if before == after {
            return Ok(());
        }
        self.n_changes += 1;
        // A formula may change targets by itself, before it is disabled and after it came.
        let by_formula = self.order.lease.is_some() || self.order.release;
        if by_formula {
            return Ok(());
        }
        if self.n_changes == 1 && before != self.start {
            return Err(Wrong::Foreign(format!(
                "pool {} had a target of {} when the order to {} took effect, and of {} when it was decided",
                self.order.pool, before, self.order.target, self.start
            )));
        }
        let order = &self.order;
        // Nodes that are replaced are taken off the target before it is ordered again.
        let gone = order
            .replace
            .map_or(Nodes::ZERO, |replace| replace.broken + replace.away);
        let kept = match order.removal {
            Removal::Idle => self.there,
            Removal::Any => Mix::ZERO,
        };
        for lane in Lane::ALL {
            let (from, to, ordered) = (before.get(lane), after.get(lane), order.target.get(lane));
            let most = from.max(ordered).max(kept.get(lane));
            if to < from.min(ordered).saturating_sub(gone) || most < to {
                return Err(Wrong::Order(format!(
                    "pool {}: an order from {} to {} took the target from {before} to {after}",
                    order.pool, self.start, order.target
                )));
            }
        }
        if order.removal == Removal::Any && order.replace.is_none() && after != order.target {
            return Err(Wrong::Order(format!(
                "pool {}: {} was ordered and {after} asked for",
                order.pool, order.target
            )));
        }
        Ok(())
    }
}

/// What is wrong with a change.
#[derive(Clone, Debug)]
pub(super) enum Wrong {
    /// It runs over somebody else's.
    Foreign(String),
    /// It is not what was ordered.
    Order(String),
}
