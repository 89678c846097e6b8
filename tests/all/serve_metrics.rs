//! What the sidecar exports of what others do, of signals and of what was saved.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World};
use lowtide::policy::Policies;
use lowtide::serve::Metrics;
use lowtide::signal;

use crate::serve::policy;

/// A world of two pools, in which somebody else resizes one at the fourth look, and the other is told of by a queue.
struct Meddled {
    metrics: Metrics,
    look: u32,
    now: Timestamp,
    target: u32,
}

impl World for Meddled {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.look += 1;
        self.now = (self.now + Span::seconds(30)).max(at);
        (self.look < 6).then_some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        if self.look == 4 {
            self.target = 7;
        }
        let mut pool = PoolState::new("a".parse().unwrap());
        pool.target = Mix::new(self.target, 0);
        pool.current = pool.target;
        into.push(pool);
        let told = into.push(PoolState::new("q".parse().unwrap()));
        told.readings.push(signal::Reading {
            signal: "storageQueue:agents".into(),
            taken: self.now - Span::seconds(40),
            found: signal::Found::Value(0.0),
        });
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.metrics.take(entry);
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        // Only so many nodes come at first.
        self.target = order.target.total().0.min(self.target + 2);
        Receipt::Accepted
    }
}

#[test]
fn what_others_do_is_counted_as_the_engine_tells_it_and_signals_have_an_age() {
    let read = |name: &str, text: &str| {
        let (policy, findings) = lowtide::policy::read(name, text, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{:?}", findings.policy))
    };
    let queue = "version: 1\npool: q\ninterval: 30s\nbounds: { total: [0, 9] }\n\
        demand: [ { queue: { source: storageQueue, name: agents, tasksPerMessage: 1 } } ]\n";
    let policies = Policies::from(vec![read("a", &policy(4)), read("q", queue)]);
    let mut world = Meddled {
        metrics: Metrics::new().unwrap(),
        look: 0,
        now: "2026-11-25T09:00:00Z".parse().unwrap(),
        target: 1,
    };
    lowtide::engine::run(&mut world, &policies, Memory::default());
    let text = world.metrics.export(&lowtide::serve::Health::default());
    for line in [
        "lowtide_foreign_changes_total{pool=\"a\"} 1",
        "lowtide_signal_age_seconds{pool=\"q\",signal=\"storageQueue:agents\"} 40",
        "lowtide_breaker_open{pool=\"a\"} 0",
    ] {
        assert!(
            text.lines().any(|other| other == line),
            "{line} is not in\n{text}"
        );
    }
    let baselines = text
        .lines()
        .filter(|line| line.starts_with("lowtide_savings_usd"));
    let of_a = baselines.filter(|line| line.contains("pool=\"a\""));
    assert_eq!(
        of_a.count(),
        2,
        "all dedicated, and the documented formula: {text}"
    );
}
