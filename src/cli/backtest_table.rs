//! `lowtide backtest --table` and `--hours`: the runs, and the hours of each, as tables for notebooks.

use std::rc::Rc;

use super::exit::Failure;
use super::table_file::{Column, Table, TablePath, count};
use super::terminal::Terminal;
use crate::base::{Span, Timestamp, Usd};
use crate::sim::Run;
use crate::sim::sweep::SweepReport;

/// `--table` and `--hours`.
#[derive(Debug, clap::Args)]
pub(super) struct TableOptions {
    /// Also write a row for each run to FILE.csv or FILE.parquet, for notebooks
    #[arg(long, value_name = "FILE", value_parser = str::parse::<TablePath>)]
    table: Option<TablePath>,
    /// Also write a row for each hour of each run
    #[arg(long, value_name = "FILE", value_parser = str::parse::<TablePath>)]
    hours: Option<TablePath>,
}

/// The tables that were asked for, begun before the runs, so that a file that cannot be written is told at once.
pub(super) struct Tables {
    runs: Option<Table<RunRow>>,
    hours: Option<Table<HourRow>>,
}

/// A run, and what a sweep has set for it.
struct RunRow {
    run: Run,
    setting: Option<String>,
}

/// An hour of a run.
struct HourRow {
    told: Rc<RunRow>,
    index: usize,
    at: Timestamp,
}

impl TableOptions {
    /// Says the way out where a verb that shares the options of a backtest writes no tables.
    pub(super) fn refuse_in(&self, verb: &str) -> Result<(), Failure> {
        if self.table.is_none() && self.hours.is_none() {
            return Ok(());
        }
        Err(Failure::Usage(format!(
            "{verb} writes no tables; run the setting that it names with `lowtide backtest --table`"
        )))
    }

    /// Begins the tables that are wanted.
    pub(super) fn begin(&self) -> Result<Tables, Failure> {
        let runs = self.table.as_ref().map(|path| Table::begin(path, run_columns()));
        let hours = self.hours.as_ref().map(|path| Table::begin(path, hour_columns()));
        Ok(Tables {
            runs: runs.transpose()?,
            hours: hours.transpose()?,
        })
    }
}

impl Tables {
    /// Writes runs that began at a moment.
    pub(super) fn finish(
        mut self,
        runs: &[Run],
        start: Timestamp,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        runs.iter().try_for_each(|run| self.add(run, None, start))?;
        self.end(terminal)
    }

    /// Writes the runs of a sweep, each with what was set.
    pub(super) fn finish_sweep(
        mut self,
        report: &SweepReport,
        start: Timestamp,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        for point in &report.points {
            let set = point.set.iter().map(|(path, value)| format!("{path}={value}"));
            let setting = set.collect::<Vec<_>>().join(" ");
            for run in &point.runs {
                self.add(run, Some(&setting), start)?;
            }
        }
        self.finish(&report.others, start, terminal)
    }

    fn add(&mut self, run: &Run, setting: Option<&str>, start: Timestamp) -> Result<(), Failure> {
        let told = Rc::new(RunRow {
            run: run.clone(),
            setting: setting.map(str::to_owned),
        });
        if let Some(table) = &mut self.runs {
            table.row(&told)?;
        }
        if let Some(table) = &mut self.hours {
            let mut at = start;
            for index in 0..run.hours.len() {
                let told = Rc::clone(&told);
                table.row(&HourRow { told, index, at })?;
                at += Span::hours(1);
            }
        }
        Ok(())
    }

    fn end(self, terminal: &mut Terminal) -> Result<(), Failure> {
        if let Some(table) = self.runs {
            table.finish(terminal)?;
        }
        self.hours.map_or(Ok(()), |table| table.finish(terminal))
    }
}

#[rustfmt::skip] // A table: its rows stay together.
fn run_columns() -> Vec<Column<RunRow>> {
    vec![
        Column::text("policy", |row| Some(row.run.policy.clone())),
        Column::text("setting", |row| row.setting.clone()),
        Column::text("workload", |row| Some(row.run.workload.clone())),
        Column::text("spot", |row| Some(row.run.spot.clone())),
        Column::whole("seed", |row| Some(count(row.run.seed))),
        Column::number("cost_usd", |row| Some(row.run.cost.total.0)),
        Column::number("cost_dedicated_usd", |row| Some(row.run.cost.dedicated.0)),
        Column::number("cost_spot_usd", |row| Some(row.run.cost.spot.0)),
        Column::number("cost_wasted_usd", |row| Some(row.run.cost.wasted.0)),
        Column::number("bound_cost_usd", |row| row.run.hindsight.as_ref().map(|bound| bound.bound_cost.0)),
        Column::number("cost_to_bound", |row| row.run.hindsight.as_ref().and_then(|bound| bound.cost_to_bound)),
        Column::number("bound_cost_with_misses_usd", |row| row.run.hindsight.as_ref()?.bound_cost_with_misses.map(|Usd(cost)| cost)),
        Column::number("cost_to_bound_with_misses", |row| row.run.hindsight.as_ref()?.cost_to_bound_with_misses),
        Column::number("node_hours", |row| Some(row.run.node_hours.total)),
        Column::number("dedicated_node_hours", |row| Some(row.run.node_hours.dedicated)),
        Column::number("spot_node_hours", |row| Some(row.run.node_hours.spot)),
        Column::number("busy_node_hours", |row| Some(row.run.node_hours.busy)),
        Column::number("starting_node_hours", |row| Some(row.run.node_hours.starting)),
        Column::number("idle_node_hours", |row| Some(row.run.node_hours.idle)),
        Column::number("leaving_node_hours", |row| Some(row.run.node_hours.leaving)),
        Column::number("unusable_node_hours", |row| Some(row.run.node_hours.unusable)),
        Column::number("work_node_hours", |row| Some(row.run.node_hours.work)),
        Column::number("lost_node_hours", |row| Some(row.run.node_hours.lost)),
        Column::number("wait_p50_s", |row| Some(row.run.wait.p50)),
        Column::number("wait_p95_s", |row| Some(row.run.wait.p95)),
        Column::number("wait_p99_s", |row| Some(row.run.wait.p99)),
        Column::number("wait_max_s", |row| Some(row.run.wait.max)),
        Column::number("delay_p50_s", |row| Some(row.run.delay.p50)),
        Column::number("delay_p95_s", |row| Some(row.run.delay.p95)),
        Column::number("delay_p99_s", |row| Some(row.run.delay.p99)),
        Column::number("delay_max_s", |row| Some(row.run.delay.max)),
        Column::whole("missed_tasks", |row| Some(count(row.run.misses.tasks))),
        Column::number("missed_share", |row| Some(row.run.misses.share)),
        Column::number("missed_slot_hours", |row| Some(row.run.misses.slot_hours)),
        Column::number("missed_work_share", |row| Some(row.run.misses.work_share)),
        Column::whole("due_tasks", |row| Some(count(row.run.deadlines?.due))),
        Column::whole("deadline_missed_tasks", |row| Some(count(row.run.deadlines?.missed))),
        Column::number("deadline_late_p95_s", |row| Some(row.run.deadlines?.late.p95)),
        Column::whole("submitted_tasks", |row| Some(count(row.run.tasks.submitted))),
        Column::whole("completed_tasks", |row| Some(count(row.run.tasks.completed))),
        Column::whole("terminated_tasks", |row| Some(count(row.run.tasks.terminated))),
        Column::whole("unfinished_tasks", |row| Some(count(row.run.tasks.unfinished))),
        Column::whole("never_runnable_tasks", |row| Some(count(row.run.tasks.never_runnable))),
        Column::whole("evicted_tasks", |row| Some(count(row.run.tasks.evicted))),
        Column::whole("requeued_tasks", |row| Some(count(row.run.tasks.requeued))),
        Column::whole("broken_tasks", |row| Some(count(row.run.tasks.broken))),
        Column::whole("evictions", |row| Some(count(row.run.evictions))),
        Column::whole("node_starts", |row| Some(count(row.run.node_starts))),
        Column::whole("node_faults", |row| Some(count(row.run.node_faults))),
        Column::number("under_percent", |row| Some(row.run.elasticity.under)),
        Column::number("over_percent", |row| Some(row.run.elasticity.over)),
        Column::number("under_time_share", |row| Some(row.run.elasticity.under_time)),
        Column::number("over_time_share", |row| Some(row.run.elasticity.over_time)),
        Column::number("instability_share", |row| Some(row.run.elasticity.instability)),
        Column::number("jitter_hourly", |row| Some(row.run.elasticity.jitter_hourly)),
        Column::whole("orders", |row| Some(count(row.run.orders))),
        Column::whole("reversals", |row| Some(count(row.run.reversals))),
        Column::whole("holds", |row| Some(count(row.run.holds.values().sum::<u64>()))),
        Column::whole("decisions", |row| Some(count(row.run.decisions))),
        Column::whole("events", |row| Some(count(row.run.events))),
    ]
}

#[rustfmt::skip] // A table: its rows stay together.
fn hour_columns() -> Vec<Column<HourRow>> {
    vec![
        Column::text("policy", |row| Some(row.told.run.policy.clone())),
        Column::text("setting", |row| row.told.setting.clone()),
        Column::whole("seed", |row| Some(count(row.told.run.seed))),
        Column::whole("hour", |row| Some(count(row.index))),
        Column::moment("at", |row| Some(row.at)),
        Column::number("demand_nodes", |row| Some(row.told.run.hours[row.index].demand_nodes)),
        Column::number("billed_nodes", |row| Some(row.told.run.hours[row.index].billed_nodes)),
        Column::number("busy_nodes", |row| Some(row.told.run.hours[row.index].busy_nodes)),
        Column::number("waiting_tasks", |row| Some(row.told.run.hours[row.index].waiting_tasks)),
    ]
}
