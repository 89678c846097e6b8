//! The evictions of the past hour, minute by minute: enough to know a storm when it comes.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Span, Timestamp};

/// The minutes of the past hour in which nodes were evicted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Recent {
    minutes: VecDeque<Minute>,
}

/// One minute with evictions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Minute {
    /// Minutes since 1970.
    at: i64,
    /// Nodes evicted in it.
    evicted: u32,
    /// The most nodes that there were before.
    fleet: u32,
}

/// Evictions of a stretch of time, and of how many nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Toll {
    /// Nodes that were evicted.
    pub evicted: Nodes,
    /// The most nodes that there were before an eviction; 0 when there was none.
    pub fleet: Nodes,
}

/// A storm that is over for an hour is no storm.
const MINUTES_KEPT: i64 = 60;

impl Recent {
    pub(super) fn count(&mut self, at: Timestamp, evicted: u32, fleet: u32) {
        let minute = minute_of(at);
        let newest = self.minutes.back().map_or(minute, |last| last.at.max(minute));
        let place = self.minutes.partition_point(|kept| kept.at < minute);
        match self.minutes.get_mut(place) {
            Some(kept) if kept.at == minute => {
                kept.evicted = kept.evicted.saturating_add(evicted);
                kept.fleet = kept.fleet.max(fleet);
            }
            _ => self.minutes.insert(
                place,
                Minute {
                    at: minute,
                    evicted,
                    fleet,
                },
            ),
        }
        // A record from elsewhere may hold more than an hour's.
        self.minutes.retain(|kept| kept.at > newest - MINUTES_KEPT);
    }

    /// Returns what was evicted within a span before an instant, to the minute; of an hour at most.
    pub(super) fn toll(&self, at: Timestamp, within: Span) -> Toll {
        let (oldest, newest) = (minute_of(at - within), minute_of(at));
        let counted = self
            .minutes
            .iter()
            .filter(|kept| oldest < kept.at && kept.at <= newest);
        counted.fold(Toll::default(), |toll, kept| Toll {
            evicted: toll.evicted + Nodes(kept.evicted),
            fleet: toll.fleet.max(Nodes(kept.fleet)),
        })
    }
}

impl Toll {
    /// Returns the share of the fleet that went, 0 to 1.
    pub fn share(self) -> f64 {
        if self.fleet == Nodes::ZERO {
            return 0.0;
        }
        (self.evicted.as_f64() / self.fleet.as_f64()).min(1.0)
    }
}

fn minute_of(at: Timestamp) -> i64 {
    at.ticks().div_euclid(Span::minutes(1).ticks())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tolls_count_what_is_recent_and_forget_the_rest() {
        let mut recent = Recent::default();
        let at = |minutes| Timestamp::EPOCH + Span::minutes(minutes);
        for (minute, evicted, fleet) in [(0, 1, 10), (5, 2, 10), (5, 1, 8), (9, 4, 7)] {
            recent.count(at(minute), evicted, fleet);
        }
        let toll = |minute, span| {
            let toll = recent.toll(at(minute), Span::minutes(span));
            (toll.evicted.0, toll.fleet.0)
        };
        assert_eq!(toll(9, 5), (7, 10));
        assert_eq!(toll(9, 4), (4, 7));
        assert_eq!(toll(9, 30), (8, 10));
        assert_eq!(toll(200, 5), (0, 0));
        assert_eq!(Toll::default().share(), 0.0);
        recent.count(at(500), 1, 3);
        assert_eq!(recent.minutes.len(), 1);
        recent.count(at(1), 1, 3);
        assert_eq!(recent.minutes.len(), 1);
    }
}
