//! What is wrong with a job log, with its line.

use std::fmt;
use std::ops::Range;

use crate::base::Code;

/// A log with a systematic fault has it on every line; twenty of them are enough to see the pattern.
pub const FAULTS_MAX: usize = 20;

/// Characters of a line that are kept to be shown; a job line of the archive is about 100 long.
const SHOWN_MAX: usize = 200;

/// `S040`: the text cannot be read or inflated, or it is larger than a log may be.
pub const UNREADABLE: Code = Code("S040");
/// `S041`: the text is in no known format.
pub const UNKNOWN_FORMAT: Code = Code("S041");
/// `S042`: a line does not have the fields that its format needs.
pub const WRONG_LINE: Code = Code("S042");
/// `S043`: no task is left to run.
pub const NO_TASK: Code = Code("S043");

/// Everything that is wrong with one job log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct WorkloadError {
    /// The name that the log was given.
    pub name: String,
    /// The faults, by line; at most [`FAULTS_MAX`].
    pub faults: Vec<Fault>,
}

/// One fault of a job log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which fault it is.
    pub code: Code,
    /// The line, from 1; `None` when the fault is of the whole log.
    pub line: Option<u64>,
    /// The line's text, shortened when it is long; empty when there is none.
    pub text: String,
    /// Bytes of `text` that it is about.
    pub span: Range<usize>,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// The way out.
    pub help: String,
}

impl Fault {
    /// Returns a fault of the whole log.
    pub(super) fn whole(code: Code, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            line: None,
            text: String::new(),
            span: 0..0,
            message: message.into(),
            help: help.into(),
        }
    }

    /// Sets the line that it is on.
    pub(super) fn on_line(mut self, line: u64) -> Self {
        self.line = Some(line);
        self
    }

    /// Sets the text to show and the word in it that is wrong.
    pub(super) fn showing(mut self, text: &str, word: &str) -> Self {
        self.text = text.chars().take(SHOWN_MAX).collect();
        self.span = self
            .text
            .find(word)
            .map_or(0..self.text.len(), |at| at..at + word.len());
        self
    }
}

/// Writes one line a fault: `jobs.swf:17: message; help`.
impl fmt::Display for WorkloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}", self.name)?;
            if let Some(line) = fault.line {
                write!(f, ":{line}")?;
            }
            write!(f, ": {}; {}", fault.message, fault.help)?;
        }
        if self.faults.len() >= FAULTS_MAX {
            write!(f, "\n{}: reading stopped after {FAULTS_MAX} faults", self.name)?;
        }
        Ok(())
    }
}
