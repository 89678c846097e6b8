//! The recorded facts of the service (`tests/facts`) against the local account: it says what the service said, in the
//! same places; the client is held to the same facts in `azure::facts`.

use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use lowtide::account::PoolPattern;
use lowtide::base::{Span, Timestamp};
use lowtide::emulator::answer::finish;
use lowtide::emulator::asked::{Asked, Condition};
use lowtide::emulator::{Desk, Setup, Trouble, TroubleKind};
use serde_json::{Value, json};

use super::azure::facts::{Fact, facts};

/// What the front says before the account is asked; `account_doors` has them.
pub(crate) const OF_THE_FRONT: [&str; 4] = [
    "a signature that is wrong",
    "a token for another audience",
    "a key where tokens alone are taken",
    "too many requests",
];

/// Machines are to be had until then.
const PLENTY: Span = Span::minutes(20);

struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Value,
}

/// Asks as the front hands a request on, and writes the answer down as the front does.
fn ask(desk: &mut Desk, method: &str, address: &str, if_match: Option<&str>, body: &Value) -> Answered {
    let address = address.replace("%20", " ").replace("%27", "'");
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let asked = Asked {
        method: method.parse().unwrap(),
        base: "https://emuacct.westeurope.batch.azure.com".to_owned(),
        path: path.to_owned(),
        query: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        api_version: "2024-02-01.19.0".to_owned(),
        request_id: "5b1c0000-0000-0000-0000-000000000000".to_owned(),
        condition: if_match.map(|version| Condition::Match(version.to_owned())),
        ..Asked::default()
    };
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    let answer = desk.answer(&asked, text.as_bytes()).into_response();
    let response = finish(answer, &asked, Timestamp::EPOCH);
    let (parts, body) = response.into_parts();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bytes = runtime.block_on(axum::body::to_bytes(body, usize::MAX)).unwrap();
    Answered {
        status: parts.status,
        headers: parts.headers,
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    }
}

fn must(desk: &mut Desk, line: &str, body: &Value) -> Value {
    let (method, address) = line.split_once(' ').unwrap();
    let answered = ask(desk, method, address, None, body);
    assert!(answered.status.is_success(), "{line}: {}", answered.body);
    answered.body
}

fn pass(desk: &mut Desk, minutes: i64) {
    let to = desk.now() + Span::minutes(minutes);
    desk.advance(to);
}

/// The account that the facts speak of: a pool whose last resize found too few spot machines, another with a formula, a
/// job with a task that has ended and one that runs.
fn account() -> Desk {
    let mut setup = Setup::at("2026-11-22T09:00:00Z".parse().unwrap());
    let start = setup.start;
    setup.troubles.push(Trouble {
        from: start + PLENTY,
        until: start + PLENTY + Span::minutes(30),
        pools: "render-eu".parse::<PoolPattern>().unwrap(),
        kind: TroubleKind::NoCapacity,
    });
    let mut desk = Desk::new(setup);
    let pool = json!({
        "id": "render-eu", "displayName": "render", "vmSize": "STANDARD_D4S_V5", "taskSlotsPerNode": 4,
        "targetDedicatedNodes": 2, "targetLowPriorityNodes": 7, "startTask": { "commandLine": "true", "waitForSuccess": true },
        "metadata": [{ "name": "scaler", "value": "managed" }], "taskSchedulingPolicy": { "nodeFillType": "Pack" },
    });
    must(&mut desk, "POST /pools", &pool);
    let formula = json!({
        "id": "second", "vmSize": "standard_d2s_v5", "enableAutoScale": true,
        "autoScaleFormula": "$TargetDedicatedNodes=3;", "autoScaleEvaluationInterval": "PT6M",
    });
    must(&mut desk, "POST /pools", &formula);
    must(
        &mut desk,
        "POST /jobs",
        &json!({ "id": "j1", "poolInfo": { "poolId": "render-eu" } }),
    );
    pass(&mut desk, 15);
    must(
        &mut desk,
        "POST /jobs/j1/tasks",
        &json!({ "id": "t7", "commandLine": "sleep 60", "requiredSlots": 2 }),
    );
    must(
        &mut desk,
        "POST /jobs/j1/tasks",
        &json!({ "id": "t8", "commandLine": "sleep 99999", "requiredSlots": 2 }),
    );
    pass(&mut desk, 6);
    let wanted = json!({ "targetDedicatedNodes": 2, "targetLowPriorityNodes": 10 });
    must(&mut desk, "POST /pools/render-eu/resize", &wanted);
    pass(&mut desk, 40);
    desk
}

/// Returns the id of a node of the pool that stands in this state.
fn node(desk: &mut Desk, state: &str) -> String {
    let found = must(
        desk,
        &format!("GET /pools/render-eu/nodes?$filter=state eq '{state}'"),
        &Value::Null,
    );
    found["value"][0]["id"].as_str().unwrap().to_owned()
}

/// Puts the account where the fact finds it, and our own names where the fact has others.
fn given(fact: &Fact, desk: &mut Desk) -> (String, Option<String>) {
    let running = node(desk, "running");
    let mut address = fact
        .request
        .path
        .replace("tvmps_9f2c_p", &running)
        .replace("/pools/formula", "/pools/second");
    let resize = json!({ "targetDedicatedNodes": 5, "targetLowPriorityNodes": 7 });
    match fact.name.as_str() {
        "a list of pools with a next page" => address.push_str("?maxresults=1"),
        "the last page of pools" => {
            let first = must(desk, "GET /pools?maxresults=1", &Value::Null);
            let next = first["odata.nextLink"].as_str().unwrap();
            next.split_once(".com").unwrap().1.clone_into(&mut address);
        }
        "a resize while another is under way" | "a resize is stopped" => {
            must(desk, "POST /pools/render-eu/resize", &resize);
        }
        "a pool is changed" | "a pool is deleted" => {
            must(
                desk,
                "POST /pools",
                &json!({ "id": "new", "vmSize": "standard_d2s_v5", "targetDedicatedNodes": 0 }),
            );
        }
        "scheduling was disabled already" => {
            let idle = node(desk, "idle");
            let node = format!("/pools/render-eu/nodes/{idle}/disablescheduling");
            must(
                desk,
                &format!("POST {node}"),
                &json!({ "nodeDisableSchedulingOption": "taskcompletion" }),
            );
            address = node;
        }
        "scheduling is enabled" => {
            let option = json!({ "nodeDisableSchedulingOption": "taskcompletion" });
            must(
                desk,
                &format!("POST /pools/render-eu/nodes/{running}/disablescheduling"),
                &option,
            );
        }
        _ => {}
    }
    let version = must(desk, "GET /pools/render-eu", &Value::Null)["eTag"]
        .as_str()
        .unwrap()
        .to_owned();
    let if_match = fact
        .request
        .headers
        .get("if-match")
        .map(|sent| match sent.as_str() {
            Some("0x8DE2900AA11BB22") => version,
            other => other.unwrap().to_owned(),
        });
    (address, if_match)
}

/// Collects where an answer lacks what the fact has, or has it in another form. Codes must be the same.
pub(crate) fn differ(wanted: &Value, found: &Value, place: &str, into: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                match found.get(name) {
                    Some(other) => differ(value, other, &format!("{place}/{name}"), into),
                    None => into.push(format!("{place}/{name} is missing")),
                }
            }
        }
        (Value::Array(wanted), Value::Array(found)) => match (wanted.first(), found.first()) {
            (Some(value), Some(other)) => differ(value, other, &format!("{place}/0"), into),
            (Some(_), None) => into.push(format!("{place} is empty")),
            _ => {}
        },
        (Value::String(wanted), Value::String(found)) => {
            if place.ends_with("/code") && wanted != found {
                into.push(format!("{place} is {found}, not {wanted}"));
            }
        }
        (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => {}
        _ => into.push(format!("{place} is {found}, of another kind than {wanted}")),
    }
}

fn check(fact: &Fact) -> Vec<String> {
    let mut desk = account();
    let (address, if_match) = given(fact, &mut desk);
    let mut body = fact.request.body.clone().unwrap_or_default();
    if let Some(nodes) = body.get_mut("nodeList") {
        *nodes = json!([node(&mut desk, "running")]);
    }
    let answered = ask(
        &mut desk,
        &fact.request.method,
        &address,
        if_match.as_deref(),
        &body,
    );
    let mut wrong = Vec::new();
    if answered.status != fact.answer.status {
        wrong.push(format!(
            "{}, not {}: {}",
            answered.status, fact.answer.status, answered.body
        ));
    }
    for name in fact.answer.headers.keys() {
        if !answered.headers.contains_key(name) {
            wrong.push(format!("the header {name} is missing"));
        }
    }
    if let Some(body) = &fact.answer.body {
        differ(body, &answered.body, "", &mut wrong);
    }
    wrong
        .into_iter()
        .map(|what| format!("{} ({}): {what}", fact.name, fact.source))
        .collect()
}

#[test]
fn the_account_says_what_the_service_was_seen_to_say() {
    let facts = facts();
    let facts = facts
        .iter()
        .filter(|fact| !OF_THE_FRONT.contains(&fact.name.as_str()));
    let wrong: Vec<_> = facts.flat_map(check).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_formula_that_is_evaluated_gives_the_recorded_result_word_for_word() {
    let mut desk = account();
    let facts = facts();
    let fact = facts
        .iter()
        .find(|fact| fact.name == "a good formula is evaluated")
        .unwrap();
    let body = fact.request.body.clone().unwrap();
    let found = must(&mut desk, "POST /pools/second/evaluateautoscale", &body);
    assert_eq!(found["results"], fact.answer.body.as_ref().unwrap()["results"]);
}
