//! How fast a backtest runs: two months of 100,000 tasks, a sample every 30 seconds, a decision every minute.
//!
//! `cargo bench --bench backtest`; "elements" are decisions of the engine where an engine decides, events of the simulation
//! (node changes, arrivals, samples) where none does. One run of each is timed by itself and told in ticks and events a second.

#![expect(
    clippy::print_stdout,
    reason = "the counts behind the rates are part of the result"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use lowtide::base::Mix;
use lowtide::policy::{self, Policy};
use lowtide::sim::cluster::Setup;
use lowtide::sim::workload::{CiRecipe, ReadOptions, Workload, generate, read};
use lowtide::sim::{Contender, Options, SpotMarket, backtest_one};

const POLICY: &str = r"version: 1
pool: bench
interval: 1m
demand:
  - formula:
      role: targets
      text: |
        recent = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 10) < 50
            ? max(0, $PendingTasks.GetSample(1))
            : max($PendingTasks.GetSample(TimeInterval_Minute * 10, 50));
        $TargetDedicatedNodes = min(500, (recent + $TaskSlotsPerNode - 1) / $TaskSlotsPerNode);
        $NodeDeallocationOption = requeue;
";

/// 61 days of 2,000 builds on working days, 250 at weekends, and 160 tasks a night: about 100,000 tasks.
const TWO_MONTHS: CiRecipe = CiRecipe {
    days: 61,
    builds_daily: 2000.0,
    nightly_tasks: 160,
    build_median: lowtide::base::Span::minutes(6),
    nightly_run: lowtide::base::Span::minutes(40),
};

fn policy() -> Policy {
    let (policy, findings) = policy::read("bench", POLICY, &mut |_| Err("no file".to_owned()));
    policy.unwrap_or_else(|| {
        panic!(
            "the benchmark's policy has faults: {:?}",
            findings.all().collect::<Vec<_>>()
        )
    })
}

fn options() -> Options {
    Options {
        setup: Setup {
            task_slots_per_node: 4,
            ..Setup::default()
        },
        ..Options::default()
    }
}

/// The workload as a log, to read it back.
fn log(workload: &Workload) -> Vec<u8> {
    let mut text = String::from("submit_s,run_s,cores\n");
    for task in &workload.tasks {
        let submit = (task.submit - workload.start).as_seconds();
        text += &[
            submit.to_string(),
            task.run.as_seconds().to_string(),
            "1\n".to_owned(),
        ]
        .join(",");
    }
    text.into_bytes()
}

fn two_months(c: &mut Criterion) {
    let workload = Arc::new(generate(&TWO_MONTHS, 1));
    let policy = policy();
    let native = Contender::Native {
        policy: policy.clone(),
        interval: lowtide::sim::NATIVE_INTERVAL,
    };
    let prices = policy.prices;
    let mut group = c.benchmark_group("two months");
    group.sample_size(10).measurement_time(Duration::from_secs(5));
    let half_spot = Contender::Static {
        mix: Mix::new(40, 40),
        prices,
    };
    let market = SpotMarket::modelled("az20")
        .expect("it is a name")
        .expect("it needs no numbers");
    for (name, contender, spot) in [
        (
            "engine every minute",
            Contender::Policy(policy),
            SpotMarket::Unlimited,
        ),
        ("native every 15 minutes", native, SpotMarket::Unlimited),
        ("no engine", Contender::Peak { prices }, SpotMarket::Unlimited),
        ("no engine, half on spot that is evicted", half_spot, market),
    ] {
        let options = Options { spot, ..options() };
        let run = |contender: &Contender| backtest_one(contender, &workload, &options, 1, None, &|_| {});
        let began = Instant::now();
        let found = run(&contender).expect("the setup is sound");
        let seconds = began.elapsed().as_secs_f64();
        let elements = if found.decisions > 0 {
            found.decisions
        } else {
            found.events
        };
        println!(
            "{name}: {} tasks, {} events ({:.2e} a second), {} decisions ({:.2e} ticks a second), {} orders",
            found.tasks.submitted,
            found.events,
            found.events as f64 / seconds,
            found.decisions,
            found.decisions as f64 / seconds,
            found.orders
        );
        group.throughput(Throughput::Elements(elements));
        group.bench_function(name, |b| b.iter(|| run(&contender)));
    }
    let text = log(&workload);
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("reading the log", |b| {
        b.iter_batched(
            ReadOptions::default,
            |options| read(&text, "log", &options),
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, two_months);
criterion_main!(benches);
