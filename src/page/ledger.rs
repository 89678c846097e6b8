//! The page of a ledger: what its pools had over time, and why, as their decisions saw it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::data::{Data, Depth, Figure, Kind, Sheet, StepRow, TurnRow, lanes, seconds};
use super::wanted::{FOLLOW, RUNS_MAX};
use crate::account::PoolId;
use crate::base::{Mix, Span, Timestamp};
use crate::decision::Verdict;
use crate::engine::PoolView;
use crate::signal::Metric;
use crate::sim::cluster::step_for;
use crate::sim::{Largest, moved};
use crate::store::report::{Cost, Held, held_for};
use crate::world::look_of;

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// The command line.
    pub command: String,
    /// What the ledger is called.
    pub ledger: String,
    /// What it was looked at for: names with their words.
    pub facts: Vec<(String, String)>,
}

/// The courses of the pools while their decisions are gone through; of the pools that cost most where there are many.
#[derive(Debug)]
pub struct Courses {
    seats: BTreeMap<PoolId, Seat>,
    n_left_out: usize,
}

/// The course of one pool.
#[derive(Debug)]
struct Seat {
    from: Timestamp,
    step: Span,
    places: Vec<Place>,
    held: Option<Held>,
    look: Option<(Timestamp, Look)>,
    turns: Largest<TurnRow>,
    was_held: Option<String>,
}

/// One step: sums of nodes or tasks times hours, and the hours themselves.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    hours: f64,
    dedicated: f64,
    spot: f64,
    cost: f64,
    all_dedicated: f64,
    hours_looked: f64,
    starting: f64,
    idle: f64,
    preempted: f64,
    hours_demanded: f64,
    demand: f64,
    hours_waited: f64,
    waiting: f64,
    evictions: u32,
}

/// What one look tells beyond the nodes that are paid for.
#[derive(Clone, Copy, Debug, Default)]
struct Look {
    starting: f64,
    idle: f64,
    preempted: f64,
    /// Nodes that the tasks would fill, where tasks are told or counted.
    demand: Option<f64>,
    /// Tasks that wait, where they are.
    waiting: Option<f64>,
}

impl Courses {
    /// Returns the courses of the pools that these are the costs of, without anything in them.
    pub fn new(costs: &[Cost]) -> Self {
        let mut costs: Vec<&Cost> = costs.iter().collect();
        costs.sort_by(|one, two| two.total.0.total_cmp(&one.total.0).then(one.pool.cmp(&two.pool)));
        let seats = costs.iter().take(RUNS_MAX);
        Self {
            n_left_out: costs.len().saturating_sub(RUNS_MAX),
            seats: seats
                .map(|cost| (cost.pool.clone(), Seat::new(cost.from, cost.to)))
                .collect(),
        }
    }

    /// Returns where a pool stands among those that are shown.
    pub fn place(&self, pool: &str) -> Option<usize> {
        self.seats.keys().position(|one| one.as_str() == pool)
    }

    /// Takes in the nodes that a decision saw.
    pub fn held(&mut self, held: &Held) {
        if let Some(seat) = self.seats.get_mut(&held.pool) {
            seat.hold(held);
        }
    }

    /// Takes in the line of a decision.
    pub fn line(&mut self, pool: &PoolId, line: &str) {
        let Some(seat) = self.seats.get_mut(pool) else {
            return;
        };
        if let Ok(Some((at, view))) = look_of(line) {
            seat.look(at, &view);
        }
        if let Ok(decided) = serde_json::from_str::<Decided>(line) {
            seat.decide(decided);
        }
    }
}

impl Seat {
    fn new(from: Timestamp, to: Timestamp) -> Self {
        // What the last look saw is there for some time as well.
        let step = step_for(to - from, FOLLOW.points - 1);
        let n_places = ((to - from) / step).floor() as usize + 1;
        Self {
            from,
            step,
            places: vec![Place::default(); n_places],
            held: None,
            look: None,
            turns: Largest::new(FOLLOW.turns),
            was_held: None,
        }
    }

    /// Calls for each step that a time reaches into, with the hours of it that lie there.
    fn spread(&mut self, at: Timestamp, span: Span, each: impl Fn(&mut Place, f64)) {
        let (mut from, end) = (at, at + span);
        while from < end {
            let place = ((from - self.from) / self.step).floor().max(0.0) as usize;
            let next = self.from + self.step.scale((place + 1) as f64);
            let until = next.min(end);
            let Some(place) = self.places.get_mut(place) else {
                return;
            };
            each(place, (until - from).as_hours());
            from = until;
        }
    }

    fn hold(&mut self, held: &Held) {
        let Some(last) = self.held.replace(held.clone()) else {
            return;
        };
        let Some(span) = held_for(last.at, held.at) else {
            return;
        };
        let (dedicated, spot) = (last.nodes.dedicated.as_f64(), last.nodes.spot.as_f64());
        let [dear, cheap] = last.prices.unwrap_or_default();
        self.spread(last.at, span, |place, hours| {
            place.hours += hours;
            place.dedicated += dedicated * hours;
            place.spot += spot * hours;
            place.cost += (dedicated * dear + spot * cheap) * hours;
            place.all_dedicated += (dedicated + spot) * dear * hours;
        });
    }

    fn look(&mut self, at: Timestamp, view: &PoolView) {
        let look = Look::of(view);
        let before = self.look.replace((at, look));
        self.count_evictions(
            at,
            view,
            before.map_or(look.preempted, |(_, before)| before.preempted),
        );
        let Some((last, look)) = before else {
            return;
        };
        let Some(span) = held_for(last, at) else {
            return;
        };
        self.spread(last, span, |place, hours| {
            place.hours_looked += hours;
            place.starting += look.starting * hours;
            place.idle += look.idle * hours;
            place.preempted += look.preempted * hours;
            if let Some(demand) = look.demand {
                place.hours_demanded += hours;
                place.demand += demand * hours;
            }
            if let Some(waiting) = look.waiting {
                place.hours_waited += hours;
                place.waiting += waiting * hours;
            }
        });
    }

    /// Counts the evictions that were seen one by one; where nodes are only counted, by how many more are away than before.
    fn count_evictions(&mut self, at: Timestamp, view: &PoolView, away: f64) {
        let more = (view.state.nodes.preempted.as_f64() - away).max(0.0) as u32;
        let seen = view
            .work
            .as_ref()
            .map(|work| work.ended.iter().filter(|end| end.evicted).count() as u32);
        let n_evicted = seen.unwrap_or(more);
        let place = ((at - self.from) / self.step).floor().max(0.0) as usize;
        if let Some(place) = self.places.get_mut(place) {
            place.evictions += n_evicted;
        }
    }

    fn decide(&mut self, decided: Decided) {
        let to = decided.steps.last().map_or(decided.target, |step| step.to);
        let verdict = Verdict::of(decided.target, to, decided.hold.is_some());
        let held = decided.hold.map(|hold| hold.code);
        let began = std::mem::replace(&mut self.was_held, held.clone()) != held;
        let is_turn = match verdict {
            Verdict::Hold => began,
            Verdict::Steady => false,
            Verdict::Out | Verdict::In | Verdict::Shift => true,
        };
        if is_turn {
            self.turns.offer(moved(decided.target, to), || TurnRow {
                at: seconds(decided.at),
                verdict: verdict.word(),
                from: lanes(decided.target),
                to: lanes(to),
                steps: decided.steps,
            });
        }
    }

    fn finish(self, pool: &PoolId) -> Depth {
        let mean = |sum: fn(&Place) -> f64, hours: fn(&Place) -> f64| -> Vec<Figure> {
            let of = |place: &Place| (hours(place) > 0.0).then(|| sum(place) / hours(place));
            let known = self.places.iter().map(of);
            known
                .map(|mean| mean.map_or(Figure(None), Figure::hundredths))
                .collect()
        };
        let so_far = |sum: fn(&Place) -> f64| -> Vec<Figure> {
            let sums = self.places.iter().scan(0.0, |so_far, place| {
                *so_far += sum(place);
                Some(*so_far)
            });
            sums.map(Figure::fine).collect()
        };
        let (hours, looked) = (
            (|place: &Place| place.hours) as fn(&Place) -> f64,
            |place: &Place| place.hours_looked,
        );
        let evictions = self
            .places
            .iter()
            .map(|place| Figure::hundredths(place.evictions.into()));
        let depth = Depth {
            name: pool.to_string(),
            start: seconds(self.from),
            step: self.step.as_seconds(),
            dedicated: mean(|place| place.dedicated, hours),
            spot: mean(|place| place.spot, hours),
            starting: mean(|place| place.starting, looked),
            idle: mean(|place| place.idle, looked),
            preempted: mean(|place| place.preempted, looked),
            demand: mean(|place| place.demand, |place| place.hours_demanded),
            waiting: mean(|place| place.waiting, |place| place.hours_waited),
            cost: so_far(|place| place.cost),
            all_dedicated: so_far(|place| place.all_dedicated),
            evictions: evictions.collect(),
            ..Depth::default()
        };
        let (turns, n_turns) = self.turns.finish();
        Depth {
            turns,
            n_turns,
            ..depth
        }
    }
}

impl Look {
    fn of(view: &PoolView) -> Self {
        let nodes = &view.state.nodes;
        let newest = |metric: Metric| {
            let samples = view.samples.iter().filter(|sample| sample.metric == metric);
            samples
                .max_by_key(|sample| sample.taken)
                .map(|sample| sample.value)
        };
        let sum = |slots: &mut dyn Iterator<Item = u32>| slots.map(f64::from).sum::<f64>();
        let told = view.work.as_ref().map(|work| {
            let waiting = sum(&mut work.waiting.iter().map(|task| task.slots));
            waiting + sum(&mut work.running.iter().map(|task| task.slots))
        });
        let active = newest(Metric::ActiveTasks);
        let both = || {
            active
                .zip(newest(Metric::RunningTasks))
                .map(|(active, running)| active + running)
        };
        // A decision sees no more than it asks for: many formulas ask for the tasks that wait or run, and for nothing else.
        let slots = told.or_else(both).or_else(|| newest(Metric::PendingTasks));
        let per_node = f64::from(view.state.task_slots_per_node.max(1));
        Self {
            starting: nodes.starting.as_f64(),
            idle: nodes.idle.as_f64(),
            preempted: nodes.preempted.as_f64(),
            demand: slots.map(|slots| slots / per_node),
            waiting: view
                .work
                .as_ref()
                .map(|work| work.waiting.len() as f64)
                .or(active),
        }
    }
}

/// What the line of a decision is told by.
#[derive(Deserialize)]
struct Decided {
    at: Timestamp,
    target: Mix,
    steps: Vec<StepRow>,
    hold: Option<Hold>,
}

#[derive(Deserialize)]
struct Hold {
    code: String,
}

/// Returns the page of a ledger.
pub fn of_ledger(looked: Looked, sheets: Vec<Sheet>, courses: Courses) -> Data {
    let runs = courses.seats.into_iter().map(|(pool, seat)| seat.finish(&pool));
    Data {
        kind: Kind::Ledger,
        title: format!("Report: {}", looked.ledger),
        program: concat!("lowtide ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: looked.command,
        facts: looked.facts,
        notes: Vec::new(),
        sheets,
        points: Vec::new(),
        cases: None,
        runs: runs.collect(),
        runs_left_out: courses.n_left_out,
        wait_marks: Vec::new(),
    }
}
