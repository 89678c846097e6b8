//! Uniform progress for tasks with deadlines: spot where it can be had, dedicated nodes when the work falls behind its line.
//!
//! Source: Wu et al., "Can't Be Late: Optimizing Spot Instance Savings under Deadlines" (NSDI 24). Its rules for one job with
//! checkpoints, run time C and deadline R, where a switch of instances costs d:
//!
//! 1. when the job is idle and its progress is below C·t/R, it goes on demand;
//! 2. it takes spot whenever that is available, and stays there until it is preempted;
//! 3. on demand it stays until its progress is no less than the line at t + 2d;
//! 4. when it is idle and no more than C + 2d of time is left, it goes on demand to the end.
//!
//! Here a pool has one line, the sum over its tasks, so that a job of many tasks may do them one after another. A waiting task
//! at rule 4 takes all before it in the queue along, because the pool serves them first. Work that was not saved is lost
//! with its node, and what runs on a dedicated node ends there. For one task of one node this is the paper's policy.

use std::collections::VecDeque;

use super::pilot::{Sight, Wish};
use crate::account::NodeActivity;
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::sim::cluster::Unfinished;
use crate::sim::delay::DelayLimit;
use crate::sim::workload::{Due, Task};

/// The rule with what it remembers.
#[derive(Debug)]
pub(super) struct UniformProgress {
    /// When a task is to end, from its submission; when it is due otherwise, and by the limit of the run where nothing says so.
    within: Option<Span>,
    limit: DelayLimit,
    /// d: from an order to a task that runs on the new node.
    switch_over: Span,
    /// The tasks of the log that were submitted so far.
    n_submitted: usize,
    /// Those whose time is not over, ended or not, by submission.
    open: VecDeque<Task>,
    /// Rule 1 holds until rule 3 ends it.
    behind: bool,
}

/// What the pool's tasks come to, in slots and slot-hours.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Ledger {
    /// Work of unfinished tasks that is not done.
    left: f64,
    /// Slots of tasks that wait.
    waiting: u64,
    /// Of those: the tasks at rule 4, and all before them.
    at_risk: u64,
    /// Slots of tasks that run on spot nodes.
    on_spot: u64,
}

impl UniformProgress {
    /// Steps of the traces that the paper uses are longer; a minute is the engine's usual pace.
    pub(super) const INTERVAL: Span = Span::minutes(1);

    pub(super) const fn new(within: Option<Span>, limit: DelayLimit, switch_over: Span) -> Self {
        Self {
            within,
            limit,
            switch_over,
            n_submitted: 0,
            open: VecDeque::new(),
            behind: false,
        }
    }

    pub(super) fn look(&mut self, sight: &Sight<'_>) -> Wish {
        let per_node = f64::from(sight.pool.task_slots_per_node);
        self.take_in(&sight.cluster.workload().tasks, sight);
        let ledger = self.add_up(sight.now, sight.cluster.unfinished());
        let busy = busy_dedicated(sight);
        let more = self.more_dedicated(sight.now, &ledger, sight, busy);
        let quota = sight.cluster.setup().quota;
        let slots_on_dedicated = sight
            .wanted_slots()
            .saturating_sub(ledger.waiting + ledger.on_spot);
        let for_spot = (sight.wanted_slots() - slots_on_dedicated) as f64;
        // What runs on a dedicated node ends there, with or without its node in the target.
        let dedicated = if self.behind || more > Nodes::ZERO {
            busy + more
        } else {
            Nodes::ZERO
        };
        Wish::draining(Mix {
            dedicated: dedicated.min(quota.dedicated),
            spot: Nodes::ceil(for_spot / per_node).min(quota.spot),
        })
    }

    /// Takes in what was submitted since the last look, and drops those whose time is over.
    fn take_in(&mut self, tasks: &[Task], sight: &Sight<'_>) {
        let n_submitted = sight.cluster.submitted() as usize;
        let fresh = tasks[self.n_submitted..n_submitted].iter();
        let per_node = sight.pool.task_slots_per_node;
        self.open.extend(fresh.filter(|task| task.slots <= per_node));
        self.n_submitted = n_submitted;
        let mut open = std::mem::take(&mut self.open);
        open.retain(|task| task.submit + self.time_for(task) > sight.now);
        self.open = open;
    }

    /// Returns R: how long after its submission a task is to end.
    fn time_for(&self, task: &Task) -> Span {
        let due = || {
            task.due
                .map_or_else(|| task.run + self.limit.of(task.run), Due::span)
        };
        self.within.unwrap_or_else(due)
    }

    fn add_up(&self, now: Timestamp, unfinished: impl Iterator<Item = Unfinished>) -> Ledger {
        let mut ledger = Ledger::default();
        for Unfinished { task, left, runs } in unfinished {
            let slots = u64::from(task.slots);
            ledger.left += left.as_hours() * f64::from(task.slots);
            match runs {
                None => {
                    ledger.waiting += slots;
                    let slack = task.submit + self.time_for(&task) - now - left;
                    if slack < self.switch_over * 2 {
                        ledger.at_risk = ledger.waiting;
                    }
                }
                Some((_, Lane::Spot)) => ledger.on_spot += slots,
                Some((_, Lane::Dedicated)) => {}
            }
        }
        ledger
    }

    /// Returns the work in slot-hours that the line still allows to be undone at a moment, and how fast it falls.
    fn line(&self, at: Timestamp) -> (f64, f64) {
        let (mut undone, mut slope) = (0.0, 0.0);
        for task in &self.open {
            let work = task.run.as_hours() * f64::from(task.slots);
            let time = self.time_for(task);
            let left = (task.submit + time).since(at);
            if left > Span::ZERO {
                undone += work * (left / time).min(1.0);
                slope += work / time.as_hours();
            }
        }
        (undone, slope)
    }

    /// Returns how many dedicated nodes are wanted beyond those with tasks.
    fn more_dedicated(&mut self, now: Timestamp, ledger: &Ledger, sight: &Sight<'_>, busy: Nodes) -> Nodes {
        let per_node = f64::from(sight.pool.task_slots_per_node);
        let double = self.switch_over * 2;
        let (undone, slope) = self.line(now);
        let lag = ledger.left - undone;
        self.behind = lag > 0.0 || (self.behind && ledger.left > self.line(now + double).0);
        let at_risk = ledger.at_risk as f64 / per_node;
        if !self.behind {
            return Nodes::ceil(at_risk);
        }
        // Slots that keep to the line and make good what is behind within two switch-overs.
        let hours = double.as_hours().max(Self::INTERVAL.as_hours());
        let pace = slope + lag.max(0.0) / hours;
        let short = (pace - ledger.on_spot as f64) / per_node - busy.as_f64();
        let booting = sight.nodes(Lane::Spot, &[NodeActivity::Starting]).as_f64();
        let idle = (ledger.waiting as f64 / per_node - booting).ceil();
        Nodes::ceil(at_risk.max(short.ceil().min(idle)))
    }
}

fn busy_dedicated(sight: &Sight<'_>) -> Nodes {
    let nodes = sight.work.nodes.iter();
    let busy = nodes.filter(|node| node.lane == Lane::Dedicated && node.busy_slots > 0);
    Nodes(u32::try_from(busy.count()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(submit: i64, minutes: i64) -> Task {
        Task {
            submit: Timestamp::from_unix_seconds(60 * submit),
            run: Span::minutes(minutes),
            slots: 1,
            job: None,
            due: None,
        }
    }

    fn rule() -> UniformProgress {
        UniformProgress::new(Some(Span::hours(3)), DelayLimit::default(), Span::minutes(4))
    }

    #[test]
    fn the_line_falls_evenly_to_the_deadline() {
        let mut rule = rule();
        rule.open.extend([task(0, 60), task(60, 30)]);
        let at = |minute: i64| Timestamp::from_unix_seconds(60 * minute);
        // 1.5 slot-hours; a third of the first is due after an hour.
        for (minute, undone) in [(60, 2.0 / 3.0 + 0.5), (180, 0.5 / 3.0), (240, 0.0)] {
            assert!((rule.line(at(minute)).0 - undone).abs() < 1e-9, "{minute}");
        }
        assert!((rule.line(at(60)).1 - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_task_that_must_start_takes_all_before_it_along() {
        let waits = |task: Task| Unfinished {
            task,
            left: task.run,
            runs: None,
        };
        let at = |minute: i64| Timestamp::from_unix_seconds(60 * minute);
        // Deadline 3:00: an hour of work must start by 2:00, and eight minutes go to two switch-overs.
        let queue = [waits(task(0, 30)), waits(task(0, 60)), waits(task(0, 10))];
        let ledger = |minute| rule().add_up(at(minute), queue.into_iter());
        assert_eq!((ledger(112).waiting, ledger(112).at_risk), (3, 0));
        assert_eq!(ledger(113).at_risk, 2);
        assert_eq!(ledger(163).at_risk, 3);
        // What runs on spot is left there, whatever its slack.
        let runs = Unfinished {
            task: task(0, 60),
            left: Span::minutes(30),
            runs: Some((at(100), Lane::Spot)),
        };
        let ledger = rule().add_up(at(130), [runs].into_iter());
        assert_eq!((ledger.on_spot, ledger.at_risk), (1, 0));
        assert!((ledger.left - 0.5).abs() < 1e-9);
    }
}
