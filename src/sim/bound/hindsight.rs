//! Sets the runs of a backtest against their bounds.

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use super::{Bound, Problem, Tolerance};
use crate::base::{Mix, Span, Usd};
use crate::policy::Prices;
use crate::sim::cluster::Setup;
use crate::sim::report::Run;
use crate::sim::workload::Workload;
use crate::sim::{Contender, Options, SpotMarket};

/// Whether the runs of a backtest are set against the bound with hindsight.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ask {
    /// They are not: a bound takes seconds.
    #[default]
    No,
    /// Against plans in which no task is late.
    AllOnTime,
    /// Against those, and against plans in which some may be; a run is compared when it keeps to the tolerance.
    AlsoWith(Tolerance),
}

/// A run beside the bound with hindsight.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Hindsight {
    /// No plan in which every task ends within its limit costs less, or, where tasks are due at known times, by then.
    pub bound_cost: Usd,
    /// The run's cost as a multiple of that; left out when the run misses more than it was asked to, or left tasks unfinished.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound: Option<f64>,
    /// No plan that misses no more than the tolerance costs less.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_cost_with_misses: Option<Usd>,
    /// The run's cost as a multiple of that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_to_bound_with_misses: Option<f64>,
    /// The step of the grid of start times.
    pub bound_step: Span,
    /// By what share of itself the bound can lie below the optimum of its program.
    pub bound_gap: f64,
}

impl Ask {
    /// Returns the tolerance, if some may be late.
    pub const fn tolerance(self) -> Option<Tolerance> {
        match self {
            Self::AlsoWith(tolerance) => Some(tolerance),
            Self::No | Self::AllOnTime => None,
        }
    }
}

/// What bounds differ by within a backtest.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Key {
    prices: Prices,
    initial: Mix,
    /// Where the market depends on the seed.
    seed: u64,
    tolerance: Option<Tolerance>,
}

/// Sets each run beside its bounds; the runs are of these contenders and seeds, in this order.
pub(in crate::sim) fn set_beside(
    runs: &mut [Run],
    cases: &[(&Contender, u64)],
    workload: &Workload,
    options: &Options,
) {
    if options.bound == Ask::No {
        return;
    }
    let key = |(contender, seed): &(&Contender, u64), tolerance| Key {
        prices: options.least_prices(contender),
        initial: contender
            .fixed(workload, options.setup.task_slots_per_node)
            .unwrap_or(options.setup.initial),
        seed: part(&options.spot, *seed),
        tolerance,
    };
    let mut keys: Vec<Key> = Vec::new();
    for case in cases {
        for tolerance in [None, options.bound.tolerance()] {
            let key = key(case, tolerance);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    let bounds: Vec<Bound> = keys.par_iter().map(|key| bound(key, workload, options)).collect();
    let of = |key: &Key| {
        let found = keys.iter().zip(&bounds).find(|(other, _)| *other == key);
        *found.expect("every key has its bound").1
    };
    for (run, case) in runs.iter_mut().zip(cases) {
        let on_time = of(&key(case, None));
        let with_misses = options
            .bound
            .tolerance()
            .map(|tolerance| of(&key(case, Some(tolerance))));
        run.hindsight = Some(beside(
            run,
            &on_time,
            with_misses.as_ref(),
            options.bound.tolerance(),
        ));
    }
}

/// Returns a seed with which the market is the same as with another, the least where there are several.
fn part(market: &SpotMarket, seed: u64) -> u64 {
    match market {
        SpotMarket::Unlimited | SpotMarket::Supply(_) | SpotMarket::Lifetimes { .. } => 0,
        SpotMarket::Recorded(recorded) => seed % recorded.shifts.max(1),
        SpotMarket::Modelled { .. } => seed,
    }
}

fn bound(key: &Key, workload: &Workload, options: &Options) -> Bound {
    let setup = Setup {
        initial: key.initial,
        ..options.setup
    };
    let problem = Problem {
        setup: &setup,
        ..Problem::of(workload, options, key.prices, key.seed)
    };
    problem.bound(key.tolerance)
}

fn beside(
    run: &Run,
    on_time: &Bound,
    with_misses: Option<&Bound>,
    tolerance: Option<Tolerance>,
) -> Hindsight {
    let comparable = run.keeps_to(tolerance);
    let ratio = |bound: &Bound| {
        let ratio = run.cost.total.0 / bound.cost.0;
        Some(ratio).filter(|ratio| comparable && ratio.is_finite())
    };
    Hindsight {
        bound_cost: on_time.cost,
        cost_to_bound: ratio(on_time),
        bound_cost_with_misses: with_misses.map(|bound| bound.cost),
        cost_to_bound_with_misses: with_misses.and_then(ratio),
        bound_step: on_time.step,
        bound_gap: with_misses.map_or(on_time.gap, |bound| bound.gap.max(on_time.gap)),
    }
}

impl Run {
    /// Says whether all tasks that can run ended.
    pub fn all_ended(&self) -> bool {
        let tasks = &self.tasks;
        tasks.unfinished == tasks.never_runnable && tasks.terminated == 0
    }

    /// Says whether all tasks that can run ended, none later than its limit or no more than a tolerance allows; where tasks are
    /// due at known times, none of them later than that.
    pub fn keeps_to(&self, tolerance: Option<Tolerance>) -> bool {
        let tasks = &self.tasks;
        if let Some(deadlines) = self.deadlines {
            return self.all_ended() && deadlines.missed == 0;
        }
        self.all_ended()
            && match tolerance {
                None => self.misses.tasks == tasks.never_runnable,
                Some(allowed) => self.misses.share <= allowed.tasks && self.misses.work_share <= allowed.work,
            }
    }
}
