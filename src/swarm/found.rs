//! What the swarm finds: a law that was broken, where, and the command that shows it again.

use std::fmt;

use super::plan::Plan;
use crate::base::Timestamp;

/// A law of the house that can be seen from outside.
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
    /// A failed, stale or thin observation never shrinks a pool.
    Blind,
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
        if let Some(hours) = plan.hours {
            command += &format!(" --hours {hours}");
        }
        if !plan.without.0.is_empty() {
            let words: Vec<_> = plan.without.0.iter().map(|kind| kind.word()).collect();
            command += &format!(" --without {}", words.join(","));
        }
        command
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "seed {} breaks the law of {:?} at {}\n  {}\n  again: {} --trace",
            self.plan.seed,
            self.law,
            self.at,
            self.what,
            self.command()
        )
    }
}
