//! Runs contenders over a workload and reports what it cost and how long tasks waited.

use std::sync::Arc;
use std::time::Instant;

use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::baseline;
use super::bound::{self, Ask};
use super::cluster::{Cluster, Eviction, Setup, SetupError};
use super::contender::Contender;
use super::delay::DelayLimit;
use super::followed::{Follow, Followed, TurnKeeper};
use super::lateness::with_dues;
use super::prices::PricePaths;
use super::report::{Names, Report, Run, Terms};
use super::sim_world::{Keep, OnProgress, SimWorld};
use super::spot_market::SpotMarket;
use super::workload::{Task, Workload};
use crate::account::{PoolId, PoolPattern};
use crate::base::{Span, Timestamp};
use crate::decision::Memory;
use crate::engine;
use crate::policy::{Counts, Policies, Prices};

/// What all runs of a backtest share.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// What the pool is like.
    pub setup: Setup,
    /// Where spot machines come from.
    pub spot: SpotMarket,
    /// What nodes cost over time; without, what the contenders say, all the time.
    pub prices: Option<PricePaths>,
    /// How late a task may end.
    pub limit: DelayLimit,
    /// Whether runs are set against the bound with hindsight.
    pub bound: Ask,
    /// One run for each seed; without chance in the setup they are all the same.
    pub seeds: Vec<u64>,
    /// How long a run goes on after the last task would have ended if none had waited.
    ///
    /// The end is the same for every contender, or one that never takes nodes away would be billed less than it costs.
    pub tail: Span,
    /// How much of each run is kept in depth; nothing when left out.
    pub follow: Option<Follow>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            setup: Setup::default(),
            spot: SpotMarket::default(),
            prices: None,
            limit: DelayLimit::default(),
            bound: Ask::No,
            seeds: vec![0],
            tail: Span::hours(2),
            follow: None,
        }
    }
}

impl Options {
    /// Returns the lowest prices that a contender's nodes ever have.
    pub(super) fn least_prices(&self, contender: &Contender) -> Prices {
        self.prices
            .as_ref()
            .map_or_else(|| contender.prices(), PricePaths::least)
    }
}

/// Ten years at a decision a minute are five million decisions, some ten seconds of work.
const HORIZON_MAX: Span = Span::days(3653);

/// Runs every contender with every seed, on all cores; the report has them in that order.
///
/// `on_progress` is told from any thread how many of [`super::PROGRESS_STEPS`] per run have been taken.
///
/// # Errors
/// When the setup cannot be simulated.
pub fn backtest(
    contenders: &[Contender],
    workload: &Arc<Workload>,
    options: &Options,
    on_progress: &OnProgress<'_>,
) -> Result<Report, SetupError> {
    let began = Instant::now();
    let workload = &with_dues(contenders, workload);
    let cases: Vec<_> = contenders
        .iter()
        .flat_map(|contender| options.seeds.iter().map(move |seed| (contender, *seed)))
        .collect();
    let mut runs = cases
        .par_iter()
        .map(|(contender, seed)| backtest_one(contender, workload, options, *seed, None, on_progress))
        .collect::<Result<Vec<_>, _>>()?;
    bound::set_beside(&mut runs, &cases, workload, options);
    Ok(Report {
        runs,
        wall_seconds: began.elapsed().as_secs_f64(),
    })
}

/// Runs one contender with one seed, and hands every entry of its engine to `keep`.
///
/// # Errors
/// When the setup cannot be simulated.
pub fn backtest_one<'a>(
    contender: &Contender,
    workload: &Arc<Workload>,
    options: &Options,
    seed: u64,
    keep: Option<&'a mut Keep<'a>>,
    on_progress: &'a OnProgress<'a>,
) -> Result<Run, SetupError> {
    let workload = &with_dues(std::slice::from_ref(contender), workload);
    let setup = Setup {
        initial: contender
            .fixed(workload, options.setup.task_slots_per_node)
            .unwrap_or(options.setup.initial),
        ..options.setup
    }
    .checked()?;
    let end = end(workload, options.tail);
    if end - workload.start > HORIZON_MAX {
        return Err(SetupError {
            message: format!(
                "the log lasts until {end}, and a run at most ten years; read a window of the log"
            ),
        });
    }
    let policies = contender.policies();
    refuse_measures(&policies)?;
    let supply = options.spot.supply(workload.start, end, seed);
    let spot = supply
        .as_ref()
        .map_or_else(String::new, |supply| supply.name.clone());
    let mut cluster = Cluster::with_supply(setup, Arc::clone(workload), supply, seed);
    let prices = options
        .prices
        .clone()
        .unwrap_or_else(|| PricePaths::constant(&contender.prices()));
    cluster.mark_bill(prices.changes_between(workload.start, end));
    if let Some(follow) = options.follow {
        cluster.keep_course(end, follow.points, prices.clone());
    }
    let pool = policies
        .policies
        .first()
        .map_or_else(simulated_pool, |policy| pool_for(&policy.pool));
    let mut world = SimWorld::new(cluster, pool, end, on_progress);
    if let Some(keep) = keep {
        world = world.keeping(keep);
    }
    if let Some(follow) = options.follow {
        world = world.telling_turns(TurnKeeper::new(follow.turns));
    }
    if matches!(contender, Contender::Native { .. } | Contender::Baseline { .. }) {
        world = world.dating_by_sight();
    }
    if let Contender::Baseline { baseline, .. } = contender {
        baseline::steer(&mut world, baseline, options.limit);
    } else {
        engine::run(&mut world, &policies, Memory::default());
    }
    let turns = world.take_turns();
    let (mut cluster, fold) = world.finish();
    let followed = turns.and_then(|turns| Followed::of(&mut cluster, turns).map(Box::new));
    let names = Names {
        policy: contender.name(),
        workload: workload.name.clone(),
        spot: spot_name(spot, &setup.eviction),
        seed,
    };
    let terms = Terms {
        prices,
        limit: options.limit,
    };
    Ok(Run {
        followed,
        ..Run::new(names, &cluster, fold, &terms)
    })
}

/// Runs some of the contenders of a backtest once more, each with a seed, and returns what they did in depth.
///
/// A run is the same each time, so that this costs the time of these runs and no memory for all the others.
///
/// # Errors
/// When the setup cannot be simulated.
pub fn follow(
    contenders: &[Contender],
    workload: &Arc<Workload>,
    options: &Options,
    picked: &[(usize, u64)],
) -> Result<Vec<Option<Box<Followed>>>, SetupError> {
    let workload = &with_dues(contenders, workload);
    picked
        .par_iter()
        .map(|(contender, seed)| {
            let run = backtest_one(&contenders[*contender], workload, options, *seed, None, &|_| {})?;
            Ok(run.followed)
        })
        .collect()
}

/// Refuses policies that go by what no job log tells.
fn refuse_measures(policies: &Policies) -> Result<(), SetupError> {
    for policy in &policies.policies {
        if let Some(ask) = policy.asks().find(|ask| ask.counts == Counts::Measure) {
            let message = format!(
                "policy `{}` tracks {}, and no job log tells what that would have been; leave the strategy out for a backtest",
                policy.name,
                ask.query.id()
            );
            return Err(SetupError { message });
        }
    }
    Ok(())
}

/// Returns when every run of a workload ends: after its last task might have ended, and after the last is due.
pub fn end(workload: &Workload, tail: Span) -> Timestamp {
    let dues = workload.tasks.iter().filter_map(Task::due_at);
    dues.fold(workload.end_without_wait(), Timestamp::max) + tail
}

/// Returns a pool that a pattern speaks of: the one it names, or one in which each star stands for nothing.
pub fn pool_for(pattern: &PoolPattern) -> PoolId {
    pattern
        .as_str()
        .replace('*', "")
        .parse()
        .unwrap_or_else(|_| simulated_pool())
}

/// The pool of a pattern of stars alone, which matches any id.
fn simulated_pool() -> PoolId {
    "simulated".parse().expect("nine letters are a pool id")
}

fn spot_name(supply: String, eviction: &Eviction) -> String {
    let hazard = match eviction {
        Eviction::Never => None,
        Eviction::Constant {
            per_node_hour,
            back_after,
        } => Some(format!(
            "{per_node_hour} evictions per node-hour, back after {back_after}"
        )),
    };
    match (supply.is_empty(), hazard) {
        (true, None) => "none".to_owned(),
        (true, Some(hazard)) => hazard,
        (false, None) => supply,
        (false, Some(hazard)) => format!("{supply}, {hazard}"),
    }
}
