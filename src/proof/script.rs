//! A script that has been read: its steps with their places.

use std::ops::Range;

use crate::account::NodeDeallocationOption;
use crate::base::{LineColumn, Timestamp};
use crate::formula::{PoolFacts, Scope, Value};
use crate::signal::{Metric, Series};

/// One command with its place.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Bytes of the script.
    pub(super) span: Range<usize>,
    pub(super) act: Act,
}

/// What a command does.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Clear,
    Series(Metric, Series),
    /// The change of the pool is made while reading; the step carries the whole.
    Pool(PoolFacts),
    Now(Timestamp),
    Seed(u64),
    Scope(Scope),
    Formula(Text),
    Eval {
        at: Option<Timestamp>,
        /// `None` evaluates the formula that the script defined.
        text: Option<String>,
    },
    Expect(Expectation),
}

/// Where the text of a formula comes from.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Inline(String),
    /// A file, by its path relative to the script.
    File(String),
}

/// What an evaluation must give.
#[derive(Clone, Debug)]
pub(super) enum Expectation {
    /// The value of the last statement, or of the name.
    Value(Option<String>, Wanted),
    Prints(String, String),
    Dedicated(u32),
    Spot(u32),
    Option(NodeDeallocationOption),
    Stopped,
    Results(String),
    Fault {
        code: String,
        at: Option<LineColumn>,
        detail: Option<String>,
    },
    Diagnostic {
        code: String,
        at: Option<LineColumn>,
        words: Option<String>,
    },
    NoDiagnostic(Option<String>),
    Lean(String, Option<LineColumn>),
    NoLean(Option<String>),
    Read {
        metric: Metric,
        values: Option<Wanted>,
        present: Option<usize>,
        possible: Option<u32>,
    },
    NoRead(Option<Metric>),
}

/// A value with the tolerance its numbers have.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) value: Value,
    /// `None` is a part in 10⁹.
    pub(super) tolerance: Option<f64>,
}
