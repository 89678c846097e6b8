//! `lowtide swarm`: the sidecar through random worlds with faults in every call, for as long as asked, on every core.

use std::io::Write as _;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::exit::{Exit, Failure};
use super::render::counted;
use super::terminal::Terminal;
use crate::base::Span;
use crate::swarm::{Found, Ground, Law, Plan, Tally, Without, run, run_again, shrink};

/// Run the sidecar through random worlds with faults in every call, and check what must always hold
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each seed is a world: policies, pools, tasks, a spot market, people, and what goes wrong. Engine,
client and emulated account are the real ones, in one process, by a clock that leaps; with
`--ground pools` the engine alone, on simulated pools, several times as fast. What breaks a law is
told with its seed and the command that shows it again, and the exit code is 4 then. Laws are total,
chain, line, order, foreign, blind, thin, bounds, shares, replay, memory, bill, rest and same;
`--plant` breaks one on purpose. Nothing leaves the process.")]
pub(super) struct Swarm {
    /// The worlds to run, such as 0..1000; from 0 on when left out
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with = "seed")]
    seeds: Option<Range<u64>>,
    /// How long to go on, such as 10m; until the seeds are through when left out, or for a minute without seeds
    #[arg(long = "for", value_name = "SPAN", conflicts_with = "seed")]
    lasts: Option<Span>,
    /// One world alone
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The hours before calm, instead of what the seed says
    #[arg(long, value_name = "N")]
    hours: Option<u32>,
    /// Kinds of faults that shall not happen, such as torn,late; all for none
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    without: Vec<Without>,
    /// What the engine stands on: the client and an emulated account, or simulated pools alone, where days pass in a second
    #[arg(
        long,
        value_name = "account|pools",
        default_value = "account",
        hide_default_value = true
    )]
    ground: Ground,
    /// Break a law on purpose, to see that it is found, such as replay
    #[arg(long, value_name = "LAW")]
    plant: Option<Law>,
    /// Tell everything that happens in the world
    #[arg(long, requires = "seed")]
    trace: bool,
    /// Worlds at the same time; as many as there are cores when left out
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

/// Tries to make a world that breaks a law smaller; each is at most as long as the world.
const SHRINK_TRIES: u32 = 40;
/// One world in so many is lived twice, which must come to the same.
const AGAIN_EVERY: u64 = 16;
/// Worlds that break a law before the search is given up: more of them rarely say more.
const FOUND_MAX: usize = 10;

/// What all cores together have come to.
#[derive(Default)]
struct Sum {
    tally: Tally,
    found: Vec<Found>,
}

impl Swarm {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let began = Instant::now();
        let sum = match self.seed {
            Some(seed) => self.one(seed),
            None => self.many(),
        };
        let out = terminal.out();
        for found in &sum.found {
            writeln!(out, "{found}\n")?;
        }
        write!(out, "{}", told(&sum, began.elapsed()))?;
        Ok(if sum.found.is_empty() {
            Exit::Success
        } else {
            Exit::Failed
        })
    }

    fn plan(&self, seed: u64) -> Plan {
        Plan {
            seed,
            ground: self.ground,
            hours: self.hours,
            without: Without(self.without.iter().flat_map(|kinds| kinds.0.clone()).collect()),
            plant: self.plant,
        }
    }

    fn one(&self, seed: u64) -> Sum {
        let trace: Option<crate::swarm::Trace> = self.trace.then(|| {
            let tell: crate::swarm::Trace = Arc::new(|line: &str| {
                // Nobody listens when it cannot be written.
                let _ = writeln!(std::io::stdout(), "{line}");
            });
            tell
        });
        let plan = self.plan(seed);
        let (tally, mut found) = run(&plan, trace);
        if found.is_none() && !self.trace {
            found = run_again(&plan, &tally);
        }
        let found = found.map(|found| if self.trace { found } else { self.smaller(found) });
        Sum {
            tally,
            found: found.into_iter().collect(),
        }
    }

    /// Runs a world among many, and makes it smaller when it breaks a law.
    fn search(&self, seed: u64) -> (Tally, Option<Found>) {
        let plan = self.plan(seed);
        let (tally, mut found) = run(&plan, None);
        if found.is_none() && seed.is_multiple_of(AGAIN_EVERY) {
            found = run_again(&plan, &tally);
        }
        let found = found.map(|found| {
            // The search for a smaller world takes a while, and may not be waited for.
            progress(&format!("{found}"));
            self.smaller(found)
        });
        (tally, found)
    }

    /// Looks for a smaller world that breaks the same law; what was planted is known.
    fn smaller(&self, found: Found) -> Found {
        if self.plant.is_some() {
            found
        } else {
            shrink(found, SHRINK_TRIES)
        }
    }

    fn many(&self) -> Sum {
        let seeds = self.seeds.clone().unwrap_or(0..u64::MAX);
        let lasts = match (self.lasts, &self.seeds) {
            (Some(lasts), _) => Some(lasts),
            (None, None) => Some(Span::minutes(1)),
            (None, Some(_)) => None,
        };
        let until = lasts.map(|lasts| Instant::now() + Duration::from_secs_f64(lasts.as_seconds().max(0.0)));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (next, done) = (AtomicU64::new(seeds.start), AtomicBool::new(false));
        let sum = Mutex::new(Sum::default());
        std::thread::scope(|scope| {
            for _ in 0..self.jobs.unwrap_or(cores).max(1) {
                scope.spawn(|| {
                    while !done.load(Ordering::Relaxed) && until.is_none_or(|until| Instant::now() < until) {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= seeds.end {
                            return;
                        }
                        let (tally, found) = self.search(seed);
                        let mut sum = sum.lock().unwrap_or_else(PoisonError::into_inner);
                        sum.tally += &tally;
                        sum.found.extend(found);
                        done.fetch_or(sum.found.len() >= FOUND_MAX, Ordering::Relaxed);
                    }
                });
            }
        });
        sum.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells on standard error what is found while the search goes on.
fn progress(line: &str) {
    // Nobody listens when it cannot be written.
    let _ = writeln!(std::io::stderr(), "{line}");
}

fn told(sum: &Sum, took: Duration) -> String {
    let tally = &sum.tally;
    let mut text = format!(
        "{}, {:.2} simulated years in {:.0} s, {:.0} hours a second\n\
         {}, {} ({} blind), {} ({}), {} ({} refused), {}\n\
         {} from a ledger, {} MiB of ledgers replayed to the same bytes, {} looks at pools in the calm\n",
        counted(tally.worlds, "world"),
        tally.years(),
        took.as_secs_f64(),
        tally.simulated.as_hours() / took.as_secs_f64().max(0.001),
        counted(tally.calls, "call"),
        counted(tally.looks, "look"),
        tally.blind,
        counted(tally.decisions, "decision"),
        counted(tally.holds, "hold"),
        counted(tally.orders, "order"),
        tally.refused,
        counted(tally.tasks, "task"),
        counted(tally.restarts, "start"),
        tally.ledger_bytes >> 20,
        tally.rested,
    );
    let faults: u64 = tally.faults.values().sum();
    let kinds: Vec<_> = tally
        .faults
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    if faults > 0 {
        text += &format!("{}: {}\n", counted(faults, "fault"), kinds.join(", "));
    }
    text += &match sum.found.len() {
        0 => "no law was broken\n".to_owned(),
        1 => "1 world breaks a law\n".to_owned(),
        n => format!("{n} worlds break a law\n"),
    };
    text
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(from, to)| {
        let from = from.trim().parse().ok()?;
        let to = to.trim().parse().ok()?;
        (from < to).then_some(from..to)
    });
    parsed.ok_or_else(|| format!("`{text}` is no range of seeds; write it like 0..1000"))
}
