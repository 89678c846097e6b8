//! The formula that carries a target until a moment, and a rule for the time after it.
//!
//! ```text
//! // lowtide lease 1: holder=… dedicated=3 spot=12 until=… sum=…
//! alive = time() < time("…");
//! …the rule…
//! $TargetDedicatedNodes = alive ? 3 : dedicated;
//! $TargetLowPriorityNodes = alive ? 12 : spot;
//! $NodeDeallocationOption = taskcompletion;
//! ```
//!
//! Only documented parts of the language are used, and no result of a comparison but in a test. Targets are truncated by the
//! service, so that what is added before is a little less than a node. Before a formula goes out our own engine runs it: before
//! its end it must give the target, and after it what lies within the bounds, whatever the samples.

use super::caps::Caps;
use super::{LeaseFallback, Objective, Policy};
use crate::account::{Lease, LeaseOrder, NodeDeallocationOption};
use crate::base::{Mix, Span, Timestamp, UsdHourly};
use crate::formula::{Dialect, Formula, Inputs, PoolFacts, Scope};
use crate::signal::{History, Metric, Series};

/// How far back the rule looks for tasks. The documentation advises more than a few minutes, and after a quarter of an hour
/// without a task a node has served.
const LOOK_BACK: Span = Span::minutes(15);

/// A pool for which a formula is made.
#[derive(Clone, Copy, Debug)]
pub struct Leased<'a> {
    /// Who renews it, what it gives, and until when.
    pub lease: &'a Lease,
    /// What the pool has now.
    pub pool: PoolFacts,
    /// When it goes out.
    pub now: Timestamp,
}

/// What the rule may do: every end of a range can be had.
#[derive(Clone, Copy, Debug)]
struct Ends {
    dedicated: [u32; 2],
    spot: [u32; 2],
    total: [u32; 2],
}

impl Policy {
    /// Returns the formula for a lease, proven by our own engine.
    ///
    /// # Errors
    /// Why there is none that is safe.
    pub fn lease_order(&self, leased: &Leased<'_>, fallback: LeaseFallback) -> Result<LeaseOrder, String> {
        let caps = self.caps_of_fallback();
        let body = self.body(leased, &caps, fallback);
        let formula = leased.lease.sign(&body);
        prove(&formula, leased, &caps)?;
        Ok(LeaseOrder {
            lease: leased.lease.clone(),
            formula: formula.into(),
        })
    }

    /// Returns what the rule may use: bounds, quota and the money of an hour, none of which depend on the time.
    fn caps_of_fallback(&self) -> Caps {
        let mut caps = Caps {
            bounds: self.bounds,
            prices: self.prices,
            hourly: None,
        };
        self.quota.lower(&mut caps);
        caps.hourly = self.budget.per_hour.map(UsdHourly);
        caps
    }

    fn body(&self, leased: &Leased<'_>, caps: &Caps, fallback: LeaseFallback) -> String {
        let Lease { target, until, .. } = leased.lease;
        let (rule, says) = match fallback {
            LeaseFallback::Tasks => (
                self.by_tasks(leased, caps),
                "slots for the most tasks of the last 15 minutes",
            ),
            LeaseFallback::Least => (constant(caps.cheapest()), "the least nodes of the bounds"),
            LeaseFallback::Keep => (constant(caps.fit(*target)), "the same target"),
        };
        format!(
            "// Until then lowtide has decided. If nobody renews it, the pool has {says}.\n\
             alive = time() < time(\"{until}\");\n\
             {rule}\
             $TargetDedicatedNodes = alive ? {} : dedicated;\n\
             $TargetLowPriorityNodes = alive ? {} : spot;\n\
             $NodeDeallocationOption = {};\n",
            target.dedicated,
            target.spot,
            self.lease_option(),
        )
    }

    /// Returns what happens to the tasks of nodes that go while a pool follows a formula of ours: they end first, unless the policy
    /// says otherwise.
    pub fn lease_option(&self) -> NodeDeallocationOption {
        self.scale_in
            .deallocation
            .unwrap_or(NodeDeallocationOption::TaskCompletion)
    }

    /// Returns the rule that follows the tasks, split between the lanes as the policy does it, with what the money allows in it.
    fn by_tasks(&self, leased: &Leased<'_>, caps: &Caps) -> String {
        let Ends {
            dedicated: [least_dedicated, most_dedicated],
            spot: [least_spot, most_spot],
            total: [least, _],
        } = ends(caps);
        let most = self.most_affordable(caps);
        let slots = leased.pool.task_slots_per_node.max(1);
        let minutes = LOOK_BACK.as_seconds() / 60.0;
        let lanes = match self.objective {
            Objective::SpotFirst | Objective::ExpectedCost => format!(
                "dedicated = min(max(need - {most_spot}, {least_dedicated}), {most_dedicated});\n\
                 spot = min(max(need - dedicated, {least_spot}), {most_spot});\n"
            ),
            Objective::DedicatedOnly => format!(
                "spot = min(max(need - {most_dedicated}, {least_spot}), {most_spot});\n\
                 dedicated = min(max(need - spot, {least_dedicated}), {most_dedicated});\n"
            ),
            Objective::FixedShare(share) => format!(
                "spot = floor(min(max(need * {share}, {least_spot}), {most_spot}));\n\
                 dedicated = min(max(need - spot, {least_dedicated}), {most_dedicated});\n\
                 spot = min(max(need - dedicated, {least_spot}), {most_spot});\n"
            ),
        };
        format!(
            "known = $PendingTasks.GetSamplePercent(TimeInterval_Minute * {minutes}) >= 50 ? 1 : 0;\n\
             tasks = known == 1 ? max($PendingTasks.GetSample(TimeInterval_Minute * {minutes}, 10)) : 0;\n\
             need = min(max(tasks / {slots} + 0.999, {least}), {most});\n\
             {lanes}\
             kept = min(max($TargetDedicatedNodes, {least_dedicated}), {most_dedicated});\n\
             keptSpot = min(max($TargetLowPriorityNodes, max({least_spot}, {least} - kept)), min({most_spot}, max({least_spot}, {most} - kept)));\n\
             kept = min(max(kept, {least} - keptSpot), {most_dedicated});\n\
             dedicated = known == 1 ? dedicated : kept;\n\
             spot = known == 1 ? spot : keptSpot;\n"
        )
    }

    /// Returns the most nodes that the rule may have without passing the money of an hour.
    fn most_affordable(&self, caps: &Caps) -> u32 {
        let Ends {
            total: [least, most], ..
        } = ends(caps);
        let Some(limit) = caps.hourly else { return most };
        // What a node more costs is never negative, so that the first that is too dear ends it.
        let (mut low, mut high) = (least, most);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if caps.rate(self.mix_by_rule(middle, caps)).0 <= limit.0 * (1.0 + 1e-9) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    /// Returns the lanes of a need as the rule splits it.
    fn mix_by_rule(&self, need: u32, caps: &Caps) -> Mix {
        let Ends {
            dedicated: [least_dedicated, most_dedicated],
            spot: [least_spot, most_spot],
            ..
        } = ends(caps);
        let spot_of = |nodes: u32| nodes.clamp(least_spot, most_spot);
        let dedicated_of = |nodes: u32| nodes.clamp(least_dedicated, most_dedicated);
        let (dedicated, spot) = match self.objective {
            Objective::SpotFirst | Objective::ExpectedCost => {
                let dedicated = dedicated_of(need.saturating_sub(most_spot));
                (dedicated, spot_of(need.saturating_sub(dedicated)))
            }
            Objective::DedicatedOnly => {
                let spot = spot_of(need.saturating_sub(most_dedicated));
                (dedicated_of(need.saturating_sub(spot)), spot)
            }
            // The dearer end of what truncation makes of a share.
            Objective::FixedShare(share) => {
                let spot = spot_of((f64::from(need) * share).floor() as u32);
                let dedicated = dedicated_of(need.saturating_sub(spot));
                (dedicated, spot_of(need.saturating_sub(dedicated)))
            }
        };
        Mix::new(dedicated, spot)
    }
}

fn constant(mix: Mix) -> String {
    format!("dedicated = {};\nspot = {};\n", mix.dedicated, mix.spot)
}

/// Returns the ranges in which each end can be had together with some of the others.
fn ends(caps: &Caps) -> Ends {
    let bounds = caps.bounds;
    let (dedicated, spot, total) = (bounds.dedicated, bounds.spot, bounds.total);
    let lane = |own: super::Range, other: super::Range| {
        [
            own.min.max(total.min.saturating_sub(other.max)).0,
            own.max.min(total.max.saturating_sub(other.min)).0,
        ]
    };
    let (dedicated_ends, spot_ends) = (lane(dedicated, spot), lane(spot, dedicated));
    Ends {
        dedicated: dedicated_ends,
        spot: spot_ends,
        total: [
            total.min.max(dedicated.min + spot.min).0,
            total.max.min(dedicated.max + spot.max).0,
        ],
    }
}

/// Runs a formula before and after its end; says what is wrong with what it gives.
fn prove(formula: &str, leased: &Leased<'_>, caps: &Caps) -> Result<(), String> {
    let scope = Scope {
        dialect: Dialect::Strict,
        ..Scope::default()
    };
    let compiled = Formula::compile(formula, &scope).map_err(|faults| {
        let first = faults.first().map_or("for no reason", |fault| &fault.message);
        format!("the formula for the lease does not compile: {first}")
    })?;
    let run = |now: Timestamp, history: &History| {
        let inputs = Inputs {
            now,
            pool: leased.pool,
            history,
            seed: 0,
        };
        let mut evaluator = compiled.evaluator();
        let outcome = evaluator.run(&inputs);
        outcome
            .map(|outcome| outcome.target)
            .map_err(|fault| format!("the formula for the lease fails: {}", fault.message))
    };
    let Lease { target, until, .. } = leased.lease;
    let nothing = History::new();
    for now in [leased.now, *until - Span::from_ticks(10_000)] {
        let given = run(now, &nothing)?;
        if given != *target {
            return Err(format!(
                "the formula for the lease gives {given} at {now}, not {target}"
            ));
        }
    }
    for tasks in [None, Some(0.0), Some(1.0), Some(1e6)] {
        let history = tasks.map_or_else(History::new, |tasks| busy(*until, tasks));
        let given = run(*until, &history)?;
        let dear = caps
            .hourly
            .filter(|_| tasks.is_some())
            .is_some_and(|limit| caps.rate(given).0 > limit.0 * (1.0 + 1e-6) && given != caps.cheapest());
        if dear || caps.bounds.fit(given) != given {
            return Err(format!(
                "the formula for the lease gives {given} when it is over, which the policy does not allow"
            ));
        }
    }
    Ok(())
}

/// Returns samples of as many tasks over the time that the rule looks back.
fn busy(until: Timestamp, tasks: f64) -> History {
    let mut series = Series::new(until - LOOK_BACK, Span::SAMPLE_PERIOD);
    for _ in 0..(LOOK_BACK.ticks() / Span::SAMPLE_PERIOD.ticks()) {
        series
            .push(Some(tasks))
            .expect("a quarter of an hour fills no series");
    }
    let mut history = History::new();
    history.insert(Metric::PendingTasks, series);
    history
}
