//! All that recorded lives say: every family fitted and scored, hazards by age, and the curve without a model.

use super::{
    AgeHazard, EvictionModel, Family, Fit, Hazard, Life, Outset, SurvivalStep, hazards_by_age, hold_out,
    kaplan_meier, score_per_end,
};
use crate::base::{Probability, Span, Timestamp};

/// Recorded lives, studied.
#[derive(Clone, Debug, PartialEq)]
pub struct Study {
    /// Lives.
    pub n_lives: usize,
    /// Of them, those that ended by themselves.
    pub n_ended: usize,
    /// Hours of life.
    pub hours: f64,
    /// The longest life, ended or not.
    pub longest: Span,
    /// Lives that were kept from the fits that are scored.
    pub n_held_out: usize,
    /// The families in their order; those that cannot have made the lives have no fit.
    pub families: Vec<Studied>,
    /// Hazards by age.
    pub hazards: Vec<AgeHazard>,
    /// Kaplan and Meier's estimate.
    pub curve: Vec<SurvivalStep>,
}

/// A family fitted to all lives, and scored on lives that it was not fitted to.
#[derive(Clone, Debug, PartialEq)]
pub struct Studied {
    /// The family.
    pub family: Family,
    /// The fit to all lives.
    pub fit: Option<Fit>,
    /// The logarithm of the likelihood for each end held out, of a fit to the others; more is better.
    pub held_out: Option<f64>,
}

/// Ages, in hours, between which hazards are told: 5, 15 and 30 minutes, then hours up to a day, then days.
const AGE_CUTS: [f64; 15] = [
    1.0 / 12.0,
    0.25,
    0.5,
    1.0,
    2.0,
    4.0,
    8.0,
    12.0,
    16.0,
    20.0,
    24.0,
    48.0,
    96.0,
    192.0,
    384.0,
];

impl Study {
    /// Studies lives; about a share of them, drawn with a seed, is held out to score on.
    pub fn of(lives: &[Life], share: Probability, seed: u64) -> Self {
        let (kept, held) = hold_out(lives, share, seed);
        let otherwise = constant_rate(&kept);
        let study = |family: Family| {
            let held_out = family
                .fit(&kept)
                .and_then(|fit| score_per_end(&fit.lifetime, otherwise?, &held));
            Studied {
                family,
                fit: family.fit(lives),
                held_out,
            }
        };
        Self {
            n_lives: lives.len(),
            n_ended: lives.iter().filter(|life| life.ended).count(),
            // The sum of nothing would be -0.
            hours: lives.iter().map(Life::hours).fold(0.0, |sum, hours| sum + hours),
            longest: lives.iter().map(|life| life.length).max().unwrap_or(Span::ZERO),
            n_held_out: held.len(),
            families: Family::ALL.into_iter().map(study).collect(),
            hazards: hazards_by_age(lives, &AGE_CUTS),
            curve: kaplan_meier(lives),
        }
    }

    /// Returns the fit that foretold the lives held out best; where none was scored, the one with the least of Akaike's
    /// criterion.
    pub fn best(&self) -> Option<&Fit> {
        let scored = self.families.iter().filter_map(|studied| {
            let fit = studied.fit.as_ref()?;
            Some((studied.held_out?, fit))
        });
        let by_score = scored.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, fit)| fit);
        let fits = self.families.iter().filter_map(|studied| studied.fit.as_ref());
        by_score.or_else(|| fits.min_by(|a, b| a.aic().total_cmp(&b.aic())))
    }

    /// Returns the age that half of all do not reach, without a model; `None` when more than half were seen to outlive all ends.
    pub fn median(&self) -> Option<Span> {
        let step = self.curve.iter().find(|step| step.survival <= 0.5)?;
        Some(super::hazard::hours(step.hours))
    }

    /// Returns the share that survives an age, without a model.
    pub fn survival(&self, hours: f64) -> f64 {
        let n_steps = self.curve.partition_point(|step| step.hours <= hours);
        n_steps
            .checked_sub(1)
            .map_or(1.0, |last| self.curve[last].survival)
    }
}

impl Fit {
    /// Returns the longest task that is cheaper on spot nodes of this lifetime at a ratio of the prices, restarted from scratch
    /// on fresh nodes that take no time to boot; `None` when every task is.
    pub fn break_even_length(&self, ratio: f64) -> Option<Span> {
        let model = EvictionModel::AgeDependent {
            lifetime: self.lifetime.clone(),
        };
        model.break_even_length(Outset::fresh(Timestamp::EPOCH, Span::ZERO), ratio, Span::ZERO)
    }
}

/// Returns ends over hours; `None` when nothing ended.
fn constant_rate(lives: &[Life]) -> Option<Hazard> {
    let n_ended = lives.iter().filter(|life| life.ended).count();
    (n_ended > 0).then(|| Hazard(n_ended as f64 / lives.iter().map(Life::hours).sum::<f64>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_study_counts_and_chooses() {
        let lives: Vec<_> = (1..=200_i64)
            .map(|n| Life {
                started: Timestamp::from_unix_seconds(n),
                // Quantiles of an exponential with a mean of two hours; every fourth was stopped.
                length: Span::from_seconds(-7200.0 * (1.0 - (n as f64 - 0.5) / 200.0).ln()),
                ended: n % 4 != 0,
            })
            .collect();
        let study = Study::of(&lives, Probability::new(0.3).unwrap(), 0);
        assert_eq!((study.n_lives, study.n_ended), (200, 150));
        assert!((30..90).contains(&study.n_held_out));
        assert!(
            study
                .families
                .iter()
                .all(|studied| studied.fit.is_some() && studied.held_out.is_some())
        );
        assert!(study.best().is_some());
        let median = study.median().unwrap().as_hours();
        assert!((study.survival(median) - 0.5).abs() < 0.02 && study.survival(0.0) == 1.0);
        let without = Study::of(&lives, Probability::ZERO, 0);
        assert_eq!(without.n_held_out, 0);
        let least = without.families.iter().filter_map(|studied| studied.fit.as_ref());
        let least = least.map(Fit::aic).fold(f64::INFINITY, f64::min);
        assert_eq!(without.best().map(Fit::aic), Some(least));
    }

    #[test]
    fn lives_without_an_end_have_no_model() {
        let lives = [Life {
            started: Timestamp::EPOCH,
            length: Span::hours(3),
            ended: false,
        }];
        let study = Study::of(&lives, Probability::ZERO, 0);
        assert_eq!((study.best(), study.median()), (None, None));
        assert_eq!(study.survival(2.0), 1.0);
    }
}
