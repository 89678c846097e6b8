//! How many requests a second we allow ourselves: a token bucket whose rate halves when the service asks for less.
//!
//! The service publishes no limits and sends none in its headers; throttling shows as 429 or 503 alone.

use std::time::Duration;

/// The rate that is allowed, and what of it is left.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    /// The highest rate, in requests a second.
    ceiling: f64,
    allowed: f64,
    /// Requests that may go out at once; below zero when some wait already.
    left: f64,
    at: Duration,
    halved_at: Option<Duration>,
}

/// A tenth of the ceiling is always allowed, so that there is a next look.
const FLOOR: f64 = 0.1;
/// The share of the ceiling that comes back each second: from half to the whole in 25 seconds.
const RESTORED: f64 = 0.02;
/// Answers of one burst come within a second of each other and count as one.
const BURST: Duration = Duration::from_secs(1);
/// Seconds' worth of requests that may go out at once after a rest: a small account is looked at without a pause.
const REST: f64 = 2.0;

impl Rate {
    /// Returns a full bucket with a ceiling in requests a second.
    pub(super) fn new(ceiling: f64) -> Self {
        let ceiling = ceiling.max(0.1);
        Self {
            ceiling,
            allowed: ceiling,
            left: (ceiling * REST).max(1.0),
            at: Duration::ZERO,
            halved_at: None,
        }
    }

    /// Takes one request out and returns how long it has to wait.
    pub(super) fn take(&mut self, now: Duration) -> Duration {
        self.refill(now);
        self.left -= 1.0;
        if self.left >= 0.0 {
            Duration::ZERO
        } else {
            Duration::from_secs_f64(-self.left / self.allowed)
        }
    }

    /// Hears that the service asks for less.
    pub(super) fn throttled(&mut self, now: Duration) {
        self.refill(now);
        if self.halved_at.is_some_and(|then| now < then + BURST) {
            return;
        }
        self.halved_at = Some(now);
        self.allowed = (self.allowed / 2.0).max(self.ceiling * FLOOR);
        self.left = self.left.min(0.0);
    }

    fn refill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.allowed = (self.allowed + self.ceiling * RESTORED * passed).min(self.ceiling);
        self.left = (self.left + self.allowed * passed).min((self.allowed * REST).max(1.0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_rest_is_worth_two_seconds_and_then_the_rate_rules() {
        let mut rate = Rate::new(10.0);
        let waits: Vec<_> = (0..22).map(|_| rate.take(Duration::ZERO)).collect();
        assert!(waits[..20].iter().all(Duration::is_zero), "{waits:?}");
        assert_eq!(
            waits[20..],
            [Duration::from_millis(100), Duration::from_millis(200)]
        );
    }

    #[test]
    fn throttling_halves_once_a_burst_and_time_restores() {
        let mut rate = Rate::new(10.0);
        rate.throttled(seconds(10));
        rate.throttled(seconds(10));
        assert!((rate.allowed - 5.0).abs() < 1e-9, "{}", rate.allowed);
        rate.refill(seconds(20));
        assert!((rate.allowed - 7.0).abs() < 1e-9, "{}", rate.allowed);
        rate.refill(seconds(60));
        assert!((rate.allowed - 10.0).abs() < 1e-9, "{}", rate.allowed);
        for second in 60..90 {
            rate.throttled(seconds(second));
        }
        assert!(rate.allowed >= 1.0, "{}", rate.allowed);
    }
}
