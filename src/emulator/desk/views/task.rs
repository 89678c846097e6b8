//! A task as the service writes it.

use serde_json::{Map, Value, json};

use super::super::job::Job;
use super::super::task::{Task, TaskState};
use super::{put, time};

pub(super) fn view(job: &Job, task: &Task, base: &str) -> Value {
    let mut map: Map<String, Value> = serde_json::from_str(&task.given).unwrap_or_default();
    for (name, value) in [
        ("id", json!(&*task.id)),
        ("url", json!(format!("{base}/jobs/{}/tasks/{}", job.id, task.id))),
        ("eTag", json!(task.etag())),
        ("lastModified", time(task.modified)),
        ("creationTime", time(task.created)),
        ("state", json!(task.state.word())),
        ("stateTransitionTime", time(task.state_since)),
        ("requiredSlots", json!(task.slots)),
        ("executionInfo", execution(task)),
    ] {
        map.insert(name.to_owned(), value);
    }
    map.entry("constraints").or_insert_with(|| {
        json!({
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "retentionTime": "P7D",
            "maxTaskRetryCount": task.retries_max,
        })
    });
    if let Some((state, since)) = task.before {
        put(&mut map, "previousState", Some(state.word()));
        map.insert("previousStateTransitionTime".to_owned(), time(since));
    }
    if let Some((_, node)) = task.node.as_ref().filter(|_| task.state != TaskState::Active) {
        let info = json!({
            "poolId": job.pool_id,
            "nodeId": &**node,
            "nodeUrl": format!("{base}/pools/{}/nodes/{node}", job.pool_id),
            "affinityId": format!("TVM:{node}"),
        });
        map.insert("nodeInfo".to_owned(), info);
    }
    Value::Object(map)
}

/// Writes how a task ran.
pub(super) fn execution(task: &Task) -> Value {
    let mut map = Map::new();
    put(&mut map, "startTime", task.started.map(time));
    put(&mut map, "endTime", task.ended.map(time));
    put(&mut map, "exitCode", task.exit_code);
    map.insert("retryCount".to_owned(), json!(task.retries));
    map.insert("requeueCount".to_owned(), json!(task.requeues));
    put(&mut map, "lastRetryTime", task.last_retry.map(time));
    put(&mut map, "lastRequeueTime", task.last_requeue.map(time));
    put(&mut map, "result", result(task));
    if let Some(failure) = &task.failure {
        let info = json!({
            "category": if failure.is_user { "usererror" } else { "servererror" },
            "code": failure.code,
            "message": failure.message,
            "details": [],
        });
        map.insert("failureInfo".to_owned(), info);
    }
    Value::Object(map)
}

fn result(task: &Task) -> Option<&'static str> {
    (task.state == TaskState::Completed).then(|| {
        if task.failure.is_none() {
            "success"
        } else {
            "failure"
        }
    })
}

/// Returns what a filter asks for.
pub(super) fn look(task: &Task, path: &str) -> Option<Value> {
    Some(match path {
        "id" => json!(&*task.id),
        "state" => json!(task.state.word()),
        "executionInfo/result" => json!(result(task)?),
        "executionInfo/exitCode" => json!(task.exit_code?),
        "stateTransitionTime" => time(task.state_since),
        "creationTime" => time(task.created),
        "lastModified" => time(task.modified),
        "executionInfo/startTime" => time(task.started?),
        "executionInfo/endTime" => time(task.ended?),
        _ => return None,
    })
}
