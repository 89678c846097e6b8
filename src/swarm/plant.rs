//! Laws that are broken on purpose: a law that nothing can break says nothing.
//!
//! ```text
//! engine ─► Planted ─► Watched (the laws) ─► distort, twist ─► the world
//! ```
//!
//! What is planted above the laws makes the engine do wrong by what it is told; what is planted below them makes the world another
//! one than the laws were told.

use std::sync::atomic::{AtomicU64, Ordering};

use super::docket::Docket;
use super::found::Law;
use super::plan::Plan;
use crate::account::{Order, Receipt};
use crate::base::{Mix, Nodes, Span, Timestamp};
use crate::engine::{Entry, Observation, ObserveError, PoolView, Question, RecordError, World};
use crate::policy::Policies;
use crate::signal::{Metric, Sample};

/// What the engine is given instead of a world, where a law is to be broken.
pub(super) struct Planted<'w, W> {
    world: &'w mut W,
    law: Option<Law>,
    n_looks: u32,
}

/// Looks that nothing is planted in.
const LOOKS_BEFORE: u32 = 5;

impl<'w, W: World> Planted<'w, W> {
    pub(super) const fn new(world: &'w mut W, law: Option<Law>) -> Self {
        Self {
            world,
            law,
            n_looks: 0,
        }
    }
}

impl<W: World> World for Planted<'_, W> {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.world.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.n_looks += 1;
        let seen = self.world.observe(question, into);
        match self.law {
            Some(Law::Total) => assert!(self.n_looks < LOOKS_BEFORE, "a panic that was planted"),
            // A pool is told twice.
            Some(Law::Chain) => {
                if let Some(first) = into.pools().first().cloned() {
                    let again = into.push(first.state.clone());
                    *again = first;
                }
            }
            // What could not be seen is told as if it were.
            Some(Law::Blind) => into.pools_mut().iter_mut().for_each(|view| view.fault = None),
            // Samples are told that nobody took: there is nothing to do.
            Some(Law::Thin) => into
                .pools_mut()
                .iter_mut()
                .for_each(|view| invent(question, view)),
            _ => {}
        }
        seen
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        if self.law == Some(Law::Line) && matches!(entry, Entry::Decided { .. }) {
            return Ok(());
        }
        self.world.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        self.world.act(order)
    }
}

fn invent(question: &Question<'_>, view: &mut PoolView) {
    let metrics = question.metrics.iter().filter(|metric| counts_tasks(**metric));
    for metric in metrics {
        view.samples.retain(|sample| sample.metric != *metric);
        let times = (0..20).map(|age| question.now - Span::SAMPLE_PERIOD * (19 - age));
        view.samples.extend(times.map(|taken| Sample {
            metric: *metric,
            taken,
            value: 0.0,
        }));
    }
}

const fn counts_tasks(metric: Metric) -> bool {
    matches!(
        metric,
        Metric::PendingTasks | Metric::ActiveTasks | Metric::RunningTasks
    )
}

/// Makes what was seen of a pool another thing than there is.
pub(super) fn distort(plan: &Plan, view: &mut PoolView) {
    match plan.plant {
        // One node more than there is, which the report then counts.
        Some(Law::Bill) => view.state.current.dedicated += Nodes(1),
        Some(Law::Thin) => view.samples.clear(),
        _ => {}
    }
}

/// Returns the order that is carried out in the place of one; `None` where none is.
pub(super) fn twist(docket: &Docket, order: &Order) -> Option<Order> {
    let mut order = order.clone();
    match docket.plan.plant {
        Some(Law::Order) => order.target.dedicated += Nodes(1),
        Some(Law::Foreign) => order.etag = None,
        Some(Law::Rest) if docket.is_calm() => return None,
        _ => {}
    }
    Some(order)
}

/// Says whether the ledger loses a line that it said it has.
pub(super) const fn loses(plan: &Plan, n_entries: u64) -> bool {
    matches!(plan.plant, Some(Law::Replay)) && n_entries.is_multiple_of(7)
}

/// Returns what a line is counted by: itself, or something that is never twice the same.
pub(super) fn salt(plan: &Plan) -> u64 {
    static NEVER_TWICE: AtomicU64 = AtomicU64::new(1);
    if plan.plants(Law::Same) {
        NEVER_TWICE.fetch_add(1, Ordering::Relaxed)
    } else {
        0
    }
}

/// Returns the policies that decisions are held against, which allow less than those that they are made by.
pub(super) fn narrower(plan: &Plan, policies: &Policies) -> Policies {
    let mut held = policies.clone();
    if plan.plants(Law::Bounds) {
        for policy in &mut held.policies {
            policy.bounds.total.max = policy.bounds.total.min;
        }
    }
    if plan.plants(Law::Shares)
        && let Some(account) = &mut held.account
    {
        account.quotas.dedicated_cores = Some(0);
        account.quotas.spot_cores = Some(0);
    }
    held
}

/// Returns the bytes that memory of one pool may have.
pub(super) fn memory_bytes_max(plan: &Plan, usual: usize) -> usize {
    if plan.plants(Law::Memory) { 100 } else { usual }
}

/// Returns what a mix is where somebody else resizes a pool on purpose.
pub(super) fn meddled(target: Mix) -> Mix {
    Mix {
        dedicated: target.dedicated + Nodes(3),
        spot: target.spot,
    }
}
