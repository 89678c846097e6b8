//! A count of dedicated nodes whose best mix is followed from rate to rate, and the one that is worth it up to the highest rate.

use super::branch::fewest_that_keeps;
use super::frontier::{Frontier, Point};
use super::search::Search;

/// A count of dedicated nodes, whose best mix is followed from rate to rate.
pub(super) struct Course {
    pub dedicated: u32,
    pub near: Option<Point>,
}

impl Course {
    pub(super) fn new(dedicated: u32) -> Self {
        Self {
            dedicated,
            near: None,
        }
    }
}

/// A course that is worth it at a rate.
pub(super) struct Worth {
    pub course: Course,
    /// What it saves.
    pub gain: f64,
    /// What the best of all courses saves.
    pub most: f64,
}

impl Worth {
    pub(super) fn new(dedicated: u32, gain: f64) -> Self {
        Self {
            course: Course::new(dedicated),
            gain,
            most: gain,
        }
    }
}

/// How often it is looked between the best look and those beside it.
const NEARER: usize = 8;

/// Returns the course along which spot costs less than `below` up to the highest rate. What redone work adds to
/// a bill rises with the nodes that work, so of the mixes looked at it is the one that saves most for each of them.
pub(super) fn longest(search: &Search<'_>, below: f64) -> Option<Worth> {
    let range = search.range_with_spot();
    let (least, most) = search.dedicated_range(range)?;
    let mut looks = Looks {
        frontier: Frontier::new(search, range, most),
        below,
        looked: Vec::new(),
    };
    looks.spread(least, most);
    for round in 0..NEARER {
        // The cheapest one is asked for too: where none saves much, it is the one that others hide behind.
        let best = if round % 2 == 0 {
            looks.cheapest()?
        } else {
            looks.longest()?
        };
        looks.between(best + 1);
        looks.between(best);
    }
    let near = looks.looked[looks.longest()?];
    let saved = |point: &Point| below - point.best.cost;
    let course = Course {
        dedicated: near.best.dedicated,
        near: Some(near),
    };
    let most = saved(&looks.looked[looks.cheapest()?]);
    (most > 0.0).then(|| Worth {
        course,
        gain: saved(&near),
        most,
    })
}

/// The mixes that were looked at, those with most dedicated nodes first.
struct Looks<'a> {
    frontier: Frontier<'a>,
    below: f64,
    looked: Vec<Point>,
}

impl Looks<'_> {
    /// Looks where costs bend and at one spot node that stands in, two, three, four, six and so on: the fewer, the more rounding makes
    /// of them.
    fn spread(&mut self, least: u32, most: u32) {
        let promised = self.frontier.promised();
        let mut counts: Vec<u32> = (0..32)
            .flat_map(|twice| {
                [
                    1_u32 << twice,
                    (1_u32 << twice).saturating_add((1_u32 << twice) / 2),
                ]
            })
            .chain(self.frontier.bends_of_spot())
            .filter_map(|missing| promised.checked_sub(missing))
            .chain(self.frontier.bends())
            .chain([least, most])
            .filter(|count| (least..=most).contains(count))
            .collect();
        counts.sort_unstable();
        counts.dedup();
        for count in counts.into_iter().rev() {
            let near = self.looked.last().map(|last| last.scaled(count, promised));
            let point = self.frontier.point(count, near.as_ref());
            self.looked.extend(point);
            if point.is_none() {
                // With fewer dedicated nodes the promise cannot be kept either: the last to be looked at are the fewest that keep it.
                self.look_at_the_end(count);
                break;
            }
        }
    }

    fn look_at_the_end(&mut self, fails: u32) {
        let Some(last) = self.looked.last() else {
            return;
        };
        let (keeps, near) = (last.best.dedicated, *last);
        let fewest = fewest_that_keeps(&mut self.frontier, fails + 1, keeps);
        if fewest < keeps {
            self.looked.extend(self.frontier.point(fewest, Some(&near)));
        }
    }

    /// Looks halfway between a place and the one before it.
    fn between(&mut self, index: usize) {
        let before = index.checked_sub(1).and_then(|before| self.looked.get(before));
        let (Some(high), Some(low)) = (before, self.looked.get(index)) else {
            return;
        };
        let middle = high.best.dedicated.midpoint(low.best.dedicated);
        if middle > low.best.dedicated
            && let Some(point) = self.frontier.point(middle, Some(&high.nearer(low, middle)))
        {
            self.looked.insert(index, point);
        }
    }

    /// Returns the place of the mix that saves most for each node that works.
    fn longest(&self) -> Option<usize> {
        let promised = self.frontier.promised();
        let each = |place: &usize| {
            let best = self.looked[*place].best;
            let works = best.spot.min(promised.saturating_sub(best.dedicated)).max(1);
            (self.below - best.cost) / f64::from(works)
        };
        (0..self.looked.len()).max_by(|one, other| each(one).total_cmp(&each(other)))
    }

    fn cheapest(&self) -> Option<usize> {
        let cost = |place: &usize| self.looked[*place].best.cost;
        (0..self.looked.len()).min_by(|one, other| cost(one).total_cmp(&cost(other)))
    }
}
