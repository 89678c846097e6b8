//! A world from its opening to its rest, once or twice; and shorter ones that break the same law.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::docket::Trace;
use super::faults::FaultKind;
use super::found::{Found, Law};
use super::lives::Lives;
use super::plan::Plan;
use super::tally::Tally;
use crate::base::Span;

/// Runs a world; returns what it came to, and the first law that was broken.
pub fn run(plan: &Plan, trace: Option<Trace>) -> (Tally, Option<Found>) {
    let mut lives = Lives::open(plan, trace);
    let docket = lives.docket();
    let lived = catch_unwind(AssertUnwindSafe(|| lives.live()));
    let found = match lived {
        Ok(()) => docket.found(),
        Err(panic) => Some(Found {
            plan: plan.clone(),
            law: Law::Total,
            at: docket.now(),
            what: said(&*panic),
        }),
    };
    let mut tally = docket.tally();
    tally.worlds = 1;
    tally.simulated = docket.now() - plan.start();
    tally.tasks = lives.n_tasks();
    (tally, found)
}

/// Runs a world a second time and compares its ledgers, line for line, with those of the first.
pub fn run_again(plan: &Plan, first: &Tally) -> Option<Found> {
    let (second, _) = run(plan, None);
    (second != *first).then(|| Found {
        plan: plan.clone(),
        law: Law::Same,
        at: plan.calm_from(),
        what: format!("it was lived twice, and came to {first:?} and then to {second:?}"),
    })
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or(panic.downcast_ref::<&str>().copied())
        .unwrap_or("something that is no text")
        .to_owned()
}

/// Returns the shortest world with the fewest faults that still breaks the same law, of those that are tried within a budget.
pub fn shrink(found: Found, tries_max: u32) -> Found {
    let mut least = found;
    let mut tries = 0;
    let mut attempt = |plan: Plan, least: &mut Found| {
        if tries >= tries_max || least.law == Law::Same {
            return false;
        }
        tries += 1;
        match run(&plan, None).1 {
            Some(smaller) if smaller.law == least.law => {
                *least = smaller;
                true
            }
            _ => false,
        }
    };
    for kind in FaultKind::ALL {
        let mut plan = least.plan.clone();
        if plan.without.0.insert(kind) {
            attempt(plan, &mut least);
        }
    }
    loop {
        let hours = least.plan.rough().ticks() / Span::hours(1).ticks();
        let hours = u32::try_from(hours / 2).unwrap_or(0);
        let mut plan = least.plan.clone();
        plan.hours = Some(hours);
        if hours == 0 || !attempt(plan, &mut least) {
            return least;
        }
    }
}
