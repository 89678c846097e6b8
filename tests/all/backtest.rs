//! Backtests without a formula: the fixed pools that policies are compared with.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lowtide::base::{Mix, Span, UsdHourly};
use lowtide::policy::Prices;
use lowtide::sim::cluster::{Boot, Eviction, Setup};
use lowtide::sim::workload::{CiRecipe, ReadOptions, generate, read};
use lowtide::sim::{Contender, Options, PROGRESS_STEPS, PricePaths, backtest, demo};

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
fn the_bill_is_the_integral_of_a_price_that_changes() {
    let workload = Arc::new(generate(&CiRecipe::default(), 3));
    let fixed = Contender::Static {
        mix: Mix::new(3, 10),
        prices: PRICES,
    };
    let changes = [(0, 0.05), (5 * 3600, 0.2), (7 * 3600 + 1234, 0.01)];
    let rows: Vec<_> = changes
        .iter()
        .map(|(at, price)| format!("{at},{price}\n"))
        .collect();
    let rows = rows.concat();
    let spot =
        lowtide::market::recorded::read_prices(&format!("t_s,usd_hourly\n{rows}"), workload.start).unwrap();
    let end = lowtide::sim::end(&workload, Options::default().tail);
    let expected = 10.0 * spot.integral(workload.start, end).0;
    let options = Options {
        prices: Some(PricePaths {
            spot,
            ..PricePaths::constant(&PRICES)
        }),
        ..Options::default()
    };
    let report = backtest(&[fixed], &workload, &options, &|_| {}).unwrap();
    let cost = report.runs[0].cost;
    assert!(
        (cost.spot.0 - expected).abs() < 1e-9,
        "{} is not {expected}",
        cost.spot
    );
    let hours = (end - workload.start).as_hours();
    assert!((cost.dedicated.0 - 3.0 * 0.2 * hours).abs() < 1e-9);
    assert!(cost.wasted.0 < cost.total.0);
}

#[test]
fn the_demo_shows_a_policy_that_costs_less_and_lets_people_wait_less() {
    let report = backtest(&demo::contenders(), &demo::workload(), &demo::options(), &|_| {}).unwrap();
    println!(
        "{}{}{}",
        report.to_table(140),
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

#[test]
fn the_same_backtest_gives_the_same_bytes_however_many_threads_run_it() {
    let options = Options {
        setup: Setup {
            boot: Boot::Uniform {
                least: Span::minutes(1),
                most: Span::minutes(6),
            },
            eviction: Eviction::Constant {
                per_node_hour: 0.2,
                back_after: Span::minutes(10),
            },
            ..demo::options().setup
        },
        seeds: vec![1, 2, 1],
        ..demo::options()
    };
    let runs = || {
        backtest(&demo::contenders(), &demo::workload(), &options, &|_| {})
            .unwrap()
            .runs
    };
    let (first, second) = (runs(), runs());
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        serde_json::to_string(&second).unwrap()
    );
    assert_eq!(first[0], first[2], "the same seed");
    assert_ne!(first[0].cost, first[1].cost, "another seed");
    let all_at_once = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(runs)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect::<Vec<_>>()
    });
    assert!(all_at_once.iter().all(|runs| *runs == first));
}

#[test]
fn a_backtest_tells_how_far_it_is_and_ends_at_the_whole() {
    let told = AtomicU64::new(0);
    let contenders = demo::contenders();
    let on_progress = |steps| {
        told.fetch_add(steps, Ordering::Relaxed);
    };
    backtest(&contenders, &demo::workload(), &demo::options(), &on_progress).unwrap();
    assert_eq!(told.into_inner(), PROGRESS_STEPS * contenders.len() as u64);
}

#[test]
fn a_log_that_lasts_for_ages_is_refused_with_a_way_out() {
    let log = "submit_s,run_s\n0,10\n3000000000,10\n";
    let workload = Arc::new(read(log.as_bytes(), "ages", &ReadOptions::default()).unwrap());
    let peak = Contender::Peak { prices: PRICES };
    let error = backtest(&[peak], &workload, &Options::default(), &|_| {}).unwrap_err();
    assert!(error.to_string().contains("read a window"), "{error}");
}
