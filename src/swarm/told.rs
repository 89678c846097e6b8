//! The samples that were told of pools, counted apart from what the engine keeps of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::account::PoolId;
use crate::base::{Span, Timestamp};
use crate::engine::PoolView;
use crate::policy::{MissingGuard, Policy};
use crate::signal::Metric;

/// When samples were taken that were told.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeMap<(PoolId, Metric), BTreeSet<Timestamp>>);

/// Guards look back for an hour at the most; a clock may be set wrong by three.
const KEPT: Span = Span::hours(8);

/// A sample lies within a period of the service's grid, so that one at each end of a window may count or not.
const AT_THE_ENDS: f64 = 2.0;

impl Told {
    /// Hears what a look tells.
    pub(super) fn hear(&mut self, now: Timestamp, views: &[PoolView]) {
        for view in views {
            for sample in view.samples.iter().filter(|sample| sample.value.is_finite()) {
                let taken = self.0.entry((view.state.id.clone(), sample.metric)).or_default();
                taken.insert(sample.taken.whole_milliseconds());
            }
        }
        for taken in self.0.values_mut() {
            while taken.first().is_some_and(|oldest| *oldest + KEPT < now) && taken.len() > 1 {
                taken.pop_first();
            }
        }
    }

    /// Returns why no node may be taken away on what was told, where that is so.
    pub(super) fn objection(&self, policy: &Policy, pool: &PoolId, now: Timestamp) -> Option<String> {
        let rule = policy.missing;
        if !rule.minded {
            return None;
        }
        policy.metrics.iter().find_map(|metric| {
            let taken = self.0.get(&(pool.clone(), *metric));
            let Some(newest) = taken.and_then(BTreeSet::last) else {
                return Some(format!("{} of which there is no sample", metric.name()));
            };
            if now.since(*newest) >= rule.stale_after {
                return Some(format!("{} whose newest sample is of {newest}", metric.name()));
            }
            let n_told = taken.map_or(0, |taken| n_within(taken, &rule, now));
            let possible = rule.within / Span::SAMPLE_PERIOD;
            let enough = possible * rule.enough_percent / 100.0 - AT_THE_ENDS;
            ((n_told as f64) < enough)
                .then(|| format!("{} of which {n_told} samples were told", metric.name()))
        })
    }
}

/// Returns in how many periods of the window a sample was taken.
fn n_within(taken: &BTreeSet<Timestamp>, rule: &MissingGuard, now: Timestamp) -> usize {
    let window = taken.range(now - rule.within..=now);
    let period = Span::SAMPLE_PERIOD.ticks();
    let periods: BTreeSet<i64> = window.map(|at| at.ticks().div_euclid(period)).collect();
    periods.len()
}
