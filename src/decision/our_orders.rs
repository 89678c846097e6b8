//! What is remembered of what was ordered, so that what others did is told from it.
//!
//! ```text
//! order accepted ─► open: targets between the old and the ordered ones are ours ─ a look later ─► closed
//!        └─ its answer was lost: open for some minutes
//! the target moves otherwise ─► somebody else's: respected for a while, then steered again
//! ```

use serde::{Deserialize, Serialize};

use crate::account::{AllocationState, Order, OwnFormula, PoolState, Receipt, RefusalKind};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};

/// What is remembered of the orders that went out to one pool, and of what happened to it beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct OurOrders {
    /// The latest order that was taken, or may have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<OurOrder>,
    /// The latest change by somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreign: Option<OthersChange>,
    /// Since when the resize has been seen that is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resizing_since: Option<Timestamp>,
    /// When the latest formula of ours was installed, or may have been.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leased_at: Option<Timestamp>,
    /// Whether an order of ours closed nodes to further tasks, and none since opened all of them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// An order of ours that was taken, or may have been.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OurOrder {
    /// When.
    pub at: Timestamp,
    /// The least that the pool's targets may be because of it.
    pub low: Mix,
    /// The most.
    pub high: Mix,
    /// Until when a change of the target is taken for its doing; `None` once that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_until: Option<Timestamp>,
}

/// What somebody else did to a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OthersChange {
    /// When it was seen.
    pub at: Timestamp,
    /// The target before.
    pub from: Mix,
    /// The target after.
    pub to: Mix,
    /// Whether the pool was given another formula, or was taken one that it had.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub formula: bool,
}

/// An order whose answer was lost may be carried out as long as the service could still be busy with it: requests end within
/// half a minute there, and what stands in a queue before it, after some.
const LOST_ANSWER: Span = Span::minutes(5);

impl OurOrders {
    /// Takes in a look at the pool; `before` is the one before it.
    pub fn see(&mut self, before: &PoolState, now: Timestamp, pool: &PoolState) {
        self.note_resize(before, now, pool);
        let Some(latest) = self.latest else { return };
        let formula = changed_formula(before, pool);
        let target = before.target != pool.target && !before.auto_scale && !pool.auto_scale;
        if (formula || target) && !latest.explains(pool.target, formula) {
            self.foreign = Some(OthersChange {
                at: now,
                from: before.target,
                to: pool.target,
                formula,
            });
        }
        if let Some(latest) = &mut self.latest
            && latest.open_until.is_some_and(|until| until <= now)
        {
            latest.open_until = None;
        }
    }

    fn note_resize(&mut self, before: &PoolState, now: Timestamp, pool: &PoolState) {
        let is_resizing = pool.allocation != AllocationState::Steady;
        let is_same = before.allocation != AllocationState::Steady && before.target == pool.target;
        self.resizing_since = match self.resizing_since {
            Some(since) if is_resizing && is_same => Some(since),
            _ => is_resizing.then_some(now),
        };
    }

    /// Takes in what became of an order about a pool that was seen so.
    pub fn ordered(&mut self, order: &Order, pool: &PoolState, receipt: &Receipt) {
        let open_until = match receipt {
            // The next look, whenever that is, shows what was taken at once.
            Receipt::Accepted => order.at,
            Receipt::Refused(refusal) if may_be_half_done(order, refusal.kind) => order.at + LOST_ANSWER,
            Receipt::Refused(_) | Receipt::Withheld => return,
        };
        let closes = Lane::ALL
            .iter()
            .any(|lane| order.cordon.get(*lane) > pool.cordoned.get(*lane));
        self.closed = closes || self.closed && order.cordon != Mix::ZERO;
        let (before, held) = (pool.target, pool.held());
        let ends = |lane: Lane| {
            let nodes = [before, order.target].map(|mix| mix.get(lane));
            (nodes[0].min(nodes[1]), nodes[0].max(nodes[1]).max(held.get(lane)))
        };
        let [mut dedicated, mut spot] = Lane::ALL.map(ends);
        if let Some(replace) = &order.replace {
            // Until the pool is brought back to its target, it lacks the nodes that went.
            let gone = replace.broken + replace.away;
            dedicated.0 = dedicated.0.saturating_sub(gone);
            spot.0 = spot.0.saturating_sub(gone);
        }
        self.latest = Some(OurOrder {
            at: order.at,
            low: Mix {
                dedicated: dedicated.0,
                spot: spot.0,
            },
            high: Mix {
                dedicated: dedicated.1,
                spot: spot.1,
            },
            open_until: Some(open_until),
        });
        if order.lease.is_some() && may_be_installed(receipt) {
            self.leased_at = Some(order.at);
        }
    }
}

/// Says whether a formula may be on the pool: one whose answer was lost counts, because the service takes no other for a while then,
/// and because the pool has to be given up with it.
fn may_be_installed(receipt: &Receipt) -> bool {
    match receipt {
        Receipt::Accepted => true,
        Receipt::Refused(refusal) => refusal.kind == RefusalKind::Unreachable,
        Receipt::Withheld => false,
    }
}

/// Says whether an order that was refused may have been carried out, or a first part of it.
fn may_be_half_done(order: &Order, kind: RefusalKind) -> bool {
    let has_parts = order.release || order.replace.is_some() || order.lease.is_some();
    match kind {
        RefusalKind::Unreachable => true,
        RefusalKind::Resizing | RefusalKind::Throttled => has_parts,
        _ => false,
    }
}

impl OurOrder {
    /// Says whether a change can be its doing; a formula changes by those alone that install or remove one.
    fn explains(&self, target: Mix, formula: bool) -> bool {
        let within = Lane::ALL.iter().all(|lane| {
            let range: std::ops::RangeInclusive<Nodes> = self.low.get(*lane)..=self.high.get(*lane);
            range.contains(&target.get(*lane))
        });
        self.open_until.is_some() && (formula || within)
    }
}

/// Says whether a pool was given another formula, or was taken one that it had. A lease of ours that takes the place of another
/// is told by its mark, and is nobody else's.
fn changed_formula(before: &PoolState, pool: &PoolState) -> bool {
    // A text that is not told is not another one.
    let is_other = |one: &Option<OwnFormula>, other: &Option<OwnFormula>| match (one, other) {
        (Some(OwnFormula::Other(one)), Some(OwnFormula::Other(other))) => one != other,
        _ => false,
    };
    let is_lease = |pool: &PoolState| matches!(pool.formula, Some(OwnFormula::Lease(_)));
    before.auto_scale != pool.auto_scale
        || is_lease(before) != is_lease(pool)
        || is_other(&before.formula, &pool.formula)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Lease, LeaseOrder, Refusal};

    fn minute(minute: i64) -> Timestamp {
        Timestamp::EPOCH + Span::minutes(minute)
    }

    fn pool(target: Mix) -> PoolState {
        let mut pool = PoolState::new("p".parse().unwrap());
        pool.target = target;
        pool.current = target;
        pool
    }

    fn order(at: i64, target: Mix) -> Order {
        Order {
            target,
            ..Order::new("p".parse().unwrap(), minute(at))
        }
    }

    #[test]
    fn a_formula_whose_answer_was_lost_may_be_installed() {
        let refused = |kind| {
            Receipt::Refused(Refusal {
                kind,
                message: String::new(),
            })
        };
        for (receipt, installed) in [
            (Receipt::Accepted, true),
            (refused(RefusalKind::Unreachable), true),
            (refused(RefusalKind::Throttled), false),
            (refused(RefusalKind::Changed), false),
            (Receipt::Withheld, false),
        ] {
            let target = Mix::new(9, 0);
            let mut leases = order(3, target);
            leases.lease = Some(LeaseOrder {
                lease: Lease {
                    holder: "me".into(),
                    target,
                    until: minute(33),
                },
                formula: "".into(),
            });
            let mut ours = OurOrders::default();
            ours.ordered(&leases, &pool(Mix::new(4, 0)), &receipt);
            assert_eq!(ours.leased_at, installed.then_some(minute(3)), "{receipt:?}");
        }
    }

    /// What is taken for somebody else's when a pool that was ordered from 4 to 9 is seen with these targets, minute by minute.
    fn others(receipt: &Receipt, targets: &[u32]) -> Option<(i64, u32, u32)> {
        let mut ours = OurOrders::default();
        let mut before = pool(Mix::new(4, 0));
        ours.ordered(&order(0, Mix::new(9, 0)), &before, receipt);
        for (at, target) in (1..).zip(targets) {
            let seen = pool(Mix::new(*target, 0));
            ours.see(&before, minute(at), &seen);
            before = seen;
        }
        let minutes = |at: Timestamp| at.since(Timestamp::EPOCH).ticks() / Span::minutes(1).ticks();
        ours.foreign
            .map(|change| (minutes(change.at), change.from.dedicated.0, change.to.dedicated.0))
    }

    #[test]
    fn what_an_order_can_have_done_is_ours_for_one_look_or_until_a_lost_answer_is_too_old() {
        let lost = Receipt::Refused(Refusal {
            kind: RefusalKind::Unreachable,
            message: String::new(),
        });
        let (taken, kept_back) = (Receipt::Accepted, Receipt::Withheld);
        assert_eq!(others(&taken, &[9, 9, 9]), None);
        assert_eq!(others(&taken, &[7, 7]), None, "only so many nodes were idle");
        assert_eq!(others(&taken, &[10, 10]), Some((1, 4, 10)));
        assert_eq!(
            others(&taken, &[9, 9, 7, 7]),
            Some((3, 9, 7)),
            "the order is over"
        );
        assert_eq!(others(&lost, &[4, 4, 9, 9]), None, "it was carried out late");
        assert_eq!(others(&lost, &[4, 4, 4, 4, 4, 4, 9]), Some((7, 4, 9)));
        assert_eq!(
            others(&kept_back, &[9, 2, 9]),
            None,
            "who orders nothing knows no others"
        );
    }

    #[test]
    fn a_resize_is_as_old_as_its_target() {
        use AllocationState::{Resizing, Steady, Stopping};
        let mut ours = OurOrders::default();
        let mut before = pool(Mix::new(4, 0));
        let mut see = |at, target, allocation| {
            let mut seen = pool(Mix::new(target, 0));
            seen.allocation = allocation;
            ours.see(&before, minute(at), &seen);
            before = seen;
            ours.resizing_since
        };
        assert_eq!(see(1, 4, Steady), None);
        assert_eq!(see(2, 9, Resizing), Some(minute(2)));
        assert_eq!(see(3, 9, Resizing), Some(minute(2)));
        assert_eq!(see(4, 9, Stopping), Some(minute(2)));
        assert_eq!(see(5, 6, Resizing), Some(minute(5)), "it was ordered anew");
        assert_eq!(see(6, 6, Steady), None);
    }
}
