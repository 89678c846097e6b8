//! What sources outside of the account say is written down with each look, and replays to the same bytes.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{self, Policies};
use lowtide::signal::{Found, Lack, Metric, Reading, Sample};
use lowtide::sim::{Contender, backtest_one, demo};
use lowtide::world::{Kept, MemoryLedger, replay};

/// A pool that is looked at each minute, with a source that says something else each time.
struct Telling {
    looks: i64,
    look: i64,
    now: Timestamp,
    pool: PoolState,
    tells: bool,
}

fn start() -> Timestamp {
    "2026-11-25T10:00:00Z".parse().unwrap()
}

fn found(look: i64) -> Option<Found> {
    Some(match look % 8 {
        0 => Found::Value(0.1 + 0.2),
        1 => Found::Value(f64::NAN),
        2 => Found::AtLeast(7.0),
        3 => return None,
        4 => Found::Lacking(Lack::Null),
        5 => Found::Value(-0.0),
        6 => Found::Lacking(Lack::Fault("no \"answer\"\nin time".to_owned())),
        _ => Found::Value(1e300),
    })
}

impl World for Telling {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.look += 1;
        self.now = at.max(self.now + Span::seconds(30));
        (self.look <= self.looks).then_some(self.now)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let view = into.push(self.pool.clone());
        view.samples.push(Sample {
            metric: Metric::PendingTasks,
            taken: question.now,
            value: (self.look % 5) as f64,
        });
        if let Some(found) = found(self.look).filter(|_| self.tells) {
            view.readings.push(Reading {
                signal: "storageQueue:agents".into(),
                taken: question.now - Span::from_ticks(self.look * 1_234_567),
                found,
            });
        }
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        (self.pool.target, self.pool.current) = (order.target, order.target);
        Receipt::Accepted
    }
}

fn ledger(demand: &str, tells: bool) -> String {
    let source = format!("version: 1\npool: p\ndemand: [ {demand} ]\nbounds: {{ total: [0, 20] }}\n");
    let (policy, findings) = policy::read("p", &source, &mut |_| Err(String::new()));
    let policies = Policies::from(vec![policy.unwrap_or_else(|| panic!("{findings:?}"))]);
    let mut world = Kept {
        world: Telling {
            looks: 30,
            look: 0,
            now: start(),
            pool: PoolState::new("p".parse().unwrap()),
            tells,
        },
        ledger: MemoryLedger::default(),
    };
    let memory = run(&mut world, &policies, Memory::default());
    // The engine begins anew with what it remembers, as it does after its policies have changed.
    world.world.looks += 10;
    run(&mut world, &policies, memory);
    world.ledger.text
}

#[test]
fn readings_are_kept_and_decided_on_again() {
    let text = ledger("{ queue: { metric: $PendingTasks } }", true);
    for part in [
        r#""readings":[{"signal":"storageQueue:agents","taken":"#,
        r#""found":{"value":0.30000000000000004}"#,
        r#""found":{"lacking":"notANumber"}"#,
        r#""found":{"atLeast":7.0}"#,
        r#""found":{"lacking":{"fault":"no \"answer\"\nin time"}}"#,
        r#""signals":{"storageQueue:agents":{"#,
    ] {
        assert!(text.contains(part), "{part} is nowhere in the ledger");
    }
    let replayed = replay(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((replayed.decisions, replayed.torn), (39, false));
}

#[test]
fn where_nothing_is_told_nothing_is_written() {
    let text = ledger("{ queue: { metric: $PendingTasks } }", false);
    assert!(!text.contains("readings") && !text.contains("signals"));
    replay(&text).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_backtest_takes_messages_for_tasks_and_refuses_what_no_log_tells() {
    let workload = demo::workload();
    let run = |demand: &str| {
        let source = format!("version: 1\npool: p\ndemand: [ {demand} ]\nbounds: {{ total: [0, 20] }}\n");
        let (policy, findings) = policy::read("p", &source, &mut |_| Err(String::new()));
        let policy = policy.unwrap_or_else(|| panic!("{findings:?}"));
        let options = demo::options();
        backtest_one(&Contender::Policy(policy), &workload, &options, 7, None, &|_| {})
    };
    let by_tasks = run("{ queue: { metric: $PendingTasks } }").unwrap();
    let by_messages = run("{ queue: { source: storageQueue, name: agents } }").unwrap();
    assert_eq!(by_messages, by_tasks, "a message is a task at once");
    let that_stay = run("{ queue: { source: storageQueue, name: agents, plus: nothing } }").unwrap();
    assert!(
        that_stay.orders > 0,
        "a message that stays is there until its task has ended"
    );
    let error = run("{ track: { source: prometheus, query: x, target: 3 } }").unwrap_err();
    assert!(error.to_string().contains("no job log tells"), "{error}");
}
