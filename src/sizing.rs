//! How many nodes the waiting tasks need so that they start in time, and how much lateness can be afforded.
//!
//! Run times are not known beforehand: they are learned from finished tasks as a hazard over the time that a task has run.
//! Which lane is asked follows from whether spot comes, and from the lateness that waiting for it would cost.

mod budget;
mod due;
mod durations;
mod kept;
mod learned;
mod lookahead;
mod open;
mod outages;
mod plan;
mod resumes;
mod run_times;
mod shelter;
mod stays;

pub use budget::{Burn, LatePrice, MissBudget, MissLimits};
pub use due::{DueCourse, DuePlan, DueRule, DueSight};
pub use durations::{DurationModel, Durations};
pub use learned::{Learned, whole_run};
pub use lookahead::Lookahead;
pub use outages::Outages;
pub use plan::{Course, Lanes, Plan, Sight};
pub use resumes::Resumes;
pub use run_times::RunTimes;
pub use stays::Stays;

/// The limits of the study, for tests.
#[cfg(test)]
const LIMITS: MissLimits = MissLimits {
    wait: crate::base::Span::minutes(15),
    slowdown: 1.0,
    tasks: 0.05,
    work: 0.1,
};
