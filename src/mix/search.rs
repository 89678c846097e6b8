//! The walk along the cheapest mixes, one for each count of dedicated nodes.
//!
//! Going down from many dedicated nodes to few, the best count of spot nodes only rises (see the room's page), so both counts
//! move one way and the walk visits each once.

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

/// Which of the feasible mixes a walk looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pick {
    /// The cheapest.
    Cheapest,
    /// The one with the fewest dedicated nodes; of these the cheapest.
    FewestDedicated,
    /// Any that costs less than this.
    AnyBelow(f64),
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

/// Costs that differ by less than this part are equal; the earlier one stays.
const EQUAL: f64 = 1e-12;

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

    /// Returns the chance that the promise is broken.
    pub(super) fn short(&self) -> f64 {
        self.kept.short()
    }

    /// Returns whether one more spot node than `spot` saves more lateness than it costs.
    fn one_more_pays(&self, spot: u32) -> bool {
        self.terms.one_more_spot(spot) < self.terms.late * self.demanded().relief()
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
    /// Returns the mix that is looked for among those with `spot.0` to `spot.1` spot nodes, within the limits; `None` when
    /// none of them keeps the promise.
    pub(super) fn walk(&self, spot: (u32, u32), pick: Pick) -> Option<Candidate> {
        let Limits {
            dedicated: (least, most),
            total,
        } = self.limits(spot)?;
        let mut walker = Walker::new(self, most);
        let mut best: Option<Candidate> = None;
        let mut bound = match pick {
            Pick::Cheapest | Pick::FewestDedicated => f64::INFINITY,
            Pick::AnyBelow(cost) => cost,
        };
        let mut asked = 0;
        for dedicated in (least..=most).rev() {
            let low = spot.0.max(total.0.saturating_sub(dedicated));
            let high = spot.1.min(total.1 - dedicated);
            if low > high {
                continue;
            }
            asked = asked.max(low);
            walker.move_to(dedicated, asked);
            while !walker.keeps() && asked < high {
                asked += 1;
                walker.move_to(dedicated, asked);
                if pick != Pick::FewestDedicated && self.at_least(dedicated, least, asked) >= bound {
                    return best;
                }
            }
            if !walker.keeps() {
                if dedicated <= self.dedicated_that_count() {
                    // Each dedicated node less takes more than one spot node: fewer cannot do either.
                    break;
                }
                continue;
            }
            while asked < high && walker.one_more_pays(asked) {
                asked += 1;
                walker.move_to(dedicated, asked);
            }
            let here = walker.candidate(dedicated, asked);
            if pick == Pick::FewestDedicated || here.cost < bound - EQUAL * (1.0 + here.cost.abs()) {
                bound = here.cost;
                best = Some(here);
                if matches!(pick, Pick::AnyBelow(_)) {
                    return best;
                }
            }
        }
        best
    }

    /// Returns a cost that no mix with `dedicated` nodes or fewer undercuts when each takes at least as many spot nodes.
    fn at_least(&self, dedicated: u32, least: u32, spot: u32) -> f64 {
        let terms = self.terms;
        let promised = self.promise.constraint(terms.demand).need;
        let cost = |dedicated: u32, spot: u32| {
            terms.dedicated.price * f64::from(dedicated)
                + terms.spot.price * f64::from(spot)
                + terms.redo * f64::from(promised.saturating_sub(dedicated))
        };
        let one_for_one = if dedicated <= self.dedicated_that_count().min(promised) {
            dedicated - least
        } else {
            0
        };
        // Linear from the promise downwards and rising above it, so that the promise and the lower end tell.
        let upper = dedicated.min(promised).max(least);
        cost(upper, spot).min(cost(least, spot + one_for_one))
    }

    /// Returns the most dedicated nodes that count for the promise.
    fn dedicated_that_count(&self) -> u32 {
        if self.promise.constraint(self.terms.demand).in_time {
            self.terms.dedicated.in_time
        } else {
            u32::MAX
        }
    }

    fn limits(&self, spot: (u32, u32)) -> Option<Limits> {
        let limits = self.terms.limits;
        let room = limits.total.1.checked_sub(spot.0)?;
        let most = limits.dedicated.1.min(room);
        (limits.dedicated.0 <= most && spot.0 <= spot.1).then_some(Limits {
            dedicated: (limits.dedicated.0, most),
            total: limits.total,
        })
    }
}

/// The limits of one walk.
struct Limits {
    dedicated: (u32, u32),
    total: (u32, u32),
}
