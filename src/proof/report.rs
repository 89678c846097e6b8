//! What a script proved: every expectation with its result.

use serde::Serialize;

/// The result of a script that could be read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScriptReport {
    /// The script's name, as it was given.
    pub name: String,
    /// Every expectation in order.
    pub checks: Vec<Check>,
}

/// One expectation and whether it held.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// The line of the script, from 1.
    pub line: usize,
    /// The expectation as written.
    pub expectation: String,
    /// What was evaluated: its first line.
    pub evaluated: String,
    /// How it differed; `None` when it held.
    pub mismatch: Option<Mismatch>,
}

/// An expectation that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What was wanted.
    pub expected: String,
    /// What there was.
    pub got: String,
    /// What the evaluation did, a line for each statement.
    pub trace: Vec<String>,
}

impl ScriptReport {
    /// Returns how many expectations failed.
    pub fn failed(&self) -> usize {
        self.checks
            .iter()
            .filter(|check| check.mismatch.is_some())
            .count()
    }

    /// Says whether every expectation held.
    pub fn holds(&self) -> bool {
        self.failed() == 0
    }
}
