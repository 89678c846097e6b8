//! When tasks must be done by the deadlines of a policy.

use super::Deadline;
use crate::account::{JobIndex, JobNames};
use crate::base::Timestamp;

/// The deadlines of a policy beside the jobs of a pool: which are meant by which, and what was last asked.
///
/// Tasks come in order and many at a time, and a time of the clock takes long to find: the last one is kept.
#[derive(Clone, Debug)]
pub struct DueTimes<'a> {
    rules: Vec<Rule<'a>>,
}

#[derive(Clone, Debug)]
struct Rule<'a> {
    deadline: &'a Deadline,
    /// By the place of a job, and last the tasks that have none.
    means: Vec<bool>,
    /// From this submission on and before the second moment tasks must be done by the second.
    last: Option<(Timestamp, Timestamp)>,
}

impl<'a> DueTimes<'a> {
    /// Returns the deadlines for the tasks of some jobs.
    pub fn of(deadlines: &'a [Deadline], jobs: &JobNames) -> Self {
        let rule = |deadline: &'a Deadline| Rule {
            deadline,
            means: jobs
                .iter()
                .map(Some)
                .chain([None])
                .map(|job| deadline.means(job))
                .collect(),
            last: None,
        };
        Self {
            rules: deadlines.iter().map(rule).collect(),
        }
    }

    /// Returns when a task must be done: the first of its deadlines; `None` when no deadline means it.
    pub fn due(&mut self, job: Option<JobIndex>, submitted: Timestamp) -> Option<Timestamp> {
        self.first(job, submitted).map(|(_, due)| due)
    }

    /// Returns the place of the deadline that comes first for a task, and when that is.
    pub fn first(&mut self, job: Option<JobIndex>, submitted: Timestamp) -> Option<(usize, Timestamp)> {
        let rules = self.rules.iter_mut().enumerate();
        let dues = rules.filter_map(|(index, rule)| Some((index, rule.due(job, submitted)?)));
        dues.min_by_key(|(_, due)| *due)
    }
}

impl Rule<'_> {
    fn due(&mut self, job: Option<JobIndex>, submitted: Timestamp) -> Option<Timestamp> {
        let place = job.map_or(self.means.len() - 1, JobIndex::place);
        if !self.means.get(place).copied().unwrap_or(false) {
            return None;
        }
        if self.deadline.finish_by.is_none() {
            return self.deadline.due(submitted);
        }
        match self.last {
            Some((from, due)) if from <= submitted && submitted < due => Some(due),
            _ => {
                let due = self.deadline.due(submitted)?;
                self.last = Some((submitted, due));
                Some(due)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_its_deadline_and_the_first_of_two_counts() {
        let deadlines: Vec<Deadline> = serde_json::from_str(
            r#"[{"jobs":"nightly-*","finishBy":"0 6 * * *","timezone":"UTC"},{"within":"12h"}]"#,
        )
        .unwrap();
        let mut jobs = JobNames::default();
        let (nightly, daily) = (jobs.add("nightly-1"), jobs.add("daily"));
        let mut dues = DueTimes::of(&deadlines, &jobs);
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (job, submitted, place, due) in [
            (Some(nightly), "2026-11-24T20:00:00Z", 0, "2026-11-25T06:00:00Z"),
            (Some(nightly), "2026-11-24T21:00:00Z", 0, "2026-11-25T06:00:00Z"),
            (Some(nightly), "2026-11-24T12:00:00Z", 1, "2026-11-25T00:00:00Z"),
            (Some(nightly), "2026-11-25T06:00:00Z", 1, "2026-11-25T18:00:00Z"),
            (Some(daily), "2026-11-24T20:00:00Z", 1, "2026-11-25T08:00:00Z"),
            (None, "2026-11-24T20:00:00Z", 1, "2026-11-25T08:00:00Z"),
        ] {
            let first = dues.first(job, at(submitted));
            assert_eq!(first, Some((place, at(due))), "{job:?} {submitted}");
        }
        let mut only = DueTimes::of(&deadlines[..1], &jobs);
        assert_eq!(only.due(None, at("2026-11-24T20:00:00Z")), None);
    }
}
