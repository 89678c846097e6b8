//! What the deadlines of a policy need, as a strategy and as a floor below what others ask for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ask::Ask;
use super::{Demand, DueTimes, Objective, Policy};
use crate::account::{PoolState, Work};
use crate::base::{Lane, Mix, Nodes, Timestamp};
use crate::decision::{DeadlineCourse, Decision, Reason, Snapshot, Stage};
use crate::sizing::{DueCourse, DuePlan, DueRule, DueSight, Lanes, Learned, whole_run};

/// Asks for what the deadlines of the policy need, and for nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ByDeadlines {}

impl ByDeadlines {
    /// Returns what the deadlines of the policy ask for.
    ///
    /// # Errors
    /// When the tasks and nodes of the pool are not known one by one.
    pub fn ask(self, policy: &Policy, snapshot: &Snapshot<'_>) -> Result<Ask, Reason> {
        let plan = policy.deadline_plan(snapshot).ok_or(Reason::WorkUnknown)?;
        Ok(Ask::Plan {
            target: plan.target,
            cordon: plan.cordon,
            reason: Reason::Deadline(told(&plan)),
        })
    }
}

impl Policy {
    /// Takes in what is seen of a pool, where strategies or deadlines learn from it.
    pub fn learn(&self, learned: &mut Learned, now: Timestamp, pool: &PoolState, work: Option<&Work>) {
        let Some(work) = work.filter(|_| self.decides_by_work()) else {
            return;
        };
        let limits = self.backlog().copied().unwrap_or_default().limits();
        if !learned.see(now, pool, work, &limits, self.eviction.half_life, self.lost_work) {
            return;
        }
        let rule = self.lost_work(learned);
        for task in &work.finished {
            let job = work.job_of(task.job);
            if let Some(deadline) = self.deadlines.iter().find(|deadline| deadline.means(job)) {
                let run = whole_run(task, rule);
                match learned.runs.get_mut(deadline.jobs.as_str()) {
                    Some(runs) => runs.learn(run),
                    None => learned
                        .runs
                        .entry(deadline.jobs.as_str().into())
                        .or_default()
                        .learn(run),
                }
            }
        }
    }

    /// Returns what the deadlines need; `None` when the tasks of the pool are not known one by one.
    pub fn deadline_plan(&self, snapshot: &Snapshot<'_>) -> Option<DuePlan> {
        let work = snapshot.work?;
        let mut dues = DueTimes::of(&self.deadlines, &work.jobs);
        let waiting: Vec<_> = work
            .waiting
            .iter()
            .map(|task| dues.first(task.job, task.submitted))
            .collect();
        let running: Vec<_> = work
            .running
            .iter()
            .map(|task| dues.first(task.job, task.submitted))
            .collect();
        let rules: Vec<DueRule<'_>> = self
            .deadlines
            .iter()
            .map(|deadline| DueRule {
                runs: snapshot.learned.runs.get(deadline.jobs.as_str()),
                typical: deadline.typical_run,
                confidence: deadline.confidence,
                switch: deadline.switch_over,
            })
            .collect();
        let model = snapshot.learned.model(snapshot.now, work);
        let others = snapshot.learned.durations.model([]);
        let sight = DueSight {
            now: snapshot.now,
            interval: self.interval,
            work,
            slots: snapshot.pool.task_slots_per_node.max(1),
            learned: snapshot.learned,
            others: &others,
            rules: &rules,
            waiting: &waiting,
            running: &running,
            most: self.most_of(Lane::Dedicated),
            most_spot: self.most_of(Lane::Spot),
            lanes: match self.lanes(snapshot, &model) {
                // A deadline is there to be met, with dedicated nodes when spot cannot.
                Lanes::Spot | Lanes::Both => Lanes::Both,
                Lanes::Dedicated => Lanes::Dedicated,
            },
            spot_share: self.prices.spot.0 / self.prices.dedicated.0.max(f64::MIN_POSITIVE),
            prior: self.eviction.prior(),
            lost: self.lost_work(snapshot.learned),
        };
        Some(sight.plan())
    }

    fn most_of(&self, lane: Lane) -> Nodes {
        let bounds = match lane {
            Lane::Dedicated => self.bounds.dedicated,
            Lane::Spot => self.bounds.spot,
        };
        let bounds = bounds.max.min(self.bounds.total.max);
        let quota = self.quota.nodes(lane);
        quota.map_or(bounds, |quota| quota.min(bounds))
    }

    /// Raises the outcome to what the deadlines need; where there is no slack, with dedicated nodes.
    pub(super) fn meet_deadlines(&self, decision: &mut Decision, snapshot: &Snapshot<'_>) {
        // What they alone asked for is the outcome already.
        if self.deadlines.is_empty() || matches!(self.demand[..], [Demand::Deadlines(_)]) {
            return;
        }
        let Some(plan) = self.deadline_plan(snapshot).filter(|plan| plan.tasks > 0) else {
            return;
        };
        let asked = decision.outcome();
        let dedicated = match plan.course {
            DueCourse::Dedicated => asked.dedicated.max(plan.target.dedicated),
            DueCourse::Spot | DueCourse::Wait => asked.dedicated,
        };
        let missing = plan.target.total().saturating_sub(dedicated + asked.spot);
        let spot_room = self.bounds.spot.max.saturating_sub(asked.spot);
        let spot = match self.objective {
            Objective::DedicatedOnly => Nodes::ZERO,
            _ => missing.min(spot_room),
        };
        let raised = Mix {
            dedicated: dedicated + missing.saturating_sub(spot),
            spot: asked.spot + spot,
        };
        if raised != asked {
            decision.step(Stage::Propose, raised, Reason::Deadline(told(&plan)));
        }
    }
}

/// Returns what a decision tells of a plan.
fn told(plan: &DuePlan) -> DeadlineCourse {
    let progress = match plan.course {
        _ if plan.late > 0 => "lost",
        DueCourse::Dedicated => "tight",
        DueCourse::Wait => "waiting",
        DueCourse::Spot => "ahead",
    };
    DeadlineCourse {
        due: plan.due,
        progress: progress.to_owned(),
        tasks: plan.tasks,
        late: plan.late,
        left_node_hours: plan.left_node_hours,
        longest: plan.longest.whole_milliseconds(),
        nodes: plan.target.total(),
        sure: plan.course == DueCourse::Dedicated,
        latest_start: plan.latest_start.map(Timestamp::whole_milliseconds),
        earliest_end: plan.earliest_end.whole_milliseconds(),
    }
}
