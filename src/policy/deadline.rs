//! Deadlines: work that must be done by a time of the clock, with what is cheap while there is slack and with what is sure
//! when there is none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::{CronLine, Zone};
use super::complaint::Complaint;
use super::progress::{Job, Progress};
use crate::account::{PoolPattern, Work, matches_job};
use crate::base::{Nodes, Probability, Span, Timestamp};
use crate::decision::{DeadlineCourse, Snapshot};

/// Work that must be done by a time of the clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Deadline {
    /// The jobs that are meant, a name or a pattern such as nightly-*; all of the pool's when left out.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub jobs: String,
    /// When the work must be done: the next such time after a task was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_by: Option<CronLine>,
    /// The time zone whose clock that follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<Zone>,
    /// How long after its submission a task must be done, in the place of a time of the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// How sure it shall be that the work left is no more than what is reckoned with; 0.95 when left out.
    #[serde(default = "confidence")]
    #[schemars(range(min = 0.5, max = 0.999))]
    pub confidence: f64,
    /// How long a task runs, as long as none has finished; without it nothing is known until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typical_run: Option<Span>,
    /// How long a node takes from its order to its first task; 10m when left out.
    #[serde(default = "switch")]
    pub switch_over: Span,
}

fn all() -> String {
    "*".to_owned()
}

fn is_all(jobs: &str) -> bool {
    jobs == "*"
}

fn confidence() -> f64 {
    0.95
}

/// Below, a node that is ordered at once may come too late; work that has a month needs no autoscaler.
const WITHIN: std::ops::RangeInclusive<Span> = Span::minutes(10)..=Span::days(30);

/// A resize takes minutes and a boot some more.
fn switch() -> Span {
    Span::minutes(10)
}

/// What is known of how long tasks run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Runs {
    mean: f64,
    deviation: f64,
}

impl Deadline {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        if self.jobs.parse::<PoolPattern>().is_err() {
            let message = format!("`{}` matches no job", self.jobs);
            let help =
                "write a job's id, or a pattern such as nightly-*: letters, digits, - and _, at most 64";
            complaints.push(Complaint::new(&["jobs"], message, help));
        }
        complaints.extend(self.time_complaint());
        let usual = Span::seconds(1)..=Span::days(1);
        if !(Span::ZERO..=Span::hours(2)).contains(&self.switch_over) {
            let message = format!("a node cannot take {} to start", self.switch_over.in_short());
            complaints.push(Complaint::new(&["switchOver"], message, "take 0s to 2h"));
        }
        if let Some(run) = self.typical_run.filter(|run| !usual.contains(run)) {
            let message = format!("a task cannot be reckoned with {}", run.in_short());
            complaints.push(Complaint::new(&["typicalRun"], message, "take 1s to 1d"));
        }
        complaints
    }

    fn time_complaint(&self) -> Option<Complaint> {
        let wrong = |path: &[&str], message: &str, help: &str| Some(Complaint::new(path, message, help));
        match (&self.finish_by, self.timezone, self.within) {
            (None, _, None) => wrong(
                &[],
                "the deadline does not say when",
                "write finishBy, a time of the clock, or within, a time after each submission",
            ),
            (Some(_), _, Some(_)) => wrong(
                &["within"],
                "a task has one deadline, by the clock or after its submission",
                "leave out finishBy or within",
            ),
            (Some(_), None, None) => wrong(
                &["finishBy"],
                "nobody knows whose clock that is",
                "write timezone: UTC, or a place such as Europe/Paris",
            ),
            (None, Some(_), Some(_)) => wrong(
                &["timezone"],
                "a time after each submission follows no clock",
                "leave it out",
            ),
            (_, _, Some(within)) if !WITHIN.contains(&within) => {
                let message = format!("no work can be planned to be done within {}", within.in_short());
                Some(Complaint::new(&["within"], message, "take 10m to 30d"))
            }
            _ => None,
        }
    }

    /// Says whether the tasks of a job are meant; a task without a job is meant by stars alone.
    pub fn means(&self, job: Option<&str>) -> bool {
        matches_job(&self.jobs, job)
    }

    /// Returns when a task that was submitted at a moment must be done; `None` at the end of the calendar.
    pub fn due(&self, submitted: Timestamp) -> Option<Timestamp> {
        match (&self.finish_by, self.within) {
            (Some(line), _) => line.next(self.timezone?, submitted),
            (None, within) => within.map(|within| submitted + within),
        }
    }

    /// Returns what the deadline needs; `None` when there is no work, no deadline to come or nothing known of the tasks.
    pub(super) fn course(&self, snapshot: &Snapshot<'_>, most: Nodes) -> Option<DeadlineCourse> {
        let work = snapshot.work?;
        if work.waiting.is_empty() && work.running.is_empty() {
            return None;
        }
        let now = snapshot.now;
        let oldest = |work: &Work| {
            let waiting = work.waiting.iter().map(|task| task.submitted);
            waiting
                .chain(work.running.iter().map(|task| task.submitted))
                .min()
        };
        let (due, before) = match (&self.finish_by, self.timezone) {
            (Some(line), Some(zone)) => (line.next(zone, now)?, line.latest(zone, now)),
            _ => (oldest(work)? + self.within?, None),
        };
        let slots = f64::from(snapshot.pool.task_slots_per_node.max(1));
        let submitted = work.waiting.iter().map(|task| task.submitted);
        let first = submitted
            .chain(work.running.iter().map(|task| task.submitted))
            .min()?;
        let since = before.unwrap_or(first);
        let (done, first_done) = snapshot.guards.done_since(since);
        let began = first_done
            .map_or(first, |done| done.min(first))
            .max(since)
            .min(now);
        let runs = self.runs(snapshot)?;
        let left = self.left(work, runs, now);
        let job = Job {
            now,
            began,
            due,
            done: done / slots,
            left: left / slots,
            longest: self.longest(work, runs, now),
            switch: self.switch_over,
            most,
        };
        let course = job.course();
        Some(DeadlineCourse {
            due,
            progress: course.progress.word().to_owned(),
            tasks: u32::try_from(work.waiting.len() + work.running.len()).unwrap_or(u32::MAX),
            left_node_hours: job.left / 3600.0,
            nodes: course.nodes,
            sure: course.progress != Progress::Ahead,
            latest_start: course.latest_start,
            earliest_end: course.earliest_end,
        })
    }

    fn runs(&self, snapshot: &Snapshot<'_>) -> Option<Runs> {
        let learned = snapshot.guards.runs.filter(|runs| runs.count > 0);
        if let Some(runs) = learned {
            let count = runs.count as f64;
            let mean = runs.seconds / count;
            let variance = (runs.seconds_squared / count - mean * mean).max(0.0);
            return Some(Runs {
                mean,
                deviation: variance.sqrt(),
            });
        }
        self.typical_run.map(|run| Runs {
            mean: run.as_seconds(),
            // As uncertain as an exponential run time, until something is known.
            deviation: run.as_seconds(),
        })
    }

    /// What is left in slot-seconds, no more than that with the wanted confidence.
    fn left(&self, work: &Work, runs: Runs, now: Timestamp) -> f64 {
        let waiting = work.waiting.iter().map(|task| (f64::from(task.slots), runs.mean));
        let running = work
            .running
            .iter()
            .map(|task| (f64::from(task.slots), runs.left_of(now.since(task.started))));
        let (mut mean, mut variance) = (0.0, 0.0);
        for (slots, left) in waiting.chain(running) {
            mean += slots * left;
            variance += (slots * runs.deviation).powi(2);
        }
        mean + self.spread() * variance.sqrt()
    }

    /// The longest that one task may still take.
    fn longest(&self, work: &Work, runs: Runs, now: Timestamp) -> Span {
        let margin = self.spread() * runs.deviation;
        let waiting = (!work.waiting.is_empty()).then_some(runs.mean);
        let running = work
            .running
            .iter()
            .map(|task| runs.left_of(now.since(task.started)));
        let longest = waiting.into_iter().chain(running).fold(0.0, f64::max);
        Span::from_seconds(longest + margin.min(longest))
    }

    /// Cantelli's inequality, which holds for any distribution: no more than 1 ÷ (1 + k²) lies k deviations above the mean.
    fn spread(&self) -> f64 {
        let confidence = Probability::new(self.confidence).map_or(0.5, Probability::get);
        (confidence / (1.0 - confidence).max(1e-3)).sqrt()
    }
}

impl Runs {
    /// The mean time left of a task that has run for a while; one that is past the mean takes a tenth of it more.
    fn left_of(self, ran: Span) -> f64 {
        (self.mean - ran.as_seconds()).max(self.mean / 10.0)
    }
}

impl Progress {
    const fn word(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Behind => "behind",
            Self::Tight => "tight",
            Self::Lost => "lost",
        }
    }
}
