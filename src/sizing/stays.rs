//! How long spot nodes stay, learned by their age.
//!
//! Losses come in bursts: a market that has just given a node takes it back sooner than one that has left it alone for hours,
//! and one rate for all ages would lose every long run. So the rate is learned piece by piece of a node's age, as that at
//! which [outages](super::Outages) end is, and pieces that have seen little lean on the rate of all.

use serde::{Deserialize, Serialize};

use crate::account::Work;
use crate::base::{Lane, Span, Timestamp};
use crate::market::Hazard;

/// Where the pieces begin, in hours of a node's age; the last has no end.
const EDGES: [f64; 9] = [0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0];

/// Before any is seen, one loss at the rate of all is believed to have happened in each piece.
const PRIOR_LOSSES: f64 = 1.0;

/// Nothing is lost so rarely that this is not often enough to reckon with.
const RATE_LEAST: f64 = 1e-6;

/// What was lost of the spot nodes at each age, as shares of the nodes held; the latest weighs most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Stays {
    /// The losses in each piece, faded.
    lost: [f64; EDGES.len()],
    /// The hours in each piece, faded.
    hours: [f64; EDGES.len()],
}

/// How long a fresh spot node stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stay {
    /// Losses an hour in each piece.
    rate: [f64; EDGES.len()],
    /// The chance to be there at the begin of each piece.
    there: [f64; EDGES.len()],
    /// The hours that it is there until then, in the mean.
    hours: [f64; EDGES.len()],
}

impl Stays {
    /// Says whether nothing has been seen.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Lets time pass over what is known.
    pub(super) fn fade(&mut self, kept: f64) {
        for count in self.lost.iter_mut().chain(&mut self.hours) {
            *count *= kept;
        }
    }

    /// Takes in what is seen a while after `since`, when so many spot nodes were held, and at what ages some were lost since.
    ///
    /// Nodes go together: what a hundred of them lose at once is one observation of the market, not a hundred.
    pub(super) fn see(&mut self, work: &Work, (held, lost): (u32, &[Span]), since: Timestamp, passed: Span) {
        let share = 1.0 / f64::from(held).max(lost.len() as f64);
        for age in lost {
            self.lost[piece_of(age.as_hours())] += share;
        }
        let nodes = work.nodes.iter().filter(|node| node.lane == Lane::Spot);
        let stayed = nodes.filter(|node| node.activity.is_there() && node.granted <= since);
        let share = passed.as_hours() / stayed.clone().count() as f64;
        for node in stayed {
            self.hours[piece_of((since - node.granted).as_hours())] += share;
        }
    }

    /// Returns how long a fresh node stays, where nodes of all ages are lost at a rate.
    pub(super) fn stay(&self, all: Hazard) -> Stay {
        let all = all.0.max(RATE_LEAST);
        let mut stay = Stay {
            rate: [0.0; EDGES.len()],
            there: [1.0; EDGES.len()],
            hours: [0.0; EDGES.len()],
        };
        for ((rate, lost), hours) in stay.rate.iter_mut().zip(&self.lost).zip(&self.hours) {
            *rate = ((lost + PRIOR_LOSSES) / (hours + PRIOR_LOSSES / all)).max(RATE_LEAST);
        }
        for (piece, edge) in EDGES.iter().enumerate().skip(1) {
            (stay.there[piece], stay.hours[piece]) = stay.in_piece(piece - 1, *edge);
        }
        stay
    }
}

impl Stay {
    /// Returns the chance that the node is there after so many hours, and for how many of them it is, in the mean.
    pub(super) fn after(&self, hours: f64) -> (f64, f64) {
        let hours = hours.max(0.0);
        self.in_piece(piece_of(hours), hours)
    }

    fn in_piece(&self, piece: usize, hours: f64) -> (f64, f64) {
        let goes_on = (-self.rate[piece] * (hours - EDGES[piece])).exp();
        let passed = self.there[piece] * (1.0 - goes_on) / self.rate[piece];
        (self.there[piece] * goes_on, self.hours[piece] + passed)
    }
}

fn piece_of(age: f64) -> usize {
    EDGES.partition_point(|edge| *edge <= age).max(1) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::{Node, NodeActivity, NodeEnd};
    use crate::sizing::learned::lost;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_seconds(60 * minute)
    }

    /// Of two nodes that come each day one is lost after ten minutes, and the other stays for a day.
    fn bursts(days: i64) -> Stays {
        let mut stays = Stays::default();
        for minute in (0..days * 1440).step_by(5) {
            let granted = at(minute / 1440 * 1440);
            let node = Node {
                lane: Lane::Spot,
                activity: NodeActivity::Ready,
                since: granted,
                granted,
                busy_slots: 1,
            };
            let end = NodeEnd {
                lane: Lane::Spot,
                granted,
                at: at(minute),
                evicted: true,
            };
            let age = minute % 1440;
            let work = Work {
                nodes: vec![node; if age < 10 { 2 } else { 1 }],
                ended: if age == 10 { vec![end] } else { Vec::new() },
                ..Work::default()
            };
            let (held, since) = (if age <= 10 { 2 } else { 1 }, at(minute - 5));
            stays.see(&work, (held, &lost(&work, since)), since, Span::minutes(5));
        }
        stays
    }

    #[test]
    fn a_node_that_has_stayed_for_an_hour_stays() {
        let stays = bursts(40);
        // Twenty losses, each a half of what was held, in 40 days less what is not looked at.
        assert!((stays.lost[0] - 20.0).abs() < 1e-9, "{stays:?}");
        let stay = stays.stay(Hazard(20.0 / 960.0));
        let (hour, day) = (stay.after(1.0).0, stay.after(24.0).0);
        assert!(hour < 0.95 && day > 0.85 * hour, "{hour} {day}");
        // What is not known leans on the rate of all.
        let unknown = Stays::default().stay(Hazard(0.05));
        let (there, hours) = unknown.after(10.0);
        assert!((there - (-0.5f64).exp()).abs() < 1e-9);
        assert!((hours - (1.0 - there) / 0.05).abs() < 1e-9);
        let mut old = stays;
        old.fade(1e-9);
        assert!((old.stay(Hazard(0.05)).after(10.0).0 - there).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn a_stay_is_a_chance_that_falls_and_hours_that_add_up(
            rate in 0.0f64..20.0, days in 0i64..4, hours in 0.0f64..100.0, more in 0.0f64..100.0,
        ) {
            let stay = bursts(days).stay(Hazard(rate));
            let (there, passed) = stay.after(hours);
            let (later, passed_later) = stay.after(hours + more);
            prop_assert!((0.0..=1.0).contains(&there) && later <= there + 1e-12);
            prop_assert!(passed <= passed_later + 1e-9 && passed_later <= passed + more * there + 1e-9);
        }

        #[test]
        fn it_comes_back_from_json(days in 0i64..3) {
            let stays = bursts(days);
            let text = serde_json::to_string(&stays).unwrap();
            prop_assert_eq!(serde_json::from_str::<Stays>(&text).unwrap(), stays);
        }
    }
}
