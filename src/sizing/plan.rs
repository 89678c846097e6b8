//! How many spot and dedicated nodes a pool should have for the tasks that it has.
//!
//! ```text
//! spot comes        → Spot      what is needed is asked of spot; dedicated nodes finish what they have and go
//!                   → Shelter   the head gets dedicated nodes for which spot nodes would not last, the rest spot
//! spot stays away   → Wait      no part of the queue's head is worth dedicated nodes
//!                   → Fallback  the head gets them whose lateness, if it waited for spot, would cost more
//! spot does not pay → Dedicated what is needed is asked of dedicated nodes
//! ```
//!
//! While there is work at least one spot node is asked for, so that the return of spot is seen when it comes.

use serde::{Deserialize, Serialize};

use super::open::{feeler, open};
use super::{Burn, DurationModel, LatePrice, Learned, Lookahead, MissLimits};
use crate::account::{NodeActivity, WaitingTask, Work};
use crate::base::{Lane, Mix, Nodes, Span, Timestamp};
use crate::market::{Hazard, LostWork};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
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
    /// How long tasks run, as it was learned.
    pub model: &'a DurationModel,
    /// What delay is allowed.
    pub limits: MissLimits,
    /// Which nodes may be asked for.
    pub lanes: Lanes,
    /// What an eviction destroys of a task.
    pub lost: LostWork,
    /// Whether tasks that need more slots than a node has are counted like others.
    pub counts_oversized: bool,
    /// The share of like tasks that has ended when a task is taken to end; `None` for what is expected.
    pub quantile: Option<f64>,
    /// What a spot hour costs as a share of a dedicated one.
    pub spot_share: f64,
    /// How often a spot node is lost.
    pub spot_loss: Hazard,
}

/// Which nodes may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lanes {
    /// Spot, and dedicated ones when spot stays away.
    Both,
    /// Spot, however long it stays away.
    Spot,
    /// Dedicated ones only.
    Dedicated,
}

/// How many nodes of each lane a pool should have, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The nodes.
    pub target: Mix,
    /// Of them those that shall take no further tasks.
    pub cordon: Mix,
    /// What the plan does.
    pub course: Course,
    /// The waiting tasks that can run.
    pub waiting: u32,
    /// The waiting tasks that need more slots than a node has.
    pub never_fit: u32,
    /// What may still be late.
    pub left: Burn,
    /// What is expected to be late besides if the queue waits one look longer.
    pub risk: Burn,
    /// How dear lateness is.
    pub price: LatePrice,
}

/// What a plan does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Course {
    /// Asks spot for what is needed.
    Spot,
    /// Waits for spot to return.
    Wait {
        /// Since when it has been away.
        since: Timestamp,
    },
    /// Asks for dedicated nodes for the head of the queue.
    Fallback {
        /// Since when spot has been away.
        since: Timestamp,
        /// The tasks that get dedicated nodes.
        tasks: u32,
    },
    /// Asks for dedicated nodes for the head of the queue, for which spot nodes would not last, and spot for the rest.
    Shelter {
        /// The tasks that get dedicated nodes.
        tasks: u32,
    },
    /// Asks for dedicated nodes only.
    Dedicated,
}

/// The share of the allowed wait by which tasks shall have started: the rest is for nodes that come late.
const START_SHARE: f64 = 0.9;

/// The share of the expected releases that is counted on.
const RELEASES_TRUSTED: f64 = 0.7;

/// Tasks are let wait that long until this share of the work that may be late is used up,
const HURRY_FROM: f64 = 0.4;

/// and from this share on they shall have started by
const HURRY_TO: f64 = 0.9;

/// this share of the allowed wait, which is at once: a task that starts sooner has more time to start anew when it loses its
/// node, and spot nodes that come sooner are the cheapest way to have fewer tasks late.
const START_SHARE_LEAST: f64 = 0.05;

/// What is used up of the tasks that may be late counts by this much: they are late where spot was away, however soon they start.
const HURRY_FOR_TASKS: f64 = 0.7;

/// Then less is counted on that others end.
const RELEASES_TRUSTED_LEAST: f64 = 0.2;

/// By when tasks shall have started, and how much is counted on for that.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// The time after their submission.
    begin: Span,
    /// The share of the expected releases.
    trusted: f64,
}

impl Pace {
    /// Returns the pace where tasks may be kept for `wait` and so much of the allowed lateness is used up.
    fn of(wait: Span, used: Burn) -> Self {
        let used = used.work.max(HURRY_FOR_TASKS * used.tasks);
        let room = ((HURRY_TO - used) / (HURRY_TO - HURRY_FROM)).clamp(0.0, 1.0);
        let between = |least: f64, most: f64| least + (most - least) * room;
        Self {
            begin: wait.scale(between(START_SHARE_LEAST, START_SHARE)),
            trusted: between(RELEASES_TRUSTED_LEAST, RELEASES_TRUSTED),
        }
    }
}

/// The step of the look-ahead.
const STEP: Span = Span::minutes(1);

/// A task that is late is not let wait for spot for ever: after so many times its allowed delay it counts as urgent again.
const PATIENCE: f64 = 16.0;

impl Sight<'_> {
    /// Returns what the pool should have.
    pub fn plan(&self) -> Plan {
        let budget = &self.learned.budget;
        let under_way = (self.work.waiting.len() + self.work.running.len()) as f64;
        let expected = self.expected();
        let used = budget.used(&self.limits, under_way, expected);
        let price = budget.price(used);
        let left = budget.left(&self.limits, under_way, expected);
        let pace = Pace::of(self.limits.wait, used);
        let waiting = self.work.waiting.len();
        let can_run = self.work.waiting.iter().filter(|task| self.fits(task)).count();
        let since = self.outage();
        let (head, risk) = match since {
            Some(since) => (self.head(price, since), self.risk()),
            None if self.lanes == Lanes::Both => (self.sheltered(price, used), Burn::default()),
            None => (0, Burn::default()),
        };
        let course = match (self.lanes, since) {
            (Lanes::Dedicated, _) => Course::Dedicated,
            (Lanes::Both, None) if head > 0 => Course::Shelter { tasks: head as u32 },
            (Lanes::Spot, _) | (Lanes::Both, None) => Course::Spot,
            (Lanes::Both, Some(since)) if head == 0 => Course::Wait { since },
            (Lanes::Both, Some(since)) => Course::Fallback {
                since,
                tasks: head as u32,
            },
        };
        let nodes = |slots: u32| Nodes(slots.div_ceil(self.slots.max(1)));
        let (dedicated, spot) = match course {
            Course::Dedicated => (nodes(self.extra(&[Lane::Dedicated], waiting, pace)), Nodes::ZERO),
            Course::Spot => (Nodes::ZERO, nodes(self.extra(&[Lane::Spot], waiting, pace))),
            Course::Shelter { .. } => {
                let dedicated = self.extra(&[Lane::Dedicated], head, pace);
                let all = self.extra(&Lane::ALL, waiting, pace);
                (nodes(dedicated), nodes(all.saturating_sub(dedicated)))
            }
            Course::Wait { .. } | Course::Fallback { .. } => (
                nodes(self.extra(&Lane::ALL, head, pace)),
                nodes(self.extra(&Lane::ALL, waiting, pace)),
            ),
        };
        let wanted = match course {
            Course::Dedicated => [can_run, 0],
            Course::Spot => [0, can_run],
            Course::Shelter { tasks } => [tasks as usize, can_run],
            Course::Wait { .. } | Course::Fallback { .. } => [can_run, can_run],
        };
        let (cordon, stays) = self.open(wanted, head > 0);
        // A spot node that is asked for to see whether it comes would take the task that it is not to have.
        let asks = self.lanes != Lanes::Dedicated && !matches!(course, Course::Shelter { .. });
        let has_work = can_run > 0 || !self.work.running.is_empty();
        let feeler = feeler(self.work, since.is_some(), has_work && asks);
        let target = Mix {
            dedicated: stays.dedicated + dedicated,
            spot: (stays.spot + spot).max(feeler),
        };
        Plan {
            target,
            cordon,
            course,
            waiting: u32::try_from(can_run).unwrap_or(u32::MAX),
            never_fit: u32::try_from(waiting - can_run).unwrap_or(u32::MAX),
            left,
            risk,
            price,
        }
    }

    /// Returns how many nodes are needed, whatever their lanes.
    pub fn nodes(&self) -> Nodes {
        let pace = Pace::of(self.limits.wait, Burn::default());
        let extra = self.extra(&Lane::ALL, self.work.waiting.len(), pace);
        let can_run = self.work.waiting.iter().filter(|task| self.fits(task)).count();
        let (_, stays) = self.open([can_run; 2], false);
        stays.total() + Nodes(extra.div_ceil(self.slots.max(1)))
    }

    /// Returns since when spot has been away.
    fn outage(&self) -> Option<Timestamp> {
        self.learned.outage_since(self.now)
    }

    /// Says whether a task can ever run: the service keeps one that needs more slots than a node has waiting for ever.
    pub(super) fn fits(&self, task: &WaitingTask) -> bool {
        self.counts_oversized || task.slots <= self.slots
    }

    /// Returns the share that is counted on of tasks which have run for a while to end within a span.
    pub(super) fn ends(&self, ran: Span, within: Span) -> f64 {
        let chance = self.model.ends_within(ran, within);
        self.quantile
            .map_or(chance, |quantile| f64::from(u8::from(chance >= quantile)))
    }

    /// Returns what is expected to be late of what is under way.
    fn expected(&self) -> Burn {
        let mut expected = Burn::default();
        for task in self.work.waiting.iter().filter(|task| self.fits(task)) {
            let delay = self.now - task.submitted;
            expected.add(self.limits.expected(self.model, delay, task.ran, task.slots));
        }
        for task in &self.work.running {
            let ran = task.ran.max(self.now - task.started);
            let delay = task.started - task.submitted;
            expected.add(self.limits.expected(self.model, delay, ran, task.slots));
        }
        expected
    }

    /// Returns what is expected to be late besides if the whole queue waits one look longer.
    fn risk(&self) -> Burn {
        let longer = self.interval + self.learned.boot();
        let mut risk = Burn::default();
        for task in self.work.waiting.iter().filter(|task| self.fits(task)) {
            let delay = self.now - task.submitted;
            let late = |delay| self.limits.expected(self.model, delay, task.ran, task.slots);
            risk.add(late(delay + longer).beyond(late(delay)));
        }
        risk
    }

    /// Returns how many tasks of the queue's head are worth dedicated nodes now, while spot is away.
    ///
    /// A dedicated node spares a task the lateness that the rest of the outage would bring, at the price of lateness, and
    /// costs what a dedicated hour costs more than a spot hour. Tasks start in order: the head that is worth most is given
    /// its nodes whole. One that has waited for very long gets one whatever it is worth.
    fn head(&self, price: LatePrice, since: Timestamp) -> usize {
        let left = self.learned.outages.left(self.now - since);
        let mut best = (0, 0.0);
        let mut worth = 0.0;
        let mut last: Option<(WaitingTask, f64)> = None;
        let waiting = self.work.waiting.iter().enumerate();
        for (index, task) in waiting.filter(|(_, task)| self.fits(task)) {
            // A job brings many equal tasks at once.
            let value = match last {
                Some((before, value)) if before == *task => value,
                _ => self.value(price, &left, task),
            };
            last = Some((*task, value));
            worth += value;
            let waited = self.now - task.submitted;
            let patient = waited < self.limits.allowed(task.ran).scale(PATIENCE);
            // What loses nothing by waiting a look longer waits: spot may be back by then.
            if (worth > best.1 && self.is_urgent(task)) || !patient {
                best = (index + 1, worth.max(best.1));
            }
        }
        best.0
    }

    /// Says whether a task is the likelier to be late when it waits a look longer.
    fn is_urgent(&self, task: &WaitingTask) -> bool {
        let delay = self.now - task.submitted;
        let late = |delay| self.limits.expected(self.model, delay, task.ran, task.slots);
        let longer = self.interval + self.learned.boot();
        late(delay + longer).tasks > late(delay).tasks
    }

    /// Returns what a dedicated node for a task is worth more than it costs, in hours of a dedicated slot.
    fn value(&self, price: LatePrice, left: &[(Span, f64)], task: &WaitingTask) -> f64 {
        let starts = self.now - task.submitted + self.learned.boot();
        let late = |delay| self.limits.expected(self.model, delay, task.ran, task.slots);
        let now = late(starts);
        let mut spared = Burn::default();
        for (away, chance) in left {
            let then = late(starts + *away).beyond(now);
            spared.add(Burn {
                tasks: chance * then.tasks,
                work: chance * then.work,
            });
        }
        // What it has saved it does not do again, and it has saved all but the last stretch.
        let again = match self.lost {
            LostWork::All => task.ran,
            LostWork::SinceCheckpoint(checkpoint) => task.ran.min(checkpoint.every),
        };
        let hours = (again + self.model.mean_left(task.ran)).as_hours() * f64::from(task.slots);
        price.task * spared.tasks + price.hour * spared.work - (1.0 - self.spot_share) * hours
    }

    /// Returns the slots that must be added so that the first tasks of the queue start in time on some lanes.
    fn extra(&self, lanes: &[Lane], tasks: usize, pace: Pace) -> u32 {
        let boot = self.learned.boot();
        let lead = steps_of(boot);
        // Tasks are due no sooner than a node that is ordered now can start them: that step is looked at, however short the wait.
        let steps = ((pace.begin.as_seconds() / STEP.as_seconds()) as usize + 1).max(lead + 1);
        let span = |step: usize| STEP.scale(step as f64);
        let mut ahead = Lookahead {
            lead,
            look: steps_of(self.interval).max(1),
            free: 0.0,
            released: vec![0.0; steps],
            booted: vec![0.0; steps],
            ended: (0..steps).map(|step| self.ends(Span::ZERO, span(step))).collect(),
            waiting: 0.0,
            due: vec![0.0; steps],
        };
        for node in self.work.nodes.iter().filter(|node| lanes.contains(&node.lane)) {
            match node.activity {
                NodeActivity::Ready | NodeActivity::Cordoned => {
                    ahead.free += f64::from(self.slots.saturating_sub(node.busy_slots));
                }
                NodeActivity::Starting => {
                    let ready = steps_of(boot - (self.now - node.granted));
                    for booted in ahead.booted.iter_mut().skip(ready) {
                        *booted += f64::from(self.slots);
                    }
                }
                _ => {}
            }
        }
        for task in self.work.running.iter().filter(|task| lanes.contains(&task.lane)) {
            let ran = self.now - task.started;
            for (step, released) in ahead.released.iter_mut().enumerate() {
                let ended = self.ends(ran, span(step));
                *released += pace.trusted * f64::from(task.slots) * ended;
            }
        }
        for task in self.work.waiting[..tasks].iter().filter(|task| self.fits(task)) {
            ahead.waiting += f64::from(task.slots);
            let due = pace.begin.max(task.ran.scale(self.limits.slowdown)) - (self.now - task.submitted);
            let step = ((due.as_seconds() / STEP.as_seconds()).max(0.0) as usize).max(lead);
            if let Some(due) = ahead.due.get_mut(step) {
                *due = due.max(ahead.waiting);
            }
        }
        for step in 1..steps {
            ahead.due[step] = ahead.due[step].max(ahead.due[step - 1]);
        }
        ahead.extra_now()
    }

    /// Returns the nodes to close and those that stay, given the slots wanted in each lane, and whether some of the queue is to
    /// have dedicated nodes.
    fn open(&self, wanted: [usize; 2], head: bool) -> (Mix, Mix) {
        let [mut close, mut stay] = [Mix::ZERO; 2];
        for (lane, wanted) in Lane::ALL.into_iter().zip(wanted) {
            let opened = open(self.work, self.slots, lane, (self.keeps(lane, head), wanted));
            close = close.with(lane, opened.closed);
            stay = stay.with(lane, opened.stay);
        }
        (close, stay)
    }

    /// Says whether busy nodes of a lane may go on with other tasks.
    fn keeps(&self, lane: Lane, head: bool) -> bool {
        match self.lanes {
            Lanes::Dedicated => lane == Lane::Dedicated,
            Lanes::Spot => lane == Lane::Spot,
            Lanes::Both => lane == Lane::Spot || head || self.outage().is_some(),
        }
    }
}

fn steps_of(span: Span) -> usize {
    (span.as_seconds().max(0.0) / STEP.as_seconds()).ceil() as usize
}

#[cfg(test)]
mod tests;
