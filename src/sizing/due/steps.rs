//! By when how much of the queue must have started on dedicated nodes.

use super::DueSight;
use super::known::Known;
use crate::account::WaitingTask;
use crate::base::{Span, Timestamp};
use crate::market::LostWork;

/// The chance to lose a run on spot that cannot be repeated, from which on the run is given a dedicated node: at the usual price
/// of spot, where the difference in price is four fifths of the run, a miss then counts as ten runs.
const RISK: f64 = 0.08;

/// By a moment so much of the queue must have started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) by: Timestamp,
    /// Slots from the head of the queue on.
    pub(super) slots: f64,
    /// How long one of its tasks occupies a slot, of many that come one after another, in seconds.
    pub(super) each: f64,
    /// How long the change to a dedicated node takes.
    pub(super) switch: Span,
}

impl DueSight<'_> {
    /// Returns the steps of the queue, in order of time; tasks that no deadline waits for are none.
    pub(super) fn steps(&self, known: &[Known], away: bool) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let (mut slots, mut sum, mut longest_of_all) = (0.0, 0.0, 0.0_f64);
        let mut starts: Vec<Option<Timestamp>> = vec![None; self.work.waiting.len()];
        let mut least: Option<Timestamp> = None;
        let others = self.others.mean_left(Span::ZERO);
        for (index, task) in self.work.waiting.iter().enumerate().rev() {
            if task.slots <= self.slots
                && let Some(due) = self.waiting[index]
            {
                let start = self.latest_start(known, task, due, away);
                least = Some(least.map_or(start, |least| least.min(start)));
            }
            starts[index] = least;
        }
        for (index, task) in self.work.waiting.iter().enumerate() {
            let Some(by) = starts[index] else { break };
            if task.slots > self.slots {
                continue;
            }
            let of = f64::from(task.slots);
            let (mean, longest, switch) = if let Some((rule, due)) = self.waiting[index] {
                let within = due - task.submitted;
                let past = self.past(task.ran, task.lost);
                let longest = known[rule].longest(within, past);
                (known[rule].left(within, past), longest, self.rules[rule].switch)
            } else {
                (others, others, Span::ZERO)
            };
            slots += of;
            sum += of * mean.as_seconds();
            longest_of_all = longest_of_all.max(longest.as_seconds());
            let mean = sum / slots;
            // Of many tasks one after another the long ones and the short ones even out.
            let each = (mean + (longest_of_all - mean).max(0.0) / slots.sqrt()).max(1.0);
            match steps
                .last_mut()
                .filter(|step| self.coarse(step.by) == self.coarse(by))
            {
                Some(step) => {
                    *step = Step {
                        by: step.by,
                        slots,
                        each,
                        switch: step.switch.max(switch),
                    };
                }
                None => steps.push(Step {
                    by,
                    slots,
                    each,
                    switch,
                }),
            }
        }
        steps
    }

    /// Returns when a waiting task must have started on a dedicated node.
    ///
    /// One that is late whatever is done gets what is cheap, and at once: spot while there is some.
    pub(super) fn latest_start(
        &self,
        known: &[Known],
        task: &WaitingTask,
        (rule, due): (usize, Timestamp),
        away: bool,
    ) -> Timestamp {
        let known = &known[rule];
        let past = self.past(task.ran, task.lost);
        if self.now + known.least(past) > due {
            let soon = self.rules[rule].switch + self.interval * 2;
            return if away { self.now } else { self.now + soon };
        }
        let within = due - task.submitted;
        let by = due - known.longest(within, past);
        // A run on spot that starts later than it could be repeated is a gamble that grows with its length.
        let run = known.left(within, past) + self.learned.boot();
        match self.lost {
            LostWork::All => by - (run - self.gamble()).max(Span::ZERO),
            LostWork::SinceCheckpoint(_) => by,
        }
    }

    /// Returns how long a run on spot may be exposed that cannot be repeated: its chance to be lost is then the share of the
    /// difference in price that a miss is worth.
    pub(super) fn gamble(&self) -> Span {
        let hazard = self.learned.spot_loss(self.prior).mean().0.max(1e-6);
        Span::from_seconds((-3600.0 * (1.0 - RISK).ln() / hazard).min(1e9))
    }

    /// Rounds a moment down so that a long queue has few steps: to the look within an hour, and to more further off.
    pub(super) fn coarse(&self, by: Timestamp) -> Timestamp {
        let ahead = by.since(self.now);
        let grain = if ahead < Span::hours(1) {
            self.interval
        } else if ahead < Span::hours(6) {
            self.interval.max(Span::minutes(5))
        } else {
            self.interval.max(Span::minutes(30))
        };
        self.now + grain.scale((ahead / grain).floor())
    }
}
