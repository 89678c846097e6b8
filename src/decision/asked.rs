//! Why strategies ask for what they ask for: the numbers and the sentence of each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Timestamp};

/// A schedule needs this many usable nodes now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleAsk {
    /// Which of its rules asks for the most, from 1; `None` when none holds.
    pub rule: Option<u32>,
    /// The nodes.
    pub at_least: Nodes,
    /// When a rule next begins or ends; `None` when none ever does.
    pub next_change: Option<Timestamp>,
}

impl fmt::Display for ScheduleAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rule {
            Some(rule) => write!(
                f,
                "rule {rule} of the schedule needs {} usable nodes",
                self.at_least
            )?,
            None => f.write_str("no rule of the schedule holds")?,
        }
        match self.next_change {
            Some(at) => write!(f, "; next change at {at}"),
            None => f.write_str("; no change to come"),
        }
    }
}
