//! The recorded facts of the service (`tests/facts`): what the client reads in them, and that it asks as they say.

use lowtide::account::{Etag, NodeDeallocationOption};
use lowtide::azure::{Allocation, Client, Fault, NodeState, Query, Resize, TaskResult};
use lowtide::base::{Lane, Mix, Span};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::desk::{Answer, Asked, Desk};
use super::{client_of, wait};

/// A fact, as `tests/facts/README.md` tells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fact {
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) request: FactRequest,
    pub(crate) answer: FactAnswer,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactRequest {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: Map<String, Value>,
    #[serde(default)]
    pub(crate) body: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactAnswer {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: Map<String, Value>,
    #[serde(default)]
    pub(crate) body: Option<Value>,
}

pub(crate) fn facts() -> Vec<Fact> {
    let texts = [
        include_str!("../../facts/pools.json"),
        include_str!("../../facts/nodes.json"),
        include_str!("../../facts/jobs.json"),
        include_str!("../../facts/errors.json"),
    ];
    texts
        .iter()
        .flat_map(|text| serde_json::from_str::<Vec<Fact>>(text).unwrap())
        .collect()
}

fn fact(name: &str) -> Fact {
    let found = facts().into_iter().find(|fact| fact.name == name);
    found.unwrap_or_else(|| panic!("there is no fact `{name}`"))
}

fn answer(fact: &Fact) -> Answer {
    let body = fact.answer.body.clone();
    let answer = match body {
        Some(body) => Answer::json(fact.answer.status, &body),
        None => Answer::empty(fact.answer.status),
    };
    fact.answer
        .headers
        .iter()
        .filter(|(name, _)| *name != "content-type")
        .fold(answer, |answer, (name, value)| {
            answer.with(name, value.as_str().unwrap())
        })
}

/// The path as a fact writes it: without the version.
fn bare(path: &str) -> String {
    let (place, query) = path.split_once('?').unwrap();
    let kept: Vec<_> = query
        .split('&')
        .filter(|part| !part.starts_with("api-version="))
        .collect();
    if kept.is_empty() {
        place.to_owned()
    } else {
        format!("{place}?{}", kept.join("&"))
    }
}

/// Plays facts in turn, hands the client to a test, and holds what was asked against them.
fn play<T>(names: &[&str], ask: impl AsyncFnOnce(Client) -> T) -> T {
    let facts: Vec<_> = names.iter().map(|name| fact(name)).collect();
    let desk = Desk::script(facts.iter().map(answer).collect());
    let told = wait(ask(client_of(&desk)));
    let asked = desk.asked();
    assert_eq!(asked.len(), facts.len(), "{asked:?}");
    for (fact, asked) in facts.iter().zip(&asked) {
        hold(fact, asked);
    }
    told
}

fn hold(fact: &Fact, asked: &Asked) {
    let name = &fact.name;
    assert_eq!(asked.method, fact.request.method, "{name}");
    assert_eq!(bare(&asked.path), fact.request.path, "{name}");
    for (header, value) in &fact.request.headers {
        assert_eq!(asked.header(header), value.as_str(), "{name}: {header}");
    }
    assert_eq!(
        asked.json(),
        fact.request.body.clone().unwrap_or(Value::Null),
        "{name}"
    );
}

#[test]
fn facts_have_names_and_sources() {
    let mut names = std::collections::BTreeSet::new();
    for fact in facts() {
        assert!(names.insert(fact.name.clone()), "{} stands twice", fact.name);
        let sources = ["recorded", "tried", "documented", "inferred"];
        assert!(
            sources.contains(&fact.source.as_str()),
            "{}: {}",
            fact.name,
            fact.source
        );
    }
}

#[test]
fn pools_are_read_over_pages() {
    let names = ["a list of pools with a next page", "the last page of pools"];
    let pools = play(&names, async |client| {
        client.pools(&Query::default()).await.unwrap()
    });
    assert!(pools.unread.is_empty(), "{pools:?}");
    let [render, formula] = &pools.found[..] else {
        panic!("{pools:?}")
    };
    assert_eq!(render.id, "render-eu");
    assert_eq!(render.version(), Some(Etag("0x8DE2900AA11BB22".into())));
    assert_eq!(
        (render.current(), render.target()),
        (Mix::new(2, 7), Mix::new(2, 10))
    );
    assert_eq!(render.allocation_state, Allocation::Steady);
    assert_eq!(render.task_slots_per_node, Some(4));
    assert_eq!(render.resize_errors[0].code, "AllocationTimedout");
    assert!(formula.enable_auto_scale);
    assert_eq!(formula.allocation_state, Allocation::Resizing);
    let run = formula.auto_scale_run.as_ref().unwrap();
    assert!(
        run.results
            .as_ref()
            .unwrap()
            .starts_with("$TargetDedicatedNodes=3;"),
        "{run:?}"
    );
}

#[test]
fn a_pool_is_resized_and_stopped() {
    let names = ["a resize is taken", "a resize is stopped"];
    play(&names, async |client| {
        let resize = Resize {
            target: Mix::new(3, 12),
            option: NodeDeallocationOption::TaskCompletion,
            timeout: None,
        };
        let etag = Etag("0x8DE2900AA11BB22".into());
        client.resize("render-eu", &resize, Some(&etag)).await.unwrap();
        client.stop_resize("render-eu", None).await.unwrap();
    });
}

#[test]
fn a_pool_is_made_changed_and_deleted() {
    let names = [
        "a pool that is not there, asked by HEAD",
        "a pool is made",
        "a pool is changed",
        "a pool is deleted",
    ];
    play(&names, async |client| {
        let map = |value: Value| value.as_object().unwrap().clone();
        assert!(!client.pool_exists("nowhere").await.unwrap());
        let pool = map(json!({ "id": "new", "vmSize": "standard_d2s_v5", "targetDedicatedNodes": 1 }));
        client.add_pool(&pool).await.unwrap();
        let changes = map(json!({ "metadata": [{ "name": "a", "value": "b" }] }));
        client.patch_pool("new", &changes, None).await.unwrap();
        client.delete_pool("new", None).await.unwrap();
    });
}

#[test]
fn formulas_are_evaluated_enabled_and_disabled() {
    let names = [
        "a good formula is evaluated",
        "a formula that fails is answered with 200",
        "autoscale is enabled",
        "autoscale is disabled",
    ];
    play(&names, async |client| {
        let three = "$TargetDedicatedNodes=3;";
        let run = client.evaluate_auto_scale("formula", three).await.unwrap();
        assert_eq!(run.error, None);
        let run = client
            .evaluate_auto_scale("formula", "$TargetDedicatedNodes=nothing;")
            .await
            .unwrap();
        let error = run.error.unwrap();
        assert_eq!(error.code, "AutoScalingFormulaEvaluationError");
        assert!(error.values[0].value.starts_with("Line 1, Col 23"), "{error:?}");
        let interval = Some(Span::minutes(5));
        client
            .enable_auto_scale("formula", (Some(three), interval), None)
            .await
            .unwrap();
        client.disable_auto_scale("formula").await.unwrap();
    });
}

#[test]
fn nodes_are_counted_read_and_told() {
    let names = [
        "node counts of a pool",
        "a node that runs a task",
        "nodes are removed",
        "scheduling is disabled",
        "scheduling was disabled already",
        "scheduling is enabled",
    ];
    play(&names, async |client| {
        let page = Query {
            page: Some(10),
            ..Query::default()
        };
        let counts = client.node_counts(&page).await.unwrap();
        let [counts] = &counts.found[..] else {
            panic!("{counts:?}")
        };
        assert_eq!((counts.dedicated.total, counts.low_priority.preempted), (2, 3));
        let node = client.node("render-eu", "tvmps_9f2c_p").await.unwrap();
        assert_eq!((node.lane(), node.state), (Lane::Spot, NodeState::Running));
        assert_eq!((node.busy_slots(), node.is_cordoned()), (2, false));
        let nodes = ["tvmps_9f2c_p".to_owned()];
        let option = NodeDeallocationOption::TaskCompletion;
        client
            .remove_nodes("render-eu", &nodes, option, None)
            .await
            .unwrap();
        client
            .disable_scheduling("render-eu", "tvmps_9f2c_p")
            .await
            .unwrap();
        client.disable_scheduling("render-eu", "tvmps_1_p").await.unwrap();
        client
            .enable_scheduling("render-eu", "tvmps_9f2c_p")
            .await
            .unwrap();
    });
}

#[test]
fn jobs_tasks_and_counts_are_read() {
    let names = ["active jobs", "task counts with slots", "a task that ended well"];
    play(&names, async |client| {
        let active = Query {
            filter: "state eq 'active'",
            ..Query::default()
        };
        let jobs = client.jobs(&active).await.unwrap().found;
        assert_eq!(jobs[0].pool(), Some("render-eu"));
        assert_eq!(jobs[1].pool(), Some("4E3F9F4C-6F0A-4B3C-9D9B-3A1B2C3D4E5F"));
        let counts = client.task_counts("j1").await.unwrap();
        assert_eq!(
            (counts.task_counts.active, counts.task_slot_counts.running),
            (40, 24)
        );
        let task = client.task("j1", "t7").await.unwrap();
        assert_eq!(task.execution_info.result, TaskResult::Success);
        let run = task.execution_info.end_time.unwrap() - task.execution_info.start_time.unwrap();
        assert_eq!(run, Span::from_seconds(630.25));
    });
}

#[test]
fn refusals_are_read() {
    let resize = |dedicated| Resize {
        target: Mix::new(dedicated, 0),
        option: NodeDeallocationOption::Requeue,
        timeout: None,
    };
    for (name, status, code, sentence) in [
        (
            "a resize while another is under way",
            409,
            "PoolBeingResized",
            "POST /pools/p/resize: 409 PoolBeingResized: The specified pool is being resized",
        ),
        (
            "a target below zero",
            400,
            "InvalidPropertyValue",
            "POST /pools/p/resize: 400 InvalidPropertyValue: The value provided for one of the properties in the request body is \
             invalid. (PropertyName: targetDedicatedNodes) (PropertyValue: -1)",
        ),
        (
            "a pool that someone changed meanwhile",
            412,
            "ConditionNotMet",
            "POST /pools/p/resize: 412 ConditionNotMet: The condition specified using HTTP conditional header(s) is not met.",
        ),
        (
            "a signature that is wrong",
            403,
            "AuthenticationFailed",
            "POST /pools/p/resize: 403 AuthenticationFailed: Server failed to authenticate the request. Make sure the value of \
             Authorization header is formed correctly including the signature.",
        ),
        (
            "a key where tokens alone are taken",
            403,
            "AuthenticationFailed",
            "POST /pools/p/resize: 403 AuthenticationFailed: Server failed to authenticate the request. Make sure the value of \
             Authorization header is formed correctly including the signature.",
        ),
    ] {
        let desk = Desk::script(vec![answer(&fact(name))]);
        let fault = wait(client_of(&desk).resize("p", &resize(3), None)).unwrap_err();
        assert!(fault.has_code(code), "{name}: {fault:?}");
        assert!(
            matches!(fault, Fault::Refused { status: given, .. } if given == status),
            "{fault:?}"
        );
        assert_eq!(fault.to_string(), sentence);
        assert_eq!(desk.asked().len(), 1, "{name} was tried again");
    }
}
