//! Jobs and their tasks: what the service says of them in numbers and one by one.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::client::encode;
use super::lenient;
use super::lists::{Listed, Query};
use super::words::{TaskResult, TaskState};
use super::{Client, Fault};
use crate::base::Timestamp;

/// A job as the service tells it (Job - Get), as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Job {
    /// Its id.
    #[serde(deserialize_with = "lenient::nullable")]
    pub id: String,
    /// Jobs of a higher one get nodes first, from -1000 to 1000.
    #[serde(deserialize_with = "lenient::number")]
    pub priority: Option<i32>,
    /// Where it was sent.
    #[serde(deserialize_with = "lenient::nullable")]
    pub pool_info: PoolInfo,
    /// Where it runs.
    #[serde(deserialize_with = "lenient::nullable")]
    pub execution_info: PoolInfo,
}

/// Which pool a job is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PoolInfo {
    /// The pool's id.
    pub pool_id: Option<String>,
}

/// The tasks of a job in numbers (Job - Get Task Counts).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TaskCounts {
    /// As many tasks.
    #[serde(deserialize_with = "lenient::nullable")]
    pub task_counts: Counts,
    /// The slots that they take.
    #[serde(deserialize_with = "lenient::nullable")]
    pub task_slot_counts: Counts,
}

/// The same as it is written, with what is not there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaskCountsTold {
    task_counts: Option<Counts>,
    task_slot_counts: Option<Counts>,
}

/// Tasks, or their slots, by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// Those that wait, for a node or for other tasks.
    #[serde(deserialize_with = "lenient::count")]
    pub active: u32,
    /// Those that run or are about to.
    #[serde(deserialize_with = "lenient::count")]
    pub running: u32,
    /// Those that are over.
    #[serde(deserialize_with = "lenient::count")]
    pub completed: u32,
    /// Those of them that ended well.
    #[serde(deserialize_with = "lenient::count")]
    pub succeeded: u32,
    /// Those of them that did not.
    #[serde(deserialize_with = "lenient::count")]
    pub failed: u32,
}

/// A task as the service tells it (Task - Get), as far as it matters here.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ServiceTask {
    /// Its id.
    #[serde(deserialize_with = "lenient::nullable")]
    pub id: String,
    /// Where it is in its life.
    #[serde(deserialize_with = "lenient::word")]
    pub state: TaskState,
    /// When it was submitted.
    #[serde(deserialize_with = "lenient::time")]
    pub creation_time: Option<Timestamp>,
    /// The slots that it takes.
    #[serde(deserialize_with = "lenient::number")]
    pub required_slots: Option<u32>,
    /// How its latest run went.
    #[serde(deserialize_with = "lenient::nullable")]
    pub execution_info: Execution,
    /// Where it runs.
    #[serde(deserialize_with = "lenient::nullable")]
    pub node_info: NodeInfo,
}

/// The latest run of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Execution {
    /// When it began.
    #[serde(deserialize_with = "lenient::time")]
    pub start_time: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "lenient::time")]
    pub end_time: Option<Timestamp>,
    /// How it ended.
    #[serde(deserialize_with = "lenient::word")]
    pub result: TaskResult,
}

/// The node of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeInfo {
    /// The node's id.
    pub node_id: Option<String>,
}

impl Job {
    /// Returns the pool that it runs on; a job that makes its own pool names it in `executionInfo` alone.
    pub fn pool(&self) -> Option<&str> {
        let ran = self.execution_info.pool_id.as_deref();
        ran.or(self.pool_info.pool_id.as_deref())
            .filter(|id| !id.is_empty())
    }
}

impl Client {
    /// Lists the jobs of the account (Job - List).
    pub async fn jobs(&self, query: &Query<'_>) -> Result<Listed<Job>, Fault> {
        self.list("/jobs", query, usize::MAX).await
    }

    /// Returns a job (Job - Get).
    pub async fn job(&self, id: &str) -> Result<Job, Fault> {
        self.get(&of(id, "")).await
    }

    /// Makes a job (Job - Add); the keys are the service's own.
    pub async fn add_job(&self, job: &Map<String, Value>) -> Result<(), Fault> {
        self.post("/jobs", Some(job), None).await.map(drop)
    }

    /// Counts the tasks of a job, a few seconds late (Job - Get Task Counts).
    pub async fn task_counts(&self, job: &str) -> Result<TaskCounts, Fault> {
        let path = of(job, "/taskcounts");
        let told: TaskCountsTold = self.get(&path).await?;
        // Counts that are not there are not counts of nothing.
        let task_counts = told.task_counts.ok_or_else(|| Fault::Unreadable {
            request: format!("GET {path}"),
            why: "it has no taskCounts".to_owned(),
        })?;
        Ok(TaskCounts {
            task_counts,
            task_slot_counts: told.task_slot_counts.unwrap_or_default(),
        })
    }

    /// Lists the tasks of a job (Task - List), until `enough` are there.
    pub async fn tasks(
        &self,
        job: &str,
        query: &Query<'_>,
        enough: usize,
    ) -> Result<Listed<ServiceTask>, Fault> {
        self.list(&of(job, "/tasks"), query, enough).await
    }

    /// Returns a task (Task - Get).
    pub async fn task(&self, job: &str, task: &str) -> Result<ServiceTask, Fault> {
        self.get(&of(job, &format!("/tasks/{}", encode(task)))).await
    }

    /// Makes a task (Task - Add); the keys are the service's own.
    pub async fn add_task(&self, job: &str, task: &Map<String, Value>) -> Result<(), Fault> {
        self.post(&of(job, "/tasks"), Some(task), None).await.map(drop)
    }
}

fn of(id: &str, rest: &str) -> String {
    format!("/jobs/{}{rest}", encode(id))
}
