//! What is remembered of a pool's spot market, and of how the pool met it.

use serde::{Deserialize, Serialize};

use crate::account::PoolState;
use crate::base::{Lane, Nodes, Span, Timestamp};
use crate::market::{Assumptions, Learner, Look};

/// What is remembered of the spot market of one pool by those who split a need at the least expected cost.
///
/// All of it follows from what is seen at each look, so that a dry run over recorded looks remembers the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SpotMemory {
    /// What the market does.
    pub learner: Learner,
    /// When dedicated nodes were last added, by the look before it was seen, which is when an order of ours went out.
    pub dedicated_added: Option<Timestamp>,
    /// The latest look.
    seen: Option<Seen>,
}

/// What a look saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Seen {
    at: Timestamp,
    dedicated_target: Nodes,
    held: Nodes,
}

impl SpotMemory {
    /// Takes in a look at the pool at which `lost` spot nodes were found taken away; the same look counts once.
    pub fn see(&mut self, assumptions: &Assumptions, now: Timestamp, pool: &PoolState, lost: Nodes) {
        let held = spot_there(pool);
        let seen = Seen {
            at: now,
            dedicated_target: pool.target.dedicated,
            held,
        };
        let before = self.seen.replace(seen);
        if before.is_some_and(|before| before.at == now) {
            return;
        }
        let mut look = Look {
            wanted: pool.target.spot,
            held,
            ..Look::default()
        };
        if let Some(before) = before {
            look.evicted = lost;
            look.arrived = (held + lost).saturating_sub(before.held);
            if pool.target.dedicated > before.dedicated_target {
                self.dedicated_added = Some(before.at);
            }
        }
        self.learner.look(assumptions, now, look);
    }

    /// Returns for how long no dedicated node has been added; `None` when none was ever seen to be.
    pub fn settled_for(&self, now: Timestamp) -> Option<Span> {
        self.dedicated_added.map(|added| now - added)
    }
}

/// Returns the spot nodes that are there, booting ones among them: all but those that were taken away.
pub fn spot_there(pool: &PoolState) -> Nodes {
    pool.current.get(Lane::Spot).saturating_sub(pool.nodes.preempted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Mix;

    #[test]
    fn losses_arrivals_and_outages_are_told_from_counts() {
        let mut memory = SpotMemory::default();
        let assumptions = Assumptions::default();
        let at = |minute: i64| Timestamp::from_unix_seconds(60 * minute);
        let mut see = |minute, target, current, preempted, lost| {
            let mut pool = PoolState::new("p".parse().unwrap());
            (pool.target, pool.current) = (target, current);
            pool.nodes.preempted = Nodes(preempted);
            memory.see(&assumptions, at(minute), &pool, Nodes(lost));
            memory.clone()
        };
        see(0, Mix::new(0, 4), Mix::new(0, 4), 0, 0);
        let lost = see(1, Mix::new(0, 4), Mix::new(0, 4), 3, 3);
        assert!(lost.learner.seen().evictions > 2.9, "{:?}", lost.learner.seen());
        // The same look again counts once.
        assert_eq!(see(1, Mix::new(0, 4), Mix::new(0, 4), 3, 3), lost);
        for minute in 2..12 {
            see(minute, Mix::new(0, 4), Mix::new(0, 4), 3, 0);
        }
        let after = see(12, Mix::new(3, 4), Mix::new(0, 4), 3, 0);
        assert!(after.learner.down_for(at(12)).is_some(), "{after:?}");
        assert_eq!(after.dedicated_added, Some(at(11)));
        assert_eq!(after.settled_for(at(12)), Some(Span::minutes(1)));
        let text = serde_json::to_string(&after).unwrap();
        assert_eq!(serde_json::from_str::<SpotMemory>(&text).unwrap(), after);
    }
}
