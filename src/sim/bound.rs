//! What the best plan with perfect hindsight must still cost: a lower bound on the bill of any run that meets a wait limit.
//!
//! A plan boots nodes, runs each task without a break on slots of one node, and ends it no later than its limit allows. Its
//! cheapest bill is out of reach (the problem is NP-hard), but it cannot be below the bounds here:
//!
//! * `all_spot`: all work at the cheaper price.
//! * `fluid`: each task's work can be cut and moved, but not to times when no spot node can be ready.
//! * [`Problem::bound`]: tasks are not cut, boots are paid for, and nodes are kept or given back. It is the optimum of a linear
//!   program over start times.
//!
//! # Why it is a bound
//! Let `V(t)` be any worth of a ready node of a lane at time `t`, at least nothing, at most the price of a boot, and rising no
//! faster than the price of waiting. Charge each task `price × run + V(start) − V(end)` for each node that it fills, a share of
//! it where it fills a part. A slot's tasks follow each other through the life of its node: the charges add up to the price of
//! the time that they run, the differences `V(next start) − V(end)` are at most the price of the gaps, and the first `V` is at
//! most the boot. So the tasks' charges never exceed the bill, whatever the plan; and each task's charge is at least that of its
//! *cheapest* start time and lane. The sum of the cheapest charges is therefore a bound for any such `V`, and the linear
//! program's dual is the search for the best one among those that are linear between the knots of a grid. A finer grid that
//! keeps the knots can only do better. On such a `V` a task's charge is linear between break points, so that looking at these
//! is exact.
//!
//! A spot run needs one unit of the supply that is up throughout and has been so for as long as a node boots.
//!
//! # What is left out
//! All of it can only make plans dearer, so that the bound stays one: whole numbers of nodes, time to save and to load, quotas, time to be granted and to
//! go, evictions beside the supply (a node hazard), boots that take longer than the shortest.
//!
//! # With checkpoints
//! Where a task that loses its node keeps its work in whole intervals, as simulated ones do, it is not run without a break, but each interval is. Its
//! pieces are bounded as tasks of their own: piece *j* cannot start before *j* intervals have passed since the submission, nor
//! so late that the rest would end beyond the limit. That the pieces follow each other, and never overlap, is left out. The
//! fluid bound holds as well; the greater of the two is told.
//!
//! # With deadlines
//! Where tasks are due at known times, each of them must end by its own, and the limit is none. What has no deadline then runs at
//! some time, as a late task does below; what no plan could do in time is left out.
//!
//! # With misses
//! With a [`Tolerance`] some tasks may be late, by count and by work. A late task still runs at some time, but may fill a gap
//! between two tasks that its node would idle through anyway; no node idles longer than it boots, so that it costs at least the
//! price of its run less a boot.

mod hindsight;
mod instance;
mod interior;
mod pieces;
mod program;
mod relaxed;
mod skyline;

pub(super) use hindsight::set_beside;
pub use hindsight::{Ask, Hindsight};

use std::sync::Arc;

use interior::Stop;
use program::Program;

use super::cluster::Setup;
use super::workload::Workload;
use super::{DelayLimit, Options, Supply, end};

use crate::base::{Span, Usd};
use crate::policy::Prices;

/// What is to be bounded.
#[derive(Clone, Debug)]
pub struct Problem<'a> {
    /// The tasks; those that need more slots than a node has run in no plan, and do not count.
    pub workload: &'a Workload,
    /// What the pool is like: its slots, the shortest boot, and nodes that are there at the start.
    pub setup: &'a Setup,
    /// When spot nodes can be had; `None`: always.
    pub supply: Option<Arc<Supply>>,
    /// How late a task may end, where none is due at a known time.
    pub limit: DelayLimit,
    /// What nodes cost.
    pub prices: Prices,
    /// How often a task saves what it has done; `None`: one that loses its node starts over.
    pub checkpoint: Option<Span>,
}

/// How much may be late, as shares: a run that keeps to both is compared with plans that may do the same.
///
/// The count alone would not do: a plan with hindsight leaves the few longest tasks, which hold most of the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Of the tasks.
    pub tasks: f64,
    /// Of the work.
    pub work: f64,
}

/// A bound, and how it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// No run that meets the limit costs less.
    pub cost: Usd,
    /// The step of the grid.
    pub step: Span,
    /// How many start times were looked at, over all tasks.
    pub columns: usize,
    /// How many steps the solver took.
    pub iterations: u32,
    /// By what share of itself the bound can lie below the linear program's optimum; near one in ten thousand unless the solver
    /// broke off. Where like tasks were taken together for the search, the optimum is that of the search.
    pub gap: f64,
}

/// A billionth less for rounding, so that a bound that is met exactly is not above what it bounds.
const BELOW: f64 = 1.0 - 1e-9;

/// The steps of the grid to choose from, finest first; each holds the knots of those after it.
///
/// Against 900 s, 300 s gains 0.1 to 0.2 % on the logs that were looked at.
const STEPS: [i64; 6] = [300, 900, 1800, 3600, 7200, 14_400];

/// The coarsest grid that is taken so that all tasks can be looked at one by one.
const STEP_FOR_ALL_MAX: i64 = 1800;

/// With more start times than this, some 100 MB, like tasks are taken together for the search.
const COLUMNS_MAX: usize = 1_000_000;

/// More pieces than this take minutes to look at.
const PIECES_MAX: f64 = 2e6;

/// Multiplications in a step of the solver: a few tenths of a second.
const WORK_MAX: f64 = 3e8;

/// The search ends a hundredth of a percent below the optimum at the latest.
const STOP: Stop = Stop {
    gap: 1e-4,
    iterations: 100,
};

impl<'a> Problem<'a> {
    /// Returns the problem that a backtest puts to its contenders with a seed.
    pub fn of(workload: &'a Workload, options: &'a Options, prices: Prices, seed: u64) -> Self {
        Self {
            workload,
            setup: &options.setup,
            supply: options
                .spot
                .supply(workload.start, end(workload, options.tail), seed),
            limit: options.limit,
            prices,
            checkpoint: options.setup.checkpoint.map(|checkpoint| checkpoint.every),
        }
    }

    /// Returns the cost of all work at the cheaper price.
    pub fn all_spot(&self) -> Usd {
        self.bill(relaxed::all_spot(&pieces::whole(self)) * BELOW)
    }

    /// Returns the bound of work that can be cut and moved: fast, and good enough to see how scarce spot is.
    pub fn fluid(&self) -> Usd {
        self.bill(relaxed::fluid(&pieces::whole(self)) * BELOW)
    }

    /// Returns the best bound that is known here, with the step of the grid chosen by the size of the problem.
    ///
    /// Beyond two million pieces between checkpoints there is only the fluid bound, and none with something late.
    pub fn bound(&self, tolerance: Option<Tolerance>) -> Bound {
        if pieces::n_pieces(self) > PIECES_MAX {
            return Bound {
                cost: if tolerance.is_none() {
                    self.fluid()
                } else {
                    Usd::ZERO
                },
                step: Span::ZERO,
                columns: 0,
                iterations: 0,
                gap: f64::INFINITY,
            };
        }
        let mut found = self.bound_on(self.step(), tolerance);
        // With something late the fluid bound does not hold.
        if tolerance.is_none() {
            found.cost = Usd(found.cost.0.max(self.fluid().0));
        }
        found
    }

    /// Returns the bound of the linear program alone, on a grid of a step of at least a second.
    pub fn bound_on(&self, step: Span, tolerance: Option<Tolerance>) -> Bound {
        let seconds = step.as_seconds().max(1.0);
        let mut instance = pieces::cut(self);
        instance.late = tolerance.and_then(|tolerance| pieces::late(&instance, tolerance));
        let like = pieces::gathered(&instance, seconds, COLUMNS_MAX);
        let program = Program::new(like.as_ref().unwrap_or(&instance), seconds);
        let solution = interior::solve(&program, STOP);
        let (value, gap) = if like.is_some() {
            let value = program.value_for(&instance, &solution.point);
            let optimum = solution.value * (1.0 + solution.gap);
            (value, ((optimum - value) / value).max(0.0))
        } else {
            (solution.value, solution.gap)
        };
        let value = value.max(0.0) + program::whenever(&instance);
        Bound {
            cost: self.bill(value * BELOW),
            step: Span::from_seconds(seconds),
            columns: program.columns.len(),
            iterations: solution.iterations,
            gap,
        }
    }

    fn step(&self) -> Span {
        let instance = pieces::cut(self);
        let solvable = |step: &&i64| program::work(&instance, **step as f64) <= WORK_MAX;
        // To take like tasks together loses more than a coarser grid does, up to a point.
        let as_it_is = |step: &&i64| {
            **step <= STEP_FOR_ALL_MAX
                && solvable(step)
                && program::n_columns(&instance, **step as f64) <= COLUMNS_MAX as f64
        };
        let found = STEPS
            .iter()
            .find(as_it_is)
            .or_else(|| STEPS.iter().find(solvable));
        Span::seconds(found.copied().unwrap_or(STEPS[STEPS.len() - 1]))
    }

    /// Returns money from node-seconds at the dearer price.
    fn bill(&self, value: f64) -> Usd {
        Usd(value / 3600.0 * self.dearer())
    }

    fn dearer(&self) -> f64 {
        self.prices.dedicated.0.max(self.prices.spot.0)
    }
}
