//! The tasks of a job from look to look: how long those that lost their node had run, and which have ended.

use std::collections::{HashMap, HashSet};

use super::jobs::{Counts, ServiceTask};
use super::nodes::{ServiceNode, lane_of_id};
use super::words::{TaskResult, TaskState};
use crate::account::{FinishedTask, JobIndex, LostRuns, RunningTask, WaitingTask, Work};
use crate::base::{Span, Timestamp};

/// What is remembered of the tasks of one job.
#[derive(Clone, Debug)]
pub(super) struct Taskbook {
    /// Tasks that run, or that have run and wait.
    runs: HashMap<String, Run>,
    /// Those of them that neither run nor wait any more: they have ended, or the list of what ended is a look behind.
    over: HashMap<String, Run>,
    /// Up to when ended tasks have been told.
    pub(super) told_to: Timestamp,
    /// Those that ended at just that moment.
    told_at: HashSet<String>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    /// When the run under way began.
    started: Option<Timestamp>,
    /// When it was last seen to run.
    seen: Timestamp,
    /// The longest earlier run.
    ran: Span,
    /// All earlier runs.
    lost: LostRuns,
}

/// What has ended is listed in the look in which it is no longer among the others, or in the one after.
const OVER_FOR: Span = Span::minutes(30);

/// The nodes of a pool by id.
pub(super) type NodesById<'a> = HashMap<&'a str, &'a ServiceNode>;

impl Taskbook {
    /// Returns a book that tells what ends from now on.
    pub(super) fn begin(now: Timestamp) -> Self {
        Self {
            runs: HashMap::new(),
            over: HashMap::new(),
            told_to: now,
            told_at: HashSet::new(),
        }
    }

    /// Takes in the tasks that are not over.
    pub(super) fn see_unfinished(
        &mut self,
        now: Timestamp,
        job: JobIndex,
        tasks: &[ServiceTask],
        nodes: &NodesById<'_>,
        into: &mut Work,
    ) {
        let mut before = std::mem::take(&mut self.runs);
        for task in tasks {
            let submitted = task.creation_time.unwrap_or(now).min(now);
            let slots = task.required_slots.unwrap_or(1).max(1);
            if task.state == TaskState::Completed {
                continue;
            }
            let old = before.remove(&task.id);
            let run = match task.state {
                TaskState::Preparing | TaskState::Running => running(now, task, old),
                TaskState::Active | TaskState::Unknown | TaskState::Completed => Run::after(old, None, now),
            };
            if let Some(started) = run.started {
                let id = task.node_info.node_id.as_deref().unwrap_or("");
                let node = nodes.get(id);
                into.running.push(RunningTask {
                    submitted,
                    started,
                    slots,
                    ran: run.ran,
                    lost: run.lost,
                    lane: node.map_or_else(|| lane_of_id(id), |node| node.lane()),
                    cordoned: node.is_some_and(|node| node.is_cordoned()),
                    job: Some(job),
                });
            } else {
                into.waiting.push(WaitingTask {
                    submitted,
                    slots,
                    ran: run.ran,
                    lost: run.lost,
                    job: Some(job),
                });
            }
            if run.started.is_some() || run.ran > Span::ZERO {
                self.runs.insert(task.id.clone(), run);
            }
        }
        self.over.retain(|_, run| now - run.seen < OVER_FOR);
        self.over.extend(before);
    }

    /// Takes in tasks that are over, and tells those that ended well and were not told before.
    pub(super) fn see_finished(
        &mut self,
        now: Timestamp,
        job: JobIndex,
        tasks: &[ServiceTask],
        into: &mut Work,
    ) {
        // The list comes in no order of time, so that what was told is compared as it was.
        let (told_to, told_at) = (self.told_to, self.told_at.clone());
        for task in tasks {
            let Some(ended) = task.execution_info.end_time.filter(|ended| *ended >= told_to) else {
                continue;
            };
            if ended == told_to && told_at.contains(&task.id) {
                continue;
            }
            if ended > self.told_to {
                self.told_to = ended;
                self.told_at.clear();
            }
            if ended == self.told_to {
                self.told_at.insert(task.id.clone());
            }
            let started = task.execution_info.start_time;
            let old = self.over.remove(&task.id);
            if let (TaskResult::Success, Some(started)) = (task.execution_info.result, started) {
                let run = Run::after(old, Some(started), now);
                into.finished.push(FinishedTask {
                    submitted: task.creation_time.unwrap_or(started).min(now),
                    started: started.min(now),
                    // The service's clock may be ahead of ours.
                    ended: ended.min(now).max(started.min(now)),
                    slots: task.required_slots.unwrap_or(1).max(1),
                    ran: run.ran,
                    lost: run.lost,
                    job: Some(job),
                });
            }
        }
    }
}

impl Run {
    /// Returns what is known of a task that waits, or whose run that began at a moment goes on; any other run lost its node.
    fn after(old: Option<Self>, started: Option<Timestamp>, now: Timestamp) -> Self {
        let mut run = Self {
            started,
            seen: now,
            ran: old.map_or(Span::ZERO, |old| old.ran),
            lost: old.map_or(LostRuns::default(), |old| old.lost),
        };
        if let Some(old) = old
            && let Some(began) = old.started.filter(|_| old.started != started)
        {
            let ran = old.seen.since(began);
            run.ran = run.ran.max(ran);
            run.lost = run.lost.and(ran);
        }
        run
    }
}

fn running(now: Timestamp, task: &ServiceTask, old: Option<Run>) -> Run {
    let known = old.and_then(|old| old.started);
    // A task that is being prepared has no start yet; from the look on it is on its node.
    let started = task.execution_info.start_time.or(known).unwrap_or(now).min(now);
    Run::after(old, Some(started), now)
}

/// Adds the tasks of a job that were too many to be listed: as many as its counts say, of average slots, submitted last.
pub(super) fn add_unlisted(
    now: Timestamp,
    job: JobIndex,
    listed: &[ServiceTask],
    (tasks, slots): (Counts, Counts),
    into: &mut Work,
) {
    let unfinished = tasks.active.saturating_add(tasks.running) as usize;
    let n_unlisted = unfinished.saturating_sub(listed.len());
    let submitted = listed
        .iter()
        .filter_map(|task| task.creation_time)
        .max()
        .unwrap_or(now)
        .min(now);
    let average = f64::from(slots.active) / f64::from(tasks.active.max(1));
    let task = WaitingTask {
        submitted,
        slots: (average.round() as u32).max(1),
        ran: Span::ZERO,
        lost: LostRuns::default(),
        job: Some(job),
    };
    into.waiting.extend(std::iter::repeat_n(task, n_unlisted));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::JobNames;
    use crate::azure::jobs::Execution;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_seconds(seconds)
    }

    fn task(id: &str, state: TaskState, started: Option<i64>, ended: Option<i64>) -> ServiceTask {
        ServiceTask {
            id: id.to_owned(),
            state,
            creation_time: Some(at(1)),
            required_slots: Some(2),
            execution_info: Execution {
                start_time: started.map(at),
                end_time: ended.map(at),
                result: if ended.is_some() {
                    TaskResult::Success
                } else {
                    TaskResult::Unknown
                },
            },
            ..ServiceTask::default()
        }
    }

    fn job() -> JobIndex {
        JobNames::default().add("j")
    }

    fn see(book: &mut Taskbook, now: i64, tasks: &[ServiceTask]) -> Work {
        let mut work = Work::default();
        book.see_unfinished(at(now), job(), tasks, &NodesById::new(), &mut work);
        work
    }

    #[test]
    fn a_task_that_lost_its_node_remembers_how_long_it_ran() {
        let mut book = Taskbook::begin(at(0));
        see(&mut book, 100, &[task("t", TaskState::Running, Some(40), None)]);
        see(&mut book, 160, &[task("t", TaskState::Running, Some(40), None)]);
        let work = see(&mut book, 200, &[task("t", TaskState::Active, None, None)]);
        assert_eq!(work.waiting[0].ran, Span::seconds(120));
        // It runs again, for less long, and loses its node once more between two looks.
        let work = see(&mut book, 260, &[task("t", TaskState::Running, Some(230), None)]);
        assert_eq!(
            (work.running[0].ran, work.running[0].started),
            (Span::seconds(120), at(230))
        );
        let work = see(&mut book, 320, &[task("t", TaskState::Running, Some(300), None)]);
        assert_eq!(work.running[0].ran, Span::seconds(120));
        // Its second run was seen for half a minute.
        let lost = work.running[0].lost;
        assert_eq!((lost.count, lost.in_all), (2, Span::seconds(150)));
        see(&mut book, 380, &[]);
        let mut work = Work::default();
        let ended = task("t", TaskState::Completed, Some(300), Some(370));
        book.see_finished(at(380), job(), &[ended], &mut work);
        assert_eq!(
            (work.finished[0].ran, work.finished[0].lost),
            (Span::seconds(120), lost)
        );
    }

    #[test]
    fn what_has_ended_is_told_once() {
        let mut book = Taskbook::begin(at(100));
        let mut ended = |now, tasks: &[ServiceTask]| {
            let mut work = Work::default();
            book.see_finished(at(now), job(), tasks, &mut work);
            work.finished.iter().map(|task| task.ended).collect::<Vec<_>>()
        };
        let done = |id, end| task(id, TaskState::Completed, Some(50), Some(end));
        assert_eq!(
            ended(200, &[done("before", 90), done("a", 150), done("b", 160)]),
            [at(150), at(160)]
        );
        assert_eq!(
            ended(260, &[done("d", 170), done("b", 160), done("c", 160)]),
            [at(170), at(160)]
        );
        assert_eq!(ended(300, &[done("d", 170)]), []);
    }

    #[test]
    fn tasks_that_were_not_listed_are_there_by_number() {
        let counts = (
            Counts {
                active: 5,
                running: 1,
                ..Counts::default()
            },
            Counts {
                active: 20,
                running: 4,
                ..Counts::default()
            },
        );
        let mut work = Work::default();
        add_unlisted(
            at(9),
            job(),
            &[task("a", TaskState::Active, None, None)],
            counts,
            &mut work,
        );
        assert_eq!((work.waiting.len(), work.waiting[0].slots), (5, 4));
    }
}
