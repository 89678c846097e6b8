//! The best count of spot nodes for a count of dedicated ones, and the least that mixes between two such points can cost.

use super::first::first;
use super::search::{Candidate, Search, Walker};
use super::terms::Terms;

/// The best mix with so many dedicated nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub best: Candidate,
    /// The fewest spot nodes that keep the promise.
    least: u32,
    /// Whether the limits allow fewer.
    free: bool,
    /// By how much lateness rises with each dedicated node less.
    late_dedicated: f64,
    /// What one more spot node costs on balance, and what one less saves at most.
    spot: (f64, f64),
}

/// The mixes with spot nodes in a range, one for each count of dedicated nodes.
#[derive(Clone, Debug)]
pub(super) struct Frontier<'a> {
    search: &'a Search<'a>,
    walker: Walker<'a>,
    spot: (u32, u32),
}

impl<'a> Frontier<'a> {
    pub(super) fn new(search: &'a Search<'a>, spot: (u32, u32), dedicated: u32) -> Self {
        Self {
            search,
            walker: Walker::new(search, dedicated),
            spot,
        }
    }

    fn terms(&self) -> &'a Terms {
        self.search.terms
    }

    pub(super) fn promised(&self) -> u32 {
        self.search.promise.constraint(self.terms().demand).need
    }

    /// Returns the dedicated counts at which the cost bends.
    pub(super) fn bends(&self) -> [u32; 5] {
        let terms = self.terms();
        [
            terms.dedicated.there,
            terms.dedicated.in_time,
            self.search.dedicated_that_count(),
            self.promised(),
            terms.demand,
        ]
    }

    /// Returns the spot counts at which the cost bends.
    pub(super) fn bends_of_spot(&self) -> [u32; 3] {
        let spot = &self.terms().spot;
        [spot.there, spot.in_time, self.spot.1]
    }

    /// Returns the spot nodes that the limits allow beside so many dedicated ones.
    fn room(&self, dedicated: u32) -> (u32, u32) {
        let total = self.terms().limits.total;
        (
            self.spot.0.max(total.0.saturating_sub(dedicated)),
            self.spot.1.min(total.1 - dedicated),
        )
    }

    /// Returns whether some count of spot nodes keeps the promise.
    pub(super) fn keeps(&mut self, dedicated: u32) -> bool {
        self.walker.move_to(dedicated, self.room(dedicated).1);
        self.walker.keeps()
    }

    /// Returns the best mix with so many dedicated nodes; `None` when none keeps the promise.
    pub(super) fn point(&mut self, dedicated: u32, near: Option<&Point>) -> Option<Point> {
        let (low, high) = self.room(dedicated);
        let wanted = self.promised().saturating_sub(dedicated);
        let guess = near.map_or(wanted, |near| near.guess(dedicated));
        let walker = &mut self.walker;
        if walker.is_hopeless(dedicated) {
            return None;
        }
        let least = first((low, high), guess, |spot| {
            walker.move_to(dedicated, spot);
            walker.risk()
        })?;
        let spot = first((least, high), least, |spot| {
            walker.move_to(dedicated, spot);
            walker.relief(spot)
        });
        let spot = spot.unwrap_or(high);
        walker.move_to(dedicated, spot);
        let (late_dedicated, more, less) = walker.slopes(dedicated, spot);
        Some(Point {
            best: walker.candidate(dedicated, spot),
            least,
            free: least > low,
            late_dedicated,
            spot: (more, less),
        })
    }

    /// Returns a cost that no mix with dedicated nodes between two points undercuts.
    pub(super) fn at_least(&self, low: &Point, high: &Point) -> f64 {
        let reach = Reach {
            low: f64::from(low.best.dedicated),
            high: f64::from(high.best.dedicated),
            most: f64::from(self.room(low.best.dedicated).1),
            least: f64::from(high.least),
            rises: high.free
                && high.best.dedicated <= self.search.dedicated_that_count().min(self.promised()),
            need: self.need_from(high.best.dedicated),
        };
        self.by_tangent(low, &reach).max(self.by_tangent(high, &reach))
    }

    /// Returns the need that dedicated nodes up to `high` count against; `None` when they count no more.
    fn need_from(&self, high: u32) -> Option<f64> {
        let counts = high <= self.search.dedicated_that_count() && !self.terms().promises_nothing();
        counts.then(|| f64::from(self.promised()))
    }

    fn by_tangent(&self, point: &Point, reach: &Reach) -> f64 {
        let terms = self.terms();
        let (at, spot) = (f64::from(point.best.dedicated), f64::from(point.best.spot));
        let (more, less) = point.spot;
        let promised = f64::from(self.promised());
        let base = point.best.cost - terms.dedicated_part(at, promised);
        // Where late dedicated nodes count no more, lateness does not change with them.
        let late = if reach.high <= f64::from(terms.dedicated.in_time) {
            point.late_dedicated
        } else {
            0.0
        };
        let cost = |dedicated: f64| {
            let least = reach.least_spot(dedicated);
            let change = if least >= spot {
                (least - spot) * more
            } else if less > 0.0 {
                (least - spot) * less
            } else {
                0.0
            };
            base + terms.dedicated_part(dedicated, promised) - late * (dedicated - at)
                + change.min((reach.most - spot).max(0.0) * more.min(0.0))
        };
        reach
            .corners(spot)
            .map(cost)
            .into_iter()
            .fold(f64::INFINITY, f64::min)
    }
}

/// Between which mixes a bound is looked for. Numbers are real: what holds between counts holds at them.
struct Reach {
    low: f64,
    high: f64,
    /// The most spot nodes.
    most: f64,
    /// The fewest spot nodes that keep the promise at the upper end.
    least: f64,
    /// Whether each dedicated node less takes one of spot at least.
    rises: bool,
    /// Each node that is needed beyond the dedicated ones takes one of spot at least.
    need: Option<f64>,
}

impl Reach {
    /// Returns a count that no mix with so many dedicated nodes has fewer spot nodes than.
    fn least_spot(&self, dedicated: f64) -> f64 {
        let risen = if self.rises { self.high - dedicated } else { 0.0 };
        let needed = self.need.map_or(0.0, |need| need - dedicated);
        (self.least + risen).max(needed)
    }

    /// Returns the dedicated counts at which a bound that is linear in both counts may be least.
    fn corners(&self, spot: f64) -> [f64; 5] {
        let need = self.need.unwrap_or(self.low);
        [
            self.low,
            self.high,
            self.high + self.least - spot,
            need - spot,
            need - self.least,
        ]
        .map(|dedicated| dedicated.clamp(self.low, self.high))
    }
}

impl Point {
    /// Returns a point to guess from for a place between two.
    pub(super) fn nearer(&self, other: &Self, dedicated: u32) -> Self {
        let (from, to) = (f64::from(self.best.dedicated), f64::from(other.best.dedicated));
        let share = (f64::from(dedicated) - from) / (to - from);
        let least = f64::from(self.least) + share * (f64::from(other.least) - f64::from(self.least));
        let mut point = *self;
        (point.best.dedicated, point.least) = (dedicated, least.round() as u32);
        point
    }

    /// Returns a point to guess from for a place that has another part of the promise to make up.
    pub(super) fn scaled(&self, dedicated: u32, promised: u32) -> Self {
        let missing = |dedicated: u32| f64::from(promised.saturating_sub(dedicated).max(1));
        let least = f64::from(self.least) * missing(dedicated) / missing(self.best.dedicated);
        let mut point = *self;
        (point.best.dedicated, point.least) = (dedicated, least.round() as u32);
        point
    }

    /// Returns about how many spot nodes keep the promise with so many dedicated nodes.
    fn guess(&self, dedicated: u32) -> u32 {
        let more = i64::from(self.best.dedicated) - i64::from(dedicated);
        u32::try_from(i64::from(self.least) + more).unwrap_or(0)
    }
}
