//! Requests to tasks: add, add many, update, terminate, reactivate, delete.

use serde_json::{Map, Value, json};

use super::Desk;
use super::body::{Body, checked_id};
use super::job::JobState;
use super::job_requests::job_is_over;
use super::refs::TaskRef;
use super::refuse;
use super::task::{Course, DependsOn, Task, TaskState, read_course};
use crate::base::Span;
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;
use crate::emulator::body;

/// Task - Add collection: at most 100 tasks, and about a megabyte.
const COLLECTION_MAX: usize = 100;
const COLLECTION_BYTES_MAX: usize = 1 << 20;

impl Desk {
    /// Returns a task of a job by its id, in any case.
    pub(super) fn find_task(&self, job: u32, id: &str) -> Result<TaskRef, Refused> {
        let found = self.jobs[&job].find(id);
        let task = found.ok_or_else(|| refuse::not_found("TaskNotFound"))?;
        Ok(TaskRef { job, task })
    }

    pub(super) fn task(&self, task: TaskRef) -> &Task {
        &self.jobs[&task.job].tasks[&task.task]
    }

    /// Returns a task that is to be written to, if the request's condition holds.
    pub(super) fn find_task_to_write(&self, job: u32, id: &str, asked: &Asked) -> Result<TaskRef, Refused> {
        let found = self.find_task(job, id)?;
        let task = self.task(found);
        asked.meets(&task.etag(), task.modified)?;
        Ok(found)
    }

    fn check_open(&self, job: u32) -> Result<(), Refused> {
        match self.jobs[&job].state {
            JobState::Terminating | JobState::Completed | JobState::Deleting => {
                Err(job_is_over(&self.jobs[&job]))
            }
            _ => Ok(()),
        }
    }

    /// Task - Add.
    pub(super) fn add_task(&mut self, job: u32, bytes: &[u8]) -> Result<Answer, Refused> {
        self.check_open(job)?;
        let task = self.make_task(job, Body::read(bytes)?)?;
        let path = self.task_path(task);
        let task = self.task(task);
        Ok(Answer::created(path).version(task.etag(), task.modified))
    }

    fn task_path(&self, task: TaskRef) -> String {
        format!("/jobs/{}/tasks/{}", self.jobs[&task.job].id, self.task(task).id)
    }

    /// Makes a task of what is given; it waits from now on.
    fn make_task(&mut self, job: u32, mut body: Body) -> Result<TaskRef, Refused> {
        let given = Value::Object(body.0.clone());
        let id = checked_id(body.text("id")?)?;
        let command = body.text("commandLine")?;
        if command.is_none() && !body.0.contains_key("containerSettings") {
            return Err(refuse::missing("commandLine"));
        }
        let slots = body.integer("requiredSlots", 1, 256)?.unwrap_or(1);
        let (limit, retries_max) = constraints(&mut body, self.jobs[&job].retries_max)?;
        let depends_on = depends_on(&mut body)?;
        if depends_on.is_some() && !self.jobs[&job].uses_dependencies {
            return Err(Refused::new(
                400,
                "TaskDependenciesNotSpecifiedOnJob",
                "The specified job does not use task dependencies.",
            ));
        }
        if self.jobs[&job].find(&id).is_some() {
            return Err(refuse::conflict(
                "TaskExists",
                "The specified task already exists.",
            ));
        }
        let course = self.course(command.as_deref().unwrap_or(""), &settings(&body.0));
        let task = Task {
            slots: slots as u32,
            limit,
            retries_max,
            depends_on: depends_on.map(Box::new),
            ..Task::new(id.as_str(), kept(given), course, self.now)
        };
        Ok(self.enqueue(job, task))
    }

    /// Puts a new task into the queue of its job.
    pub(super) fn enqueue(&mut self, number: u32, task: Task) -> TaskRef {
        let job = self.job_mut(number);
        let place = job.next_task;
        job.next_task += 1;
        job.names.insert(task.id.to_ascii_lowercase().into(), place);
        job.tasks.insert(place, task);
        job.count(place, true);
        let task = TaskRef {
            job: number,
            task: place,
        };
        self.queue(task);
        task
    }

    /// Lets an active task wait for what it depends on, or for room; one that fits no node of its pool waits for neither.
    fn queue(&mut self, task: TaskRef) {
        let per_node = self.slots_per_node(task.job);
        let job = self.job_mut(task.job);
        let found = &job.tasks[&task.task];
        let fits = per_node.is_none_or(|per_node| found.slots <= per_node);
        if !job.is_free(found) {
            job.blocked.insert(task.task);
        } else if fits {
            job.waiting.insert(task.task);
        }
        self.retally(task.job);
    }

    /// Says how a task runs.
    fn course(&mut self, command: &str, settings: &[(String, String)]) -> Course {
        if self.setup.run_commands {
            return Course::Command;
        }
        let (run, exit_code) = read_course(command, settings);
        let usual = self.setup.run_time;
        let run = run.unwrap_or_else(|| self.chance.time(usual));
        Course::Lasts { run, exit_code }
    }

    /// Task - Add collection: each task is taken or refused by itself.
    pub(super) fn add_tasks(&mut self, job: u32, bytes: &[u8], base: &str) -> Result<Answer, Refused> {
        if bytes.len() > COLLECTION_BYTES_MAX {
            return Err(body::too_large());
        }
        let mut body = Body::read(bytes)?;
        let list = body.list("value")?.ok_or_else(|| refuse::missing("value"))?;
        if list.len() > COLLECTION_MAX {
            return Err(body::too_large());
        }
        self.check_open(job)?;
        let mut results = Vec::with_capacity(list.len());
        for item in list {
            let id = item.get("id").cloned().unwrap_or(Value::Null);
            let made = match item {
                Value::Object(map) => self.make_task(job, Body(map)),
                _ => Err(refuse::body("a task is not a JSON object")),
            };
            results.push(match made {
                Ok(task) => {
                    let location = format!("{base}{}", self.task_path(task));
                    let task = self.task(task);
                    json!({
                        "status": "Success", "taskId": &*task.id, "eTag": task.etag(),
                        "lastModified": task.modified, "location": location,
                    })
                }
                Err(refused) => json!({ "status": "clienterror", "taskId": id, "error": error(&refused) }),
            });
        }
        Ok(Answer::read(json!({ "value": results }), "taskaddresult"))
    }

    /// Task - Update: its constraints.
    pub(super) fn update_task(&mut self, task: TaskRef, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        if self.task(task).state == TaskState::Completed {
            return Err(completed());
        }
        let told = body.0.get("constraints").cloned();
        let (limit, retries_max) = constraints(&mut body, self.jobs[&task.job].retries_max)?;
        let now = self.now;
        self.recount(task, |task| {
            task.limit = limit;
            task.retries_max = retries_max;
            if let Ok(Value::Object(mut given)) = serde_json::from_str(&task.given) {
                match told {
                    Some(told) => given.insert("constraints".to_owned(), told),
                    None => given.remove("constraints"),
                };
                task.given = Value::Object(given).to_string().into();
            }
            task.touch(now);
        });
        let task = self.task(task);
        Ok(Answer::empty(200).version(task.etag(), task.modified))
    }

    /// Task - Terminate.
    pub(super) fn terminate(&mut self, task: TaskRef) -> Result<(), Refused> {
        if self.task(task).state == TaskState::Completed {
            return Err(completed());
        }
        let now = self.now;
        self.terminate_task(task);
        if let Some(task) = self.job_mut(task.job).tasks.get_mut(&task.task) {
            task.touch(now);
        }
        Ok(())
    }

    /// Task - Reactivate: a task that failed waits again, with its retries anew.
    pub(super) fn reactivate(&mut self, task: TaskRef) -> Result<(), Refused> {
        self.check_open(task.job)?;
        let found = self.task(task);
        if found.state != TaskState::Completed {
            return Err(refuse::conflict(
                "TaskNotCompleted",
                "The specified task is not in a completed state.",
            ));
        }
        if found.succeeded() {
            return Err(refuse::conflict(
                "TaskSucceeded",
                "The specified task has completed successfully.",
            ));
        }
        let now = self.now;
        self.recount(task, |task| {
            task.turn(TaskState::Active, now);
            (task.retries, task.requeues) = (0, 0);
            (task.started, task.ended) = (None, None);
            (task.exit_code, task.failure) = (None, None);
            task.touch(now);
        });
        self.queue(task);
        Ok(())
    }
}

fn completed() -> Refused {
    refuse::conflict(
        "TaskCompleted",
        "The specified task is already in a completed state.",
    )
}

/// Returns what is kept of a request: what is told of a task from its own fields is left out.
fn kept(mut given: Value) -> String {
    if let Some(map) = given.as_object_mut() {
        map.retain(|name, value| !value.is_null() && name != "id" && name != "requiredSlots");
    }
    given.to_string()
}

/// Reads `constraints`: the longest run, and how often a failed one is tried again.
fn constraints(body: &mut Body, usual: i32) -> Result<(Option<Span>, i32), Refused> {
    let Some(mut constraints) = body.object("constraints")? else {
        return Ok((None, usual));
    };
    let limit = constraints.span("maxWallClockTime")?;
    let retries = constraints.integer("maxTaskRetryCount", -1, i64::from(i32::MAX))?;
    // Clients write "unlimited" as the longest time there is.
    let limit = limit.filter(|limit| *limit < UNLIMITED);
    Ok((limit, retries.map_or(usual, |retries| retries as i32)))
}

/// `P10675199DT2H48M5.4775807S` stands for no limit; 100 years are none either.
const UNLIMITED: Span = Span::days(36_525);

/// Reads `environmentSettings` as pairs.
pub(super) fn settings(given: &Map<String, Value>) -> Vec<(String, String)> {
    let list = given.get("environmentSettings").and_then(Value::as_array);
    let text = |pair: &Value, name: &str| Some(pair.get(name)?.as_str()?.to_owned());
    list.into_iter()
        .flatten()
        .filter_map(|pair| Some((text(pair, "name")?, text(pair, "value")?)))
        .collect()
}

/// Reads `dependsOn`.
fn depends_on(body: &mut Body) -> Result<Option<DependsOn>, Refused> {
    let Some(mut given) = body.object("dependsOn")? else {
        return Ok(None);
    };
    let mut depends_on = DependsOn::default();
    for id in given.list("taskIds")?.unwrap_or_default() {
        let id = id
            .as_str()
            .ok_or_else(|| refuse::value("taskIds", &id.to_string(), "it is not a text"))?;
        depends_on.ids.push(id.to_ascii_lowercase());
    }
    for range in given.list("taskIdRanges")?.unwrap_or_default() {
        let mut range = Body(range.as_object().cloned().unwrap_or_default());
        let most = i64::from(i32::MAX);
        let (start, end) = (range.integer("start", 0, most)?, range.integer("end", 0, most)?);
        let (Some(start), Some(end)) = (start, end) else {
            return Err(refuse::missing("taskIdRanges"));
        };
        if end - start > RANGE_MAX {
            return Err(refuse::value(
                "taskIdRanges",
                &format!("{start} to {end}"),
                "a range may hold 100000 tasks here",
            ));
        }
        depends_on.ranges.push((start as u32, end as u32));
    }
    let is_empty = depends_on.ids.is_empty() && depends_on.ranges.is_empty();
    Ok((!is_empty).then_some(depends_on))
}

/// A range is looked through whenever a task ends, so it must not be the whole of the whole numbers.
const RANGE_MAX: i64 = 100_000;

/// Returns a refusal as the error of one item.
fn error(refused: &Refused) -> Value {
    let values = refused.values.iter();
    let values: Vec<Value> = values
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    json!({
        "code": refused.code,
        "message": { "lang": "en-US", "value": refused.message },
        "values": values,
    })
}
