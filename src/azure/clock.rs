//! Time for the client: the system's, one that a test moves, in which every pause is over at once and noted, or one that leaps.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::Utc;

use super::leaping::Leaping;
use crate::base::{Span, Timestamp};

/// Tells the time and lets time pass; cheap to clone.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's; the instant is the one that passed time is counted from.
    System(Instant),
    /// One that moves only by the pauses that are asked of it.
    Stepped(Arc<Stepped>),
    /// The machine's, run faster from an instant on, as that of a local account that is.
    Faster {
        /// From this instant on.
        since: Instant,
        /// Its time then.
        then: Timestamp,
        /// How many times as fast it runs.
        speed: f64,
    },
    /// One that leaps from wait to wait of a whole process.
    Leaping(Arc<Leaping>),
}

/// A clock that moves only by the pauses that are asked of it.
#[derive(Debug)]
pub struct Stepped {
    start: Timestamp,
    state: Mutex<(Timestamp, Vec<Duration>)>,
}

impl Clock {
    /// Returns the machine's clock.
    pub fn system() -> Self {
        Self::System(Instant::now())
    }

    /// Returns a clock that stands at a moment.
    pub fn stepped(at: Timestamp) -> Self {
        Self::Stepped(Arc::new(Stepped {
            start: at,
            state: Mutex::new((at, Vec::new())),
        }))
    }

    /// Returns the current time.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System(_) => Timestamp::from_utc(Utc::now()),
            Self::Stepped(clock) => clock.lock().0,
            Self::Faster { since, then, speed } => {
                *then + Span::from_seconds(since.elapsed().as_secs_f64() * speed)
            }
            Self::Leaping(clock) => clock.told(),
        }
    }

    /// Returns the time that everybody else has: what is signed is held against it.
    pub fn wall(&self) -> Timestamp {
        match self {
            Self::System(_) | Self::Faster { .. } => Timestamp::from_utc(Utc::now()),
            Self::Stepped(_) | Self::Leaping(_) => self.now(),
        }
    }

    /// Returns how much time has passed since the clock was made; never runs backwards.
    pub fn passed(&self) -> Duration {
        match self {
            Self::System(start) => start.elapsed(),
            Self::Stepped(clock) => to_duration(clock.lock().0.since(clock.start)),
            Self::Faster { since, speed, .. } => since.elapsed().mul_f64(*speed),
            Self::Leaping(clock) => to_duration(clock.passed()),
        }
    }

    /// Waits.
    pub async fn sleep(&self, pause: Duration) {
        match self {
            _ if pause.is_zero() => {}
            Self::System(_) => tokio::time::sleep(pause).await,
            Self::Faster { speed, .. } => tokio::time::sleep(pause.div_f64(*speed)).await,
            Self::Stepped(clock) => {
                let mut state = clock.lock();
                state.0 += to_span(pause);
                state.1.push(pause);
            }
            Self::Leaping(clock) => clock.sleep(to_span(pause)).await,
        }
    }

    /// Returns the pauses that were asked of a stepped clock, and forgets them.
    pub fn pauses(&self) -> Vec<Duration> {
        match self {
            Self::System(_) | Self::Faster { .. } | Self::Leaping(_) => Vec::new(),
            Self::Stepped(clock) => std::mem::take(&mut clock.lock().1),
        }
    }
}

impl Stepped {
    fn lock(&self) -> MutexGuard<'_, (Timestamp, Vec<Duration>)> {
        // Whoever panicked while holding it left an instant that is as good as any.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a span as the standard library's duration; what is negative is nothing.
pub(super) fn to_duration(span: Span) -> Duration {
    Duration::from_nanos(span.ticks().max(0).unsigned_abs().saturating_mul(100))
}

/// Returns a duration as a span.
pub(super) fn to_span(duration: Duration) -> Span {
    Span::from_ticks(i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_faster_clock_runs_faster_and_signs_by_the_machines() {
        let then = Timestamp::from_unix_seconds(0);
        let since = Instant::now().checked_sub(Duration::from_secs(2)).unwrap();
        let clock = Clock::Faster {
            since,
            then,
            speed: 60.0,
        };
        let passed = clock.now().since(then);
        assert!(Span::minutes(2) <= passed && passed < Span::hours(1), "{passed}");
        assert!(clock.wall() > Timestamp::from_unix_seconds(1_700_000_000));
    }

    #[test]
    fn spans_and_durations_are_the_same_to_the_tick() {
        let span = Span::from_ticks(12_345_678_901);
        assert_eq!(to_span(to_duration(span)), span);
        assert_eq!(to_duration(Span::seconds(-1)), Duration::ZERO);
    }
}
