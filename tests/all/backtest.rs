//! Backtests without a formula: the fixed pools that policies are compared with.

use std::sync::Arc;

use lowtide::base::{Mix, UsdHourly};
use lowtide::policy::Prices;
use lowtide::sim::workload::{CiRecipe, generate};
use lowtide::sim::{Contender, Options, backtest, demo};

const PRICES: Prices = Prices {
    dedicated: UsdHourly(0.2),
    spot: UsdHourly(0.05),
};

#[test]
fn a_fixed_pool_costs_its_price_times_the_time_and_the_peak_lets_nobody_wait() {
    let workload = Arc::new(generate(&CiRecipe::default(), 3));
    let fixed = Contender::Static {
        mix: Mix::new(30, 10),
        prices: PRICES,
    };
    let peak = Contender::Peak { prices: PRICES };
    let report = backtest(&[fixed, peak], &workload, &Options::default(), &|_| {}).unwrap();
    let [fixed, peak] = &report.runs[..] else {
        panic!("two contenders, two runs")
    };
    let hours = (lowtide::sim::end(&workload, Options::default().tail) - workload.start).as_hours();
    assert!((fixed.cost.total.0 - hours * (30.0 * 0.2 + 10.0 * 0.05)).abs() < 1e-9);
    assert!((fixed.node_hours.busy + fixed.node_hours.idle - 40.0 * hours).abs() < 1e-9);
    assert_eq!((peak.wait.max, peak.tasks.completed), (0.0, peak.tasks.submitted));
    assert!((peak.node_hours.work - workload.slot_hours()).abs() < 1e-6);
}

#[test]
fn the_demo_shows_a_policy_that_costs_less_and_lets_people_wait_less() {
    let report = backtest(&demo::contenders(), &demo::workload(), &demo::options(), &|_| {}).unwrap();
    println!(
        "{}{}{}",
        report.to_table(),
        report.runs[0].to_plot(100),
        report.runs[1].to_plot(100)
    );
    let [copied, own, always_on] = &report.runs[..] else {
        panic!("three contenders, three runs")
    };
    assert!(own.cost.total.0 < 0.7 * copied.cost.total.0);
    assert!(own.cost.total.0 < 0.5 * always_on.cost.total.0);
    assert!(own.wait.p95 < copied.wait.p95);
    assert_eq!(own.tasks.completed, own.tasks.submitted);
}
