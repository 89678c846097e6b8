//! The command line: one file per verb, and `wiring`, the one place that names concrete parts.
//!
//! Data goes to standard output, progress and diagnostics to standard error. A verb gives an `Exit`; whatever
//! keeps it from doing its work is an `Failure`, printed here, once.

mod account_options;
mod bound_options;
mod diff;
mod evaluation;
mod exit;
mod fault_options;
mod files;
mod html;
mod jsonl;
mod ledger_option;
mod live;
mod many;
mod options;
mod policies;
mod pool_options;
mod render;
mod server_options;
mod table_file;
mod terminal;
mod trace;
mod wiring;
mod wrap;

mod apply;
mod backtest;
mod backtest_html;
mod backtest_sweep;
mod backtest_table;
mod check;
mod compare;
mod completions;
mod configured;
mod demo;
mod demo_live;
mod demo_moment;
mod difference;
mod doctor;
mod emulate;
mod eval;
mod eviction;
mod explain;
mod fmt;
mod import;
mod ledger;
mod ledger_table;
mod lsp;
mod man;
mod pause;
mod plan;
mod record;
mod reference;
mod replay_log;
mod report;
mod report_html;
mod report_table;
mod schema;
mod serve;
mod signal_options;
mod status;
mod swarm;
mod test;
mod tune;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use exit::{Exit, Failure};
use options::Color;
use terminal::Terminal;

/// Autoscaling of node pools: checks, evaluates and backtests Azure Batch autoscale formulas.
#[derive(Debug, Parser)]
#[command(name = "lowtide", version, max_term_width = 100, after_help = AFTER_HELP)]
struct CommandLine {
    /// When to use colour; `auto` looks at the terminal and at `NO_COLOR`
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        hide_possible_values = true
    )]
    color: Color,
    #[command(subcommand)]
    verb: Verb,
}

const AFTER_HELP: &str = "\
Exit codes: 0 success, 1 error, 2 differences, 3 warnings (check --deny-warnings),
4 a failed assertion (test), condition (backtest), proof (tune) or run (replay-log), something that
is wrong (doctor; 3 for warnings), 64 wrong usage.";

#[derive(Debug, Subcommand)]
enum Verb {
    Check(check::Check),
    Fmt(fmt::Fmt),
    Eval(eval::Eval),
    Test(test::Test),
    Plan(plan::Plan),
    Apply(apply::Apply),
    Explain(explain::Explain),
    Report(report::Report),
    Record(record::Record),
    Ledger(ledger::Ledger),
    Backtest(Box<backtest::Backtest>),
    Compare(compare::Compare),
    Eviction(eviction::Eviction),
    Tune(Box<tune::Tune>),
    Diff(difference::Diff),
    Doctor(doctor::Doctor),
    Import(import::Import),
    ReplayLog(replay_log::ReplayLog),
    Pause(pause::Pause),
    Resume(pause::Resume),
    Status(status::Status),
    Demo(demo::Demo),
    Emulate(emulate::Emulate),
    Serve(serve::Serve),
    Swarm(swarm::Swarm),
    Lsp(lsp::Lsp),
    Schema(schema::Schema),
    Reference(reference::Reference),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Verb {
    fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match self {
            Self::Check(verb) => verb.run(terminal),
            Self::Fmt(verb) => verb.run(terminal),
            Self::Eval(verb) => verb.run(terminal),
            Self::Test(verb) => verb.run(terminal),
            Self::Plan(verb) => verb.run(terminal),
            Self::Apply(verb) => verb.run(terminal),
            Self::Explain(verb) => verb.run(terminal),
            Self::Report(verb) => verb.run(terminal),
            Self::Record(verb) => verb.run(terminal),
            Self::Ledger(verb) => verb.run(terminal),
            Self::Backtest(verb) => verb.run(terminal),
            Self::Compare(verb) => verb.run(terminal),
            Self::Eviction(verb) => verb.run(terminal),
            Self::Tune(verb) => verb.run(terminal),
            Self::Diff(verb) => verb.run(terminal),
            Self::Doctor(verb) => verb.run(terminal),
            Self::Import(verb) => verb.run(terminal),
            Self::ReplayLog(verb) => verb.run(terminal),
            Self::Pause(verb) => verb.run(terminal),
            Self::Resume(verb) => verb.run(terminal),
            Self::Status(verb) => verb.run(terminal),
            Self::Demo(verb) => verb.run(terminal),
            Self::Emulate(verb) => verb.run(terminal),
            Self::Serve(verb) => verb.run(terminal),
            Self::Swarm(verb) => verb.run(terminal),
            Self::Lsp(verb) => verb.run(terminal),
            Self::Schema(verb) => verb.run(terminal),
            Self::Reference(verb) => verb.run(terminal),
            Self::Completions(verb) => verb.run(terminal),
            Self::Man(verb) => verb.run(terminal),
        }
    }
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    exit::explain_panics();
    let arguments = std::env::args_os().collect();
    // A mistake of ours has been explained by then, and is an error like any other to a script.
    std::panic::catch_unwind(|| run(arguments))
        .unwrap_or(Exit::Error)
        .into()
}

/// Returns the description of the whole command line, for completions and the manual page.
fn command() -> clap::Command {
    CommandLine::command()
}

fn run(arguments: Vec<OsString>) -> Exit {
    let command = command().color(clap_color(&arguments));
    let parsed = command
        .try_get_matches_from(arguments)
        .and_then(|matches| CommandLine::from_arg_matches(&matches));
    let line = match parsed {
        Ok(line) => line,
        Err(error) => {
            // Help and version are answers, and go to standard output; nobody listens when printing fails.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
        }
    };
    let mut terminal = Terminal::new(line.color);
    let outcome = line.verb.run(&mut terminal);
    exit::conclude(outcome, &mut terminal)
}

/// Help and usage errors are printed before `--color` is parsed, so it is looked for by hand.
fn clap_color(arguments: &[OsString]) -> ColorChoice {
    let words: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    let says = |choice: &str| {
        words.contains(&format!("--color={choice}").as_str())
            || words.windows(2).any(|pair| pair == ["--color", choice])
    };
    if says("never") {
        ColorChoice::Never
    } else if says("always") {
        ColorChoice::Always
    } else {
        ColorChoice::Auto
    }
}

#[cfg(test)]
mod tests {
    use super::command;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }
}
