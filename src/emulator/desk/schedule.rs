//! Which task runs next and where, and what becomes of it when its run ends or its node goes.
//!
//! Jobs come by priority and then by age, tasks of a job in the order in which they were added; one that went back keeps
//! its place. The head of the queue is never overtaken, so that a task of many slots cannot starve; a task that needs more
//! slots than a node has stays active for ever and blocks nobody (Azure/Batch#117).

use super::Desk;
use super::job::{Job, JobState};
use super::node::AfterTasks;
use super::refs::{Event, NodeRef, TaskRef};
use super::task::{Course, Failure, TaskState};
use crate::base::Timestamp;

/// What ended the run of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its command ended with an exit code.
    Exited(i32),
    /// It ran longer than it may.
    TimedOut,
    /// Somebody ended it.
    Terminated,
    /// Its command could not be run at all.
    NotRun(String),
}

impl Desk {
    /// Starts waiting tasks of a pool for as long as the head of its queue finds room.
    pub(super) fn dispatch(&mut self, number: u32) {
        loop {
            let Some(pool) = self.pools.get(&number) else {
                return;
            };
            let head = pool.jobs.iter().find_map(|(_, job)| {
                let job = self.jobs.get(job)?;
                let task = job.waiting.first().filter(|_| job.may_run_more())?;
                Some((job.number, *task, job.tasks[task].slots))
            });
            let Some((job, task, slots)) = head else {
                return;
            };
            let Some(index) = pool.room_for(slots) else {
                return;
            };
            self.start(NodeRef { pool: number, index }, TaskRef { job, task }, slots);
        }
    }

    fn start(&mut self, node: NodeRef, task: TaskRef, slots: u32) {
        let now = self.now;
        self.pool_mut(node.pool).seat(node.index, task, slots, now);
        let id = self.node(node).id.clone();
        self.recount(task, |task| {
            task.turn(TaskState::Running, now);
            task.run += 1;
            task.started = Some(now);
            task.ended = None;
            task.exit_code = None;
            task.node = Some((node.index, id));
        });
        let job = self.job_mut(task.job);
        job.waiting.remove(&task.task);
        let started = &job.tasks[&task.task];
        let run = started.run;
        match started.course {
            Course::Lasts { run: lasts, .. } => {
                let lasts = started.limit.map_or(lasts, |limit| limit.min(lasts));
                self.agenda.note(now + lasts, Event::Ended { task, run });
            }
            Course::Command => {
                if let Some(limit) = started.limit {
                    self.agenda.note(now + limit, Event::Ended { task, run });
                }
                self.commands.started.push((task, run));
            }
        }
    }

    /// Changes a task, keeping the counts of its job and pool in step.
    pub(super) fn recount(&mut self, task: TaskRef, how: impl FnOnce(&mut super::task::Task)) {
        let job = self.job_mut(task.job);
        job.count(task.task, false);
        how(job.tasks.get_mut(&task.task).expect("the task is there"));
        job.count(task.task, true);
        self.retally(task.job);
    }

    /// Tells a job's pool what its tasks count for now.
    pub(super) fn retally(&mut self, number: u32) {
        let Some(pool) = self.pool_of(number) else {
            return;
        };
        let job = self.job_mut(number);
        let after = pool_counts(job);
        let before = std::mem::replace(&mut job.told, after);
        let tally = &mut self.pool_mut(pool).tasks;
        for (count, place) in [
            (&mut tally.active, 0),
            (&mut tally.running, 1),
            (&mut tally.succeeded, 2),
            (&mut tally.failed, 3),
        ] {
            *count = (*count + after[place]).saturating_sub(before[place]);
        }
    }

    /// Returns the pool that a job runs in, when it is there.
    pub(super) fn pool_of(&self, job: u32) -> Option<u32> {
        let job = self.jobs.get(&job)?;
        self.pool_names.get(&job.pool_id.to_ascii_lowercase()).copied()
    }

    /// Ends the run of a task that has lasted as long as it was to, or as it may.
    pub(super) fn run_over(&mut self, task: TaskRef, run: u32) {
        let Some(found) = self.jobs.get(&task.job).and_then(|job| job.tasks.get(&task.task)) else {
            return;
        };
        if found.run != run || found.state != TaskState::Running {
            return;
        }
        let end = match (found.course, found.limit) {
            (Course::Lasts { run, exit_code }, limit) if limit.is_none_or(|limit| run <= limit) => {
                End::Exited(exit_code)
            }
            _ => End::TimedOut,
        };
        self.end_run(task, &end);
    }

    /// Ends the run of a task: it is done, or tried again while it may be.
    pub(super) fn end_run(&mut self, task: TaskRef, end: &End) {
        let now = self.now;
        let node = self.leave_node(task);
        let job = self.job_mut(task.job);
        let found = &job.tasks[&task.task];
        let may_retry = found.retries_max < 0 || found.retries < found.retries_max.unsigned_abs();
        let failed = !matches!(end, End::Exited(0));
        let again = failed && may_retry && matches!(end, End::Exited(_)) && job.state == JobState::Active;
        if again {
            self.recount(task, |task| {
                task.retries += 1;
                task.last_retry = Some(now);
                task.turn(TaskState::Active, now);
            });
            self.job_mut(task.job).waiting.insert(task.task);
        } else {
            self.complete(task, end, now);
        }
        if let Some(node) = node {
            if !failed {
                let pool = self.pool_mut(node.pool);
                pool.nodes[node.index as usize].n_succeeded += 1;
            }
            self.node_emptied(node);
            self.stir(node.pool);
        }
    }

    fn complete(&mut self, task: TaskRef, end: &End, now: Timestamp) {
        let failure = failure_of(end);
        let exit_code = match end {
            End::Exited(code) => Some(*code),
            End::TimedOut | End::Terminated | End::NotRun(_) => None,
        };
        let job = self.job_mut(task.job);
        job.waiting.remove(&task.task);
        job.blocked.remove(&task.task);
        let may_free = matches!(end, End::Exited(0)) && !job.blocked.is_empty();
        self.recount(task, |task| {
            task.turn(TaskState::Completed, now);
            task.started.get_or_insert(now);
            task.ended = Some(now);
            task.exit_code = exit_code;
            task.failure = failure.map(Box::new);
        });
        if may_free {
            self.unblock(task.job);
        }
        self.end_job_with_tasks(task.job);
    }

    /// Lets tasks wait whose dependencies have succeeded.
    fn unblock(&mut self, job: u32) {
        let free: Vec<u32> = {
            let job = &self.jobs[&job];
            let blocked = job.blocked.iter().copied();
            blocked.filter(|number| job.is_free(&job.tasks[number])).collect()
        };
        let per_node = self.slots_per_node(job);
        let found = self.job_mut(job);
        for number in free {
            found.blocked.remove(&number);
            if per_node.is_none_or(|per_node| found.tasks[&number].slots <= per_node) {
                found.waiting.insert(number);
            }
        }
        self.retally(job);
    }

    /// Takes a running task off its node, and returns the node.
    fn leave_node(&mut self, task: TaskRef) -> Option<NodeRef> {
        let job = self.jobs.get(&task.job)?;
        let found = job.tasks.get(&task.task)?;
        let index = match (&found.node, found.state) {
            (Some((index, _)), TaskState::Running) => *index,
            _ => return None,
        };
        if found.course == Course::Command {
            self.commands.stopped.push((task, found.run));
        }
        let slots = found.slots;
        let pool = self.pool_of(task.job)?;
        let now = self.now;
        self.pool_mut(pool).unseat(index, task, slots, now);
        Some(NodeRef { pool, index })
    }

    /// Takes every task off a node: they go back to the queue, or end for good.
    pub(super) fn clear_node(&mut self, number: u32, index: u32, terminate: bool) {
        for task in self.pool(number).nodes[index as usize].tasks.clone() {
            if terminate {
                self.leave_node(task);
                self.complete(task, &End::Terminated, self.now);
            } else {
                self.requeue(task);
            }
        }
        self.stir(number);
    }

    /// Puts a running task back at its place in the queue, and returns the node that it was on.
    pub(super) fn requeue(&mut self, task: TaskRef) -> Option<NodeRef> {
        let now = self.now;
        let node = self.leave_node(task);
        self.recount(task, |task| {
            task.requeues += 1;
            task.last_requeue = Some(now);
            task.turn(TaskState::Active, now);
        });
        self.job_mut(task.job).waiting.insert(task.task);
        node
    }

    /// Ends a task for good, whatever it does.
    pub(super) fn terminate_task(&mut self, task: TaskRef) {
        let node = self.leave_node(task);
        self.complete(task, &End::Terminated, self.now);
        if let Some(node) = node {
            self.node_emptied(node);
            self.stir(node.pool);
        }
    }

    /// Removes a task; a running one is ended first.
    pub(super) fn delete_task(&mut self, task: TaskRef) {
        let node = self.leave_node(task);
        let Some(job) = self.jobs.get_mut(&task.job) else {
            return;
        };
        job.count(task.task, false);
        let gone = job.tasks.remove(&task.task).expect("the task is there");
        job.names.remove(gone.id.to_ascii_lowercase().as_str());
        job.waiting.remove(&task.task);
        job.blocked.remove(&task.task);
        self.retally(task.job);
        if let Some(node) = node {
            self.node_emptied(node);
        }
    }

    /// Returns the slots of a node in a job's pool, when the pool is there.
    pub(super) fn slots_per_node(&self, job: u32) -> Option<u32> {
        let pool = self.pool_of(job)?;
        Some(self.pools[&pool].slots_per_node)
    }

    /// Disables or enables the scheduling of a node that is ready.
    pub(super) fn set_scheduling(&mut self, node: NodeRef, takes_tasks: bool) {
        use super::node::NodeState;
        let now = self.now;
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.takes_tasks = takes_tasks;
            match node.state {
                NodeState::Idle if !takes_tasks => node.state = NodeState::Offline,
                NodeState::Offline if takes_tasks => node.state = NodeState::Idle,
                _ => {}
            }
        });
        self.stir(node.pool);
    }

    /// Lets a node restart once its tasks are gone.
    pub(super) fn restart_after_tasks(&mut self, node: NodeRef, how: super::node::Restart) {
        let now = self.now;
        self.pool_mut(node.pool).change(node.index, now, |node| {
            node.after_tasks = AfterTasks::Restart(how);
        });
        self.node_emptied(node);
    }
}

/// Returns what a job counts for in the samples of its pool: active tasks that could run, running, succeeded, failed.
///
/// `$ActiveTasks` counts tasks that are ready to run, those with unmet dependencies not.
pub(super) fn pool_counts(job: &Job) -> [u32; 4] {
    let active = job.counts.active.saturating_sub(job.blocked.len() as u64);
    [
        active as u32,
        job.counts.running as u32,
        job.counts.succeeded as u32,
        job.counts.failed as u32,
    ]
}

fn failure_of(end: &End) -> Option<Failure> {
    let (is_user, code, message) = match end {
        End::Exited(0) => return None,
        End::Exited(_) => (
            true,
            "FailureExitCode",
            "The task process exited with an unexpected exit code",
        ),
        End::TimedOut => (
            true,
            "TaskEnded",
            "The task ran longer than its maximum wall clock time",
        ),
        End::Terminated => (true, "TaskEnded", "Task Was Ended by User Request"),
        End::NotRun(reason) => {
            return Some(Failure {
                is_user: true,
                code: "CommandProgramNotFound".to_owned(),
                message: format!("The specified command program is not found: {reason}"),
            });
        }
    };
    Some(Failure {
        is_user,
        code: code.to_owned(),
        message: message.to_owned(),
    })
}
