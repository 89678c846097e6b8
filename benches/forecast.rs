//! What a forecast costs: six days and a half of samples each 30 seconds, looked at by the seasons alone, with a model whose fits are kept
//! from the look before, and with one that is fitted for the whole of the past day, as at the first look.
//!
//! `cargo bench --bench forecast`

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lowtide::account::PoolState;
use lowtide::base::{Span, Timestamp};
use lowtide::decision::{BrokenNodes, GuardMemory, OurOrders, SignalMemory, Snapshot, SpotMemory};
use lowtide::policy::{self, Policy};
use lowtide::signal::{History, Metric, Series};
use lowtide::sizing::Learned;

fn policy(fitted: bool) -> Policy {
    let source = format!(
        "version: 1\npool: office\ndemand:\n  - forecast: {{ metric: $PendingTasks, season: 24h, horizon: 30m, fitted: {fitted} }}\n  \
         - queue: {{ metric: $PendingTasks }}\n"
    );
    let (policy, findings) = policy::read("bench", &source, &mut |_| Err("no file".to_owned()));
    policy.unwrap_or_else(|| {
        panic!(
            "the benchmark's policy has faults: {:?}",
            findings.all().collect::<Vec<_>>()
        )
    })
}

/// Days of a wave that grows, with something on top that never comes again.
fn history(now: Timestamp) -> History {
    let mut series = Series::new(Timestamp::EPOCH, Span::SAMPLE_PERIOD);
    let slots = now.since(Timestamp::EPOCH).ticks() / Span::SAMPLE_PERIOD.ticks();
    for slot in 0..=slots {
        let days = slot as f64 / 2880.0;
        let odd = ((slot / 30) as f64 * 12.9898).sin().abs() * 20.0;
        let tasks = 100.0 + 15.0 * days + 50.0 * (days * std::f64::consts::TAU).sin() + odd;
        series
            .push(Some(tasks.round()))
            .expect("some days of samples never fill a series");
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    history
}

fn looks(c: &mut Criterion) {
    let now = Timestamp::EPOCH + Span::days(6) + Span::hours(13) + Span::minutes(20);
    let history = history(now);
    let pool = PoolState::new("office".parse().expect("it is a name"));
    let (signals, guards, learned) = (
        SignalMemory::default(),
        GuardMemory::default(),
        Learned::default(),
    );
    let (spot, ours, broken) = (
        SpotMemory::default(),
        OurOrders::default(),
        BrokenNodes::default(),
    );
    let snapshot = Snapshot {
        now,
        seed: 0,
        pool: &pool,
        history: &history,
        signals: &signals,
        guards: &guards,
        learned: &learned,
        spot: &spot,
        ours: &ours,
        broken: &broken,
        work: None,
        halt: None,
    };
    let mut group = c.benchmark_group("a look with a forecast");
    for (name, policy, kept) in [
        ("seasons alone", policy(false), true),
        ("with a model, fits kept", policy(true), true),
        ("with a model, the first look", policy(true), false),
    ] {
        let mut workings = policy.demand[0].workings();
        group.bench_function(name, |b| {
            b.iter(|| {
                if !kept {
                    workings = policy.demand[0].workings();
                }
                policy.demand[0].ask((1, 2), &mut workings, &policy, black_box(&snapshot))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, looks);
criterion_main!(benches);
