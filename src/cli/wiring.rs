//! The one place that names concrete parts: clocks, worlds and sources.

use chrono::Utc;

use crate::base::Timestamp;

/// Returns the current time; nothing else in the house reads a clock for a decision.
pub(super) fn now() -> Timestamp {
    Timestamp::from_utc(Utc::now())
}
