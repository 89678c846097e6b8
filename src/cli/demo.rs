//! `lowtide demo`: what a user gets, on a workload that comes with the program; every number is computed while it runs.

use std::io::{self, Write};
use std::net::SocketAddr;

use super::demo_live::LiveDemo;
use super::exit::{Exit, Failure, Source};
use super::options::{Output, OutputOption};
use super::terminal::{Paint, Terminal};
use super::{backtest, demo_moment, evaluation, plan, render, trace};
use crate::base::{Lane, Span};
use crate::formula::{self, Formula};
use crate::sim::{Contender, Report, Run, demo};

/// Show what this program does: an account that is steered through a day of builds and spot storms, live
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Live, a local account, tasks that come, spot storms and the sidecar run in this process, over real
sockets of this machine. A browser gets the sidecar's dashboard at the address that is told; what
changes something there needs the token beside it. Keys: q quits, space pauses the chosen pool, s
takes all spot machines away, arrows choose, enter explains. Where there is no terminal, lines tell
what happens.
With --once a formula is checked, a decision explained and a day simulated from a fixed seed;
nothing is read, written or sent anywhere.")]
pub(super) struct Demo {
    /// Check a formula, explain a decision, simulate a day, and end
    #[arg(long)]
    once: bool,
    /// How many times as fast as the wall's the account's clock runs
    #[arg(long, value_name = "N", default_value_t = 60.0, value_parser = parse_speed, conflicts_with = "once")]
    speed: f64,
    /// For how long it runs; until somebody ends it on a terminal, 2m otherwise
    #[arg(long = "for", value_name = "TIME", conflicts_with = "once")]
    lasts: Option<Span>,
    /// Where the sidecar answers, and browsers get its dashboard; port 0 is any that is free
    #[arg(
        long,
        value_name = "ADDR",
        default_value = "127.0.0.1:0",
        conflicts_with = "once"
    )]
    listen: SocketAddr,
    /// The seed of the tasks that come
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "once")]
    seed: u64,
    #[command(flatten)]
    output: OutputOption,
}

fn parse_speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed| (1.0..=600.0).contains(speed));
    speed.ok_or_else(|| "write a number from 1 to 600".to_owned())
}

/// Findings shown of the copied formula; the rest is counted.
const FINDINGS_SHOWN: usize = 2;

impl Demo {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        if !self.once {
            let live = LiveDemo {
                speed: self.speed,
                seed: self.seed,
                lasts: self.lasts,
                listen: self.listen,
            };
            return live.run(terminal);
        }
        let contenders = demo::contenders();
        let (workload, options) = (demo::workload(), demo::options());
        let report = backtest::simulate(&contenders, &workload, &options)?;
        if self.output.output == Output::Json {
            terminal.json(&report)?;
            return Ok(Exit::Success);
        }
        heading(terminal, "1", "A formula that everybody copies, checked")?;
        if let Some(Contender::Native { policy, .. }) = contenders.first() {
            let (_, demand) = policy.formulas().next().expect("the demo's policy is a formula");
            check(&demand.formula, terminal)?;
        }
        heading(terminal, "2", "One decision of a policy instead, step by step")?;
        decision(terminal)?;
        heading(
            terminal,
            "3",
            "The same day under each of them, and under a pool that is always on",
        )?;
        comparison(&report, terminal)?;
        heading(terminal, "4", "Next")?;
        next(terminal)?;
        Ok(Exit::Success)
    }
}

fn heading(terminal: &mut Terminal, number: &str, text: &str) -> io::Result<()> {
    let (paint, width) = (terminal.paint(), terminal.width());
    let line = format!("━━ {number} · {text} ");
    let rest = "━".repeat(width.min(100).saturating_sub(line.chars().count()));
    let gap = if number == "1" { "" } else { "\n" };
    writeln!(
        terminal.out(),
        "{gap}{}\n",
        paint.on(Paint::NAME.bold(), line + &rest)
    )
}

fn check(formula: &Formula, terminal: &mut Terminal) -> io::Result<()> {
    let (paint, mut look) = (terminal.paint(), terminal.look());
    look.colored = paint.colored;
    let source = Source::new("copied.formula", formula.source().to_owned());
    let mut findings = evaluation::diagnostics(formula);
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    // What costs nodes is worth more of the reader's time than what is not documented.
    findings.sort_by_key(|finding| finding.code.0.starts_with("F3"));
    let (shown, rest) = findings.split_at(FINDINGS_SHOWN.min(findings.len()));
    let out = terminal.out();
    for (number, line) in (1..).zip(formula.source().lines()) {
        writeln!(out, "{}  {line}", paint.on(Paint::ASIDE, format!("{number:>3}")))?;
    }
    writeln!(out, "\n{}", render::text(&source, shown, look).trim_end())?;
    if !rest.is_empty() {
        writeln!(out, "\n{} more by `lowtide check`", rest.len())?;
    }
    let ranges = formula::target_ranges(formula);
    let range = ranges.get(Lane::Dedicated);
    writeln!(
        out,
        "\nproven: {} is {range}",
        paint.on(Paint::NAME, "$TargetDedicatedNodes")
    )
}

fn decision(terminal: &mut Terminal) -> io::Result<()> {
    let (paint, width) = (terminal.paint(), terminal.width());
    let Some(moment) = demo_moment::find() else {
        return Ok(());
    };
    let out = terminal.out();
    writeln!(
        out,
        "The pool as the policy saw it, and what came of its formula:\n"
    )?;
    let text = trace::text(moment.formula.source(), &moment.trace, paint, width);
    write!(out, "{text}\n{}", plan::text(&moment.decision, paint))
}

fn comparison(report: &Report, terminal: &mut Terminal) -> io::Result<()> {
    let (paint, width) = (terminal.paint(), terminal.width());
    let out = terminal.out();
    writeln!(out, "{}", report.to_table(width).trim_end())?;
    for run in report.runs.iter().take(2) {
        out.write_all(backtest::plot(run, paint, width).as_bytes())?;
    }
    if let [copied, own, ..] = &report.runs[..] {
        writeln!(out, "\n{}", paint.on(Paint::HEADING, verdict(copied, own)))?;
    }
    Ok(())
}

fn verdict(copied: &Run, own: &Run) -> String {
    let saved = 100.0 * (1.0 - own.cost.total.0 / copied.cost.total.0);
    let (word, share) = if saved < 0.0 {
        ("more", -saved)
    } else {
        ("less", saved)
    };
    let minutes = |seconds: f64| (seconds / 60.0).round();
    format!(
        "The policy costs {share:.0} % {word} ({} instead of {}), and 19 of 20 builds start within\n\
         {} minutes instead of {}.",
        own.cost.total,
        copied.cost.total,
        minutes(own.wait.p95),
        minutes(copied.wait.p95)
    )
}

fn next(terminal: &mut Terminal) -> io::Result<()> {
    let paint = terminal.paint();
    let steps = [
        (
            "lowtide check policies/",
            "what is wrong with formulas and policies",
        ),
        (
            "lowtide eval my.formula --inputs inputs.json --trace",
            "what the service would answer, and why",
        ),
        (
            "lowtide backtest policies/ci-agents.yaml --workload builtin:ci-week",
            "a week, or a log of your own",
        ),
        ("lowtide reference formula", "the language on one page"),
    ];
    for (command, what) in steps {
        writeln!(
            terminal.out(),
            "  {}\n      {what}",
            paint.on(Paint::GOOD, command)
        )?;
    }
    Ok(())
}
