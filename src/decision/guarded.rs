//! Why guards restrain an outcome: the numbers and the sentence of each.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Nodes, Timestamp};

/// A rule of a schedule allows fewer nodes now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleMost {
    /// The most nodes of both lanes together.
    pub most: Nodes,
    /// Until when.
    pub until: Timestamp,
    /// What was asked for.
    pub asked: Nodes,
}

impl fmt::Display for ScheduleMost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { most, until, asked } = self;
        write!(
            f,
            "the schedule allows {most} nodes until {until}; {asked} were asked for"
        )
    }
}
