//! The live account as a world: what the engine is told of it, and what becomes of its orders.

use std::sync::Arc;

use lowtide::account::{Etag, Order, PoolPattern, Receipt, RefusalKind, Removal};
use lowtide::azure::{Client, Clock, Credential, Leaping, Live, Runs, shared_key::Key};
use lowtide::base::{Lane, Mix, Nodes, Span, Timestamp};
use lowtide::engine::{Observation, Question, Turn, World};
use lowtide::signal::Metric;
use serde_json::{Value, json};

use super::account::{Account, list, node, pool};
use super::desk::Answer;
use super::{KEY, noon, settings};

/// A world over an account, with the runtime that it needs.
pub(super) struct Stage {
    pub(super) account: Account,
    live: Live,
    clock: Clock,
    patterns: Vec<PoolPattern>,
    pub(super) turns: Vec<Turn>,
    // Dropped last: the world waits on it.
    _runtime: tokio::runtime::Runtime,
}

impl Stage {
    pub(super) fn set(account: Account) -> Self {
        let clock = Clock::stepped(noon());
        let key = Credential::SharedKey(Key::parse(KEY).unwrap());
        let client = Client::new(settings(&account.desk.url), key, clock.clone()).unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        Self {
            account,
            live: Live::new(client, runtime.handle().clone()),
            clock,
            patterns: vec!["*".parse().unwrap()],
            turns: Vec::new(),
            _runtime: runtime,
        }
    }

    pub(super) fn look(&mut self, metrics: &[Metric], work: bool) -> Observation {
        let mut seen = Observation::default();
        let question = Question {
            now: self.clock.now(),
            pools: &self.patterns,
            turns: &self.turns,
            metrics,
            signals: &[],
            work,
            account: true,
        };
        self.live.observe(&question, &mut seen).unwrap();
        seen
    }

    pub(super) fn pass(&mut self, seconds: i64) -> Timestamp {
        let to = self.clock.now() + Span::seconds(seconds);
        self.live.wait_until(to).unwrap()
    }

    fn order(&mut self, target: Mix) -> Order {
        Order {
            target,
            etag: Some(Etag("0x1".into())),
            ..Order::new("p".parse().unwrap(), self.clock.now())
        }
    }
}

fn counts(pool: &str, lanes: &Value) -> Value {
    json!({ "poolId": pool, "dedicated": lanes, "lowPriority": {} })
}

/// A pool of two dedicated nodes and a job with work.
pub(super) fn busy_account() -> Account {
    let account = Account::open();
    account.put("GET /pools", vec![list(&[pool("p", "0x1", 2, 0)])]);
    account.put(
        "GET /nodecounts",
        vec![list(&[counts("P", &json!({ "idle": 1, "running": "1" }))])],
    );
    let job = json!({ "id": "j", "executionInfo": { "poolId": "P" } });
    account.put("GET /jobs", vec![list(&[job])]);
    let numbers = json!({ "active": 3, "running": 1, "completed": 7 });
    let numbers = Answer::json(200, &json!({ "taskCounts": numbers, "taskSlotCounts": numbers }));
    account.put("GET /jobs/j/taskcounts", vec![numbers]);
    account
}

#[test]
fn a_look_tells_pools_and_samples() {
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("other", "0x7", 3, 4)])],
    );
    let mut stage = Stage::set(account);
    stage.patterns = vec!["P*".parse().unwrap()];
    let metrics = [Metric::PendingTasks, Metric::UsableNodeCount];
    let seen = stage.look(&metrics, false);
    let shared = seen.account.as_ref().unwrap();
    assert_eq!(
        (shared.pools[0].pool.as_str(), shared.pools[0].held()),
        ("other", Mix::new(3, 4))
    );
    assert_eq!((shared.quotas.as_ref(), shared.fault.as_ref()), (None, None));
    let [view] = seen.pools() else { panic!("{seen:?}") };
    assert_eq!(view.state.current, Mix::new(2, 0));
    assert_eq!(
        (view.state.nodes.idle, view.state.nodes.usable),
        (Nodes(1), Nodes(2))
    );
    assert_eq!(view.state.etag, Some(Etag("0x1".into())));
    assert_eq!((view.fault.as_ref(), view.work.as_ref()), (None, None));
    let samples: Vec<_> = view
        .samples
        .iter()
        .map(|sample| (sample.metric, sample.taken, sample.value))
        .collect();
    assert_eq!(samples, [(metrics[0], noon(), 4.0), (metrics[1], noon(), 2.0)]);
}

#[test]
fn between_two_looks_samples_fill_the_grid() {
    let mut stage = Stage::set(busy_account());
    stage.look(&[Metric::PendingTasks], false);
    assert_eq!(stage.pass(120), noon() + Span::minutes(2));
    let seen = stage.look(&[Metric::PendingTasks], false);
    let taken: Vec<_> = seen.pools()[0]
        .samples
        .iter()
        .map(|sample| sample.taken.since(noon()))
        .collect();
    assert_eq!(taken, [30, 60, 90, 120].map(Span::seconds));
    // Who asks for no metric is not looked at in between.
    stage.look(&[], false);
    let asked = stage.account.times("GET /pools");
    stage.pass(120);
    assert_eq!(stage.account.times("GET /pools"), asked);
}

#[test]
fn tasks_and_nodes_are_told_one_by_one() {
    let account = busy_account();
    account.put(
        "GET /pools/p/nodes",
        vec![list(&[node("a_d", "running", 1), node("b_d", "idle", 0)])],
    );
    let waiting = |id: &str, slots: u32, at: &str| json!({ "id": id, "state": "active", "requiredSlots": slots, "creationTime": at });
    account.put(
        "GET /jobs/j/tasks",
        vec![list(&[
            waiting("never", 3, "2026-11-22T11:00:00Z"),
            waiting("second", 1, "2026-11-22T11:50:00Z"),
            waiting("first", 2, "2026-11-22T11:40:00Z"),
            json!({ "id": "r", "state": "running", "creationTime": "2026-11-22T11:00:00Z",
                    "executionInfo": { "startTime": "2026-11-22T11:20:00Z" }, "nodeInfo": { "nodeId": "a_d" } }),
        ])],
    );
    let mut stage = Stage::set(account);
    let seen = stage.look(&[], true);
    let work = seen.pools()[0].work.as_ref().unwrap();
    assert_eq!(
        work.waiting.iter().map(|task| task.slots).collect::<Vec<_>>(),
        [2, 1, 3]
    );
    assert_eq!(
        (work.running[0].lane, work.running[0].slots),
        (Lane::Dedicated, 1)
    );
    assert_eq!(work.job_of(work.running[0].job), Some("j"));
    assert_eq!(
        (work.nodes.len(), work.finished.len(), work.ended.len()),
        (2, 0, 0)
    );
    assert_eq!(
        stage.account.times("GET /jobs/j/tasks?completed"),
        0,
        "nothing has ended before the first look"
    );

    // The task ends, and its job with it; the node is removed.
    stage.pass(60);
    stage.account.put("GET /jobs", vec![list(&[])]);
    stage
        .account
        .put("GET /pools/p/nodes", vec![list(&[node("b_d", "idle", 0)])]);
    let ended = json!({ "id": "r", "state": "completed", "creationTime": "2026-11-22T11:00:00Z", "requiredSlots": 1,
        "executionInfo": { "startTime": "2026-11-22T11:20:00Z", "endTime": "2026-11-22T12:00:30Z", "result": "success" } });
    stage
        .account
        .put("GET /jobs/j/tasks?completed", vec![list(&[ended])]);
    let seen = stage.look(&[], true);
    let work = seen.pools()[0].work.as_ref().unwrap();
    assert_eq!((work.waiting.len(), work.running.len()), (0, 0));
    assert_eq!(work.finished[0].ended, noon() + Span::seconds(30));
    assert_eq!(work.job_of(work.finished[0].job), Some("j"));
    assert!(!work.ended[0].evicted, "{work:?}");
}

#[test]
fn what_fails_for_one_pool_hides_no_other() {
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![list(&[pool("p", "0x1", 2, 0), pool("q", "0x2", 0, 0)])],
    );
    account.put(
        "GET /jobs/j/taskcounts",
        vec![Answer::json(500, &json!({ "code": "InternalError" }))],
    );
    let mut stage = Stage::set(account);
    let seen = stage.look(&[Metric::ActiveTasks], false);
    let [p, q] = seen.pools() else { panic!("{seen:?}") };
    let fault = p.fault.as_ref().unwrap();
    assert!(fault.retry && fault.message.contains("InternalError"), "{fault}");
    assert_eq!(q.fault, None);
    assert_eq!(q.samples.len(), 1);
}

#[test]
fn a_look_takes_the_sample_of_the_grid_before_it() {
    let mut stage = Stage::set(busy_account());
    stage.pass(10);
    stage.look(&[Metric::PendingTasks], false);
    let asked = stage.account.times("GET /pools");
    // A look each 30 s beside the grid needs no other between.
    stage.pass(30);
    assert_eq!(stage.account.times("GET /pools"), asked);
    let seen = stage.look(&[Metric::PendingTasks], false);
    let taken: Vec<_> = seen.pools()[0]
        .samples
        .iter()
        .map(|sample| sample.taken.since(noon()))
        .collect();
    assert_eq!(taken, [Span::seconds(30)]);
}

#[test]
fn a_clock_that_is_set_back_prolongs_no_wait() {
    let clock = Arc::new(Leaping::new(noon()));
    let leaping = clock.clone();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .on_thread_park(move || leaping.leap())
        .build()
        .unwrap();
    let key = Credential::SharedKey(Key::parse(KEY).unwrap());
    let told = Clock::Leaping(clock.clone());
    let client = Client::new(settings("http://127.0.0.1:1"), key, told.clone()).unwrap();
    let set_back = clock.clone();
    runtime.spawn(async move {
        told.sleep(std::time::Duration::from_secs(10)).await;
        set_back.set_off(Span::hours(-1));
    });
    let mut live = Live::new(client, Runs::Here(Arc::new(runtime)));
    let due = noon() + Span::seconds(30);
    assert_eq!(live.wait_until(due), Some(due), "never earlier than asked for");
    assert_eq!(clock.passed(), Span::seconds(30));
    // Who begins anew has the time that it is now.
    let now = live.wait_until(Timestamp::from_ticks(i64::MIN));
    assert_eq!(now, Some(due - Span::hours(1)));
}

#[test]
fn a_pool_without_counts_is_hidden_and_stays_as_it_was() {
    let mut stage = Stage::set(busy_account());
    stage.look(&[], false);
    stage
        .account
        .put("GET /pools", vec![list(&[pool("p", "0x2", 5, 0)])]);
    stage.account.put(
        "GET /nodecounts",
        vec![Answer::json(
            403,
            &json!({ "code": "InsufficientAccountPermissions" }),
        )],
    );
    let seen = stage.look(&[], false);
    let view = &seen.pools()[0];
    assert!(!view.fault.as_ref().unwrap().retry);
    assert_eq!(view.state.current, Mix::new(2, 0));
}

#[test]
fn an_account_that_cannot_be_listed_is_not_seen_at_all() {
    let account = busy_account();
    account.put(
        "GET /pools",
        vec![Answer::json(403, &json!({ "code": "AuthenticationFailed" }))],
    );
    let mut stage = Stage::set(account);
    let question = Question {
        now: noon(),
        pools: &stage.patterns.clone(),
        turns: &[],
        metrics: &[],
        signals: &[],
        work: false,
        account: false,
    };
    let error = stage
        .live
        .observe(&question, &mut Observation::default())
        .unwrap_err();
    assert!(!error.retry && error.message.contains("clock"), "{error}");
}

#[test]
fn a_stopped_world_waits_no_longer() {
    let mut stage = Stage::set(busy_account());
    stage.live.stopper().stop();
    assert_eq!(stage.live.wait_until(noon() + Span::hours(1)), None);
}

fn check_order(
    account: Account,
    order: impl FnOnce(&mut Stage) -> Order,
    expected: Result<(), RefusalKind>,
    writes: &[&str],
) {
    let mut stage = Stage::set(account);
    stage.look(&[], false);
    let order = order(&mut stage);
    let receipt = stage.live.act(&order);
    let told = match &receipt {
        Receipt::Accepted => Ok(()),
        Receipt::Refused(refusal) => Err(refusal.kind),
        Receipt::Withheld => panic!("nobody withheld it"),
    };
    assert_eq!(told, expected, "{receipt:?}");
    assert_eq!(stage.account.written(), writes);
}

const RESIZED: &str = "POST /pools/p/resize if 0x1 \
{\"targetDedicatedNodes\":4,\"targetLowPriorityNodes\":1,\"nodeDeallocationOption\":\"requeue\"}";

#[test]
fn a_resize_is_bound_to_what_was_seen() {
    let account = busy_account();
    account.put("POST /pools/p/resize", vec![Answer::empty(202)]);
    check_order(account, |stage| stage.order(Mix::new(4, 1)), Ok(()), &[RESIZED]);
    for (status, code, kind) in [
        (409, "PoolBeingResized", RefusalKind::Resizing),
        (412, "ConditionNotMet", RefusalKind::Changed),
        (404, "PoolNotFound", RefusalKind::Missing),
        (403, "AuthenticationFailed", RefusalKind::Forbidden),
    ] {
        let account = busy_account();
        account.put(
            "POST /pools/p/resize",
            vec![Answer::json(status, &json!({ "code": code }))],
        );
        check_order(
            account,
            |stage| stage.order(Mix::new(4, 1)),
            Err(kind),
            &[RESIZED],
        );
    }
}

#[test]
fn a_lost_answer_is_compared_and_never_repeated() {
    for (now, expected) in [
        (pool("p", "0x2", 4, 1), Ok(())),
        (pool("p", "0x1", 2, 0), Err(RefusalKind::Unreachable)),
        (pool("p", "0x2", 9, 0), Err(RefusalKind::Changed)),
    ] {
        let account = busy_account();
        account.put("POST /pools/p/resize", vec![Answer::Lost]);
        account.put("GET /pools/p", vec![Answer::json(200, &now)]);
        check_order(account, |stage| stage.order(Mix::new(4, 1)), expected, &[RESIZED]);
    }
}

#[test]
fn a_pool_with_a_formula_of_its_own_is_left_alone() {
    let account = busy_account();
    let mut formula = pool("p", "0x1", 2, 0);
    formula["enableAutoScale"] = json!(true);
    account.put("GET /pools", vec![list(&[formula])]);
    check_order(
        account,
        |stage| stage.order(Mix::new(4, 1)),
        Err(RefusalKind::Invalid),
        &[],
    );
}

#[test]
fn a_resize_under_way_is_stopped_first_when_it_is_retaken() {
    let retake = |stage: &mut Stage| Order {
        retake: true,
        ..stage.order(Mix::new(4, 1))
    };
    let stopping = |state: &str| {
        let mut pool = pool("p", "0x1", 2, 0);
        pool["allocationState"] = json!(state);
        Answer::json(200, &pool)
    };
    let account = busy_account();
    account.put("POST /pools/p/stopresize", vec![Answer::empty(202)]);
    account.put("POST /pools/p/resize", vec![Answer::empty(202)]);
    account.put("GET /pools/p", vec![stopping("stopping"), stopping("Steady")]);
    check_order(
        account,
        retake,
        Ok(()),
        &["POST /pools/p/stopresize if 0x1", RESIZED],
    );
    // The service takes most of a minute for it, and other pools wait meanwhile.
    let account = busy_account();
    account.put("POST /pools/p/stopresize", vec![Answer::empty(202)]);
    account.put("GET /pools/p", vec![stopping("stopping")]);
    check_order(
        account,
        retake,
        Err(RefusalKind::Resizing),
        &["POST /pools/p/stopresize if 0x1"],
    );
}

#[test]
fn only_idle_nodes_go_when_they_are_removed_by_name() {
    let idle = |target| {
        move |stage: &mut Stage| Order {
            removal: Removal::Idle,
            ..stage.order(target)
        }
    };
    let account = || {
        let account = busy_account();
        account.put(
            "GET /pools/p/nodes",
            vec![list(&[node("a_d", "running", 1), node("b_d", "idle", 0)])],
        );
        account.put("POST /pools/p/removenodes", vec![Answer::empty(202)]);
        account.put("POST /pools/p/resize", vec![Answer::empty(202)]);
        account
    };
    let removed = "POST /pools/p/removenodes if 0x1 {\"nodeList\":[\"b_d\"],\"nodeDeallocationOption\":\"taskcompletion\"}";
    check_order(account(), idle(Mix::new(0, 0)), Ok(()), &[removed]);
    // What grows goes first; what shrinks is left to the next look.
    let grown = "POST /pools/p/resize if 0x1 \
{\"targetDedicatedNodes\":2,\"targetLowPriorityNodes\":3,\"nodeDeallocationOption\":\"requeue\"}";
    check_order(account(), idle(Mix::new(1, 3)), Ok(()), &[grown]);
}

#[test]
fn nodes_are_cordoned_without_a_resize() {
    let account = busy_account();
    account.put(
        "GET /pools/p/nodes",
        vec![list(&[node("a_d", "running", 1), node("b_d", "idle", 0)])],
    );
    account.put(
        "POST /pools/p/nodes/b_d/disablescheduling",
        vec![Answer::empty(200)],
    );
    let cordon = |stage: &mut Stage| Order {
        cordon: Mix::new(1, 0),
        ..stage.order(Mix::new(2, 0))
    };
    let told =
        "POST /pools/p/nodes/b_d/disablescheduling {\"nodeDisableSchedulingOption\":\"taskcompletion\"}";
    check_order(account, cordon, Ok(()), &[told]);
}
