//! A clock that leaps: time stands still while anything can be done, and then it is the next moment that somebody waits for.
//!
//! A runtime of one thread calls [`Leaping::leap`] when it has nothing to do (`on_thread_park`), so that weeks of waiting
//! pass as fast as the work in between. What the clock tells may be off from the true time, as clocks of machines are.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::base::{Span, Timestamp};

/// A clock that leaps.
#[derive(Debug)]
pub struct Leaping {
    start: Timestamp,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: Timestamp,
    /// How far off it tells the time.
    off: Span,
    /// Who waits for what, in the order of their moments and then of their coming.
    waits: BTreeMap<(Timestamp, u64), Waker>,
    n_waits: u64,
}

/// A wait for a moment; it is given up when it is dropped.
#[derive(Debug)]
pub struct Sleep<'a> {
    clock: &'a Leaping,
    until: Timestamp,
    key: Option<(Timestamp, u64)>,
}

impl Leaping {
    /// Returns a clock that stands at a moment.
    pub fn new(start: Timestamp) -> Self {
        let state = State {
            now: start,
            off: Span::ZERO,
            waits: BTreeMap::new(),
            n_waits: 0,
        };
        Self {
            start,
            state: Mutex::new(state),
        }
    }

    /// Returns the true time.
    pub fn now(&self) -> Timestamp {
        self.lock().now
    }

    /// Returns the time that it tells.
    pub fn told(&self) -> Timestamp {
        let state = self.lock();
        state.now + state.off
    }

    /// Returns how much time has truly passed.
    pub fn passed(&self) -> Span {
        self.now() - self.start
    }

    /// Sets it wrong, or right with nothing.
    pub fn set_off(&self, off: Span) {
        self.lock().off = off;
    }

    /// Waits.
    pub fn sleep(&self, pause: Span) -> Sleep<'_> {
        Sleep {
            clock: self,
            until: self.now() + pause,
            key: None,
        }
    }

    /// Leaps to the next moment that somebody waits for, and wakes them.
    ///
    /// # Panics
    /// When nobody waits for anything: whoever called this would wait for ever.
    pub fn leap(&self) {
        let mut state = self.lock();
        let ((at, _), waker) = state.waits.pop_first().expect("somebody waits for something");
        state.now = state.now.max(at);
        drop(state);
        waker.wake();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Whoever panicked while holding it left an instant that is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut state = self.clock.lock();
        if let Some(key) = self.key {
            state.waits.remove(&key);
        }
        if state.now >= self.until {
            drop(state);
            self.key = None;
            return Poll::Ready(());
        }
        let key = (self.until, state.n_waits);
        state.n_waits += 1;
        state.waits.insert(key, context.waker().clone());
        drop(state);
        self.key = Some(key);
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.clock.lock().waits.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::azure::Clock;

    #[test]
    fn a_runtime_without_work_leaps_from_wait_to_wait_in_order() {
        let start: Timestamp = "2026-11-25T10:00:00Z".parse().unwrap();
        let clock = Arc::new(Leaping::new(start));
        let leaping = clock.clone();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .on_thread_park(move || leaping.leap())
            .build()
            .unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        runtime.block_on(async {
            let mut waits = tokio::task::JoinSet::new();
            for hours in [5_i64, 1, 24 * 365, 1] {
                let (clock, order) = (Clock::Leaping(clock.clone()), order.clone());
                waits.spawn(async move {
                    clock
                        .sleep(std::time::Duration::from_hours(hours.unsigned_abs()))
                        .await;
                    order.lock().unwrap().push((hours, clock.now()));
                });
            }
            // One that is given up is not waited for.
            drop(clock.sleep(Span::days(4000)));
            while waits.join_next().await.is_some() {}
        });
        let hours = [1, 1, 5, 24 * 365].map(|hours| (hours, start + Span::hours(hours)));
        assert_eq!(*order.lock().unwrap(), hours);
        clock.set_off(Span::hours(-2));
        assert_eq!(clock.told(), clock.now() - Span::hours(2));
        assert_eq!(clock.passed(), Span::hours(24 * 365));
    }
}
