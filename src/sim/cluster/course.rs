//! The course of a pool: what it had, what it was asked for and what it cost, step by step; kept only where somebody wants to see it.
//!
//! Node counts and money are read off the meter, whose sums are exact, so that a course changes nothing of what it looks at.

use super::meter::{Census, Meter, NodeState, hours};
use super::sampler::Sight;
use super::simulator::Cluster;
use crate::base::{Lane, Span, Timestamp, Usd};
use crate::sim::PricePaths;

/// What a pool had over a run, in steps of equal length; the last may be shorter.
#[derive(Clone, Debug, PartialEq)]
pub struct Course {
    /// When the first step begins.
    pub start: Timestamp,
    /// How long a step is.
    pub step: Span,
    /// The steps.
    pub points: Vec<CoursePoint>,
}

/// One step of a course: means over the step, unless something else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CoursePoint {
    /// Nodes that the waiting and running tasks would fill.
    pub demand: f64,
    /// Tasks that wait.
    pub waiting: f64,
    /// Dedicated nodes that are paid for.
    pub dedicated: f64,
    /// Spot nodes that are paid for.
    pub spot: f64,
    /// Of both: nodes that boot.
    pub starting: f64,
    /// Of both: nodes that are ready and have no task.
    pub idle: f64,
    /// Spot nodes that were taken away and are to come back; nobody pays for them.
    pub preempted: f64,
    /// The bill from the start to the end of the step.
    pub cost: Usd,
    /// How many nodes were evicted in the step.
    pub evictions: u32,
}

/// Steps that people read easily, in seconds, from the period of the samples up.
const STEPS: [i64; 16] = [
    30, 60, 120, 180, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800,
];

/// Returns the shortest step that people read easily with which a time has at most so many.
pub fn step_for(whole: Span, points: usize) -> Span {
    let steps = STEPS.map(Span::seconds);
    let fits = steps.iter().find(|step| whole / **step <= points as f64);
    fits.copied().unwrap_or(steps[STEPS.len() - 1])
}

/// A course while it is kept.
#[derive(Debug)]
pub(super) struct CourseKeeper {
    course: Course,
    end: Timestamp,
    prices: PricePaths,
    /// When something is read: at the end of each step, and where a price changes.
    marks: Vec<Timestamp>,
    n_read: usize,
    read_at: Timestamp,
    /// Node-ticks that were billed by the latest reading, by lane.
    billed: [u128; 2],
    cost: f64,
    /// When the step began, and what there was in all by then.
    began: Timestamp,
    before: Sums,
    /// Sums over the samples of the step.
    demand: f64,
    waiting: f64,
    n_samples: u32,
}

/// Sums from the start on.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    dedicated: u128,
    spot: u128,
    starting: u128,
    idle: u128,
    preempted: u128,
    evictions: u32,
}

impl CourseKeeper {
    fn new(start: Timestamp, end: Timestamp, step: Span, prices: PricePaths) -> Self {
        let mut marks = prices.changes_between(start, end);
        let mut at = start + step;
        while at < end {
            marks.push(at);
            at += step;
        }
        marks.push(end);
        marks.sort_unstable();
        marks.dedup();
        Self {
            course: Course {
                start,
                step,
                points: Vec::new(),
            },
            end,
            prices,
            marks,
            n_read: 0,
            read_at: start,
            billed: [0; 2],
            cost: 0.0,
            began: start,
            before: Sums::default(),
            demand: 0.0,
            waiting: 0.0,
            n_samples: 0,
        }
    }

    /// Reads what the meter says at each mark that comes before or at a moment, up to which the census is what it is.
    pub(super) fn advance(&mut self, to: Timestamp, meter: &mut Meter, census: &Census, evictions: u32) {
        while let Some(mark) = self.marks.get(self.n_read).copied().filter(|mark| *mark <= to) {
            meter.advance(mark, census);
            self.n_read += 1;
            self.read(mark, meter);
            if mark >= (self.began + self.course.step).min(self.end) {
                self.end_step(mark, meter, evictions);
            }
        }
    }

    /// Adds what was billed since the latest reading, through which no price changed.
    fn read(&mut self, at: Timestamp, meter: &Meter) {
        for lane in Lane::ALL {
            let billed = billed(meter, lane);
            let price = self.prices.get(lane).price_at(self.read_at).0;
            self.cost += price * hours(billed - self.billed[lane as usize]);
            self.billed[lane as usize] = billed;
        }
        self.read_at = at;
    }

    fn end_step(&mut self, at: Timestamp, meter: &Meter, evictions: u32) {
        let sums = Sums::of(meter, evictions);
        let before = std::mem::replace(&mut self.before, sums);
        let span = at.since(self.began);
        let mean = |now: u128, before: u128| (now - before) as f64 / span.ticks() as f64;
        let sampled = |sum: f64| {
            if self.n_samples > 0 {
                sum / f64::from(self.n_samples)
            } else {
                0.0
            }
        };
        self.course.points.push(CoursePoint {
            demand: sampled(self.demand),
            waiting: sampled(self.waiting),
            dedicated: mean(sums.dedicated, before.dedicated),
            spot: mean(sums.spot, before.spot),
            starting: mean(sums.starting, before.starting),
            idle: mean(sums.idle, before.idle),
            preempted: mean(sums.preempted, before.preempted),
            cost: Usd(self.cost),
            evictions: sums.evictions - before.evictions,
        });
        (self.demand, self.waiting, self.n_samples) = (0.0, 0.0, 0);
        self.began = at;
    }

    /// Takes in a sample.
    pub(super) fn sample(&mut self, sight: &Sight<'_>) {
        self.demand += sight.wanted_slots as f64 / f64::from(sight.slots_per_node);
        self.waiting += f64::from(sight.waiting);
        self.n_samples += 1;
    }
}

impl Sums {
    fn of(meter: &Meter, evictions: u32) -> Self {
        let both = |state| Lane::ALL.map(|lane| meter.node_ticks(lane, state)).iter().sum();
        Self {
            dedicated: billed(meter, Lane::Dedicated),
            spot: billed(meter, Lane::Spot),
            starting: both(NodeState::Starting),
            idle: both(NodeState::Idle),
            preempted: both(NodeState::Preempted),
            evictions,
        }
    }
}

fn billed(meter: &Meter, lane: Lane) -> u128 {
    let states = NodeState::ALL.into_iter().filter(|state| state.is_billed());
    states.map(|state| meter.node_ticks(lane, state)).sum()
}

impl Cluster {
    /// Keeps the course from now to the end of the run, in at most so many points, at these prices.
    pub fn keep_course(&mut self, end: Timestamp, points: usize, prices: PricePaths) {
        let start = self.now();
        let step = step_for(end.since(start), points);
        self.course = Some(Box::new(CourseKeeper::new(start, end, step, prices)));
    }

    /// Returns the course so far, where one is kept, and keeps none any more.
    pub fn take_course(&mut self) -> Option<Course> {
        self.course.take().map(|keeper| keeper.course)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_one_that_people_read_and_there_are_never_too_many() {
        for (whole, points, step) in [
            (Span::minutes(5), 720, Span::seconds(30)),
            (Span::days(1), 720, Span::minutes(2)),
            (Span::days(7), 720, Span::minutes(15)),
            (Span::days(365), 720, Span::hours(24)),
            (Span::days(3653), 720, Span::days(7)),
        ] {
            assert_eq!(step_for(whole, points), step, "{whole}");
        }
    }
}
