//! The one place that names concrete parts: clocks, worlds and sources.

use chrono::Utc;

use crate::base::{Diagnostic, Timestamp};
use crate::formula::PoolFacts;
use crate::signal::History;
use crate::world::{EvalInputs, InputsFile};

/// Returns the current time; nothing else in the house reads a clock for a decision.
pub(super) fn now() -> Timestamp {
    Timestamp::from_utc(Utc::now())
}

/// Reads the inputs of one evaluation.
pub(super) fn read_inputs(text: &str) -> Result<EvalInputs, Vec<Diagnostic>> {
    InputsFile::parse(text)
}

/// Returns the inputs of an evaluation now, of a pool without nodes or samples.
pub(super) fn inputs_of_nothing() -> EvalInputs {
    EvalInputs {
        now: now(),
        pool: PoolFacts::default(),
        history: History::new(),
        seed: 0,
    }
}
