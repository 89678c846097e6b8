//! The course of a pool over some time, in a bounded number of points and marks: a fold over its decisions, the oldest first.
//!
//! ```text
//! decision ─► the stretch that it lies in: the last of a stretch stands for it, what nodes cost is the mean
//!         └─► mark, where something changes; where there are more than fit, the one that changes most of each stretch
//! ```

use crate::base::{Mix, Span, Timestamp};
use crate::store::Glimpse;

/// What a course is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    /// The most points.
    pub(super) points: usize,
}

/// One point: the last decision of a stretch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) target: Mix,
    pub(super) held: Option<Mix>,
    /// The mean of what an hour of the nodes costs.
    pub(super) cost_hourly: Option<f64>,
    stretch: i64,
    costs: (f64, u32),
}

/// A decision to be shown by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) number: u64,
    pub(super) at: Timestamp,
    pub(super) verdict: String,
    pub(super) target: Mix,
    /// How many decisions of its stretch it stands for.
    pub(super) count: u32,
    size: u32,
    stretch: i64,
}

/// The course while it is put together.
#[derive(Debug)]
pub(super) struct Course {
    frame: Frame,
    step: Span,
    pub(super) points: Vec<Point>,
    /// What changes something, or holds for the first time.
    changes: Vec<Mark>,
    /// Every decision, as long as there are few.
    all: Vec<Mark>,
    pub(super) decisions: usize,
    /// What an hour of a dedicated node costs, by the latest that tells.
    pub(super) price_dedicated: Option<f64>,
    before: Option<(String, Mix)>,
}

/// Marks that can be told from one another on a screen, and gone through by keys.
pub(super) const MARKS_MAX: usize = 300;

impl Course {
    pub(super) fn new(frame: Frame) -> Self {
        let whole = (frame.to - frame.from).as_seconds().max(1.0);
        let step = Span::from_seconds(whole / frame.points.max(1) as f64);
        Self {
            frame,
            step,
            points: Vec::new(),
            changes: Vec::new(),
            all: Vec::new(),
            decisions: 0,
            price_dedicated: None,
            before: None,
        }
    }

    /// Returns how long a stretch is.
    pub(super) fn step(&self) -> Span {
        self.step
    }

    /// Takes in a decision.
    pub(super) fn see(&mut self, glimpse: Glimpse) {
        let stretch = self.stretch_of(glimpse.at);
        self.decisions += 1;
        self.price_dedicated = glimpse
            .prices
            .map(|[dedicated, _]| dedicated)
            .or(self.price_dedicated);
        let cost = glimpse
            .held
            .zip(glimpse.prices)
            .map(|(held, [dedicated, spot])| held.dedicated.as_f64() * dedicated + held.spot.as_f64() * spot);
        self.point(&glimpse, cost, stretch);
        self.mark(glimpse, stretch);
    }

    fn stretch_of(&self, at: Timestamp) -> i64 {
        ((at - self.frame.from).as_seconds() / self.step.as_seconds()).floor() as i64
    }

    fn point(&mut self, glimpse: &Glimpse, cost: Option<f64>, stretch: i64) {
        let same = self.points.pop_if(|point| point.stretch == stretch);
        let (sum, n) = same.map_or((0.0, 0), |point| point.costs);
        let costs = cost.map_or((sum, n), |cost| (sum + cost, n + 1));
        self.points.push(Point {
            number: glimpse.number,
            at: glimpse.at,
            target: glimpse.outcome,
            held: glimpse.held,
            cost_hourly: (costs.1 > 0).then(|| costs.0 / f64::from(costs.1)),
            stretch,
            costs,
        });
    }

    fn mark(&mut self, glimpse: Glimpse, stretch: i64) {
        let before = self.before.replace((glimpse.verdict.clone(), glimpse.outcome));
        let last = before.as_ref().map_or(glimpse.outcome, |(_, outcome)| *outcome);
        let size = [
            (last.dedicated, glimpse.outcome.dedicated),
            (last.spot, glimpse.outcome.spot),
        ];
        let size = size.map(|(one, other)| one.0.abs_diff(other.0)).iter().sum();
        let is_new_hold =
            glimpse.verdict == "hold" && before.as_ref().is_none_or(|(verdict, _)| verdict != "hold");
        let mark = Mark {
            number: glimpse.number,
            at: glimpse.at,
            target: glimpse.outcome,
            count: 1,
            size,
            stretch,
            verdict: glimpse.verdict,
        };
        if self.all.len() <= MARKS_MAX {
            self.all.push(mark.clone());
        }
        if is_new_hold || matches!(mark.verdict.as_str(), "out" | "in" | "shift") {
            self.changes.push(mark);
        }
    }

    /// Returns the marks: of every decision where they fit, of those that change something else, and of the largest change of each
    /// stretch where these are too many.
    pub(super) fn marks(&self) -> Vec<Mark> {
        if self.all.len() <= MARKS_MAX {
            return self.all.clone();
        }
        if self.changes.len() <= MARKS_MAX {
            return self.changes.clone();
        }
        let wide = i64::try_from(self.frame.points / MARKS_MAX).unwrap_or(1).max(1) + 1;
        let mut kept: Vec<Mark> = Vec::new();
        for mark in &self.changes {
            match kept
                .last_mut()
                .filter(|last| last.stretch / wide == mark.stretch / wide)
            {
                Some(last) => {
                    let count = last.count + 1;
                    if last.size < mark.size {
                        *last = mark.clone();
                    }
                    last.count = count;
                }
                None => kept.push(mark.clone()),
            }
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glimpse(minute: i64, verdict: &str, spot: u32) -> Glimpse {
        Glimpse {
            number: minute.unsigned_abs() + 1,
            at: Timestamp::from_unix_seconds(minute * 60),
            verdict: verdict.to_owned(),
            outcome: Mix::new(1, spot),
            held: Some(Mix::new(1, spot)),
            prices: Some([1.0, 0.25]),
        }
    }

    fn course(minutes: i64, points: usize, at: impl Fn(i64) -> (&'static str, u32)) -> Course {
        let mut course = Course::new(Frame {
            from: Timestamp::EPOCH,
            to: Timestamp::from_unix_seconds(minutes * 60),
            points,
        });
        for minute in 0..minutes {
            let (verdict, spot) = at(minute);
            course.see(glimpse(minute, verdict, spot));
        }
        course
    }

    #[test]
    fn a_short_course_is_told_whole() {
        let course = course(4, 100, |minute| ("out", u32::try_from(minute).unwrap()));
        assert_eq!(course.points.len(), 4);
        assert_eq!(course.points[3].target, Mix::new(1, 3));
        assert_eq!(course.points[3].cost_hourly, Some(1.75));
        assert_eq!(course.marks().len(), 4);
    }

    #[test]
    fn a_month_fits_into_its_points_and_marks() {
        let month = 30 * 24 * 60;
        let verdict = |minute: i64| if minute % 10 == 0 { "out" } else { "steady" };
        let course = course(month, 400, |minute| (verdict(minute), 8));
        assert_eq!(course.decisions, usize::try_from(month).unwrap());
        assert_eq!(course.points.len(), 400);
        assert_eq!(course.points[7].cost_hourly, Some(3.0), "the mean of equals");
        let marks = course.marks();
        assert!(marks.len() <= MARKS_MAX, "{}", marks.len());
        let standing: u32 = marks.iter().map(|mark| mark.count).sum();
        assert_eq!(i64::from(standing), month / 10, "each stands for those beside it");
    }

    #[test]
    fn the_largest_change_of_a_stretch_stands_for_it() {
        let course = course(2_000, 10, |minute| ("out", if minute == 777 { 50 } else { 2 }));
        let marks = course.marks();
        let peak = marks.iter().find(|mark| mark.target.spot.0 == 50);
        assert_eq!(peak.map(|mark| mark.number), Some(778));
    }

    #[test]
    fn a_hold_is_marked_when_it_begins() {
        let course = course(1_000, 10, |minute| {
            (if minute < 500 { "steady" } else { "hold" }, 2)
        });
        let marks = course.marks();
        assert_eq!(marks.iter().map(|mark| mark.number).collect::<Vec<_>>(), [501]);
    }
}
