//! A problem made ready for arithmetic: limits resolved, prices per node, chances as numbers.

use super::supply::tolerated;
use super::{Bill, LaneTerms, Problem, ShareRule};
use crate::base::{Span, Timestamp, UsdHourly};
use crate::market::{EvictionModel, Outset};

/// A problem as the search reads it.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub demand: u32,
    pub risk: f64,
    pub dedicated: Rates,
    pub spot: Rates,
    pub limits: Limits,
    pub chances: Chances,
    /// What an hour of work on a spot node costs beside its price, for what evictions destroy.
    pub redo: f64,
    /// What a missing node costs in an hour.
    pub late: f64,
}

/// What a node of one lane costs in an hour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub price: f64,
    /// The boot of a node that is not there yet, spread over the dwell.
    start: f64,
    /// Giving up a node that is there, spread over the dwell.
    stop: f64,
    pub there: u32,
    /// The most nodes of a target that can be usable in time.
    pub in_time: u32,
}

/// The bounds and quotas as they bind together. Within them some mix is always allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub dedicated: (u32, u32),
    pub spot: (u32, u32),
    pub total: (u32, u32),
}

/// How spot nodes come through the horizon; see `market::Outlook`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chances {
    pub up: f64,
    pub calm: (f64, f64),
    pub shaken: (f64, f64),
}

impl Terms {
    pub(super) fn new(problem: &Problem) -> Self {
        let limits = Limits::new(problem);
        Self {
            demand: problem.demand.0,
            risk: problem.risk.get(),
            dedicated: Rates::new(&problem.dedicated, problem),
            spot: Rates::new(&problem.spot, problem),
            limits,
            chances: Chances::new(problem),
            redo: problem.spot.price.0 * redone(problem),
            late: problem.lateness.0,
        }
    }

    /// Returns whether any shortage is tolerated. Each spot node is then taken to work; otherwise those beyond the promise are
    /// its reserve.
    pub(super) fn promises_nothing(&self) -> bool {
        tolerated(1.0, self.risk)
    }

    /// Returns the part of the bill that changes with the dedicated nodes alone, lateness aside, when the promise is kept: linear
    /// between the nodes that are there and the promise.
    pub(super) fn dedicated_part(&self, dedicated: f64, promised: f64) -> f64 {
        let spared = if self.promises_nothing() {
            0.0
        } else {
            self.redo * (promised - dedicated).max(0.0)
        };
        self.dedicated.price * dedicated + self.dedicated.churn_to(dedicated) + spared
    }

    /// Returns what one more spot node than `spot` costs in an hour when the promise is kept already.
    pub(super) fn one_more_spot(&self, spot: u32) -> f64 {
        let works = if self.promises_nothing() { self.redo } else { 0.0 };
        self.spot.next(spot) + works
    }

    /// Returns the bill of a mix that promises `promised` nodes and is expected to miss `missing` of the demand.
    pub(super) fn bill(&self, dedicated: u32, spot: u32, promised: u32, missing: f64) -> Bill {
        let working = if self.promises_nothing() {
            spot
        } else {
            spot.min(promised.saturating_sub(dedicated))
        };
        Bill {
            compute: UsdHourly(
                self.dedicated.price * f64::from(dedicated) + self.spot.price * f64::from(spot),
            ),
            redo: UsdHourly(self.redo * f64::from(working)),
            lateness: UsdHourly(self.late * missing),
            churn: UsdHourly(self.dedicated.churn(dedicated) + self.spot.churn(spot)),
        }
    }
}

impl Rates {
    fn new(lane: &LaneTerms, problem: &Problem) -> Self {
        let dwell = problem.dwell.as_hours();
        let new_in_time = lane.boot <= problem.horizon;
        Self {
            price: lane.price.0,
            start: lane.price.0 * lane.boot.as_hours() / dwell,
            stop: lane.stop.0 / dwell,
            there: lane.there().0,
            in_time: if new_in_time {
                u32::MAX
            } else {
                lane.there_in_time(problem.horizon).0
            },
        }
    }

    /// Returns what it costs in an hour to come to `nodes` from those that are there.
    pub(super) fn churn(&self, nodes: u32) -> f64 {
        self.churn_to(f64::from(nodes))
    }

    fn churn_to(&self, nodes: f64) -> f64 {
        let more = nodes - f64::from(self.there);
        if more >= 0.0 {
            self.start * more
        } else {
            self.stop * -more
        }
    }

    /// Returns what one more node than `nodes` costs in an hour; never falls as `nodes` grows.
    fn next(&self, nodes: u32) -> f64 {
        self.price
            + if nodes >= self.there {
                self.start
            } else {
                -self.stop
            }
    }
}

impl Limits {
    /// No mix asks for more spot than this for each node that is needed: a demand that takes more than sixteen nodes for one
    /// is one that spot does not meet.
    pub(super) const OVERASK: u32 = 16;

    fn new(problem: &Problem) -> Self {
        let lane = |lane: &LaneTerms| {
            let max = lane
                .quota
                .map_or(lane.bounds.max, |quota| quota.min(lane.bounds.max));
            (lane.bounds.min.min(max).0, max.0)
        };
        let (dedicated, spot) = (lane(&problem.dedicated), lane(&problem.spot));
        let reachable = dedicated.1.saturating_add(spot.1);
        let total = (problem.total.min.0.min(reachable), problem.total.max.0);
        // Beyond these counts a node costs and does nothing.
        let demand = problem.demand.0.max(total.0);
        let useful = |there: u32, least: u32, most: u32| most.max(there).max(least);
        let (dedicated_most, spot_most) = if matches!(problem.rule, ShareRule::Fixed { .. }) {
            // A fixed share takes nodes of one lane along with those that it needs of the other.
            (Problem::NODES_MAX, Problem::NODES_MAX)
        } else {
            let reserve = demand.saturating_mul(Self::OVERASK).saturating_add(64);
            (
                useful(problem.dedicated.there().0, dedicated.0, demand),
                useful(problem.spot.there().0, spot.0, reserve),
            )
        };
        Self {
            dedicated: (dedicated.0, dedicated.1.min(dedicated_most)),
            spot: (spot.0, spot.1.min(spot_most)),
            total,
        }
    }

    /// Returns whether a mix keeps the bounds and quotas.
    pub(super) fn allow(&self, dedicated: u32, spot: u32) -> bool {
        let within = |(min, max): (u32, u32), nodes: u32| min <= nodes && nodes <= max;
        within(self.dedicated, dedicated)
            && within(self.spot, spot)
            && within(self.total, dedicated.saturating_add(spot))
    }
}

impl Chances {
    fn new(problem: &Problem) -> Self {
        let outlook = &problem.outlook;
        Self {
            up: outlook.up.get(),
            calm: (outlook.survival.get(), outlook.correlation),
            shaken: (outlook.survival_of_shock.get(), outlook.correlation_of_shock),
        }
    }
}

/// Returns the hours done again for each hour of work on spot that counts.
fn redone(problem: &Problem) -> f64 {
    // A number past this is a lane on which no work ends; it stays a number so that sums do.
    const NEVER_ENDS: f64 = 1e9;
    if problem.work.length <= Span::ZERO {
        return 0.0;
    }
    let model = EvictionModel::Constant {
        hazard: problem.hazard,
    };
    let outset = Outset::fresh(Timestamp::EPOCH, Span::ZERO);
    let redone = model.redone_per_useful_hour(outset, &problem.work);
    if redone.is_nan() {
        NEVER_ENDS
    } else {
        redone.clamp(0.0, NEVER_ENDS)
    }
}
