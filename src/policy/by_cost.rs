//! A need split between the lanes at the least expected cost, with what is known of the spot market.
//!
//! ```text
//!              spot is short, the wait is over          it has come again, dedicated nodes have
//!   in market ────────────────────────────► fallback ── stood for returnAfter, and it saves ──► in market
//!        │                                    │    one spot node stays asked for, so that
//!        └ wait, as long as it pays           └──  the end of the outage is seen
//! ```
//!
//! The total follows the need at once; only a shift between the lanes dwells. In a shift the dedicated nodes go as spot nodes
//! come.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use super::{Demand, Objective, Policy, Role};
use crate::account::AllocationState;
use crate::base::{Lane, Mix, Nodes, Probability, Span, Timestamp, Usd, UsdHourly};
use crate::decision::{CostSplit, Decision, Reason, Snapshot, SpotOutage, Stage, spot_there};
use crate::market::{Assumptions, Estimate, Hazard, Outlook, Outset, Regime, Work, break_even_of};
use crate::mix::{
    Band, Between, EndsWithin, Evaluation, Held, LaneTerms, Probe, ProbePlan, Problem, ProblemError, Settled,
    ShareRule, Wait, cheapest, probe, settle, wait,
};

/// What is done when spot nodes do not come, and afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Fallback {
    /// How long they are waited for at most, counted from when they began to be missing; less where waiting costs more than it
    /// can save. 10m when left out.
    pub wait_for_spot: Span,
    /// How long dedicated nodes are kept after some were added before spot takes their place; 30m when left out.
    pub return_after: Span,
}

impl Default for Fallback {
    fn default() -> Self {
        Self {
            wait_for_spot: Span::minutes(10),
            return_after: Span::minutes(30),
        }
    }
}

impl Fallback {
    /// Returns what cannot be meant.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let spans = [
            ("waitForSpot", self.wait_for_spot, Span::ZERO, "take 0s to 7d"),
            (
                "returnAfter",
                self.return_after,
                Span::minutes(1),
                "take 1m to 7d",
            ),
        ];
        for (key, span, least, help) in spans {
            if span < least || span > Span::days(7) {
                let message = format!("no pool can fall back by a {key} of {}", span.in_short());
                complaints.push(Complaint::new(&[key], message, help));
            }
        }
        complaints
    }
}

/// How long a task runs where none has been seen to end.
const TASK_USUAL: Span = Span::minutes(30);

/// A shift between the lanes must save this share of the bill: below it the answer hangs on the noise of what is learned.
const SAVING: f64 = 0.05;

/// A problem as it stands while spot can be had, and what is known of the market.
struct Market {
    problem: Problem,
    regime: Regime,
    /// How long spot nodes have been missing.
    down_for: Option<Span>,
}

/// A problem with its answer.
struct Answer {
    problem: Problem,
    best: Evaluation,
    outage: Option<SpotOutage>,
}

impl Policy {
    /// Says whether some need may be split at the least expected cost, for which the spot market is learned.
    pub fn splits_by_cost(&self) -> bool {
        let needs = |demand: &Demand| match demand {
            Demand::Backlog(_) | Demand::Deadlines(_) => false,
            Demand::Formula(formula) => formula.role == Role::Demand,
            Demand::Schedule(_) | Demand::Track(_) | Demand::Queue(_) | Demand::Forecast(_) => true,
        };
        self.objective == Objective::ExpectedCost && self.demand.iter().any(needs)
    }

    /// Returns what is taken for granted of the spot market before it has shown anything.
    pub fn assumptions(&self) -> Assumptions {
        Assumptions {
            node: self.eviction.prior(),
            half_life: self.eviction.half_life,
            ..Assumptions::default()
        }
    }

    /// Splits a need at the least expected cost: one step of the chain.
    ///
    /// # Errors
    /// Why it cannot be split.
    pub(super) fn split_by_cost(
        &self,
        decision: &mut Decision,
        snapshot: &Snapshot<'_>,
        nodes: Nodes,
    ) -> Result<(), Reason> {
        let fault = |error: ProblemError| Reason::SplitFault {
            message: error.to_string(),
        };
        let (mix, why) = self.least_cost(snapshot, nodes).map_err(fault)?;
        if why.outage.is_some_and(|outage| outage.falls_back()) {
            // A request for spot nodes that do not come keeps the pool resizing; what is needed now cannot wait for that.
            decision.retake = snapshot.pool.allocation == AllocationState::Resizing;
        }
        decision.step(Stage::Split, mix, Reason::SplitByCost(Box::new(why)));
        Ok(())
    }

    /// Returns the problem that a need poses now, as the plan shows what it costs.
    ///
    /// # Errors
    /// The first fault of the problem.
    pub fn cost_problem(&self, snapshot: &Snapshot<'_>, nodes: Nodes) -> Result<Problem, ProblemError> {
        Ok(self.answer(snapshot, nodes)?.problem)
    }

    fn least_cost(&self, snapshot: &Snapshot<'_>, nodes: Nodes) -> Result<(Mix, CostSplit), ProblemError> {
        let Answer {
            problem,
            best,
            outage,
        } = self.answer(snapshot, nodes)?;
        let band = Band {
            dwell: self.fallback.return_after,
            saving: share(SAVING),
        };
        let held = held(snapshot, &problem, best.mix);
        let Settled { held, why: settling } = settle(&problem, &best, Some(held), (snapshot.now, &band))?;
        let falls_back = outage.is_some_and(|outage| outage.falls_back());
        let mix = if falls_back {
            self.watch_for_spot(held.mix, &problem, outage.as_ref())?
        } else {
            self.keep_until_relieved(held.mix, snapshot, nodes)
        };
        let rate = self.prices.spot.0 / self.prices.dedicated.0.max(f64::MIN_POSITIVE);
        let why = CostSplit {
            nodes,
            promise: best.promise,
            chance: millionths(best.chance),
            risk: self.risk,
            cost: UsdHourly(millionths(best.bill.total().0)),
            hazard: millionths(problem.hazard.0),
            break_even: break_even_of(rate, &problem.work).map(|hazard| millionths(hazard.0)),
            settling,
            kept: if falls_back {
                Nodes::ZERO
            } else {
                mix.dedicated.saturating_sub(held.mix.dedicated)
            },
            outage,
        };
        Ok((mix, why))
    }

    /// Returns the best mix for a need, in a market with spot or in an outage that is not waited for any longer.
    fn answer(&self, snapshot: &Snapshot<'_>, nodes: Nodes) -> Result<Answer, ProblemError> {
        let Market {
            problem,
            regime,
            down_for,
        } = self.market(snapshot, nodes);
        let best = cheapest(&problem)?;
        let there = spot_there(snapshot.pool);
        let missing = best.mix.spot.saturating_sub(there);
        let Some(age) = down_for.filter(|_| missing > Nodes::ZERO) else {
            return Ok(Answer {
                problem,
                best,
                outage: None,
            });
        };
        let outage = self.outage(&regime, age, missing)?;
        if !outage.falls_back() {
            return Ok(Answer {
                problem,
                best,
                outage: Some(outage),
            });
        }
        // What does not come is not reckoned with; what is there stays of use.
        let least = problem.spot.bounds.min;
        let mut problem = problem;
        problem.spot.bounds.max = problem.spot.bounds.max.min(there).max(least);
        let both = problem.spot.bounds.max + problem.dedicated.bounds.max;
        problem.total.min = problem.total.min.min(both);
        Ok(Answer {
            best: cheapest(&problem)?,
            problem,
            outage: Some(outage),
        })
    }

    fn market(&self, snapshot: &Snapshot<'_>, nodes: Nodes) -> Market {
        let assumptions = self.assumptions();
        let learner = &snapshot.spot.learner;
        let regime = learner.regime(&assumptions, Estimate::Mean);
        let model = learner.model(&assumptions, self.eviction.model, Estimate::Mean);
        let run_age = learner.up_for(snapshot.now).unwrap_or(Span::ZERO);
        let problem = self.problem(snapshot, nodes);
        Market {
            problem: problem.in_market(&model, Outset::fresh(snapshot.now, run_age)),
            regime,
            down_for: learner.down_for(snapshot.now),
        }
    }

    /// Returns the problem without its market.
    fn problem(&self, snapshot: &Snapshot<'_>, nodes: Nodes) -> Problem {
        let boot = snapshot.learned.boot();
        let lane = |lane: Lane, ready: Nodes| {
            let range = self.bounds.lane(lane);
            LaneTerms {
                price: self.prices.get(lane),
                bounds: Between {
                    min: range.min,
                    max: range.max,
                },
                quota: self.quota.nodes(lane),
                ready,
                boot,
                ..LaneTerms::default()
            }
        };
        let runs = snapshot.guards.runs.filter(|runs| runs.count > 0);
        let length = runs.map_or(TASK_USUAL, |runs| {
            Span::from_seconds(runs.seconds / runs.count as f64)
        });
        Problem {
            demand: nodes,
            risk: share(self.risk),
            // What is ordered now can be usable, and the next look comes before.
            horizon: self.interval + boot,
            dwell: self.fallback.return_after,
            dedicated: lane(Lane::Dedicated, snapshot.pool.current.dedicated),
            spot: lane(Lane::Spot, spot_there(snapshot.pool)),
            total: Between {
                min: self.bounds.total.min,
                max: self.bounds.total.max,
            },
            rule: ShareRule::ExpectedCost,
            outlook: Outlook {
                up: Probability::ZERO,
                survival: Probability::ZERO,
                correlation: 0.0,
                survival_of_shock: Probability::ZERO,
                correlation_of_shock: 1.0,
            },
            outage: false,
            hazard: Hazard(0.0),
            work: Work {
                length,
                boot,
                lost: self.lost_work(snapshot.learned),
            },
            // A node that is missing is worth what the one would cost that nobody takes away.
            lateness: self.prices.dedicated,
        }
    }

    /// Returns how long the missing nodes are still waited for.
    fn outage(&self, regime: &Regime, age: Span, missing: Nodes) -> Result<SpotOutage, ProblemError> {
        let slack = (self.fallback.wait_for_spot - age).max(Span::ZERO);
        let ask = Wait {
            ends: EndsWithin::of_regime(regime, age, slack),
            premium: Usd(self.premium(missing).0 * self.fallback.return_after.as_hours()),
            waiting: UsdHourly(self.prices.dedicated.0 * missing.as_f64()),
            slack,
            boot: Span::ZERO,
            budget: None,
        };
        Ok(SpotOutage {
            age,
            missing,
            ends_hourly: millionths(ends_hourly(regime, age)),
            wait: wait(&ask)?,
        })
    }

    /// Returns what dedicated nodes cost more an hour than as many spot nodes.
    fn premium(&self, nodes: Nodes) -> UsdHourly {
        UsdHourly((self.prices.dedicated.0 - self.prices.spot.0).max(0.0) * nodes.as_f64())
    }

    /// Asks for one spot node more than there are, when nothing stands against it, so that the end of the outage is seen.
    fn watch_for_spot(
        &self,
        mix: Mix,
        problem: &Problem,
        outage: Option<&SpotOutage>,
    ) -> Result<Mix, ProblemError> {
        let Some(outage) = outage else {
            return Ok(mix);
        };
        let plan = probe(&Probe {
            ends: Hazard(outage.ends_hourly),
            premium: self.premium(outage.missing),
            // The request stays open and is taken back when the pool needs another one.
            attempt: Usd(0.0),
            longest: self.fallback.return_after,
        })?;
        let most = self.bounds.spot.max;
        let most = self.quota.nodes(Lane::Spot).map_or(most, |quota| quota.min(most));
        let has_room = mix.spot < most && mix.total() < self.bounds.total.max;
        let is_watched = mix.spot > problem.spot.ready;
        if plan == ProbePlan::Canary && has_room && !is_watched {
            Ok(mix.with(Lane::Spot, mix.spot + Nodes(1)))
        } else {
            Ok(mix)
        }
    }

    /// Keeps the dedicated nodes in place of which spot nodes are still to come, where the bounds have room for both.
    fn keep_until_relieved(&self, mix: Mix, snapshot: &Snapshot<'_>, nodes: Nodes) -> Mix {
        let pool = snapshot.pool;
        let come = spot_there(pool).saturating_sub(pool.nodes.starting);
        let wanted = nodes.saturating_sub(come).min(pool.target.dedicated);
        let kept = mix.with(Lane::Dedicated, wanted.max(mix.dedicated));
        let fits = kept.total() <= self.bounds.total.max && kept.dedicated <= self.bounds.dedicated.max;
        if fits { kept } else { mix }
    }
}

/// Returns the target as far as it is of use for the need: without what the need does not want any more, and without spot
/// nodes that do not come.
fn held(snapshot: &Snapshot<'_>, problem: &Problem, best: Mix) -> Held {
    let target = snapshot.pool.target;
    let mut mix = target.with(Lane::Spot, target.spot.min(problem.spot.bounds.max));
    for lane in Lane::ALL {
        let excess = mix.total().saturating_sub(best.total());
        let over = mix.get(lane).saturating_sub(best.get(lane));
        mix = mix.with(lane, mix.get(lane).saturating_sub(excess.min(over)));
    }
    let since = snapshot.spot.dedicated_added.unwrap_or(Timestamp::EPOCH);
    Held { mix, since }
}

/// Returns the rate per hour at which an outage of this age ends in the next minute.
fn ends_hourly(regime: &Regime, age: Span) -> f64 {
    let minute = Span::minutes(1);
    let lasts = 1.0 - regime.ends_outage(age, minute).get();
    -lasts.max(f64::MIN_POSITIVE).ln() / minute.as_hours()
}

/// Returns a share that was checked when the policy was read.
fn share(share: f64) -> Probability {
    Probability::new(share.clamp(0.0, 1.0)).unwrap_or(Probability::ZERO)
}

/// Cuts a number to six places, which is more than is known of it.
fn millionths(number: f64) -> f64 {
    (number * 1e6).round() / 1e6 + 0.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::PoolState;
    use crate::decision::{GuardMemory, SpotMemory};
    use crate::policy::Need;
    use crate::signal::History;
    use crate::sizing::Learned;

    fn policy(rest: &str) -> Policy {
        let source = format!(
            "version: 1\npool: p\ndemand: [{{ queue: {{ metric: $PendingTasks }} }}]\n\
             bounds: {{ total: [1, 60], dedicated: [0, 30], spot: [0, 50] }}\n{rest}"
        );
        let (policy, findings) = crate::policy::read("p", &source, &mut |_| Err(String::new()));
        policy.unwrap_or_else(|| panic!("{findings:?}"))
    }

    /// Looks once a minute at pools with these targets, spot nodes held and lost, and splits a need each time.
    fn splits(policy: &Policy, looks: &[(Mix, u32, u32)], need: u32) -> Vec<(Mix, CostSplit)> {
        let (mut spot, mut splits) = (SpotMemory::default(), Vec::new());
        for (minute, (target, held, lost)) in (0..).zip(looks) {
            let now = Timestamp::from_unix_seconds(60 * minute);
            let mut pool = PoolState::new("p".parse().unwrap());
            (pool.target, pool.current) = (*target, target.with(Lane::Spot, Nodes(*held)));
            spot.see(&policy.assumptions(), now, &pool, Nodes(*lost));
            let snapshot = Snapshot {
                now,
                seed: 0,
                pool: &pool,
                history: &History::new(),
                signals: &crate::decision::SignalMemory::default(),
                guards: &GuardMemory::default(),
                learned: &Learned::default(),
                spot: &spot,
                ours: &crate::decision::OurOrders::default(),
                broken: &crate::decision::BrokenNodes::default(),
                work: None,
                halt: None,
            };
            let mut decision = Decision::begin(&pool, now, "p".into());
            let reason = Reason::OutOnly;
            let nodes = Nodes(need);
            policy
                .split(&mut decision, &snapshot, Need { nodes, reason })
                .unwrap();
            let last = decision.steps().last().unwrap();
            let Reason::SplitByCost(why) = &last.reason else {
                panic!("{last:?}")
            };
            splits.push((last.to, (**why).clone()));
        }
        splits
    }

    #[test]
    fn an_outage_that_is_likely_to_end_is_waited_for_and_no_longer_than_the_policy_lets_it() {
        let looks = vec![(Mix::new(0, 12), 2, 0); 40];
        // Waiting costs little beside half a day of dedicated nodes; beside a minute of them it costs too much, and they come as
        // soon as the outage is known to be one.
        for (fallback, from) in [
            ("{ waitForSpot: 20m, returnAfter: 12h }", 20),
            ("{ waitForSpot: 8m, returnAfter: 12h }", 8),
            ("{ waitForSpot: 20m, returnAfter: 1m }", 5),
        ] {
            let policy = policy(&format!(
                "mix: {{ objective: expectedCost, fallback: {fallback} }}\n"
            ));
            let splits = splits(&policy, &looks, 10);
            let falls_back =
                |split: &(Mix, CostSplit)| split.1.outage.is_some_and(|outage| outage.falls_back());
            let first = splits.iter().position(falls_back).unwrap();
            assert_eq!(first, from, "{fallback}: {:?}", splits[first].1);
            assert!(splits[first..].iter().all(falls_back), "{fallback}");
            assert!(
                splits[..first]
                    .iter()
                    .all(|(mix, _)| mix.dedicated == Nodes::ZERO)
            );
            // Two spot nodes are there, and a third one stays asked for.
            assert_eq!(splits[first].0.spot, Nodes(3));
            assert!(splits[first].0.dedicated >= Nodes(8));
        }
    }

    #[test]
    fn where_spot_is_no_cheaper_none_is_asked_for() {
        let policy = policy("mix: { objective: expectedCost, prices: { dedicated: 0.2, spot: 0.2 } }\n");
        let (mix, why) = splits(&policy, &[(Mix::new(0, 0), 0, 0)], 10).remove(0);
        assert_eq!((mix, why.break_even), (Mix::new(10, 0), None), "{why}");
    }

    proptest! {
        #[test]
        fn a_need_within_the_bounds_is_met_or_the_bounds_are_full(
            looks in proptest::collection::vec((0u32..40, 0u32..60, 0u32..60, 0u32..20), 1..30),
            need in 0u32..90, risk in 0.0..1.0f64,
        ) {
            let policy = policy(&format!("mix: {{ objective: expectedCost, risk: {risk} }}\n"));
            let looks: Vec<_> = looks
                .into_iter()
                .map(|(dedicated, spot, held, lost)| (Mix::new(dedicated, spot), held, lost))
                .collect();
            for (mix, why) in splits(&policy, &looks, need) {
                prop_assert!(why.nodes <= Nodes(60));
                prop_assert!(mix.dedicated <= Nodes(30) && mix.spot <= Nodes(50), "{mix}");
                prop_assert!(mix.total() <= Nodes(60), "{mix}: {why}");
                let text = serde_json::to_string(&why).unwrap();
                prop_assert_eq!(serde_json::from_str::<CostSplit>(&text).unwrap(), why);
            }
        }
    }
}
