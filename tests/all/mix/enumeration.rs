//! The mix solver against plain enumeration over generated problems, and what holds for all of them.

use lowtide::base::{Mix, Nodes, Probability, Span, Usd, UsdHourly};
use lowtide::market::{EvictionModel, Hazard, LostWork, Outlook, Outset, Work};
use lowtide::mix::{
    Between, Bill, Booting, LaneTerms, Lost, Problem, Promise, ShareRule, cheapest, evaluate, solve,
};
use proptest::prelude::*;

use super::chance;

/// The masses of a beta-binomial distribution, as a product for each count.
fn masses(n: u32, (q, rho): (f64, f64)) -> Vec<f64> {
    let t = rho / (1.0 - rho);
    let choose = |k: u32| (0..k).fold(1.0, |c, i| c * f64::from(n - i) / f64::from(i + 1));
    let product = |base: f64, count: u32| (0..count).fold(1.0, |p, i| p * (base + f64::from(i) * t));
    (0..=n)
        .map(|k| choose(k) * product(q, k) * product(1.0 - q, n - k) / product(1.0, n))
        .collect()
}

/// The masses for each count of spot nodes that is asked for: in calm, and under a shock.
struct Masses([Vec<Vec<f64>>; 2]);

impl Masses {
    fn of(problem: &Problem) -> Self {
        let outlook = &problem.outlook;
        let table = |share: (f64, f64)| {
            (0..=problem.spot.bounds.max.0)
                .map(|n| masses(n, share))
                .collect()
        };
        Self([
            table((outlook.survival.get(), outlook.correlation)),
            table((outlook.survival_of_shock.get(), outlook.correlation_of_shock)),
        ])
    }
}

/// The chance to have fewer than `need`, and the mean of what is missing, by the definition.
fn by_definition(
    problem: &Problem,
    masses: &Masses,
    counted: Mix,
    (need, shocks): (u32, bool),
) -> (f64, f64) {
    let up = if shocks { problem.outlook.up.get() } else { 1.0 };
    let (mut short, mut missing) = (0.0, 0.0);
    for (weight, table) in [up, 1.0 - up].into_iter().zip(&masses.0) {
        for (usable, mass) in (counted.dedicated.0..).zip(&table[counted.spot.0 as usize]) {
            if usable < need {
                short += weight * mass;
                missing += weight * mass * f64::from(need - usable);
            }
        }
    }
    (short, missing)
}

fn in_time(lane: &LaneTerms, target: u32, horizon: Span) -> u32 {
    if lane.boot <= horizon {
        target
    } else {
        target.min(lane.there_in_time(horizon).0)
    }
}

fn counted_in_time(problem: &Problem, mix: Mix) -> Mix {
    Mix::new(
        in_time(&problem.dedicated, mix.dedicated.0, problem.horizon),
        in_time(&problem.spot, mix.spot.0, problem.horizon),
    )
}

fn churn(problem: &Problem, lane: &LaneTerms, target: u32) -> f64 {
    let there = lane.there().0;
    let started = f64::from(target.saturating_sub(there)) * lane.price.0 * lane.boot.as_hours();
    let stopped = f64::from(there.saturating_sub(target)) * lane.stop.0;
    (started + stopped) / problem.dwell.as_hours()
}

fn cost_by_definition(problem: &Problem, masses: &Masses, mix: Mix, promised: u32) -> f64 {
    let model = EvictionModel::Constant {
        hazard: problem.hazard,
    };
    let outset = Outset::fresh(lowtide::base::Timestamp::EPOCH, Span::ZERO);
    let redone = model.redone_per_useful_hour(outset, &problem.work);
    let working = if problem.risk == Probability::ONE {
        mix.spot.0
    } else {
        mix.spot.0.min(promised.saturating_sub(mix.dedicated.0))
    };
    let (_, missing) = by_definition(
        problem,
        masses,
        counted_in_time(problem, mix),
        (problem.demand.0, true),
    );
    problem.dedicated.price.0 * mix.dedicated.as_f64()
        + problem.spot.price.0 * mix.spot.as_f64()
        + problem.spot.price.0 * redone * f64::from(working)
        + problem.lateness.0 * missing
        + churn(problem, &problem.dedicated, mix.dedicated.0)
        + churn(problem, &problem.spot, mix.spot.0)
}

/// Every mix that bounds, quotas and the rule allow.
fn allowed(problem: &Problem) -> Vec<Mix> {
    let lane = |lane: &LaneTerms| {
        let most = lane
            .quota
            .map_or(lane.bounds.max.0, |quota| quota.0.min(lane.bounds.max.0));
        lane.bounds.min.0.min(most)..=most
    };
    let (dedicated, spot) = (lane(&problem.dedicated), lane(&problem.spot));
    let least = problem.total.min.0.min(dedicated.end() + spot.end());
    let all: Vec<Mix> = dedicated
        .flat_map(|dedicated| spot.clone().map(move |spot| Mix::new(dedicated, spot)))
        .filter(|mix| (least..=problem.total.max.0).contains(&mix.total().0))
        .collect();
    let fewest = all.iter().map(|mix| mix.spot).min().unwrap();
    all.into_iter()
        .filter(|mix| problem.rule != ShareRule::DedicatedOnly || mix.spot == fewest)
        .collect()
}

fn keeps(problem: &Problem, masses: &Masses, mix: Mix, promise: Promise) -> bool {
    let (counted, need, shocks) = match promise {
        Promise::Met => (counted_in_time(problem, mix), problem.demand.0, true),
        Promise::Late => (mix, problem.demand.0, true),
        Promise::WhileSpotLasts => (mix, problem.demand.0, false),
        Promise::Part { nodes } => (mix, nodes.0, false),
    };
    by_definition(problem, masses, counted, (need, shocks)).0 <= problem.risk.get() + 1e-10
}

/// The strongest promise that any mix keeps, with the least cost and the fewest dedicated nodes of those that keep it.
fn enumerated(problem: &Problem) -> (Promise, f64, Nodes) {
    let parts = (0..=problem.demand.0)
        .rev()
        .map(|nodes| Promise::Part { nodes: Nodes(nodes) });
    let mixes = allowed(problem);
    let masses = Masses::of(problem);
    for promise in [Promise::Met, Promise::Late, Promise::WhileSpotLasts]
        .into_iter()
        .chain(parts)
    {
        let promised = match promise {
            Promise::Part { nodes } => nodes.0,
            _ => problem.demand.0,
        };
        let kept: Vec<Mix> = mixes
            .iter()
            .copied()
            .filter(|mix| keeps(problem, &masses, *mix, promise))
            .collect();
        let fewest = kept.iter().map(|mix| mix.dedicated).min();
        let considered = kept
            .into_iter()
            .filter(|mix| problem.rule != ShareRule::SpotFirst || Some(mix.dedicated) == fewest);
        let least = considered
            .map(|mix| cost_by_definition(problem, &masses, mix, promised))
            .min_by(f64::total_cmp);
        if let (Some(least), Some(fewest)) = (least, fewest) {
            return (promise, least, fewest);
        }
    }
    panic!("a promise of no node is always kept");
}

prop_compose! {
    fn lane(price: f64)(
        dear in 0.1..2.0_f64,
        bounds in (0_u32..4, 0_u32..12),
        quota in proptest::option::of(0_u32..12),
        ready in 0_u32..6,
        booting in 0_u32..4,
        ages in (0_i64..8, 0_i64..8),
        stop in 0.0..2.0_f64,
    ) -> LaneTerms {
        LaneTerms {
            price: UsdHourly(price * dear),
            bounds: Between::new(bounds.0, bounds.0 + bounds.1),
            quota: quota.map(Nodes),
            ready: Nodes(ready),
            booting: vec![Booting { nodes: Nodes(booting), age: Span::minutes(ages.0) }],
            boot: Span::minutes(ages.1),
            stop: Usd(stop),
        }
    }
}

prop_compose! {
    fn problem()(
        demand in 0_u32..12,
        risk in prop_oneof![Just(0.05), 0.0..=1.0_f64, Just(1.0)],
        minutes in (1_i64..10, 1_i64..120),
        dedicated in lane(1.0),
        spot in lane(0.2),
        total in (0_u32..8, 8_u32..24),
        rule in prop_oneof![
            4 => Just(ShareRule::ExpectedCost),
            1 => Just(ShareRule::SpotFirst),
            1 => Just(ShareRule::DedicatedOnly),
        ],
        outlook in (prop_oneof![Just(1.0), 0.0..=1.0_f64, 0.9..1.0_f64], 0.3..=1.0_f64, 0.0..0.95_f64, 0.0..=1.0_f64, 0.0..0.95_f64),
        hazard in prop_oneof![Just(0.0), 0.0..3.0_f64],
        hours in 0_i64..5,
        lateness in prop_oneof![Just(0.0), 0.0..5.0_f64],
    ) -> Problem {
        Problem {
            demand: Nodes(demand),
            risk: chance(risk),
            horizon: Span::minutes(minutes.0),
            dwell: Span::minutes(minutes.1),
            total: Between::new(total.0.min(dedicated.bounds.max.0 + spot.bounds.max.0), total.1),
            dedicated,
            spot,
            rule,
            outlook: Outlook {
                up: chance(outlook.0),
                survival: chance(outlook.1),
                correlation: outlook.2,
                survival_of_shock: chance(outlook.3 * outlook.1),
                correlation_of_shock: outlook.4,
            },
            outage: false,
            hazard: Hazard(hazard),
            work: Work { length: Span::hours(hours) + Span::minutes(5), boot: Span::minutes(1), lost: LostWork::All },
            lateness: UsdHourly(lateness),
        }
    }
}

fn hold_to_enumeration(problem: &Problem) -> Result<(), TestCaseError> {
    let solution = solve(problem).unwrap();
    let (promise, cost, fewest) = enumerated(problem);
    prop_assert_eq!(solution.promise, promise);
    let total = solution.bill.total().0;
    prop_assert!(
        (total - cost).abs() < 1e-7 * (1.0 + cost),
        "{} costs {total}, {cost} was found",
        solution.mix
    );
    prop_assert!(
        allowed(problem).contains(&solution.mix),
        "{} is not allowed",
        solution.mix
    );
    if problem.rule == ShareRule::SpotFirst {
        prop_assert_eq!(solution.mix.dedicated, fewest);
    }
    let again = evaluate(problem, solution.mix, solution.promise).unwrap();
    prop_assert!(again.kept && (again.chance - solution.chance).abs() < 1e-9);
    prop_assert!((again.bill.total().0 - total).abs() < 1e-9 * (1.0 + total));
    prop_assert_eq!(cheapest(problem).unwrap().mix, solution.mix);
    Ok(())
}

/// The same problem with more nodes of everything.
fn larger(mut problem: Problem, times: u32) -> Problem {
    let more = |nodes: &mut Nodes| nodes.0 *= times;
    for lane in [&mut problem.dedicated, &mut problem.spot] {
        more(&mut lane.bounds.min);
        more(&mut lane.bounds.max);
        more(&mut lane.ready);
        lane.quota.as_mut().map(more);
    }
    more(&mut problem.total.min);
    more(&mut problem.total.max);
    more(&mut problem.demand);
    problem
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn so_is_that_of_larger_problems(problem in problem(), times in 2_u32..6) {
        hold_to_enumeration(&larger(problem, times))?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_answer_is_that_of_plain_enumeration(problem in problem()) {
        hold_to_enumeration(&problem)?;
    }

    #[test]
    fn bills_add_up_and_the_runner_up_does_not_win(problem in problem()) {
        let solution = solve(&problem).unwrap();
        let sum = |bill: &Bill| bill.compute.0 + bill.redo.0 + bill.lateness.0 + bill.churn.0;
        prop_assert_eq!(solution.bill.total().0, sum(&solution.bill));
        if let Some(runner_up) = solution.runner_up {
            prop_assert!(runner_up.mix != solution.mix);
            match runner_up.lost {
                Lost::Dearer { by, .. } => prop_assert!(by.0 >= -1e-9 * (1.0 + solution.bill.total().0) || problem.rule == ShareRule::SpotFirst),
                Lost::Riskier { chance, wanted } => prop_assert!(chance < wanted),
                Lost::AgainstTheRule { .. } => prop_assert!(problem.rule != ShareRule::ExpectedCost),
            }
        }
    }

    #[test]
    fn more_evictions_never_make_the_best_bill_cheaper(problem in problem(), factor in 1.0..4.0_f64) {
        // A shock that spares nodes may be milder than single evictions; here it takes all.
        let mut mild = problem;
        mild.hazard = Hazard(mild.hazard.0.max(0.01));
        mild.outlook.survival_of_shock = Probability::ZERO;
        let wild = mild.at_hazard(Hazard(mild.hazard.0 * factor));
        let (before, after) = (solve(&mild).unwrap(), solve(&wild).unwrap());
        if before.promise == after.promise && mild.rule == ShareRule::ExpectedCost {
            prop_assert!(before.bill.total().0 <= after.bill.total().0 + 1e-9);
        }
    }

    #[test]
    fn the_answer_changes_at_the_break_even_rate(problem in problem()) {
        let solution = solve(&problem).unwrap();
        let fewest = allowed(&problem).iter().map(|mix| mix.spot).min().unwrap();
        // Where bounds force spot there may be more than one such rate, and it is one of them that is told.
        if let Some(break_even) = solution.break_even.filter(|_| fewest == Nodes::ZERO) {
            let uses = |factor: f64| {
                solve(&problem.at_hazard(Hazard(break_even.hazard.0 * factor))).unwrap().mix.spot > fewest
            };
            prop_assert!(uses(1.0 - 1e-4) != uses(1.0 + 1e-4), "{break_even:?}");
        }
    }

    #[test]
    fn a_fixed_share_is_the_cheapest_of_its_ray(mut problem in problem(), share in 0.0..=1.0_f64) {
        problem.rule = ShareRule::Fixed { spot: chance(share) };
        let solution = solve(&problem).unwrap();
        prop_assert!(evaluate(&problem, solution.mix, solution.promise).unwrap().kept);
        problem.dedicated.bounds = Between::new(0, 200);
        problem.spot.bounds = Between::new(0, 200);
        (problem.dedicated.quota, problem.spot.quota) = (None, None);
        problem.total = Between::ANY;
        let free = solve(&problem).unwrap().mix;
        let off = free.spot.as_f64() - share * free.total().as_f64();
        let at_a_bound = free.dedicated == Nodes(200) || free.spot == Nodes(200);
        prop_assert!(at_a_bound || off.abs() <= 0.5 + 1e-9, "{free} at {share}");
    }

    #[test]
    fn no_number_makes_the_solver_panic(
        mut problem in problem(),
        numbers in proptest::collection::vec(prop_oneof![
            Just(f64::NAN), Just(f64::INFINITY), Just(-1.0), Just(1e300), Just(1e11), Just(1e-300), Just(0.0)
        ], 6),
        spans in proptest::collection::vec(prop_oneof![
            Just(Span::ZERO), Just(Span::from_ticks(i64::MAX)), Just(Span::from_ticks(i64::MIN)), Just(Span::seconds(1))
        ], 5),
        which in 0_u32..2048,
    ) {
        let on = |bit: u32| which & (1 << bit) != 0;
        if on(0) { problem.dedicated.price = UsdHourly(numbers[0]); }
        if on(1) { problem.spot.price = UsdHourly(numbers[1]); }
        if on(2) { problem.spot.stop = Usd(numbers[2]); }
        if on(3) { problem.outlook.correlation = numbers[3]; }
        if on(4) { problem.hazard = Hazard(numbers[4]); }
        if on(5) { problem.lateness = UsdHourly(numbers[5]); }
        if on(6) { problem.horizon = spans[0]; }
        if on(7) { problem.dwell = spans[1]; }
        if on(8) { problem.spot.boot = spans[2]; }
        if on(9) { problem.work.length = spans[3]; }
        if on(10) { problem.dedicated.booting[0].age = spans[4]; }
        if let Ok(solution) = solve(&problem) {
            prop_assert!(solution.bill.total().0.is_finite() && (0.0..=1.0).contains(&solution.chance));
        }
    }
}
