//! Orders against the account on the desk: leases, takeovers, foreign changes and nodes of no use, by its own clock.

mod idle;

use std::sync::{Arc, Mutex};

use lowtide::account::{Lease, OwnFormula, Receipt};
use lowtide::azure::{Client, Clock, Live};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::emulator::{Desk as Emulated, ForeignResize, Setup, Trouble, TroubleKind};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::world::{Kept, Ledger, MemoryLedger, remember, replay};
use serde_json::{Map, Value, json};

use super::desk::{Answer, Desk};
use super::emulated::{answer, client, map, new_pool, pass, policies};
use super::{noon, wait};

/// An account on a desk, and what goes wrong on the way to it.
struct Stage {
    clock: Clock,
    client: Client,
    live: Live,
    mischief: Arc<Mutex<Mischief>>,
    _desk: Desk,
    _runtime: tokio::runtime::Runtime,
}

/// What happens to the requests that change something.
#[derive(Default)]
struct Mischief {
    /// The requests so far.
    changes: Vec<String>,
    /// Which of them is carried out without an answer, from 1.
    unanswered: Option<usize>,
    /// Whether the engine dies with it, before it can write anything down.
    dies: bool,
    dead: bool,
}

impl Stage {
    fn set(setup: Setup) -> Self {
        let clock = Clock::stepped(setup.start);
        let mischief = Arc::new(Mutex::new(Mischief::default()));
        let account = Mutex::new(Emulated::new(setup));
        let (now, shared) = (clock.clone(), mischief.clone());
        let desk = Desk::open(move |asked| {
            let mut account = account.lock().unwrap();
            account.advance(now.now());
            let answered = answer(&mut account, asked);
            let path = asked.path.split('?').next().unwrap();
            let verbs = [
                "/resize",
                "/stopresize",
                "/enableautoscale",
                "/disableautoscale",
                "/removenodes",
            ];
            if !verbs.iter().any(|verb| path.ends_with(verb)) {
                return answered;
            }
            let mut mischief = shared.lock().unwrap();
            if mischief.dead {
                return Answer::json(
                    500,
                    &json!({ "code": "InternalError", "message": { "value": "gone" } }),
                );
            }
            mischief.changes.push(path.to_owned());
            if mischief.unanswered == Some(mischief.changes.len()) {
                mischief.dead = mischief.dies;
                return Answer::json(
                    500,
                    &json!({ "code": "OperationTimedOut", "message": { "value": "late" } }),
                );
            }
            answered
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let client = client(&desk, &clock);
        Self {
            live: Live::new(client.clone(), runtime.handle().clone()),
            clock,
            client,
            mischief,
            _desk: desk,
            _runtime: runtime,
        }
    }

    fn add_pool(&self, pool: &Map<String, Value>) {
        wait(self.client.add_pool(pool)).unwrap();
        pass(&self.clock, Span::minutes(10));
    }

    /// Steers for a while and returns what is remembered, and the ledger.
    fn steer(&mut self, policy: &str, memory: Memory, span: Span) -> (Memory, String) {
        let mut world = Kept {
            world: Mortal {
                live: &mut self.live,
                end: self.clock.now() + span,
                mischief: self.mischief.clone(),
            },
            ledger: Forgetful {
                kept: MemoryLedger::default(),
                mischief: self.mischief.clone(),
            },
        };
        let memory = run(&mut world, &policies(policy), memory);
        (memory, world.ledger.kept.text)
    }

    fn pool(&self) -> lowtide::azure::Pool {
        wait(self.client.pool("p")).unwrap()
    }

    fn formula(&self) -> Option<OwnFormula> {
        let pool = self.pool();
        let formula = pool.auto_scale_formula.filter(|_| pool.enable_auto_scale);
        formula.as_deref().map(OwnFormula::of)
    }

    fn lease(&self) -> Lease {
        match self.formula() {
            Some(OwnFormula::Lease(lease)) => lease,
            other => panic!("no lease: {other:?}"),
        }
    }
}

/// A world until a moment, or until the engine dies.
struct Mortal<'a> {
    live: &'a mut Live,
    end: Timestamp,
    mischief: Arc<Mutex<Mischief>>,
}

impl World for Mortal<'_> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        let dead = self.mischief.lock().unwrap().dead;
        (at <= self.end && !dead).then(|| self.live.wait_until(at))?
    }
    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.live.observe(question, into)?;
        assert!(into.pools().iter().all(|view| view.fault.is_none()), "{into:?}");
        Ok(())
    }
    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }
    fn act(&mut self, order: &lowtide::account::Order) -> Receipt {
        self.live.act(order)
    }
}

/// A ledger into which the dead write nothing.
struct Forgetful {
    kept: MemoryLedger,
    mischief: Arc<Mutex<Mischief>>,
}

impl Ledger for Forgetful {
    fn append(&mut self, line: &str) -> Result<(), RecordError> {
        if self.mischief.lock().unwrap().dead {
            let message = "nobody is there to write".to_owned();
            return Err(RecordError { message });
        }
        self.kept.append(line)
    }
}

fn policy(nodes: u32, rest: &str) -> String {
    format!(
        "version: 1\npool: p\ninterval: 60s\ndemand:\n  - formula: {{ text: \"$TargetDedicatedNodes = {nodes};\", role: targets }}\n\
         bounds: {{ dedicated: [1, 10] }}\nguards: {{ missing: {{ then: ignore }} }}\n{rest}"
    )
}

/// How often each reason was given in a ledger's steps, by its code.
fn told(ledger: &str, code: &str) -> usize {
    let lines = ledger
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let steps = lines.filter_map(|line| line["steps"].as_array().cloned());
    steps
        .flatten()
        .filter(|step| step["reason"]["code"] == code)
        .count()
}

fn results(ledger: &str) -> Vec<String> {
    let lines = ledger
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let settled = lines.filter(|line| line["kind"] == "settled");
    settled
        .map(|line| match line["receipt"]["kind"].as_str() {
            Some(kind) => kind.to_owned(),
            None => line["receipt"]["result"].as_str().unwrap().to_owned(),
        })
        .collect()
}

const LEASE: &str = "actuator: { leaseFormula: { lease: 20m, fallback: least } }\n";

#[test]
fn a_lease_is_renewed_while_somebody_decides_and_falls_back_when_nobody_does() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 2));
    let (memory, ledger) = stage.steer(&policy(5, LEASE), Memory::default(), Span::hours(1));
    replay(&ledger).unwrap();
    let pool = stage.pool();
    assert_eq!((pool.target(), pool.current()), (Mix::new(5, 0), Mix::new(5, 0)));
    let results = results(&ledger);
    assert!(results.iter().all(|result| result == "accepted"), "{results:?}");
    // One begins it, and in an hour it is renewed each time that ten minutes have passed.
    assert!((6..=8).contains(&results.len()), "{results:?}");
    assert_eq!(told(&ledger, "lease"), results.len());
    let lease = stage.lease();
    assert_eq!((&*lease.holder, lease.target), ("test", Mix::new(5, 0)));
    // Nobody renews it any more. It holds to its end, and then the service follows the rule behind it at its next look.
    let left = lease.until.since(stage.clock.now());
    pass(&stage.clock, left - Span::seconds(1));
    assert_eq!(stage.pool().target(), Mix::new(5, 0));
    pass(&stage.clock, Span::minutes(5) + Span::seconds(2));
    assert_eq!(stage.pool().target(), Mix::new(1, 0));
    pass(&stage.clock, Span::minutes(15));
    assert_eq!(stage.pool().current(), Mix::new(1, 0));
    // Whoever decides again finds the formula and goes on with it; what it did meanwhile is nobody else's change.
    let (memory, ledger) = stage.steer(&policy(5, LEASE), memory, Span::minutes(30));
    assert_eq!(stage.pool().current(), Mix::new(5, 0), "{ledger}");
    assert_eq!(told(&ledger, "othersWord"), 0);
    // The policy resizes again: the formula goes, the pool stays.
    let (_, ledger) = stage.steer(&policy(4, ""), memory, Span::minutes(20));
    assert_eq!(
        (stage.formula(), stage.pool().target()),
        (None, Mix::new(4, 0)),
        "{ledger}"
    );
    assert_eq!((told(&ledger, "leaseEnds"), told(&ledger, "othersWord")), (1, 0));
}

#[test]
fn a_lease_changes_with_the_need_and_follows_tasks_when_nobody_decides() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 1));
    let lease = "actuator: { leaseFormula: { lease: 20m, fallback: tasks } }\n";
    let (memory, _) = stage.steer(&policy(3, lease), Memory::default(), Span::minutes(20));
    let (_, ledger) = stage.steer(&policy(2, lease), memory, Span::minutes(20));
    assert_eq!(stage.pool().current(), Mix::new(2, 0), "{ledger}");
    assert_eq!(told(&ledger, "othersWord"), 0);
    wait(async {
        let job = map(json!({ "id": "j", "poolInfo": { "poolId": "p" } }));
        stage.client.add_job(&job).await.unwrap();
        for number in 0..11 {
            let task = map(json!({ "id": format!("t{number}"), "commandLine": "sleep 36000" }));
            stage.client.add_task("j", &task).await.unwrap();
        }
    });
    pass(&stage.clock, Span::minutes(50));
    // Eleven tasks on nodes of two slots.
    assert_eq!(stage.pool().target(), Mix::new(6, 0));
}

#[test]
fn a_formula_of_the_pool_is_left_alone_or_taken_over_and_kept_in_the_ledger() {
    let own = "$TargetDedicatedNodes = 2;";
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 0));
    wait(
        stage
            .client
            .enable_auto_scale("p", (Some(own), Some(Span::minutes(5))), None),
    )
    .unwrap();
    let (memory, ledger) = stage.steer(&policy(4, ""), Memory::default(), Span::minutes(15));
    assert_eq!(stage.formula(), Some(OwnFormula::Other(own.into())));
    assert!(
        told(&ledger, "serviceAutoScale") > 10 && !ledger.contains(own),
        "{ledger}"
    );
    let taking = policy(4, "ownFormula: takeOver\n");
    let (_, ledger) = stage.steer(&taking, memory, Span::minutes(20));
    replay(&ledger).unwrap();
    assert_eq!(
        (stage.formula(), stage.pool().current()),
        (None, Mix::new(4, 0)),
        "{ledger}"
    );
    assert!(told(&ledger, "takesOver") > 0 && ledger.contains(own), "{ledger}");
    assert_eq!(told(&ledger, "othersWord"), 0, "{ledger}");
}

/// Whatever answer is lost, and wherever the engine dies: whoever goes on with its ledger ends the same.
#[test]
fn nothing_stays_half_done_when_an_answer_is_lost_or_the_engine_dies() {
    let own = "$TargetDedicatedNodes = 2;";
    for (rest, dies) in [("", false), ("", true), (LEASE, false), (LEASE, true)] {
        for lost in 1..=4 {
            let mut stage = Stage::set(Setup::at(noon()));
            stage.add_pool(&new_pool("p", 0));
            wait(
                stage
                    .client
                    .enable_auto_scale("p", (Some(own), Some(Span::minutes(5))), None),
            )
            .unwrap();
            pass(&stage.clock, Span::minutes(10));
            {
                let mut mischief = stage.mischief.lock().unwrap();
                (mischief.unanswered, mischief.dies) = (Some(lost + 1), dies);
            }
            let taking = policy(4, &format!("ownFormula: takeOver\n{rest}"));
            let (mut memory, mut ledger) = stage.steer(&taking, Memory::default(), Span::minutes(25));
            let mut more = String::new();
            if std::mem::take(&mut stage.mischief.lock().unwrap().dead) {
                let lines: Vec<String> = ledger.lines().map(str::to_owned).collect();
                memory = remember(&lines).unwrap().memory;
                (memory, more) = stage.steer(&taking, memory, Span::minutes(25));
            }
            drop(memory);
            ledger += &more;
            replay(&ledger).unwrap();
            let context = format!("{rest}{dies} {lost}: {ledger}");
            assert_eq!(stage.pool().current(), Mix::new(4, 0), "{context}");
            assert_eq!(told(&ledger, "othersWord"), 0, "{context}");
            match stage.formula() {
                None => assert_eq!(rest, "", "{context}"),
                Some(OwnFormula::Lease(_)) => assert_eq!(rest, LEASE, "{context}"),
                Some(OwnFormula::Other(_)) => panic!("{context}"),
            }
        }
    }
}

#[test]
fn what_somebody_else_resized_is_not_undone_for_an_hour() {
    let at = |minutes| noon() + Span::minutes(minutes);
    let mut setup = Setup::at(noon());
    setup.foreign = vec![ForeignResize {
        at: at(40),
        pool: "p".parse().unwrap(),
        dedicated: Some(9),
        spot: None,
    }];
    let mut stage = Stage::set(setup);
    stage.add_pool(&new_pool("p", 2));
    let (memory, ledger) = stage.steer(&policy(5, ""), Memory::default(), Span::minutes(85));
    assert_eq!(stage.pool().target(), Mix::new(9, 0), "{ledger}");
    assert!(told(&ledger, "othersWord") > 50, "{ledger}");
    // More than that may come, for that undoes nothing.
    let (memory, ledger) = stage.steer(&policy(10, ""), memory, Span::minutes(4));
    assert_eq!(stage.pool().target(), Mix::new(10, 0), "{ledger}");
    let (_, ledger) = stage.steer(&policy(5, ""), memory, Span::minutes(20));
    assert_eq!(stage.pool().target(), Mix::new(5, 0), "{ledger}");
    assert_eq!(results(&ledger), ["accepted", "accepted"], "{ledger}");
}

#[test]
fn nodes_that_fail_at_start_are_replaced_until_that_does_not_help() {
    let mut pool = new_pool("p", 4);
    pool.insert(
        "startTask".to_owned(),
        json!({ "commandLine": "prepare", "waitForSuccess": true }),
    );
    let trouble = |until| Trouble {
        from: noon(),
        until: noon() + until,
        pools: "*".parse().unwrap(),
        kind: TroubleKind::StartTasksFail(1.0),
    };
    let rest = "replace: { unusable: 10m, atMost: 50%, breaker: { failures: 3, within: 4h, rest: 1h } }\n";
    for (lasts, heals) in [(Span::minutes(25), true), (Span::hours(24), false)] {
        let mut setup = Setup::at(noon());
        setup.troubles = vec![trouble(lasts)];
        let mut stage = Stage::set(setup);
        stage.add_pool(&pool);
        let (_, ledger) = stage.steer(&policy(4, rest), Memory::default(), Span::hours(3));
        replay(&ledger).unwrap();
        let (replaced, open) = (told(&ledger, "replaces"), told(&ledger, "breakerOpen"));
        if heals {
            assert!(
                (2..=4).contains(&replaced) && open == 0,
                "{replaced} {open}: {ledger}"
            );
        } else {
            assert!(
                (2..=5).contains(&replaced) && open > 60,
                "{replaced} {open}: {ledger}"
            );
        }
        assert_eq!(stage.pool().target(), Mix::new(4, 0));
    }
}

#[test]
fn a_pool_of_which_no_policy_speaks_any_more_keeps_its_target_and_loses_our_formula() {
    let mut stage = Stage::set(Setup::at(noon()));
    stage.add_pool(&new_pool("p", 2));
    let (memory, _) = stage.steer(&policy(5, LEASE), Memory::default(), Span::minutes(20));
    let elsewhere = policy(3, "").replace("pool: p", "pool: q-*");
    let (memory, ledger) = stage.steer(&elsewhere, memory, Span::minutes(5));
    replay(&ledger).unwrap();
    assert_eq!(
        (stage.formula(), stage.pool().target()),
        (None, Mix::new(5, 0)),
        "{ledger}"
    );
    assert_eq!(
        (told(&ledger, "givenUp"), results(&ledger)),
        (1, vec!["accepted".to_owned()])
    );
    // That it is let go is in the ledger, so that whoever goes on from there knows of it.
    assert_eq!(told(&ledger, "letGo"), 1, "{ledger}");
    let lines: Vec<String> = ledger.lines().map(str::to_owned).collect();
    assert_eq!(remember(&lines).unwrap().memory, memory);
    // It is asked about no more.
    let (_, ledger) = stage.steer(&elsewhere, memory, Span::minutes(5));
    assert_eq!((told(&ledger, "givenUp"), told(&ledger, "letGo")), (0, 0));
}

#[test]
fn a_resize_that_drags_on_is_stopped_when_something_else_is_needed() {
    let mut setup = Setup::at(noon());
    setup.troubles = vec![Trouble {
        from: noon() + Span::minutes(20),
        until: noon() + Span::hours(24),
        pools: "*".parse().unwrap(),
        kind: TroubleKind::StuckResize,
    }];
    let mut stage = Stage::set(setup);
    stage.add_pool(&new_pool("p", 2));
    pass(&stage.clock, Span::minutes(15));
    let (memory, ledger) = stage.steer(&policy(9, ""), Memory::default(), Span::minutes(10));
    assert_eq!(
        (stage.pool().target(), told(&ledger, "notSteady")),
        (Mix::new(9, 0), 0),
        "{ledger}"
    );
    let (_, ledger) = stage.steer(&policy(3, ""), memory, Span::minutes(12));
    assert_eq!(stage.pool().target(), Mix::new(3, 0), "{ledger}");
    assert!(
        told(&ledger, "notSteady") > 2 && told(&ledger, "retakes") > 0,
        "{ledger}"
    );
}
