//! Whether capacity is there: runs of it and outages, told from what is wanted and what is held.
//!
//! ```text
//!                    all held              short for longer than a grant takes
//!   unseen ──────────────► up ──────────────────────────────► down
//!      ▲                  ▲ │ ▲                                │ │
//!      │ nothing held     │ │ └───────── nodes come ───────────┘ │ no more is wanted
//!      └──────────────────┼─┤            (any state)             ▼
//!                         │ ▼ a shock                          hidden ── nodes come ──► up
//!              all held   shaken ── short ──► down
//! ```
//!
//! Hours are counted by the age of the run or outage; an age begins when we first see it.

use serde::{Deserialize, Serialize};

use super::tally::Tally;
use crate::base::{Span, Timestamp};
use crate::market::piecewise::overlaps;

/// Ages of a run of capacity at which its hazard may change, in hours.
pub(super) const UP_CUTS: [f64; 7] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0];
/// Bins of them.
pub(super) const UP_BINS: usize = UP_CUTS.len() + 1;

/// Ages of an outage at which its hazard of ending may change, in hours.
pub(super) const DOWN_CUTS: [f64; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
/// Bins of them.
pub(super) const DOWN_BINS: usize = DOWN_CUTS.len() + 1;

/// After a longer silence nobody knows what has been in between.
pub(super) const SILENCE_MAX: Span = Span::hours(1);

/// What is known of the capacity of a market.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "camelCase", deny_unknown_fields)]
pub enum Capacity {
    /// Nothing: nodes are neither held nor wanted, or nobody has looked.
    #[default]
    Unseen,
    /// Nodes that are wanted come.
    Up {
        /// When that began, or was first seen.
        since: Timestamp,
    },
    /// A shock has just taken nodes; whether more can be had is not known yet.
    Shaken,
    /// Nodes that are wanted do not come.
    Down {
        /// Since when.
        since: Timestamp,
    },
    /// They did not come, and no more are wanted: nobody sees whether they would.
    Hidden,
}

/// The state machine, and the hours and ends that it has counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Watch {
    pub(super) capacity: Capacity,
    pub(super) ups: Tally<UP_BINS>,
    pub(super) downs: Tally<DOWN_BINS>,
    /// The last look, with what was held.
    seen: Option<(Timestamp, u32)>,
    /// Since when less is held than wanted, without a node coming.
    short_since: Option<Timestamp>,
    /// Up to when the hours of this run or outage are counted.
    counted_to: Option<Timestamp>,
    /// Whether nodes have come since the last look.
    came: bool,
}

/// What a look has shown that others count as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// A run of capacity has ended without a shock.
    RanOut {
        /// The nodes that were held.
        held: u32,
    },
}

impl Watch {
    pub(super) const fn seen(&self) -> Option<(Timestamp, u32)> {
        self.seen
    }

    pub(super) fn note_arrival(&mut self) {
        self.came = true;
    }

    pub(super) fn fade(&mut self, factor: f64) {
        self.ups.fade(factor);
        self.downs.fade(factor);
    }

    /// Takes in a look; `grant` is how long a node may take to come before the market is said to be short.
    pub(super) fn look(&mut self, at: Timestamp, wanted: u32, held: u32, grant: Span) -> Option<Turn> {
        let before = self.seen.replace((at, held));
        if before.is_some_and(|(seen, _)| at - seen > SILENCE_MAX) {
            self.capacity = Capacity::Unseen;
            self.short_since = None;
        }
        let came = std::mem::take(&mut self.came) || before.is_some_and(|(_, last)| held > last);
        if came && held > 0 {
            self.nodes_came(at);
            self.short_since = (wanted > held).then_some(at);
            return None;
        }
        if wanted > held {
            return self.is_short(at, held, grant);
        }
        self.short_since = None;
        self.has_all(at, held);
        None
    }

    /// Ends the run of capacity with a shock that began at an instant.
    pub(super) fn shock(&mut self, began: Timestamp) {
        if let Capacity::Up { since } = self.capacity {
            let began = began.max(since);
            self.count_up(since, began);
            self.ups.count(bin(&UP_CUTS, began - since), 1.0);
        }
        if !matches!(self.capacity, Capacity::Down { .. }) {
            self.capacity = Capacity::Shaken;
        }
    }

    fn nodes_came(&mut self, at: Timestamp) {
        match self.capacity {
            Capacity::Up { since } => self.count_up(since, at),
            Capacity::Down { since } => {
                self.count_down(since, at);
                self.downs.count(bin(&DOWN_CUTS, at - since), 1.0);
                self.begin(Capacity::Up { since: at }, at);
            }
            Capacity::Unseen | Capacity::Shaken | Capacity::Hidden => {
                self.begin(Capacity::Up { since: at }, at);
            }
        }
    }

    fn is_short(&mut self, at: Timestamp, held: u32, grant: Span) -> Option<Turn> {
        let short_since = *self.short_since.get_or_insert(at);
        if let Capacity::Down { since } = self.capacity {
            self.count_down(since, at);
            return None;
        }
        // The hours of waiting for a grant are counted when it is known what they were.
        if at - short_since < grant {
            return None;
        }
        let ended = if let Capacity::Up { since } = self.capacity {
            let ran_out = short_since.max(since);
            self.count_up(since, ran_out);
            self.ups.count(bin(&UP_CUTS, ran_out - since), 1.0);
            Some(Turn::RanOut { held })
        } else {
            None
        };
        self.begin(Capacity::Down { since: short_since }, short_since);
        self.count_down(short_since, at);
        ended
    }

    fn has_all(&mut self, at: Timestamp, held: u32) {
        match self.capacity {
            Capacity::Up { since } if held > 0 => self.count_up(since, at),
            Capacity::Up { .. } => self.capacity = Capacity::Unseen,
            Capacity::Down { since } => {
                self.count_down(since, at);
                self.capacity = Capacity::Hidden;
            }
            Capacity::Shaken | Capacity::Unseen if held > 0 => self.begin(Capacity::Up { since: at }, at),
            Capacity::Shaken | Capacity::Unseen | Capacity::Hidden => {}
        }
    }

    fn begin(&mut self, capacity: Capacity, at: Timestamp) {
        self.capacity = capacity;
        self.counted_to = Some(at);
    }

    fn count_up(&mut self, since: Timestamp, to: Timestamp) {
        let (from, to) = self.uncounted(since, to);
        for (bin, hours) in overlaps(&UP_CUTS, from, to) {
            self.ups.watch(bin, hours);
        }
    }

    fn count_down(&mut self, since: Timestamp, to: Timestamp) {
        let (from, to) = self.uncounted(since, to);
        for (bin, hours) in overlaps(&DOWN_CUTS, from, to) {
            self.downs.watch(bin, hours);
        }
    }

    /// Returns from and to which age, in hours, is not counted yet, and moves on to there.
    fn uncounted(&mut self, since: Timestamp, to: Timestamp) -> (f64, f64) {
        let from = self.counted_to.unwrap_or(since).max(since);
        self.counted_to = Some(to.max(from));
        ((from - since).as_hours(), (to - since).as_hours())
    }
}

fn bin(cuts: &[f64], age: Span) -> usize {
    cuts.partition_point(|cut| *cut <= age.as_hours())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::EPOCH + Span::minutes(minutes)
    }

    /// Looks every minute from one to another, both included.
    fn look(watch: &mut Watch, from: i64, to: i64, wanted: u32, held: u32) {
        for minute in from..=to {
            watch.look(at(minute), wanted, held, Span::minutes(5));
        }
    }

    fn up_since(minutes: i64) -> Capacity {
        Capacity::Up { since: at(minutes) }
    }

    #[test]
    fn an_outage_is_seen_after_the_time_of_a_grant_and_dated_back() {
        let mut watch = Watch::default();
        look(&mut watch, 0, 60, 4, 4);
        assert_eq!(watch.capacity, up_since(0));
        look(&mut watch, 61, 65, 6, 4);
        assert_eq!(watch.capacity, up_since(0));
        let turn = watch.look(at(66), 6, 4, Span::minutes(5));
        assert_eq!(turn, Some(Turn::RanOut { held: 4 }));
        assert_eq!(watch.capacity, Capacity::Down { since: at(61) });
        look(&mut watch, 67, 91, 6, 4);
        look(&mut watch, 92, 92, 6, 5);
        assert_eq!(watch.capacity, up_since(92));
        // A run of 61 minutes: it ends in the bin from 1 to 2 hours; an outage of 31 minutes.
        let mut ups = Tally::<UP_BINS>::default();
        for (bin, hours) in [(0, 0.25), (1, 0.25), (2, 0.5), (3, 1.0 / 60.0)] {
            ups.watch(bin, hours);
        }
        ups.count(3, 1.0);
        let mut downs = Tally::<DOWN_BINS>::default();
        for (bin, hours) in [(0, 0.25), (1, 0.25), (2, 1.0 / 60.0)] {
            downs.watch(bin, hours);
        }
        downs.count(2, 1.0);
        assert_near(&watch.ups, &ups);
        assert_near(&watch.downs, &downs);
    }

    fn assert_near<const N: usize>(tally: &Tally<N>, expected: &Tally<N>) {
        let prior = [0.5; N];
        for (a, b) in tally.rates(prior, 1.0).iter().zip(expected.rates(prior, 1.0)) {
            let is_near = (a.events - b.events).abs() < 1e-9 && (a.hours / b.hours - 1.0).abs() < 1e-9;
            assert!(is_near, "{tally:?} is not {expected:?}");
        }
    }

    #[test]
    fn a_slow_grant_is_no_outage() {
        let mut watch = Watch::default();
        look(&mut watch, 0, 10, 4, 4);
        for step in 0..5 {
            look(
                &mut watch,
                11 + 4 * step,
                14 + 4 * step,
                9,
                4 + u32::try_from(step).unwrap(),
            );
        }
        look(&mut watch, 31, 40, 9, 9);
        assert_eq!(watch.capacity, up_since(0));
        assert_eq!(watch.ups.events() + watch.downs.events(), 0.0);
    }

    #[test]
    fn an_outage_that_nobody_waits_for_is_not_seen_to_end() {
        let mut watch = Watch::default();
        look(&mut watch, 0, 30, 4, 2);
        assert_eq!(watch.capacity, Capacity::Down { since: at(0) });
        look(&mut watch, 31, 60, 2, 2);
        assert_eq!(watch.capacity, Capacity::Hidden);
        assert_eq!(watch.downs.events(), 0.0);
        look(&mut watch, 61, 61, 3, 3);
        assert_eq!(watch.capacity, up_since(61));
        assert_eq!(watch.downs.events(), 0.0);
    }

    #[test]
    fn a_shock_ends_a_run_once_whether_an_outage_follows_or_not() {
        let mut watch = Watch::default();
        look(&mut watch, 0, 60, 4, 4);
        watch.shock(at(60));
        assert_eq!((watch.capacity, watch.ups.events()), (Capacity::Shaken, 1.0));
        look(&mut watch, 61, 70, 4, 0);
        assert_eq!(watch.capacity, Capacity::Down { since: at(61) });
        assert_eq!(watch.ups.events(), 1.0);
        look(&mut watch, 71, 71, 4, 4);
        watch.shock(at(80));
        look(&mut watch, 80, 81, 1, 1);
        assert_eq!((watch.capacity, watch.ups.events()), (up_since(80), 2.0));
    }

    #[test]
    fn silence_and_an_empty_pool_are_no_evidence() {
        let mut watch = Watch::default();
        look(&mut watch, 0, 10, 4, 4);
        look(&mut watch, 200, 200, 4, 4);
        assert_eq!(watch.capacity, up_since(200));
        look(&mut watch, 201, 210, 0, 0);
        assert_eq!(watch.capacity, Capacity::Unseen);
        assert_eq!(watch.ups.events(), 0.0);
    }
}
