//! What restrains an outcome. The order of the list is the policy.
//!
//! First comes what is allowed, each limit with its own step; then what keeps the pool from moving, which only ever goes back
//! toward where it stands. So the outcome is within the bounds, the quota and the money of an hour, or no further outside
//! than the pool is already; and on missing knowledge no node is taken away, not even where the money is short.
//!
//! A policy chooses which guards there are and not their order. Another one would either break one of these promises (a step
//! after the quota asks for nodes beyond it, a cooldown before missing samples lets nodes go on what is not known) or change
//! nothing: the guards that only go back toward where the pool stands take the least of what each leaves of a change.

use std::cmp::Ordering;

use super::caps::Caps;
use super::steady::{StormGuard, shrink};
use super::{Demand, Mode, Policy};
use crate::account::{Halt, HaltScope};
use crate::base::{Lane, Mix, Nodes, Timestamp, UsdHourly};
use crate::decision::{
    Decision, Halted, HourlyBudget, MonthlyBudget, OthersWord, QuotaLimit, Reason, ScheduleMost, Snapshot,
    SpotStorm, Stage,
};

impl Policy {
    /// Brings what was proposed to what the pool may have by its own policy; returns what that is.
    pub fn claim(&self, decision: &mut Decision, snapshot: &Snapshot<'_>) -> Caps {
        self.scale_in.apply(decision);
        self.meet_deadlines(decision, snapshot);
        self.allow(decision, snapshot)
    }

    /// Keeps the pool from what it may have and shall not have now: every step goes back toward where the pool stands. `fault` is
    /// why some strategy could not ask.
    pub fn guard(
        &self,
        caps: &Caps,
        decision: &mut Decision,
        snapshot: &Snapshot<'_>,
        fault: Option<Reason>,
    ) {
        // Nothing is taken away that a deadline may need.
        if !self.deadlines.is_empty() && snapshot.work.is_none() {
            keep_nodes(caps, decision, Reason::DeadlineUnseen);
        }
        // Nothing is taken away on what is not known.
        if let Some(fault) = fault {
            keep_nodes(caps, decision, fault);
        }
        if decision.shrinks()
            && let Some(objection) = self
                .missing
                .objection(snapshot.now, &self.metrics, snapshot.history)
        {
            keep_nodes(caps, decision, objection);
        }
        // Nothing is taken away in this mode.
        if self.mode == Mode::OutOnly {
            keep_nodes(caps, decision, Reason::OutOnly);
        }
        if let Some(halt) = snapshot.halted() {
            respect(halt, caps, decision);
        }
        // Nothing is undone that somebody did for a reason.
        let word = self.orders.others.word(snapshot.ours, snapshot.now);
        if let Some(word) = word.filter(|word| !word.formula) {
            let from = decision.start;
            let to = caps.keep_least(from, leave_done(&word, from, decision.outcome()));
            step(decision, caps.cut_growth(from, to), Reason::OthersWord(word));
        }
        // What is left to move moves steadily.
        self.steady(caps, decision, snapshot);
    }

    /// Brings the outcome within all that is allowed; returns what that is.
    fn allow(&self, decision: &mut Decision, snapshot: &Snapshot<'_>) -> Caps {
        let now = snapshot.now;
        let mut caps = Caps {
            bounds: self.bounds,
            prices: self.prices,
            hourly: None,
        };
        self.bounds.restrain(decision);
        if let Some((most, until)) = self.scheduled_most(now) {
            caps.lower_total(most);
            fit(&caps, decision, |asked, _| {
                let asked = asked.total();
                Reason::ScheduleMost(ScheduleMost { most, until, asked })
            });
        }
        if let Some(limit) = self.quota.lower(&mut caps) {
            fit(&caps, decision, |asked, _| {
                Reason::Quota(QuotaLimit { asked, ..limit })
            });
        }
        if let Some(spent) = self.budget.spent(self.prices, snapshot.guards, now) {
            self.spend_no_more(&mut caps, decision, spent);
        }
        if let Some(limit) = self.budget.per_hour.map(UsdHourly) {
            caps.hourly = Some(limit);
            fit(&caps, decision, |asked, granted| {
                let [asked, granted] = [asked, granted].map(|mix| caps.rate(mix));
                Reason::HourlyBudget(HourlyBudget {
                    limit,
                    asked,
                    granted,
                })
            });
        }
        let storm = self
            .steady
            .storm
            .and_then(|guard| guard.storm(snapshot.guards, now));
        if let Some(storm) = storm {
            weather(&caps, decision, snapshot, storm);
        }
        caps
    }

    /// Lowers what is allowed when the money of the month is spent; spot takes the place of dedicated nodes as far as it can.
    fn spend_no_more(&self, caps: &mut Caps, decision: &mut Decision, spent: MonthlyBudget) {
        let fitted = self.budget.soften(caps, decision.outcome());
        step(decision, fitted, Reason::MonthlyBudget(spent));
    }

    /// Keeps the pool from moving much, soon or to and fro.
    fn steady(&self, caps: &Caps, decision: &mut Decision, snapshot: &Snapshot<'_>) {
        let (from, now) = (decision.start, snapshot.now);
        let limited = self
            .steady
            .step
            .and_then(|guard| guard.limit(from, decision.outcome()));
        if let Some((to, limit)) = limited {
            step(decision, caps.cut_growth(from, to), Reason::Step(limit));
        }
        let held = self
            .steady
            .cooldown
            .and_then(|guard| guard.hold((from, decision.outcome()), snapshot.guards, now));
        if let Some((to, cooldown)) = held {
            step(decision, caps.cut_growth(from, to), Reason::Cooldown(cooldown));
        }
        let flapping = self
            .steady
            .flap
            .and_then(|guard| guard.flapping(snapshot.guards, now));
        if let Some(flapping) = flapping {
            let to = shrink(from, decision.outcome(), from.total());
            step(decision, caps.cut_growth(from, to), Reason::Flap(flapping));
        }
    }

    /// Returns the most nodes that the schedules allow now, and until when.
    fn scheduled_most(&self, now: Timestamp) -> Option<(Nodes, Timestamp)> {
        let schedules = self.demand.iter().filter_map(|demand| match demand {
            Demand::Schedule(schedule) => schedule.most(now),
            _ => None,
        });
        schedules.min_by_key(|(most, _)| *most)
    }
}

/// Leaves spot alone in a storm: no further nodes than there are, and dedicated ones in their place.
fn weather(caps: &Caps, decision: &mut Decision, snapshot: &Snapshot<'_>, storm: SpotStorm) {
    let pool = snapshot.pool;
    let there = pool.current.spot.saturating_sub(pool.nodes.preempted);
    let sheltered = StormGuard::shelter(decision.outcome(), there);
    step(decision, caps.fit(sheltered), Reason::Storm(storm));
}

/// Brings the outcome within the caps, with a reason made from what was asked for and what is left.
fn fit(caps: &Caps, decision: &mut Decision, reason: impl FnOnce(Mix, Mix) -> Reason) {
    let asked = decision.outcome();
    let granted = caps.fit(asked);
    if granted != asked {
        decision.step(Stage::Restrain, granted, reason(asked, granted));
    }
}

/// Takes back what somebody does not want done.
fn respect(halt: &Halt, caps: &Caps, decision: &mut Decision) {
    let reason = Reason::Halted(Halted(halt.clone()));
    match halt.scope {
        HaltScope::In => keep_nodes(caps, decision, reason),
        HaltScope::Out => {
            let (from, to) = (decision.start, decision.outcome());
            let kept = Mix {
                dedicated: from.dedicated.min(to.dedicated),
                spot: from.spot.min(to.spot),
            };
            step(decision, caps.keep_least(from, kept), reason);
        }
        // Nothing was proposed then.
        HaltScope::All => {}
    }
}

/// Returns the nearest to an outcome that undoes nothing of what somebody else did: a lane that was raised does not go below that,
/// one that was lowered does not go above it.
fn leave_done(word: &OthersWord, start: Mix, to: Mix) -> Mix {
    Lane::ALL.into_iter().fold(to, |to, lane| {
        let (before, after) = (word.from.get(lane), word.to.get(lane));
        let (start, nodes) = (start.get(lane), to.get(lane));
        let left = match after.cmp(&before) {
            Ordering::Greater => nodes.max(after.min(start)),
            Ordering::Less => nodes.min(after.max(start)),
            Ordering::Equal => nodes,
        };
        to.with(lane, left)
    })
}

/// Takes back what the chain would take away; growth of the other lane is cut where both together pass the caps.
fn keep_nodes(caps: &Caps, decision: &mut Decision, reason: Reason) {
    let (from, to) = (decision.start, decision.outcome());
    if decision.shrinks() {
        let kept = Mix {
            dedicated: from.dedicated.max(to.dedicated),
            spot: from.spot.max(to.spot),
        };
        step(decision, caps.cut_growth(from, kept), reason);
    }
}

fn step(decision: &mut Decision, to: Mix, reason: Reason) {
    if to != decision.outcome() {
        decision.step(Stage::Restrain, to, reason);
    }
}
