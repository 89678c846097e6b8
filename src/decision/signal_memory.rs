//! What is remembered of signals from outside: the latest look at each, and the last number that was whole.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Memory;
use crate::base::{Span, Timestamp};
use crate::signal::{Found, Lack, Reading, SignalId};

/// What is remembered of the signals of one pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SignalMemory {
    signals: BTreeMap<SignalId, SignalPast>,
}

/// What is remembered of one signal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignalPast {
    /// When what was found was taken.
    pub taken: Timestamp,
    /// What the latest look found.
    pub found: Found,
    /// The last number that was whole, where the latest look found none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<KnownValue>,
}

/// A number that was whole.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KnownValue {
    /// When it was taken.
    pub taken: Timestamp,
    /// How much.
    pub value: f64,
}

/// What a decision knows of a signal.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalSight {
    /// A whole number, new enough.
    Fresh(KnownValue),
    /// A part of the number, new enough: the whole is no less.
    Partial(KnownValue, Option<KnownValue>),
    /// A whole number that is too old.
    Stale(KnownValue),
    /// No number, for this reason; and the last one that was whole.
    Lacking(Lack, Option<KnownValue>),
}

/// Clocks of two machines differ by so much at the most, where both are kept; a number from later is dated in the future.
const CLOCKS_APART_MAX: Span = Span::minutes(2);

impl SignalMemory {
    /// Says whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.signals.is_empty()
    }

    /// Takes in what a look told; signals that it did not tell of are missing from then on.
    pub fn hear(&mut self, now: Timestamp, readings: &[Reading]) {
        let untold = |id: &SignalId| !readings.iter().any(|reading| reading.signal == *id);
        for (_, past) in self.signals.iter_mut().filter(|(id, _)| untold(id)) {
            past.find(now, Found::Lacking(Lack::Untold));
        }
        for reading in readings {
            self.take_in(now, reading);
        }
        let oldest = now - Memory::HISTORY_KEPT;
        self.signals.retain(|id, past| {
            let known = past.known.is_some_and(|known| known.taken >= oldest);
            known || !untold(id)
        });
    }

    fn take_in(&mut self, now: Timestamp, reading: &Reading) {
        let (taken, found) = match &reading.found {
            Found::Lacking(lack) => (now, Found::Lacking(lack.clone())),
            _ if reading.taken > now + CLOCKS_APART_MAX => (now, Found::Lacking(Lack::Ahead)),
            found => (reading.taken.min(now), found.clone()),
        };
        let past = self.signals.entry(reading.signal.clone()).or_insert(SignalPast {
            taken,
            found: Found::Lacking(Lack::Untold),
            known: None,
        });
        past.find(taken, found);
    }

    /// Returns what is remembered of each signal.
    pub fn iter(&self) -> impl Iterator<Item = (&SignalId, &SignalPast)> {
        self.signals.iter()
    }

    /// Returns what is known of a signal; a number of that age or more is stale.
    pub fn sight(&self, signal: &SignalId, now: Timestamp, stale_after: Span) -> SignalSight {
        let Some(past) = self.signals.get(signal) else {
            return SignalSight::Lacking(Lack::Untold, None);
        };
        let told = |value: f64| KnownValue {
            taken: past.taken,
            value,
        };
        let is_stale = now.since(past.taken) >= stale_after;
        match &past.found {
            Found::Value(value) if is_stale => SignalSight::Stale(told(*value)),
            Found::Value(value) => SignalSight::Fresh(told(*value)),
            Found::AtLeast(value) if is_stale => SignalSight::Stale(told(*value)),
            Found::AtLeast(value) => SignalSight::Partial(told(*value), past.known),
            Found::Lacking(lack) => SignalSight::Lacking(lack.clone(), past.known),
        }
    }
}

impl SignalPast {
    fn find(&mut self, taken: Timestamp, found: Found) {
        if let Found::Value(value) = self.found {
            let (taken, value) = (self.taken, value);
            self.known = Some(KnownValue { taken, value });
        }
        if matches!(found, Found::Value(_)) {
            self.known = None;
        }
        (self.taken, self.found) = (taken, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn reading(taken: i64, found: Found) -> Reading {
        Reading {
            signal: "file:depth".into(),
            taken: at(taken),
            found,
        }
    }

    #[test]
    fn the_last_whole_number_outlives_what_is_missing() {
        let mut memory = SignalMemory::default();
        let sight =
            |memory: &SignalMemory, now| memory.sight(&"file:depth".into(), at(now), Span::minutes(3));
        let five = KnownValue {
            taken: at(90),
            value: 5.0,
        };
        assert_eq!(sight(&memory, 100), SignalSight::Lacking(Lack::Untold, None));
        memory.hear(at(100), &[reading(90, Found::Value(5.0))]);
        assert_eq!(sight(&memory, 100), SignalSight::Fresh(five));
        assert_eq!(sight(&memory, 270), SignalSight::Stale(five));
        memory.hear(at(160), &[]);
        assert_eq!(
            sight(&memory, 160),
            SignalSight::Lacking(Lack::Untold, Some(five))
        );
        memory.hear(at(220), &[reading(0, Found::Lacking(Lack::Empty))]);
        assert_eq!(sight(&memory, 220), SignalSight::Lacking(Lack::Empty, Some(five)));
        memory.hear(at(280), &[reading(280, Found::AtLeast(2.0))]);
        let two = KnownValue {
            taken: at(280),
            value: 2.0,
        };
        assert_eq!(sight(&memory, 280), SignalSight::Partial(two, Some(five)));
        let text = serde_json::to_string(&memory).unwrap();
        assert_eq!(serde_json::from_str::<SignalMemory>(&text).unwrap(), memory);
        memory.hear(at(340), &[reading(340, Found::Value(0.0))]);
        let zero = KnownValue {
            taken: at(340),
            value: 0.0,
        };
        assert_eq!(sight(&memory, 340), SignalSight::Fresh(zero));
        // A week later nobody asks for it any more.
        memory.hear(at(340 + 8 * 86_400), &[]);
        assert!(memory.is_empty());
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nothing_new() {
        let mut memory = SignalMemory::default();
        memory.hear(at(100), &[reading(130, Found::Value(5.0))]);
        let SignalSight::Fresh(known) = memory.sight(&"file:depth".into(), at(100), Span::minutes(3)) else {
            panic!("half a minute is two clocks")
        };
        assert_eq!(known.taken, at(100), "what is true now is no newer than now");
        memory.hear(at(200), &[reading(2_000, Found::Value(5.0))]);
        let sight = memory.sight(&"file:depth".into(), at(200), Span::minutes(3));
        assert_eq!(sight, SignalSight::Lacking(Lack::Ahead, Some(known)));
    }
}
