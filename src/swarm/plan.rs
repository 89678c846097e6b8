//! A world before it begins: its seed, how long it lasts, and what is left out of it.

use std::collections::BTreeSet;
use std::fmt;

use super::dice::{Dice, Purpose};
use super::faults::FaultKind;
use super::found::Law;
use crate::base::{Span, Timestamp};

/// Kinds of faults that do not happen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Without(pub BTreeSet<FaultKind>);

impl Without {
    /// Returns what leaves nothing that can go wrong.
    pub fn all() -> Self {
        Self(FaultKind::ALL.into_iter().collect())
    }
}

impl fmt::Display for Without {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::all() {
            return f.write_str("all");
        }
        let words: Vec<_> = self.0.iter().map(|kind| kind.word()).collect();
        f.write_str(&words.join(","))
    }
}

/// Reads one kind, or all of them.
impl std::str::FromStr for Without {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Self::all());
        }
        Ok(Self(BTreeSet::from([text.parse()?])))
    }
}

/// What the engine stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ground {
    /// The client and the emulated account: every request, byte for byte.
    #[default]
    Account,
    /// Simulated pools: no client and no request, but looks and orders that fail in the same ways; weeks in a second.
    Pools,
}

impl Ground {
    /// Returns its name, as `--ground` takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Pools => "pools",
        }
    }
}

impl std::str::FromStr for Ground {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = [Self::Account, Self::Pools]
            .into_iter()
            .find(|ground| ground.word() == text);
        found.ok_or_else(|| format!("`{text}` is nothing to stand on; write account or pools"))
    }
}

/// What a world is made by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed of everything.
    pub seed: u64,
    /// What the engine stands on.
    pub ground: Ground,
    /// The hours before calm, where they are not as the seed has them.
    pub hours: Option<u32>,
    /// What does not happen.
    pub without: Without,
    /// The law that is broken on purpose, where one is, so that it shows whether that is found.
    pub plant: Option<Law>,
}

impl Plan {
    /// Returns the world of a seed, whole.
    pub fn of(seed: u64) -> Self {
        Self {
            seed,
            ground: Ground::default(),
            hours: None,
            without: Without::default(),
            plant: None,
        }
    }

    /// Says whether this law is broken on purpose.
    pub(super) fn plants(&self, law: Law) -> bool {
        self.plant == Some(law)
    }

    /// Returns when nothing fails any more.
    pub fn calm_from(&self) -> Timestamp {
        self.start() + self.rough()
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
