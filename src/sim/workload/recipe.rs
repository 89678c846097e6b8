//! Made-up workloads from named distributions: how tasks arrive, how long they run.

use std::fmt;
use std::str::FromStr;

use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use super::{Due, ReadOptions, TASKS_MAX, Task, Workload};
use crate::base::{Span, Timestamp};
use crate::sim::draw::{Times, exponential, spelled};

/// What is made up, task by task.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TaskRecipe {
    /// How tasks arrive.
    pub arrivals: Arrivals,
    /// How long they run; whole seconds, one at the least.
    pub run: Times,
    /// How long they go on arriving.
    pub length: Span,
    /// The slots that each needs, at least 1.
    pub slots: u32,
    /// How long after its submission each is due, if it is.
    pub due: Option<Span>,
    /// The seed of all chance.
    pub seed: u64,
}

/// How tasks arrive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrivals {
    /// Independently, as a Poisson process.
    Poisson {
        /// How many an hour.
        hourly: f64,
    },
    /// In bursts: a Poisson process of one of two rates, by turns without memory (a Markov-modulated Poisson process).
    Bursty {
        /// How many an hour between bursts.
        calm_hourly: f64,
        /// How many an hour in a burst.
        burst_hourly: f64,
        /// How long it is calm, in the mean.
        calm: Span,
        /// How long a burst lasts, in the mean.
        burst: Span,
    },
    /// Many at once, again and again; the first come at once.
    Batch {
        /// How many at a time.
        tasks: u32,
        /// How long it is from one time to the next.
        every: Span,
    },
    /// By the time of day: the rate swings as a sine between 03:00 and 15:00 UTC.
    Daily {
        /// How many an hour at 03:00.
        night_hourly: f64,
        /// How many an hour at 15:00.
        day_hourly: f64,
    },
}

impl TaskRecipe {
    /// Returns the recipe, or says what of it cannot be made.
    ///
    /// # Errors
    /// With a sentence that names the range.
    pub fn checked(self) -> Result<Self, String> {
        self.run.checked()?;
        let most = self.arrivals.most_hourly();
        let expected = most * self.length.as_hours();
        if !self.arrivals.are_sound() || !(0.0..=TASKS_MAX as f64).contains(&expected) {
            return Err(format!(
                "tasks arrive at rates of 0 or more an hour, in bursts of a second or more, and at most {TASKS_MAX} of them \
                 in all; lower the rate or the length"
            ));
        }
        if self.length < Span::minutes(1) || self.length > Span::days(3653) || self.slots == 0 {
            return Err("tasks arrive for a minute to ten years, and need 1 slot or more".to_owned());
        }
        if self
            .due
            .is_some_and(|due| !(Span::seconds(1)..=Span::days(3653)).contains(&due))
        {
            return Err("tasks are due a second to ten years after their submission".to_owned());
        }
        Ok(self)
    }

    /// Makes the workload up; the same recipe gives the same tasks.
    pub fn make(&self) -> Workload {
        let mut chance = Pcg64Mcg::seed_from_u64(self.seed);
        let start = Timestamp::from_unix_seconds(ReadOptions::START_UNIX_SECONDS);
        let end = start + self.length;
        let mut tasks = Vec::new();
        let mut arrivals = Stream::new(self.arrivals, start);
        while let Some(submit) = arrivals.next(end, &mut chance) {
            let seconds = self.run.draw(&mut chance).as_seconds().round().max(1.0);
            tasks.push(Task {
                submit,
                run: Span::from_seconds(seconds),
                slots: self.slots,
                job: None,
                due: self.due.map(Due::after),
            });
        }
        Workload::new(self.to_string(), start, tasks)
    }
}

impl Arrivals {
    fn most_hourly(self) -> f64 {
        match self {
            Self::Poisson { hourly } => hourly,
            Self::Bursty {
                calm_hourly,
                burst_hourly,
                ..
            } => calm_hourly.max(burst_hourly),
            Self::Batch { tasks, every } => f64::from(tasks) / every.as_hours(),
            Self::Daily {
                night_hourly,
                day_hourly,
            } => night_hourly.max(day_hourly),
        }
    }

    fn are_sound(self) -> bool {
        // One a microsecond is more than any log holds.
        let rate = |rate: f64| (0.0..=3.6e9).contains(&rate);
        match self {
            Self::Poisson { hourly } => rate(hourly),
            Self::Bursty {
                calm_hourly,
                burst_hourly,
                calm,
                burst,
            } => {
                let least = Span::seconds(1);
                rate(calm_hourly) && rate(burst_hourly) && calm.min(burst) >= least
            }
            Self::Batch { every, .. } => every >= Span::seconds(1),
            Self::Daily {
                night_hourly,
                day_hourly,
            } => rate(night_hourly) && rate(day_hourly),
        }
    }
}

/// Arrivals one after another: drawn at the highest rate, and kept by the share of the rate at their moment.
struct Stream {
    arrivals: Arrivals,
    at: Timestamp,
    /// In a burst, and until when it is so or calm.
    in_burst: bool,
    turns: Timestamp,
    /// How many have come so far.
    count: u64,
}

impl Stream {
    const fn new(arrivals: Arrivals, start: Timestamp) -> Self {
        Self {
            arrivals,
            at: start,
            // The first turn comes at once, to a calm time.
            in_burst: true,
            turns: start,
            count: 0,
        }
    }

    fn next(&mut self, end: Timestamp, chance: &mut Pcg64Mcg) -> Option<Timestamp> {
        if let Arrivals::Batch { tasks, every } = self.arrivals {
            let is_next = self.count > 0 && self.count.is_multiple_of(u64::from(tasks.max(1)));
            self.at += if is_next { every } else { Span::ZERO };
            self.count += 1;
            return Some(self.at).filter(|at| tasks > 0 && *at < end);
        }
        let most = self.arrivals.most_hourly();
        if most <= 0.0 {
            return None;
        }
        loop {
            self.at += Span::from_seconds(exponential(chance) / most * 3600.0).max(Span::from_ticks(1));
            if self.at >= end {
                return None;
            }
            let rate = self.rate(chance);
            if chance.random::<f64>() * most < rate {
                return Some(self.at);
            }
        }
    }

    fn rate(&mut self, chance: &mut Pcg64Mcg) -> f64 {
        match self.arrivals {
            Arrivals::Poisson { hourly } => hourly,
            // They come by the clock and are not drawn.
            Arrivals::Batch { .. } => self.arrivals.most_hourly(),
            Arrivals::Bursty {
                calm_hourly,
                burst_hourly,
                calm,
                burst,
            } => {
                while self.turns <= self.at {
                    self.in_burst = !self.in_burst;
                    let mean = if self.in_burst { burst } else { calm };
                    self.turns += mean.scale(exponential(chance)).max(Span::from_ticks(1));
                }
                if self.in_burst { burst_hourly } else { calm_hourly }
            }
            Arrivals::Daily {
                night_hourly,
                day_hourly,
            } => {
                let day = Span::days(1).ticks();
                let since_three = (self.at.ticks() - Span::hours(3).ticks()).rem_euclid(day);
                let turn = std::f64::consts::TAU * since_three as f64 / day as f64;
                let share = (1.0 - turn.cos()) / 2.0;
                night_hourly + (day_hourly - night_hourly) * share
            }
        }
    }
}

/// Writes what it reads: `poisson:60,lognormal:10m/1.2,7d`, with `,slots=2`, `,due=10h` and `,seed=3` where they
/// are not 1, never and 0.
impl fmt::Display for TaskRecipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{},{}", self.arrivals, self.run, spelled(self.length))?;
        if self.slots != 1 {
            write!(f, ",slots={}", self.slots)?;
        }
        if let Some(due) = self.due {
            write!(f, ",due={}", spelled(due))?;
        }
        if self.seed != 0 {
            write!(f, ",seed={}", self.seed)?;
        }
        Ok(())
    }
}

/// Writes `poisson:60`, `bursty:10/300/2h/15m` (rates and mean spans, calm first), `daily:5/80` (rates by night and by day),
/// `batch:200/1d` (so many at once, so often).
impl fmt::Display for Arrivals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Poisson { hourly } => write!(f, "poisson:{hourly}"),
            Self::Bursty {
                calm_hourly,
                burst_hourly,
                calm,
                burst,
            } => {
                let (calm, burst) = (spelled(*calm), spelled(*burst));
                write!(f, "bursty:{calm_hourly}/{burst_hourly}/{calm}/{burst}")
            }
            Self::Batch { tasks, every } => write!(f, "batch:{tasks}/{}", spelled(*every)),
            Self::Daily {
                night_hourly,
                day_hourly,
            } => write!(f, "daily:{night_hourly}/{day_hourly}"),
        }
    }
}

/// Reads what [`Arrivals`] writes.
impl FromStr for Arrivals {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        let words: Vec<&str> = rest.split('/').collect();
        let number = |index: usize| words.get(index).and_then(|word| word.parse::<f64>().ok());
        let span = |index: usize| words.get(index).and_then(|word| word.parse::<Span>().ok());
        let (arrivals, n_words) = match name {
            "poisson" => (number(0).map(|hourly| Self::Poisson { hourly }), 1),
            "bursty" => {
                let rates = number(0).zip(number(1));
                let spans = span(2).zip(span(3));
                let bursty = rates
                    .zip(spans)
                    .map(|((calm_hourly, burst_hourly), (calm, burst))| Self::Bursty {
                        calm_hourly,
                        burst_hourly,
                        calm,
                        burst,
                    });
                (bursty, 4)
            }
            "batch" => {
                let tasks = words.first().and_then(|word| word.parse().ok());
                (
                    tasks
                        .zip(span(1))
                        .map(|(tasks, every)| Self::Batch { tasks, every }),
                    2,
                )
            }
            "daily" => {
                let rates = number(0).zip(number(1));
                let daily = rates.map(|(night_hourly, day_hourly)| Self::Daily {
                    night_hourly,
                    day_hourly,
                });
                (daily, 2)
            }
            _ => (None, words.len()),
        };
        arrivals.filter(|_| words.len() == n_words).ok_or_else(|| {
            format!(
                "`{text}` is no way to arrive; write poisson:60 (an hour), bursty:10/300/2h/15m (calm and burst rates, calm \
                 and burst spans), daily:5/80 (by night and by day) or batch:200/1d (so many at once, so often)"
            )
        })
    }
}

/// Reads what [`TaskRecipe`] writes.
impl FromStr for TaskRecipe {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::trim);
        let (Some(arrivals), Some(run), Some(length)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(
                "write arrivals, run times and length, such as poisson:60,lognormal:10m/1.2,7d".to_owned(),
            );
        };
        let mut recipe = Self {
            arrivals: arrivals.parse()?,
            run: run.parse()?,
            length: length.parse().map_err(|error| format!("{error}"))?,
            slots: 1,
            due: None,
            seed: 0,
        };
        for part in parts {
            let whole = |number: &str| number.parse::<u64>().ok();
            match part.split_once('=') {
                Some(("seed", seed)) => recipe.seed = whole(seed).ok_or_else(|| not_whole(part))?,
                Some(("slots", slots)) => {
                    recipe.slots = slots.parse().map_err(|_| not_whole(part))?;
                }
                Some(("due", due)) => {
                    recipe.due = Some(due.parse().map_err(|error| format!("{error}"))?);
                }
                _ => return Err(format!("`{part}` is neither slots=N, due=SPAN nor seed=N")),
            }
        }
        recipe.checked()
    }
}

fn not_whole(part: &str) -> String {
    format!("`{part}` does not name a whole number")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn make(text: &str) -> Workload {
        text.parse::<TaskRecipe>().unwrap().make()
    }

    fn hourly(workload: &Workload, hours: std::ops::Range<i64>) -> f64 {
        let within = |task: &&Task| {
            let hour = (task.submit - workload.start).as_hours();
            hours.contains(&(hour as i64))
        };
        workload.tasks.iter().filter(within).count() as f64 / (hours.end - hours.start) as f64
    }

    #[test]
    fn rates_and_run_times_are_those_of_the_recipe() {
        let poisson = make("poisson:100,exp:5m,30d,seed=3");
        let whole = hourly(&poisson, 0..720);
        assert!((whole / 100.0 - 1.0).abs() < 0.02, "{whole}");
        let mean = poisson.slot_hours() / poisson.tasks.len() as f64;
        assert!((mean * 12.0 - 1.0).abs() < 0.03, "{mean}");
        // Two hours of 10 and a quarter of an hour of 300 are 95 in 2.25 hours.
        let bursty = make("bursty:10/300/2h/15m,fixed:1m,200d");
        let whole = hourly(&bursty, 0..4800);
        assert!((whole / (95.0 / 2.25) - 1.0).abs() < 0.1, "{whole}");
        // More is apart from the mean than Poisson: the variance of counts an hour is many times their mean.
        let counts: Vec<f64> = (0..4800).map(|hour| hourly(&bursty, hour..hour + 1)).collect();
        let variance = counts.iter().map(|count| (count - whole).powi(2)).sum::<f64>() / 4800.0;
        assert!(variance > 10.0 * whole, "{variance}");
        let daily = make("daily:5/80,fixed:1m,60d");
        let of_day = |hour: i64| {
            let days = (0..60).map(|day| hourly(&daily, 24 * day + hour..24 * day + hour + 1));
            days.sum::<f64>() / 60.0
        };
        assert!(
            of_day(3) < 10.0 && of_day(15) > 70.0,
            "{} {}",
            of_day(3),
            of_day(15)
        );
    }

    #[test]
    fn a_recipe_reads_what_it_writes_and_gives_the_same_tasks() {
        for text in [
            "poisson:60,lognormal:10m/1.2,7d",
            "bursty:10/300/2h/15m,pareto:10s/1.1/4h,1d,slots=2,seed=7",
            "daily:5/80,weibull:1h/0.6,2d",
            "batch:200/1d,fixed:30m,3d,due=10h",
        ] {
            let recipe: TaskRecipe = text.parse().unwrap();
            assert_eq!(recipe.to_string().parse::<TaskRecipe>(), Ok(recipe));
            assert_eq!(recipe.make(), recipe.make());
            assert!(recipe.make().tasks.is_sorted_by_key(|task| task.submit));
        }
        assert_ne!(
            make("poisson:60,exp:5m,1d").tasks,
            make("poisson:60,exp:5m,1d,seed=1").tasks
        );
    }

    #[test]
    fn a_batch_comes_at_once_and_is_due_after_its_time() {
        let batch = make("batch:200/1d,fixed:30m,3d,due=10h");
        assert_eq!((batch.tasks.len(), hourly(&batch, 24..25)), (600, 200.0));
        let due = batch.tasks[200].due_at().unwrap();
        assert_eq!(due - batch.start, Span::hours(34));
    }

    #[test]
    fn what_cannot_be_made_is_refused_with_a_way_out() {
        for (text, expected) in [
            ("poisson:60", "write arrivals"),
            ("poisson,exp:5m,1d", "no way to arrive"),
            ("poisson:60,exp,1d", "no distribution"),
            ("poisson:-1,exp:5m,1d", "rates of 0 or more"),
            ("poisson:1e9,exp:5m,1d", "at most 5000000"),
            ("poisson:NaN,exp:5m,1d", "rates of 0 or more"),
            ("bursty:1/2/0s/1m,exp:5m,1d", "bursts of a second"),
            ("poisson:60,exp:5m,1s", "a minute to ten years"),
            ("poisson:60,exp:5m,1d,slots=0", "1 slot or more"),
            ("poisson:60,exp:5m,1d,seed=x", "whole number"),
            ("poisson:60,exp:5m,1d,cores=2", "neither"),
            ("poisson:60,exp:5m,1d,due=0s", "due a second"),
            ("batch:9999999/1h,exp:5m,1d", "at most 5000000"),
            ("batch:9/0s,exp:5m,1d", "at most 5000000"),
        ] {
            let error = text.parse::<TaskRecipe>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
