//! A job and its task counts as the service writes them.

use serde_json::{Value, json};

use super::super::job::{Counts, Job};
use super::{put, time};
use crate::emulator::etag;

impl Job {
    /// Returns its version.
    pub(in crate::emulator::desk) fn etag(&self) -> String {
        etag(self.modified)
    }
}

pub(super) fn view(job: &Job, base: &str) -> Value {
    let mut map = job.given.clone();
    for (name, value) in [
        ("id", json!(&*job.id)),
        ("url", json!(format!("{base}/jobs/{}", job.id))),
        ("eTag", json!(job.etag())),
        ("lastModified", time(job.modified)),
        ("creationTime", time(job.created)),
        ("state", json!(job.state.word())),
        ("stateTransitionTime", time(job.state_since)),
        ("priority", json!(job.priority)),
        ("maxParallelTasks", json!(job.parallel_max)),
        ("usesTaskDependencies", json!(job.uses_dependencies)),
        ("poolInfo", json!({ "poolId": job.pool_id })),
        (
            "onAllTasksComplete",
            json!(if job.ends_with_tasks {
                "terminatejob"
            } else {
                "noaction"
            }),
        ),
        ("executionInfo", execution(job)),
    ] {
        map.insert(name.to_owned(), value);
    }
    map.entry("allowTaskPreemption").or_insert(json!(false));
    map.entry("onTaskFailure").or_insert(json!("noaction"));
    map.entry("constraints").or_insert_with(|| {
        json!({
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "maxTaskRetryCount": job.retries_max,
        })
    });
    if let Some((state, since)) = job.before {
        put(&mut map, "previousState", Some(state.word()));
        map.insert("previousStateTransitionTime".to_owned(), time(since));
    }
    Value::Object(map)
}

fn execution(job: &Job) -> Value {
    let mut info = json!({ "startTime": job.created, "poolId": job.pool_id });
    if let Some(ended) = job.ended {
        info["endTime"] = time(ended);
    }
    if let Some(reason) = &job.end_reason {
        info["terminateReason"] = json!(reason);
    }
    info
}

/// Returns what a filter asks for.
pub(super) fn look(job: &Job, path: &str) -> Option<Value> {
    Some(match path {
        "id" => json!(&*job.id),
        "state" => json!(job.state.word()),
        "executionInfo/poolId" => json!(job.pool_id),
        "stateTransitionTime" => time(job.state_since),
        "creationTime" | "executionInfo/startTime" => time(job.created),
        "lastModified" => time(job.modified),
        "executionInfo/endTime" => time(job.ended?),
        _ => return None,
    })
}

pub(super) fn counts(job: &Job) -> Value {
    let group = |counts: &Counts| {
        json!({
            "active": counts.active,
            "running": counts.running,
            "completed": counts.succeeded + counts.failed,
            "succeeded": counts.succeeded,
            "failed": counts.failed,
        })
    };
    json!({ "taskCounts": group(&job.counts), "taskSlotCounts": group(&job.slots) })
}
