//! What is learned of a pool from one look to the next: run times, lateness, boots, evictions and outages of spot.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::open::count;
use super::{DurationModel, Durations, MissBudget, MissLimits, Outages, Resumes, RunTimes, Stays};
use crate::account::{FinishedTask, Node, NodeActivity, PoolState, Work};
use crate::base::{Lane, Span, Timestamp};
use crate::market::{LostWork, Prior, Rate};

/// What is learned of a pool.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Learned {
    /// When the pool was last looked at.
    seen_at: Option<Timestamp>,
    /// How long tasks run.
    pub durations: Durations,
    /// How long the tasks run that a deadline means, by the jobs of the deadline.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub runs: BTreeMap<Arc<str>, RunTimes>,
    /// Whether tasks save their work.
    #[serde(skip_serializing_if = "Resumes::is_empty")]
    pub resumes: Resumes,
    /// What was late.
    pub budget: MissBudget,
    /// How long spot stays away.
    pub outages: Outages,
    /// When the machines were granted that booted at the last look.
    booting: Vec<Timestamp>,
    /// The mean boot time in seconds, the latest weighing most; nothing has booted at zero.
    boot_seconds: f64,
    /// The shares of the spot nodes that were lost and the hours in which there were some to lose, faded.
    spot_lost: f64,
    spot_hours: f64,
    /// How long spot nodes stay, by their age.
    #[serde(skip_serializing_if = "Stays::is_empty")]
    pub stays: Stays,
    /// The spot nodes at the last look.
    spot_held: u32,
    /// Since when spot nodes that were asked for have been missing.
    short_since: Option<Timestamp>,
    /// Whether nodes were lost since then.
    lost_since: bool,
}

/// Half of the counts of lateness are gone after four weeks: a service level is told for a month.
const BUDGET_HALF_LIFE: Span = Span::days(28);

/// What a node takes to boot where none has been seen booting: what users of Linux marketplace images report.
const BOOT_USUAL: Span = Span::minutes(4);

/// Each boot weighs this much beside those before it.
const BOOT_WEIGHT: f64 = 0.1;

/// Machines that can be had are granted well within this time; a request that is open for longer meets a market without any.
const GRANTED_WITHIN: Span = Span::minutes(2);

impl Learned {
    /// Takes in what is seen of a pool, and says whether it was not taken in before; `half_life` is that of what is known of
    /// evictions, and `rule` says what a task keeps of a run that lost its node; when it is left out that is learned.
    pub fn see(
        &mut self,
        now: Timestamp,
        state: &PoolState,
        work: &Work,
        limits: &MissLimits,
        half_life: Span,
        rule: Option<LostWork>,
    ) -> bool {
        if self.seen_at == Some(now) {
            return false;
        }
        let passed = self.seen_at.map_or(Span::ZERO, |seen| now - seen);
        let since = self.seen_at.unwrap_or(now);
        self.budget.fade(kept(passed, BUDGET_HALF_LIFE));
        for task in &work.finished {
            self.resumes.learn(task);
        }
        let rule = rule.unwrap_or_else(|| self.resumes.rule());
        for task in &work.finished {
            let run = whole_run(task, rule);
            self.durations.learn(run);
            let delay = (task.ended - task.submitted - run).max(Span::ZERO);
            self.budget.learn(limits, delay, run, task.slots);
        }
        // A node that is closed or opened is new in that as well: only those that booted a look ago count, or came since.
        let booted = |node: &&Node| {
            serves(node)
                && node.since > since
                && (node.granted > since || self.booting.binary_search(&node.granted).is_ok())
        };
        let booted: Vec<Node> = work.nodes.iter().filter(booted).copied().collect();
        for node in booted {
            let seconds = (node.since - node.granted).as_seconds();
            self.boot_seconds = if self.boot_seconds > 0.0 {
                self.boot_seconds + BOOT_WEIGHT * (seconds - self.boot_seconds)
            } else {
                seconds
            };
        }
        let outage = self.seen_at.and_then(|seen| self.outage_since(seen));
        let lost = lost(work, since);
        let held = count(work, Lane::Spot).0;
        let kept = kept(passed, half_life);
        // Nodes go together: what a hundred of them lose at once is one observation of the market, not a hundred. The rate is
        // that of a node all the same, for the share that is lost is what one node's chance of being lost was.
        self.stays.fade(kept);
        if self.spot_held > 0 {
            self.stays.see(work, (self.spot_held, &lost), since, passed);
            let share = lost.len() as f64 / f64::from(self.spot_held);
            self.spot_lost = self.spot_lost * kept + share.min(1.0);
            self.spot_hours = self.spot_hours * kept + passed.as_hours();
        } else {
            self.spot_lost *= kept;
            self.spot_hours *= kept;
        }
        self.spot_held = held;
        if held >= state.target.spot.0 {
            self.short_since = None;
            self.lost_since = false;
        } else {
            self.short_since.get_or_insert(now);
            self.lost_since |= !lost.is_empty();
        }
        let booting = work
            .nodes
            .iter()
            .filter(|node| node.activity == NodeActivity::Starting);
        self.booting = booting.map(|node| node.granted).collect();
        self.booting.sort_unstable();
        self.booting.dedup();
        self.outages.fade(passed);
        if let Some(began) = outage {
            // One that is no longer asked after is not over for that.
            let over = self.short_since.is_none() && held > 0;
            self.outages.learn(now - began, passed, over);
        }
        self.seen_at = Some(now);
        true
    }

    /// Returns the distribution of run times, given what runs now.
    pub fn model(&self, now: Timestamp, work: &Work) -> DurationModel {
        self.durations
            .model(work.running.iter().map(|task| now - task.started))
    }

    /// Returns how long a node boots.
    pub fn boot(&self) -> Span {
        if self.boot_seconds > 0.0 {
            Span::from_seconds(self.boot_seconds)
        } else {
            BOOT_USUAL
        }
    }

    /// Returns since when the market has had no spot machines for us; `None` when it has, or when nothing was asked of it.
    pub fn outage_since(&self, now: Timestamp) -> Option<Timestamp> {
        self.short_since
            .filter(|since| self.lost_since || now - *since >= GRANTED_WITHIN)
    }

    /// Returns the rate at which spot nodes are lost, on what was believed before.
    pub fn spot_loss(&self, prior: Prior) -> Rate {
        let before = prior.rate();
        Rate {
            events: before.events + self.spot_lost,
            hours: before.hours + self.spot_hours,
        }
    }
}

/// Returns how long a task ran that ended: its last run, and what it kept of those before.
pub fn whole_run(task: &FinishedTask, rule: LostWork) -> Span {
    Kept::of(task.lost, rule).whole(task.ended - task.started)
}

/// Says whether a node is ready for tasks.
fn serves(node: &Node) -> bool {
    matches!(node.activity, NodeActivity::Ready | NodeActivity::Cordoned)
}

/// Returns how old the spot nodes were that were lost since a moment.
pub(super) fn lost(work: &Work, since: Timestamp) -> Vec<Span> {
    let gone = work
        .ended
        .iter()
        .filter(|end| end.lane == Lane::Spot && end.evicted && end.at > since);
    let away = work
        .nodes
        .iter()
        .filter(|node| node.activity == NodeActivity::Preempted && node.since > since);
    gone.map(|end| end.at - end.granted)
        .chain(away.map(|node| node.since - node.granted))
        .collect()
}

fn kept(passed: Span, half_life: Span) -> f64 {
    0.5f64.powf(passed.as_seconds().max(0.0) / half_life.as_seconds().max(1.0))
}

/// Looks at a pool at a minute at which so many spot nodes are asked for, for tests.
#[cfg(test)]
pub(super) fn look(learned: &mut Learned, minute: i64, spot: u32, work: &Work) {
    let mut state = PoolState::new("p".parse().expect("it is a name"));
    state.target = crate::base::Mix::new(0, spot);
    let now = Timestamp::from_unix_seconds(60 * minute);
    learned.see(
        now,
        &state,
        work,
        &super::LIMITS,
        Span::hours(24),
        Some(LostWork::All),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{LostRuns, NodeEnd};
    use crate::market::Hazard;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_unix_seconds(60 * minute)
    }

    fn spot(activity: NodeActivity, granted: i64, since: i64) -> Node {
        Node {
            lane: Lane::Spot,
            activity,
            since: at(since),
            granted: at(granted),
            busy_slots: 0,
        }
    }

    #[test]
    fn a_request_that_stays_open_is_an_outage_and_a_loss_that_is_not_made_good_is_one_at_once() {
        let mut learned = Learned::default();
        let one = Work {
            nodes: vec![spot(NodeActivity::Ready, 0, 4)],
            ..Work::default()
        };
        look(&mut learned, 10, 2, &one);
        assert_eq!(learned.outage_since(at(10)), None);
        look(&mut learned, 12, 2, &one);
        assert_eq!(learned.outage_since(at(12)), Some(at(10)));
        look(&mut learned, 13, 1, &one);
        assert_eq!(learned.outage_since(at(13)), None);
        let none = Work {
            nodes: vec![spot(NodeActivity::Preempted, 0, 14)],
            ..Work::default()
        };
        look(&mut learned, 14, 1, &none);
        assert_eq!(learned.outage_since(at(14)), Some(at(14)));
    }

    #[test]
    fn boots_losses_and_run_times_are_learned() {
        let mut learned = Learned::default();
        assert_eq!(learned.boot(), Span::minutes(4));
        look(&mut learned, 0, 0, &Work::default());
        let work = Work {
            finished: vec![FinishedTask {
                submitted: at(0),
                started: at(30),
                ended: at(40),
                slots: 1,
                ran: Span::ZERO,
                lost: LostRuns::default(),
                job: None,
            }],
            nodes: vec![spot(NodeActivity::Ready, 20, 23); 6],
            ..Work::default()
        };
        look(&mut learned, 60, 6, &work);
        assert_eq!(learned.boot(), Span::minutes(3));
        let closed = Work {
            nodes: vec![spot(NodeActivity::Cordoned, 20, 61)],
            ..Work::default()
        };
        let mut later = learned.clone();
        look(&mut later, 62, 6, &closed);
        assert_eq!(later.boot(), Span::minutes(3));
        assert_eq!(learned.budget.late().tasks, 1.0);
        let lost = NodeEnd {
            lane: Lane::Spot,
            granted: at(20),
            at: at(100),
            evicted: true,
        };
        let after = Work {
            ended: vec![lost; 3],
            ..Work::default()
        };
        look(&mut learned, 120, 6, &after);
        // Half of the nodes in an hour, beside one loss in twenty hours that was believed before.
        let rate = learned.spot_loss(Prior::worth_one_eviction(Hazard(0.05)));
        assert!(
            (rate.events - 1.5).abs() < 1e-9 && (rate.hours - 21.0).abs() < 1e-9,
            "{rate:?}"
        );
        let text = serde_json::to_string(&learned).unwrap();
        assert_eq!(serde_json::from_str::<Learned>(&text).unwrap(), learned);
    }
}
