//! A mistake of ours ends what is decided for one pool, and nothing else: the pool is held, and says why.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::account::PoolState;
use crate::base::Timestamp;
use crate::decision::{Decision, Reason};
use crate::policy::Policy;

/// What a mistake says beyond this is not told.
const MESSAGE_CHARS_MAX: usize = 300;

/// Does something for one pool; a mistake of ours in it comes back as the reason to hold that pool.
pub(super) fn caught<T>(what: impl FnOnce() -> T) -> Result<T, Reason> {
    // What it was about to change is of that pool alone: the next look takes it in again, or holds the pool again.
    catch_unwind(AssertUnwindSafe(what)).map_err(|said| {
        let text = said.downcast_ref::<String>().map(String::as_str);
        let text = text
            .or_else(|| said.downcast_ref::<&str>().copied())
            .unwrap_or("");
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Reason::Mistake {
            message: line.chars().take(MESSAGE_CHARS_MAX).collect(),
        }
    })
}

/// Holds a pool that nothing could be decided for.
pub(super) fn hold_mistaken(policy: &Policy, pool: &PoolState, now: Timestamp, mistake: Reason) -> Decision {
    let mut decision = Decision::begin(pool, now, policy.name.clone());
    decision.hold_because(mistake);
    decision
}
