//! Lifetimes fitted to lives: what made the lives is found again, and the right family foretells best.

use lowtide::base::{Probability, Span, Timestamp};
use lowtide::market::{
    Bathtub, BathtubEnd, Family, Hazard, Life, Lifetime, Piecewise, hold_out, kaplan_meier, log_likelihood,
    score_per_end,
};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

/// Draws lives of which some are stopped by ourselves, at a moment drawn up to `stop_hours`.
fn draw(lifetime: &Lifetime, n_lives: usize, stop_hours: f64, seed: u64) -> Vec<Life> {
    let mut random = Pcg64Mcg::seed_from_u64(seed);
    let lives = (0..n_lives).map(|index| {
        let share = Probability::new(random.random::<f64>()).unwrap();
        let stop = Span::from_seconds(3600.0 * stop_hours * random.random::<f64>());
        let life = lifetime.quantile(share).unwrap_or(Span::days(9999));
        Life {
            started: Timestamp::EPOCH + Span::from_seconds(index as f64),
            length: life.min(stop),
            ended: life <= stop,
        }
    });
    lives.collect()
}

fn truths() -> [(Family, Lifetime); 5] {
    let end = Some(BathtubEnd {
        at_hours: 24.5,
        late_hours: 0.8,
    });
    let hazards = vec![Hazard(1.2), Hazard(0.1), Hazard(0.4)];
    [
        (Family::Exponential, Lifetime::Exponential { hazard: Hazard(0.2) }),
        (
            Family::Weibull,
            Lifetime::Weibull {
                shape: 0.6,
                scale_hours: 4.0,
            },
        ),
        (Family::LogNormal, Lifetime::LogNormal { mu: 0.5, sigma: 1.4 }),
        (
            Family::Bathtub,
            Lifetime::Bathtub(Bathtub {
                share: 0.45,
                early_hours: 1.0,
                end,
            }),
        ),
        (
            Family::Piecewise,
            Lifetime::Piecewise(Piecewise::new(vec![0.5, 4.0], hazards).unwrap()),
        ),
    ]
}

#[test]
fn each_family_finds_what_made_the_lives() {
    for (family, truth) in truths() {
        let lives = draw(&truth, 1500, 30.0, 11);
        let fit = family.fit(&lives).unwrap();
        // Nothing of the family is likelier than the fit, the truth included.
        if family != Family::Piecewise {
            assert!(
                fit.log_likelihood >= log_likelihood(&truth, &lives) - 1e-6,
                "{fit:?}"
            );
        }
        for hours in [1, 3, 8, 20] {
            let survival = |lifetime: &Lifetime| lifetime.survival(Span::ZERO, Span::hours(hours)).get();
            let (found, true_one) = (survival(&fit.lifetime), survival(&truth));
            assert!(
                (found - true_one).abs() < 0.03,
                "{family:?} at {hours} h: {found} for {true_one}, {fit:?}"
            );
        }
    }
}

#[test]
fn parameters_are_found_within_their_error() {
    let lives = draw(&truths()[1].1, 5000, 40.0, 3);
    let Some(Lifetime::Weibull { shape, scale_hours }) = Family::Weibull.fit(&lives).map(|fit| fit.lifetime)
    else {
        panic!("no Weibull");
    };
    assert!(
        (shape - 0.6).abs() < 0.02 && (scale_hours - 4.0).abs() < 0.4,
        "{shape} {scale_hours}"
    );
    let lives = draw(&truths()[2].1, 5000, 40.0, 4);
    let Some(Lifetime::LogNormal { mu, sigma }) = Family::LogNormal.fit(&lives).map(|fit| fit.lifetime)
    else {
        panic!("no log-normal");
    };
    assert!(
        (mu - 0.5).abs() < 0.06 && (sigma - 1.4).abs() < 0.06,
        "{mu} {sigma}"
    );
}

#[test]
fn small_cases_have_the_values_that_are_known() {
    let life = |hours, ended| Life {
        started: Timestamp::EPOCH,
        length: Span::hours(hours),
        ended,
    };
    let lives = [life(1, true), life(3, true), life(6, false)];
    // Two ends in ten hours: 0.2 an hour, ln L = 2 ln 0.2 - 2, AIC = 2 - 2 ln L.
    let fit = Family::Exponential.fit(&lives).unwrap();
    assert_eq!(fit.lifetime, Lifetime::Exponential { hazard: Hazard(0.2) });
    let log_likelihood = 2.0 * 0.2_f64.ln() - 2.0;
    assert!((fit.log_likelihood - log_likelihood).abs() < 1e-12);
    assert!((fit.aic() - (2.0 - 2.0 * log_likelihood)).abs() < 1e-12);
    let score = score_per_end(&fit.lifetime, Hazard(0.2), &lives).unwrap();
    assert!((score - fit.log_likelihood / 2.0).abs() < 1e-12);
    // Without censoring the log-normal's likelihood is greatest at mean and spread of the logarithms.
    let lives = [life(1, true), life(2, true), life(4, true)];
    let Some(Lifetime::LogNormal { mu, sigma }) = Family::LogNormal.fit(&lives).map(|fit| fit.lifetime)
    else {
        panic!("no log-normal");
    };
    let two = std::f64::consts::LN_2;
    assert!(
        (mu - two).abs() < 1e-4 && (sigma - two * (2.0_f64 / 3.0).sqrt()).abs() < 1e-4,
        "{mu} {sigma}"
    );
}

#[test]
fn on_lives_not_fitted_to_the_family_that_made_them_is_never_far_from_the_best() {
    for (made_by, truth) in truths() {
        let lives = draw(&truth, 1500, 30.0, 21);
        let (kept, held) = hold_out(&lives, Probability::new(0.3).unwrap(), 0);
        let score = |family| score_per_end(&fitted(family, &kept), Hazard(0.1), &held).unwrap();
        let best = Family::ALL
            .into_iter()
            .map(score)
            .fold(f64::NEG_INFINITY, f64::max);
        let own = score(made_by);
        assert!(own > best - 0.03, "{made_by:?}: {own} against {best}");
        if made_by != Family::Exponential {
            // A constant hazard is seen to be wrong where it is.
            assert!(score(Family::Exponential) < own - 0.02, "{made_by:?}");
        }
    }
}

fn fitted(family: Family, lives: &[Life]) -> Lifetime {
    family.fit(lives).unwrap().lifetime
}

#[test]
fn one_life_that_a_model_calls_impossible_costs_seven_and_not_everything() {
    let (_, bathtub) = &truths()[3];
    let mut lives = draw(bathtub, 500, 30.0, 2);
    let score = |lives: &[Life]| score_per_end(bathtub, Hazard(0.1), lives).unwrap();
    let before = score(&lives);
    lives.push(Life {
        started: Timestamp::EPOCH,
        length: Span::hours(30),
        ended: true,
    });
    assert_eq!(log_likelihood(bathtub, &lives), f64::NEG_INFINITY);
    assert!(score(&lives) > before - 0.1, "{before} {}", score(&lives));
}

#[test]
fn the_curve_without_a_model_agrees_with_the_truth() {
    let truth = &truths()[1].1;
    let steps = kaplan_meier(&draw(truth, 4000, 30.0, 5));
    let mut inside = 0;
    for step in steps.iter().step_by(20) {
        let true_one = truth
            .survival(Span::ZERO, Span::from_seconds(3600.0 * step.hours))
            .get();
        assert!((step.survival - true_one).abs() < 0.04, "{} h", step.hours);
        inside += u32::from((step.survival - true_one).abs() < 1.96 * step.standard_error);
    }
    assert!(
        f64::from(inside) > 0.8 * (steps.len() / 20) as f64,
        "{inside} of {}",
        steps.len() / 20
    );
}

#[test]
fn lives_that_say_nothing_give_no_fit_and_odd_ones_no_panic() {
    let life = |length, ended| Life {
        started: Timestamp::EPOCH,
        length,
        ended,
    };
    for family in Family::ALL {
        assert_eq!(family.fit(&[]), None);
        assert_eq!(family.fit(&[life(Span::hours(1), false)]), None);
        for lives in [
            vec![life(Span::ZERO, true)],
            vec![life(Span::hours(1), true); 40],
            vec![life(Span::ZERO, true), life(Span::days(100_000), false)],
            vec![life(Span::seconds(-5), true), life(Span::hours(2), true)],
        ] {
            if let Some(fit) = family.fit(&lives) {
                assert!(
                    fit.log_likelihood.is_finite() && fit.lifetime.fault().is_none(),
                    "{fit:?}"
                );
            }
        }
    }
}
