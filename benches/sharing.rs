//! How long a tick of an account with 500 pools takes, the most that the service allows: each with a policy of its own, which share
//! nothing, share quotas that hold all that is wanted, or share ones that hold a third of it.
//!
//! `cargo bench --bench sharing`; "elements" are pools.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lowtide::account::{CoreQuotas, PoolState};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::{BrokenNodes, GuardMemory, OurOrders, SignalMemory, Snapshot, SpotMemory};
use lowtide::engine::{AccountView, decide_sharing};
use lowtide::policy::{self, Policies, Policy};
use lowtide::signal::{History, Metric, Series};
use lowtide::sizing::Learned;

const POOLS: u32 = 500;

fn policy(index: u32) -> Policy {
    let source = format!(
        "version: 1\npool: pool-{index}\ndemand: [ {{ queue: {{ metric: $PendingTasks }} }} ]\nmix: {{ objective: {{ fixedShare: 0.5 }} }}\n\
         quota: {{ guaranteedCores: {}, priority: {} }}\n",
        8 * (index % 3),
        index % 5
    );
    let (policy, findings) = policy::read("bench", &source, &mut |_| Err("no file".to_owned()));
    policy.unwrap_or_else(|| {
        let faults: Vec<_> = findings.all().collect();
        panic!("the benchmark's policy has faults: {faults:?}")
    })
}

fn pool(index: u32) -> PoolState {
    let mut pool = PoolState::new(format!("pool-{index}").parse().expect("this is an id"));
    pool.vm_size = Some("standard_d4s_v5".into());
    (pool.target, pool.current) = (Mix::new(index % 7, index % 4), Mix::new(index % 7, index % 4));
    pool
}

/// Each pool wants 40 nodes.
fn history(now: Timestamp) -> History {
    let mut series = Series::new(now - Span::minutes(15), Span::SAMPLE_PERIOD);
    for _ in 0..28 {
        series
            .push(Some(40.0))
            .expect("a few samples never fill a series");
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    history
}

fn ticks(c: &mut Criterion) {
    let now = Timestamp::from_unix_seconds(1_800_000_000);
    let pools: Vec<PoolState> = (0..POOLS).map(pool).collect();
    let history = history(now);
    let (ours, broken) = (OurOrders::default(), BrokenNodes::default());
    let (guards, learned, spot) = (GuardMemory::default(), Learned::default(), SpotMemory::default());
    let signals = SignalMemory::default();
    let snapshot = |pool| Snapshot {
        now,
        seed: 0,
        pool,
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
    let snapshots: Vec<_> = pools.iter().map(snapshot).collect();
    let shared = Policies::from((0..POOLS).map(policy).collect::<Vec<_>>());
    let alone = |mut policy: Policy| {
        (policy.quota.guaranteed_cores, policy.quota.priority) = (None, None);
        policy
    };
    let alone = Policies::from((0..POOLS).map(policy).map(alone).collect::<Vec<_>>());
    let quotas = |cores: u32| AccountView {
        quotas: Some(CoreQuotas {
            dedicated_cores: Some(cores),
            spot_cores: Some(cores),
            ..CoreQuotas::default()
        }),
        ..AccountView::default()
    };
    let wanted = POOLS * 20 * 4;
    let mut group = c.benchmark_group("tick of 500 pools");
    group.throughput(Throughput::Elements(u64::from(POOLS)));
    for (name, policies, account) in [
        ("alone", &alone, None),
        ("plenty", &shared, Some(quotas(wanted))),
        ("scarce", &shared, Some(quotas(wanted / 3))),
    ] {
        group.bench_function(name, |b| {
            b.iter(|| decide_sharing(black_box(policies), black_box(&snapshots), account.as_ref()));
        });
    }
    group.finish();
}

criterion_group!(benches, ticks);
criterion_main!(benches);
