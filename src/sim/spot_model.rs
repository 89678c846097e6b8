//! Made-up spot markets: regimes with outages that hit many machines at once, and a market that follows the clock.

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::draw::{Times, exponential};
use super::{Lives, Supply, UpRun};
use crate::base::{Span, Timestamp};

/// How a spot market is made up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SpotModel {
    /// Machines can always be had and go one by one, with the same chance at any age.
    Constant {
        /// Evictions of a machine in an hour.
        per_hour: f64,
    },
    /// The whole market is up, then hit, then up again.
    Regimes(Regimes),
    /// Units that fail independently, more often by day.
    Daily(Daily),
}

/// A market that is hit as a whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Regimes {
    /// The units of the market, 1 to [`SpotModel::UNITS_MAX`].
    pub units: u32,
    /// From the end of an outage to the next.
    pub up: Times,
    /// How long an outage lasts.
    pub down: Times,
    /// The chance, 0 to 1, that an outage hits some units and not all: any number of them, equally likely.
    pub partial: f64,
    /// Evictions of a machine in an hour by itself.
    pub per_hour: f64,
}

/// A market that follows the clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Daily {
    /// The units of the market, 1 to [`SpotModel::UNITS_MAX`].
    pub units: u32,
    /// How often a unit goes down in an hour of the night, at weekends all day.
    pub quiet_per_hour: f64,
    /// How often it does between 08:00 and 20:00 UTC of a working day.
    pub busy_per_hour: f64,
    /// How long it stays down.
    pub down: Times,
}

/// Ten units tell shocks of a tenth of the market apart.
const UNITS: u32 = 10;

/// Units that fail by themselves: each holds a fortieth of a fleet.
const DAILY_UNITS: u32 = 40;

impl SpotModel {
    /// As many as a recorded trace may have.
    pub const UNITS_MAX: u32 = 1000;

    /// Azure's band of 0 to 5 % evictions an hour: every machine by itself at the middle of the band, and a shock every other
    /// day; outages of an hour in the mean, half of them of a part of the market. The spread of outages is that of recorded
    /// processor markets, whose mean is 1.6 to 2.6 times the median.
    pub fn azure_5() -> Self {
        Self::azure(0.025, Span::hours(48))
    }

    /// Azure's band of 15 to 20 % evictions an hour, with a shock twice a day.
    pub fn azure_20() -> Self {
        Self::azure(0.15, Span::hours(12))
    }

    fn azure(per_hour: f64, shocks: Span) -> Self {
        let sigma: f64 = 1.2;
        Self::Regimes(Regimes {
            units: UNITS,
            up: Times::Exponential { mean: shocks },
            down: Times::LogNormal {
                median: Span::hours(1).scale((-sigma * sigma / 2.0).exp()),
                sigma,
            },
            partial: 0.5,
            per_hour,
        })
    }

    /// A market that is up and down by turns, all of it, by the medians of both. The spreads are those of recorded markets:
    /// the mean of up-runs is about five times the median, that of outages three times.
    pub fn regimes(up: Span, down: Span) -> Self {
        Self::Regimes(Regimes {
            units: UNITS,
            up: Times::LogNormal {
                median: up,
                sigma: 1.8,
            },
            down: Times::LogNormal {
                median: down,
                sigma: 1.5,
            },
            partial: 0.0,
            per_hour: 0.0,
        })
    }

    /// A market of units that fail more often by day, for 20 minutes in the median.
    pub fn daily(quiet_per_hour: f64, busy_per_hour: f64) -> Self {
        Self::Daily(Daily {
            units: DAILY_UNITS,
            quiet_per_hour,
            busy_per_hour,
            down: Times::LogNormal {
                median: Span::minutes(20),
                sigma: 1.2,
            },
        })
    }

    /// Returns the model, or says what cannot be drawn.
    ///
    /// # Errors
    /// With a sentence that names the range.
    pub fn checked(self) -> Result<Self, String> {
        // One in a second: a machine that lasts less is of no use.
        let rate = |rate: f64| (0.0..=3600.0).contains(&rate);
        let units = |units: u32| (1..=Self::UNITS_MAX).contains(&units);
        let fine = match self {
            Self::Constant { per_hour } => rate(per_hour),
            Self::Regimes(Regimes {
                units: n,
                up,
                down,
                partial,
                per_hour,
            }) => {
                up.checked()?;
                down.checked()?;
                // Turns of a second on the average are as many as a run of ten years can hold.
                rate(per_hour)
                    && units(n)
                    && (0.0..=1.0).contains(&partial)
                    && up.mean() + down.mean() >= Span::seconds(1)
            }
            Self::Daily(daily) => {
                daily.down.checked()?;
                rate(daily.quiet_per_hour) && rate(daily.busy_per_hour) && units(daily.units)
            }
        };
        if fine {
            Ok(self)
        } else {
            Err(
                "evictions must lie between 0 and 3600 in an hour, units between 1 and 1000, up-runs and outages together \
                 last a second or more"
                    .to_owned(),
            )
        }
    }

    /// Draws the market of a run; the same seed gives the same market.
    pub fn draw(&self, name: &str, start: Timestamp, end: Timestamp, seed: u64) -> Supply {
        // The pool draws from the seed itself.
        let mut chance = Pcg64Mcg::seed_from_u64(seed ^ 0x5b07_5b07_5b07_5b07);
        let (units, per_hour) = match self {
            Self::Constant { per_hour } => (
                vec![vec![UpRun {
                    from: start,
                    until: end,
                }]],
                *per_hour,
            ),
            Self::Regimes(regimes) => (regimes.draw(start, end, &mut chance), regimes.per_hour),
            Self::Daily(daily) => (
                (0..daily.units)
                    .map(|_| daily.draw_unit(start, end, &mut chance))
                    .collect(),
                0.0,
            ),
        };
        let supply = Supply::new(name, units).told_until(end);
        if per_hour > 0.0 {
            supply.with_lives(Lives::Constant { per_hour })
        } else {
            supply
        }
    }
}

impl Regimes {
    fn draw(&self, start: Timestamp, end: Timestamp, chance: &mut Pcg64Mcg) -> Vec<Vec<UpRun>> {
        let mut units = vec![Unit::new(start); self.units as usize];
        let mut at = start;
        while at < end {
            let from = at + self.up.draw(chance);
            let until = from + self.down.draw(chance);
            let is_partial = self.units > 1 && chance.random::<f64>() < self.partial;
            let n_hit = if is_partial {
                chance.random_range(1..self.units)
            } else {
                self.units
            };
            // Any units, but one after another, so that which of them are hit is chance too.
            let first = chance.random_range(0..self.units);
            for hit in 0..n_hit {
                units[((first + hit) % self.units) as usize].goes_down(from.min(end), until.min(end));
            }
            at = until.max(at + Span::from_ticks(1));
        }
        units.into_iter().map(|unit| unit.over(end)).collect()
    }
}

impl Daily {
    /// Draws failures at the higher of both rates, and takes those of the lower rate by their share.
    fn draw_unit(&self, start: Timestamp, end: Timestamp, chance: &mut Pcg64Mcg) -> Vec<UpRun> {
        let most = self.quiet_per_hour.max(self.busy_per_hour);
        let mut unit = Unit::new(start);
        let mut at = start;
        while at < end && most > 0.0 {
            at += Span::from_seconds(exponential(chance) / most * 3600.0).max(Span::from_ticks(1));
            let rate = if is_busy(at) {
                self.busy_per_hour
            } else {
                self.quiet_per_hour
            };
            if chance.random::<f64>() * most < rate && at < end {
                let until = at + self.down.draw(chance);
                unit.goes_down(at, until.min(end));
                at = until;
            }
        }
        unit.over(end)
    }
}

/// Monday is 1, as the service counts.
fn is_busy(at: Timestamp) -> bool {
    (1..=5).contains(&at.weekday()) && (8..20).contains(&at.hour())
}

/// The up-runs of one unit so far.
#[derive(Clone, Debug)]
struct Unit {
    runs: Vec<UpRun>,
    up_since: Timestamp,
}

impl Unit {
    const fn new(start: Timestamp) -> Self {
        Self {
            runs: Vec::new(),
            up_since: start,
        }
    }

    fn goes_down(&mut self, from: Timestamp, until: Timestamp) {
        if from >= until {
            return;
        }
        if self.up_since < from {
            self.runs.push(UpRun {
                from: self.up_since,
                until: from,
            });
        }
        self.up_since = until;
    }

    fn over(mut self, end: Timestamp) -> Vec<UpRun> {
        if self.up_since < end {
            self.runs.push(UpRun {
                from: self.up_since,
                until: end,
            });
        }
        self.runs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_unix_seconds(1_704_067_200 + 3600 * hour)
    }

    fn up_hours(supply: &Supply) -> f64 {
        let runs = supply.units().iter().flatten();
        let hours: f64 = runs.map(|run| (run.until - run.from).as_hours()).sum();
        hours / supply.units().len() as f64
    }

    #[test]
    fn azures_bands_have_their_shocks_and_outages() {
        for (model, between) in [(SpotModel::azure_5(), 48.0), (SpotModel::azure_20(), 12.0)] {
            let years = 40_000;
            let supply = model.draw("m", at(0), at(years), 1);
            let hours = years as f64;
            // Of each cycle of up-run and outage an hour is down, for three units of four: a partial outage hits half.
            let expected = hours * (1.0 - 0.75 / (between + 1.0));
            assert!((up_hours(&supply) / expected - 1.0).abs() < 0.02);
            let ends = supply.units().iter().map(Vec::len).sum::<usize>() as f64 / 10.0;
            assert!(
                (ends / (hours * 0.75 / (between + 1.0)) - 1.0).abs() < 0.15,
                "{ends}"
            );
            assert!(supply.lives().is_some());
        }
    }

    #[test]
    fn a_daily_market_fails_by_day() {
        let supply = SpotModel::daily(0.01, 0.2).draw("m", at(0), at(24 * 7 * 20), 3);
        let downs = supply.units().iter().flatten().map(|run| run.until);
        let (busy, quiet): (Vec<_>, Vec<_>) = downs.partition(|at| is_busy(*at));
        let (busy, quiet) = (busy.len() as f64, quiet.len() as f64);
        // 60 busy hours of a week against 108 quiet ones, in 40 units and 20 weeks, less the time that units are down.
        assert!((busy / (0.2 * 60.0 * 800.0) - 1.0).abs() < 0.15, "{busy}");
        assert!((quiet / (0.01 * 108.0 * 800.0) - 1.0).abs() < 0.2, "{quiet}");
    }

    #[test]
    fn a_seed_gives_one_market_and_runs_are_in_order_and_apart() {
        for model in [
            SpotModel::regimes(Span::hours(1), Span::minutes(30)),
            SpotModel::daily(0.1, 1.0),
            SpotModel::Constant { per_hour: 0.05 },
        ] {
            let draw = |seed| model.checked().unwrap().draw("m", at(0), at(500), seed);
            assert_eq!(draw(1), draw(1));
            for unit in draw(1).units() {
                assert!(
                    unit.iter()
                        .all(|run| run.from < run.until && run.until <= at(500))
                );
                assert!(unit.windows(2).all(|pair| pair[0].until < pair[1].from));
            }
        }
        assert!(SpotModel::Constant { per_hour: f64::NAN }.checked().is_err());
        assert!(SpotModel::daily(-1.0, 1.0).checked().is_err());
    }
}
