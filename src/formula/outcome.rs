//! What an evaluation gives: targets, or a fault with its place; and the service's own record of the run.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ast::Place;
use crate::account::NodeDeallocationOption;
use crate::base::{LineColumn, Mix, Timestamp};

/// The targets that a run sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The targets, truncated as the service does; the pool's own where the formula sets none.
    pub target: Mix,
    /// The node deallocation option; the pool's own where the formula sets none.
    pub option: NodeDeallocationOption,
    /// Whether `stop()` ended the run.
    pub stopped: bool,
}

/// Why a run ended without targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// The service's code.
    pub code: FaultCode,
    /// Byte offset of the place that the service would name.
    pub offset: usize,
    /// Its line and column.
    pub at: LineColumn,
    /// What is wrong there, without the place.
    pub message: String,
}

/// The service's codes for a run that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultCode {
    /// A window held fewer samples than asked for.
    InsufficientSampleData,
    /// Anything else that goes wrong while evaluating.
    EvaluationError,
    /// The formula cannot be read.
    SyntaxError,
    /// The formula is longer than the service takes.
    TooLong,
}

impl FaultCode {
    /// Returns the code as the service writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InsufficientSampleData => "InsufficientSampleData",
            Self::EvaluationError => "AutoScalingFormulaEvaluationError",
            Self::SyntaxError => "AutoScalingFormulaSyntaxError",
            Self::TooLong => "AutoScaleFormulaTooLong",
        }
    }

    /// Returns the service's sentence for the code; the first two are recorded, the others documented.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::InsufficientSampleData => "Autoscale evaluation failed due to insufficient sample data",
            Self::EvaluationError => "The specified auto-scaling formula has evaluation error",
            Self::SyntaxError => "The specified auto-scaling formula has a syntax error.",
            Self::TooLong => "The specified auto-scaling formula exceeds lengths limit.",
        }
    }
}

/// Writes `Line 1, Col 24: …` as the service does.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Line {}, Col {}: {}",
            self.at.line, self.at.column, self.message
        )
    }
}

/// The service's record of one run (`AutoScaleRun` of the Batch REST API).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AutoScaleRun {
    /// When it ran.
    pub timestamp: Timestamp,
    /// `name=value` joined by `;`, exactly as the service prints it.
    pub results: String,
    /// What went wrong, if anything did.
    pub error: Option<AutoScaleRunError>,
}

/// What went wrong in a run (`AutoScaleRunError`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoScaleRunError {
    /// The service's code.
    pub code: String,
    /// The service's sentence.
    pub message: String,
    /// Details; the one named `Message` says where and what.
    pub values: Vec<NameValuePair>,
}

/// A name and its value (`NameValuePair`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameValuePair {
    /// The name.
    pub name: String,
    /// The value.
    pub value: String,
}

impl From<&Fault> for AutoScaleRunError {
    fn from(fault: &Fault) -> Self {
        Self {
            code: fault.code.word().to_owned(),
            message: fault.code.sentence().to_owned(),
            values: vec![NameValuePair {
                name: "Message".to_owned(),
                value: fault.to_string(),
            }],
        }
    }
}

/// A value of any type, for traces and tests.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Double(f64),
    /// A vector.
    DoubleVec(Vec<f64>),
    /// An instant.
    Timestamp(Timestamp),
    /// A length of time.
    TimeInterval(crate::base::Span),
    /// A string.
    Text(std::sync::Arc<str>),
}

/// What happened in a run, statement by statement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The statements that ran; the last one may have failed or stopped the run.
    pub statements: Vec<TracedStatement>,
}

/// One statement of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct TracedStatement {
    /// Bytes of the source.
    pub span: Place,
    /// The name it sets; `None` for a bare expression.
    pub name: Option<String>,
    /// Its value; `None` where it failed or stopped the run. A target's value is untruncated.
    pub value: Option<Value>,
    /// Which samples it read, in the order of reading.
    pub reads: Vec<SampleRead>,
    /// Which undocumented behaviour it leaned on.
    pub leans: Vec<(super::Lean, Place)>,
}

/// One look at the samples.
#[derive(Clone, Debug, PartialEq)]
pub struct SampleRead {
    /// The data set.
    pub metric: crate::signal::Metric,
    /// Which method looked.
    pub method: super::builtin::Method,
    /// The window's bounds, older first; `None` where the newest samples were asked for.
    pub window: Option<(Timestamp, Timestamp)>,
    /// How many samples it could have found.
    pub possible: u32,
    /// The samples it found, newest first; at most the first 32 of them.
    pub values: Vec<f64>,
    /// How many it found.
    pub present: usize,
}
