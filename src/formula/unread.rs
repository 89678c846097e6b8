//! What the service would answer for a formula that it cannot read.

use super::{AutoScaleRun, AutoScaleRunError, Fault, FaultCode, Inputs};
use crate::base::{Code, Diagnostic, LineIndex};

/// The code of a formula that is longer than the service takes.
const TOO_LONG: Code = Code("F001");

impl AutoScaleRun {
    /// Returns the record of a run that never began, because the formula has syntax faults; the pool keeps its targets.
    ///
    /// The service refuses such a formula with status 400, and no recording shows the text of its detail; the first fault is
    /// told here in the style of an evaluation error.
    pub fn unread(source: &str, faults: &[Diagnostic], inputs: &Inputs<'_>) -> Self {
        let first = faults.first();
        let code = match first {
            Some(fault) if fault.code == TOO_LONG => FaultCode::TooLong,
            _ => FaultCode::SyntaxError,
        };
        let offset = first.map_or(0, |fault| fault.span.start);
        let fault = Fault {
            code,
            offset,
            at: LineIndex::new(source).at(offset),
            message: first.map_or_else(String::new, |fault| fault.message.clone()),
        };
        let pool = inputs.pool;
        Self {
            timestamp: inputs.now,
            results: format!(
                "$TargetDedicatedNodes={};$TargetLowPriorityNodes={};$NodeDeallocationOption={}",
                pool.target.dedicated, pool.target.spot, pool.option
            ),
            error: Some(AutoScaleRunError::from(&fault)),
        }
    }
}
