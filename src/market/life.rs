//! Lives as they were recorded, and what they say without any model: Kaplan and Meier's curve, hazards by age.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use super::hazard::hours;
use super::piecewise::overlaps;
use super::{Hazard, Rate};
use crate::base::{Probability, Span, Timestamp};

/// One life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Life {
    /// When it began.
    pub started: Timestamp,
    /// How long it lasted, or has lasted so far.
    pub length: Span,
    /// Whether it ended by itself: by the provider. Otherwise somebody else stopped it, or stopped watching (right-censored).
    pub ended: bool,
}

/// A step of Kaplan and Meier's estimate of survival.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SurvivalStep {
    /// The age, in hours, at which lives ended.
    pub hours: f64,
    /// Lives that reached it.
    pub at_risk: usize,
    /// Lives that ended at it.
    pub ended: usize,
    /// The share that survives it.
    pub survival: f64,
    /// The standard error of that share, by Greenwood.
    pub standard_error: f64,
}

/// How often lives end within a stretch of age.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgeHazard {
    /// From this age.
    pub from: Span,
    /// To this age; `None` for ever.
    pub to: Option<Span>,
    /// Lives that ended within it.
    pub ended: usize,
    /// Hours of life within it.
    pub hours: f64,
}

/// A life of no length has no logarithm; a second is the finest that anybody records.
const LENGTH_MIN: Span = Span::seconds(1);

impl Life {
    /// Returns the length in hours, a second at least.
    pub(super) fn hours(&self) -> f64 {
        self.length.max(LENGTH_MIN).as_hours()
    }
}

impl AgeHazard {
    /// Returns ends over hours; `None` when there were no hours.
    pub fn hazard(&self) -> Option<Hazard> {
        (self.hours > 0.0).then(|| Hazard(self.ended as f64 / self.hours))
    }

    /// Returns the interval that holds the true hazard with a chance, by Jeffreys' prior of half an end; from nought when no end
    /// was seen. `None` when there were no hours.
    pub fn interval(&self, level: Probability) -> Option<(Hazard, Hazard)> {
        let rate = Rate {
            events: self.ended as f64 + 0.5,
            hours: self.hours,
        };
        let interval = if self.ended == 0 {
            (Hazard::NEVER, rate.quantile(level))
        } else {
            rate.interval(level)
        };
        (self.hours > 0.0).then_some(interval)
    }
}

/// Returns Kaplan and Meier's estimate: one step for each age at which lives ended, youngest first.
///
/// S = product of (1 - d/n), and by Greenwood var S = S² sum of d/(n (n - d)).
pub fn kaplan_meier(lives: &[Life]) -> Vec<SurvivalStep> {
    let mut sorted: Vec<_> = lives.iter().map(|life| (life.hours(), !life.ended)).collect();
    // At the same age ends come before censoring: who is stopped at that age was at risk until then.
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut steps: Vec<SurvivalStep> = Vec::new();
    let (mut survival, mut greenwood) = (1.0, 0.0);
    let mut index = 0;
    while index < sorted.len() {
        let age = sorted[index].0;
        let at_risk = sorted.len() - index;
        let ended = sorted[index..]
            .iter()
            .take_while(|life| life.0 == age && !life.1)
            .count();
        if ended > 0 {
            let (d, n) = (ended as f64, at_risk as f64);
            survival *= 1.0 - d / n;
            greenwood += if ended < at_risk { d / (n * (n - d)) } else { 0.0 };
            steps.push(SurvivalStep {
                hours: age,
                at_risk,
                ended,
                survival,
                standard_error: survival * greenwood.sqrt(),
            });
        }
        index += sorted[index..].iter().take_while(|life| life.0 == age).count();
    }
    steps
}

/// Returns the hazard by age between cuts in hours, as far as lives reach.
pub fn hazards_by_age(lives: &[Life], cuts: &[f64]) -> Vec<AgeHazard> {
    let mut hazards: Vec<_> = (0..=cuts.len())
        .map(|bin| AgeHazard {
            from: if bin == 0 {
                Span::ZERO
            } else {
                hours(cuts[bin - 1])
            },
            to: cuts.get(bin).copied().map(hours),
            ended: 0,
            hours: 0.0,
        })
        .collect();
    for life in lives {
        for (bin, hours) in overlaps(cuts, 0.0, life.hours()) {
            hazards[bin].hours += hours;
        }
        if life.ended {
            hazards[cuts.partition_point(|cut| *cut < life.hours())].ended += 1;
        }
    }
    hazards.retain(|hazard| hazard.hours > 0.0);
    hazards
}

/// Parts lives at random into those to fit and about a share to score on. Lives that began at the same moment stay together,
/// for they often end together, and would tell the fit what it is scored on.
pub fn hold_out(lives: &[Life], share: Probability, seed: u64) -> (Vec<Life>, Vec<Life>) {
    let mut starts: Vec<_> = lives.iter().map(|life| life.started).collect();
    starts.sort_unstable();
    starts.dedup();
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let is_held: Vec<bool> = starts
        .iter()
        .map(|_| random.random::<f64>() < share.get())
        .collect();
    lives.iter().partition(|life| {
        let place = starts.partition_point(|start| *start < life.started);
        !is_held[place]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(of: &[(i64, bool)]) -> Vec<Life> {
        let life = |(index, (hours, ended)): (usize, &(i64, bool))| Life {
            started: Timestamp::EPOCH + Span::from_seconds(index as f64),
            length: Span::hours(*hours),
            ended: *ended,
        };
        of.iter().enumerate().map(life).collect()
    }

    #[test]
    fn kaplan_and_meier_by_hand() {
        // Ends at 1, 3, 3 and 5 hours, stopped at 2, 3 and 6.
        let lives = lives(&[
            (3, true),
            (1, true),
            (2, false),
            (3, false),
            (6, false),
            (5, true),
            (3, true),
        ]);
        let steps = kaplan_meier(&lives);
        let told: Vec<_> = steps
            .iter()
            .map(|step| (step.hours, step.at_risk, step.ended))
            .collect();
        assert_eq!(told, [(1.0, 7, 1), (3.0, 5, 2), (5.0, 2, 1)]);
        let survival: Vec<_> = steps.iter().map(|step| step.survival).collect();
        let exact = [6.0 / 7.0, 6.0 / 7.0 * 0.6, 6.0 / 7.0 * 0.3];
        assert!(
            survival.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-12),
            "{survival:?}"
        );
        let variance = steps[1].survival.powi(2) * (1.0 / 42.0 + 2.0 / 15.0);
        assert!((steps[1].standard_error - variance.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn without_censoring_it_is_the_share_that_is_left() {
        let lives = lives(&[(4, true), (2, true), (1, true), (3, true)]);
        let left: Vec<_> = kaplan_meier(&lives).iter().map(|step| step.survival).collect();
        assert!(
            left.iter()
                .zip([0.75, 0.5, 0.25, 0.0])
                .all(|(a, b)| (a - b).abs() < 1e-12)
        );
        assert_eq!(kaplan_meier(&[]), []);
    }

    #[test]
    fn hazards_are_ends_over_hours() {
        let lives = lives(&[(3, true), (1, true), (2, false)]);
        let hazards = hazards_by_age(&lives, &[1.0, 2.0, 10.0]);
        let told: Vec<_> = hazards.iter().map(|bin| (bin.ended, bin.hours)).collect();
        // An end at exactly a cut belongs to the hours before it.
        assert_eq!(told, [(1, 3.0), (0, 2.0), (1, 1.0)]);
        assert_eq!(hazards[2].to, Some(Span::hours(10)));
        let interval = |bin: usize| hazards[bin].interval(Probability::new(0.8).unwrap()).unwrap();
        assert!(interval(0).0 < Hazard(1.0 / 3.0) && Hazard(1.0 / 3.0) < interval(0).1);
        // Half of chi-square's 80 % point of one degree, 1.642, over two hours.
        assert!(interval(1).0 == Hazard::NEVER && (interval(1).1.0 - 0.4106).abs() < 1e-3);
    }

    #[test]
    fn what_began_together_is_held_out_together() {
        let mut all = lives(&[(1, true); 400]);
        for (index, life) in all.iter_mut().enumerate() {
            life.started = Timestamp::EPOCH + Span::from_seconds((index / 4) as f64);
        }
        let share = Probability::new(0.3).unwrap();
        let (kept, held) = hold_out(&all, share, 7);
        assert_eq!((kept.len() + held.len(), held.len() % 4), (400, 0));
        assert!((60..180).contains(&held.len()), "{}", held.len());
        assert_eq!(hold_out(&all, share, 7), (kept, held));
        assert_eq!(hold_out(&all, Probability::ZERO, 7).1, []);
    }
}
