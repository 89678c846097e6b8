//! How fast a mix is found: from ten nodes to ten thousand, in a mild market, in one with correlated losses, and in one in which
//! spot is worth little.
//!
//! `cargo bench --bench mix`; `cheapest` is the mix alone, `solve` also tells the runner-up and the break-even rate.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use lowtide::base::{Nodes, Probability, Span, UsdHourly};
use lowtide::market::{Hazard, LostWork, Outlook, Work};
use lowtide::mix::{Between, LaneTerms, Problem, ShareRule, cheapest, solve};
use std::hint::black_box;

fn chance(number: f64) -> Probability {
    Probability::new(number).unwrap_or(Probability::ZERO)
}

fn problem(demand: u32, up: f64, correlation: f64, hazard: f64) -> Problem {
    let lane = |price: f64, boot: i64| LaneTerms {
        boot: Span::minutes(boot),
        ready: Nodes(demand / 3),
        ..LaneTerms::priced(UsdHourly(price))
    };
    let horizon = Span::minutes(15);
    Problem {
        demand: Nodes(demand),
        risk: chance(0.05),
        horizon,
        dwell: Span::hours(1),
        dedicated: lane(0.192, 4),
        spot: lane(0.041, 4),
        total: Between::ANY,
        rule: ShareRule::ExpectedCost,
        outlook: Outlook {
            up: chance(up),
            survival: Hazard(hazard).survival(horizon),
            correlation,
            survival_of_shock: Probability::ZERO,
            correlation_of_shock: 1.0,
        },
        outage: false,
        hazard: Hazard(hazard),
        work: Work {
            length: Span::minutes(30),
            boot: Span::minutes(4),
            lost: LostWork::All,
        },
        lateness: UsdHourly(0.5),
    }
}

fn mixes(c: &mut Criterion) {
    let markets = [
        ("mild", 0.99, 0.0, 0.025),
        ("correlated", 0.99, 0.42, 0.15),
        ("outages", 0.9, 0.42, 0.15),
        ("wild", 0.99, 0.42, 6.0),
    ];
    for (market, up, correlation, hazard) in markets {
        let mut group = c.benchmark_group(format!("mix/{market}"));
        for demand in [10, 100, 1_000, 10_000] {
            let problem = problem(demand, up, correlation, hazard);
            group.bench_with_input(BenchmarkId::new("cheapest", demand), &problem, |b, problem| {
                b.iter(|| cheapest(black_box(problem)));
            });
            group.bench_with_input(BenchmarkId::new("solve", demand), &problem, |b, problem| {
                b.iter(|| solve(black_box(problem)));
            });
        }
        group.finish();
    }
}

criterion_group!(benches, mixes);
criterion_main!(benches);
