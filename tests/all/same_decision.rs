//! A backtest, the replay of its ledger, a dry run over what was seen and a plan made of it: the same decisions, byte for
//! byte.

use std::path::Path;
use std::sync::Arc;

use lowtide::account::{Halt, HaltScope, Order, PoolState, Receipt, Work};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::{Memory, Snapshot};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, plan, run};
use lowtide::policy::{Policies, Policy};
use lowtide::signal::Sample;
use lowtide::sim::cluster::{Boot, Eviction, Setup};
use lowtide::sim::workload::{CiRecipe, Workload, generate};
use lowtide::sim::{Contender, Options, Run, backtest_one, demo};
use lowtide::world::{DryRun, Kept, Ledger as _, MemoryLedger, PoolRecord, SamplesRecord, line, replay};
use serde_json::Value;

use crate::policies;

fn shipped(name: &str) -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies").join(name);
    policies::read(&file).1.unwrap()
}

/// Runs a policy over a made-up day and returns its ledger.
fn ledger_of_backtest(policy: &Policy) -> String {
    let workload = Arc::new(generate(&CiRecipe::default(), 7));
    backtest_kept(&Contender::Policy(policy.clone()), &workload, &demo::options()).0
}

/// Runs a contender and returns its ledger and its run.
fn backtest_kept(contender: &Contender, workload: &Arc<Workload>, options: &Options) -> (String, Run) {
    let mut ledger = MemoryLedger::default();
    let mut keep = |entry: &Entry<'_>| ledger.append(&line(entry));
    let run = backtest_one(contender, workload, options, 7, Some(&mut keep), &|_| {}).unwrap();
    (ledger.text, run)
}

/// What a ledger says was seen, look by look.
pub(crate) struct Told {
    looks: Vec<(Timestamp, PoolState, Vec<Sample>, Option<Work>)>,
    next: usize,
    halt: Option<Halt>,
}

impl Told {
    pub(crate) fn by(ledger: &str) -> Self {
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
            let work = seen.get("work").cloned();
            let work = work.map(|work| serde_json::from_value::<Work>(work).unwrap());
            (at, record.state(id), samples.to_samples().unwrap(), work)
        };
        Self {
            looks: decided.map(look).collect(),
            next: 0,
            halt: None,
        }
    }
}

impl World for Told {
    fn wait_until(&mut self, _: Timestamp) -> Option<Timestamp> {
        self.looks.get(self.next).map(|(at, ..)| *at)
    }

    fn observe(&mut self, _: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        let (_, state, samples, work) = &self.looks[self.next];
        let view = into.push(state.clone());
        view.samples.extend(samples);
        view.work.clone_from(work);
        view.halt.clone_from(&self.halt);
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
fn what_was_halted_is_replayed_and_takes_or_adds_no_nodes() {
    let policy = shipped("ci-agents.yaml");
    let ledger = ledger_of_backtest(&policy);
    let policies = Policies::from(vec![policy]);
    let began = Told::by(&ledger).looks[0].0;
    for (scope, forbidden) in [
        (HaltScope::In, &["in", "shift"][..]),
        (HaltScope::Out, &["out", "shift"]),
        (HaltScope::All, &["in", "out", "shift"]),
    ] {
        // Half a day, told to a fraction of a millisecond.
        let until = began + Span::hours(12) + Span::from_ticks(7);
        let mut told = Told::by(&ledger);
        told.halt = Some(Halt {
            scope,
            until: Some(until),
            why: "a rollout".to_owned(),
            by: Some("anna".to_owned()),
        });
        let mut world = Kept {
            world: DryRun(told),
            ledger: MemoryLedger::default(),
        };
        run(&mut world, &policies, Memory::default());
        let ledger = world.ledger.text;
        let replayed = replay(&ledger).unwrap_or_else(|error| panic!("{scope}: {error}"));
        assert!(replayed.decisions > 1000, "{scope}: {replayed:?}");
        let (mut halted, mut after) = (0, 0);
        for line in decided(&ledger) {
            let line: Value = serde_json::from_str(line).unwrap();
            let at: Timestamp = line["at"].as_str().unwrap().parse().unwrap();
            let says_so = line["steps"].to_string().contains(r#""code":"halted""#);
            if at < until {
                halted += u32::from(says_so);
                let verdict = verdict(&line);
                assert!(!forbidden.contains(&verdict), "{scope}: {verdict} in {line}");
            } else {
                after += u32::from(verdict(&line) != "steady");
                assert!(!says_so, "{scope}: {line}");
            }
        }
        assert!(halted > 0 && after > 0, "{scope}: {halted} and {after}");
    }
}

/// Says which way a decided line orders.
fn verdict(line: &Value) -> &'static str {
    let nodes = |of: &Value, lane: &str| of[lane].as_u64();
    let (from, to) = (&line["target"], &line["order"]);
    if to.is_null() {
        return "steady";
    }
    let less = ["dedicated", "spot"].map(|lane| nodes(to, lane) < nodes(from, lane));
    let more = ["dedicated", "spot"].map(|lane| nodes(to, lane) > nodes(from, lane));
    match (more.contains(&true), less.contains(&true)) {
        (true, true) => "shift",
        (true, false) => "out",
        (false, true) => "in",
        (false, false) => "steady",
    }
}

#[test]
fn backtest_replay_dry_run_and_plan_decide_the_same() {
    for file in [
        "ci-agents.yaml",
        "genomics.yaml",
        "nightly-render.yaml",
        "render-by-cost.yaml",
        "nightly-risk.yaml",
    ] {
        let policy = shipped(file);
        let ledger = ledger_of_backtest(&policy);
        let policies = Policies::from(vec![policy]);
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
        for ((at, state, samples, work), then) in Told::by(&ledger).looks.iter().zip(decided(&ledger)) {
            memory.absorb(*at, state, samples, work.as_ref());
            let policy = &policies.policies[0];
            let pool = memory.pools.get_mut(&state.id).unwrap();
            policy.learn(&mut pool.learned, *at, state, work.as_ref());
            if policy.splits_by_cost() {
                let pool = memory.pools.get_mut(&state.id).unwrap();
                let lost = pool.guards.lost_at(*at);
                pool.spot.see(&policy.assumptions(), *at, state, lost);
            }
            let remembered = memory.pool(&state.id).unwrap();
            let snapshot = Snapshot {
                now: *at,
                seed: at.ticks().cast_unsigned(),
                pool: state,
                work: work.as_ref(),
                history: &remembered.history,
                signals: &remembered.signals,
                guards: &remembered.guards,
                learned: &remembered.learned,
                spot: &remembered.spot,
                ours: &remembered.ours,
                broken: &remembered.broken,
                halt: None,
            };
            let planned = plan(&policies, &[snapshot], None);
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

/// A pool with all the chance and trouble that the simulator knows.
fn options() -> Options {
    Options {
        setup: Setup {
            boot: Boot::Uniform {
                least: Span::minutes(1),
                most: Span::minutes(6),
            },
            eviction: Eviction::Constant {
                per_node_hour: 0.5,
                back_after: Span::minutes(7),
            },
            quota: Mix::new(12, 12),
            initial: Mix::new(1, 2),
            ..demo::options().setup
        },
        ..demo::options()
    }
}

/// The policies of the demo, and one that uses spot and whatever a formula can remember or throw dice for.
fn contenders() -> Vec<Contender> {
    const SPLIT: &str = r"version: 1
pool: ci-*
interval: 37s
demand:
  - formula:
      role: targets
      text: |
        nodes = max($PendingTasks.GetSample(TimeInterval_Minute * 3, 40)) / $TaskSlotsPerNode + 0.9;
        $TargetDedicatedNodes = min(nodes * 0.3, $TargetDedicatedNodes + 2);
        $TargetLowPriorityNodes = nodes * 0.7 + rand();
        $NodeDeallocationOption = $PreemptedNodeCount.GetSample(1) > 0 ? requeue : taskcompletion;
";
    const GUARDED: &str = r#"version: 1
pool: ci-*
interval: 1m
demand:
  - schedule: { timezone: Europe/Paris, rules: [ { cron: "0 8 * * *", for: 9h, atLeast: 5, atMost: 6 } ] }
  - formula: { role: demand, text: "$TargetDedicatedNodes = 3 * $PendingTasks.GetSample(1) / $TaskSlotsPerNode + 0.9;" }
  - forecast: { metric: $PendingTasks, season: 24h, horizon: 20m }
bounds: { total: [0, 20], spot: [0, 12] }
mix: { objective: { fixedShare: 0.8 }, prices: { dedicated: 0.2, spot: 0.04 } }
quota: { dedicatedCores: 40, coresPerNode: 4 }
deadlines: [ { finishBy: "0 18 * * *", timezone: Europe/Paris, confidence: 0.9 } ]
budget: { perHour: 1.5, perMonth: 8 }
guards:
  storm: { evictions: 20%, within: 15m, pauseSpotFor: 30m }
  step: { out: 6, in: 25% }
  cooldown: { out: 1m, in: 5m }
  flap: { reversals: 3, within: 1h }
"#;
    const BY_COST: &str = "version: 1
pool: ci-*
interval: 1m
demand: [ { queue: { metric: $PendingTasks } } ]
bounds: { total: [0, 30], dedicated: [0, 20] }
mix: { objective: expectedCost, risk: 0.1, fallback: { waitForSpot: 8m, returnAfter: 10m } }
";
    let mut contenders = demo::contenders();
    contenders.retain(|contender| !matches!(contender, Contender::Peak { .. }));
    for (name, source) in [("split", SPLIT), ("guarded", GUARDED), ("by-cost", BY_COST)] {
        let (policy, findings) =
            lowtide::policy::read(name, source, &mut |_| unreachable!("no file is named"));
        contenders.push(Contender::Policy(
            policy.unwrap_or_else(|| panic!("{findings:?}")),
        ));
    }
    contenders
}

#[test]
fn evictions_quotas_and_dice_replay_too_and_keeping_a_ledger_changes_nothing() {
    let workload = demo::workload();
    for contender in contenders() {
        let (ledger, kept) = backtest_kept(&contender, &workload, &options());
        let unkept = backtest_one(&contender, &workload, &options(), 7, None, &|_| {}).unwrap();
        assert_eq!(kept, unkept, "a ledger changes nothing");
        let replayed = replay(&ledger).unwrap_or_else(|error| panic!("{}: {error}", kept.policy));
        assert_eq!(
            (replayed.decisions as u64, replayed.torn),
            (kept.decisions, false)
        );
        assert!(
            kept.orders > 10,
            "{} orders are too few to prove much",
            kept.orders
        );
        if kept.policy == "by-cost" {
            for part in [
                r#""code":"splitByCost""#,
                r#""end":"slackGone""#,
                r#""settling":"cheaper""#,
            ] {
                assert!(ledger.contains(part), "{part} is nowhere in the ledger");
            }
        }
        if kept.policy == "guarded" {
            for reason in [
                "schedule",
                "deadline",
                "scheduleMost",
                "monthlyBudget",
                "hourlyBudget",
                "storm",
                "step",
                "cooldown",
                "flap",
            ] {
                assert!(
                    ledger.contains(&format!(r#""code":"{reason}""#)),
                    "{reason} was never a reason"
                );
            }
        }
    }
}
