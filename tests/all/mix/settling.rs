//! A mix does not swing: neither at rest, nor under noise, nor around the break-even rate.

use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::market::Hazard;
use lowtide::mix::{Band, Held, Problem, Promise, Settling, cheapest, settle, solve};
use proptest::prelude::*;

use super::{chance, ten_nodes};

const TICK: Span = Span::minutes(1);

fn band() -> Band {
    Band {
        dwell: Span::minutes(10),
        saving: chance(0.1),
    }
}

/// Runs through problems a minute apart and returns each change: when, to what, and why.
fn changes(problems: &[Problem], first: Option<Held>) -> Vec<(i64, Mix, Settling)> {
    let mut held = first;
    let mut changes = Vec::new();
    for (minute, problem) in (0_i64..).zip(problems) {
        let now = Timestamp::EPOCH + TICK * minute;
        let settled = settle(problem, &cheapest(problem).unwrap(), held, (now, &band())).unwrap();
        if held.map(|held| held.mix) != Some(settled.held.mix) {
            changes.push((minute, settled.held.mix, settled.why));
        }
        held = Some(settled.held);
    }
    changes
}

fn with_demand(demand: u32) -> Problem {
    Problem {
        demand: Nodes(demand),
        ..ten_nodes()
    }
}

fn holding(dedicated: u32, spot: u32) -> Held {
    Held {
        mix: Mix::new(dedicated, spot),
        since: Timestamp::EPOCH,
    }
}

#[test]
fn a_cheaper_mix_is_taken_once_the_dwell_is_over() {
    let problems = vec![ten_nodes(); 30];
    let changes = changes(&problems, Some(holding(10, 0)));
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].0, changes[0].1), (10, Mix::new(0, 11)));
    assert!(matches!(changes[0].2, Settling::Cheaper { saves } if saves.0 > 7.0));
}

#[test]
fn a_broken_promise_is_mended_at_once() {
    let problems = vec![with_demand(20); 3];
    let changes = changes(&problems, Some(holding(0, 11)));
    assert_eq!(changes.len(), 1);
    assert_eq!(
        (changes[0].0, changes[0].2),
        (
            0,
            Settling::Broken {
                promise: Promise::Met
            }
        )
    );
}

#[test]
fn small_savings_move_nothing() {
    // Nine of ten nodes save less than a tenth of 11 nodes' bill, eight save more.
    let nine = changes(&vec![with_demand(9); 30], Some(holding(0, 11)));
    assert_eq!(nine, []);
    assert_eq!(changes(&vec![with_demand(8); 30], Some(holding(0, 11))).len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn under_a_constant_problem_the_mix_changes_at_most_once(
        demand in 0_u32..60,
        start in (0_u32..60, 0_u32..60),
        up in 0.9..=1.0_f64,
        hazard in 0.0..3.0_f64,
    ) {
        let mut problem = with_demand(demand);
        problem.outlook.up = chance(up);
        problem.hazard = Hazard(hazard);
        let changes = changes(&vec![problem; 40], Some(holding(start.0, start.1)));
        prop_assert!(changes.len() <= 1, "{changes:?}");
    }

    #[test]
    fn under_noise_within_the_band_the_mix_is_raised_and_never_swings(
        noise in proptest::collection::vec(0_u32..4, 60),
    ) {
        let problems: Vec<Problem> = noise.iter().map(|noise| with_demand(60 + noise)).collect();
        let totals: Vec<u32> = changes(&problems, None).iter().map(|(_, mix, _)| mix.total().0).collect();
        prop_assert!(totals.is_sorted() && totals.len() <= 4, "{totals:?}");
    }

    #[test]
    fn around_the_break_even_rate_the_lane_does_not_alternate(
        noise in proptest::collection::vec(0.97..1.03_f64, 60),
    ) {
        let mut problem = ten_nodes();
        problem.horizon = Span::seconds(1);
        problem.work.length = Span::hours(4);
        problem.hazard = Hazard(0.66);
        problem.outlook.survival = problem.hazard.survival(problem.horizon);
        let rate = solve(&problem).unwrap().break_even.unwrap().hazard.0;
        let problems: Vec<Problem> = noise.iter().map(|noise| problem.at_hazard(Hazard(rate * noise))).collect();
        let unsettled: Vec<bool> = problems.iter().map(|problem| solve(problem).unwrap().mix.spot > Nodes::ZERO).collect();
        let swings = unsettled.windows(2).filter(|pair| pair[0] != pair[1]).count();
        prop_assert!(swings > 5, "the noise is too small to show anything: {swings}");
        prop_assert_eq!(changes(&problems, None).len(), 1);
    }
}
