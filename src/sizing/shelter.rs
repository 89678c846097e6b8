//! Which waiting tasks are worth dedicated nodes although spot is there, because spot nodes would not last for them.
//!
//! A run that spot loses starts anew, and then it can have a dedicated node: so a run on spot is held against one on a
//! dedicated node now with that in mind, as one does who may stop at any time and looks one step ahead. With `S(t)` the chance
//! that a spot node lasts for `t`, a run `R`, the delay that is still allowed `r`, and the price of spot as a share `s`:
//!
//! ```text
//! premium = R·S(R) − s·∫₀ᴿ S     what the dedicated node costs more; below zero where spot is the dearer by what it loses
//! spared  = S(r) − S(R)          the chance that the run is lost when it can no longer be repeated in time
//! ```
//!
//! both over the run times that the task may have, for one that was lost after hours those that are longer. Tasks start in
//! order and on any node: the dedicated node is for the task that waits only if no slot of spot is free before it is there.

use super::plan::Sight;
use super::stays::Stay;
use super::{Burn, LatePrice};
use crate::account::{NodeActivity, WaitingTask};
use crate::base::{Lane, Span};
use crate::market::LostWork;

/// How many tasks from the queue's head on are looked at: those behind them are looked at when they are nearer.
const LOOKED_AT: usize = 200;

/// What is late counts for this from where as much is late as may be on; until then tasks that start sooner, and dedicated
/// nodes in outages, spare the same lateness for less.
const LATE_FROM: f64 = 1.0;

/// It counts in full where so much more is late, as a share of what may be.
const LATE_OVER: f64 = 0.2;

impl Sight<'_> {
    /// Returns how many tasks of the queue's head are worth dedicated nodes now, while there is spot.
    pub(super) fn sheltered(&self, price: LatePrice, used: Burn) -> usize {
        // What tasks save they do not lose, however often they start; and most looks meet no queue.
        if self.lost != LostWork::All || self.work.waiting.is_empty() {
            return 0;
        }
        let weight = ((used.work.max(used.tasks) - LATE_FROM) / LATE_OVER).clamp(0.0, 1.0);
        let price = LatePrice {
            task: weight * price.task,
            hour: weight * price.hour,
        };
        let stay = self.learned.stays.stay(self.spot_loss);
        let left = self.left_by_others();
        // The dedicated node boots and is given back a look after its task has ended.
        let overhead = (self.learned.boot() + self.interval).as_hours() * (1.0 - self.spot_share);
        let mut best = (0, 0.0);
        let (mut worth, mut slots) = (0.0, 0.0);
        let mut last: Option<(WaitingTask, f64)> = None;
        let waiting = self.work.waiting.iter().enumerate();
        for (index, task) in waiting.filter(|(_, task)| self.fits(task)).take(LOOKED_AT) {
            let value = match last {
                Some((before, value)) if before == *task => value,
                _ => self.spared_by_shelter(price, &stay, task),
            };
            last = Some((*task, value));
            slots += f64::from(task.slots);
            let waits = (-left / slots).exp();
            worth += f64::from(task.slots) * (waits * value - overhead);
            if worth > best.1 {
                best = (index + 1, worth);
            }
        }
        best.0
    }

    /// Returns what a dedicated node for a task is worth more than it costs beside a run on spot, in hours of a dedicated slot.
    fn spared_by_shelter(&self, price: LatePrice, stay: &Stay, task: &WaitingTask) -> f64 {
        let boot = self.learned.boot();
        let delay = self.now - task.submitted + boot;
        let mut value = 0.0;
        for (run, chance) in self.model.runs_ahead(task.ran) {
            let room = self.limits.allowed(run) - delay;
            let hours = run.as_hours();
            let (lasts, there) = stay.after(hours);
            // One that is late already has nothing to lose but its work.
            let spared = if room >= Span::ZERO {
                let repeats = stay.after((room - boot).as_hours()).0;
                (repeats - lasts).max(0.0)
            } else {
                0.0
            };
            let premium = hours * lasts - self.spot_share * there;
            value += chance * (spared * (price.task + price.hour * hours) - premium);
        }
        value
    }

    /// Returns the slots of spot nodes that are free, or expected to be, before a node that is ordered now is there.
    fn left_by_others(&self) -> f64 {
        let within = self.learned.boot() + self.interval.scale(0.5);
        let running = self.work.running.iter();
        let ends: f64 = running
            .filter(|task| task.lane == Lane::Spot && !task.cordoned)
            .map(|task| f64::from(task.slots) * self.ends(self.now - task.started, within))
            .sum();
        let nodes = self.work.nodes.iter().filter(|node| node.lane == Lane::Spot);
        let free: u32 = nodes
            .map(|node| match node.activity {
                NodeActivity::Ready => self.slots.saturating_sub(node.busy_slots),
                NodeActivity::Starting => self.slots,
                _ => 0,
            })
            .sum();
        ends + f64::from(free)
    }
}
