//! What nodes cost: the price of each hour that they were there.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Held, held_for};
use crate::account::PoolId;
use crate::base::{Span, Timestamp, Usd};

/// Nodes are taken to be there from one look to the next, but no longer than this: after a longer pause nobody knows.
pub const HELD_FOR_MAX: Span = Span::minutes(15);

/// What one pool cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// The pool.
    pub pool: PoolId,
    /// The first look.
    pub from: Timestamp,
    /// The last look.
    pub to: Timestamp,
    /// Hours of dedicated nodes.
    pub dedicated_node_hours: f64,
    /// Hours of spot nodes that were not preempted.
    pub spot_node_hours: f64,
    /// What the dedicated ones cost.
    pub dedicated: Usd,
    /// What the spot ones cost.
    pub spot: Usd,
    /// Both.
    pub total: Usd,
    /// Hours of nodes whose price the ledger does not tell; they are in no sum.
    pub unpriced_node_hours: f64,
    /// Hours between looks that were too far apart to say what was there; they are in no sum.
    pub unseen_hours: f64,
}

/// The costs while they are added up.
#[derive(Debug, Default)]
pub(super) struct Fold(BTreeMap<PoolId, (Held, Cost)>);

impl Fold {
    pub(super) fn see(&mut self, held: &Held) {
        let Some((last, cost)) = self.0.get_mut(&held.pool) else {
            let blank = Cost::blank(held);
            self.0.insert(held.pool.clone(), (held.clone(), blank));
            return;
        };
        if let Some(span) = held_for(last.at, held.at) {
            cost.add(last, span);
            cost.unseen_hours += ((held.at - last.at) - span).as_hours();
            cost.to = held.at;
        }
        last.clone_from(held);
    }

    pub(super) fn finish(self) -> Vec<Cost> {
        self.0.into_values().map(|(_, cost)| cost).collect()
    }
}

impl Cost {
    fn blank(held: &Held) -> Self {
        Self {
            pool: held.pool.clone(),
            from: held.at,
            to: held.at,
            dedicated_node_hours: 0.0,
            spot_node_hours: 0.0,
            dedicated: Usd::ZERO,
            spot: Usd::ZERO,
            total: Usd::ZERO,
            unpriced_node_hours: 0.0,
            unseen_hours: 0.0,
        }
    }

    fn add(&mut self, held: &Held, span: Span) {
        let hours = span.as_hours();
        let nodes = [held.nodes.dedicated.as_f64(), held.nodes.spot.as_f64()];
        let Some(prices) = held.prices else {
            self.unpriced_node_hours += (nodes[0] + nodes[1]) * hours;
            return;
        };
        self.dedicated_node_hours += nodes[0] * hours;
        self.spot_node_hours += nodes[1] * hours;
        self.dedicated += Usd(nodes[0] * hours * prices[0]);
        self.spot += Usd(nodes[1] * hours * prices[1]);
        self.total = self.dedicated + self.spot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Mix;

    #[test]
    fn nodes_cost_from_look_to_look_and_a_pause_costs_a_quarter_of_an_hour() {
        let mut fold = Fold::default();
        let mut see = |minute: i64, nodes: (u32, u32), prices: Option<[f64; 2]>| {
            fold.see(&Held {
                pool: "farm".parse().unwrap(),
                at: Timestamp::from_unix_seconds(minute * 60),
                nodes: Mix::new(nodes.0, nodes.1),
                prices,
            });
        };
        let prices = Some([1.0, 0.25]);
        see(0, (2, 4), prices);
        see(6, (4, 0), prices);
        see(126, (1, 1), None);
        see(132, (0, 0), prices);
        let cost = fold.finish().remove(0);
        let close = |one: f64, other: f64| assert!((one - other).abs() < 1e-9, "{one} {other}");
        close(cost.dedicated_node_hours, 0.2 + 1.0);
        close(cost.spot_node_hours, 0.4);
        close(cost.total.0, 1.2 + 0.1);
        close(cost.unpriced_node_hours, 0.2);
        close(cost.unseen_hours, 2.0 - 0.25);
    }
}
