//! How long spot machines last by themselves, whatever their unit does.

use rand::RngExt;
use rand_pcg::Pcg64Mcg;

use super::draw::exponential;
use crate::base::Span;
use crate::market::Life;

/// How long spot machines last.
#[derive(Clone, Debug, PartialEq)]
pub enum Lives {
    /// With the same chance to go at any age.
    Constant {
        /// Evictions of a machine in an hour, above zero.
        per_hour: f64,
    },
    /// As recorded ones did.
    Recorded(LifeTable),
}

/// How many of recorded machines lasted how long, by the estimate of Kaplan and Meier: a machine that its owner stopped
/// counts as one of those that were there up to then, and tells nothing of what would have come.
#[derive(Clone, Debug, PartialEq)]
pub struct LifeTable {
    /// Ages at which machines were taken, and the share that outlived each; ages rise and shares fall.
    steps: Vec<(Span, f64)>,
    n_lives: usize,
}

impl Lives {
    /// Draws how long a machine lasts; `None` when it is not taken.
    pub fn draw(&self, chance: &mut Pcg64Mcg) -> Option<Span> {
        match self {
            Self::Constant { per_hour } => Some(Span::from_seconds(exponential(chance) / per_hour * 3600.0)),
            Self::Recorded(table) => table.age_outlived_by(chance.random::<f64>()),
        }
    }
}

impl LifeTable {
    /// Returns the table of lives; `None` when the provider ended none.
    pub fn of(lives: &[Life]) -> Option<Self> {
        let mut lives: Vec<_> = lives.iter().map(|life| (life.length, life.ended)).collect();
        // At one age machines are taken before their owners stop them, as the estimate has it.
        lives.sort_unstable_by_key(|(life, taken)| (*life, !taken));
        let mut steps: Vec<(Span, f64)> = Vec::new();
        let mut share = 1.0;
        for (index, (life, _)) in lives.iter().enumerate().filter(|(_, (_, taken))| *taken) {
            share *= 1.0 - 1.0 / (lives.len() - index) as f64;
            match steps.last_mut() {
                Some(last) if last.0 == *life => last.1 = share,
                _ => steps.push((*life, share)),
            }
        }
        (!steps.is_empty()).then_some(Self {
            n_lives: lives.len(),
            steps,
        })
    }

    /// Returns how many lives were recorded.
    pub const fn n_lives(&self) -> usize {
        self.n_lives
    }

    /// Returns the share of machines that last longer than an age.
    pub fn survival(&self, age: Span) -> f64 {
        let passed = self.steps.partition_point(|(step, _)| *step <= age);
        passed.checked_sub(1).map_or(1.0, |last| self.steps[last].1)
    }

    /// Returns the first age that no more than a share of the machines outlives; `None` when more outlive every one.
    fn age_outlived_by(&self, share: f64) -> Option<Span> {
        let at = self.steps.partition_point(|(_, outlive)| *outlive > share);
        self.steps.get(at).map(|(age, _)| *age)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::base::Timestamp;

    #[test]
    fn machines_that_their_owner_stopped_were_there_up_to_then() {
        // Of five, one goes at 10; two are stopped at 20; of the other two one goes at 30, the last is stopped at 40.
        let lives =
            [(30, true), (20, false), (10, true), (20, false), (40, false)].map(|(length, ended)| Life {
                started: Timestamp::EPOCH,
                length: Span::seconds(length),
                ended,
            });
        assert_eq!(LifeTable::of(&lives[3..]), None);
        let table = LifeTable::of(&lives).unwrap();
        for (age, share) in [(9, 1.0), (10, 0.8), (29, 0.8), (30, 0.4), (1000, 0.4)] {
            assert!(
                (table.survival(Span::seconds(age)) - share).abs() < 1e-12,
                "{age}"
            );
        }
        let lives = Lives::Recorded(table);
        let mut chance = Pcg64Mcg::seed_from_u64(1);
        let drawn: Vec<_> = (0..10_000).map(|_| lives.draw(&mut chance)).collect();
        let share = |life: Option<Span>| drawn.iter().filter(|drawn| **drawn == life).count() as f64 / 1e4;
        assert!((share(Some(Span::seconds(10))) - 0.2).abs() < 0.02);
        assert!((share(Some(Span::seconds(30))) - 0.4).abs() < 0.03);
        assert!((share(None) - 0.4).abs() < 0.03);
    }
}
