//! Whether a request is worth another try, and after which pause: a pure function of what happened and of chance.

use std::time::Duration;

use super::Fault;

/// Whether a request may be sent again when nobody knows whether the first one was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// It changes nothing, or the same twice.
    Safe,
    /// Only when it was certainly not taken.
    IfNotTaken,
}

/// The tries of one request: a loop that looks again at the next tick needs no more.
pub(super) const TRIES_MAX: u32 = 4;
/// The first pause at its longest, which doubles from try to try.
const PAUSE: Duration = Duration::from_millis(800);
/// The longest pause of our own.
const PAUSE_MAX: Duration = Duration::from_secs(20);

/// Returns the pause before the next try, or nothing when there is to be none.
///
/// `tried` counts the tries so far; `chance`, from 0 to 1, spreads clients that fail together.
pub(super) fn pause(repeat: Repeat, tried: u32, fault: &Fault, chance: f64) -> Option<Duration> {
    let worth = match fault {
        Fault::Unreachable { .. } => true,
        Fault::TimedOut { .. } | Fault::Torn { .. } => repeat == Repeat::Safe,
        Fault::Refused { status, .. } => {
            let certainly_not_taken = matches!(status, 408 | 429 | 503);
            certainly_not_taken || *status >= 500 && repeat == Repeat::Safe
        }
        _ => false,
    };
    if !worth || tried >= TRIES_MAX {
        return None;
    }
    let most = PAUSE_MAX.min(PAUSE * 2_u32.pow(tried.saturating_sub(1)));
    let own = most.mul_f64(0.5 + 0.5 * chance);
    let asked = match fault {
        Fault::Refused { retry_after, .. } => *retry_after,
        _ => None,
    };
    Some(asked.map_or(own, |asked| asked.max(own)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, retry_after: Option<u64>) -> Fault {
        Fault::Refused {
            request: String::new(),
            status,
            code: String::new(),
            message: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    fn lost() -> Fault {
        Fault::Torn {
            server: String::new(),
            why: String::new(),
        }
    }

    #[test]
    fn only_what_is_worth_it_is_tried_again() {
        for (fault, safe, once) in [
            (refused(408, None), true, true),
            (refused(429, None), true, true),
            (refused(503, None), true, true),
            (refused(500, None), true, false),
            (refused(504, None), true, false),
            (lost(), true, false),
            (refused(400, None), false, false),
            (refused(403, None), false, false),
            (refused(404, None), false, false),
            (refused(409, None), false, false),
            (refused(412, None), false, false),
        ] {
            assert_eq!(pause(Repeat::Safe, 1, &fault, 0.5).is_some(), safe, "{fault}");
            assert_eq!(
                pause(Repeat::IfNotTaken, 1, &fault, 0.5).is_some(),
                once,
                "{fault}"
            );
        }
        assert_eq!(pause(Repeat::Safe, TRIES_MAX, &lost(), 0.5), None);
    }

    #[test]
    fn pauses_double_and_are_spread_and_the_service_has_the_last_word() {
        let of = |tried, chance| pause(Repeat::Safe, tried, &lost(), chance).unwrap().as_millis();
        assert_eq!(
            [of(1, 0.0), of(1, 1.0), of(2, 1.0), of(3, 1.0)],
            [400, 800, 1600, 3200]
        );
        let asked = refused(429, Some(7));
        assert_eq!(pause(Repeat::Safe, 1, &asked, 1.0), Some(Duration::from_secs(7)));
        let asked = refused(429, Some(0));
        assert_eq!(
            pause(Repeat::Safe, 1, &asked, 1.0),
            Some(Duration::from_millis(800))
        );
    }
}
