//! The cheapest mix of a range by branch and bound over the dedicated counts.
//!
//! The range is cut where the cost bends. Between two points a bound from below is known (`frontier`): a stretch that cannot hold
//! a cheaper mix is left out, a short one is walked through, another is halved.

use super::frontier::{Frontier, Point};
use super::search::{Candidate, Search};

/// Costs that differ by less than this part are equal; of them the mix with more dedicated nodes is taken.
const EQUAL: f64 = 1e-12;
/// A stretch this short is walked through: the points of a walk are an order cheaper than those afar.
const WALKED: u32 = 24;

/// At a break-even rate all mixes of a pool cost about the same; a range of them this small is looked through all the same.
const SMALL: u32 = 128;

/// Returns the cheapest mix that keeps the promise among those with `spot.0` to `spot.1` spot nodes, within the limits; `None`
/// when none does. Mixes that cost `below` or more need not be found.
pub(super) fn cheapest(search: &Search<'_>, spot: (u32, u32), below: f64) -> Option<Candidate> {
    let (least, most) = search.dedicated_range(spot)?;
    let mut branch = Branch {
        frontier: Frontier::new(search, spot, most),
        best: None,
        open: Vec::new(),
        below,
    };
    branch.cut(least, most);
    branch.close();
    branch.best
}

/// Returns whether a range of dedicated counts is too large to be looked through for each rate of evictions.
pub(super) fn is_large(least: u32, most: u32) -> bool {
    most - least > SMALL
}

/// Returns the mix with the fewest dedicated nodes of those that keep the promise; of these the cheapest.
pub(super) fn fewest_dedicated(search: &Search<'_>, spot: (u32, u32)) -> Option<Candidate> {
    let (least, most) = search.dedicated_range(spot)?;
    let mut frontier = Frontier::new(search, spot, most);
    // More dedicated nodes keep what fewer keep, as long as they count; those beyond only take room.
    let counts = search.dedicated_that_count().clamp(least, most);
    let fewest = if frontier.keeps(counts) {
        fewest_that_keeps(&mut frontier, least, counts)
    } else {
        (counts + 1).min(most)
    };
    frontier.point(fewest, None).map(|point| point.best)
}

/// Returns the fewest dedicated nodes of `least` to `keeps` that keep the promise, given that `keeps` does.
pub(super) fn fewest_that_keeps(frontier: &mut Frontier<'_>, least: u32, keeps: u32) -> u32 {
    let (mut low, mut high) = (least, keeps);
    while low < high {
        let middle = low + (high - low) / 2;
        if frontier.keeps(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    high
}

/// A search under way.
struct Branch<'a> {
    frontier: Frontier<'a>,
    best: Option<Candidate>,
    /// The stretches still to be looked through, with what is the least they can cost; the cheapest last.
    open: Vec<(f64, Point, Point)>,
    /// The cost from which on a mix is of no use.
    below: f64,
}

impl Branch<'_> {
    /// Cuts the range where the cost bends.
    fn cut(&mut self, least: u32, most: u32) {
        let mut cuts = self.frontier.bends().to_vec();
        cuts.retain(|cut| least < *cut && *cut < most);
        cuts.extend([least, most]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut above: Option<(u32, Option<Point>)> = None;
        for cut in cuts.into_iter().rev() {
            let near = above.and_then(|(_, point)| point);
            let point = self.look(cut, near.as_ref());
            if let Some((upper, high)) = above {
                self.join((cut, point), (upper, high));
            }
            above = Some((cut, point));
        }
        self.open.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
    }

    fn look(&mut self, dedicated: u32, near: Option<&Point>) -> Option<Point> {
        let point = self.frontier.point(dedicated, near)?;
        let here = point.best;
        let better = self.best.is_none_or(|best| {
            let equal = EQUAL * (1.0 + here.cost.abs());
            here.cost < best.cost - equal
                || (here.cost <= best.cost + equal && here.dedicated > best.dedicated)
        });
        if better {
            self.best = Some(here);
        }
        Some(point)
    }

    /// Opens the stretch between two cuts, as far as the promise can be kept in it.
    fn join(&mut self, (lower, low): (u32, Option<Point>), (upper, high): (u32, Option<Point>)) {
        let ends = match (low, high) {
            (Some(low), Some(high)) => Some((low, high)),
            (None, Some(high)) => {
                let fewest = fewest_that_keeps(&mut self.frontier, lower + 1, upper);
                self.look(fewest, Some(&high)).map(|low| (low, high))
            }
            (Some(low), None) => {
                let most = self.most_that_keep(lower, upper);
                self.look(most, Some(&low)).map(|high| (low, high))
            }
            // What keeps the promise is a range that ends at a cut, or there is nothing.
            (None, None) => None,
        };
        if let Some((low, high)) = ends {
            self.open(low, high);
        }
    }

    fn most_that_keep(&mut self, keeps: u32, fails: u32) -> u32 {
        let (mut low, mut high) = (keeps, fails - 1);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.frontier.keeps(middle) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        low
    }

    fn open(&mut self, low: Point, high: Point) {
        if high.best.dedicated - low.best.dedicated > 1 {
            self.open.push((self.frontier.at_least(&low, &high), low, high));
        }
    }

    /// Looks through all that is open.
    fn close(&mut self) {
        while let Some((bound, low, high)) = self.open.pop() {
            if self.is_dearer(bound, &high) {
                continue;
            }
            let (from, to) = (low.best.dedicated, high.best.dedicated);
            if to - from <= WALKED {
                let mut near = high;
                for dedicated in (from + 1..to).rev() {
                    near = self.look(dedicated, Some(&near)).unwrap_or(near);
                }
                continue;
            }
            let middle = from + (to - from) / 2;
            let Some(middle) = self.look(middle, Some(&high.nearer(&low, middle))) else {
                continue;
            };
            self.open(low, middle);
            self.open(middle, high);
            self.open.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        }
    }

    fn is_dearer(&self, bound: f64, high: &Point) -> bool {
        if bound >= self.below {
            return true;
        }
        self.best.is_some_and(|best| {
            let equal = EQUAL * (1.0 + best.cost.abs());
            // Of equal mixes the one with more dedicated nodes is wanted.
            let margin = if high.best.dedicated <= best.dedicated {
                -equal
            } else {
                equal
            };
            bound > best.cost + margin
        })
    }
}
