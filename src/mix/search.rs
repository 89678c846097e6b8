//! What is searched: a problem, the promise to keep, and what a mix comes to.

use super::first::Look;
use super::supply::{Constraint, Supply, tolerated};
use super::terms::Terms;
use super::{Bill, Promise};

/// A mix with what it comes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub dedicated: u32,
    pub spot: u32,
    pub bill: Bill,
    pub cost: f64,
    /// The chance that fewer nodes than the demand are usable at the end of the horizon.
    pub short: f64,
}

/// A problem and the promise that a mix has to keep.
#[derive(Clone, Debug)]
pub(super) struct Search<'a> {
    pub terms: &'a Terms,
    pub promise: Promise,
}

/// What a mix has to keep, and what it comes to late, side by side.
#[derive(Clone, Debug)]
pub(super) struct Walker<'a> {
    terms: &'a Terms,
    promised: u32,
    kept: Supply,
    /// `None` when the promise is the demand itself, so that one walk tells both.
    late: Option<Supply>,
}

impl Promise {
    /// Returns the constraint that it stands for.
    pub(super) fn constraint(self, demand: u32) -> Constraint {
        let (need, in_time, shocks) = match self {
            Self::Met => (demand, true, true),
            Self::Late => (demand, false, true),
            Self::WhileSpotLasts => (demand, false, false),
            Self::Part { nodes } => (nodes.0, false, false),
        };
        Constraint {
            need,
            in_time,
            shocks,
        }
    }
}

impl<'a> Walker<'a> {
    pub(super) fn new(search: &Search<'a>, dedicated: u32) -> Self {
        let terms = search.terms;
        let demanded = Promise::Met.constraint(terms.demand);
        let constraint = search.promise.constraint(terms.demand);
        Self {
            terms,
            promised: constraint.need,
            kept: Supply::new(terms, constraint, dedicated),
            late: (constraint != demanded).then(|| Supply::new(terms, demanded, dedicated)),
        }
    }

    pub(super) fn move_to(&mut self, dedicated: u32, spot: u32) {
        self.kept.move_to(dedicated, spot);
        if let Some(late) = &mut self.late {
            late.move_to(dedicated, spot);
        }
    }

    /// Returns whether the promise is kept.
    pub(super) fn keeps(&self) -> bool {
        tolerated(self.kept.short(), self.terms.risk)
    }

    /// Returns whether no number of spot nodes keeps the promise beside so many dedicated ones.
    pub(super) fn is_hopeless(&self, dedicated: u32) -> bool {
        !tolerated(self.kept.short_at_least(dedicated), self.terms.risk)
    }

    /// Returns the chance that the promise is broken.
    pub(super) fn short(&self) -> f64 {
        self.kept.short()
    }

    /// Returns whether the promise is kept, with the chance that it is not.
    pub(super) fn risk(&self) -> Look {
        Look {
            is_enough: self.keeps(),
            amount: self.kept.short(),
            wanted: self.terms.risk,
            fall: self.kept.steps().0,
        }
    }

    /// Returns whether one more spot node than `spot` costs as much as the lateness that it saves, with what it saves.
    pub(super) fn relief(&self, spot: u32) -> Look {
        let cost = self.terms.one_more_spot(spot);
        let saves = self.terms.late * self.demanded().relief();
        Look {
            is_enough: saves <= cost,
            amount: saves,
            wanted: cost,
            fall: self.terms.late * self.demanded().steps().1,
        }
    }

    /// Returns how costs change around a mix: by how much lateness rises with each dedicated node less, what one more spot node
    /// costs on balance, and what one less saves on balance at most. For all mixes with so many nodes more or less these are
    /// bounds, as the need that is missed is convex in both counts: E(N - C)+ changes by no less than when only the cases that
    /// miss now are looked at, and of those each node that is asked for has the same part.
    pub(super) fn slopes(&self, dedicated: u32, spot: u32) -> (f64, f64, f64) {
        let (terms, demanded) = (self.terms, self.demanded());
        let late_dedicated = if dedicated <= terms.dedicated.in_time {
            terms.late * demanded.short()
        } else {
            0.0
        };
        let more = terms.one_more_spot(spot) - terms.late * demanded.relief();
        let less = spot.checked_sub(1).map_or(0.0, |less| {
            terms.one_more_spot(less) - terms.late * demanded.part_of_each(spot)
        });
        (late_dedicated, more, less)
    }

    fn demanded(&self) -> &Supply {
        self.late.as_ref().unwrap_or(&self.kept)
    }

    pub(super) fn candidate(&self, dedicated: u32, spot: u32) -> Candidate {
        let demanded = self.demanded();
        let bill = self
            .terms
            .bill(dedicated, spot, self.promised, demanded.missing());
        Candidate {
            dedicated,
            spot,
            bill,
            cost: bill.total().0,
            short: demanded.short(),
        }
    }
}

impl Search<'_> {
    /// Returns the most dedicated nodes that count for the promise.
    pub(super) fn dedicated_that_count(&self) -> u32 {
        if self.promise.constraint(self.terms.demand).in_time {
            self.terms.dedicated.in_time
        } else {
            u32::MAX
        }
    }

    /// Returns the fewest and the most dedicated nodes that the limits allow beside so many of spot; `None` when there is none.
    pub(super) fn dedicated_range(&self, spot: (u32, u32)) -> Option<(u32, u32)> {
        let limits = self.terms.limits;
        let most = limits.dedicated.1.min(limits.total.1.checked_sub(spot.0)?);
        let least = limits.dedicated.0.max(limits.total.0.saturating_sub(spot.1));
        (least <= most && spot.0 <= spot.1).then_some((least, most))
    }
}
