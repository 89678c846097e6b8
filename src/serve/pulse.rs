//! What the loop does, so that whoever watches it can tell a long wait from a loop that hangs.
//!
//! ```text
//! waits until … ─► works since … ─┬─► waits until …
//!                                 └─ longer than the patience ─► no longer alive: the service manager starts it again
//! ```

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use super::systemd;

/// What the loop does; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Pulse(Arc<Mutex<Doing>>);

#[derive(Clone, Copy, Debug, Default)]
enum Doing {
    /// It has not begun, or is done: whoever waits for the lead says itself that it lives.
    #[default]
    Nothing,
    WaitsUntil(Instant),
    WorksSince(Instant),
}

impl Pulse {
    /// Takes in that it waits, so long at the most.
    pub(super) fn waits(&self, at_most: Duration) {
        let now = Instant::now();
        // A wait beyond what an instant can say has no end.
        *self.lock() = Doing::WaitsUntil(now.checked_add(at_most).unwrap_or(now));
    }

    /// Takes in that it works from now on.
    pub(super) fn works(&self) {
        *self.lock() = Doing::WorksSince(Instant::now());
    }

    /// Takes in that nothing is to be watched.
    pub(super) fn rests(&self) {
        *self.lock() = Doing::Nothing;
    }

    /// Says whether it does what it should: works no longer than the patience, waits no longer than that beyond its end.
    fn is_alive(&self, now: Instant, patience: Duration) -> bool {
        match *self.lock() {
            Doing::Nothing => false,
            Doing::WaitsUntil(since) | Doing::WorksSince(since) => {
                now.saturating_duration_since(since) < patience
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Doing> {
        // Whoever panicked while holding it left a moment that is as good as any.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the service manager that the loop is alive for as long as it is, three times in the time after which it would be killed.
    /// A loop that hangs is no longer told of after that time, and killed after as long again.
    pub(super) fn feed_watchdog(&self, runtime: &Handle, killed_after: Duration) {
        let pulse = self.clone();
        runtime.spawn(async move {
            loop {
                tokio::time::sleep(killed_after / 3).await;
                if pulse.is_alive(Instant::now(), killed_after) {
                    systemd::alive();
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_mins(1);

    fn after(pulse: &Pulse, seconds: u64) -> bool {
        pulse.is_alive(Instant::now() + Duration::from_secs(seconds), PATIENCE)
    }

    #[test]
    fn a_long_wait_is_alive_and_work_that_does_not_end_is_not() {
        let pulse = Pulse::default();
        assert!(!after(&pulse, 0), "nobody began");
        pulse.waits(Duration::from_hours(1));
        assert!(after(&pulse, 0) && after(&pulse, 3_600) && after(&pulse, 3_650));
        assert!(!after(&pulse, 3_670), "it should have looked by then");
        pulse.works();
        assert!(after(&pulse, 59) && !after(&pulse, 61));
        pulse.rests();
        assert!(!after(&pulse, 0));
    }
}
