//! Pools that no policy speaks of any more, and that follow a formula of ours still: it is disabled, and the pool keeps its target.

use crate::account::{AllocationState, HaltScope, OwnFormula};
use crate::base::Timestamp;
use crate::decision::{Decision, PoolMemory, Reason, Stage};

use super::PoolView;

/// What stands in the place of a policy's name.
const NOBODY: &str = "(no policy)";

/// Says whether a formula of ours was installed on a pool, and not disabled since.
pub(super) fn is_leased(memory: &PoolMemory) -> bool {
    memory.ours.leased_at.is_some()
}

/// Returns what is decided about a pool that is given up: its formula is disabled, once that can be ordered; and where it follows none
/// of ours any more, that is said, for it is forgotten then.
pub(super) fn give_up(view: &PoolView, now: Timestamp) -> Option<Decision> {
    let is_free = view.state.allocation == AllocationState::Steady;
    let halted = view
        .halt
        .as_ref()
        .is_some_and(|halt| halt.holds(now) && halt.scope == HaltScope::All);
    let follows = follows_ours(view);
    if view.fault.is_some() || follows && (!is_free || halted) {
        return None;
    }
    let mut decision = Decision::begin(&view.state, now, NOBODY.into());
    decision.release = follows;
    let reason = if follows { Reason::GivenUp } else { Reason::LetGo };
    decision.step(Stage::Order, decision.start, reason);
    Some(decision)
}

/// Says whether a pool that was seen follows a formula of ours.
pub(super) fn follows_ours(view: &PoolView) -> bool {
    view.state.auto_scale && matches!(view.state.formula, Some(OwnFormula::Lease(_)))
}
