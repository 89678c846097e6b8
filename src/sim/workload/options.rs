//! How the jobs of a log become tasks, and which of them are left out.

use std::fmt;
use std::str::FromStr;

use crate::base::{Span, Timestamp};

/// How a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// What a job of several cores becomes.
    pub shape: JobShape,
    /// Leaves out jobs that ran longer.
    pub run_max: Option<Span>,
    /// Leaves out what was submitted earlier than this after the log's own start.
    pub from: Span,
    /// Leaves out what was submitted this long after `from`, or later.
    pub length: Option<Span>,
    /// When the log's second 0 was; without it the log's `UnixStartTime`, else [`ReadOptions::START_UNIX_SECONDS`].
    pub start: Option<Timestamp>,
}

impl ReadOptions {
    /// 2024-01-01T00:00:00Z, a Monday: the start of logs that do not say when they began.
    pub const START_UNIX_SECONDS: i64 = 1_704_067_200;
}

/// What a job becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JobShape {
    /// One task of one slot, however many cores it held.
    #[default]
    OneSlot,
    /// One task that needs a slot for every so many cores, all on one node.
    Slots {
        /// Cores that one slot stands for, at least 1.
        cores_per_slot: u32,
    },
    /// As many one-slot tasks as it needs slots, which start and end independently.
    Tasks {
        /// Cores that one slot stands for, at least 1.
        cores_per_slot: u32,
    },
}

impl JobShape {
    /// Returns how many tasks a job becomes and how many slots each of them needs.
    pub fn tasks_and_slots(self, cores: u32) -> (u32, u32) {
        match self {
            Self::OneSlot => (1, 1),
            Self::Slots { cores_per_slot } => (1, slots(cores, cores_per_slot)),
            Self::Tasks { cores_per_slot } => (slots(cores, cores_per_slot), 1),
        }
    }
}

fn slots(cores: u32, cores_per_slot: u32) -> u32 {
    cores.div_ceil(cores_per_slot.max(1)).max(1)
}

/// Writes what it reads: `task`, `slots:4`, `tasks:4`.
impl fmt::Display for JobShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneSlot => f.write_str("task"),
            Self::Slots { cores_per_slot } => write!(f, "slots:{cores_per_slot}"),
            Self::Tasks { cores_per_slot } => write!(f, "tasks:{cores_per_slot}"),
        }
    }
}

/// Reads `task`, `slots:N` or `tasks:N`, where N is the cores of a slot.
impl FromStr for JobShape {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let cores = |text: &str| text.parse().ok().filter(|cores| *cores > 0);
        match text.split_once(':') {
            None if text == "task" => Some(Self::OneSlot),
            Some(("slots", rest)) => cores(rest).map(|cores_per_slot| Self::Slots { cores_per_slot }),
            Some(("tasks", rest)) => cores(rest).map(|cores_per_slot| Self::Tasks { cores_per_slot }),
            _ => None,
        }
        .ok_or_else(|| {
            format!("`{text}` is not a job shape; write task, slots:N or tasks:N with N cores to a slot")
        })
    }
}

/// How many jobs of a log were not used, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Jobs without a submit time.
    pub submit_unknown: u64,
    /// Jobs without a run time.
    pub run_unknown: u64,
    /// Jobs that ran for no time.
    pub run_zero: u64,
    /// Jobs that ran longer than [`ReadOptions::run_max`].
    pub run_too_long: u64,
    /// Jobs that were submitted outside the window.
    pub outside_window: u64,
}

impl LeftOut {
    /// Returns how many jobs were left out for any reason.
    pub const fn total(&self) -> u64 {
        self.submit_unknown + self.run_unknown + self.run_zero + self.run_too_long + self.outside_window
    }
}

/// Writes `12 without a run time, 3 outside the window`, or `none`.
impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reasons = [
            (self.submit_unknown, "without a submit time"),
            (self.run_unknown, "without a run time"),
            (self.run_zero, "that ran for no time"),
            (self.run_too_long, "that ran too long"),
            (self.outside_window, "outside the window"),
        ];
        let mut lead = "";
        for (count, reason) in reasons.iter().filter(|(count, _)| *count > 0) {
            write!(f, "{lead}{count} {reason}")?;
            lead = ", ";
        }
        if lead.is_empty() {
            f.write_str("none")
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_says_what_a_job_becomes() {
        for (text, cores, tasks_and_slots) in [
            ("task", 16, (1, 1)),
            ("slots:4", 16, (1, 4)),
            ("slots:4", 17, (1, 5)),
            ("tasks:16", 128, (8, 1)),
            ("tasks:16", 0, (1, 1)),
        ] {
            let shape: JobShape = text.parse().unwrap();
            assert_eq!(shape.to_string(), text);
            assert_eq!(
                shape.tasks_and_slots(cores),
                tasks_and_slots,
                "{text} of {cores} cores"
            );
        }
        for wrong in ["", "slots", "slots:0", "tasks:x", "nodes:2"] {
            assert!(
                wrong.parse::<JobShape>().unwrap_err().contains("slots:N"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_was_left_out_is_told_by_reason() {
        let left_out = LeftOut {
            run_unknown: 12,
            outside_window: 3,
            ..LeftOut::default()
        };
        assert_eq!(
            left_out.to_string(),
            "12 without a run time, 3 outside the window"
        );
        assert_eq!(
            (left_out.total(), LeftOut::default().to_string()),
            (15, "none".to_owned())
        );
    }
}
