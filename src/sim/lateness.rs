//! When tasks are due, and how late those ended that missed it.

use std::sync::Arc;

use serde::Serialize;

use super::cluster::Delay;
use super::contender::Contender;
use super::delay::Wait;
use super::workload::{Due, Task, Workload};
use crate::policy::{DueTimes, Policy};

/// What became of the tasks that are due at a known time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Lateness {
    /// How many tasks are due at a known time.
    pub due: u32,
    /// How many of them ended later, or can only end so.
    pub missed: u32,
    /// By how many seconds those ended later that missed it; those that have not ended, when they can end at the earliest.
    pub late: Wait,
}

impl Lateness {
    /// Judges the tasks of a log that are due at a known time; `None` where there are none.
    pub(super) fn judge(tasks: &[Task], delays: &[Delay]) -> Option<Self> {
        let mut lateness = Self::default();
        let mut late = Vec::new();
        for (task, delay) in tasks.iter().zip(delays) {
            let Some(due) = task.due else { continue };
            lateness.due += 1;
            match delay {
                Delay::Never => lateness.missed += 1,
                Delay::Ended(delay) | Delay::AtLeast(delay) => {
                    let after = task.run + *delay;
                    if after > due.span() {
                        lateness.missed += 1;
                        late.push(after - due.span());
                    }
                }
            }
        }
        lateness.late = Wait::of(late);
        (lateness.due > 0).then_some(lateness)
    }
}

/// Returns the workload with the deadlines of the first policy that has some, where it says of no task when it is due.
///
/// So every contender is judged by the same deadlines, and the baselines that plan for deadlines know them.
pub(super) fn with_dues(contenders: &[Contender], workload: &Arc<Workload>) -> Arc<Workload> {
    let policies = contenders.iter().filter_map(Contender::policy);
    match policies.into_iter().find(|policy| !policy.deadlines.is_empty()) {
        Some(policy) if !workload.has_dues() => Arc::new(dated(workload, policy)),
        _ => Arc::clone(workload),
    }
}

fn dated(workload: &Workload, policy: &Policy) -> Workload {
    let mut dues = DueTimes::of(&policy.deadlines, &workload.jobs);
    let mut due = |task: &Task| {
        dues.due(task.job, task.submit)
            .map(|due| Due::after(due - task.submit))
    };
    let mut dated = workload.clone();
    for task in &mut dated.tasks {
        task.due = due(task);
    }
    dated
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Span, Timestamp};

    #[test]
    fn a_task_misses_its_deadline_when_it_ends_a_second_later_and_when_it_never_ends() {
        let task = |due: Option<i64>| Task {
            due: due.map(|minutes| Due::after(Span::minutes(minutes))),
            ..Task::new(Timestamp::EPOCH, Span::minutes(10), 1)
        };
        let ended = |seconds| Delay::Ended(Span::seconds(seconds));
        let tasks = [task(Some(60)); 4].into_iter().chain([task(None)]);
        let tasks: Vec<_> = tasks.collect();
        let delays = [
            ended(3000),
            ended(3001),
            Delay::AtLeast(Span::hours(2)),
            Delay::Never,
            Delay::Never,
        ];
        let lateness = Lateness::judge(&tasks, &delays).unwrap();
        assert_eq!((lateness.due, lateness.missed), (4, 3));
        assert_eq!([lateness.late.p50, lateness.late.max], [1.0, 4200.0]);
        assert_eq!(Lateness::judge(&tasks[4..], &delays[4..]), None);
    }
}
