//! When spot machines can be had: units of capacity that go up and down, recorded or drawn.
//!
//! A recorded trace tells how many of its few units could be held at a time. A pool of any size is mapped on them: every
//! node sits on a unit, a unit that goes down takes all its nodes with it, and new nodes go to units that are up. That keeps
//! the shocks that hit a whole pool as well as partial losses.

use super::Lives;
use crate::base::{Diagnostic, Span, Timestamp};
use crate::market::recorded::{FAULTS_MAX, NO_LIFE, Step, WRONG_ROW};

/// A recorded trace of spot capacity, from zero on.
#[derive(Clone, Debug, PartialEq)]
pub struct SupplyTrace {
    /// What it is called in reports.
    pub name: String,
    /// The up-runs of each unit, as spans from the start of the trace; in order, apart and not empty.
    units: Vec<Vec<(Span, Span)>>,
    length: Span,
}

/// When the units of a spot market are up, laid out over the time of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// What it is called in reports.
    pub name: String,
    units: Vec<Vec<UpRun>>,
    /// Where the telling ends: what is up there goes on as it is.
    end: Option<Timestamp>,
    /// How long machines last by themselves.
    lives: Option<Lives>,
}

/// A time through which a unit is up: from the first instant, up to and without the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UpRun {
    /// When it comes up.
    pub from: Timestamp,
    /// When it goes down, and its nodes with it.
    pub until: Timestamp,
}

impl SupplyTrace {
    /// The most units that a trace may count: the largest recorded fleet that is known here has 80.
    pub const UNITS_MAX: u32 = 1000;

    /// The shortest trace: below a minute there is nothing to be learned, and laying it over months would take forever.
    pub const LENGTH_MIN: Span = Span::minutes(1);

    /// Returns the trace of steps that begin at rising moments and end with the recording. Unit *k* of the trace is up while at
    /// least *k* units are available.
    ///
    /// # Errors
    /// When it tells of more units than can be simulated, or of none, or of less than a minute.
    pub fn of_steps(name: &str, steps: &[Step]) -> Result<Self, Vec<Diagnostic>> {
        let at = |step: &Step| step.place.0..step.place.1;
        let beyond: Vec<_> = steps
            .iter()
            .filter(|step| step.units.is_some_and(|units| units > Self::UNITS_MAX))
            .map(|step| {
                let message = format!("no more than {} units can be simulated", Self::UNITS_MAX);
                let help = "count shares of the most, such as thousandths";
                Diagnostic::error(WRONG_ROW, at(step), message).help(help)
            })
            .take(FAULTS_MAX)
            .collect();
        if !beyond.is_empty() {
            return Err(beyond);
        }
        let end = steps.last().expect("a recording has an end");
        let of_no_use =
            |message: &str, help: &str| Err(vec![Diagnostic::error(NO_LIFE, at(end), message).help(help)]);
        let length = end.at;
        if length < Self::LENGTH_MIN {
            return of_no_use(
                "the recording is shorter than a minute",
                "count `t_s` in seconds, and record for a minute or more",
            );
        }
        let most = steps.iter().filter_map(|step| step.units).max().unwrap_or(0);
        if most == 0 {
            return of_no_use(
                "not one unit is ever up",
                "leave the market out and bound spot nodes to none, or record for longer",
            );
        }
        let mut units = vec![Vec::new(); most as usize];
        let mut up_since: Vec<Option<Span>> = vec![None; most as usize];
        for Step { at, units: up, .. } in steps.iter().copied() {
            let available = up.unwrap_or(0);
            for ((unit, since), runs) in (0..).zip(&mut up_since).zip(&mut units) {
                let up = unit < available;
                match (*since, up) {
                    (None, true) => *since = Some(at),
                    (Some(from), false) => {
                        runs.push((from, at));
                        *since = None;
                    }
                    _ => {}
                }
            }
        }
        Ok(Self {
            name: name.to_owned(),
            units,
            length,
        })
    }

    /// Returns the units of several traces side by side, as zones that a pool spreads over; each keeps its own length.
    pub fn beside(traces: &[Self], start: Timestamp, end: Timestamp, shift: f64) -> Supply {
        let names: Vec<_> = traces.iter().map(|trace| trace.name.as_str()).collect();
        Supply {
            name: names.join("+"),
            units: traces
                .iter()
                .flat_map(|trace| trace.laid_out(start, end, shift).units)
                .collect(),
            end: Some(end),
            lives: None,
        }
    }

    /// Returns how long the trace is.
    pub const fn length(&self) -> Span {
        self.length
    }

    /// Returns the up-runs of each unit, from the start of the trace.
    pub fn units(&self) -> &[Vec<(Span, Span)>] {
        &self.units
    }

    /// Lays the trace over a run, again and again until the run ends; `shift` is the share of the trace, 0 to 1, that it
    /// begins at. A unit that is up at the end of the trace and at its start stays up across the seam.
    pub fn laid_out(&self, start: Timestamp, end: Timestamp, shift: f64) -> Supply {
        let offset = Span::from_ticks((self.length.ticks() as f64 * shift.clamp(0.0, 1.0)) as i64);
        let lay = |runs: &Vec<(Span, Span)>| {
            let mut laid: Vec<UpRun> = Vec::new();
            let mut zero = start - offset;
            while zero < end {
                for (from, until) in runs {
                    let run = UpRun {
                        from: (zero + *from).max(start),
                        until: (zero + *until).min(end),
                    };
                    match laid.last_mut() {
                        _ if run.from >= run.until => {}
                        Some(last) if last.until == run.from => last.until = run.until,
                        _ => laid.push(run),
                    }
                }
                zero += self.length;
            }
            laid
        };
        Supply {
            name: self.name.clone(),
            units: self.units.iter().map(lay).collect(),
            end: Some(end),
            lives: None,
        }
    }
}

impl Supply {
    /// Returns a supply from the up-runs of its units, each in order and apart; a unit whose last run is over stays down.
    pub fn new(name: impl Into<String>, units: Vec<Vec<UpRun>>) -> Self {
        debug_assert!(units.iter().all(|runs| {
            runs.iter().all(|run| run.from < run.until)
                && runs.windows(2).all(|pair| pair[0].until < pair[1].from)
        }));
        Self {
            name: name.into(),
            units,
            end: None,
            lives: None,
        }
    }

    /// Returns the supply as one whose machines also go by themselves.
    #[must_use]
    pub fn with_lives(mut self, lives: Lives) -> Self {
        self.lives = Some(lives);
        self
    }

    /// Returns how long machines last by themselves; `None` when they go with their units only.
    pub const fn lives(&self) -> Option<&Lives> {
        self.lives.as_ref()
    }

    /// Returns the supply as one that tells nothing from a moment on: units that are up there stay up.
    #[must_use]
    pub fn told_until(mut self, end: Timestamp) -> Self {
        self.end = Some(end);
        self
    }

    /// Returns where the telling ends, if it does.
    pub const fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Returns one unit that is always up.
    pub fn always(start: Timestamp, end: Timestamp) -> Self {
        Self::new(
            "always",
            vec![vec![UpRun {
                from: start,
                until: end,
            }]],
        )
        .told_until(end)
    }

    /// Returns the up-runs of each unit.
    pub fn units(&self) -> &[Vec<UpRun>] {
        &self.units
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::recorded::{Rows, read_rows};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_seconds(second)
    }

    fn runs(supply: &Supply) -> Vec<Vec<(f64, f64)>> {
        let seconds = |run: &UpRun| (run.from.unix_seconds(), run.until.unix_seconds());
        supply
            .units()
            .iter()
            .map(|unit| unit.iter().map(seconds).collect())
            .collect()
    }

    fn read(text: &str) -> Result<SupplyTrace, Vec<Diagnostic>> {
        let Rows::Steps(steps) = read_rows(text, None)? else {
            panic!("other format")
        };
        SupplyTrace::of_steps("t", &steps)
    }

    #[test]
    fn unit_k_is_up_while_k_are_available_and_the_trace_goes_round() {
        let trace = read("t_s,available\n0,2\n10,0\n30,1\n60,2\n100,-1\n").unwrap();
        let supply = trace.laid_out(at(0), at(200), 0.0);
        assert_eq!(
            runs(&supply),
            [
                // Up at the end and at the start: one run across the seam.
                vec![(0.0, 10.0), (30.0, 110.0), (130.0, 200.0)],
                vec![(0.0, 10.0), (60.0, 110.0), (160.0, 200.0)],
            ]
        );
        // Of several rows for one second the last counts.
        let again = "t_s,available\n0,1\n0,2\n10,5\n10,0\n30,1\n60,2\n100,0\n100,-1\n";
        assert_eq!(read(again).unwrap(), trace);
        let shifted = trace.laid_out(at(1000), at(1100), 0.5);
        assert_eq!(runs(&shifted)[0], [(1000.0, 1060.0), (1080.0, 1100.0)]);
    }

    #[test]
    fn a_trace_that_cannot_be_simulated_says_where_and_what_to_do() {
        for (text, place, expected) in [
            (
                "t_s,available\n0,9999\n90,-1\n",
                "9999",
                "no more than 1000 units",
            ),
            ("t_s,available\n0,0\n90,-1", "-1", "not one unit"),
            ("t_s,available\n0,1\n9,-1", "-1", "shorter than a minute"),
        ] {
            let faults = read(text).unwrap_err();
            assert!(faults[0].message.contains(expected), "{text:?}: {faults:?}");
            assert_eq!(&text[faults[0].span.clone()], place);
            assert!(faults[0].help.is_some());
        }
    }
}
