//! A world before it begins: its seed, how long it lasts, and what is left out of it.

use std::collections::BTreeSet;

use super::dice::{Dice, Purpose};
use super::faults::FaultKind;
use crate::base::{Span, Timestamp};

/// Kinds of faults that do not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without(pub BTreeSet<FaultKind>);

/// What a world is made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed of everything.
    pub seed: u64,
    /// The hours before calm, where they are not as the seed has them.
    pub hours: Option<u32>,
    /// What does not happen.
    pub without: Without,
}

impl Plan {
    /// Returns the world of a seed, whole.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            hours: None,
            without: Without::default(),
        }
    }

    /// Says whether a kind of fault happens.
    pub fn has(&self, kind: FaultKind) -> bool {
        !self.without.0.contains(&kind)
    }

    /// Returns when the world begins: some time of some year, so that clocks change and months end.
    pub fn start(&self) -> Timestamp {
        let mut dice = Dice::new(self.seed, Purpose::Plan);
        // 2026, and a year of hours.
        let begin = Timestamp::from_unix_seconds(1_767_225_600);
        begin
            + Span::hours(i64::from(dice.between(0, 365 * 24)))
            + Span::seconds(i64::from(dice.between(0, 3599)))
    }

    /// Returns how long it is rough: most worlds live for hours to days, some for weeks.
    pub fn rough(&self) -> Span {
        if let Some(hours) = self.hours {
            return Span::hours(i64::from(hours));
        }
        let mut dice = Dice::new(self.seed, Purpose::Plan);
        let _ = (dice.share(), dice.share());
        if dice.chance(0.04) {
            dice.span(Span::days(7), Span::days(21))
        } else {
            dice.span(Span::hours(2), Span::days(3))
        }
    }

    /// Returns how long it is calm after that.
    pub fn calm(&self) -> Span {
        if self.hours.is_some() {
            Self::CALM.scale(0.5)
        } else {
            Self::CALM
        }
    }

    /// The time in which everything has come to rest after the last fault: tasks of up to two hours, one after the other on
    /// what little a quota leaves, cooldowns, steps and fallbacks.
    pub const CALM: Span = Span::hours(12);
}
