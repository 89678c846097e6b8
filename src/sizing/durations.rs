//! How long tasks run, learned from those that ended: a hazard for each span of elapsed time.
//!
//! A hazard in pieces fits any shape, takes in tasks that still run by the time they have run so far, and answers what is
//! asked most: the chance that a task which has run for a while ends within another while.

use serde::{Deserialize, Serialize};

use crate::base::Span;

/// Where the pieces begin, in seconds of elapsed time; each is about twice as long as the one before it, so that the relative
/// error of a run time is the same at all scales. The last piece has no end.
const EDGES: [f64; 16] = [
    0.0, 30.0, 60.0, 120.0, 240.0, 480.0, 900.0, 1800.0, 3600.0, 7200.0, 14_400.0, 28_800.0, 57_600.0,
    115_200.0, 230_400.0, 460_800.0,
];

/// In so many parts a piece is looked at: twice as long as the one before, it holds run times that are too far apart for one.
const PARTS: usize = 3;

/// Each ended task takes this share of the evidence before it away: half of it is gone after 400 tasks.
const KEPT: f64 = 0.998_268_6;

/// What is believed of a piece before any task has ended in it: a quarter of an end in 150 seconds, a mean run of ten
/// minutes. It weighs next to nothing beside a single task that passed through the piece.
const PRIOR_ENDS: f64 = 0.25;
const PRIOR_SECONDS: f64 = 150.0;

/// The run times of the tasks that ended, the latest weighing most.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Durations {
    /// How many tasks ended in each piece, faded.
    ended: [f64; EDGES.len()],
    /// The seconds that tasks have run in each piece, faded.
    exposed: [f64; EDGES.len()],
}

/// A distribution of run times.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationModel {
    /// Ends per second of each piece.
    hazard: [f64; EDGES.len()],
    /// The summed hazard at the begin of each piece.
    summed: [f64; EDGES.len()],
}

impl Durations {
    /// Takes in the run time of a task that ended well.
    pub fn learn(&mut self, run: Span) {
        let run = run.as_seconds().max(0.0);
        for (ended, exposed) in self.ended.iter_mut().zip(&mut self.exposed) {
            *ended *= KEPT;
            *exposed *= KEPT;
        }
        expose(&mut self.exposed, run, 1.0);
        self.ended[piece_of(run)] += 1.0;
    }

    /// Returns the distribution, given how long each running task has run so far.
    ///
    /// Running tasks count by half: they are evidence that tasks last, but the long ones stay and are seen again and again.
    pub fn model(&self, running: impl IntoIterator<Item = Span>) -> DurationModel {
        let mut exposed = self.exposed;
        for ran in running {
            expose(&mut exposed, ran.as_seconds().max(0.0), 0.5);
        }
        let mut hazard = [0.0; EDGES.len()];
        for ((hazard, ended), exposed) in hazard.iter_mut().zip(&self.ended).zip(&exposed) {
            *hazard = (ended + PRIOR_ENDS) / (exposed + PRIOR_SECONDS);
        }
        let mut summed = [0.0; EDGES.len()];
        for piece in 1..EDGES.len() {
            let length = EDGES[piece] - EDGES[piece - 1];
            summed[piece] = summed[piece - 1] + hazard[piece - 1] * length;
        }
        DurationModel { hazard, summed }
    }
}

impl DurationModel {
    /// Returns the chance that a task which has run for `ran` ends within `within` more.
    pub fn ends_within(&self, ran: Span, within: Span) -> f64 {
        let ran = ran.as_seconds().max(0.0);
        let to = ran + within.as_seconds().max(0.0);
        -(self.summed_at(ran) - self.summed_at(to)).exp_m1()
    }

    /// Returns the mean of what a task that has run for `ran` has still to run.
    pub fn mean_left(&self, ran: Span) -> Span {
        let ran = ran.as_seconds().max(0.0);
        let (mut alive, mut mean) = (1.0, 0.0);
        let mut from = ran;
        for piece in piece_of(ran)..EDGES.len() {
            let hazard = self.hazard[piece];
            match EDGES.get(piece + 1) {
                Some(until) => {
                    let survives = (-hazard * (until - from)).exp();
                    mean += alive * (1.0 - survives) / hazard;
                    alive *= survives;
                    from = *until;
                }
                None => mean += alive / hazard,
            }
        }
        Span::from_seconds(mean)
    }

    /// Returns run times that a task may have which has run for `ran`, each with its chance; the chances add up to 1.
    pub fn runs_ahead(&self, ran: Span) -> Vec<(Span, f64)> {
        let ran = ran.as_seconds().max(0.0);
        let begun = self.summed_at(ran);
        let mut runs = Vec::with_capacity(PARTS * EDGES.len());
        let (mut lasts, mut from) = (1.0, ran);
        for piece in piece_of(ran)..EDGES.len() {
            let Some(until) = EDGES.get(piece + 1) else {
                runs.push((Span::from_seconds(from + 1.0 / self.hazard[piece]), lasts));
                break;
            };
            let begin = from;
            for part in 1..=PARTS {
                let to = begin + (until - begin) * part as f64 / PARTS as f64;
                let goes_on = (begun - self.summed_at(to)).exp();
                runs.push((Span::from_seconds(f64::midpoint(from, to)), lasts - goes_on));
                (lasts, from) = (goes_on, to);
            }
        }
        runs
    }

    /// Returns the mean run time of an hour of work: long tasks count by their length.
    pub fn mean_of_work(&self) -> Span {
        let survives = |seconds: f64| (-self.summed_at(seconds)).exp();
        let (mut first, mut second) = (0.0, 0.0);
        for (piece, begin) in EDGES.iter().enumerate() {
            let (length, share) = match EDGES.get(piece + 1) {
                Some(end) => (f64::midpoint(*begin, *end), survives(*begin) - survives(*end)),
                None => (begin + 1.0 / self.hazard[piece], survives(*begin)),
            };
            first += share * length;
            second += share * length * length;
        }
        Span::from_seconds(second / first)
    }

    fn summed_at(&self, seconds: f64) -> f64 {
        let piece = piece_of(seconds);
        self.summed[piece] + self.hazard[piece] * (seconds - EDGES[piece])
    }
}

fn piece_of(seconds: f64) -> usize {
    EDGES.partition_point(|edge| *edge <= seconds).max(1) - 1
}

fn expose(exposed: &mut [f64; EDGES.len()], run: f64, weight: f64) {
    for (piece, exposed) in exposed.iter_mut().enumerate() {
        let until = EDGES.get(piece + 1).map_or(run, |until| until.min(run));
        if until <= EDGES[piece] {
            return;
        }
        *exposed += weight * (until - EDGES[piece]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn learned(runs: impl IntoIterator<Item = i64>) -> Durations {
        let mut durations = Durations::default();
        for run in runs {
            durations.learn(Span::seconds(run));
        }
        durations
    }

    #[test]
    fn tasks_of_ten_minutes_end_after_eight() {
        let model = learned((0..2000).map(|_| 600)).model([]);
        assert!(model.ends_within(Span::ZERO, Span::minutes(8)) < 0.02);
        assert!(model.ends_within(Span::minutes(8), Span::minutes(7)) > 0.9);
        // The piece from 480 to 900 s has one end in 120 s of exposure, so the mean is 480 s and about 120 s more.
        let mean = model.mean_left(Span::ZERO).as_seconds();
        assert!((560.0..=620.0).contains(&mean), "{mean}");
    }

    #[test]
    fn what_has_run_long_runs_longer_still() {
        let runs = (0..2000).map(|task| if task % 10 == 0 { 7000 } else { 60 });
        let model = learned(runs).model([]);
        let left = |minutes| model.mean_left(Span::minutes(minutes)).as_hours();
        assert!(left(0) < 0.4 && left(10) > 1.2, "{} {}", left(0), left(10));
    }

    #[test]
    fn running_tasks_are_evidence_that_tasks_last() {
        let durations = learned((0..20).map(|_| 60));
        let without = durations.model([]).mean_left(Span::minutes(5));
        let with = durations
            .model(vec![Span::hours(2); 50])
            .mean_left(Span::minutes(5));
        assert!(with > without.scale(4.0), "{with:?} {without:?}");
    }

    #[test]
    fn the_latest_tasks_weigh_most() {
        let model = learned((0..4600).map(|task| if task < 3000 { 5000 } else { 100 })).model([]);
        assert!(model.ends_within(Span::ZERO, Span::minutes(2)) > 0.7);
    }

    proptest! {
        #[test]
        fn chances_are_chances_and_grow_with_time(
            runs in proptest::collection::vec(0i64..1_000_000, 0..60),
            ran in 0i64..1_000_000, within in 0i64..1_000_000, more in 0i64..1_000_000,
        ) {
            let model = learned(runs).model([Span::seconds(ran)]);
            let chance = |within| model.ends_within(Span::seconds(ran), Span::seconds(within));
            prop_assert_eq!(chance(0), 0.0);
            prop_assert!((0.0..=1.0).contains(&chance(within)));
            prop_assert!(chance(within) <= chance(within + more) + 1e-12);
            let mean = model.mean_left(Span::seconds(ran)).as_seconds();
            prop_assert!(mean.is_finite() && mean > 0.0);
            let runs = model.runs_ahead(Span::seconds(ran));
            prop_assert!(runs.iter().all(|(run, chance)| *run >= Span::seconds(ran) && *chance >= 0.0));
            prop_assert!((runs.iter().map(|(_, chance)| chance).sum::<f64>() - 1.0).abs() < 1e-9);
        }

        #[test]
        fn it_comes_back_from_json_bit_by_bit(runs in proptest::collection::vec(0i64..1_000_000, 0..60)) {
            let durations = learned(runs);
            let text = serde_json::to_string(&durations).unwrap();
            prop_assert_eq!(serde_json::from_str::<Durations>(&text).unwrap(), durations);
        }
    }
}
