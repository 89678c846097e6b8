//! Chance of a world, one stream for each purpose, so that what one part draws moves no other.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::base::Span;

/// A stream of chance.
#[derive(Clone, Debug)]
pub(super) struct Dice(Pcg64Mcg);

/// What a stream is for; the numbers keep found seeds as they were and are never used again.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Plan = 1,
    Policies = 2,
    Account = 3,
    People = 4,
    Weather = 5,
    Wire = 6,
    Ledger = 7,
    Receipts = 8,
}

impl Dice {
    pub(super) fn new(seed: u64, purpose: Purpose) -> Self {
        // The odd constant of Fibonacci hashing keeps neighbouring seeds apart.
        let mixed = seed
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(17)
            .wrapping_add(purpose as u64);
        Self(Pcg64Mcg::seed_from_u64(mixed))
    }

    /// Says yes with a chance from 0 to 1.
    pub(super) fn chance(&mut self, chance: f64) -> bool {
        self.0.random::<f64>() < chance
    }

    /// Returns a number from 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.0.random()
    }

    /// Returns a number between two, both possible.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        self.0.random_range(least..=most.max(least))
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.0.random_range(0..from.len())]
    }

    /// Returns a span between two in whole milliseconds; short ones are as likely as long ones of ten times the length.
    pub(super) fn span(&mut self, least: Span, most: Span) -> Span {
        let (least, most) = (least.as_seconds().max(0.001), most.as_seconds().max(0.001));
        let seconds = (least.ln() + (most.ln() - least.ln()) * self.share()).exp();
        Span::from_seconds(seconds).whole_milliseconds()
    }

    pub(super) fn seed(&mut self) -> u64 {
        self.0.random()
    }
}
