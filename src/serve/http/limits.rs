//! The limits of the interface, each with its reason, and what is told when one is reached.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::problem::{Kind, Problem};

/// Bytes of a body: every policy of an account of hundreds of pools, which `POST /api/v1/plan` may bring.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;
/// Bytes of all headers of a request: a token, some of a proxy, and room to spare.
pub(super) const HEADER_BYTES_MAX: usize = 16 << 10;
/// Requests that are answered at the same time: each may read the ledger on a thread of its own.
pub(super) const AT_ONCE_MAX: usize = 64;
/// How long a request waits for its turn; whoever waits longer has asked again already.
pub(super) const TURN_WAIT_MAX: Duration = Duration::from_secs(5);
/// The longest answer: a search through a million lines takes a second, a look at a large account some tens of them.
pub(super) const ANSWER_MAX: Duration = Duration::from_mins(1);
/// Connections at the same time, idle ones included; a process has 1,024 files at the least, and the ledger and the account need some.
pub(super) const CONNECTIONS_MAX: usize = 512;
/// A connection on which nothing moves for so long is given up; listeners of events hear something every 15 seconds.
pub(super) const IDLE_MAX: Duration = Duration::from_secs(75);
/// Listeners of events at the same time: a dashboard for everyone in the team, and not every thread of a broken client.
pub(super) const LISTENERS_MAX: usize = 64;
/// How often a listener hears something when nothing happens: proxies close what is silent for a minute.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Events that are kept for those who were away for a moment: some minutes of a large account.
pub(super) const EVENTS_KEPT_MAX: usize = 2_000;
/// Bytes of the events that are kept; the line of a large backlog has some tens of KiB.
pub(super) const EVENT_BYTES_MAX: usize = 16 << 20;
/// Writes that may come at once: an operator who pauses a dozen pools by a script.
const WRITES_AT_ONCE: f64 = 20.0;
/// Writes a second in the long run; an operator makes one a minute.
const WRITES_PER_SECOND: f64 = 1.0;

/// Counts writes: so many at once, so many a second in the long run.
#[derive(Debug)]
pub(super) struct WriteRate(Mutex<(f64, Instant)>);

impl WriteRate {
    pub(super) fn new(now: Instant) -> Self {
        Self(Mutex::new((WRITES_AT_ONCE, now)))
    }

    /// Takes a write, or says that there were too many.
    pub(super) fn take(&self, now: Instant) -> Result<(), Problem> {
        // Whoever panicked while holding it left a number that is as good as any.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earned = now.saturating_duration_since(state.1).as_secs_f64() * WRITES_PER_SECOND;
        state.0 = (state.0 + earned).min(WRITES_AT_ONCE);
        state.1 = now;
        if state.0 < 1.0 {
            return Err(Problem::new(
                Kind::TooManyWrites,
                format!(
                    "more than {WRITES_AT_ONCE} writes at once, and {WRITES_PER_SECOND} a second after that"
                ),
                "wait a second; a pattern such as genomics-* pauses many pools at once",
            )
            .again_in(1));
        }
        state.0 -= 1.0;
        Ok(())
    }
}

pub(super) fn body_too_large() -> Problem {
    Problem::new(
        Kind::TooLarge,
        format!("the body has more than {} KiB", BODY_BYTES_MAX >> 10),
        "send fewer policies at a time",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_come_back_with_time() {
        let start = Instant::now();
        let rate = WriteRate::new(start);
        for _ in 0..20 {
            rate.take(start).unwrap();
        }
        assert_eq!(rate.take(start).unwrap_err().status, 429);
        assert!(rate.take(start + Duration::from_millis(1_100)).is_ok());
        assert!(rate.take(start + Duration::from_millis(1_200)).is_err());
    }
}
