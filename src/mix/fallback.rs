//! How long to wait for spot when it does not come, before dedicated nodes are ordered in its place.
//!
//! Waiting for a span w and then paying for dedicated nodes is ski rental with a known distribution of the season: waiting is the
//! rent, the premium of dedicated nodes the skis. An outage that lasts until now ends at a time T from now with survival S and
//! hazard h. With l the cost of an hour of waiting and P the premium, which is saved when spot comes first,
//!
//! ```text
//! J(w) = l E min(T, w) + P S(w)          dJ/dw = S(w) (l - P h(w))
//! ```
//!
//! so that one waits while the hazard of the outage to end is above l/P. Its chances are given by value; between two of them the
//! hazard is taken to be constant, so J is monotone there and the best w is one of their times or the latest one allowed: the
//! search is exact. The hazard falls with the age of an outage on every recorded market, then one stops where it crosses l/P, but
//! nothing is assumed of that.
//!
//! A higher hazard never shortens the wait: J(w') - J(w) for w < w' is S(w) (l E min(T - w, w' - w) - P P(T < w')) given T > w,
//! and both terms fall. The same holds for a higher premium, and for a lower cost of waiting.
//!
//! Two things end the wait whatever it would save: the slack of the demand, less the time that nodes take to boot, and the share
//! of the error budget that one outage may use, at the rate at which waiting uses it.
//!
//! Sources: Karlin et al., Competitive randomized algorithms for nonuniform problems (ski rental; average case); the budget rule
//! is that of site reliability engineering (Beyer et al., ch. 3): misses are allowed until the budget is spent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProblemError;
use super::problem::{amount, not_negative, share};
use crate::base::{Probability, Span, Usd, UsdHourly};

/// Work that waits for spot in an outage.
#[derive(Clone, Debug, PartialEq)]
pub struct Wait {
    /// The chances of the outage to end, given that it lasts now. Times rise and chances do not fall; past the last one the
    /// outage is taken to go on.
    pub ends: Vec<EndsWithin>,
    /// What the work costs more when dedicated nodes do it, once ordered: price difference times node-hours.
    pub premium: Usd,
    /// What an hour of waiting costs.
    pub waiting: UsdHourly,
    /// The longest that the work can wait for usable nodes without being late.
    pub slack: Span,
    /// How long nodes take to boot; the slower lane.
    pub boot: Span,
    /// What is left of an error budget; `None` when there is none.
    pub budget: Option<ErrorBudget>,
}

/// The chance of an outage to end within a span from now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EndsWithin {
    /// The span.
    pub span: Span,
    /// The chance.
    pub chance: Probability,
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ErrorBudget {
    /// The misses that are left, those already expected taken off; what is below zero is none.
    pub left: f64,
    /// The misses that an hour of waiting adds.
    pub used_hourly: f64,
    /// The share of what is left that this outage may use, 0 to 1.
    pub share: f64,
}

/// How long to wait, and why not longer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaitPlan {
    /// How long to wait from now; zero is to order dedicated nodes at once.
    pub wait: Span,
    /// What ends the wait.
    pub until: WaitEnd,
    /// The chance that spot comes before, 0 to 1.
    pub chance: f64,
    /// What waiting and the premium are expected to cost together.
    pub cost: Usd,
    /// What ordering dedicated nodes at once would cost: the premium.
    pub cost_at_once: Usd,
}

/// What ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "end", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum WaitEnd {
    /// From then on the outage is too unlikely to end: an hour of waiting costs more than it can save.
    NotWorthIt {
        /// The hazard of the outage to end from which on waiting pays, per hour; `None` when nothing can be saved.
        hazard_needed: Option<f64>,
    },
    /// The slack, less the time to boot.
    SlackGone {
        /// The slack.
        slack: Span,
        /// The time to boot.
        boot: Span,
    },
    /// The share of the error budget.
    BudgetGone {
        /// The misses left.
        left: f64,
    },
}

/// Returns how long to wait.
///
/// # Errors
///
/// The first number that is no amount, share or span, with the way out; and times or chances that do not rise.
pub fn wait(ask: &Wait) -> Result<WaitPlan, ProblemError> {
    ask.check()?;
    let (latest, end) = ask.latest();
    let mut here = Point {
        span: Span::ZERO,
        waited: 0.0,
        survives: 1.0,
    };
    let mut best = (here, ask.cost(&here));
    for (index, stop) in ask.stops(latest).enumerate() {
        here = ask.after(index, &here, stop);
        let cost = ask.cost(&here);
        // A wait that only costs as much is taken: it may end early.
        if cost <= best.1 {
            best = (here, cost);
        }
    }
    let (point, cost) = best;
    let until = if point.span == latest {
        end
    } else {
        WaitEnd::NotWorthIt {
            hazard_needed: (ask.premium.0 > 0.0).then(|| ask.waiting.0 / ask.premium.0),
        }
    };
    Ok(WaitPlan {
        wait: point.span,
        until,
        chance: 1.0 - point.survives,
        cost: Usd(cost),
        cost_at_once: ask.premium,
    })
}

/// A time to give up.
#[derive(Clone, Copy)]
struct Point {
    span: Span,
    /// The hours that are expected to be waited until then.
    waited: f64,
    /// The chance that the outage lasts until then.
    survives: f64,
}

/// Returns the survival at the end of a part of a stretch that it enters with `from` and leaves with `to`, and the area under it
/// over that part, in parts of the stretch.
fn within(part: f64, from: f64, to: f64) -> (f64, f64) {
    if to > 0.0 {
        // A constant hazard.
        let exponent = (from / to).ln() * part;
        let survives = from * (-exponent).exp();
        let mean = if exponent > 1e-9 {
            from * -(-exponent).exp_m1() / exponent
        } else {
            from
        };
        (survives, mean * part)
    } else {
        // It ends for sure in this stretch, nobody knows when: evenly. J is concave there, its ends still tell.
        let survives = from * (1.0 - part);
        (survives, part * f64::midpoint(from, survives))
    }
}

impl Wait {
    /// Returns the times at which giving up may be best: those of the chances that are allowed, and the latest.
    fn stops(&self, latest: Span) -> impl Iterator<Item = Span> {
        let known = self.ends.iter().map(|end| end.span);
        known
            .take_while(move |span| *span < latest)
            .chain(std::iter::once(latest))
    }

    /// Returns the point at `stop`, which lies in the stretch of this index, from the one where the stretch begins.
    fn after(&self, index: usize, start: &Point, stop: Span) -> Point {
        let hours = (stop - start.span).as_hours();
        let Some(end) = self.ends.get(index) else {
            return Point {
                span: stop,
                waited: start.waited + hours * start.survives,
                survives: start.survives,
            };
        };
        let stretch = (end.span - start.span).as_hours();
        let to = (1.0 - end.chance.get()).min(start.survives);
        let (survives, area) = within((hours / stretch).min(1.0), start.survives, to);
        Point {
            span: stop,
            waited: start.waited + area * stretch,
            survives,
        }
    }

    fn cost(&self, point: &Point) -> f64 {
        self.waiting.0 * point.waited + self.premium.0 * point.survives
    }
}

impl Wait {
    /// Returns the longest wait that is allowed, and what allows no longer one.
    fn latest(&self) -> (Span, WaitEnd) {
        let slack = (self.slack - self.boot).max(Span::ZERO);
        let by_slack = WaitEnd::SlackGone {
            slack: self.slack,
            boot: self.boot,
        };
        let Some(budget) = self.budget else {
            return (slack, by_slack);
        };
        let may_use = budget.left.max(0.0) * budget.share;
        // Nothing used is no limit, unless nothing is left.
        let hours = if budget.left <= 0.0 {
            0.0
        } else if budget.used_hourly > 0.0 {
            may_use / budget.used_hourly
        } else {
            f64::INFINITY
        };
        if hours < slack.as_hours() {
            let by_budget = Span::from_seconds(hours * 3600.0);
            (by_budget, WaitEnd::BudgetGone { left: budget.left })
        } else {
            (slack, by_slack)
        }
    }

    fn check(&self) -> Result<(), ProblemError> {
        amount("premium", self.premium.0)?;
        amount("waiting", self.waiting.0)?;
        not_negative("boot", self.boot)?;
        if let Some(budget) = &self.budget {
            amount("budget.left", if budget.left < 0.0 { 0.0 } else { budget.left })?;
            amount("budget.usedHourly", budget.used_hourly)?;
            share("budget.share", budget.share)?;
        }
        let mut before = EndsWithin {
            span: Span::ZERO,
            chance: Probability::ZERO,
        };
        for end in &self.ends {
            if end.span <= before.span {
                return Err(ProblemError::NotRising { field: "ends.span" });
            }
            if end.chance < before.chance {
                return Err(ProblemError::NotRising { field: "ends.chance" });
            }
            before = *end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ends(minutes: i64, hazards: &[f64]) -> Vec<EndsWithin> {
        let step = Span::minutes(minutes);
        let mut lasts = 0.0;
        (1_i64..)
            .zip(hazards)
            .map(|(index, hazard)| {
                lasts += hazard * step.as_hours();
                EndsWithin {
                    span: step * index,
                    chance: Probability::new(1.0 - (-lasts).exp()).unwrap(),
                }
            })
            .collect()
    }

    /// Ten dollars of premium, two an hour of waiting: it pays while the hazard is above 0.2 an hour.
    fn ask(hazards: &[f64]) -> Wait {
        Wait {
            ends: ends(10, hazards),
            premium: Usd(10.0),
            waiting: UsdHourly(2.0),
            slack: Span::minutes(64),
            boot: Span::minutes(4),
            budget: None,
        }
    }

    #[test]
    fn one_waits_while_the_outage_is_likely_enough_to_end() {
        let plan = wait(&ask(&[1.2, 0.5, 0.3, 0.1, 0.1, 0.1])).unwrap();
        assert_eq!(plan.wait, Span::minutes(30));
        assert_eq!(
            plan.until,
            WaitEnd::NotWorthIt {
                hazard_needed: Some(0.2)
            }
        );
        // (1.2 + 0.5 + 0.3)/6 is the cumulative hazard by then.
        assert!((plan.chance - (1.0 - (-1.0_f64 / 3.0).exp())).abs() < 1e-12);
        assert!(plan.cost < plan.cost_at_once);
        // One hazard of 1.2 all along: J(1 h) = (2/1.2)(1 - e^-1.2) + 10 e^-1.2, and the slack less the boot is an hour.
        let plan = wait(&ask(&[1.2; 6])).unwrap();
        let lasts = (-1.2_f64).exp();
        assert!((plan.cost.0 - (2.0 / 1.2 * (1.0 - lasts) + 10.0 * lasts)).abs() < 1e-9);
        assert_eq!(plan.wait, Span::hours(1));
        assert_eq!(
            plan.until,
            WaitEnd::SlackGone {
                slack: Span::minutes(64),
                boot: Span::minutes(4)
            }
        );
    }

    #[test]
    fn one_gives_up_at_once_when_the_slack_or_the_budget_is_gone_or_nothing_is_hoped_for() {
        let mut gone = ask(&[9.0; 6]);
        gone.slack = Span::minutes(4);
        assert_eq!(wait(&gone).unwrap().wait, Span::ZERO);
        gone.slack = Span::minutes(-50);
        let plan = wait(&gone).unwrap();
        assert_eq!((plan.wait, plan.cost), (Span::ZERO, Usd(10.0)));
        assert!(matches!(plan.until, WaitEnd::SlackGone { .. }));
        let mut spent = ask(&[9.0; 6]);
        spent.budget = Some(ErrorBudget {
            left: -3.0,
            used_hourly: 0.0,
            share: 0.3,
        });
        assert_eq!(
            (wait(&spent).unwrap().wait, wait(&spent).unwrap().until),
            (Span::ZERO, WaitEnd::BudgetGone { left: -3.0 })
        );
        // Ten misses left, three of them for this outage, twelve an hour: fifteen minutes.
        spent.budget = Some(ErrorBudget {
            left: 10.0,
            used_hourly: 12.0,
            share: 0.3,
        });
        assert_eq!(wait(&spent).unwrap().wait, Span::minutes(15));
        assert_eq!(wait(&ask(&[0.1; 6])).unwrap().wait, Span::ZERO);
        assert_eq!(wait(&ask(&[])).unwrap().wait, Span::ZERO);
    }

    #[test]
    fn a_sure_end_is_waited_for_through_a_lull() {
        // Nothing for half an hour, then it ends for sure: half an hour of waiting is cheaper than the premium.
        let mut ask = ask(&[0.0, 0.0, 0.0]);
        ask.ends.push(EndsWithin {
            span: Span::minutes(40),
            chance: Probability::ONE,
        });
        let plan = wait(&ask).unwrap();
        assert!(plan.wait >= Span::minutes(40) && plan.chance == 1.0);
        assert!((plan.cost.0 - 2.0 * 35.0 / 60.0).abs() < 1e-9, "{:?}", plan.cost);
    }

    #[test]
    fn faults_are_told() {
        let mut bad = ask(&[1.0, 1.0]);
        bad.ends[1].span = Span::minutes(10);
        assert_eq!(
            wait(&bad).unwrap_err().to_string(),
            "ends.span does not rise from entry to entry; give each time once, in order"
        );
        let mut bad = ask(&[1.0]);
        bad.waiting = UsdHourly(f64::INFINITY);
        assert!(wait(&bad).is_err());
        bad.waiting = UsdHourly(1.0);
        bad.budget = Some(ErrorBudget {
            left: f64::NAN,
            used_hourly: 1.0,
            share: 0.5,
        });
        assert!(wait(&bad).is_err());
    }

    /// The cost of giving up after `minutes`, by small steps.
    fn by_small_steps(ask: &Wait, hazards: &[f64], minutes: u32) -> f64 {
        let (mut lasts, mut cost, steps) = (1.0_f64, 0.0, 200);
        for minute in 0..minutes {
            let hazard = hazards.get(minute as usize / 10).copied().unwrap_or(0.0);
            for _ in 0..steps {
                let dt = 1.0 / 60.0 / f64::from(steps);
                cost += ask.waiting.0 * lasts * dt;
                lasts *= (-hazard * dt).exp();
            }
        }
        cost + ask.premium.0 * lasts
    }

    proptest! {
        #[test]
        fn no_other_wait_is_cheaper(
            hazards in proptest::collection::vec(0.0..4.0_f64, 0..8),
            premium in 0.0..20.0_f64,
            waiting in 0.0..8.0_f64,
            slack in 0_i64..90,
        ) {
            let ask = Wait { premium: Usd(premium), waiting: UsdHourly(waiting), slack: Span::minutes(slack), ..ask(&hazards) };
            let plan = wait(&ask).unwrap();
            let latest = (slack - 4).max(0);
            prop_assert!(plan.wait <= Span::minutes(latest));
            for minutes in 0..=latest as u32 {
                let other = by_small_steps(&ask, &hazards, minutes);
                prop_assert!(plan.cost.0 <= other + 1e-3 * (1.0 + other), "{minutes} min: {other}, {plan:?}");
            }
        }

        #[test]
        fn a_likelier_end_a_higher_premium_and_cheaper_waiting_never_shorten_the_wait(
            hazards in proptest::collection::vec((0.0..4.0_f64, 0.0..4.0_f64), 1..8),
            premium in (0.0..20.0_f64, 0.0..9.0_f64),
            waiting in (0.1..8.0_f64, 0.0..1.0_f64),
        ) {
            let low: Vec<f64> = hazards.iter().map(|(low, _)| *low).collect();
            let high: Vec<f64> = hazards.iter().map(|(low, more)| low + more).collect();
            let of = |hazards: &[f64], premium, waiting| {
                wait(&Wait { premium: Usd(premium), waiting: UsdHourly(waiting), ..ask(hazards) }).unwrap().wait
            };
            let base = of(&low, premium.0, waiting.0);
            prop_assert!(of(&high, premium.0, waiting.0) >= base);
            prop_assert!(of(&low, premium.0 + premium.1, waiting.0) >= base);
            prop_assert!(of(&low, premium.0, waiting.0 * waiting.1) >= base);
        }
    }
}
