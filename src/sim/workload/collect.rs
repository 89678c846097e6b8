//! Turns jobs into tasks one by one, counts what is left out, and keeps the limits.

use super::fault::{FAULTS_MAX, Fault, NO_TASK, UNREADABLE, WorkloadError};
use super::{Due, LeftOut, ReadOptions, Task, Workload};
use crate::account::{JobIndex, JobNames};
use crate::base::{Span, Timestamp};

/// Five million tasks take 160 MB here and are fifty times the largest development trace.
pub const TASKS_MAX: usize = 5_000_000;

/// One job as a log tells of it; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Job {
    pub(super) submit: Option<Span>,
    pub(super) run: Option<Span>,
    pub(super) cores: Option<u32>,
    /// Its name, by the collector's own names.
    pub(super) name: Option<JobIndex>,
    /// When it is due, from the log's second 0 as its submission.
    pub(super) due: Option<Span>,
}

/// A task with its times since the log's second 0.
#[derive(Clone, Copy, Debug)]
struct Collected {
    submit: Span,
    run: Span,
    slots: u32,
    job: Option<JobIndex>,
    due: Option<Due>,
}

/// The tasks of a log so far.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    name: &'a str,
    options: &'a ReadOptions,
    /// When the log's second 0 was, if the log says so.
    pub(super) log_start: Option<Timestamp>,
    tasks: Vec<Collected>,
    /// The names of jobs so far.
    pub(super) jobs: JobNames,
    left_out: LeftOut,
    n_jobs: u64,
    faults: Vec<Fault>,
    /// Facts about the reading that its user should know.
    pub(super) notes: Vec<String>,
}

impl<'a> Collector<'a> {
    pub(super) fn new(name: &'a str, options: &'a ReadOptions) -> Self {
        Self {
            name,
            options,
            log_start: None,
            tasks: Vec::new(),
            jobs: JobNames::default(),
            left_out: LeftOut {
                submit_unknown: 0,
                run_unknown: 0,
                run_zero: 0,
                run_too_long: 0,
                outside_window: 0,
            },
            n_jobs: 0,
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a fault and says whether reading goes on.
    pub(super) fn fault(&mut self, fault: Fault) -> bool {
        self.faults.push(fault);
        self.faults.len() < FAULTS_MAX
    }

    /// Adds a job, or counts why not, and says whether reading goes on.
    pub(super) fn job(&mut self, job: Job) -> bool {
        self.n_jobs += 1;
        let window = |submit: Span| {
            submit >= self.options.from
                && self
                    .options
                    .length
                    .is_none_or(|length| submit < self.options.from + length)
        };
        let out = &mut self.left_out;
        let (submit, run) = match (job.submit, job.run) {
            (None, _) => return count(&mut out.submit_unknown),
            (Some(submit), _) if !window(submit) => return count(&mut out.outside_window),
            (_, None) => return count(&mut out.run_unknown),
            (_, Some(Span::ZERO)) => return count(&mut out.run_zero),
            (_, Some(run)) if self.options.run_max.is_some_and(|most| run > most) => {
                return count(&mut out.run_too_long);
            }
            (Some(submit), Some(run)) => (submit, run),
        };
        let (n_tasks, slots) = self.options.shape.tasks_and_slots(job.cores.unwrap_or(1));
        if self.tasks.len() + n_tasks as usize > TASKS_MAX {
            self.fault(Fault::whole(
                UNREADABLE,
                format!("the log has more than {TASKS_MAX} tasks"),
                "read a shorter window of it",
            ));
            return false;
        }
        let task = Collected {
            submit,
            run,
            slots,
            job: job.name,
            due: job.due.map(|due| Due::after(due - submit)),
        };
        self.tasks.extend(std::iter::repeat_n(task, n_tasks as usize));
        true
    }

    /// Returns the workload, or everything that is wrong with the log.
    pub(super) fn finish(mut self) -> Result<Workload, WorkloadError> {
        if self.faults.is_empty() && self.tasks.is_empty() {
            let message = if self.n_jobs == 0 {
                "the log has no job".to_owned()
            } else {
                format!("none of its {} jobs can be used: {}", self.n_jobs, self.left_out)
            };
            self.fault(Fault::whole(
                NO_TASK,
                message,
                "give a log with run times, or a wider window",
            ));
        }
        if !self.faults.is_empty() {
            return Err(WorkloadError {
                name: self.name.to_owned(),
                faults: self.faults,
            });
        }
        if !self.tasks.is_sorted_by_key(|task| task.submit) {
            self.notes
                .push("the log was not in order of submission; it has been sorted".to_owned());
            self.tasks.sort_by_key(|task| task.submit);
        }
        let zero = self
            .options
            .start
            .or(self.log_start)
            .unwrap_or(Timestamp::from_unix_seconds(ReadOptions::START_UNIX_SECONDS));
        let task = |task: Collected| Task {
            submit: zero + task.submit,
            run: task.run,
            slots: task.slots,
            job: task.job,
            due: task.due,
        };
        Ok(Workload {
            name: self.name.to_owned(),
            start: zero + self.options.from,
            tasks: self.tasks.into_iter().map(task).collect(),
            jobs: self.jobs,
            n_jobs: self.n_jobs,
            left_out: self.left_out,
            notes: self.notes,
        })
    }
}

fn count(reason: &mut u64) -> bool {
    *reason += 1;
    true
}
