//! The eviction rate at which the answer changes.

use super::branch;
use super::course::{Course, Worth, longest};
use super::crossing::{End, crossing};
use super::frontier::Frontier;
use super::search::{Candidate, Search};
use super::solve::{answer, least_spot};
use super::terms::Terms;
use super::{BreakEven, Change, Problem, Promise, ShareRule};
use crate::market::{Hazard, break_even_of};

/// Rates below an eviction in a hundred years are taken for none.
const HAZARD_MIN: f64 = 1e-6;
/// Rates above one eviction a second are not looked at: no node would boot.
pub(super) const HAZARD_MAX: f64 = 3600.0;
/// How near the rate is told, as a difference of logarithms: a part in a hundred thousand, in ten thousand of a large pool.
const WIDTH: f64 = 1e-5;
const WIDTH_LARGE: f64 = 1e-4;
/// The part of the bill to which the savings of a large pool are followed until the mixes are looked through.
const ROUGHLY: f64 = 0.02;
/// How often another count of dedicated nodes may turn out to last longer, until each rate is searched as a whole.
const ROUNDS_MAX: usize = 6;

/// Returns the rate at which spot enters or leaves the best mix, beside the best one of the other kind.
pub(super) fn of(
    problem: &Problem,
    terms: &Terms,
    best: &Candidate,
    other: Option<&Candidate>,
) -> Option<BreakEven> {
    let rates = Rates::new(problem, terms);
    let now = problem.hazard.0.clamp(HAZARD_MIN, HAZARD_MAX).ln();
    let used_now = best.spot > least_spot(terms);
    let (at, change) = match (problem.rule, used_now) {
        (ShareRule::DedicatedOnly | ShareRule::Fixed { .. }, _) => return None,
        (ShareRule::SpotFirst, true) => (rates.turns(now, HAZARD_MAX.ln()), Change::SpotLeaves),
        (ShareRule::SpotFirst, false) => (rates.turns(HAZARD_MIN.ln(), now), Change::SpotEnters),
        (ShareRule::ExpectedCost, true) => {
            let saves = other.map_or(f64::INFINITY, |other| other.cost - best.cost);
            let with = End { at: now, gain: saves };
            (rates.leaves(with, best.dedicated), Change::SpotLeaves)
        }
        (ShareRule::ExpectedCost, false) => {
            // Without a mix to begin with, the one that has most to lose by evictions.
            let search = Search {
                terms,
                promise: Promise::Met,
            };
            let (fewest, _) = search.dedicated_range(search.range_with_spot())?;
            let other = other.filter(|other| other.dedicated < best.dedicated);
            let dedicated = other.map_or(fewest, |other| other.dedicated);
            (rates.enters(now, dedicated), Change::SpotEnters)
        }
    };
    Some(BreakEven {
        hazard: Hazard(at?.exp()),
        change,
    })
}

/// A problem at any rate of evictions.
struct Rates<'a> {
    problem: &'a Problem,
    is_large: bool,
    width: f64,
    /// Savings up to this are none: what rounding to whole nodes makes of a large pool.
    tolerance: f64,
    /// The best mixes without spot, where none is forced: they do not depend on the rate.
    without: Option<[Option<Candidate>; PROMISES.len()]>,
}

/// What is known of the rates above one at which spot is worth it.
#[derive(Clone, Copy)]
enum Ahead {
    /// A rate at which the course is not, and one at which no mix is.
    Known { without: End, end: f64 },
    /// Where the first look is promising, and a rate at which no mix is, or beyond which nobody looks.
    Unknown { likely: f64, end: f64 },
}

impl Ahead {
    fn end(self) -> f64 {
        match self {
            Self::Known { end, .. } | Self::Unknown { end, .. } => end,
        }
    }
}

impl<'a> Rates<'a> {
    fn new(problem: &'a Problem, terms: &Terms) -> Self {
        let met = Search {
            terms,
            promise: Promise::Met,
        };
        let range = met.dedicated_range(met.range_with_spot());
        let is_large = range.is_some_and(|(least, most)| branch::is_large(least, most));
        let without = |promise| Search { terms, promise }.without_spot();
        Self {
            problem,
            is_large,
            width: if is_large { WIDTH_LARGE } else { WIDTH },
            // A node more or less of spot is a jump of its price; half of it is as near as a jump can be met.
            tolerance: if is_large { 0.5 * terms.spot.price } else { 0.0 },
            without: (least_spot(terms) == 0).then(|| PROMISES.map(without)),
        }
    }

    /// Returns the best mix without spot that keeps a promise.
    fn without_spot(&self, search: &Search<'_>, promise_index: usize) -> Option<Candidate> {
        self.without
            .map_or_else(|| search.without_spot(), |without| without[promise_index])
    }

    fn terms(&self, at: f64) -> Terms {
        Terms::new(&self.problem.at_hazard(Hazard(at.exp())))
    }

    /// Returns the rate above `with` at which spot leaves.
    fn leaves(&self, with: End, dedicated: u32) -> Option<f64> {
        let end = HAZARD_MAX.ln();
        self.chase(
            with,
            Ahead::Unknown {
                likely: self.bearable(),
                end,
            },
            Course::new(dedicated),
        )
    }

    /// Returns the rate below `now` at which spot enters.
    fn enters(&self, now: f64, dedicated: u32) -> Option<f64> {
        let least = HAZARD_MIN.ln();
        let mut course = Course::new(dedicated);
        let mut without = End {
            at: now,
            gain: f64::NEG_INFINITY,
        };
        let (mut at, mut step) = (now.min(self.bearable()), FIRST_STEP);
        loop {
            let gain = self.gain_of(&mut course, at);
            if gain > self.tolerance {
                let ahead = Ahead::Known { without, end: now };
                return self.chase(End { at, gain }, ahead, course);
            }
            if at <= least {
                break;
            }
            without = End { at, gain };
            at = (at - step).max(least);
            step *= 2.0;
        }
        let Worth { course, gain, .. } = self.best(least)?;
        let ahead = Ahead::Unknown {
            likely: now,
            end: now,
        };
        self.chase(End { at: least, gain }, ahead, course)
    }

    /// Returns the rate up to which redone work alone, without reserve and lateness, would leave spot the cheaper lane.
    fn bearable(&self) -> f64 {
        let share = self.problem.spot.price.0 / self.problem.dedicated.price.0;
        break_even_of(share, &self.problem.work)
            .map_or(HAZARD_MAX, |hazard| hazard.0.clamp(HAZARD_MIN, HAZARD_MAX))
            .ln()
    }

    /// Returns the rate above `with` up to which some mix with spot is worth it: that of one count of dedicated nodes after the
    /// other, for none of them lasts longer than the last. First is looked at `likely`, and no farther than at `end`.
    fn chase(&self, mut with: End, mut ahead: Ahead, mut course: Course) -> Option<f64> {
        let mut searched_at = f64::NEG_INFINITY;
        for _ in 0..ROUNDS_MAX {
            let without = self.without(&mut with, ahead, &mut course)?;
            let is_rough = self.is_large && searched_at == f64::NEG_INFINITY;
            let tolerance = if is_rough {
                ROUGHLY * self.bill()
            } else {
                self.tolerance
            };
            let precision = (self.width, tolerance);
            let ends = crossing(with, without, precision, |at| self.gain_of(&mut course, at));
            let middle = f64::midpoint(ends.0.at, ends.1.at);
            searched_at = ends.1.at;
            let Some(next) = self.best(searched_at) else {
                if !is_rough {
                    return Some(middle);
                }
                let end = ahead.end();
                ahead = Ahead::Known { without, end };
                continue;
            };
            if self.is_large && ends.1.gain == f64::NEG_INFINITY {
                // A promise that few more dedicated nodes keep a little longer, one after the other.
                break;
            }
            // What is saved falls as it did on the way here, by what each node at work makes of it.
            let at_work = |course: &Course| {
                let missing = self.problem.demand.0.saturating_sub(course.dedicated);
                f64::from(missing.max(1))
            };
            let fall =
                (with.gain - ends.1.gain) / (ends.1.at - with.at) * at_work(&next.course) / at_work(&course);
            let step = (1.25 * next.gain / fall).clamp(self.width, FIRST_STEP);
            let step = if step.is_finite() { step } else { FIRST_STEP };
            with = End {
                at: searched_at,
                gain: next.gain,
            };
            let end = ahead.end();
            ahead = Ahead::Unknown {
                likely: searched_at + step,
                end,
            };
            course = next.course;
        }
        self.halved(
            |at| self.best(at).map_or(f64::NEG_INFINITY, |worth| worth.most),
            searched_at,
            ahead.end(),
        )
    }

    /// Returns what the pool costs without spot, as far as it is known.
    fn bill(&self) -> f64 {
        let costs = self
            .without
            .iter()
            .flatten()
            .flatten()
            .map(|without| without.cost);
        costs.fold(0.0, f64::max)
    }

    /// Returns a rate at which the course is not worth it, and moves the other end there while it is.
    fn without(&self, with: &mut End, ahead: Ahead, course: &mut Course) -> Option<End> {
        let (likely, end) = match ahead {
            Ahead::Known { without, .. } => return Some(without),
            Ahead::Unknown { likely, end } => (likely.max(with.at + self.width), end),
        };
        let (mut at, mut step) = (likely.min(end), likely - with.at);
        loop {
            let gain = self.gain_of(course, at);
            if gain <= self.tolerance {
                return Some(End { at, gain });
            }
            *with = End { at, gain };
            if at >= end {
                return None;
            }
            at = (at + step).min(end);
            step *= 2.0;
        }
    }

    /// Returns what the best mix of a course saves at a rate over the best one without spot; no more than zero when it is not worth
    /// it, without end when there is no other way.
    fn gain_of(&self, course: &mut Course, at: f64) -> f64 {
        let terms = self.terms(at);
        for (index, promise) in PROMISES.into_iter().enumerate() {
            let search = Search {
                terms: &terms,
                promise,
            };
            let mut frontier = Frontier::new(&search, search.range_with_spot(), course.dedicated);
            let with = frontier.point(course.dedicated, course.near.as_ref());
            course.near = with.or(course.near);
            match (with, self.without_spot(&search, index)) {
                (Some(with), Some(without)) => return without.cost - with.best.cost,
                (Some(_), None) => return f64::INFINITY,
                (None, Some(_)) => return f64::NEG_INFINITY,
                (None, None) => {}
            }
        }
        part(&terms, ShareRule::ExpectedCost).map_or(f64::NEG_INFINITY, |(_, gain)| gain)
    }

    /// Returns the course of the mix with spot that saves most at a rate; `None` when none saves anything. Of a
    /// large pool it is the mix that would save something up to the highest rate, of those that are looked at.
    fn best(&self, at: f64) -> Option<Worth> {
        let terms = self.terms(at);
        for (index, promise) in PROMISES.into_iter().enumerate() {
            let search = Search {
                terms: &terms,
                promise,
            };
            let Some(without) = self.without_spot(&search, index) else {
                if let Some(with) = search.with_spot(f64::INFINITY) {
                    return Some(Worth::new(with.dedicated, f64::INFINITY));
                }
                continue;
            };
            if self.is_large {
                return longest(&search, without.cost - self.tolerance);
            }
            let with = search.with_spot(without.cost);
            return with
                .map(|with| Worth::new(with.dedicated, without.cost - with.cost))
                .filter(|worth| worth.gain > 0.0);
        }
        part(&terms, ShareRule::ExpectedCost).map(|(dedicated, gain)| Worth::new(dedicated, gain))
    }

    /// Returns where a gain changes its sign between two rates.
    fn halved(&self, gain: impl Fn(f64) -> f64, with: f64, without: f64) -> Option<f64> {
        let end = |at: f64| End { at, gain: gain(at) };
        let (with, without) = (end(with), end(without));
        (with.gain > 0.0 && without.gain <= 0.0).then(|| {
            let ends = crossing(with, without, (self.width, 0.0), gain);
            f64::midpoint(ends.0.at, ends.1.at)
        })
    }

    /// Returns where a rule that does not ask for costs turns from spot between two rates.
    fn turns(&self, with: f64, without: f64) -> Option<f64> {
        let gain =
            |at: f64| part(&self.terms(at), self.problem.rule).map_or(f64::NEG_INFINITY, |(_, gain)| gain);
        self.halved(gain, with, without)
    }
}

/// The promises that are tried, the strongest first.
const PROMISES: [Promise; 3] = [Promise::Met, Promise::Late, Promise::WhileSpotLasts];
/// How far is gone first where nothing is known of the rate: by half as much again. Each step is twice the one before.
const FIRST_STEP: f64 = 0.4;

/// Returns the dedicated nodes of the best mix and a gain without end where it uses spot; `None` where it does not.
fn part(terms: &Terms, rule: ShareRule) -> Option<(u32, f64)> {
    let best = answer(terms, rule).best;
    (best.spot > least_spot(terms)).then_some((best.dedicated, f64::INFINITY))
}
