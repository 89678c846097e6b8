//! What runs elsewhere, brought here: pools with formulas of their own, and what other tools make such formulas from.
//!
//! Every importer makes [`Draft`]s: policies with the formula that runs today, bounds and interval found, and all that could not
//! be brought told by name. Nothing is made up: what is not known is left out and said.

mod apart;
mod codes;
mod draft;
mod length;
mod lenient;
mod log;
mod native;
mod nextflow;
mod pool;
mod replay;
mod shipyard;

use std::ops::Range;

pub use apart::{Apart, Difference, apart};
pub use codes::CODES;
pub use draft::{Bound, Draft, Wanted};
pub use log::{LogEntry, LoggedRun, read_log};
pub use native::{draft, native};
pub use nextflow::nextflow;
pub use pool::NativePool;
pub use replay::{Replay, Replayed};
pub use shipyard::shipyard;

use crate::base::{Code, Diagnostic};

/// What an importer brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Brought {
    /// A policy for each pool.
    pub drafts: Vec<Draft>,
    /// What was not brought, by place.
    pub findings: Vec<Diagnostic>,
}

const NOT_MAPPED: Code = Code("I006");

/// Tells that a setting has no counterpart.
fn not_mapped(span: Range<usize>, what: &str, why: &str) -> Diagnostic {
    Diagnostic::note(NOT_MAPPED, span, format!("{what} was not brought")).help(why)
}
