//! How many nodes a pool should have for tasks that must be done by a time: spot while there is slack, dedicated ones when it
//! is gone.
//!
//! The queue is served in order, so that a task must start no later than any task behind it must. That gives steps: by a moment
//! so many slots of the queue must have started. A slot that is ready at `f` serves `1 + ⌊(by − f) ÷ run⌋` tasks up to there.
//!
//! ```text
//! each step: a look later its tasks could still start in time on dedicated nodes → leave it to spot, or wait for spot
//!            they could not, or there may not be as many nodes                   → order dedicated nodes for it now
//!            spot is away, and waiting saves less than nodes with several tasks each → the same
//! ```
//!
//! Spot that is there is used after that too. It gets fewer nodes than tasks where there is slack, because each boot is paid
//! for, and as many as tasks where there is none.
//!
//! Source: "Can't Be Late" (Wu and others, NSDI 2024) for spot, dedicated and the point of no return. There one job lags when
//! it does not keep to a line; tasks of a pool can all run at once, so that nothing is gained by keeping to a line, and what is
//! done on dedicated nodes early is not done on spot later.

mod known;
mod orders;
mod slots;
mod steps;

use known::Known;

use super::open::{feeler, open};
use super::{DurationModel, Lanes, Learned, RunTimes};
use crate::account::Work;
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::market::{LostWork, Prior};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct DueSight<'a> {
    /// The moment.
    pub now: Timestamp,
    /// The time until the next look.
    pub interval: Span,
    /// The tasks and nodes.
    pub work: &'a Work,
    /// The task slots of a node.
    pub slots: u32,
    /// What has been learned of the pool.
    pub learned: &'a Learned,
    /// How long tasks run that no deadline means.
    pub others: &'a DurationModel,
    /// The deadlines.
    pub rules: &'a [DueRule<'a>],
    /// For each waiting task its first deadline, by place, and when that is; `None` where no deadline means it.
    pub waiting: &'a [Option<(usize, Timestamp)>],
    /// The same for each running task.
    pub running: &'a [Option<(usize, Timestamp)>],
    /// The most dedicated nodes that there may be.
    pub most: Nodes,
    /// The most spot nodes that there may be.
    pub most_spot: Nodes,
    /// Which nodes may be asked for while there is slack; dedicated ones may always be when there is none.
    pub lanes: Lanes,
    /// What a spot hour costs as a share of a dedicated one.
    pub spot_share: f64,
    /// What is believed of evictions before any are seen.
    pub prior: Prior,
    /// What a task keeps of a run in which it loses its node.
    pub lost: LostWork,
}

/// What a deadline plans with.
#[derive(Clone, Copy, Debug)]
pub struct DueRule<'a> {
    /// How long its tasks run, where some have ended.
    pub runs: Option<&'a RunTimes>,
    /// How long one is taken to run before any has ended.
    pub typical: Option<Span>,
    /// How sure it shall be that no task runs longer than is reckoned with.
    pub confidence: f64,
    /// How long a node takes from its order to its first task.
    pub switch: Span,
}

/// How many nodes of each lane a pool should have for its deadlines, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct DuePlan {
    /// The nodes.
    pub target: Mix,
    /// Of them those that shall take no further tasks.
    pub cordon: Mix,
    /// What the plan does.
    pub course: DueCourse,
    /// The waiting and running tasks that deadlines mean.
    pub tasks: u32,
    /// Of them those that cannot be done in time.
    pub late: u32,
    /// What is left of them in node-hours, in the mean.
    pub left_node_hours: f64,
    /// When the first of them must be done; `None` without a task.
    pub due: Option<Timestamp>,
    /// The latest moment at which dedicated nodes can be ordered for the first step that needs them; `None` when all run.
    pub latest_start: Option<Timestamp>,
    /// When the last of them would end if as many dedicated nodes as there may be were ordered now.
    pub earliest_end: Timestamp,
    /// How long a task is taken to run at most.
    pub longest: Span,
}

/// What a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueCourse {
    /// Spot does the work.
    Spot,
    /// Spot is away, and is waited for.
    Wait,
    /// Dedicated nodes do some of the work, for there is no slack to leave it to spot.
    Dedicated,
}

impl DueSight<'_> {
    /// Returns what the pool should have.
    pub fn plan(&self) -> DuePlan {
        let outage = self.learned.outage_since(self.now);
        let away = outage.is_some() || self.lanes == Lanes::Dedicated;
        let known: Vec<Known> = (0..self.rules.len()).map(|rule| self.known(rule)).collect();
        let facts = self.facts(&known);
        let steps = self.steps(&known, away);
        let dedicated = self.free_at(&known, Lane::Dedicated);
        let spot = self.free_at(&known, Lane::Spot);
        let beyond = self.beyond_reach(&steps, &dedicated, &spot, away);
        let order = self.dedicated_order(&steps, &dedicated, &spot, outage);
        let goes_on = order.is_needed;
        let waiting: f64 = steps.last().map_or(0.0, |step| step.slots);
        let node = |slots: f64| Nodes::ceil(slots / f64::from(self.slots));
        let mut target = Mix::ZERO;
        let mut cordon = Mix::ZERO;
        for lane in Lane::ALL {
            let keeps =
                lane == Lane::Spot && self.lanes != Lanes::Dedicated || lane == Lane::Dedicated && goes_on;
            // A spot node that is not there yet, or has no task yet, takes the first task of the queue, whatever it was asked for.
            let wanted = match lane {
                Lane::Dedicated => waiting,
                Lane::Spot => (waiting - order.kept).max(0.0),
            };
            let opened = open(self.work, self.slots, lane, (keeps, wanted.ceil() as usize));
            target = target.with(lane, opened.stay);
            cordon = cordon.with(lane, opened.closed);
        }
        target.dedicated = (target.dedicated + node(order.slots)).min(self.most.max(target.dedicated));
        if self.lanes != Lanes::Dedicated {
            let more = self.spot_order(&steps, &dedicated, &spot, &order);
            target.spot += node(more);
            // Without a task nothing is waited for: idle nodes go, however short spot is. Nor is a node asked for that would take
            // what must be on dedicated ones.
            let has_work = waiting > 0.0 || !self.work.running.is_empty();
            let asks = outage.is_some() && has_work || waiting > order.kept;
            target.spot = target.spot.max(feeler(self.work, outage.is_some(), asks));
        }
        let course = match (goes_on, outage) {
            (true, _) => DueCourse::Dedicated,
            (false, Some(_)) if waiting > 0.0 => DueCourse::Wait,
            _ => DueCourse::Spot,
        };
        let latest = steps.iter().map(|step| step.by - step.switch).min();
        DuePlan {
            target,
            cordon,
            course,
            latest_start: latest,
            late: facts.late.max(beyond),
            ..facts
        }
    }

    /// Gathers what is told of the tasks that can run.
    fn facts(&self, known: &[Known]) -> DuePlan {
        let waiting = self.work.waiting.iter().zip(self.waiting);
        let waiting = waiting.filter(|(task, _)| task.slots <= self.slots);
        let waiting = waiting.filter_map(|(task, due)| {
            let (rule, due) = (*due)?;
            let (within, past) = (due - task.submitted, self.past(task.ran, task.lost));
            let longest = known[rule].longest(within, past);
            let least = known[rule].least(past);
            let left = known[rule].left(within, past);
            Some((due, self.rules[rule].switch, longest, least, left, task.slots))
        });
        let running = self.work.running.iter().zip(self.running);
        let running = running.filter_map(|(task, due)| {
            let (rule, due) = (*due)?;
            let left = self.left(known, task, Some(rule));
            Some((due, Span::ZERO, left, Span::ZERO, left, task.slots))
        });
        let mut facts = DuePlan {
            target: Mix::ZERO,
            cordon: Mix::ZERO,
            course: DueCourse::Spot,
            tasks: 0,
            late: 0,
            left_node_hours: 0.0,
            due: None,
            latest_start: None,
            earliest_end: self.now,
            longest: Span::ZERO,
        };
        let mut work = 0.0;
        for (due, switch, longest, least, left, slots) in waiting.chain(running) {
            work += left.as_hours() * f64::from(slots) / f64::from(self.slots);
            let ends = self.now + switch + longest;
            let is_late = self.now + switch + least > due;
            facts.tasks += 1;
            facts.late += u32::from(is_late);
            facts.due = Some(facts.due.map_or(due, |first| first.min(due)));
            facts.earliest_end = facts.earliest_end.max(ends);
            facts.longest = facts.longest.max(longest);
        }
        facts.left_node_hours = work;
        if self.most > Nodes::ZERO {
            let fastest = Span::from_seconds(3600.0 * work / self.most.as_f64());
            facts.earliest_end = facts.earliest_end.max(self.now + fastest);
        }
        facts
    }
}

#[cfg(test)]
mod tests;
