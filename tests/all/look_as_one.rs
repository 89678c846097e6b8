//! A look is one thing: its decisions are written down together before the first order, and a mistake of ours in one ends no other.

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::{Mix, Nodes, Span, Timestamp};
use lowtide::decision::{Memory, Reason};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{Policies, Policy, Range, read};
use lowtide::world::{line, replay};

/// An account of some pools, in which everything is written down that is asked of it.
struct Told {
    looks: u32,
    now: Timestamp,
    pools: Vec<&'static str>,
    /// Which call of `record_all` fails.
    fails_at: Option<usize>,
    /// How many answers are kept together.
    together: usize,
    calls: Vec<String>,
    ledger: String,
    mistakes: Vec<String>,
}

impl Told {
    fn of(pools: &[&'static str], looks: u32) -> Self {
        Self {
            looks,
            now: "2026-11-30T09:00:00Z".parse().unwrap(),
            pools: pools.to_vec(),
            fails_at: None,
            together: 1,
            calls: Vec::new(),
            ledger: String::new(),
            mistakes: Vec::new(),
        }
    }
}

impl World for Told {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.looks = self.looks.checked_sub(1)?;
        self.now = (self.now + Span::seconds(30)).max(at);
        Some(self.now)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        for pool in &self.pools {
            let mut state = PoolState::new(pool.parse().unwrap());
            state.target = Mix::new(1, 0);
            state.current = state.target;
            into.push(state);
        }
        Ok(())
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.record_all(&[*entry])
    }

    fn record_all(&mut self, entries: &[Entry<'_>]) -> Result<(), RecordError> {
        let words = entries.iter().map(|entry| match entry {
            Entry::Started { .. } => "started".to_owned(),
            Entry::Decided { decision, .. } => format!("decided {}", decision.pool),
            Entry::Settled { order, .. } => format!("settled {}", order.pool),
            _ => "other".to_owned(),
        });
        self.calls.push(words.collect::<Vec<_>>().join(", "));
        if self.fails_at == Some(self.calls.len()) {
            let message = "the disk is full".to_owned();
            return Err(RecordError { message });
        }
        for entry in entries {
            self.ledger += &line(entry);
            self.ledger.push('\n');
            if let Entry::Decided { decision, .. } = entry
                && let Some(Reason::Mistake { message }) = decision.hold()
            {
                self.mistakes.push(format!("{}: {message}", decision.pool));
            }
        }
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.calls.push(format!("act {}", order.pool));
        Receipt::Accepted
    }

    fn keeps_receipts(&mut self, waiting: usize) -> bool {
        waiting == self.together
    }
}

fn policy(name: &str, pool: &str) -> Policy {
    let text = format!(
        "version: 1\npool: \"{pool}\"\ninterval: 30s\nbounds: {{ total: [0, 9] }}\n\
         demand: [ {{ formula: {{ role: targets, text: \"$TargetDedicatedNodes = 3;\" }} }} ]\n"
    );
    let (policy, findings) = read(name, &text, &mut |_| Err(String::new()));
    policy.unwrap_or_else(|| panic!("{:?}", findings.policy))
}

#[test]
fn every_line_of_a_look_is_kept_before_its_first_order_goes_out() {
    let policies = Policies::from(vec![policy("all", "*")]);
    let mut world = Told::of(&["a", "b", "c"], 1);
    run(&mut world, &policies, Memory::default());
    assert_eq!(
        world.calls,
        [
            "started",
            "decided a, decided b, decided c",
            "act a",
            "settled a",
            "act b",
            "settled b",
            "act c",
            "settled c",
        ]
    );
    assert_eq!(replay(&world.ledger).unwrap().decisions, 3);
}

#[test]
fn answers_are_kept_together_where_the_world_wants_it_and_all_of_them_at_the_end_of_a_look() {
    let policies = Policies::from(vec![policy("all", "*")]);
    let mut one_by_one = Told::of(&["a", "b", "c"], 2);
    run(&mut one_by_one, &policies, Memory::default());
    let mut world = Told::of(&["a", "b", "c"], 2);
    world.together = 2;
    run(&mut world, &policies, Memory::default());
    assert_eq!(
        world.calls[2..7],
        ["act a", "act b", "settled a, settled b", "act c", "settled c"]
    );
    assert_eq!(world.ledger, one_by_one.ledger, "the lines are the same");
    // Answers that are lost keep back what would follow them.
    let mut world = Told::of(&["a", "b", "c"], 1);
    (world.together, world.fails_at) = (2, Some(5));
    run(&mut world, &policies, Memory::default());
    assert_eq!(world.calls[2..], ["act a", "act b", "settled a, settled b"]);
}

#[test]
fn where_the_lines_of_a_look_are_lost_none_of_its_orders_goes_out() {
    let policies = Policies::from(vec![policy("all", "*")]);
    let mut world = Told::of(&["a", "b"], 2);
    world.fails_at = Some(2);
    run(&mut world, &policies, Memory::default());
    let decided = "decided a, decided b";
    assert_eq!(world.calls[..4], ["started", decided, "started", decided]);
    // An answer that is lost keeps back what would follow it.
    let mut world = Told::of(&["a", "b"], 1);
    world.fails_at = Some(4);
    run(&mut world, &policies, Memory::default());
    assert_eq!(world.calls, ["started", decided, "act a", "settled a"]);
    assert!(replay(&world.ledger).is_ok());
}

#[test]
fn a_ledger_with_each_answer_behind_its_decision_is_decided_again() {
    let policies = Policies::from(vec![policy("all", "*")]);
    let mut world = Told::of(&["a", "b"], 3);
    run(&mut world, &policies, Memory::default());
    let lines: Vec<&str> = world.ledger.lines().collect();
    // As earlier versions wrote it: started, then a and its answer, b and its answer, look by look.
    let mut earlier = vec![lines[0]];
    for look in lines[1..].chunks(4) {
        let [one, other, of_one, of_other] = look else {
            panic!("{look:?}")
        };
        earlier.extend([one, of_one, other, of_other]);
    }
    let ledger = earlier.join("\n") + "\n";
    assert_eq!(replay(&ledger).unwrap().decisions, 6);
}

#[test]
fn a_mistake_of_ours_holds_its_pool_and_the_others_go_on() {
    let mut broken = policy("broken", "b");
    // No policy that is read has such bounds: whatever clamps by them panics.
    broken.bounds.total = Range {
        min: Nodes(9),
        max: Nodes(1),
    };
    let policies = Policies::from(vec![broken, policy("all", "*")]);
    let mut world = Told::of(&["a", "b", "c"], 2);
    run(&mut world, &policies, Memory::default());
    let decided = "decided a, decided b, decided c";
    assert_eq!(
        world.calls,
        [
            "started",
            decided,
            "act a",
            "settled a",
            "act c",
            "settled c",
            decided,
            "act a",
            "settled a",
            "act c",
            "settled c",
        ]
    );
    assert_eq!(world.mistakes.len(), 2, "{:?}", world.mistakes);
    assert!(world.mistakes[0].starts_with("b: "), "{:?}", world.mistakes);
}

#[test]
fn samples_are_kept_a_little_longer_than_anything_looks_back_on() {
    let kept = |demand: &str| {
        let text = format!("version: 1\npool: p\nbounds: {{ total: [0, 9] }}\ndemand: [ {demand} ]\n");
        let (policy, findings) = read("p", &text, &mut |_| Err(String::new()));
        let policy = policy.unwrap_or_else(|| panic!("{:?}", findings.policy));
        policy.keeps_samples().as_seconds() / 3600.0
    };
    let formula = |text: &str| kept(&format!("{{ formula: {{ role: targets, text: \"{text}\" }} }}"));
    let window = |far: &str| {
        formula(&format!(
            "$TargetDedicatedNodes = avg($PendingTasks.GetSample({far}));"
        ))
    };
    assert_eq!(window("TimeInterval_Minute * 5"), 2.0);
    assert_eq!(window("6 * TimeInterval_Hour"), 7.0);
    assert_eq!(window("TimeInterval_Day, TimeInterval_Day * 2"), 49.0);
    assert_eq!(window("TimeInterval_Week * 4"), 168.0);
    assert_eq!(window("600"), 6.0, "six hundred samples are five hours");
    // What is not written down may be anything.
    assert_eq!(window("TimeInterval_Minute * $TaskSlotsPerNode"), 168.0);
    assert_eq!(formula("$TargetDedicatedNodes = $PendingTasks.Count();"), 168.0);
    assert_eq!(
        kept("{ track: { metric: $CPUPercent, target: 70, window: 10m } }"),
        2.0
    );
}
