//! A backtest, the replay of its ledger, a dry run over what was seen and a plan made of it: the same decisions, byte for
//! byte.

use std::path::Path;
use std::sync::Arc;

use lowtide::account::{Order, PoolState, Receipt};
use lowtide::base::Timestamp;
use lowtide::decision::{Memory, Snapshot};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, plan, run};
use lowtide::policy::{Policies, Policy};
use lowtide::signal::Sample;
use lowtide::sim::workload::{CiRecipe, generate};
use lowtide::sim::{Contender, backtest_one, demo};
use lowtide::world::{DryRun, Kept, MemoryLedger, PoolRecord, SamplesRecord, line, replay};
use serde_json::Value;

use crate::policies;

fn shipped(name: &str) -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name);
    policies::read(&file).1.unwrap()
}

/// Runs a policy over a made-up day and returns its ledger.
fn ledger_of_backtest(policy: &Policy) -> String {
    let mut text = String::new();
    let mut keep = |entry: &Entry<'_>| {
        text += &line(entry);
        text.push('\n');
        Ok(())
    };
    let contender = Contender::Policy(policy.clone());
    let workload = Arc::new(generate(&CiRecipe::default(), 7));
    backtest_one(
        &contender,
        &workload,
        &demo::options(),
        7,
        Some(&mut keep),
        &|_| {},
    )
    .unwrap();
    text
}

/// What a ledger says was seen, look by look.
struct Told {
    looks: Vec<(Timestamp, PoolState, Vec<Sample>)>,
    next: usize,
}

impl Told {
    fn by(ledger: &str) -> Self {
        let lines = ledger
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let decided = lines.filter(|line| line["kind"] == "decided");
        let look = |line: Value| {
            let seen = &line["seen"];
            let record: PoolRecord = serde_json::from_value(seen["pool"].clone()).unwrap();
            let samples: SamplesRecord = serde_json::from_value(seen["samples"].clone()).unwrap();
            let id = record.id.clone().unwrap();
            let at = line["at"].as_str().unwrap().parse().unwrap();
            (at, record.state(id), samples.to_samples().unwrap())
        };
        Self {
            looks: decided.map(look).collect(),
            next: 0,
        }
    }
}

impl World for Told {
    fn wait_until(&mut self, _: Timestamp) -> Option<Timestamp> {
        self.looks.get(self.next).map(|(at, ..)| *at)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let (_, state, samples) = &self.looks[self.next];
        into.push(state.clone()).samples.extend(samples);
        self.next += 1;
        Ok(())
    }

    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }

    fn act(&mut self, order: &Order) -> Receipt {
        panic!("a dry run ordered {order:?}");
    }
}

/// Returns the decided lines of a ledger.
fn decided(ledger: &str) -> Vec<&str> {
    ledger
        .lines()
        .filter(|line| line.contains(r#""kind":"decided""#))
        .collect()
}

/// Returns the part of a decided line that `plan -o json` writes.
fn as_planned(line: &str) -> String {
    let (_, rest) = line.split_once(',').unwrap();
    let (decision, _) = rest.split_once(r#","seen":"#).unwrap();
    format!("{{{decision}}}")
}

#[test]
fn backtest_replay_dry_run_and_plan_decide_the_same() {
    for file in ["ci-agents.yaml", "genomics.yaml", "nightly-render.yaml"] {
        let policy = shipped(file);
        let ledger = ledger_of_backtest(&policy);
        let policies = Policies {
            policies: vec![policy],
        };
        let replayed = replay(&ledger).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(
            replayed.decisions,
            decided(&ledger).len(),
            "{file}: every line is replayed"
        );
        assert!(
            ledger.contains(r#""result":"accepted""#),
            "{file}: something was ordered"
        );

        let mut dry = Kept {
            world: DryRun(Told::by(&ledger)),
            ledger: MemoryLedger::default(),
        };
        run(&mut dry, &policies, Memory::default());
        assert_eq!(decided(&dry.ledger.text), decided(&ledger), "{file}: dry run");

        let mut memory = Memory::default();
        for ((at, state, samples), then) in Told::by(&ledger).looks.iter().zip(decided(&ledger)) {
            memory.absorb(*at, state, samples);
            let snapshot = Snapshot {
                now: *at,
                seed: at.ticks().cast_unsigned(),
                pool: state,
                history: &memory.pool(&state.id).unwrap().history,
            };
            let planned = plan(&policies, &[snapshot]);
            assert_eq!(planned[0].to_json(), as_planned(then), "{file}: plan");
        }
    }
}

#[test]
fn a_ledger_that_was_changed_is_found_out() {
    let ledger = ledger_of_backtest(&shipped("ci-agents.yaml"));
    let decided = decided(&ledger);
    let order = r#""order":{"dedicated":"#;
    let decided = decided.iter().find(|line| line.contains(order)).unwrap();
    let number = ledger.lines().position(|line| line == *decided).unwrap() + 1;
    let forged = ledger.replacen(decided, &decided.replace(order, &format!("{order}9")), 1);
    let error = replay(&forged).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("line {number} of the ledger is decided otherwise now\n")),
        "{error}"
    );
    let torn = &ledger[..ledger.len() - 10];
    assert!(replay(torn).unwrap().torn, "the last line was not kept whole");
    let headless = ledger.split_once('\n').unwrap().1;
    assert!(
        replay(headless)
            .unwrap_err()
            .to_string()
            .starts_with("line 1 of the ledger cannot be read")
    );
}
