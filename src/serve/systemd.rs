//! What the service manager is told: ready, reloading, stopping, and that ticks happen.
//!
//! Nobody listens where systemd did not start the process; nothing is told then.

use std::time::Duration;

use sd_notify::NotifyState;

/// Tells that it runs, and in which role.
pub(super) fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Tells that it reads its policies again.
pub(super) fn reloading() {
    if let Ok(now) = NotifyState::monotonic_usec_now() {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// Tells that it is about to end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Tells that a tick has come to its end.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// Returns after which silence the process is killed, when the service manager watches it.
pub(super) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled()
}

fn tell(states: &[NotifyState<'_>]) {
    // What cannot be told changes nothing of what is to be done.
    let _ = sd_notify::notify(states);
}
