//! Missing data never shrinks a pool, and a real zero does: every way of having no number, at every size of a pool, under every rule.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::decision::{Decision, Memory};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{self, Policies};
use lowtide::signal::{Found, Lack, Metric, Reading, Sample};

/// What a source says at a look.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    Absent,
    Null,
    NotANumber,
    Empty,
    Stale,
    Partial,
    Fault,
    Untold,
    Zero,
}

const WAYS: [Told; 9] = [
    Told::Absent,
    Told::Null,
    Told::NotANumber,
    Told::Empty,
    Told::Stale,
    Told::Partial,
    Told::Fault,
    Told::Untold,
    Told::Zero,
];

const RULES: [&str; 5] = [
    "hold",
    "ignore",
    "{ lastKnown: 10m }",
    "{ floor: 3 }",
    "{ floor: 0 }",
];

impl Told {
    fn reading(self, now: Timestamp) -> Option<Reading> {
        let (taken, found) = match self {
            Self::Absent => (now, Found::Lacking(Lack::Absent)),
            Self::Null => (now, Found::Lacking(Lack::Null)),
            Self::NotANumber => (now, Found::Value(f64::NAN)),
            Self::Empty => (now, Found::Lacking(Lack::Empty)),
            // The last thing that was known was that nothing waits.
            Self::Stale => (now - Span::minutes(5), Found::Value(0.0)),
            Self::Partial => (now, Found::AtLeast(0.0)),
            Self::Fault => (now, Found::Lacking(Lack::Fault("connection refused".to_owned()))),
            Self::Untold => return None,
            Self::Zero => (now, Found::Value(0.0)),
        };
        Some(Reading {
            signal: "storageQueue:agents".into(),
            taken,
            found,
        })
    }
}

/// A pool at rest; its queue is told well at first, where it is, and then in one way only.
struct Account<'a> {
    pool: PoolState,
    before: Option<f64>,
    told: Told,
    look: u32,
    decided: &'a mut Vec<Decision>,
}

impl World for Account<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.look += 1;
        let start = "2026-11-25T10:00:00Z".parse().unwrap();
        (self.look <= 5).then(|| at.max(start))
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let asked = question.signals.iter().map(|ask| ask.query.id().to_string());
        let asked: Vec<String> = asked.collect();
        assert_eq!(asked, ["storageQueue:agents"], "the policy asks for its queue");
        let view = into.push(self.pool.clone());
        for slot in 0..25 {
            view.samples.push(Sample {
                metric: Metric::PendingTasks,
                taken: question.now - Span::seconds(30) * (24 - slot),
                value: 0.0,
            });
        }
        let well = self.before.filter(|_| self.look == 1).map(|value| Reading {
            signal: "storageQueue:agents".into(),
            taken: question.now,
            found: Found::Value(value),
        });
        view.readings
            .extend(well.or_else(|| self.told.reading(question.now)));
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if let Entry::Decided { decision, .. } = entry {
            self.decided.push((*decision).clone());
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        (self.pool.target, self.pool.current) = (order.target, order.target);
        self.pool.nodes.usable = order.target.total();
        Receipt::Accepted
    }
}

/// Returns the nodes of the pool before and after each look.
fn looks(demand: &str, told: Told, nodes: u32, before: Option<f64>) -> Vec<(u32, u32, Decision)> {
    let source = format!(
        "version: 1\npool: agents\ndemand: [ {demand} ]\nbounds: {{ total: [0, 500] }}\nguards: {{ missing: {{ enough: 0% }} }}\n"
    );
    let (policy, findings) = policy::read("p", &source, &mut |_| Err(String::new()));
    let policies = Policies::from(vec![policy.unwrap_or_else(|| panic!("{demand}: {findings:?}"))]);
    let mut pool = PoolState::new("agents".parse().unwrap());
    (pool.target, pool.current) = (Mix::new(nodes, 0), Mix::new(nodes, 0));
    pool.nodes.usable = Nodes(nodes);
    let mut decided = Vec::new();
    let mut account = Account {
        pool,
        before,
        told,
        look: 0,
        decided: &mut decided,
    };
    run(&mut account, &policies, Memory::default());
    assert_eq!(decided.len(), 5);
    let ends = |decision: Decision| (decision.start.total().0, decision.outcome().total().0, decision);
    decided.into_iter().map(ends).collect()
}

#[test]
fn missing_data_never_shrinks_a_pool_and_a_real_zero_does() {
    for told in WAYS {
        for rule in RULES {
            for nodes in [0, 4, 200] {
                let demand =
                    format!("{{ queue: {{ source: storageQueue, name: agents, missing: {rule} }} }}");
                let case = format!("{told:?} × {nodes} nodes × {rule}");
                let looks = looks(&demand, told, nodes, None);
                for (from, to, decision) in &looks {
                    match told {
                        Told::Zero => assert_eq!(*to, 0, "{case}: nothing waits"),
                        _ => assert!(to >= from, "{case}: shrinks\n{}", decision.to_text()),
                    }
                    let seen = &decision.signals[0];
                    assert_eq!(seen.signal.as_str(), "storageQueue:agents", "{case}");
                    assert_eq!(seen.stale_after, Span::minutes(3), "{case}");
                    assert!(decision.to_text().contains("  signal "), "{case}");
                    assert!(decision.to_json().contains(r#""signals":[{"#), "{case}");
                }
                let last = looks.last().unwrap().1;
                let asked = match (told, rule) {
                    (Told::Zero, _) => 0,
                    // A part of the news is news: nothing is known to wait, and the floor is for no news at all.
                    (Told::Partial, _) => nodes,
                    (_, "{ floor: 3 }") => nodes.max(3),
                    _ => nodes,
                };
                assert_eq!(last, asked, "{case}");
            }
        }
    }
}

#[test]
fn the_last_known_number_counts_for_its_while_and_takes_no_node_away() {
    let demand =
        "{ queue: { source: storageQueue, name: agents, staleAfter: 1m, missing: { lastKnown: 3m } } }";
    for told in [Told::Fault, Told::Untold, Told::Empty, Told::NotANumber] {
        // Ten messages were there, and then the source fell silent: the pool goes to ten and stays there.
        let nodes: Vec<_> = looks(demand, told, 0, Some(10.0))
            .iter()
            .map(|look| look.1)
            .collect();
        assert_eq!(nodes, [10; 5], "{told:?}");
        // Two messages were there before: more nodes than that stay all the same.
        let held = looks(demand, told, 6, Some(2.0));
        assert_eq!(held[0].1, 2, "{told:?}: two are enough while that is known");
        let (_, _, second) = &looks(demand, told, 6, Some(9.0))[1];
        let codes: Vec<_> = second.steps().iter().map(|step| step.reason.code()).collect();
        assert_eq!(
            codes[0],
            "queue",
            "{told:?}: it goes by the last number\n{}",
            second.to_text()
        );
        let (_, _, last) = &looks(demand, told, 6, Some(9.0))[4];
        assert_eq!(
            last.hold().map(lowtide::decision::Reason::code),
            Some("signalMissing"),
            "{told:?}"
        );
    }
}

#[test]
fn where_it_is_ignored_the_others_decide_and_alone_it_holds() {
    let queue = "{ queue: { source: storageQueue, name: agents, missing: ignore } }";
    let with = format!("{queue}, {{ queue: {{ metric: $PendingTasks }} }}");
    for told in [Told::Absent, Told::Fault, Told::Stale, Told::Untold] {
        let (_, to, decision) = looks(queue, told, 7, None).remove(0);
        assert_eq!((to, decision.hold().is_some()), (7, true), "{told:?}");
        let (_, to, _) = looks(&with, told, 7, None).remove(0);
        assert_eq!(to, 0, "{told:?}: no task is pending, which is known");
    }
    let held = "{ queue: { source: storageQueue, name: agents } }, { queue: { metric: $PendingTasks } }";
    let (_, to, _) = looks(held, Told::Fault, 7, None).remove(0);
    assert_eq!(to, 7, "what is to be held to holds the others too");
}

#[test]
fn messages_come_on_top_of_tasks_unless_they_would_count_twice() {
    // Zero tasks are pending at each look; five messages are on their way.
    let nodes = |settings: &str| {
        let demand = format!("{{ queue: {{ source: storageQueue, name: agents{settings} }} }}");
        looks(&demand, Told::Fault, 0, Some(5.0)).remove(0)
    };
    let (_, to, decision) = nodes("");
    assert_eq!(to, 5);
    assert!(
        decision
            .to_text()
            .contains("5 tasks to come and 0 that are there"),
        "{}",
        decision.to_text()
    );
    let (_, to, decision) = nodes(", plus: nothing");
    assert_eq!(to, 5);
    assert!(
        !decision.to_text().contains("that are there"),
        "{}",
        decision.to_text()
    );
    assert_eq!(nodes(", tasksPerMessage: 3").1, 15);
}
