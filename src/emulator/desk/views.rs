//! Pools, nodes, jobs and tasks as the service writes them, and the requests that read them.

mod job;
mod node;
mod pool;
mod task;

use serde_json::{Map, Value, json};

use super::Desk;
use super::pool::Pool;
use crate::base::{Span, Timestamp};
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;
use crate::emulator::odata::{JOBS, List, NODE_COUNTS, NODES, POOLS, TASKS, USAGE};
use crate::formula::AutoScaleRun;

/// Puts a value into an object, when there is one.
fn put(map: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        map.insert(name.to_owned(), value.into());
    }
}

fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}

fn duration(span: Span) -> Value {
    Value::String(span.to_string())
}

/// Writes the record of a formula's run.
pub(super) fn auto_scale_run(run: &AutoScaleRun) -> Value {
    let mut value = json!({ "timestamp": run.timestamp, "results": run.results });
    if let Some(error) = &run.error {
        value["error"] = json!(error);
    }
    value
}

/// Cuts an entity down to what was asked for.
fn selected(list: &List, value: Value) -> Value {
    match &list.select {
        Some(select) => select.cut(value),
        None => value,
    }
}

impl Desk {
    /// Pool - List.
    pub(super) fn list_pools(&self, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &POOLS)?;
        let pools = self
            .pool_names
            .iter()
            .map(|(key, number)| (key, self.pool(*number)));
        Ok(list.page(
            pools,
            |(key, _)| (*key).clone(),
            |(_, pool)| pool::view(pool, &asked.base),
        ))
    }

    /// Pool - Get.
    pub(super) fn get_pool(&self, id: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &POOLS)?;
        let pool = self.pool(self.find_pool(id)?);
        let etag = pool.etag();
        asked.meets(&etag, pool.modified)?;
        let view = selected(&list, pool::view(pool, &asked.base));
        Ok(Answer::read(view, "pools/@Element").version(etag, pool.modified))
    }

    /// Account - List pool node counts.
    pub(super) fn list_node_counts(&self, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &NODE_COUNTS)?;
        let pools = self
            .pool_names
            .iter()
            .map(|(key, number)| (key, self.pool(*number)));
        Ok(list.page(pools, |(key, _)| (*key).clone(), |(_, pool)| pool::counts(pool)))
    }

    /// Node - List.
    pub(super) fn list_nodes(&self, id: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &NODES)?;
        let pool = self.pool(self.find_pool(id)?);
        let mut nodes: Vec<_> = pool.present().map(|(_, node)| node).collect();
        nodes.sort_unstable_by(|one, other| one.id.cmp(&other.id));
        Ok(list.page(
            nodes,
            |node| node.id.to_string(),
            |node| self.node_view(pool, node, &asked.base),
        ))
    }

    /// Node - Get.
    pub(super) fn get_node(&self, id: &str, node: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &NODES)?;
        let pool = self.pool(self.find_pool(id)?);
        let node = self.node(self.find_node(pool.number, node)?);
        let view = selected(&list, self.node_view(pool, node, &asked.base));
        Ok(Answer::read(view, "nodes/@Element"))
    }

    /// Job - List.
    pub(super) fn list_jobs(&self, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &JOBS)?;
        let jobs = self
            .job_names
            .iter()
            .map(|(key, number)| (key, &self.jobs[number]));
        Ok(list.page_by(
            jobs,
            |(key, _)| (*key).clone(),
            |(_, job)| job::view(job, &asked.base),
            |(_, job), path| job::look(job, path),
        ))
    }

    /// Job - Get.
    pub(super) fn get_job(&self, id: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &JOBS)?;
        let job = &self.jobs[&self.find_job(id)?];
        let etag = job.etag();
        asked.meets(&etag, job.modified)?;
        let view = selected(&list, job::view(job, &asked.base));
        Ok(Answer::read(view, "jobs/@Element").version(etag, job.modified))
    }

    /// Job - Get task counts.
    pub(super) fn task_counts(&self, id: &str) -> Result<Answer, Refused> {
        let job = &self.jobs[&self.find_job(id)?];
        Ok(Answer::read(job::counts(job), "taskcountsresult/@Element"))
    }

    /// Task - List.
    pub(super) fn list_tasks(&self, id: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &TASKS)?;
        let job = &self.jobs[&self.find_job(id)?];
        // Earlier pages are passed over without a look at them.
        let names = match list.after() {
            Some(after) => job
                .names
                .range::<str, _>((std::ops::Bound::Excluded(after), std::ops::Bound::Unbounded)),
            None => job.names.range::<str, _>(..),
        };
        let tasks = names.map(|(key, number)| (key, &job.tasks[number]));
        Ok(list.page_by(
            tasks,
            |(key, _)| key.to_string(),
            |(_, task)| task::view(job, task, &asked.base),
            |(_, task), path| task::look(task, path),
        ))
    }

    /// Task - Get.
    pub(super) fn get_task(&self, job: u32, id: &str, asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &TASKS)?;
        let task = self.task(self.find_task(job, id)?);
        let etag = task.etag();
        asked.meets(&etag, task.modified)?;
        let view = selected(&list, task::view(&self.jobs[&job], task, &asked.base));
        Ok(Answer::read(view, "tasks/@Element").version(etag, task.modified))
    }

    /// Pool - List usage metrics: none, for they come hours late and nothing here is billed.
    pub(super) fn list_usage(asked: &Asked) -> Result<Answer, Refused> {
        let list = List::of(asked, &USAGE)?;
        let none: [&Pool; 0] = [];
        Ok(list.page(none, |pool| pool.id.to_string(), |_| Value::Null))
    }
}
