//! How a mix is brought within the bounds of a policy.

use super::{Bounds, Range};
use crate::base::{Lane, Mix, Nodes};
use crate::decision::{BoundName, Decision, Reason, Stage};

impl Range {
    /// Returns the range from `min` to `max`.
    pub const fn new(min: u32, max: u32) -> Self {
        Self {
            min: Nodes(min),
            max: Nodes(max),
        }
    }

    /// Returns the count in the range that is nearest.
    pub fn clamp(self, nodes: Nodes) -> Nodes {
        nodes.clamp(self.min, self.max)
    }

    /// Returns how far outside the range a count lies.
    pub fn distance(self, nodes: Nodes) -> Nodes {
        Nodes(nodes.0.abs_diff(self.clamp(nodes).0))
    }
}

impl Default for Bounds {
    /// Nothing to 1,000 nodes: more than the default quota of an account, so that a formula without an upper bound meets
    /// one here before it meets the bill.
    fn default() -> Self {
        let any = Range::new(0, Self::NODES_DEFAULT_MAX);
        Self {
            total: any,
            dedicated: any,
            spot: any,
        }
    }
}

impl Bounds {
    /// The upper bound where a policy sets none.
    pub const NODES_DEFAULT_MAX: u32 = 1000;

    /// Returns the range of one lane.
    pub const fn lane(&self, lane: Lane) -> Range {
        match lane {
            Lane::Dedicated => self.dedicated,
            Lane::Spot => self.spot,
        }
    }

    /// Says whether some mix meets all bounds; a policy whose bounds contradict each other is refused when it is read.
    pub fn can_be_met(&self) -> bool {
        let ordered = [self.total, self.dedicated, self.spot]
            .iter()
            .all(|range| range.min <= range.max);
        ordered
            && self.dedicated.min + self.spot.min <= self.total.max
            && self.total.min <= self.dedicated.max + self.spot.max
    }

    /// Brings the outcome so far within the bounds, one step for each bound that moves it.
    ///
    /// Lanes first, then the total: too many nodes go from spot first, because dedicated ones are those that a pool can
    /// count on; missing nodes come as dedicated ones first, for the same reason.
    pub fn restrain(&self, decision: &mut Decision) {
        assert!(self.can_be_met(), "bounds are checked when a policy is read");
        for (lane, bound) in [
            (Lane::Dedicated, BoundName::Dedicated),
            (Lane::Spot, BoundName::Spot),
        ] {
            let (from, range) = (decision.outcome(), self.lane(lane));
            let to = from.with(lane, range.clamp(from.get(lane)));
            step(decision, bound, range, from.get(lane), to);
        }
        let from = decision.outcome();
        step(
            decision,
            BoundName::Total,
            self.total,
            from.total(),
            self.within_total(from),
        );
    }

    /// Returns the mix within the bounds that is nearest: lanes first, then the total.
    #[must_use]
    pub fn fit(&self, mix: Mix) -> Mix {
        let lanes = Mix {
            dedicated: self.dedicated.clamp(mix.dedicated),
            spot: self.spot.clamp(mix.spot),
        };
        self.within_total(lanes)
    }

    /// Returns the bounds with a lower end of their total, though never one that the least bounds contradict.
    #[must_use]
    pub fn at_most(&self, most: Nodes) -> Self {
        let least = self.total.min.max(self.dedicated.min + self.spot.min);
        let mut lower = *self;
        lower.total.max = self.total.max.min(most.max(least));
        lower
    }

    fn within_total(&self, mix: Mix) -> Mix {
        let mut mix = mix;
        for lane in [Lane::Spot, Lane::Dedicated] {
            let excess = mix.total().saturating_sub(self.total.max);
            let room = mix.get(lane).saturating_sub(self.lane(lane).min);
            mix = mix.with(lane, mix.get(lane).saturating_sub(excess.min(room)));
        }
        for lane in [Lane::Dedicated, Lane::Spot] {
            let lack = self.total.min.saturating_sub(mix.total());
            let room = self.lane(lane).max.saturating_sub(mix.get(lane));
            mix = mix.with(lane, mix.get(lane) + lack.min(room));
        }
        mix
    }

    /// Returns how far a mix lies outside each bound: total, dedicated, spot.
    pub fn distances(&self, mix: Mix) -> [Nodes; 3] {
        [
            self.total.distance(mix.total()),
            self.dedicated.distance(mix.dedicated),
            self.spot.distance(mix.spot),
        ]
    }

    /// Says whether `to` lies within the bounds, or at least no further outside any of them than `from`.
    pub fn allow(&self, from: Mix, to: Mix) -> bool {
        let (before, after) = (self.distances(from), self.distances(to));
        after.iter().zip(&before).all(|(after, before)| after <= before)
    }
}

fn step(decision: &mut Decision, bound: BoundName, range: Range, asked: Nodes, to: Mix) {
    if to != decision.outcome() {
        let reason = Reason::Bound {
            bound,
            min: range.min,
            max: range.max,
            asked,
        };
        decision.step(Stage::Restrain, to, reason);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spot_gives_way_first_and_dedicated_come_first() {
        let bounds = Bounds {
            total: Range::new(4, 10),
            dedicated: Range::new(1, 6),
            spot: Range::new(0, 8),
        };
        for (asked, expected) in [
            (Mix::new(6, 8), Mix::new(6, 4)),
            (Mix::new(1, 1), Mix::new(3, 1)),
            (Mix::new(2, 2), Mix::new(2, 2)),
        ] {
            assert_eq!(bounds.within_total(asked), expected, "{asked}");
        }
    }

    #[test]
    fn contradictory_bounds_are_seen() {
        let any = Bounds::default();
        let small = Range::new(0, 3);
        for (bounds, expected) in [
            (any, true),
            (
                Bounds {
                    total: Range::new(5, 9),
                    dedicated: small,
                    spot: small,
                },
                true,
            ),
            (
                Bounds {
                    total: Range::new(7, 9),
                    dedicated: small,
                    spot: small,
                },
                false,
            ),
            (
                Bounds {
                    total: small,
                    dedicated: Range::new(4, 5),
                    ..any
                },
                false,
            ),
            (
                Bounds {
                    spot: Range::new(2, 1),
                    ..any
                },
                false,
            ),
        ] {
            assert_eq!(bounds.can_be_met(), expected, "{bounds:?}");
        }
    }
}
