//! How long spot stays away once it is away, learned from the outages that ended.
//!
//! Outages have heavy tails: the longer one has lasted, the longer it goes on. So the rate at which they end is learned piece
//! by piece of their age, and pieces that have seen little lean on the rate of all.

use serde::{Deserialize, Serialize};

use crate::base::Span;

/// Where the pieces begin, in minutes of an outage's age.
const EDGES: [f64; 8] = [0.0, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0];

/// Where what is left of an outage is looked at, in minutes from now.
const AHEAD: [f64; 13] = [
    2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 180.0, 240.0, 480.0,
];

/// Half of the evidence is gone after two weeks, some dozens of outages in the markets that were recorded.
const HALF_LIFE: Span = Span::days(14);

/// Before any outage is seen, one is believed to have ended in an hour; in each piece one at the rate of all.
const PRIOR_ENDS: f64 = 1.0;
const PRIOR_HOURS: f64 = 1.0;

/// The outages that ended, the latest weighing most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Outages {
    /// How many ended in each piece, faded.
    ended: [f64; EDGES.len()],
    /// The hours of outage in each piece, faded.
    hours: [f64; EDGES.len()],
}

impl Outages {
    /// Takes in that an outage of some age went on for a while, and whether it is over.
    pub fn learn(&mut self, age: Span, went_on: Span, over: bool) {
        let piece = piece_of(age.as_seconds() / 60.0);
        self.hours[piece] += went_on.as_hours().max(0.0);
        self.ended[piece] += f64::from(u8::from(over));
    }

    /// Lets time pass over what is known.
    pub fn fade(&mut self, passed: Span) {
        let kept = 0.5f64.powf(passed.as_seconds().max(0.0) / HALF_LIFE.as_seconds());
        for count in self.ended.iter_mut().chain(&mut self.hours) {
            *count *= kept;
        }
    }

    /// Returns for an outage of some age how long it may yet last, each span with its chance; the chances add up to 1, and
    /// the last span stands for more than eight hours.
    pub fn left(&self, age: Span) -> Vec<(Span, f64)> {
        let age = age.as_seconds() / 60.0;
        let (mut lasts, mut from) = (1.0, 0.0);
        let mut left: Vec<_> = AHEAD
            .iter()
            .map(|until| {
                let middle = f64::midpoint(from, *until);
                let goes_on = lasts * (-self.rate(age + middle) * (until - from) / 60.0).exp();
                let chance = lasts - goes_on;
                (lasts, from) = (goes_on, *until);
                (Span::from_seconds(60.0 * middle), chance)
            })
            .collect();
        left.push((Span::days(1), lasts));
        left
    }

    /// Returns the ends an hour of outages of some age in minutes.
    fn rate(&self, age: f64) -> f64 {
        let ends: f64 = self.ended.iter().sum();
        let hours: f64 = self.hours.iter().sum();
        let all = (ends + PRIOR_ENDS) / (hours + PRIOR_HOURS);
        let piece = piece_of(age);
        (self.ended[piece] + PRIOR_ENDS) / (self.hours[piece] + PRIOR_ENDS / all)
    }
}

fn piece_of(minutes: f64) -> usize {
    EDGES.partition_point(|edge| *edge <= minutes).max(1) - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn over_within(outages: &Outages, age: i64, minutes: i64) -> f64 {
        let left = outages.left(Span::minutes(age));
        let within = left.iter().filter(|(span, _)| *span <= Span::minutes(minutes));
        within.map(|(_, chance)| chance).sum()
    }

    #[test]
    fn an_outage_that_has_lasted_lasts() {
        let mut outages = Outages::default();
        // Of a hundred outages ninety end within five minutes and ten last for five hours.
        for outage in 0..100 {
            for minute in 0..5 {
                outages.learn(
                    Span::minutes(minute),
                    Span::minutes(1),
                    outage < 90 && minute == 4,
                );
            }
            for minute in (5..300).filter(|_| outage >= 90) {
                outages.learn(Span::minutes(minute), Span::minutes(1), minute == 299);
            }
        }
        assert!(over_within(&outages, 0, 5) > 0.5);
        assert!(over_within(&outages, 30, 5) < 0.1);
        let text = serde_json::to_string(&outages).unwrap();
        assert_eq!(serde_json::from_str::<Outages>(&text).unwrap(), outages);
    }

    proptest! {
        #[test]
        fn chances_add_up(
            learned in proptest::collection::vec((0i64..1000, 0i64..60, any::<bool>()), 0..50), age in 0i64..2000,
        ) {
            let mut outages = Outages::default();
            for (age, went_on, over) in learned {
                outages.learn(Span::minutes(age), Span::minutes(went_on), over);
                outages.fade(Span::minutes(went_on));
            }
            let left = outages.left(Span::minutes(age));
            prop_assert!(left.iter().all(|(_, chance)| (0.0..=1.0).contains(chance)));
            prop_assert!((left.iter().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
