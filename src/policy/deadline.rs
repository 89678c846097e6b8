//! Deadlines: work that must be done by a time of the clock, with what is cheap while there is slack and with what is sure
//! when there is none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::calendar::{CronLine, Zone};
use super::complaint::Complaint;
use crate::account::{PoolPattern, matches_job};
use crate::base::{Span, Timestamp};

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
    /// How sure it shall be that no task runs longer than is planned with; 0.95 when left out.
    #[serde(default = "confidence")]
    #[schemars(range(min = 0.5, max = 0.999))]
    pub confidence: f64,
    /// How long a task runs, as long as none has finished; without it a task is then taken to run for up to two fifths of its
    /// time, or for most of it where tasks save their work.
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
}
