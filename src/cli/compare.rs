//! `lowtide compare`: contenders over every workload on every spot market, in one table.

mod found;
mod markdown;
mod names;
mod page;
mod show;

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use super::bound_options::parse_tolerance;
use super::exit::{Exit, Failure};
use super::fault_options::FaultOptions;
use super::html::HtmlOption;
use super::options::{Form, OutputOption};
use super::policies;
use super::terminal::Terminal;
use crate::base::Span;
use crate::market::Checkpoint;
use crate::policy::Prices;
use crate::sim::baseline::{self, Baseline, Text, UnknownBaseline};
use crate::sim::bound::{Ask, Tolerance};
use crate::sim::cluster::{Boot, Setup};
use crate::sim::compare::{Case, Terms, compare};
use crate::sim::workload::ReadOptions;
use crate::sim::{Contender, Options, Recorded, SpotMarket};

/// Run policies on every workload and every spot market, in one table
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each case is a workload on a market at a price with a seed. Pools are those of the reference study: nodes are
granted at once, boot for four minutes, billed, at most 600 of a lane. A task may end a quarter of an hour, or
its own run time, later than at once; where tasks are due at known times (a due_s column, due= of a made-up
workload, or the deadlines of the first policy that has some) none may end later. A dedicated node costs 1, so that costs are hours of a dedicated node.
The last contender is always the baseline `dedicated`, by which cases are told that can be met at all.

`-o markdown` writes a table about the first policy, a row for each workload on each market with all prices in it; \
further policies are columns beside it, as all other contenders are. Below the table stands what each comes to, \
every case in which something else is cheaper and keeps to the limit, and every one in which the policy breaks it \
where `dedicated` does not.")]
pub(super) struct Compare {
    /// Policies, or directories with *.yaml files
    #[arg(required = true, value_name = "POLICY")]
    policies: Vec<PathBuf>,
    /// Job logs, or directories with *.swf or *.csv files, gzip or not; builtin:ci-day, builtin:ci-week, generate:… as for backtest
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    workloads: Vec<PathBuf>,
    /// Spot markets: files, FILE+FILE for zones side by side, directories, az5, az20 and others that are made up
    #[arg(long, required = true, num_args = 1.., value_name = "FILE")]
    spots: Vec<PathBuf>,
    /// The price of spot as a share of the price of dedicated; several with commas
    #[arg(long, value_name = "SHARE", value_delimiter = ',', default_value = "0.2", value_parser = parse_ratio)]
    price_ratio: Vec<f64>,
    /// Leave out what was submitted earlier in a log
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    from: Span,
    /// Leave out what was submitted this long after --from
    #[arg(long = "for", value_name = "SPAN")]
    length: Option<Span>,
    /// Leave out jobs that ran longer
    #[arg(long, value_name = "SPAN", default_value = "4h")]
    longest: Span,
    /// Task slots of a node, such as surf=1,lcg=4 by a part of the log's name; otherwise 4 where every job holds one core, 1
    /// where a job holds more
    #[arg(long, value_name = "NAME=N", value_delimiter = ',', value_parser = found::parse_slots)]
    slots: Vec<(String, u32)>,
    /// How long a node boots, billed
    #[arg(long, value_name = "SPAN", default_value = "4m")]
    boot: Span,
    /// Tasks save their work this often, in no time, and go on from there when they lose their node
    #[arg(long, value_name = "SPAN")]
    checkpoint: Option<Span>,
    /// At how many parts of a recorded market runs begin
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    shifts: u64,
    /// How many seeds each of these is run with
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100))]
    seeds: u64,
    /// What may be late: shares of the tasks and of the work
    #[arg(long, value_name = "T,W", default_value = "5%,10%", value_parser = parse_tolerance)]
    misses: Tolerance,
    /// What to compare with, as for backtest: all, or names of autoscalers of others, such as spothedge
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = parse_baseline)]
    baselines: Vec<Which>,
    /// Set costs against the bound with hindsight, without misses and with those that may be
    #[arg(long)]
    bound: bool,
    /// The contender that all bills and missed deadlines are held against, such as uniform-progress
    #[arg(long, value_name = "NAME")]
    against: Option<String>,
    #[command(flatten)]
    faults: FaultOptions,
    #[command(flatten)]
    html: HtmlOption,
    #[command(flatten)]
    output: OutputOption<CompareOutput>,
}

/// Which autoscalers of others take part.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Which {
    All,
    One(Baseline),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum CompareOutput {
    #[default]
    Text,
    Json,
    Csv,
    Markdown,
}

impl Form for CompareOutput {
    const HELP: &'static str =
        "How to write the result: text, json, csv or markdown (a table about the first policy)";
}

impl Compare {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        self.html.checked()?;
        let policies = policies::read_all(&self.policies)?.policies;
        let mut contenders: Vec<_> = policies.into_iter().map(Contender::Policy).collect();
        contenders.extend(self.others());
        let mut notes = Vec::new();
        let cases = self.cases(&mut notes)?;
        for note in &notes {
            terminal.say(&format!("note: {note}\n"))?;
        }
        let bar = ProgressBar::new(cases.len() as u64);
        let style = ProgressStyle::with_template("compare {wide_bar} {pos} of {len} cases  {eta} left")
            .expect("the template names what a bar has");
        bar.set_style(style);
        let terms = Terms {
            tolerance: self.misses,
            against: self.against(&contenders)?,
        };
        let comparison = compare(&contenders, &cases, terms, &|| bar.inc(1));
        bar.finish_and_clear();
        let comparison = comparison.map_err(|error| Failure::Usage(error.to_string()))?;
        match self.output.output {
            CompareOutput::Text => show::text(&comparison, terminal)?,
            CompareOutput::Json => terminal.json(&comparison)?,
            CompareOutput::Csv => show::csv(&comparison, terminal)?,
            CompareOutput::Markdown => markdown::write(&comparison, terms, terminal)?,
        }
        self.write_page((&contenders, &cases), notes, &comparison, terminal)?;
        Ok(Exit::Success)
    }

    /// Returns the place of the contender that the others are held against.
    fn against(&self, contenders: &[Contender]) -> Result<Option<usize>, Failure> {
        let Some(name) = &self.against else {
            return Ok(None);
        };
        let place = contenders.iter().position(|contender| contender.name() == *name);
        let names = || {
            contenders
                .iter()
                .map(Contender::name)
                .collect::<Vec<_>>()
                .join(", ")
        };
        let unknown = || Failure::Usage(format!("no contender is called `{name}`; there are {}", names()));
        place.map(Some).ok_or_else(unknown)
    }

    /// Returns the baselines, without the one that is the reference, and that at the end.
    fn others(&self) -> Vec<Contender> {
        let prices = Prices::default();
        let mut others = Vec::new();
        for which in &self.baselines {
            match which {
                Which::All => others.extend(baseline::all(prices)),
                Which::One(baseline) => others.push(Contender::Baseline {
                    baseline: *baseline,
                    prices,
                }),
            }
        }
        let reference = Contender::Baseline {
            baseline: Baseline::Dedicated(Text::ForSlots),
            prices,
        };
        others.retain(|other| other.name() != reference.name());
        others.push(reference);
        others
    }

    /// Returns which jobs of a log are read.
    fn part(&self) -> ReadOptions {
        ReadOptions {
            run_max: Some(self.longest),
            from: self.from,
            length: self.length,
            ..ReadOptions::default()
        }
    }

    fn cases(&self, notes: &mut Vec<String>) -> Result<Vec<Case>, Failure> {
        let workloads = found::workloads(&self.workloads, &self.part(), &self.slots, notes)?;
        let markets = found::markets(&self.spots, notes)?;
        let mut cases = Vec::new();
        for (workload, slots) in &workloads {
            for market in &markets {
                for price_ratio in &self.price_ratio {
                    for seed in 0..self.shifts * self.seeds {
                        let options = self.options(market.clone(), *slots, seed);
                        cases.push(Case {
                            workload: Arc::clone(workload),
                            options,
                            price_ratio: *price_ratio,
                        });
                    }
                }
            }
        }
        Ok(cases)
    }

    fn options(&self, market: SpotMarket, slots: u32, seed: u64) -> Options {
        let spot = match market {
            SpotMarket::Recorded(recorded) => SpotMarket::Recorded(Recorded {
                shifts: self.shifts,
                ..recorded
            }),
            other => other,
        };
        Options {
            setup: self.faults.add_to(Setup {
                task_slots_per_node: slots,
                boot: Boot::Fixed(self.boot),
                checkpoint: self.checkpoint.map(|every| Checkpoint {
                    every,
                    cost: Span::ZERO,
                    restart: Span::ZERO,
                }),
                ..Setup::study()
            }),
            spot,
            bound: if self.bound { Ask::AllOnTime } else { Ask::No },
            seeds: vec![seed],
            ..Options::default()
        }
    }
}

fn parse_baseline(name: &str) -> Result<Which, String> {
    if name == "all" {
        return Ok(Which::All);
    }
    let baseline = name.parse().map_err(|error: UnknownBaseline| error.to_string())?;
    Ok(Which::One(baseline))
}

fn parse_ratio(text: &str) -> Result<f64, String> {
    let ratio = text.parse().ok().filter(|ratio| (0.0..=10.0).contains(ratio));
    ratio.ok_or_else(|| "write a number from 0 to 10, such as 0.2".to_owned())
}
