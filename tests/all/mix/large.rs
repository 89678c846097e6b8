//! The mix solver on large pools, held to a look at each count of dedicated nodes.

use lowtide::base::{Mix, Nodes, Span, Usd, UsdHourly};
use lowtide::market::{Hazard, LostWork, Outlook, Work};
use lowtide::mix::{Between, LaneTerms, Problem, ShareRule, cheapest, evaluate, solve};
use proptest::prelude::*;

use super::chance;

prop_compose! {
    fn large()(
        demand in 200_u32..1200,
        risk in prop_oneof![3 => Just(0.05), 2 => 0.001..0.5_f64, 1 => Just(1.0)],
        there in (0.0..1.2_f64, 0.0..1.2_f64),
        minutes in (1_i64..10, 1_i64..10, 5_i64..120),
        stop in (0.0..0.3_f64, 0.0..0.3_f64),
        bounds in (0_u32..40, 50_u32..1500, 0_u32..40, 100_u32..9000),
        outlook in (prop_oneof![2 => Just(1.0), 1 => 0.9..1.0_f64], 0.3..=1.0_f64, prop_oneof![Just(0.0), 1e-6..0.01_f64, 0.0..0.9_f64]),
        spared in (0.0..=1.0_f64, 0.0..0.95_f64),
        hazard in 0.0..8.0_f64,
        lateness in prop_oneof![2 => Just(0.0), 3 => 0.0..6.0_f64],
        price in 0.05..1.2_f64,
    ) -> Problem {
        let lane = |price: f64, there: f64, boot: i64, stop: f64, bounds: (u32, u32)| LaneTerms {
            bounds: Between::new(bounds.0, bounds.1),
            ready: Nodes((f64::from(demand) * there) as u32),
            boot: Span::minutes(boot),
            stop: Usd(stop),
            ..LaneTerms::priced(UsdHourly(price))
        };
        Problem {
            demand: Nodes(demand),
            risk: chance(risk),
            horizon: Span::minutes(6),
            dwell: Span::minutes(minutes.2),
            dedicated: lane(1.0, there.0, minutes.0, stop.0, (bounds.0, bounds.1)),
            spot: lane(price, there.1, minutes.1, stop.1, (bounds.2, bounds.3)),
            total: Between::ANY,
            rule: ShareRule::ExpectedCost,
            outlook: Outlook {
                up: chance(outlook.0),
                survival: chance(outlook.1),
                correlation: outlook.2,
                survival_of_shock: chance(spared.0 * outlook.1),
                correlation_of_shock: spared.1,
            },
            outage: false,
            hazard: Hazard(hazard),
            work: Work { length: Span::minutes(25), boot: Span::minutes(4), lost: LostWork::All },
            lateness: UsdHourly(lateness),
        }
    }
}

/// Returns the first count of a range for which something holds that holds for all after it.
fn first(range: (u32, u32), holds: impl Fn(u32) -> bool) -> Option<u32> {
    let (mut low, mut high) = (range.0, range.1.checked_add(1)?);
    while low < high {
        let middle = low.midpoint(high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    (low <= range.1).then_some(low)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_count_of_dedicated_nodes_of_a_large_pool_has_a_cheaper_mix(problem in large()) {
        let answer = cheapest(&problem).unwrap();
        let cost = answer.bill.total().0;
        let at = |dedicated, spot| evaluate(&problem, Mix::new(dedicated, spot), answer.promise).unwrap();
        prop_assert!(at(answer.mix.dedicated.0, answer.mix.spot.0).kept);
        let (low, high) = (problem.spot.bounds.min.0, problem.spot.bounds.max.0);
        let most = problem.dedicated.bounds.max.0.min(problem.demand.0.max(problem.dedicated.ready.0));
        for dedicated in problem.dedicated.bounds.min.0..=most {
            let Some(least) = first((low, high), |spot| at(dedicated, spot).kept) else {
                continue;
            };
            let cost_of = |spot: u32| at(dedicated, spot).bill.total().0;
            let spot = if problem.lateness.0 > 0.0 || problem.spot.stop.0 > 0.0 {
                first((least, high - 1), |spot| cost_of(spot + 1) >= cost_of(spot)).unwrap_or(high)
            } else {
                least
            };
            prop_assert!(
                cost <= cost_of(spot) * (1.0 + 1e-9),
                "{} costs {cost}, {dedicated} + {spot} costs {}", answer.mix, cost_of(spot)
            );
        }
    }

    #[test]
    fn the_answer_of_a_large_pool_changes_near_the_break_even_rate(mut problem in large()) {
        // Where bounds force spot there may be more than one such rate.
        problem.spot.bounds.min = Nodes(0);
        problem.dedicated.bounds.max = problem.dedicated.bounds.max.max(problem.demand);
        if let Some(break_even) = solve(&problem).unwrap().break_even {
            let at = |factor: f64| problem.at_hazard(Hazard(break_even.hazard.0 * factor));
            let uses = |factor: f64| cheapest(&at(factor)).unwrap().mix.spot > Nodes(0);
            let above = at(1.02);
            let without = Problem { rule: ShareRule::DedicatedOnly, ..above.clone() };
            let saved = cheapest(&without).unwrap().bill.total().0 - cheapest(&above).unwrap().bill.total().0;
            // Rounding to whole nodes decides between mixes that cost the same but for a node or two.
            prop_assert!(!uses(1.02) || saved <= 2.0, "{break_even:?} {saved}");
        }
    }
}
