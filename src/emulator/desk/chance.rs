//! Chance that is the same for a seed and survives a restart: a seed and how often it was asked.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::{Deserialize, Serialize};

use crate::base::Span;
use crate::sim::Times;

/// Seeded chance of a whole account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    pub(super) const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Returns a generator for one draw; the number of draws is all that a restart has to remember.
    pub(super) fn once(&mut self) -> Pcg64Mcg {
        self.drawn += 1;
        // The odd constant of Fibonacci hashing spreads neighbouring counts over the seeds.
        Pcg64Mcg::seed_from_u64(self.seed ^ self.drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    /// Says yes with a chance from 0 to 1; a chance of zero draws nothing.
    pub(super) fn happens(&mut self, chance: f64) -> bool {
        chance > 0.0 && self.once().random::<f64>() < chance
    }

    /// Draws a time between two, in whole milliseconds.
    pub(super) fn between(&mut self, least: Span, most: Span) -> Span {
        if least >= most {
            return least;
        }
        let share = self.once().random::<f64>();
        (least + (most - least).scale(share)).whole_milliseconds()
    }

    /// Draws a time, in whole milliseconds.
    pub(super) fn time(&mut self, times: Times) -> Span {
        times.draw(&mut self.once()).whole_milliseconds()
    }

    /// Returns 16 random hex digits, as names of machines have.
    pub(super) fn hex(&mut self) -> String {
        format!("{:016x}", self.once().random::<u64>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_goes_on_where_it_was() {
        let mut chance = Chance::new(7);
        let first = chance.hex();
        let kept = serde_json::to_string(&chance).unwrap();
        let second = chance.hex();
        let mut again: Chance = serde_json::from_str(&kept).unwrap();
        assert_eq!(again.hex(), second);
        assert_ne!(first, second);
        let span = chance.between(Span::seconds(1), Span::seconds(2));
        assert!((Span::seconds(1)..=Span::seconds(2)).contains(&span));
        assert_eq!(span, span.whole_milliseconds());
    }
}
