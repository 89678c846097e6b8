//! The client and the live world against the account on the desk, by its own clock: no wire proofs, no waiting.

use std::sync::{Arc, Mutex};

use lowtide::account::{NodeDeallocationOption, Order, Receipt, Refusal, RefusalKind, Removal};
use lowtide::azure::{Client, Clock, Credential, Fault, Live, Query, Resize, ServiceNode, shared_key::Key};
use lowtide::base::{Mix, Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::emulator::asked::{Asked, Condition};
use lowtide::emulator::{Desk as Emulated, Setup};
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{Policies, read};
use serde_json::{Map, Value, json};

use super::desk::{self, Answer, Desk};
use super::{KEY, noon, settings, wait};

/// An account whose time is that of the client that asks it.
fn open(clock: &Clock) -> (Desk, Arc<Mutex<Emulated>>) {
    let account = Arc::new(Mutex::new(Emulated::new(Setup::at(clock.now()))));
    (open_desk(clock, &account), account)
}

/// Opens a desk before an account, whose time is that of a clock.
pub(super) fn open_desk(clock: &Clock, account: &Arc<Mutex<Emulated>>) -> Desk {
    let (shared, clock) = (account.clone(), clock.clone());
    Desk::open(move |asked| {
        let mut account = shared.lock().unwrap();
        account.advance(clock.now());
        answer(&mut account, asked)
    })
}

pub(super) fn answer(account: &mut Emulated, asked: &desk::Asked) -> Answer {
    let (path, query) = asked.path.split_once('?').unwrap();
    let url = reqwest::Url::parse(&format!("http://desk/?{query}")).unwrap();
    let translated = Asked {
        method: asked.method.parse().unwrap(),
        base: "http://desk".to_owned(),
        path: path.to_owned(),
        query: url
            .query_pairs()
            .map(|(name, value)| (name.to_lowercase(), value.into_owned()))
            .collect(),
        api_version: "2025-06-01".to_owned(),
        condition: asked
            .header("if-match")
            .map(|etag| Condition::Match(etag.to_owned())),
        ..Asked::default()
    };
    match account.answer(&translated, asked.body.as_bytes()) {
        Ok(answer) => match answer.body {
            Some(body) => Answer::json(answer.status, &body),
            None => Answer::empty(answer.status),
        },
        Err(refused) => Answer::json(
            refused.status,
            &json!({ "code": refused.code, "message": { "value": refused.message } }),
        ),
    }
}

pub(super) fn client(desk: &Desk, clock: &Clock) -> Client {
    let key = Credential::SharedKey(Key::parse(KEY).unwrap());
    Client::new(settings(&desk.url), key, clock.clone()).unwrap()
}

pub(super) fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

pub(super) fn new_pool(id: &str, dedicated: u32) -> Map<String, Value> {
    map(json!({
        "id": id, "vmSize": "standard_d2s_v5", "targetDedicatedNodes": dedicated, "taskSlotsPerNode": 2,
        "virtualMachineConfiguration": {
            "imageReference": { "publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest" },
            "nodeAgentSKUId": "batch.node.ubuntu 22.04"
        }
    }))
}

pub(super) fn pass(clock: &Clock, span: Span) {
    wait(clock.sleep(std::time::Duration::from_secs_f64(span.as_seconds())));
}

#[test]
fn a_pool_lives_its_life() {
    let clock = Clock::stepped(noon());
    let (desk, _account) = open(&clock);
    let client = client(&desk, &clock);
    wait(async {
        client.add_pool(&new_pool("p", 2)).await.unwrap();
        assert!(client.pool_exists("P").await.unwrap());
        let resize = Resize {
            target: Mix::new(3, 0),
            option: NodeDeallocationOption::default(),
            timeout: None,
        };
        let fault = client.resize("p", &resize, None).await.unwrap_err();
        assert!(fault.has_code("PoolBeingResized"), "{fault}");
        pass_in(&clock, 15).await;
        let pool = client.pool("p").await.unwrap();
        assert_eq!((pool.current(), pool.target()), (Mix::new(2, 0), Mix::new(2, 0)));
        client
            .resize("p", &resize, pool.version().as_ref())
            .await
            .unwrap();
        let fault = client
            .stop_resize("p", pool.version().as_ref())
            .await
            .unwrap_err();
        assert!(matches!(fault, Fault::Refused { status: 412, .. }), "{fault:?}");
        client.stop_resize("p", None).await.unwrap();
        pass_in(&clock, 5).await;
        let pool = client.pool("p").await.unwrap();
        assert_eq!(pool.target(), Mix::new(3, 0), "a stop leaves the target");
        assert!(
            pool.resize_errors
                .iter()
                .any(|error| error.code == "ResizeStopped"),
            "{pool:?}"
        );
        client
            .enable_auto_scale(
                "p",
                (Some("$TargetDedicatedNodes=1;"), Some(Span::minutes(5))),
                None,
            )
            .await
            .unwrap();
        let run = client
            .evaluate_auto_scale("p", "$TargetDedicatedNodes=nothing;")
            .await
            .unwrap();
        assert_eq!(run.error.unwrap().code, "AutoScalingFormulaEvaluationError");
        let fault = client.resize("p", &resize, None).await.unwrap_err();
        // Its own formula has begun a resize at once.
        let kind = fault.to_refusal().kind;
        assert!(
            matches!(kind, RefusalKind::Resizing | RefusalKind::Invalid),
            "{fault}"
        );
        // What a policy is made of, and what it is held against, is read as the service writes it.
        let written = serde_json::to_string(&client.pools_as_written().await.unwrap()).unwrap();
        let [pool] = &lowtide::bring::NativePool::read_all(&written).unwrap()[..] else {
            panic!("{written}")
        };
        assert_eq!((pool.id.as_str(), pool.auto_scale), ("p", Some(true)));
        assert_eq!(pool.formula.as_deref(), Some("$TargetDedicatedNodes=1;"));
        client.disable_auto_scale("p").await.unwrap();
        client.delete_pool("p", None).await.unwrap();
    });
}

async fn pass_in(clock: &Clock, minutes: u64) {
    clock.sleep(std::time::Duration::from_mins(minutes)).await;
}

/// The live world until a moment, with all that is decided and all that becomes of it.
struct Until {
    live: Live,
    end: Timestamp,
    orders: Vec<(Timestamp, Mix, Receipt)>,
}

impl World for Until {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        (at <= self.end).then(|| self.live.wait_until(at))?
    }
    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.live.observe(question, into)?;
        assert!(into.pools().iter().all(|view| view.fault.is_none()), "{into:?}");
        Ok(())
    }
    fn record(&mut self, _: &Entry<'_>) -> Result<(), RecordError> {
        Ok(())
    }
    fn act(&mut self, order: &Order) -> Receipt {
        let receipt = self.live.act(order);
        self.orders.push((order.at, order.target, receipt.clone()));
        receipt
    }
}

pub(super) fn policies(text: &str) -> Policies {
    let (policy, findings) = read("test", text, &mut |_| Err("there is no file".to_owned()));
    let policies = vec![policy.unwrap_or_else(|| panic!("{findings:?}"))];
    Policies {
        policies,
        ..Policies::default()
    }
}

#[test]
fn the_engine_scales_a_pool_by_its_backlog_and_empties_it_again() {
    let clock = Clock::stepped(noon());
    let (desk, _account) = open(&clock);
    let client = client(&desk, &clock);
    wait(async {
        client.add_pool(&new_pool("p", 0)).await.unwrap();
        client
            .add_job(&map(json!({ "id": "j", "poolInfo": { "poolId": "p" } })))
            .await
            .unwrap();
        for number in 0..12 {
            let task = map(json!({ "id": format!("t{number}"), "commandLine": "work", "requiredSlots": 1 }));
            client.add_task("j", &task).await.unwrap();
        }
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut world = Until {
        live: Live::new(client.clone(), runtime.handle().clone()),
        end: clock.now() + Span::hours(2),
        orders: Vec::new(),
    };
    let policies = policies(
        "version: 1
pool: p
interval: 60s
demand:
  - backlog: { drainWithin: 15m }
bounds: { total: [0, 10], dedicated: [0, 10], spot: [0, 10] }
mix: { objective: expectedCost, prices: { dedicated: 0.2, spot: 0.05 } }
",
    );
    let memory = run(&mut world, &policies, Memory::default());
    let most = world
        .orders
        .iter()
        .map(|(_, target, _)| target.total())
        .max()
        .unwrap();
    assert!((1..=10).contains(&most.0), "{:?}", world.orders);
    let refused: Vec<&Refusal> = world
        .orders
        .iter()
        .filter_map(|(_, _, receipt)| match receipt {
            Receipt::Refused(refusal) => Some(refusal),
            _ => None,
        })
        .collect();
    assert!(
        refused.iter().all(|refusal| refusal.kind.may_pass()),
        "{refused:?}"
    );
    let counts = wait(client.task_counts("j")).unwrap().task_counts;
    assert_eq!((counts.succeeded, counts.active, counts.running), (12, 0, 0));
    let pool = wait(client.pool("p")).unwrap();
    assert_eq!(pool.target(), Mix::ZERO, "{:?}", world.orders);
    let learned = memory.pool(&"p".parse().unwrap()).unwrap();
    assert_eq!(
        learned.guards.runs.unwrap().count,
        12,
        "every task that ended was told once"
    );
}

#[test]
fn a_cordoned_node_drains_and_an_idle_one_is_removed_by_name() {
    let clock = Clock::stepped(noon());
    let (desk, _account) = open(&clock);
    let client = client(&desk, &clock);
    wait(client.add_pool(&new_pool("p", 3))).unwrap();
    pass(&clock, Span::minutes(15));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let mut live = Live::new(client.clone(), runtime.handle().clone());
    let patterns = ["*".parse().unwrap()];
    let mut seen = Observation::default();
    let mut look = |live: &mut Live| {
        seen.clear();
        let question = Question {
            now: clock.now(),
            pools: &patterns,
            turns: &[],
            metrics: &[],
            signals: &[],
            work: true,
            account: true,
        };
        live.observe(&question, &mut seen).unwrap();
        seen.pools()[0].clone()
    };
    let view = look(&mut live);
    assert_eq!((view.state.nodes.idle.0, view.state.cordoned), (3, Mix::ZERO));
    let order = Order {
        target: Mix::new(3, 0),
        option: NodeDeallocationOption::TaskCompletion,
        removal: Removal::Idle,
        cordon: Mix::new(1, 0),
        etag: view.state.etag.clone(),
        ..Order::new("p".parse().unwrap(), clock.now())
    };
    assert_eq!(live.act(&order), Receipt::Accepted);
    let view = look(&mut live);
    assert_eq!(
        (view.state.cordoned, view.state.nodes.usable.0),
        (Mix::new(1, 0), 2)
    );
    let cordoned = wait(client.nodes("p", &Query::default())).unwrap().found;
    let cordoned = cordoned.into_iter().find(ServiceNode::is_cordoned).unwrap().id;
    let smaller = Order {
        target: Mix::new(2, 0),
        cordon: Mix::ZERO,
        etag: view.state.etag,
        ..order
    };
    assert_eq!(live.act(&smaller), Receipt::Accepted);
    pass(&clock, Span::minutes(10));
    let left = wait(client.nodes("p", &Query::default())).unwrap().found;
    assert_eq!(left.len(), 2);
    assert!(
        left.iter().all(|node| node.id != cordoned),
        "the cordoned one goes first"
    );
    let view = look(&mut live);
    assert_eq!(
        (view.state.target, view.state.current),
        (Mix::new(2, 0), Mix::new(2, 0))
    );
    assert_eq!(view.work.unwrap().ended.len(), 1);
}
