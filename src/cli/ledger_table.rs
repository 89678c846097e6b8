//! `lowtide ledger export --table`: the decisions of a ledger as a table for notebooks.

use serde::Deserialize;

use super::exit::Failure;
use super::ledger_option::failure;
use super::table_file::{Column, Table, TablePath, count};
use super::terminal::Terminal;
use crate::base::{Lane, Mix};
use crate::decision::Verdict;
use crate::engine::PoolView;
use crate::signal::Metric;
use crate::store::report::{Held, Stretch};
use crate::store::{Found, Store};
use crate::world::look_of;

/// A decision as a row.
struct Row {
    found: Found,
    held: Option<Held>,
    line: Line,
    seen: Option<PoolView>,
}

/// What a line says of a decision.
#[derive(Deserialize)]
struct Line {
    policy: Option<String>,
    target: Mix,
    order: Option<serde::de::IgnoredAny>,
    steps: Vec<Step>,
    hold: Option<Code>,
}

#[derive(Deserialize)]
struct Step {
    to: Mix,
    reason: Code,
    text: String,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Writes a row for each decision of a stretch.
pub(super) fn write(
    store: &Store,
    stretch: &Stretch,
    to: &TablePath,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    let mut table = Table::begin(to, columns())?;
    let mut outcome = Ok(());
    let walked = store.decisions(stretch, &mut |found, held| {
        outcome = Row::read(found, held).and_then(|row| table.row(&row));
        outcome.is_ok()
    });
    walked.map_err(failure)?;
    outcome?;
    table.finish(terminal)
}

impl Row {
    fn read(found: Found, held: Option<Held>) -> Result<Self, Failure> {
        let line = serde_json::from_str(&found.line).map_err(|error| Failure::World {
            message: format!("line {} cannot be read: {error}", found.number),
            help: None,
        })?;
        // What an earlier version saw otherwise is left out, and the decision told all the same.
        let seen = look_of(&found.line).ok().flatten().map(|(_, view)| view);
        Ok(Self {
            found,
            held,
            line,
            seen,
        })
    }

    fn outcome(&self) -> Mix {
        self.line.steps.last().map_or(self.line.target, |step| step.to)
    }

    fn verdict(&self) -> Verdict {
        Verdict::of(self.line.target, self.outcome(), self.line.hold.is_some())
    }

    fn price(&self, lane: usize) -> Option<f64> {
        self.held.as_ref()?.prices.map(|prices| prices[lane])
    }

    /// Returns the latest sample of a metric that came with the look.
    fn latest(&self, metric: Metric) -> Option<f64> {
        let samples = self.seen.as_ref()?.samples.iter();
        let of_metric = samples.filter(|sample| sample.metric == metric);
        of_metric
            .max_by_key(|sample| sample.taken)
            .map(|sample| sample.value)
    }
}

fn nodes(mix: Mix, lane: Lane) -> i64 {
    count(mix.get(lane).0)
}

#[rustfmt::skip] // A table: its rows stay together.
fn columns() -> Vec<Column<Row>> {
    vec![
        Column::whole("number", |row| Some(count(row.found.number))),
        Column::moment("at", |row| Some(row.found.at)),
        Column::text("pool", |row| Some(row.found.pool.as_ref()?.to_string())),
        Column::text("policy", |row| row.line.policy.clone()),
        Column::text("verdict", |row| Some(row.verdict().word().to_owned())),
        Column::flag("ordered", |row| Some(row.line.order.is_some())),
        Column::whole("start_dedicated", |row| Some(nodes(row.line.target, Lane::Dedicated))),
        Column::whole("start_spot", |row| Some(nodes(row.line.target, Lane::Spot))),
        Column::whole("target_dedicated", |row| Some(nodes(row.outcome(), Lane::Dedicated))),
        Column::whole("target_spot", |row| Some(nodes(row.outcome(), Lane::Spot))),
        // As they are paid for: preempted ones are not.
        Column::whole("nodes_dedicated", |row| Some(nodes(row.held.as_ref()?.nodes, Lane::Dedicated))),
        Column::whole("nodes_spot", |row| Some(nodes(row.held.as_ref()?.nodes, Lane::Spot))),
        Column::whole("preempted_nodes", |row| Some(count(row.seen.as_ref()?.state.nodes.preempted.0))),
        Column::number("price_dedicated_usd_hourly", |row| row.price(0)),
        Column::number("price_spot_usd_hourly", |row| row.price(1)),
        Column::whole("waiting_tasks", |row| Some(count(row.seen.as_ref()?.work.as_ref()?.waiting.len()))),
        Column::whole("running_tasks", |row| Some(count(row.seen.as_ref()?.work.as_ref()?.running.len()))),
        Column::number("pending_tasks_sample", |row| row.latest(Metric::PendingTasks)),
        Column::number("active_tasks_sample", |row| row.latest(Metric::ActiveTasks)),
        Column::text("reason", |row| Some(row.line.steps.first()?.reason.code.clone())),
        Column::text("sentence", |row| Some(row.line.steps.first()?.text.clone())),
        Column::text("hold", |row| Some(row.line.hold.as_ref()?.code.clone())),
    ]
}
