//! What the swarm finds: a law that was broken, where, and the command that shows it again.

use std::fmt;

use super::plan::{Ground, Plan};
use crate::base::Timestamp;

/// A law of the house that can be seen from outside.
///
/// | law | invariant of the house | held against |
/// |---|---|---|
/// | `total` | 1 the engine is total: nothing that a user or a network says makes it panic | every world, by catching |
/// | `chain` | 2 a decision is a chain, its outcome is its last link | every decision, as it was written |
/// | `line` | 3 no order without its line, no line without a reason | every order and every request that writes |
/// | `order` | 3 what is sent is what was ordered | the targets before and after each request |
/// | `foreign` | 3 an order carries what it was decided on, so that whoever changed the pool since wins | the same |
/// | `blind` | 4 a failed observation never shrinks a pool | what the look brought, and which answers were spoilt |
/// | `thin` | 4 nor does a stale or thin one | the samples that were told, counted apart from the engine |
/// | `bounds` | 6 an outcome lies within bounds, quota and money, or moves no further from them; modes and halts hold | every decision |
/// | `shares` | 6 all orders of a tick together keep to what the account shares | every tick |
/// | `replay` | 5 a ledger is decided again to the same bytes, and what was remembered comes back from it | every life |
/// | `memory` | 8 what is remembered is bounded | every start |
/// | `bill` | 6, 7 a bill is the sum of its lines: report, memory and what nodes truly were there add up | every life, and the calm |
/// | `rest` | once nothing fails any more, pools come to where their policies want them | every look of the calm |
/// | `same` | the same seed is the same world | worlds that are lived twice |
///
/// Invariant 9 (client and emulator are held against recorded facts) is none that a world of ours could break: `tests/all/azure`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// No input makes anything panic.
    Total,
    /// Each step of a decision starts where the last ended, and a hold ends where it started.
    Chain,
    /// No order without its ledger line.
    Line,
    /// A request that changes something belongs to an order that is being carried out, and does what it says.
    Order,
    /// Whoever changed a pool since we looked wins.
    Foreign,
    /// A failed observation never shrinks a pool.
    Blind,
    /// A stale or thin observation never shrinks a pool.
    Thin,
    /// An outcome lies within bounds, or moves no further from them.
    Bounds,
    /// All orders together keep to what the account shares.
    Shares,
    /// A ledger replays to the same bytes, and what was remembered comes back from it.
    Replay,
    /// What is remembered is bounded.
    Memory,
    /// Bills add up.
    Bill,
    /// Once nothing fails any more, work is done and pools come to rest where their policies want them.
    Rest,
    /// The same seed is the same world.
    Same,
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Total,
        Self::Chain,
        Self::Line,
        Self::Order,
        Self::Foreign,
        Self::Blind,
        Self::Thin,
        Self::Bounds,
        Self::Shares,
        Self::Replay,
        Self::Memory,
        Self::Bill,
        Self::Rest,
        Self::Same,
    ];

    /// Returns its name, as `--plant` takes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Chain => "chain",
            Self::Line => "line",
            Self::Order => "order",
            Self::Foreign => "foreign",
            Self::Blind => "blind",
            Self::Thin => "thin",
            Self::Bounds => "bounds",
            Self::Shares => "shares",
            Self::Replay => "replay",
            Self::Memory => "memory",
            Self::Bill => "bill",
            Self::Rest => "rest",
            Self::Same => "same",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl std::str::FromStr for Law {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|law| law.word() == text);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{text}` is no law; there are {words}")
        })
    }
}

/// A law that was broken.
#[derive(Clone, Debug)]
pub struct Found {
    /// The world.
    pub plan: Plan,
    /// The law.
    pub law: Law,
    /// When, in the world's time.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

impl Found {
    /// Returns the command that shows it again.
    pub fn command(&self) -> String {
        let plan = &self.plan;
        let mut command = format!("lowtide swarm --seed {}", plan.seed);
        if plan.ground != Ground::default() {
            command += &format!(" --ground {}", plan.ground.word());
        }
        if let Some(hours) = plan.hours {
            command += &format!(" --hours {hours}");
        }
        if !plan.without.0.is_empty() {
            command += &format!(" --without {}", plan.without);
        }
        if let Some(law) = plan.plant {
            command += &format!(" --plant {law}");
        }
        command
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} breaks the law `{}` at {}\n  {}\n  again: {} --trace",
            self.plan.seed,
            self.law,
            self.at,
            self.what,
            self.command()
        )
    }
}
