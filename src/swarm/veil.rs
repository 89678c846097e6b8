//! What a look at a pool comes to when something is wrong with it.

use super::dice::Dice;
use super::faults::FaultKind;
use super::weather::Weather;
use crate::account::{PoolState, RefusalKind};
use crate::engine::{ObserveError, PoolView};

/// What was seen of a pool before.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// As it was last seen whole.
    state: Option<PoolState>,
    /// As it was seen first since answers may come again.
    earlier: Option<PoolView>,
}

impl Before {
    /// Sees a pool whole.
    pub(super) fn see(&mut self, view: &PoolView, weather: &Weather) {
        self.state = Some(view.state.clone());
        let comes_again = weather.likely().iter().any(|(kind, _)| *kind == FaultKind::Stale);
        if !comes_again {
            self.earlier = None;
        } else if self.earlier.is_none() {
            self.earlier = Some(view.clone());
        }
    }
}

/// Says whether a kind of fault can strike a call that writes, or one that reads.
pub(super) const fn can_meet(kind: FaultKind, writes: bool) -> bool {
    match kind {
        FaultKind::Conflict | FaultKind::Changed | FaultKind::Late | FaultKind::Twice => writes,
        FaultKind::Unreadable | FaultKind::Partial | FaultKind::Stale => !writes,
        _ => true,
    }
}

/// Says whether nothing can be seen at all when a fault strikes the list of pools.
pub(super) const fn blinds(kind: FaultKind) -> bool {
    !matches!(kind, FaultKind::Partial | FaultKind::Stale | FaultKind::Slow)
}

/// Returns how the client tells an order that a fault kept from its pool.
pub(super) const fn refusal(kind: FaultKind) -> RefusalKind {
    match kind {
        FaultKind::Throttled | FaultKind::ThrottledFor => RefusalKind::Throttled,
        FaultKind::Conflict => RefusalKind::Resizing,
        FaultKind::Changed => RefusalKind::Changed,
        _ => RefusalKind::Unreachable,
    }
}

/// Spoils what is seen of a pool; says whether something of it could not be read.
pub(super) fn spoil(view: &mut PoolView, kind: FaultKind, before: &mut Before, dice: &mut Dice) -> bool {
    match kind {
        FaultKind::Slow => false,
        FaultKind::Stale => {
            if let Some(earlier) = &before.earlier {
                *view = earlier.clone();
            }
            false
        }
        FaultKind::Partial => {
            thin(view, dice);
            false
        }
        _ => {
            hide(view, kind, before);
            true
        }
    }
}

/// Hides a pool, which is told as it was last seen.
fn hide(view: &mut PoolView, kind: FaultKind, before: &Before) {
    if let Some(state) = &before.state {
        view.state.clone_from(state);
    }
    view.samples.clear();
    view.work = None;
    view.fault = Some(ObserveError {
        message: format!("a fault of the swarm: {kind}"),
        retry: true,
    });
}

/// Takes away some of what is seen, or makes it nothing.
fn thin(view: &mut PoolView, dice: &mut Dice) {
    match dice.between(0, 4) {
        0 => view.samples.clear(),
        1 => view.samples.retain(|_| dice.chance(0.5)),
        2 => view.samples.iter_mut().for_each(|sample| sample.value = f64::NAN),
        // They come twice.
        3 => view.samples.extend_from_within(..),
        _ => view.work = None,
    }
}
