//! A small account as a table of answers: by method and path, in turn, the last one from then on.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::desk::{Answer, Asked, Desk};

type Table = BTreeMap<String, VecDeque<Answer>>;

/// The account; answers can be put in while it is open.
#[derive(Clone)]
pub(crate) struct Account {
    pub(crate) desk: Desk,
    table: Arc<Mutex<Table>>,
}

impl Account {
    /// Opens an account without pools and jobs.
    pub(crate) fn open() -> Self {
        let table: Arc<Mutex<Table>> = Arc::default();
        let shared = table.clone();
        let desk = Desk::open(move |asked: &Asked| {
            let route = route(asked);
            let mut table = shared.lock().unwrap();
            match table.get_mut(&route) {
                Some(answers) if answers.len() > 1 => answers.pop_front().unwrap(),
                Some(answers) => answers[0].clone(),
                None => Answer::json(
                    404,
                    &json!({ "code": "ResourceNotFound", "message": { "value": route } }),
                ),
            }
        });
        let account = Self { desk, table };
        account.put("GET /pools", vec![list(&[])]);
        account.put("GET /nodecounts", vec![list(&[])]);
        account.put("GET /jobs", vec![list(&[])]);
        account
    }

    /// Gives the answers of a route from now on.
    pub(crate) fn put(&self, route: &str, answers: Vec<Answer>) {
        self.table
            .lock()
            .unwrap()
            .insert(route.to_owned(), answers.into());
    }

    /// The routes that were asked since the last time, without those that every look takes.
    pub(crate) fn written(&self) -> Vec<String> {
        let asked = self.desk.asked();
        let writes = asked.iter().filter(|asked| asked.method != "GET");
        writes
            .map(|asked| {
                let condition = asked
                    .header("if-match")
                    .map_or(String::new(), |etag| format!(" if {etag}"));
                format!("{}{condition} {}", route(asked), asked.body)
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    /// How often a route was asked.
    pub(crate) fn times(&self, expected: &str) -> usize {
        self.desk
            .asked()
            .iter()
            .filter(|asked| route(asked) == expected)
            .count()
    }
}

/// Method and path; the tasks that are over have a route of their own.
fn route(asked: &Asked) -> String {
    let (path, query) = asked.path.split_once('?').unwrap();
    let over = if query.contains("completed") {
        "?completed"
    } else {
        ""
    };
    format!("{} {path}{over}", asked.method)
}

pub(crate) fn list(elements: &[Value]) -> Answer {
    Answer::json(200, &json!({ "value": elements }))
}

/// A steady pool of two slots a node that has what it was told to have.
pub(crate) fn pool(id: &str, etag: &str, dedicated: u32, spot: u32) -> Value {
    json!({
        "id": id, "eTag": etag, "state": "active", "allocationState": "steady", "vmSize": "standard_d2s_v5", "taskSlotsPerNode": 2,
        "currentDedicatedNodes": dedicated, "targetDedicatedNodes": dedicated, "currentLowPriorityNodes": spot,
        "targetLowPriorityNodes": spot, "enableAutoScale": false,
    })
}

pub(crate) fn node(id: &str, state: &str, tasks: u32) -> Value {
    json!({
        "id": id, "state": state, "schedulingState": "enabled", "isDedicated": id.ends_with("_d"),
        "stateTransitionTime": "2026-11-22T11:30:00Z", "allocationTime": "2026-11-22T11:00:00Z",
        "runningTasksCount": tasks, "runningTaskSlotsCount": tasks,
    })
}
