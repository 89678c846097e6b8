//! The mixes of a fixed share: one for each total, as near to the share as the limits let it.

use super::search::{Candidate, Search, Walker};
use super::terms::Terms;
use crate::base::Probability;

/// The mixes of a fixed share of spot, in the order of their totals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ray<'a> {
    terms: &'a Terms,
    share: f64,
}

impl<'a> Ray<'a> {
    pub(super) fn new(terms: &'a Terms, share: Probability) -> Self {
        Self {
            terms,
            share: share.get(),
        }
    }

    /// Returns the mix at a step: `step` nodes split by the share, each lane then brought within its limits.
    fn at(&self, step: u32) -> (u32, u32) {
        let spot = ((f64::from(step) * self.share).round() as u32).min(step);
        let limits = self.terms.limits;
        (
            (step - spot).clamp(limits.dedicated.0, limits.dedicated.1),
            spot.clamp(limits.spot.0, limits.spot.1),
        )
    }

    /// Returns a step from which on both lanes stand at their upper limits, or the total does.
    fn end(&self) -> u32 {
        let limits = self.terms.limits;
        let steps = |most: u32, share: f64| {
            if share > 0.0 {
                (f64::from(most) / share).ceil()
            } else {
                0.0
            }
        };
        let end = steps(limits.dedicated.1, 1.0 - self.share).max(steps(limits.spot.1, self.share)) + 2.0;
        // A share so small that it takes longer to fill its lane is not a share of any pool.
        (end as u32).min(super::Problem::NODES_MAX.saturating_mul(4))
    }

    /// Returns the largest mix of the ray that the limits allow; when none lies within the total, the nearest.
    pub(super) fn largest(&self) -> (u32, u32) {
        let fits = |step: &u32| {
            let (dedicated, spot) = self.at(*step);
            dedicated + spot <= self.terms.limits.total.1
        };
        // Totals never fall along the ray, and the first is the sum of the lower limits, which fits.
        let (mut low, mut high) = (0, self.end());
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if fits(&middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        self.at(low)
    }

    /// Returns the cheapest mix of the ray that keeps the promise.
    pub(super) fn cheapest(&self, promise: super::Promise) -> Option<Candidate> {
        let terms = self.terms;
        let search = Search { terms, promise };
        let largest = self.largest();
        let mut walker = Walker::new(&search, self.at(0).0);
        let mut best: Option<Candidate> = None;
        for step in 0..=self.end() {
            let (dedicated, spot) = self.at(step);
            let total = dedicated + spot;
            if total > terms.limits.total.1 {
                break;
            }
            // When the share cannot be had at the least total, the largest mix of the ray is all there is.
            if total < terms.limits.total.0 && (dedicated, spot) != largest {
                continue;
            }
            walker.move_to(dedicated, spot);
            if !walker.keeps() {
                continue;
            }
            let here = walker.candidate(dedicated, spot);
            if best.is_none_or(|best| here.cost < best.cost) {
                best = Some(here);
            }
            if best.is_some_and(|best| here.bill.compute.0 >= best.cost) {
                break;
            }
        }
        best
    }
}
