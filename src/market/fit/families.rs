//! The likeliest lifetime of each family, with right-censoring.

use super::simplex::least;
use super::{Fit, log_likelihood};
use crate::market::numeric::crossing;
use crate::market::{Bathtub, BathtubEnd, Family, Hazard, Life, Lifetime, Piecewise};

/// The rate is ends over hours.
pub(super) fn exponential(lives: &[Life]) -> Fit {
    let hazard = Hazard(ends(lives).count() as f64 / total(lives));
    Fit::new(Family::Exponential, Lifetime::Exponential { hazard }, 1, lives)
}

/// The scale is known for a given shape k, scale^k = sum t^k / d, and the shape is where the slope of the rest is nought:
/// sum t^k ln t / sum t^k - 1/k - mean of ln t over ends, which rises in k.
pub(super) fn weibull(lives: &[Life]) -> Option<Fit> {
    let n_ends = ends(lives).count() as f64;
    let longest = lives.iter().map(Life::hours).fold(0.0, f64::max);
    let logs: Vec<f64> = lives.iter().map(|life| (life.hours() / longest).ln()).collect();
    let mean_log = ends(lives).map(|hours| (hours / longest).ln()).sum::<f64>() / n_ends;
    let slope = |shape: f64| {
        let (mut sum, mut weighted) = (0.0, 0.0);
        for log in &logs {
            let power = (shape * log).exp();
            sum += power;
            weighted += power * log;
        }
        weighted / sum - 1.0 / shape - mean_log
    };
    // A shape beyond these is one of lives that all end at once, or of a file of errors.
    let (least, most) = (0.02_f64, 100.0_f64);
    if slope(most) < 0.0 || slope(least) > 0.0 {
        return None;
    }
    let shape = crossing(least.ln(), most.ln(), |log| slope(log.exp())).exp();
    let powers: f64 = logs.iter().map(|log| (shape * log).exp()).sum();
    let scale_hours = longest * (powers / n_ends).powf(1.0 / shape);
    Some(Fit::new(
        Family::Weibull,
        Lifetime::Weibull { shape, scale_hours },
        2,
        lives,
    ))
}

/// Begins at mean and spread of the logarithms of the ends, which is exact without censoring.
pub(super) fn log_normal(lives: &[Life]) -> Option<Fit> {
    let n_ends = ends(lives).count() as f64;
    let mean = ends(lives).map(f64::ln).sum::<f64>() / n_ends;
    let square = ends(lives).map(|hours| (hours.ln() - mean).powi(2)).sum::<f64>() / n_ends;
    let lifetime = |[mu, log_sigma]: &[f64; 2]| Lifetime::LogNormal {
        mu: *mu,
        sigma: log_sigma.exp(),
    };
    let start = [mean, square.sqrt().max(0.05).ln()];
    let (at, value) = least(|at| -log_likelihood(&lifetime(at), lives), start, 0.5);
    value
        .is_finite()
        .then(|| Fit::new(Family::LogNormal, lifetime(&at), 2, lives))
}

/// Parts of the longest life that the early and the late hours of a bathtub are looked for near.
const PARTS: [f64; 4] = [0.011, 0.03, 0.1, 0.3];

/// Parts of the longest life that the very end is looked for beyond it.
const BEYOND: [f64; 2] = [0.003, 0.05];

/// The least width of a hard end, as a part of its age: a quarter of an hour of a day, as sharp as any provider's was seen.
const LATE_MIN: f64 = 0.01;

/// Once with a hard end and once without, each from the likeliest of a grid of starts; what Akaike's criterion likes better is
/// taken.
pub(super) fn bathtub(lives: &[Life]) -> Option<Fit> {
    let longest = lives.iter().map(Life::hours).fold(0.0, f64::max);
    let share = (ends(lives).count() as f64 / lives.len() as f64).clamp(0.02, 0.98);
    let logit = (share / (1.0 - share)).ln();
    let likelihood = |lifetime: &Lifetime| match lifetime {
        Lifetime::Bathtub(bathtub) if is_sound(bathtub) => log_likelihood(lifetime, lives),
        _ => f64::NEG_INFINITY,
    };
    let early = PARTS.map(|part| (longest * part).ln());

    let open = |at: &[f64; 2]| without_end(at[0], at[1]);
    let starts = early.map(|early| [logit, early]);
    let from = likeliest(starts.into_iter(), |at| likelihood(&open(at)))?;
    let (at, _) = least(|at| -likelihood(&open(at)), from, 0.7);
    let open_fit = Fit::new(Family::Bathtub, open(&at), 2, lives);

    let ended = |at: &[f64; 4]| with_end(at, longest);
    let starts = early.iter().flat_map(|first| {
        let late = early.iter();
        late.flat_map(|late| BEYOND.map(|beyond| [logit, *first, *late, beyond.ln()]))
    });
    let from = likeliest(starts, |at| likelihood(&ended(at)))?;
    let (at, _) = least(|at| -likelihood(&ended(at)), from, 0.5);
    let ended_fit = Fit::new(Family::Bathtub, ended(&at), 4, lives);
    Some(if ended_fit.aic() < open_fit.aic() {
        ended_fit
    } else {
        open_fit
    })
}

/// An end without width has a likelihood without bound at the one life that it takes.
fn is_sound(bathtub: &Bathtub) -> bool {
    bathtub
        .end
        .is_none_or(|end| end.at_hours > 0.0 && end.late_hours >= LATE_MIN * end.at_hours)
}

/// Returns the bathtub of unbounded numbers: the logit of the share, the logarithm of the early hours.
fn without_end(logit: f64, log_early: f64) -> Lifetime {
    Lifetime::Bathtub(Bathtub {
        share: 1.0 / (1.0 + (-logit).exp()),
        early_hours: log_early.exp(),
        end: None,
    })
}

/// Returns the bathtub of unbounded numbers, among them the logarithms of the late hours and of the part of the longest life by
/// which the very end lies beyond it. There A (1 + e^((t - b)/t2)) is 1, which gives b: searched for by itself, b and the
/// share would lie on a narrow bent ridge beside a cliff, where a simplex gets stuck.
fn with_end(at: &[f64; 4], longest: f64) -> Lifetime {
    let [logit, log_early, log_late, log_beyond] = *at;
    let very_end = longest * (1.0 + log_beyond.exp());
    let late_hours = log_late.exp();
    Lifetime::Bathtub(Bathtub {
        share: 1.0 / (1.0 + (-logit).exp()),
        early_hours: log_early.exp(),
        end: Some(BathtubEnd {
            // ln(1/A - 1) is minus the logit.
            at_hours: very_end + late_hours * logit,
            late_hours,
        }),
    })
}

fn likeliest<const N: usize>(
    starts: impl Iterator<Item = [f64; N]>,
    likelihood: impl Fn(&[f64; N]) -> f64,
) -> Option<[f64; N]> {
    let scored = starts.map(|start| (likelihood(&start), start));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, start)| start)
}

/// Ends for each piece: fewer make a hazard that the next ends would move by more than a third.
const ENDS_PER_PIECE: usize = 15;
/// More pieces than this tell of noise.
const PIECES_MAX: usize = 8;

/// Cuts between equal counts of ends; on each piece the rate is ends over hours.
pub(super) fn piecewise(lives: &[Life]) -> Option<Fit> {
    let mut ages: Vec<f64> = ends(lives).collect();
    ages.sort_by(f64::total_cmp);
    let n_pieces = (ages.len() / ENDS_PER_PIECE).clamp(1, PIECES_MAX);
    let mut cuts: Vec<f64> = (1..n_pieces)
        .map(|piece| ages[piece * ages.len() / n_pieces])
        .collect();
    cuts.dedup();
    let oldest = ages.last().copied().unwrap_or(0.0);
    cuts.retain(|cut| *cut < oldest);
    let bins = crate::market::hazards_by_age(lives, &cuts);
    let hazards: Vec<_> = bins
        .iter()
        .map(|bin| Hazard(bin.ended as f64 / bin.hours))
        .collect();
    let n_pieces = hazards.len();
    let lifetime = Lifetime::Piecewise(Piecewise::new(cuts, hazards)?);
    Some(Fit::new(Family::Piecewise, lifetime, n_pieces, lives))
}

fn ends(lives: &[Life]) -> impl Iterator<Item = f64> {
    lives.iter().filter(|life| life.ended).map(Life::hours)
}

fn total(lives: &[Life]) -> f64 {
    lives.iter().map(Life::hours).sum()
}
