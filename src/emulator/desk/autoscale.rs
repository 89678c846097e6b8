//! A pool's own formula: evaluated at once when it is enabled, and then at its interval, on the pool's own samples.

use serde::{Deserialize, Serialize};

use super::Desk;
use super::pool::Pool;
use super::refs::Event;
use super::refuse;
use super::resize::Wanted;
use crate::account::AllocationState;
use crate::base::{Lane, Nodes, Span, Timestamp};
use crate::emulator::answer::Refused;
use crate::formula::{AutoScaleRun, CHARACTERS_MAX, Formula, Inputs, Outcome, PoolFacts, Scope};

/// `autoScaleEvaluationInterval` of Pool - Add: 15 minutes by default, 5 minutes to 168 hours.
pub(super) const INTERVAL: Span = Span::minutes(15);
const INTERVAL_MIN: Span = Span::minutes(5);
const INTERVAL_MAX: Span = Span::hours(168);

/// Pool - Enable Auto Scale: on one pool at most once every 30 seconds.
const ENABLE_PAUSE: Span = Span::seconds(30);

/// A pool's formula.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Autoscale {
    pub(super) source: String,
    pub(super) interval: Span,
    pub(super) latest: Option<AutoScaleRun>,
    /// Compiled when it is first evaluated after a restart.
    #[serde(skip)]
    formula: Option<Formula>,
}

/// Reads a formula, or says why the service would not take it.
pub(super) fn compile(source: &str) -> Result<Formula, Refused> {
    Formula::compile(source, &Scope::default()).map_err(|faults| {
        let too_long = source.chars().count() > CHARACTERS_MAX;
        let first = faults.iter().find(|fault| fault.code.0.starts_with("F0"));
        let detail = first.or(faults.first()).map_or_else(String::new, |fault| {
            let at = crate::base::LineIndex::new(source).at(fault.span.start);
            format!("Line {}, Col {}: {}", at.line, at.column, fault.message)
        });
        let refused = if too_long {
            Refused::new(
                400,
                "AutoScalingFormulaTooLong",
                "The specified autoscaling formula exceeds lengths limit.",
            )
        } else {
            Refused::new(
                400,
                "AutoScalingFormulaSyntaxError",
                "The specified autoscaling formula has a syntax error.",
            )
        };
        refused.with("Message", detail)
    })
}

/// Checks an interval that was given.
pub(super) fn checked_interval(interval: Option<Span>) -> Result<Option<Span>, Refused> {
    match interval {
        Some(interval) if !(INTERVAL_MIN..=INTERVAL_MAX).contains(&interval) => Err(refuse::value(
            "autoScaleEvaluationInterval",
            &interval.to_string(),
            "the interval must lie between 5 minutes and 168 hours",
        )),
        fine => Ok(fine),
    }
}

impl Desk {
    /// Turns a pool's formula on, or changes it, and evaluates it at once.
    pub(super) fn enable_autoscale(
        &mut self,
        number: u32,
        source: Option<String>,
        interval: Option<Span>,
    ) -> Result<(), Refused> {
        let now = self.now;
        let pool = self.pool(number);
        if pool.allocation != AllocationState::Steady {
            return Err(refuse::being_resized());
        }
        let settings = |reason: &str| refuse::autoscale_settings().with("Reason", reason);
        if source.is_none() && interval.is_none() && pool.autoscale.is_some() {
            return Err(settings("a formula or an interval must be given"));
        }
        if pool
            .autoscale_enabled_at
            .is_some_and(|last| now - last < ENABLE_PAUSE)
        {
            return Err(Refused::new(
                503,
                "TooManyEnableAutoScaleRequests",
                "The autoscale on this pool was enabled less than 30 seconds ago.",
            ));
        }
        let interval = checked_interval(interval)?;
        let before = pool.autoscale.as_ref();
        let source = source
            .or_else(|| before.map(|autoscale| autoscale.source.clone()))
            .ok_or_else(|| settings("a pool without a formula needs one"))?;
        let interval = interval
            .or(before.map(|autoscale| autoscale.interval))
            .unwrap_or(INTERVAL);
        let formula = compile(&source)?;
        self.set_autoscale(number, source, interval, formula);
        self.pool_mut(number).autoscale_enabled_at = Some(now);
        Ok(())
    }

    /// Gives a pool a formula and evaluates it at once.
    pub(super) fn set_autoscale(&mut self, number: u32, source: String, interval: Span, formula: Formula) {
        let now = self.now;
        let pool = self.pool_mut(number);
        pool.autoscale = Some(Autoscale {
            source,
            interval,
            latest: None,
            formula: Some(formula),
        });
        pool.autoscale_version += 1;
        pool.touch(now);
        let (version, modified) = (pool.autoscale_version, pool.modified);
        self.evaluate(number, version);
        // What the formula orders at once is part of the same change: a recorded run is as old as the pool's last change.
        self.pool_mut(number).modified = modified;
    }

    /// Turns a pool's formula off; a resize that runs goes on.
    pub(super) fn disable_autoscale(&mut self, number: u32) {
        let now = self.now;
        let pool = self.pool_mut(number);
        if pool.autoscale.take().is_some() {
            pool.autoscale_version += 1;
            pool.touch(now);
        }
    }

    /// Evaluates a pool's formula, orders what it says, and notes when it is due again.
    pub(super) fn evaluate(&mut self, number: u32, version: u32) {
        let now = self.now;
        let Some(pool) = self.pools.get_mut(&number) else {
            return;
        };
        if pool.autoscale_version != version || pool.deleting.is_some() {
            return;
        }
        let Some(autoscale) = &mut pool.autoscale else {
            return;
        };
        let due = now + autoscale.interval;
        if autoscale.formula.is_none() {
            autoscale.formula = compile(&autoscale.source).ok();
        }
        if let Some(formula) = autoscale.formula.clone() {
            let (run, outcome) = self.try_formula(number, &formula);
            if let Some(autoscale) = &mut self.pool_mut(number).autoscale {
                autoscale.latest = Some(run);
            }
            if let Some(outcome) = outcome {
                self.follow_formula(number, outcome);
            }
        }
        self.agenda.note(
            due,
            Event::Evaluated {
                pool: number,
                version,
            },
        );
    }

    /// A formula that asks for what a pool has orders nothing; one that is due while a resize runs is not carried out.
    fn follow_formula(&mut self, number: u32, outcome: Outcome) {
        let limit = |nodes: Nodes| Nodes(nodes.0.min(NODES_MAX));
        let target = crate::base::Mix {
            dedicated: limit(outcome.target.dedicated),
            spot: limit(outcome.target.spot),
        };
        let pool = self.pool(number);
        let differs = pool.target != target || pool.mix() != target;
        if pool.allocation != AllocationState::Steady || !differs {
            return;
        }
        let wanted = Wanted {
            target,
            option: outcome.option,
            timeout: pool.resize_timeout,
        };
        self.begin_resize(number, wanted, &[]);
    }

    /// Evaluates a formula on a pool as it is, without carrying it out.
    pub(super) fn try_formula(&self, number: u32, formula: &Formula) -> (AutoScaleRun, Option<Outcome>) {
        let pool = self.pool(number);
        let history = pool.samples.history(self.now, formula.source());
        let inputs = Inputs {
            now: self.now,
            pool: facts(pool),
            history: &history,
            seed: self.now.ticks().unsigned_abs(),
        };
        let mut evaluator = formula.evaluator();
        let outcome = evaluator.run(&inputs).ok();
        (evaluator.auto_scale_run(), outcome)
    }
}

/// Pools of more nodes than this are refused by the service's own limits (2,000 dedicated nodes of a managed image and
/// fewer otherwise); a formula that says 16777216 for "as many as there may be" is cut here, and then by the quota.
pub(super) const NODES_MAX: u32 = 20_000;

fn facts(pool: &Pool) -> PoolFacts {
    PoolFacts {
        target: pool.target,
        option: pool.option,
        current: pool.mix(),
        usable: Nodes(pool.usable()),
        preempted: Nodes(pool.count(Lane::Spot, super::node::NodeState::Preempted)),
        task_slots_per_node: pool.slots_per_node,
    }
}

impl Pool {
    /// Notes what samples from now on show.
    pub(super) fn note_samples(&mut self, now: Timestamp) {
        let tasks = self.tasks;
        let preempted = self.count(Lane::Spot, super::node::NodeState::Preempted);
        let reading = [
            tasks.active,
            tasks.running,
            tasks.active + tasks.running,
            tasks.succeeded,
            tasks.failed,
            preempted,
            self.usable(),
            self.current(Lane::Dedicated),
            self.current(Lane::Spot),
            self.slots_per_node,
        ];
        self.samples.note(now, reading);
    }
}
