//! A workload in two: the part that settings are chosen on, and the part that proves them.

use super::SweepError;
use crate::base::Timestamp;
use crate::sim::workload::{Task, Workload};

/// Returns the tasks that were submitted in the first share of the log's time, and the others.
///
/// # Errors
/// When one of the parts has no task.
pub fn split(workload: &Workload, share: f64) -> Result<(Workload, Workload), SweepError> {
    let last = workload.tasks.last().map_or(workload.start, |task| task.submit);
    let cut = workload.start + last.since(workload.start).scale(share);
    let at = workload.tasks.partition_point(|task| task.submit < cut);
    let (first, rest) = workload.tasks.split_at(at);
    if first.is_empty() || rest.is_empty() {
        return Err(SweepError(format!(
            "no task is submitted in one of the parts before and after {cut}; take a longer log or another share"
        )));
    }
    Ok((part(workload, workload.start, first), part(workload, cut, rest)))
}

fn part(whole: &Workload, start: Timestamp, tasks: &[Task]) -> Workload {
    Workload::new(whole.name.clone(), start, tasks.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    #[test]
    fn a_log_is_split_by_time_and_each_task_is_in_one_part() {
        let at = Timestamp::from_unix_seconds;
        let task = |second| Task {
            submit: at(second),
            run: Span::minutes(1),
            slots: 1,
            job: None,
            due: None,
        };
        let whole = Workload::new("w", at(0), vec![task(10), task(60), task(61), task(100)]);
        let (first, rest) = split(&whole, 0.6).unwrap();
        assert_eq!((first.start, first.tasks.len()), (at(0), 1));
        assert_eq!((rest.start, rest.tasks.len()), (at(60), 3));
        assert!(split(&whole, 0.05).is_err());
        assert!(split(&Workload::new("w", at(0), Vec::new()), 0.5).is_err());
    }
}
