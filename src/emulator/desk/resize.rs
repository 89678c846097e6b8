//! How a pool follows an order for nodes.
//!
//! ```text
//! steady ─ resize, removenodes, formula ─► resizing ─ granted, victims gone ─► steady
//!                                             │  └─ its time is over ─► steady, with errors
//!                                             └─ stopresize ─► stopping ─► steady, with `ResizeStopped`
//! ```
//!
//! Machines are granted after a while, dedicated ones as far as the cores of the account go, spot ones as far as the market
//! has them too. Which nodes go is the service's choice and not documented; here, as in the simulator, those that lose least.

use std::cmp::Reverse;

use super::Desk;
use super::node::{AfterTasks, NodeState};
use super::pool::{Pool, ResizeFault};
use super::refs::{Event, NodeRef, Step};
use super::setup::TroubleKind;
use crate::account::{AllocationState, NodeDeallocationOption, same_family};
use crate::base::{Lane, Mix, Nodes, Span};

/// What an order for nodes says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) target: Mix,
    pub(super) option: NodeDeallocationOption,
    pub(super) timeout: Span,
}

impl Desk {
    /// Begins a resize; these nodes go whatever the target is.
    pub(super) fn begin_resize(&mut self, number: u32, wanted: Wanted, leaving: &[u32]) {
        let now = self.now;
        let pool = self.pool_mut(number);
        pool.target = wanted.target;
        pool.option = wanted.option;
        pool.resize_timeout = wanted.timeout;
        pool.touch(now);
        pool.allocate(AllocationState::Resizing, now);
        pool.resize.number += 1;
        pool.resize.errors.clear();
        pool.resize.timed_out = false;
        pool.resize.granting = 0;
        // What is waited for is asked for again, as part of what the new target lacks.
        pool.resize.awaited = 0;
        let resize = pool.resize.number;
        for index in leaving {
            self.dismiss(number, *index, wanted.option);
        }
        let allocation = self.allocation_time(number);
        for lane in Lane::ALL {
            if kept(self.pool(number), lane) < wanted.target.get(lane).0 {
                self.note_grant(number, lane, allocation);
            } else {
                self.shrink(number, lane, wanted);
            }
        }
        if self.pool(number).resize.granting == 0 {
            // A pool that gets nothing is resizing for a while all the same, as the service's are.
            self.note_grant(number, Lane::Dedicated, allocation);
        }
        let timed_out = Event::TimedOut { pool: number, resize };
        self.agenda.note(now + wanted.timeout.max(allocation), timed_out);
    }

    fn note_grant(&mut self, number: u32, lane: Lane, after: Span) {
        let pool = self.pool_mut(number);
        pool.resize.granting += 1;
        let granted = Event::Granted {
            pool: number,
            resize: pool.resize.number,
            lane,
        };
        self.agenda.note(self.now + after, granted);
    }

    fn allocation_time(&mut self, number: u32) -> Span {
        let spread = self.setup.timing.allocation;
        let time = self.chance.between(spread.least, spread.most);
        let pool = self.pool(number);
        let slow = self
            .setup
            .troubles_of(&pool.id, self.now)
            .fold(1.0, |slow, kind| {
                if let TroubleKind::SlowAllocation(times) = kind {
                    slow * times
                } else {
                    slow
                }
            });
        time.scale(slow).whole_milliseconds()
    }

    /// Grants the machines of a lane that can be had.
    pub(super) fn grant(&mut self, number: u32, resize: u32, lane: Lane) {
        if !self.is_under_way(number, resize) {
            return;
        }
        let pool = self.pool(number);
        let wants = pool.target.get(lane).0.saturating_sub(kept(pool, lane));
        let refused = self
            .setup
            .troubles_of(&pool.id, self.now)
            .any(|kind| matches!(kind, TroubleKind::NoCapacity | TroubleKind::StuckResize));
        if refused && wants > 0 {
            return;
        }
        let granted = self.within_quota(number, lane, wants);
        if lane == Lane::Spot && !self.market.is_open() {
            self.pool_mut(number).resize.awaited += granted;
        } else {
            for _ in 0..granted {
                self.add_node(number, lane);
            }
        }
        self.pool_mut(number).resize.granting -= 1;
        self.settle(number);
    }

    fn is_under_way(&self, number: u32, resize: u32) -> bool {
        self.pools
            .get(&number)
            .is_some_and(|pool| pool.resize.number == resize && pool.allocation == AllocationState::Resizing)
    }

    /// Returns how many more nodes the cores of the account allow, and notes what they do not.
    pub(super) fn within_quota(&mut self, number: u32, lane: Lane, wants: u32) -> u32 {
        let (mut held, mut of_family) = (0, 0);
        let pool = self.pool(number);
        for other in self.pools.values() {
            held += other.cores_held(lane);
            if same_family(&other.family, &pool.family) {
                of_family += other.cores_held(lane);
            }
        }
        let account = &self.setup.account;
        let cores = u64::from(pool.cores);
        let whole = |quota: u32, held: u64| u64::from(quota).saturating_sub(held) / cores;
        let (mut free, mut code) = match lane {
            Lane::Dedicated => (whole(account.dedicated_cores, held), "AccountCoreQuotaReached"),
            Lane::Spot if account.is_user_subscription => {
                (whole(account.spot_cores, held), "AccountSpotCoreQuotaReached")
            }
            Lane::Spot => (
                whole(account.spot_cores, held),
                "AccountLowPriorityCoreQuotaReached",
            ),
        };
        let mut families = account.family_cores.iter();
        let family = families.find(|(name, _)| same_family(name, &pool.family));
        if let (Lane::Dedicated, Some((_, quota))) = (lane, family)
            && whole(*quota, of_family) < free
        {
            free = whole(*quota, of_family);
            code = "AccountVMSeriesCoreQuotaReached";
        }
        let granted = u64::from(wants).min(free) as u32;
        if granted < wants {
            let message = match code {
                "AccountVMSeriesCoreQuotaReached" => "The specified account has reached VM series core quota",
                "AccountCoreQuotaReached" => "The specified account has reached core quota",
                "AccountSpotCoreQuotaReached" => "The specified account has reached spot core quota",
                _ => "The specified account has reached low-priority core quota",
            };
            let fault = ResizeFault {
                lane,
                code: code.to_owned(),
                message: message.to_owned(),
                values: vec![
                    ("Family".to_owned(), pool.family.clone()),
                    ("MissingNodes".to_owned(), (wants - granted).to_string()),
                ],
            };
            self.pool_mut(number).resize.errors.push(fault);
        }
        granted
    }

    /// Ends the time of a resize: what was not granted is an error, but for what the quota already refused.
    pub(super) fn time_out(&mut self, number: u32, resize: u32) {
        if !self.is_under_way(number, resize) {
            return;
        }
        let pool = self.pool(number);
        let is_stuck = |kind| matches!(kind, TroubleKind::StuckResize);
        if self.setup.troubles_of(&pool.id, self.now).any(is_stuck) {
            return;
        }
        for lane in Lane::ALL {
            let pool = self.pool_mut(number);
            let short = kept(pool, lane) < pool.target.get(lane).0;
            if short && pool.resize.errors.iter().all(|fault| fault.lane != lane) {
                pool.resize.errors.push(ResizeFault {
                    lane,
                    code: "AllocationTimedout".to_owned(),
                    message: format!(
                        "Desired number of {} nodes could not be allocated as the resize timeout was reached",
                        lane_words(lane)
                    ),
                    values: vec![("Reason".to_owned(), "Capacity".to_owned())],
                });
            }
        }
        let resize = &mut self.pool_mut(number).resize;
        resize.timed_out = true;
        resize.granting = 0;
        self.settle(number);
    }

    /// Begins to stop the resize that runs.
    pub(super) fn stop_resize(&mut self, number: u32) {
        let now = self.now;
        let spread = self.setup.timing.stopping;
        let time = self.chance.between(spread.least, spread.most);
        let pool = self.pool_mut(number);
        pool.allocate(AllocationState::Stopping, now);
        pool.resize.granting = 0;
        pool.resize.awaited = 0;
        let resize = pool.resize.number;
        pool.recall(now);
        self.agenda
            .note(now + time, Event::Stopped { pool: number, resize });
    }

    /// Lets a resize have stopped: targets stay, and what is missing or too many is an error.
    pub(super) fn stopped(&mut self, number: u32, resize: u32) {
        let now = self.now;
        let Some(pool) = self.pools.get_mut(&number) else {
            return;
        };
        if pool.resize.number != resize || pool.allocation != AllocationState::Stopping {
            return;
        }
        for lane in Lane::ALL {
            if kept(pool, lane) != pool.target.get(lane).0 {
                pool.resize.errors.push(ResizeFault {
                    lane,
                    code: "ResizeStopped".to_owned(),
                    message: format!(
                        "Desired number of {} nodes could not be allocated due to a stop resize operation",
                        lane_words(lane)
                    ),
                    values: Vec::new(),
                });
            }
        }
        pool.allocate(AllocationState::Steady, now);
    }

    /// Lets a pool be steady when nothing of its resize is to come.
    pub(super) fn settle(&mut self, number: u32) {
        let now = self.now;
        let pool = self.pool_mut(number);
        if pool.allocation != AllocationState::Resizing {
            return;
        }
        let waits = pool.resize.awaited > 0 && !pool.resize.timed_out;
        let goes = pool.present().any(|(_, node)| !node.stays());
        if pool.resize.granting == 0 && !waits && !goes {
            pool.allocate(AllocationState::Steady, now);
        }
    }

    /// Takes away what a lane has too many of.
    fn shrink(&mut self, number: u32, lane: Lane, wanted: Wanted) {
        let pool = self.pool(number);
        let too_many = kept(pool, lane).saturating_sub(wanted.target.get(lane).0);
        let mut victims: Vec<(u32, bool, Reverse<u32>)> = pool
            .present()
            .filter(|(_, node)| node.lane == lane && node.stays())
            .map(|(index, node)| {
                let rank = match node.state {
                    NodeState::Preempted | NodeState::Deallocated => 0,
                    NodeState::Unusable | NodeState::StartTaskFailed | NodeState::Unknown => 1,
                    NodeState::Idle | NodeState::Running | NodeState::Offline => 3 + node.tasks.len() as u32,
                    _ => 2,
                };
                (rank, node.takes_tasks, Reverse(index))
            })
            .collect();
        victims.sort_unstable();
        for (_, _, Reverse(index)) in victims.into_iter().take(too_many as usize) {
            self.dismiss(number, index, wanted.option);
        }
    }

    /// Lets a node go, its tasks by the option.
    pub(super) fn dismiss(&mut self, number: u32, index: u32, option: NodeDeallocationOption) {
        use NodeDeallocationOption as Option;
        let now = self.now;
        let node = &self.pool(number).nodes[index as usize];
        if !node.stays() {
            return;
        }
        if matches!(node.state, NodeState::Preempted | NodeState::Deallocated) {
            self.pool_mut(number).drop_node(index, now);
            return;
        }
        if !node.tasks.is_empty() && matches!(option, Option::TaskCompletion | Option::RetainedData) {
            let pool = self.pool_mut(number);
            pool.change(index, now, |node| node.after_tasks = AfterTasks::Leave);
            return;
        }
        self.clear_node(number, index, option == Option::Terminate);
        self.see_off(number, index);
    }

    /// Begins the removal of a node that has no task.
    pub(super) fn see_off(&mut self, number: u32, index: u32) {
        let (now, spread) = (self.now, self.setup.timing.leaving);
        let time = self.chance.between(spread.least, spread.most);
        let pool = self.pool_mut(number);
        let life = pool.change(index, now, |node| {
            node.state = NodeState::LeavingPool;
            node.life += 1;
            node.life
        });
        let node = NodeRef { pool: number, index };
        let step = Step::Gone;
        self.agenda.note(now + time, Event::Node { node, life, step });
    }
}

/// Returns the nodes of a lane that are there and stay.
fn kept(pool: &Pool, lane: Lane) -> u32 {
    pool.present()
        .filter(|(_, node)| node.lane == lane && node.stays())
        .count() as u32
}

/// Returns how the service's texts call a lane.
const fn lane_words(lane: Lane) -> &'static str {
    match lane {
        Lane::Dedicated => "dedicated",
        Lane::Spot => "low priority",
    }
}

/// Returns a mix as it is asked for.
pub(super) const fn mix(dedicated: u32, spot: u32) -> Mix {
    Mix {
        dedicated: Nodes(dedicated),
        spot: Nodes(spot),
    }
}
