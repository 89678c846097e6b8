//! The upper ends of an outcome together: bounds, what schedules and quotas make of them, and the money of an hour.

use super::steady::shrink;
use super::{Bounds, Prices};
use crate::base::{Lane, Mix, Nodes, UsdHourly};

/// What an outcome may be at most, and at least.
///
/// The bounds can always be met together, also within the money: that is checked when a policy is read, and whatever
/// lowers an end of them here leaves room for the least.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Caps {
    pub(super) bounds: Bounds,
    pub(super) prices: Prices,
    pub(super) hourly: Option<UsdHourly>,
}

/// A limit of 0.6 dollars holds three nodes at 0.2, whatever binary fractions say.
const SLACK: f64 = 1e-9;

impl Caps {
    /// Returns what a mix costs an hour.
    pub(super) fn rate(&self, mix: Mix) -> UsdHourly {
        self.prices.rate(mix)
    }

    /// Lowers the most nodes of both lanes, as far as the least ones let it.
    pub(super) fn lower_total(&mut self, most: Nodes) {
        self.bounds = self.bounds.at_most(most);
    }

    /// Lowers the most nodes of one lane, as far as the least ones let it.
    pub(super) fn lower_lane(&mut self, lane: Lane, most: Nodes) {
        let other = match lane {
            Lane::Dedicated => self.bounds.spot.max,
            Lane::Spot => self.bounds.dedicated.max,
        };
        let range = match lane {
            Lane::Dedicated => &mut self.bounds.dedicated,
            Lane::Spot => &mut self.bounds.spot,
        };
        let least = range.min.max(self.bounds.total.min.saturating_sub(other));
        range.max = range.max.min(most.max(least));
    }

    /// Returns the mix that is nearest within the bounds, and what is left of it within the money.
    pub(super) fn fit(&self, mix: Mix) -> Mix {
        self.afford(self.bounds.fit(mix))
    }

    /// Takes growth back, spot first, until the mix is within the upper ends or no further outside than `from`.
    pub(super) fn cut_growth(&self, from: Mix, to: Mix) -> Mix {
        let mut to = to;
        for lane in Lane::ALL {
            let most = self.bounds.lane(lane).max.max(from.get(lane));
            to = to.with(lane, to.get(lane).min(most));
        }
        let total = self.bounds.total.max.max(from.total());
        let limit = self
            .hourly
            .map(|limit| limit.0.max(self.rate(from).0) * (1.0 + SLACK));
        for lane in [Lane::Spot, Lane::Dedicated] {
            let growth = to.get(lane).saturating_sub(from.get(lane));
            let excess = to.total().saturating_sub(total);
            let unaffordable = limit.map_or(Nodes::ZERO, |limit| {
                nodes_for(self.rate(to).0 - limit, self.prices.get(lane).0)
            });
            let cut = excess.max(unaffordable).min(growth);
            to = to.with(lane, to.get(lane).saturating_sub(cut));
        }
        to
    }

    /// Returns what a pool beyond the upper ends keeps when no more goes than that: the most of `from` that is within them beside `to`, and
    /// never less than `to`; nothing where it is within them.
    pub fn keep_most(&self, from: Mix, to: Mix) -> Option<Mix> {
        let is_beyond = self.cut_growth(Mix::ZERO, from) != from;
        let either = Mix {
            dedicated: from.dedicated.max(to.dedicated),
            spot: from.spot.max(to.spot),
        };
        is_beyond.then(|| self.cut_growth(to, either))
    }

    /// Takes shrinking back, dedicated nodes first, until there are the least nodes of both lanes together, or as many as `from` has:
    /// where growth of one lane is taken back, the other cannot shrink as if it were there.
    pub(super) fn keep_least(&self, from: Mix, to: Mix) -> Mix {
        shrink(from, to, self.bounds.total.min.min(from.total()))
    }

    /// Gives up the dearest nodes first, because that keeps most of them, and never the least of the bounds.
    fn afford(&self, mix: Mix) -> Mix {
        let Some(limit) = self.hourly else { return mix };
        let limit = limit.0 * (1.0 + SLACK);
        let (total, spot) = (self.bounds.total, self.bounds.spot);
        let least = self.cheapest();
        // Spot nodes take the place of dedicated ones that the least total needs.
        let with_dedicated = |dedicated: Nodes| {
            let dedicated = dedicated.clamp(least.dedicated, mix.dedicated.max(least.dedicated));
            Mix {
                dedicated,
                spot: mix.spot.max(total.min.saturating_sub(dedicated)).min(spot.max),
            }
        };
        let Prices {
            dedicated: dear,
            spot: cheap,
        } = self.prices;
        let affordable = |budget: f64, price: f64| Nodes((budget.max(0.0) / price).floor() as u32);
        let tries = [
            mix.dedicated,
            affordable(limit - mix.spot.as_f64() * cheap.0, dear.0),
            affordable(limit - total.min.as_f64() * cheap.0, dear.0 - cheap.0),
        ];
        let fits = |mix: &Mix| self.rate(*mix).0 <= limit;
        if let Some(mix) = tries.into_iter().map(with_dedicated).find(fits) {
            return mix;
        }
        let rest = limit - least.dedicated.as_f64() * dear.0;
        let spot = affordable(rest, cheap.0).min(mix.spot).max(least.spot);
        Mix { spot, ..least }
    }

    /// Returns the cheapest mix within the bounds.
    pub(super) fn cheapest(&self) -> Mix {
        let Bounds {
            total,
            dedicated,
            spot,
        } = self.bounds;
        let dedicated = dedicated.min.max(total.min.saturating_sub(spot.max));
        Mix {
            dedicated,
            spot: spot.min.max(total.min.saturating_sub(dedicated)),
        }
    }
}

/// How many nodes must go for that much money an hour.
fn nodes_for(money: f64, price: f64) -> Nodes {
    if money <= 0.0 || price <= 0.0 {
        Nodes::ZERO
    } else {
        Nodes::ceil(money / price)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::policy::Range;

    fn caps(hourly: f64) -> Caps {
        Caps {
            bounds: Bounds {
                total: Range::new(4, 100),
                dedicated: Range::new(2, 50),
                spot: Range::new(0, 80),
            },
            prices: Prices {
                dedicated: UsdHourly(0.2),
                spot: UsdHourly(0.05),
            },
            hourly: Some(UsdHourly(hourly)),
        }
    }

    #[test]
    fn a_lane_does_not_shrink_for_growth_of_the_other_that_is_taken_back() {
        for (from, to, expected) in [
            // Eight spot nodes were to replace the dedicated ones, and nobody may add any.
            (Mix::new(8, 0), Mix::new(2, 0), Mix::new(4, 0)),
            // The pool is below the least already, and goes no further.
            (Mix::new(1, 0), Mix::new(0, 0), Mix::new(1, 0)),
            (Mix::new(8, 4), Mix::new(2, 4), Mix::new(2, 4)),
        ] {
            assert_eq!(caps(100.0).keep_least(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn a_pool_beyond_its_limits_keeps_all_that_is_within_them() {
        for (hourly, from, to, expected) in [
            // Within them nothing has to go, however few are wanted.
            (100.0, Mix::new(50, 50), Mix::new(2, 2), None),
            (100.0, Mix::new(60, 0), Mix::new(2, 0), Some(Mix::new(50, 0))),
            (100.0, Mix::new(40, 70), Mix::new(2, 0), Some(Mix::new(40, 60))),
            // What is wanted of the other lane comes in the place of what goes.
            (100.0, Mix::new(60, 0), Mix::new(2, 70), Some(Mix::new(30, 70))),
            // 2 dollars an hour hold 40 spot nodes, or some dedicated ones.
            (2.0, Mix::new(5, 30), Mix::new(0, 0), Some(Mix::new(5, 20))),
        ] {
            assert_eq!(caps(hourly).keep_most(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn the_dearest_nodes_go_first_and_the_least_stay() {
        for (hourly, asked, expected) in [
            (100.0, Mix::new(10, 20), Mix::new(10, 20)),
            // 10 × 0.2 + 20 × 0.05 is 3 dollars; 2 of them hold five dedicated nodes and all spot ones.
            (2.0, Mix::new(10, 20), Mix::new(5, 20)),
            // 1.2 dollars: the two least dedicated nodes, and 16 spot ones for the other 0.8.
            (1.2, Mix::new(10, 20), Mix::new(2, 16)),
            // Four nodes at least: spot ones take the place of dedicated ones.
            (0.65, Mix::new(4, 0), Mix::new(3, 1)),
            (0.5, Mix::new(4, 0), Mix::new(2, 2)),
        ] {
            assert_eq!(caps(hourly).fit(asked), expected, "{asked} for ${hourly}/h");
        }
    }

    proptest! {
        #[test]
        fn what_fits_is_within_bounds_and_money(
            bounds in (0u32..20, 0u32..60, 0u32..20, 0u32..60, 0u32..40, 0u32..80),
            asked in (0u32..200, 0u32..200),
            from in (0u32..200, 0u32..200),
            cents in (1u32..100, 0u32..100, 0u32..4000),
        ) {
            let bounds = Bounds {
                dedicated: Range::new(bounds.0, bounds.0 + bounds.1),
                spot: Range::new(bounds.2, bounds.2 + bounds.3),
                total: Range::new(bounds.4, bounds.4 + bounds.5),
            };
            prop_assume!(bounds.can_be_met());
            let dear = f64::from(cents.0) / 100.0;
            let prices = Prices { dedicated: UsdHourly(dear), spot: UsdHourly(dear * f64::from(cents.1) / 100.0) };
            let mut caps = Caps { bounds, prices, hourly: None };
            let least = caps.rate(caps.cheapest()).0;
            let limit = least + f64::from(cents.2) / 100.0;
            caps.hourly = Some(UsdHourly(limit));
            let within = |rate: UsdHourly, limit: f64| rate.0 <= limit * (1.0 + 1e-6) + 1e-9;

            let fitted = caps.fit(Mix::new(asked.0, asked.1));
            prop_assert!(bounds.distances(fitted) == [Nodes::ZERO; 3], "{fitted}");
            prop_assert!(within(caps.rate(fitted), limit), "{fitted} costs {}", caps.rate(fitted));
            prop_assert_eq!(caps.fit(fitted), fitted);

            // Growth from anywhere ends within the upper ends, or where it began.
            let from = Mix::new(from.0, from.1);
            let to = Mix::new(asked.0.max(from.dedicated.0), asked.1.max(from.spot.0));
            let cut = caps.cut_growth(from, to);
            prop_assert!(cut.dedicated >= from.dedicated && cut.spot >= from.spot);
            prop_assert!(cut.total() <= bounds.total.max.max(from.total()));
            prop_assert!(within(caps.rate(cut), limit.max(caps.rate(from).0)), "{cut}");
        }
    }
}
