//! When to try spot again after dedicated nodes have taken its place.
//!
//! A canary, a spot target of one that stays, tells at once when capacity is back, and costs nothing while it is not; but where
//! a request that stays open blocks other changes of the pool, an attempt costs something each time it is made. Between two
//! attempts the end of the outage is not seen, and dedicated nodes are paid for in vain at u an hour. With attempts every x at a
//! cost of c, and an outage that ends at the hazard h, their number until the end is seen is geometric, so that an outage costs
//!
//! ```text
//! V(x) = (c + u x)/(1 - e^(-h x)) - u/h
//! ```
//!
//! (attempts, and the time between the end and the attempt that sees it). V is least where e^y - 1 - y = h c/u with y = h x; for
//! small y that is x = sqrt(2 c/(u h)), the law of inspections (Barlow, Hunter, Proschan, Optimum checking procedures, 1963). The
//! hazard of an outage falls with its age; the interval is found anew after each attempt with the hazard as it is then, and so
//! attempts thin out.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProblemError;
use super::problem::{amount, not_negative};
use crate::base::{Span, Usd, UsdHourly};
use crate::market::Hazard;

/// What an attempt costs and what it may save.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    /// The hazard of the outage to end, at its age now.
    pub ends: Hazard,
    /// What dedicated nodes cost more than spot nodes in their place, for each hour.
    pub premium: UsdHourly,
    /// What an attempt costs: a blocked resize, calls, a node that starts for nothing.
    pub attempt: Usd,
    /// The longest time between two attempts; what was learned of an outage may be wrong.
    pub longest: Span,
}

/// When to try spot again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "probe", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum ProbePlan {
    /// A canary stays: trying costs nothing.
    Canary,
    /// The next attempt, this long after the last.
    After {
        /// The span.
        span: Span,
        /// Whether it is the longest allowed one that ends it, and not the costs.
        at_longest: bool,
    },
    /// Not at all: spot saves nothing.
    Never,
}

/// Returns when to try spot again.
///
/// # Errors
///
/// The first number that is no amount, or a longest time below zero.
pub fn probe(ask: &Probe) -> Result<ProbePlan, ProblemError> {
    amount("ends", ask.ends.0)?;
    amount("premium", ask.premium.0)?;
    amount("attempt", ask.attempt.0)?;
    not_negative("longest", ask.longest)?;
    if ask.premium.0 <= 0.0 {
        return Ok(ProbePlan::Never);
    }
    if ask.attempt.0 <= 0.0 {
        return Ok(ProbePlan::Canary);
    }
    let hours = if ask.ends.0 > 0.0 {
        root(ask.ends.0 * ask.attempt.0 / ask.premium.0) / ask.ends.0
    } else {
        f64::INFINITY
    };
    let at_longest = hours >= ask.longest.as_hours();
    let span = if at_longest {
        ask.longest
    } else {
        Span::from_seconds(hours * 3600.0)
    };
    Ok(ProbePlan::After { span, at_longest })
}

/// Returns the root y of e^y - 1 - y = target, to the last digits.
fn root(target: f64) -> f64 {
    // The left side is at least y²/2, and at least e^y/4 from y = 1.7 on.
    let mut low = 0.0_f64;
    let mut high = (2.0 * target).sqrt().min((4.0 * target).max(6.0).ln());
    // Each step halves what is left; 64 leave nothing.
    for _ in 0..64 {
        let middle = f64::midpoint(low, high);
        // For a small y the difference of e^y - 1 and y is lost in rounding; its series is not.
        let value = if middle < 1e-3 {
            middle * middle * (0.5 + middle / 6.0)
        } else {
            middle.exp_m1() - middle
        };
        if value < target {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(ends: f64, attempt: f64) -> Probe {
        Probe {
            ends: Hazard(ends),
            premium: UsdHourly(1.0),
            attempt: Usd(attempt),
            longest: Span::hours(6),
        }
    }

    fn hours(ask: &Probe) -> f64 {
        match probe(ask).unwrap() {
            ProbePlan::After { span, .. } => span.as_hours(),
            plan => panic!("{plan:?}"),
        }
    }

    #[test]
    fn cheap_attempts_are_made_often_and_free_ones_always() {
        // sqrt(2 * 0.001/(1 * 0.5)) = 0.0632 h.
        assert!((hours(&ask(0.5, 0.001)) - 0.0632).abs() < 1e-3);
        assert_eq!(probe(&ask(0.5, 0.0)), Ok(ProbePlan::Canary));
        assert_eq!(
            probe(&ask(0.0, 0.1)),
            Ok(ProbePlan::After {
                span: Span::hours(6),
                at_longest: true
            })
        );
        let mut worthless = ask(1.0, 0.1);
        worthless.premium = UsdHourly(0.0);
        assert_eq!(probe(&worthless), Ok(ProbePlan::Never));
        worthless.attempt = Usd(f64::NAN);
        assert!(probe(&worthless).is_err());
    }

    proptest! {
        #[test]
        fn no_other_interval_is_cheaper(ends in 0.01..5.0_f64, attempt in 0.001..2.0_f64, factor in 0.1..10.0_f64) {
            let ask = Probe { longest: Span::days(900), ..ask(ends, attempt) };
            let value = |x: f64| (attempt + x) / -(-ends * x).exp_m1();
            let best = hours(&ask);
            prop_assert!(value(best) <= value(best * factor) * (1.0 + 1e-6));
        }

        #[test]
        fn attempts_thin_out_as_an_outage_ages(ends in 0.01..5.0_f64, falls in 0.0..1.0_f64, attempt in 0.001..2.0_f64) {
            prop_assert!(hours(&ask(ends * falls, attempt)) >= hours(&ask(ends, attempt)) - 1e-6);
        }
    }
}
