//! Requests to jobs: add, update, patch, disable, enable, terminate, delete.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Map;

use super::Desk;
use super::body::{Body, checked_id};
use super::job::{Counts, Job, JobState};
use super::refs::{Event, TaskRef};
use super::refuse;
use super::task::TaskState;
use crate::base::Span;
use crate::emulator::answer::{Answer, Refused};
use crate::emulator::asked::Asked;

/// Properties of a job that are kept as they were given and only told again.
const TOLD_AGAIN: &[&str] = &[
    "displayName",
    "allowTaskPreemption",
    "constraints",
    "jobManagerTask",
    "jobPreparationTask",
    "jobReleaseTask",
    "commonEnvironmentSettings",
    "poolInfo",
    "onTaskFailure",
    "networkConfiguration",
    "metadata",
];

/// What a job runs by, as far as it was given.
#[derive(Debug, Default)]
struct Rules {
    priority: Option<i32>,
    parallel_max: Option<i32>,
    ends_with_tasks: Option<bool>,
    uses_dependencies: Option<bool>,
    retries_max: Option<i32>,
    pool_id: Option<String>,
}

impl Rules {
    fn read(body: &mut Body) -> Result<Self, Refused> {
        let most = i64::from(i32::MAX);
        let on_all = body.word("onAllTasksComplete", &["noaction", "terminatejob"])?;
        let mut rules = Self {
            priority: body.integer("priority", -1000, 1000)?.map(|number| number as i32),
            parallel_max: body
                .integer("maxParallelTasks", -1, most)?
                .map(|number| number as i32),
            ends_with_tasks: on_all.map(|word| word == "terminatejob"),
            uses_dependencies: body.truth("usesTaskDependencies")?,
            ..Self::default()
        };
        // What is looked at here is told again too, so it is read from copies.
        let copy = |name: &str| {
            let found = body.0.get(name).and_then(|value| value.as_object());
            found.map(|map| Body(map.clone()))
        };
        if let Some(mut constraints) = copy("constraints") {
            let retries = constraints.integer("maxTaskRetryCount", -1, most)?;
            rules.retries_max = retries.map(|number| number as i32);
        }
        if let Some(mut pool) = copy("poolInfo") {
            rules.pool_id = pool.text("poolId")?;
            if rules.pool_id.is_none() && pool.take("autoPoolSpecification").is_some() {
                return Err(Refused::new(
                    400,
                    "UnsupportedProperty",
                    "One of the properties specified in the request body is not supported.",
                )
                .with("PropertyName", "autoPoolSpecification")
                .with(
                    "Reason",
                    "this account has no auto pools; make a pool and give its id",
                ));
            }
        }
        Ok(rules)
    }

    fn apply(&self, job: &mut Job) {
        job.priority = self.priority.unwrap_or(job.priority);
        job.parallel_max = self.parallel_max.unwrap_or(job.parallel_max);
        job.ends_with_tasks = self.ends_with_tasks.unwrap_or(job.ends_with_tasks);
        job.retries_max = self.retries_max.unwrap_or(job.retries_max);
    }
}

impl Desk {
    /// Returns a job by its id, in any case.
    pub(super) fn find_job(&self, id: &str) -> Result<u32, Refused> {
        self.job_names
            .get(&id.to_ascii_lowercase())
            .copied()
            .ok_or_else(|| refuse::not_found("JobNotFound"))
    }

    /// Returns a job that is to be written to: it is not being deleted, and the request's condition holds.
    pub(super) fn find_job_to_write(&self, id: &str, asked: &Asked) -> Result<u32, Refused> {
        let number = self.find_job(id)?;
        let job = &self.jobs[&number];
        if job.state == JobState::Deleting {
            return Err(job_is_over(job));
        }
        asked.meets(&job.etag(), job.modified)?;
        Ok(number)
    }

    /// Job - Add. The pool need not be there yet, as with the service.
    pub(super) fn add_job(&mut self, bytes: &[u8]) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        let id = checked_id(body.text("id")?)?;
        self.make_job(&id, &mut body)?;
        let job = &self.jobs[&self.find_job(&id)?];
        Ok(Answer::created(format!("/jobs/{id}")).version(job.etag(), job.modified))
    }

    /// Makes a job of what is given.
    pub(super) fn make_job(&mut self, id: &str, body: &mut Body) -> Result<u32, Refused> {
        let rules = Rules::read(body)?;
        let Some(pool_id) = rules.pool_id.clone() else {
            return Err(refuse::missing("poolInfo"));
        };
        if self.job_names.contains_key(&id.to_ascii_lowercase()) {
            return Err(refuse::conflict("JobExists", "The specified job already exists."));
        }
        let active = self.jobs.values().filter(|job| job.state.is_active());
        if active.count() as u64 >= u64::from(self.setup.account.jobs_max) {
            return Err(refuse::conflict(
                "ActiveJobAndScheduleQuotaReached",
                "The active job and job schedule quota for the account has been reached.",
            ));
        }
        let (number, now) = (self.number(), self.now);
        let mut job = Job {
            number,
            id: id.into(),
            given: Map::new(),
            pool_id,
            priority: 0,
            parallel_max: -1,
            ends_with_tasks: false,
            uses_dependencies: rules.uses_dependencies.unwrap_or(false),
            retries_max: 0,
            created: now,
            modified: now,
            state: JobState::Active,
            state_since: now,
            before: None,
            version: 0,
            ended: None,
            end_reason: None,
            tasks: BTreeMap::new(),
            names: BTreeMap::new(),
            next_task: 0,
            waiting: BTreeSet::new(),
            blocked: BTreeSet::new(),
            counts: Counts::default(),
            slots: Counts::default(),
            told: [0; 4],
        };
        rules.apply(&mut job);
        job.given.extend(body.told_again(TOLD_AGAIN));
        self.job_names.insert(id.to_ascii_lowercase(), number);
        self.jobs.insert(number, job);
        if let Some(pool) = self.pool_of(number) {
            self.bind(number, pool);
        }
        Ok(number)
    }

    /// Job - Patch, and Job - Update, which also takes away what is not given.
    pub(super) fn change_job(
        &mut self,
        number: u32,
        bytes: &[u8],
        replaces: bool,
    ) -> Result<Answer, Refused> {
        let mut body = Body::read(bytes)?;
        let rules = Rules::read(&mut body)?;
        let old_pool = self.pool_of(number);
        let now = self.now;
        let moves = rules
            .pool_id
            .as_ref()
            .is_some_and(|id| !id.eq_ignore_ascii_case(&self.jobs[&number].pool_id));
        if moves && self.jobs[&number].state != JobState::Disabled {
            return Err(refuse::state(
                "the pool of a job can be changed while the job is disabled",
            ));
        }
        if let Some(pool) = old_pool {
            self.unbind(number, pool);
        }
        let job = self.job_mut(number);
        if replaces {
            (job.priority, job.parallel_max, job.retries_max) = (0, -1, 0);
            job.ends_with_tasks = false;
            job.given
                .retain(|name, _| name == "poolInfo" || name == "displayName");
        }
        rules.apply(job);
        if let Some(id) = rules.pool_id {
            job.pool_id = id;
        }
        job.given.extend(body.told_again(TOLD_AGAIN));
        job.touch(now);
        if let Some(pool) = self.pool_of(number) {
            self.bind(number, pool);
        }
        self.end_job_with_tasks(number);
        let job = &self.jobs[&number];
        Ok(Answer::empty(200).version(job.etag(), job.modified))
    }

    /// Takes a job out of the queue of its pool.
    fn unbind(&mut self, number: u32, pool: u32) {
        let job = self.job_mut(number);
        let key = (-job.priority, number);
        let told = std::mem::take(&mut job.told);
        let pool = self.pool_mut(pool);
        pool.jobs.remove(&key);
        let tally = &mut pool.tasks;
        tally.active = tally.active.saturating_sub(told[0]);
        tally.running = tally.running.saturating_sub(told[1]);
        tally.succeeded = tally.succeeded.saturating_sub(told[2]);
        tally.failed = tally.failed.saturating_sub(told[3]);
    }

    fn turn_later(&mut self, number: u32) {
        let spread = self.setup.timing.job;
        let job = &self.jobs[&number];
        let version = job.version;
        // A job that waits for its tasks is looked at again, and never at the same moment.
        let waits = job.state == JobState::Disabling && job.counts.running > 0;
        let least = if waits { Span::seconds(1) } else { Span::ZERO };
        let time = self.chance.between(spread.least, spread.most).max(least);
        self.agenda
            .note(self.now + time, Event::JobTurned { job: number, version });
        if let Some(pool) = self.pool_of(number) {
            self.stir(pool);
        }
    }

    /// Job - Disable: running tasks go back, end, or run on (`disableTasks`).
    pub(super) fn disable_job(&mut self, number: u32, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let word = body.word("disableTasks", &["requeue", "terminate", "wait"])?;
        let word = word.ok_or_else(|| refuse::missing("disableTasks"))?;
        match self.jobs[&number].state {
            JobState::Active | JobState::Enabling => {}
            JobState::Disabling | JobState::Disabled => {
                return Err(refuse::conflict("JobDisabled", "The specified job is disabled."));
            }
            _ => return Err(job_is_over(&self.jobs[&number])),
        }
        let now = self.now;
        self.job_mut(number).turn(JobState::Disabling, now);
        for task in self.running_of(number) {
            match word {
                "requeue" => self.requeue_by_user(task),
                "terminate" => self.terminate_task(task),
                _ => {}
            }
        }
        self.turn_later(number);
        Ok(())
    }

    /// Puts a task back, and lets its node go on.
    pub(super) fn requeue_by_user(&mut self, task: TaskRef) {
        let node = self.requeue(task);
        if let Some(node) = node {
            self.node_emptied(node);
        }
    }

    fn running_of(&self, number: u32) -> Vec<TaskRef> {
        let tasks = self.jobs[&number].tasks.iter();
        tasks
            .filter(|(_, task)| task.state == TaskState::Running)
            .map(|(task, _)| TaskRef {
                job: number,
                task: *task,
            })
            .collect()
    }

    /// Job - Enable.
    pub(super) fn enable_job(&mut self, number: u32) -> Result<(), Refused> {
        match self.jobs[&number].state {
            JobState::Active | JobState::Enabling => return Ok(()),
            JobState::Disabling | JobState::Disabled => {}
            _ => return Err(job_is_over(&self.jobs[&number])),
        }
        let now = self.now;
        self.job_mut(number).turn(JobState::Enabling, now);
        self.turn_later(number);
        Ok(())
    }

    /// Job - Terminate: every task that has not ended is ended.
    pub(super) fn terminate_job(&mut self, number: u32, bytes: &[u8]) -> Result<(), Refused> {
        let mut body = Body::read(bytes)?;
        let reason = body.text("terminateReason")?;
        if matches!(
            self.jobs[&number].state,
            JobState::Terminating | JobState::Completed
        ) {
            return Err(job_is_over(&self.jobs[&number]));
        }
        self.begin_end_of_job(number, reason.unwrap_or_else(|| "UserTerminate".to_owned()));
        Ok(())
    }

    fn begin_end_of_job(&mut self, number: u32, reason: String) {
        let now = self.now;
        let job = self.job_mut(number);
        job.end_reason = Some(reason);
        job.turn(JobState::Terminating, now);
        let unfinished: Vec<TaskRef> = job
            .tasks
            .iter()
            .filter(|(_, task)| task.state != TaskState::Completed)
            .map(|(task, _)| TaskRef {
                job: number,
                task: *task,
            })
            .collect();
        for task in unfinished {
            self.terminate_task(task);
        }
        self.turn_later(number);
    }

    /// Job - Delete.
    pub(super) fn delete_job(&mut self, number: u32) {
        let now = self.now;
        self.job_mut(number).turn(JobState::Deleting, now);
        for task in self.running_of(number) {
            self.terminate_task(task);
        }
        self.turn_later(number);
    }

    /// Ends a job whose tasks have all ended, if it was to end so (`onAllTasksComplete`).
    pub(super) fn end_job_with_tasks(&mut self, number: u32) {
        let job = &self.jobs[&number];
        let is_done = job.counts.active == 0 && job.counts.running == 0;
        if job.ends_with_tasks && is_done && !job.tasks.is_empty() && job.state == JobState::Active {
            self.begin_end_of_job(number, "AllTasksComplete".to_owned());
        }
    }

    /// Lets a job be what it was to become.
    pub(super) fn job_turned(&mut self, number: u32, version: u32) {
        let now = self.now;
        let pool = self.pool_of(number);
        let Some(job) = self.jobs.get_mut(&number).filter(|job| job.version == version) else {
            return;
        };
        match job.state {
            JobState::Disabling if job.counts.running > 0 => {
                // Tasks that may run on keep it disabling.
                self.turn_later(number);
                return;
            }
            JobState::Disabling => job.turn(JobState::Disabled, now),
            JobState::Enabling => job.turn(JobState::Active, now),
            JobState::Terminating => {
                job.turn(JobState::Completed, now);
                job.ended = Some(now);
            }
            JobState::Deleting => {
                self.forget_job(number);
                return;
            }
            JobState::Active | JobState::Disabled | JobState::Completed => {}
        }
        if let Some(pool) = pool {
            self.stir(pool);
        }
    }

    fn forget_job(&mut self, number: u32) {
        if let Some(pool) = self.pool_of(number) {
            self.unbind(number, pool);
        }
        if let Some(job) = self.jobs.remove(&number) {
            self.job_names.remove(&job.id.to_ascii_lowercase());
        }
    }
}

/// Returns why a job that is ending, or has ended, cannot be changed.
pub(super) fn job_is_over(job: &Job) -> Refused {
    match job.state {
        JobState::Terminating => {
            refuse::conflict("JobBeingTerminated", "The specified job is being terminated.")
        }
        JobState::Deleting => refuse::conflict("JobBeingDeleted", "The specified job is being deleted."),
        _ => refuse::conflict(
            "JobCompleted",
            "The specified job is already in a completed state.",
        ),
    }
}
