//! `lowtide backtest`: what a policy would have cost, and how long tasks would have waited.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{ProgressBar, ProgressStyle};

use super::backtest_table::TableOptions;
use super::bound_options::BoundOptions;
use super::exit::{Exit, Failure};
use super::html::HtmlOption;
use super::options::{Output, OutputOption};
use super::pool_options::PoolOptions;
use super::render::visible;
use super::terminal::{Paint, Terminal};
use super::{policies, wiring};
use crate::base::{Mix, Span, Timestamp};
use crate::policy::{Policies, Policy, Prices};
use crate::sim::baseline::UnknownBaseline;
use crate::sim::bound::Ask;
use crate::sim::sweep::Axis;
use crate::sim::workload::{JobShape, ReadOptions, Workload};
use crate::sim::{
    self, Condition, Contender, DelayLimit, NATIVE_INTERVAL, Options, PROGRESS_STEPS, PricePaths, Recorded,
    Report, Run, SpotMarket,
};

/// Run policies on a recorded job log, and compare cost and waits
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The log is SWF, a table with the columns submit_s and run_s, and cores, job and due_s where
they are known, or a table of virtual machines, plain or gzip; or a made-up one:
builtin:ci-day, builtin:ci-week, or
generate:ARRIVALS,TIMES,LENGTH[,slots=N][,due=SPAN][,seed=N] with poisson:60 an hour,
bursty:10/300/2h/15m, daily:5/80 or batch:200/1d, and run times fixed:5m, exp:5m,
lognormal:10m/1.2, weibull:1h/0.6, pareto:10s/1.1/4h.
A spot market is a table with the columns t_s and available, which ends with -1, or with life_s
and end_kind, or it is made up for each seed: Azure's bands of up to 5 and up to 20 % an hour,
evictions an hour that are constant or that differ by night and day, or up-runs and outages by
their median spans. A table of prices has the columns t_s and usd_hourly.
The same log, policies and seeds give the same report, byte for byte but for wallSeconds.")]
pub(super) struct Backtest {
    /// Policies, or directories with *.yaml files; each is one run
    #[arg(required = true, value_name = "POLICY")]
    pub(super) policies: Vec<PathBuf>,
    /// The job log
    #[arg(long, value_name = "FILE")]
    workload: String,
    /// What to compare with: native (the formula as the service runs it, every 15 minutes),
    /// native:5m, peak (always enough nodes), static:N or static:DEDICATED+SPOT; autoscalers of
    /// others: dedicated, low-priority and preempted-to-dedicated (the documented formulas; with
    /// -verbatim as printed), share:S, hpa, nomad, spothedge, uniform-progress (for deadlines; it
    /// is told how long tasks run, as its authors assume); or all of these
    #[arg(long, value_name = "WHAT", value_delimiter = ',', value_parser = parse_baseline)]
    baseline: Vec<Baseline>,
    /// What a job becomes: task (one of one slot), slots:N (one of a slot for N cores), tasks:N (a task for N cores)
    #[arg(long, value_name = "SHAPE", default_value_t, value_parser = str::parse::<JobShape>)]
    jobs: JobShape,
    /// Leave out what was submitted earlier in the log
    #[arg(long, value_name = "SPAN", default_value = "0s")]
    from: Span,
    /// Leave out what was submitted this long after --from
    #[arg(long = "for", value_name = "SPAN")]
    length: Option<Span>,
    /// Leave out jobs that ran longer
    #[arg(long, value_name = "SPAN")]
    longest: Option<Span>,
    #[command(flatten)]
    pool: PoolOptions,
    /// Where spot nodes come from: a file of capacity steps, FILE+FILE for more zones, a file of lifetimes;
    /// az5, az20, constant:RATE, daily:QUIET/BUSY, regimes:UP/DOWN
    #[arg(long, value_name = "MARKET")]
    pub(super) spot: Option<String>,
    /// The share of recorded spot steps, 0 to 1, that runs begin at
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = parse_share, requires = "spot")]
    shift: f64,
    /// Begin seed k another k/N of the recorded spot steps later
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=SEEDS_MAX), requires = "spot")]
    shifts: u64,
    /// What a spot node costs over time: a table of seconds from the start of the log and dollars an hour
    #[arg(long, value_name = "FILE")]
    spot_prices: Option<PathBuf>,
    /// How late a task may end, waits and lost runs together: the longer of a time and a share of its own run
    #[arg(long, value_name = "SPAN/SHARE", default_value = "15m/1", value_parser = str::parse::<DelayLimit>)]
    limit: DelayLimit,
    /// Run every contender once for each seed, from 0 up
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=SEEDS_MAX))]
    seeds: u64,
    /// Run the policies with each of these values at a path, such as `interval=30s,1m` or
    /// `bounds.spot.1=20,40`; again for another path: with all combinations
    #[arg(long, value_name = "PATH=A,B", value_parser = str::parse::<Axis>)]
    pub(super) sweep: Vec<Axis>,
    /// End with exit code 4 when this holds for a policy, such as `p95_wait>10m`, `misses>5%`
    /// or `cost_to_bound>1.2`; in a sweep, when it holds for every setting
    #[arg(long, value_name = "CONDITION", value_delimiter = ',', value_parser = str::parse::<Condition>)]
    pub(super) fail_if: Vec<Condition>,
    #[command(flatten)]
    bound: BoundOptions,
    #[command(flatten)]
    pub(super) tables: TableOptions,
    #[command(flatten)]
    pub(super) html: HtmlOption,
    #[command(flatten)]
    pub(super) output: OutputOption,
}

/// What is to be run.
pub(super) struct Case {
    /// The policies as they stand.
    pub(super) policies: Policies,
    /// The tasks.
    pub(super) workload: Arc<Workload>,
    /// What the runs share.
    pub(super) options: Options,
}

/// More runs than this in one report tell nobody more.
const SEEDS_MAX: u64 = 1000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Baseline {
    Native(Span),
    Peak,
    Static(Mix),
    Other(sim::baseline::Baseline),
    AllOthers,
}

fn parse_share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "write a share from 0 to 1".to_owned())
}

fn parse_baseline(text: &str) -> Result<Baseline, String> {
    let nodes = |text: &str| text.parse::<u32>().ok();
    let parsed = match text.split_once(':') {
        None if text == "native" => Some(Baseline::Native(NATIVE_INTERVAL)),
        None if text == "peak" => Some(Baseline::Peak),
        None if text == "all" => Some(Baseline::AllOthers),
        Some(("native", interval)) => {
            let interval: Span = interval.parse().map_err(|error| format!("{error}"))?;
            // Below, the service answers 400.
            if interval < Span::minutes(5) || interval > Span::hours(168) {
                return Err("the service evaluates every 5 minutes to 168 hours".to_owned());
            }
            Some(Baseline::Native(interval))
        }
        Some(("static", mix)) => {
            let (dedicated, spot) = mix.split_once('+').unwrap_or((mix, "0"));
            nodes(dedicated)
                .zip(nodes(spot))
                .map(|(dedicated, spot)| Baseline::Static(Mix::new(dedicated, spot)))
        }
        _ => {
            let other = text.parse().map_err(|error: UnknownBaseline| {
                format!("{error}; or write native, native:5m, peak, static:2+6 or all")
            })?;
            return Ok(Baseline::Other(other));
        }
    };
    parsed.ok_or_else(|| "write static:8 or static:2+6".to_owned())
}

impl Backtest {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        self.html.checked()?;
        if !self.sweep.is_empty() {
            return self.run_sweep(terminal);
        }
        let mut case = self.case()?;
        let tables = self.tables.begin()?;
        let contenders = self.contenders(&case.policies);
        case.options = self.followed(contenders.len(), case.options);
        let mut report = simulate(&contenders, &case.workload, &case.options)?;
        match self.output.output {
            Output::Json => terminal.json(&report)?,
            Output::Text => print(&case.workload, &report, terminal)?,
        }
        tables.finish(&report.runs, case.workload.start, terminal)?;
        self.write_page(&case, &contenders, &mut report, terminal)?;
        // The runs of the policies come first.
        let n_runs = case.policies.policies.len() * case.options.seeds.len();
        self.judge(&report.runs[..n_runs], terminal)
    }

    /// Reads what is to be run.
    pub(super) fn case(&self) -> Result<Case, Failure> {
        if let Some(condition) = self.fail_if.iter().find(|condition| condition.needs_bound())
            && self.bound.ask() == Ask::No
        {
            return Err(Failure::Usage(format!(
                "{condition} needs the bound; add --bound, or --bound-misses T,W"
            )));
        }
        let policies = policies::read_all(&self.policies)?;
        let workload = Arc::new(wiring::read_workload(&self.workload, &self.read_options())?);
        let options = self.options(&policies, workload.start)?;
        Ok(Case {
            policies,
            workload,
            options,
        })
    }

    /// Says which conditions hold for which runs.
    fn judge(&self, runs: &[Run], terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut exit = Exit::Success;
        for run in runs {
            for condition in &self.fail_if {
                if let Some(found) = condition.holds_for(run) {
                    let (policy, seed) = (visible(&run.policy), run.seed);
                    terminal.say(&format!("failed: {policy} (seed {seed}): {found}, {condition}\n"))?;
                    exit = Exit::Failed;
                }
            }
        }
        Ok(exit)
    }

    const fn read_options(&self) -> ReadOptions {
        ReadOptions {
            shape: self.jobs,
            run_max: self.longest,
            from: self.from,
            length: self.length,
            start: None,
        }
    }

    fn options(&self, policies: &Policies, start: Timestamp) -> Result<Options, Failure> {
        let spot = match &self.spot {
            None => SpotMarket::default(),
            Some(name) => wiring::read_market(name)?,
        };
        let spot = match spot {
            SpotMarket::Recorded(recorded) => SpotMarket::Recorded(Recorded {
                shift: self.shift,
                shifts: self.shifts,
                ..recorded
            }),
            other => other,
        };
        let prices = match &self.spot_prices {
            None => None,
            Some(path) => Some(PricePaths {
                spot: wiring::read_spot_prices(path, start)?,
                ..PricePaths::constant(
                    &policies
                        .policies
                        .first()
                        .map_or_else(Prices::default, |policy| policy.prices),
                )
            }),
        };
        Ok(Options {
            spot,
            prices,
            limit: self.limit,
            setup: self.pool.setup(),
            bound: self.bound.ask(),
            seeds: (0..self.seeds).collect(),
            ..Options::default()
        })
    }

    /// Returns the policies, and the baselines that belong to them.
    fn contenders(&self, policies: &Policies) -> Vec<Contender> {
        let own = policies.policies.iter().cloned().map(Contender::Policy);
        own.chain(self.others(policies)).collect()
    }

    /// Returns what the policies are compared with, at the prices of the first.
    pub(super) fn others(&self, policies: &Policies) -> Vec<Contender> {
        let policies = &policies.policies;
        let mut contenders = Vec::new();
        let Some(prices) = policies.first().map(|policy| policy.prices) else {
            return contenders;
        };
        for baseline in &self.baseline {
            match *baseline {
                Baseline::Native(interval) => {
                    let native = |policy: &Policy| Contender::Native {
                        policy: policy.clone(),
                        interval,
                    };
                    contenders.extend(policies.iter().map(native));
                }
                Baseline::Peak => contenders.push(Contender::Peak { prices }),
                Baseline::Static(mix) => contenders.push(Contender::Static { mix, prices }),
                Baseline::Other(baseline) => contenders.push(Contender::Baseline { baseline, prices }),
                Baseline::AllOthers => contenders.extend(sim::baseline::all(prices)),
            }
        }
        contenders
    }
}

/// Runs the contenders with a progress bar, which draws itself only on a terminal.
pub(super) fn simulate(
    contenders: &[Contender],
    workload: &Arc<Workload>,
    options: &Options,
) -> Result<Report, Failure> {
    let runs = contenders.len() as u64 * options.seeds.len() as u64;
    let bar = ProgressBar::new(PROGRESS_STEPS * runs);
    let style = ProgressStyle::with_template("backtest {wide_bar} {percent:>3} %  {eta} left")
        .expect("the template names what a bar has");
    bar.set_style(style);
    let report = sim::backtest(contenders, workload, options, &|steps| bar.inc(steps));
    bar.finish_and_clear();
    report.map_err(|error| Failure::Usage(error.to_string()))
}

fn print(workload: &Workload, report: &Report, terminal: &mut Terminal) -> io::Result<()> {
    print_workload(workload, terminal)?;
    let (paint, width) = (terminal.paint(), terminal.width());
    let out = terminal.out();
    writeln!(out, "\n{}", visible(&report.to_table(width)).trim_end())?;
    for run in report.runs.iter().take(1) {
        out.write_all(plot(run, paint, width).as_bytes())?;
    }
    Ok(())
}

/// Says what was read of the job log.
pub(super) fn print_workload(workload: &Workload, terminal: &mut Terminal) -> io::Result<()> {
    let paint = terminal.paint();
    let out = terminal.out();
    let summary = format!(
        "{}: {} jobs, {} tasks, {:.0} slot-hours of work",
        visible(&workload.name),
        workload.n_jobs,
        workload.tasks.len(),
        workload.slot_hours()
    );
    writeln!(out, "{}", paint.on(Paint::HEADING, summary))?;
    if workload.left_out.total() > 0 {
        writeln!(out, "left out: {}", workload.left_out)?;
    }
    for note in &workload.notes {
        writeln!(out, "note: {}", visible(note))?;
    }
    Ok(())
}

/// Lines of one band of a plot.
const BAND_LINES: usize = 4;

/// Returns a run's picture below its name, each band in a colour of its own.
pub(super) fn plot(run: &Run, paint: Paint, width: usize) -> String {
    let styles = [Paint::GOOD, Paint::NAME, Paint::CARE];
    let picture = run.to_plot(width);
    let lines = picture.lines().enumerate().map(|(number, line)| {
        let style = styles.get(number / BAND_LINES).copied().unwrap_or(Paint::ASIDE);
        paint.on(style, line) + "\n"
    });
    let name = paint.on(Paint::HEADING, visible(&run.policy));
    format!("\n{name}\n{}", lines.collect::<String>())
}
