//! When spot machines can be had: units of capacity that go up and down, recorded or drawn.
//!
//! A recorded trace tells how many of its few units could be held at a time. A pool of any size is mapped on them: every
//! node sits on a unit, a unit that goes down takes all its nodes with it, and new nodes go to units that are up. That keeps
//! the shocks that hit a whole pool as well as partial losses.

use super::Lives;
use crate::base::{Span, Timestamp};

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

/// Says why a trace of spot capacity cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}; {help}", .line.map(|line| format!("line {line}: ")).unwrap_or_default())]
pub struct SupplyError {
    /// The line, from 1, where one is to blame.
    pub line: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub help: String,
}

impl SupplyTrace {
    /// The most units that a trace may count: the largest recorded fleet that is known here has 80.
    pub const UNITS_MAX: i64 = 1000;

    /// The shortest trace: below a minute there is nothing to be learned, and laying it over months would take forever.
    pub const LENGTH_MIN: Span = Span::minutes(1);

    /// Reads capacity steps: a header `t_s,available`, one row for each change, and a last row with `available` -1 at the
    /// end of the trace; of rows for one second the last counts. Unit *k* of the trace is up while at least *k* units are available.
    ///
    /// # Errors
    /// With the first line that is not such a row, and when nothing is recorded.
    pub fn read_steps(name: &str, text: &str) -> Result<Self, SupplyError> {
        let wrong = |line: usize, message: String| SupplyError {
            line: Some(line),
            message,
            help: "rows are `seconds,units` in order of time, the last one `seconds,-1`".to_owned(),
        };
        let mut lines = text.lines().zip(1..);
        match lines.next() {
            Some((header, _)) if header.trim() == "t_s,available" => {}
            _ => return Err(wrong(1, "the header `t_s,available` is missing".to_owned())),
        }
        let mut steps: Vec<(Span, i64)> = Vec::new();
        for (line, number) in lines.filter(|(line, _)| !line.trim().is_empty()) {
            let row = line.split_once(',').and_then(|(at, units)| {
                Some((at.trim().parse::<f64>().ok()?, units.trim().parse::<i64>().ok()?))
            });
            let Some((seconds, units)) = row.filter(|(at, _)| (0.0..=1e9).contains(at)) else {
                return Err(wrong(number, format!("`{line}` is no step of capacity")));
            };
            let at = Span::from_seconds(seconds);
            if steps
                .last()
                .is_some_and(|(before, last)| *before > at || *last < 0)
            {
                return Err(wrong(
                    number,
                    format!("`{line}` is earlier than the row before it, or behind the end"),
                ));
            }
            if !(-1..=Self::UNITS_MAX).contains(&units) {
                return Err(wrong(number, format!("{units} units cannot be simulated")));
            }
            if steps.last().is_some_and(|(before, _)| *before == at) {
                steps.pop();
            }
            steps.push((at, units));
        }
        let nothing = |message: &str| SupplyError {
            line: None,
            message: message.to_owned(),
            help: "give a trace with a row of capacity and a last row `seconds,-1`".to_owned(),
        };
        let Some((length, -1)) = steps.last().copied() else {
            return Err(nothing("the trace does not say when it ends"));
        };
        if length < Self::LENGTH_MIN {
            return Err(nothing("the trace is shorter than a minute"));
        }
        let most = steps.iter().map(|(_, units)| *units).max().unwrap_or(0);
        if most < 1 {
            return Err(nothing("not one unit is ever up"));
        }
        let mut units = vec![Vec::new(); most as usize];
        let mut up_since: Vec<Option<Span>> = vec![None; most as usize];
        for (at, available) in steps {
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

    #[test]
    fn unit_k_is_up_while_k_are_available_and_the_trace_goes_round() {
        let trace = SupplyTrace::read_steps("t", "t_s,available\n0,2\n10,0\n30,1\n60,2\n100,-1\n").unwrap();
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
        assert_eq!(SupplyTrace::read_steps("t", again).unwrap(), trace);
        let shifted = trace.laid_out(at(1000), at(1100), 0.5);
        assert_eq!(runs(&shifted)[0], [(1000.0, 1060.0), (1080.0, 1100.0)]);
    }

    #[test]
    fn a_trace_that_cannot_be_read_says_where_and_what_to_do() {
        for (text, expected) in [
            ("", "line 1: the header"),
            ("t_s,available\n0,x\n", "line 2: `0,x` is no step"),
            ("t_s,available\n5,1\n0,2\n9,-1", "line 3: `0,2` is earlier"),
            ("t_s,available\n0,1\n9,-1\n12,3", "line 4: `12,3` is earlier"),
            ("t_s,available\n0,9999\n", "line 2: 9999 units"),
            ("t_s,available\n0,1\n", "does not say when it ends"),
            ("t_s,available\n0,0\n90,-1", "not one unit"),
            ("t_s,available\n0,1\n9,-1", "shorter than a minute"),
        ] {
            let error = SupplyTrace::read_steps("t", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?}: {error}");
        }
    }
}
