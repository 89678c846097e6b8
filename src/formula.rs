//! The Azure Batch autoscale formula language: text → tree → typed tree → closures → outcome.
//!
//! ```text
//! source ─ parse ─► Ast ─ check ─► Checked ─ compile ─► Program ─ run(inputs) ─► Outcome | Fault
//!                    │               └─► lints, proven ranges of the targets
//!                    └─► printed in canonical layout
//! ```

pub mod ast;
pub mod builtin;
mod check;
pub mod checked;
pub mod codes;
mod compile;
mod datetime;
pub mod documented;
mod evaluator;
mod inputs;
mod layout;
mod lean;
mod lint;
mod outcome;
mod parse;
mod print;
mod print_value;
mod range;
mod retrace;
mod run;

pub use evaluator::{Evaluator, Formula};
pub use inputs::{Dialect, Inputs, PoolFacts, Scope};
pub use lean::Lean;
pub use lint::{lint, looks_back};
pub use outcome::{
    AutoScaleRun, AutoScaleRunError, Fault, FaultCode, NameValuePair, Outcome, SampleRead, Trace,
    TracedStatement, Value,
};
pub use parse::{CHARACTERS_MAX, tree};
pub use print::{FormatError, format};
pub use range::{Basis, TargetRange, TargetRanges, target_ranges};
pub(crate) use retrace::split_results;
pub use retrace::{Check, Divergence, How, RecordedRun, Retraced, Verdict, retrace, retrace_on};
