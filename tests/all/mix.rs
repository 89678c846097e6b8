//! The mix solver, held to plain enumeration and to what must always be true.

use lowtide::base::{Mix, Nodes, Probability, Span, Usd, UsdHourly};
use lowtide::market::{EvictionModel, Hazard, Lifetime, LostWork, Outlook, Outset, Regime, Shock, Work};
use lowtide::mix::{
    Between, Booting, Change, LaneTerms, Line, Lost, Problem, ProblemError, Promise, ShareRule, cheapest,
    evaluate, solve,
};

mod enumeration;
mod large;
mod settling;
mod sharing;

fn chance(number: f64) -> Probability {
    Probability::new(number).unwrap()
}

/// Ten nodes are needed for an hour of work; spot costs a fifth, is never down, and a node lasts an hour with 97 %.
fn ten_nodes() -> Problem {
    Problem {
        demand: Nodes(10),
        risk: chance(0.05),
        horizon: Span::hours(1),
        dwell: Span::hours(1),
        dedicated: LaneTerms::priced(UsdHourly(1.0)),
        spot: LaneTerms::priced(UsdHourly(0.2)),
        total: Between::ANY,
        rule: ShareRule::ExpectedCost,
        outlook: Outlook {
            up: Probability::ONE,
            survival: chance(0.97),
            correlation: 0.0,
            survival_of_shock: Probability::ZERO,
            correlation_of_shock: 1.0,
        },
        outage: false,
        hazard: Hazard(-0.97_f64.ln()),
        work: Work {
            length: Span::hours(1),
            boot: Span::ZERO,
            lost: LostWork::All,
        },
        lateness: UsdHourly(0.0),
    }
}

fn mix_of(problem: &Problem) -> Mix {
    solve(problem).unwrap().mix
}

#[test]
fn a_mild_market_is_met_by_spot_with_a_reserve() {
    // All ten of ten last with 0.97^10 = 0.737; ten of eleven with 0.97^11 + 11 * 0.03 * 0.97^10 = 0.9587.
    let solution = solve(&ten_nodes()).unwrap();
    assert_eq!((solution.mix, solution.promise), (Mix::new(0, 11), Promise::Met));
    assert!((solution.chance - 0.9587).abs() < 1e-3, "{}", solution.chance);
    assert!((solution.bill.compute.0 - 2.2).abs() < 1e-12);
    let runner_up = solution.runner_up.unwrap();
    assert_eq!(runner_up.mix, Mix::new(10, 0));
    assert!(matches!(
        runner_up.lost,
        Lost::Dearer {
            line: Line::Compute,
            ..
        }
    ));
}

#[test]
fn correlated_losses_are_not_those_of_a_binomial() {
    let mut problem = ten_nodes();
    problem.outlook.correlation = 0.42;
    let spot_alone = evaluate(&problem, Mix::new(0, 11), Promise::Met).unwrap();
    assert!(
        !spot_alone.kept && spot_alone.chance < 0.95,
        "{}",
        spot_alone.chance
    );
    let solution = solve(&problem).unwrap();
    assert!(solution.mix.spot > Nodes(11), "{}", solution.mix);
    assert!(solution.chance >= 0.95);
}

#[test]
fn when_the_shock_is_likelier_than_the_risk_no_amount_of_spot_helps() {
    let mut problem = ten_nodes();
    problem.outlook.up = chance(0.94);
    let solution = solve(&problem).unwrap();
    assert_eq!(solution.mix, Mix::new(10, 0));
    let runner_up = solution.runner_up.unwrap();
    assert_eq!(runner_up.mix, Mix::new(0, 10));
    assert!(matches!(runner_up.lost, Lost::Riskier { chance, wanted }
        if (wanted - 0.95).abs() < 1e-12 && chance < wanted));
    // At a lower rate of evictions shocks are rare enough.
    let break_even = solution.break_even.unwrap();
    assert_eq!(break_even.change, Change::SpotEnters);
    let there = |factor: f64| mix_of(&problem.at_hazard(Hazard(break_even.hazard.0 * factor)));
    assert!(there(0.999).spot > Nodes::ZERO && there(1.001).spot == Nodes::ZERO);
    // Without dedicated nodes the promise is lowered, and says so.
    problem.dedicated.quota = Some(Nodes::ZERO);
    let forced = solve(&problem).unwrap();
    assert_eq!(
        (forced.mix, forced.promise),
        (Mix::new(0, 11), Promise::WhileSpotLasts)
    );
}

#[test]
fn the_break_even_rate_is_the_closed_form_for_work_restarted_from_scratch() {
    // (e^x - 1)/x = 5 at x = 2.66; four-hour tasks: 0.665 evictions an hour. A horizon of a second needs no reserve.
    let mut problem = ten_nodes();
    problem.horizon = Span::seconds(1);
    problem.work.length = Span::hours(4);
    problem.hazard = Hazard(0.03);
    problem.outlook.survival = problem.hazard.survival(problem.horizon);
    let break_even = solve(&problem).unwrap().break_even.unwrap();
    let exact = lowtide::market::break_even_hazard(0.2, Span::hours(4)).unwrap();
    assert!(
        (break_even.hazard.0 / exact.0 - 1.0).abs() < 1e-4,
        "{break_even:?} {exact}"
    );
    assert!((exact.0 - 0.665).abs() < 1e-3);
    assert_eq!(break_even.change, Change::SpotLeaves);
    // Free spot is never left for its price, dear spot never taken.
    problem.spot.price = UsdHourly(1.1);
    assert_eq!(solve(&problem).unwrap().break_even, None);
}

#[test]
fn only_nodes_that_will_be_ready_in_time_count() {
    let mut problem = ten_nodes();
    problem.outlook.survival = Probability::ONE;
    problem.horizon = Span::minutes(3);
    problem.dedicated.boot = Span::minutes(5);
    problem.spot.boot = Span::minutes(5);
    problem.spot.ready = Nodes(6);
    problem.spot.booting = vec![Booting {
        nodes: Nodes(4),
        age: Span::minutes(2),
    }];
    // Four that have booted for two of five minutes are ready in three.
    let solution = solve(&problem).unwrap();
    assert_eq!((solution.mix, solution.promise), (Mix::new(0, 10), Promise::Met));
    assert_eq!(solution.bill.churn, UsdHourly(0.0));
    // A minute less and they are late; new nodes are later still, so all there is to promise is the count itself.
    problem.spot.booting[0].age = Span::minutes(1);
    let late = solve(&problem).unwrap();
    assert_eq!(
        (late.mix, late.promise, late.chance),
        (Mix::new(0, 10), Promise::Late, 0.0)
    );
    // Dedicated nodes that boot in time are worth their price then.
    problem.dedicated.boot = Span::minutes(2);
    let rescued = solve(&problem).unwrap();
    assert_eq!((rescued.mix, rescued.promise), (Mix::new(4, 6), Promise::Met));
}

#[test]
fn a_model_of_the_market_says_what_a_problem_needs_of_it() {
    let regime = Regime {
        up: Lifetime::Exponential { hazard: Hazard(0.02) },
        down: Lifetime::Exponential { hazard: Hazard(3.0) },
        node: Hazard(0.01),
        shock: Shock::ALL,
    };
    let model = EvictionModel::Regime {
        regime: Box::new(regime.clone()),
    };
    let outset = Outset::fresh(lowtide::base::Timestamp::EPOCH, Span::hours(2));
    let up = ten_nodes().in_market(&model, outset);
    assert!((up.hazard.0 - 0.03).abs() < 1e-12);
    // Shocks come within the hour with 2 %, less than the risk of 5 %.
    assert_eq!(mix_of(&up).dedicated, Nodes::ZERO);
    // An outage ends in time with 95.02 % in an hour, hardly ever once boots take most of it.
    let mut down = ten_nodes().in_outage(&regime, Span::minutes(10));
    assert!((down.outlook.up.get() - 0.9502).abs() < 1e-4);
    assert_eq!(mix_of(&down).dedicated, Nodes::ZERO);
    down.spot.boot = Span::minutes(50);
    assert_eq!(
        mix_of(&down.in_outage(&regime, Span::minutes(10))),
        Mix::new(10, 0)
    );
}

#[test]
fn what_it_costs_to_move_keeps_nodes_where_they_are() {
    let mut problem = ten_nodes();
    problem.dedicated.ready = Nodes(10);
    problem.dedicated.stop = Usd(5.0);
    // Giving up ten nodes costs 50 dollars; over one hour no saving of 7.8 pays that, over twelve it does.
    assert_eq!(mix_of(&problem), Mix::new(10, 0));
    problem.dwell = Span::hours(12);
    assert_eq!(mix_of(&problem), Mix::new(0, 11));
}

#[test]
fn the_price_of_lateness_buys_a_reserve_of_its_own() {
    let mut problem = ten_nodes();
    problem.risk = Probability::ONE;
    assert_eq!(mix_of(&problem), Mix::ZERO);
    problem.lateness = UsdHourly(0.5);
    assert_eq!(mix_of(&problem), Mix::new(0, 10));
    problem.lateness = UsdHourly(50.0);
    let solution = solve(&problem).unwrap();
    assert!(solution.mix.spot > Nodes(11), "{}", solution.mix);
    assert!(solution.bill.lateness.0 > 0.0);
}

#[test]
fn rules_of_the_share_are_kept_as_far_as_the_limits_let_them() {
    let mut problem = ten_nodes();
    problem.rule = ShareRule::DedicatedOnly;
    let solution = solve(&problem).unwrap();
    assert_eq!(solution.mix, Mix::new(10, 0));
    assert!(matches!(solution.runner_up.unwrap().lost, Lost::AgainstTheRule { saves } if saves.0 > 7.0));
    assert_eq!(solution.break_even, None);
    problem.rule = ShareRule::Fixed { spot: chance(0.5) };
    // Of 10 + 0 ... 5 + 5 the five spot nodes all last with 0.859; 5 + 6 is the next, with 0.986.
    assert_eq!(mix_of(&problem), Mix::new(5, 6));
    problem.spot.quota = Some(Nodes(2));
    assert_eq!(mix_of(&problem).spot, Nodes(2));
    // Dear spot is taken first all the same.
    let mut problem = ten_nodes();
    problem.rule = ShareRule::SpotFirst;
    problem.spot.price = UsdHourly(3.0);
    assert_eq!(mix_of(&problem), Mix::new(0, 11));
    problem.outlook.up = chance(0.9);
    assert_eq!(mix_of(&problem), Mix::new(10, 0));
}

#[test]
fn too_small_quotas_promise_what_they_can() {
    let mut problem = ten_nodes();
    problem.dedicated.quota = Some(Nodes(3));
    problem.spot.bounds = Between::new(0, 4);
    let solution = solve(&problem).unwrap();
    // Three dedicated, and of four spot nodes three are there with 0.994.
    assert_eq!(
        (solution.mix, solution.promise),
        (Mix::new(3, 4), Promise::Part { nodes: Nodes(6) })
    );
}

#[test]
fn faults_name_the_field_and_the_way_out() {
    let mut problem = ten_nodes();
    problem.spot.price = UsdHourly(f64::NAN);
    assert_eq!(
        solve(&problem).unwrap_err().to_string(),
        "spot.price is NaN; give a finite number of 0 or more"
    );
    let mut problem = ten_nodes();
    problem.total = Between::new(0, 3);
    problem.dedicated.bounds = Between::new(4, 9);
    assert_eq!(
        solve(&problem).unwrap_err().to_string(),
        "total asks for at least 4 and at most 3 nodes; raise the upper bound or lower the lower one"
    );
    let mut problem = ten_nodes();
    problem.demand = Nodes(u32::MAX);
    assert!(matches!(
        solve(&problem),
        Err(ProblemError::TooMany { field: "demand", .. })
    ));
    let mut problem = ten_nodes();
    problem.horizon = Span::ZERO;
    assert!(matches!(
        cheapest(&problem),
        Err(ProblemError::TooShort { field: "horizon", .. })
    ));
}

#[test]
fn an_answer_is_recorded_and_read_back() {
    let solution = solve(&ten_nodes()).unwrap();
    let text = serde_json::to_string(&solution).unwrap();
    assert_eq!(
        serde_json::from_str::<lowtide::mix::Solution>(&text).unwrap(),
        solution
    );
}
