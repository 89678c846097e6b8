//! Sources beside a world: each signal is asked for once, each pool is told its own, and the past of a pool comes first.

use std::collections::BTreeMap;

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::{Decision, Memory};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{self, Policies};
use lowtide::signal::{Found, Metric, Reading, Sample};
use lowtide::world::{MetricSource, Wanted, WantedPast, WithSignals};

/// Three pools that stand still for some looks.
struct Still {
    looks: u32,
    decided: Vec<Decision>,
}

/// A source that counts what it is asked, and says as many as the name of the signal has letters.
#[derive(Default)]
struct Counting {
    asked: BTreeMap<String, (u32, Span)>,
    pasts: Vec<String>,
}

impl World for Still {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.looks = self.looks.checked_sub(1)?;
        Some(at.max("2026-11-25T10:00:00Z".parse().unwrap()))
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        for id in ["ci-main", "ci-b", "other"] {
            let mut pool = PoolState::new(id.parse().unwrap());
            (pool.target, pool.current) = (Mix::new(1, 0), Mix::new(1, 0));
            let view = into.push(pool);
            view.samples.push(Sample {
                metric: Metric::PendingTasks,
                taken: question.now,
                value: 0.0,
            });
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, .. } = entry {
            self.decided.push((*decision).clone());
        }
        Ok(())
    }

    fn act(&mut self, _: &Order) -> Receipt {
        Receipt::Withheld
    }
}

impl MetricSource for Counting {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        let tell = |wanted: &Wanted| {
            let id = wanted.id.to_string();
            let value = id.len() as f64;
            let asked = self.asked.entry(id).or_insert((0, wanted.stale_after));
            asked.0 += 1;
            Reading {
                signal: wanted.id.clone(),
                taken: now,
                found: Found::Value(value),
            }
        };
        wanted.iter().map(tell).collect()
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        self.pasts.push(wanted.pool.to_string());
        let past = |slot: i64| Sample {
            metric: Metric::PendingTasks,
            taken: wanted.to - Span::seconds(30) * slot,
            value: 7.0,
        };
        (1..=20).rev().map(past).collect()
    }
}

fn policies(sources: [&str; 3]) -> Policies {
    let read = |source: &str| {
        let (policy, findings) = policy::read("p", source, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{findings:?}"))
    };
    Policies::from(sources.map(read).to_vec())
}

#[test]
fn a_signal_is_asked_for_once_and_each_pool_is_told_its_own() {
    let policies = policies([
        "version: 1\npool: ci-main\ndemand: [ { queue: { source: file, name: shared, staleAfter: 5m } } ]\n",
        "version: 1\npool: ci-*\ndemand: [ { queue: { source: file, name: shared } }, { queue: { source: file, name: \"{pool}.txt\" } } ]\n",
        "version: 1\npool: other\ndemand: [ { queue: { metric: $PendingTasks } } ]\n",
    ]);
    let still = Still {
        looks: 2,
        decided: Vec::new(),
    };
    let mut world = WithSignals::new(still, Counting::default());
    run(&mut world, &policies, Memory::default());
    // The first policy speaks of its pool alone, whatever the pattern of the second; the stricter age counts.
    let asked: Vec<_> = world
        .source
        .asked
        .iter()
        .map(|(id, asked)| (id.as_str(), *asked))
        .collect();
    let usual = Span::minutes(3);
    assert_eq!(
        asked,
        [("file:ci-b.txt", (2, usual)), ("file:shared", (2, usual))]
    );
    let seen = |pool: &str| {
        let decision = world
            .world
            .decided
            .iter()
            .find(|decision| decision.pool.as_str() == pool);
        let seen = decision.unwrap().signals.iter();
        seen.map(|seen| (seen.signal.to_string(), seen.value))
            .collect::<Vec<_>>()
    };
    assert_eq!(seen("ci-main"), [("file:shared".to_owned(), Some(11.0))]);
    assert_eq!(
        seen("ci-b"),
        [
            ("file:shared".to_owned(), Some(11.0)),
            ("file:ci-b.txt".to_owned(), Some(13.0))
        ]
    );
    assert!(seen("other").is_empty());
}

#[test]
fn the_past_of_a_pool_is_asked_for_once_and_comes_before_what_is_now() {
    const BY_TEN_MINUTES: &str = "version: 1\npool: ci-*\ndemand: [ { formula: { role: demand, text: \"x = $PendingTasks.GetSample(TimeInterval_Minute * 10, 90); $TargetDedicatedNodes = max(x);\" } } ]\n";
    let policies = policies([
        BY_TEN_MINUTES,
        "version: 1\npool: never-*\ndemand: [ { queue: { metric: $PendingTasks } } ]\n",
        "version: 1\npool: other\ndemand: [ { schedule: { timezone: UTC, rules: [ { cron: \"0 0 * * *\", for: 1h, atLeast: 1 } ] } } ]\n",
    ]);
    let still = Still {
        looks: 3,
        decided: Vec::new(),
    };
    let mut world = WithSignals::new(still, Counting::default());
    let memory = run(&mut world, &policies, Memory::default());
    let mut pasts = world.source.pasts;
    pasts.sort();
    assert_eq!(pasts, ["ci-b", "ci-main", "other"]);
    let first = &world.world.decided[0];
    assert_eq!(first.outcome().total().0, 7, "{}", first.to_text());
    let series = memory
        .pools
        .values()
        .next()
        .unwrap()
        .history
        .get(Metric::PendingTasks);
    let values = series.unwrap().values();
    assert_eq!((values[0], values.len()), (7.0, 23), "the past, and three looks");
}
