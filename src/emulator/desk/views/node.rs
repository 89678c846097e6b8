//! A node as the service writes it.

use serde_json::{Map, Value, json};

use super::super::Desk;
use super::super::node::{Node, NodeState};
use super::super::pool::Pool;
use super::super::refs::TaskRef;
use super::{put, task, time};
use crate::base::Lane;

impl Desk {
    pub(super) fn node_view(&self, pool: &Pool, node: &Node, base: &str) -> Value {
        let url = format!("{base}/pools/{}/nodes/{}", pool.id, node.id);
        let mut map = Map::new();
        for (name, value) in [
            ("id", json!(&*node.id)),
            ("url", json!(url)),
            ("state", json!(node.state.word())),
            (
                "schedulingState",
                json!(if node.takes_tasks { "enabled" } else { "disabled" }),
            ),
            ("stateTransitionTime", time(node.state_since)),
            ("allocationTime", time(node.allocated)),
            (
                "ipAddress",
                json!(format!("10.0.{}.{}", node.address >> 8, node.address & 0xFF)),
            ),
            ("affinityId", json!(format!("TVM:{}", node.id))),
            ("vmSize", json!(pool.vm_size)),
            ("isDedicated", json!(node.lane == Lane::Dedicated)),
            ("totalTasksRun", json!(node.n_run)),
            ("totalTasksSucceeded", json!(node.n_succeeded)),
            ("runningTasksCount", json!(node.tasks.len())),
            ("runningTaskSlotsCount", json!(pool.slots_per_node - node.free)),
        ] {
            map.insert(name.to_owned(), value);
        }
        put(&mut map, "lastBootTime", node.booted.map(time));
        put(&mut map, "startTask", pool.given.get("startTask").cloned());
        put(&mut map, "startTaskInfo", start_task(node));
        put(&mut map, "errors", errors(node));
        let recent: Vec<Value> = node
            .recent
            .iter()
            .filter_map(|recent| self.recent_task(*recent, base))
            .collect();
        put(&mut map, "recentTasks", (!recent.is_empty()).then_some(recent));
        if node.booted.is_some() {
            let agent = json!({ "version": "1.12.0", "lastUpdateTime": node.booted });
            map.insert("nodeAgentInfo".to_owned(), agent);
        }
        Value::Object(map)
    }

    fn recent_task(&self, recent: TaskRef, base: &str) -> Option<Value> {
        let job = self.jobs.get(&recent.job)?;
        let found = job.tasks.get(&recent.task)?;
        Some(json!({
            "taskUrl": format!("{base}/jobs/{}/tasks/{}", job.id, found.id),
            "jobId": &*job.id,
            "taskId": &*found.id,
            "taskState": found.state.word(),
            "executionInfo": task::execution(found),
        }))
    }
}

fn start_task(node: &Node) -> Option<Value> {
    let run = node.start_task.as_ref()?;
    let mut info = json!({
        "state": if run.ended.is_some() { "completed" } else { "running" },
        "startTime": run.started,
        "retryCount": run.retries,
    });
    if let Some(ended) = run.ended {
        let failed = run.exit_code != Some(0);
        info["endTime"] = time(ended);
        info["exitCode"] = json!(run.exit_code);
        info["result"] = json!(if failed { "failure" } else { "success" });
        if failed {
            info["failureInfo"] = json!({
                "category": "usererror",
                "code": "FailureExitCode",
                "message": "The task process exited with an unexpected exit code",
                "details": [],
            });
        }
    }
    Some(info)
}

fn errors(node: &Node) -> Option<Value> {
    let (code, message) = match node.state {
        NodeState::Unusable => ("NodeAgentNotResponding", "The agent of the node does not respond"),
        NodeState::StartTaskFailed => ("StartTaskFailed", "The start task of the node has failed"),
        _ => return None,
    };
    Some(json!([{ "code": code, "message": message, "errorDetails": [] }]))
}
