//! How many nodes of each lane are ordered for the steps of the queue.

use super::super::Lanes;
use super::DueSight;
use super::slots::{rounds, served};
use super::steps::Step;
use crate::base::{Lane, Nodes, Span, Timestamp};

/// The share of the slack in which spot may work off a queue by nodes that serve several tasks each.
const PACKED_SHARE: f64 = 0.2;

/// No outage is believed to be shorter than the slack for sure.
const OUTLASTS_LEAST: f64 = 0.02;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DedicatedOrder {
    /// The slots to order.
    pub(super) slots: f64,
    /// Whether dedicated nodes are needed, those that are there included.
    pub(super) is_needed: bool,
    /// The slots from the head of the queue on that dedicated nodes must serve: a spot node that comes would take their tasks.
    pub(super) kept: f64,
}

impl DueSight<'_> {
    /// Returns the slots of dedicated nodes to order for the steps that cannot be left to spot.
    pub(super) fn dedicated_order(
        &self,
        steps: &[Step],
        dedicated: &[f64],
        spot: &[f64],
        outage: Option<Timestamp>,
    ) -> DedicatedOrder {
        let mut order = DedicatedOrder::default();
        let room = (self.most.as_f64() * f64::from(self.slots) - dedicated.len() as f64).max(0.0);
        // What runs on spot may come back, all at once.
        let running = self.work.running.iter();
        let on_spot: f64 = running
            .filter(|task| task.lane == Lane::Spot)
            .map(|task| f64::from(task.slots))
            .sum();
        let all = self.most.as_f64() * f64::from(self.slots);
        // A node that boots comes no later than one that is ordered now.
        let soonest = self.learned.boot().as_seconds();
        for step in steps {
            let by = step.by.since(self.now).as_seconds();
            let ahead = by - step.switch.as_seconds();
            let later = ahead - self.interval.as_seconds();
            let soon = spot.iter().filter(|free| **free <= by).count() as f64;
            let needed = step.slots - soon.min(self.idle(spot));
            if needed <= 0.0 {
                continue;
            }
            let rounds_later = rounds(later, step.each);
            let is_too_much = |share: f64| needed + on_spot > share * all * rounds_later;
            let worth = self.rounds_worth(step, outage);
            // No node is shared by more tasks than there are.
            let pays = rounds_later
                < worth.min(if dedicated.is_empty() {
                    needed.ceil()
                } else {
                    worth
                });
            let is_due = later < 0.0 || is_too_much(1.0) || pays;
            // Nodes that are there are not sent away to be called back a task later.
            let stays = rounds_later <= 2.0 * worth || is_too_much(0.5);
            order.is_needed |= is_due || (!dedicated.is_empty() && stays);
            if later < 0.0 {
                order.kept = order.kept.max(needed);
            }
            let missing = needed - served(dedicated, by.max(soonest), step.each);
            if is_due && missing > 0.0 {
                let slots = (missing / rounds(ahead, step.each)).ceil();
                order.slots = order.slots.max(slots.min(room));
            }
        }
        order
    }

    /// Returns how many slots of the queue start too late even when as many nodes as there may be are ordered now.
    pub(super) fn beyond_reach(&self, steps: &[Step], dedicated: &[f64], spot: &[f64], away: bool) -> u32 {
        let slots = |most: Nodes, there: &[f64]| {
            (most.as_f64() * f64::from(self.slots) - there.len() as f64).max(0.0)
        };
        let more = slots(self.most, dedicated) + if away { 0.0 } else { slots(self.most_spot, spot) };
        let short = steps.iter().map(|step| {
            let by = step.by.since(self.now).as_seconds();
            let ahead = by - step.switch.as_seconds();
            let ordered = if ahead < 0.0 {
                0.0
            } else {
                more * rounds(ahead, step.each)
            };
            step.slots - served(dedicated, by, step.each) - served(spot, by, step.each) - ordered
        });
        // A task that must start within the time of a change is late by a part of it, and that is told when it is so.
        let in_reach = steps
            .iter()
            .zip(short)
            .filter(|(step, _)| step.by - step.switch >= self.now);
        in_reach
            .map(|(_, short)| short.ceil().max(0.0) as u32)
            .max()
            .unwrap_or(0)
    }

    /// Returns how many slots are free or boot: those serve a task each that nobody else waits for.
    pub(super) fn idle(&self, spot: &[f64]) -> f64 {
        let running = self.work.running.iter().filter(|task| task.lane == Lane::Spot);
        let busy: f64 = running.map(|task| f64::from(task.slots)).sum();
        (spot.len() as f64 - busy).max(0.0)
    }

    /// Returns with how many tasks one after another a dedicated node is worth more than a further wait for spot.
    ///
    /// With `m` tasks to a node, waiting until `m − 1` are left boots `1 ÷ (m (m − 1))` nodes more for each task when spot does
    /// not return meanwhile, with chance `1 − p`; when it does, `1 ÷ m` of the tasks have been spared a boot and the difference
    /// in price.
    pub(super) fn rounds_worth(&self, step: &Step, outage: Option<Timestamp>) -> f64 {
        if self.lanes == Lanes::Dedicated {
            return f64::INFINITY;
        }
        let Some(since) = outage else { return 1.0 };
        let each = step.each / 3600.0;
        let left = self.learned.outages.left(self.now - since);
        let returns = returns_within(&left, Span::from_seconds(step.each)).max(1e-6);
        let boot = self.learned.boot().as_hours();
        let saved = returns * (boot + (1.0 - self.spot_share) * each);
        1.0 + ((1.0 - returns) * boot / saved).floor()
    }

    /// Returns the slots of spot nodes to order beside those that are there.
    pub(super) fn spot_order(
        &self,
        steps: &[Step],
        dedicated: &[f64],
        spot: &[f64],
        order: &DedicatedOrder,
    ) -> f64 {
        let Some(first) = steps.first() else { return 0.0 };
        let packed = self.packed((first.by - first.switch).since(self.now));
        let soonest = self.learned.boot().as_seconds();
        let mut most = 0.0_f64;
        for step in steps {
            let by = step.by.since(self.now).as_seconds();
            let ahead = (by - step.switch.as_seconds()).max(0.0);
            let window = packed.as_seconds().min(PACKED_SHARE * ahead);
            // Dedicated nodes that are closed serve nothing further.
            let there = if order.is_needed {
                served(dedicated, window.max(soonest), step.each)
            } else {
                0.0
            };
            let ordered = order.slots * rounds(ahead, step.each);
            // What must be on dedicated nodes needs no others, though these serve it one task after another.
            let there = (there + ordered).max(order.kept.min(step.slots));
            let left = step.slots - there - served(spot, window.max(soonest), step.each);
            most = most.max((left / rounds(window, step.each)).ceil());
        }
        most
    }

    /// Returns how long spot may take for a queue by nodes that serve several tasks each.
    ///
    /// Over a window `w` each task pays the share `run ÷ w` of a boot at the spot price; an outage that comes before the task
    /// does, at rate `h` over half of the window in the mean, and that outlasts the slack with chance `u`, costs the difference
    /// in price for its run. The least of both together is at `w² = 2 ρ boot ÷ (h u (1 − ρ))`.
    pub(super) fn packed(&self, slack: Span) -> Span {
        let left = self.learned.outages.left(Span::ZERO);
        let outlasts = (1.0 - returns_within(&left, slack)).max(OUTLASTS_LEAST);
        let hazard = self.learned.spot_loss(self.prior).mean().0.max(1e-6);
        let premium = (1.0 - self.spot_share).max(1e-3);
        let boot = self.learned.boot().as_hours();
        let hours = (2.0 * self.spot_share * boot / (hazard * outlasts * premium)).sqrt();
        Span::from_seconds(3600.0 * hours.min(24.0))
    }
}

fn returns_within(left: &[(Span, f64)], within: Span) -> f64 {
    let soon = left.iter().filter(|(span, _)| *span <= within);
    soon.map(|(_, chance)| chance).sum::<f64>().clamp(0.0, 1.0)
}
