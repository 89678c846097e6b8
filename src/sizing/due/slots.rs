//! When the slots that are there are free, and how many tasks they serve.

use super::super::run_times::beyond;
use super::DueSight;
use super::known::Known;
use crate::account::{NodeActivity, RunningTask};
use crate::base::{Lane, Span};

impl DueSight<'_> {
    /// Returns when each slot of a lane is free, in seconds from now: at once, when its node has booted or when its task ends.
    pub(super) fn free_at(&self, known: &[Known], lane: Lane) -> Vec<f64> {
        let boot = self.learned.boot();
        let (mut free, mut busy) = (Vec::new(), 0);
        for node in self.work.nodes.iter().filter(|node| node.lane == lane) {
            match node.activity {
                NodeActivity::Ready | NodeActivity::Cordoned => {
                    busy += node.busy_slots as usize;
                    free.extend((node.busy_slots..self.slots).map(|_| 0.0));
                }
                NodeActivity::Starting => {
                    let left = (boot - (self.now - node.granted)).as_seconds().max(0.0);
                    free.extend((0..self.slots).map(|_| left));
                }
                _ => {}
            }
        }
        let running = self.work.running.iter().zip(self.running);
        let mut left: Vec<f64> = running
            .filter(|(task, _)| task.lane == lane)
            .flat_map(|(task, due)| {
                let left = self.left(known, task, due.map(|(rule, _)| rule)).as_seconds();
                (0..task.slots).map(move |_| left)
            })
            .collect();
        // Nodes that are leaving have tasks as well: of more than there are slots the latest count.
        left.sort_unstable_by(|a, b| b.total_cmp(a));
        free.extend(left.into_iter().take(busy));
        free
    }

    /// Returns what a running task has still to run, in the mean.
    pub(super) fn left(&self, known: &[Known], task: &RunningTask, rule: Option<usize>) -> Span {
        let past = self.past(task.ran, task.lost);
        let ran = past.kept.whole(self.now - task.started);
        let Some(known) = rule.map(|rule| &known[rule]) else {
            return self.others.mean_left(ran);
        };
        match &known.runs {
            // One that ran for longer before it lost its node has that before it at the least.
            Some(runs) => {
                let least = ran.max(past.at_least);
                runs.mean_left(least) + (least - ran)
            }
            None => {
                let mean = known.mean.unwrap_or(Span::ZERO);
                (mean - ran).max(beyond(ran))
            }
        }
    }
}

/// Returns how many tasks of a length slots can have started up to a moment, in seconds from now.
pub(super) fn served(free: &[f64], by: f64, each: f64) -> f64 {
    free.iter()
        .map(|free| if *free <= by { rounds(by - free, each) } else { 0.0 })
        .sum()
}

/// Returns how many tasks one slot can have started one after another in some seconds; it starts one at the least.
pub(super) fn rounds(seconds: f64, each: f64) -> f64 {
    1.0 + (seconds.max(0.0) / each).floor()
}
