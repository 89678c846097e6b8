//! `lowtide backtest --html`: the runs as a page.

use super::backtest::{Backtest, Case};
use super::exit::Failure;
use super::html::command_line;
use super::terminal::Terminal;
use crate::page::{self, Asked, FOLLOW, RUNS_MAX};
use crate::sim::sweep::SweepReport;
use crate::sim::{self, Contender, Options, Report, Run};

/// Columns of the table for those who let no script run: room for all that it has.
const PLAIN_COLUMNS: usize = 400;

impl Backtest {
    /// Has the runs followed that a page shows, where there are so few that it shows all of them.
    pub(super) fn followed(&self, n_contenders: usize, options: Options) -> Options {
        let n_runs = n_contenders * options.seeds.len();
        Options {
            follow: (self.html.is_wanted() && n_runs <= RUNS_MAX).then_some(FOLLOW),
            ..options
        }
    }

    /// Writes the page of a backtest, if one is wanted.
    pub(super) fn write_page(
        &self,
        case: &Case,
        contenders: &[Contender],
        report: &mut Report,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        if !self.html.is_wanted() {
            return Ok(());
        }
        let everybody: Vec<usize> = (0..contenders.len()).collect();
        let wanted = page::wanted(&everybody, case.options.seeds.len());
        follow(
            case,
            contenders,
            &wanted,
            &mut report.runs.iter_mut().collect::<Vec<_>>(),
        )?;
        let data = page::of_report(&self.asked(case, contenders), report);
        self.html.write(&data, &report.to_table(PLAIN_COLUMNS), terminal)
    }

    /// Writes the page of a sweep, if one is wanted.
    pub(super) fn write_sweep_page(
        &self,
        case: &Case,
        contenders: &[Contender],
        sweep: &mut SweepReport,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        if !self.html.is_wanted() {
            return Ok(());
        }
        let n_seeds = case.options.seeds.len();
        let wanted = page::wanted(&page::ranked(sweep, n_seeds), n_seeds);
        let swept = sweep.points.iter_mut().flat_map(|point| &mut point.runs);
        let mut runs: Vec<&mut Run> = swept.chain(&mut sweep.others).collect();
        follow(case, contenders, &wanted, &mut runs)?;
        let data = page::of_sweep(&self.asked(case, contenders), sweep);
        self.html.write(&data, &sweep.to_table(), terminal)
    }

    fn asked<'a>(&'a self, case: &'a Case, contenders: &'a [Contender]) -> Asked<'a> {
        Asked {
            command: command_line(),
            contenders,
            workload: &case.workload,
            options: &case.options,
            spot: self.spot.clone(),
            sweep: self
                .sweep
                .iter()
                .map(|axis| format!("{}={}", axis.path, axis.values.join(",")))
                .collect(),
        }
    }
}

/// Runs once more what is to be shown in depth and was not followed.
fn follow(
    case: &Case,
    contenders: &[Contender],
    wanted: &[usize],
    runs: &mut [&mut Run],
) -> Result<(), Failure> {
    let n_seeds = case.options.seeds.len();
    let missing = wanted.iter().copied().filter(|run| runs[*run].followed.is_none());
    let missing: Vec<usize> = missing.collect();
    let options = Options {
        follow: Some(FOLLOW),
        bound: sim::bound::Ask::No,
        ..case.options.clone()
    };
    let picked: Vec<_> = missing
        .iter()
        .map(|run| (run / n_seeds, options.seeds[run % n_seeds]))
        .collect();
    let found = sim::follow(contenders, &case.workload, &options, &picked);
    let found = found.map_err(|error| Failure::Usage(error.to_string()))?;
    for (run, followed) in missing.into_iter().zip(found) {
        runs[run].followed = followed;
    }
    Ok(())
}
