//! A comparison as a table and as CSV.

use std::io::{self, Write};

use comfy_table::{CellAlignment, Table, presets};

use super::super::exit::Failure;
use super::super::render::visible;
use super::super::terminal::{Paint, Terminal};
use super::names::brief;
use crate::base::Span;
use crate::sim::Cells;
use crate::sim::compare::{Against, Comparison, Row, Summary};

/// A heading and what stands below it.
type Column<T> = (&'static str, fn(&T) -> String);

const ROWS: [Column<Row>; 16] = [
    ("workload", |row| visible(&row.workload)),
    ("spot", |row| brief(&visible(&row.spot))),
    ("price", |row| row.price_ratio.to_string()),
    ("contender", |row| visible(&row.contender)),
    ("cost", |row| format!("{:.0}", row.cost)),
    ("met", |row| if row.met { "yes" } else { "NO" }.to_owned()),
    ("deadlines missed", |row| count(row.deadline_missed)),
    ("/ other", |row| ratio(row.cost_to_other)),
    ("/ bound", |row| ratio(row.cost_to_bound)),
    ("with misses", |row| ratio(row.cost_to_bound_with_misses)),
    ("wait p95", |row| span(row.wait_p95)),
    ("delay p95", |row| span(row.delay_p95)),
    ("misses", |row| percent(row.misses)),
    ("of work", |row| percent(row.work_misses)),
    ("orders/d", |row| format!("{:.0}", row.orders_daily)),
    ("reversals/d", |row| format!("{:.0}", row.reversals_daily)),
];

const SUMMARIES: [Column<Summary>; 12] = [
    ("contender", |summary| visible(&summary.contender)),
    ("met", |summary| format!("{} of {}", summary.met, summary.cases)),
    ("where dedicated does", |summary| {
        format!("{} of {}", summary.met_with_reference, summary.reference_met)
    }),
    ("/ bound, mean", |summary| ratio(summary.mean)),
    ("worst", |summary| ratio(summary.worst)),
    ("with misses, mean", |summary| ratio(summary.mean_with_misses)),
    ("worst", |summary| ratio(summary.worst_with_misses)),
    ("deadlines missed", |summary| count(summary.deadline_missed)),
    ("/ other, mean", |summary| {
        against(summary, |against| ratio(Some(against.mean)))
    }),
    ("p90", |summary| {
        against(summary, |against| ratio(Some(against.p90)))
    }),
    ("worst", |summary| {
        against(summary, |against| ratio(Some(against.worst)))
    }),
    ("misses more, fewer", |summary| {
        against(summary, |against| {
            format!("{}, {}", against.misses_more, against.misses_fewer)
        })
    }),
];

fn against(summary: &Summary, told: impl Fn(&Against) -> String) -> String {
    summary.against.as_ref().map_or_else(|| "-".to_owned(), told)
}

fn count(value: Option<u32>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// What is said of the summaries.
const HEADING: &str = "over all cases; means are geometric, over the cases in which the limit was met";

/// Writes the rows and, below, the summaries.
pub(super) fn text(comparison: &Comparison, terminal: &mut Terminal) -> io::Result<()> {
    let paint = terminal.paint();
    let (sums, rows) = cells(comparison);
    let out = terminal.out();
    writeln!(out, "{}\n", table(&rows))?;
    writeln!(out, "{}", paint.on(Paint::HEADING, HEADING))?;
    writeln!(out, "{}", table(&sums))
}

/// Returns the same without colour.
pub(super) fn plain(comparison: &Comparison) -> String {
    let (sums, rows) = cells(comparison);
    format!("{}\n\n{HEADING}\n{}\n", table(&rows), table(&sums))
}

/// Returns the cells of the summaries, and of the rows.
pub(super) fn cells(comparison: &Comparison) -> (Cells, Cells) {
    let mut sums = cells_of(&SUMMARIES, &comparison.summaries);
    sums.notes = vec!["Means are geometric, over the cases in which the limit was met.".to_owned()];
    (sums, cells_of(&ROWS, &comparison.rows))
}

/// Writes the rows.
pub(super) fn csv(comparison: &Comparison, terminal: &mut Terminal) -> Result<(), Failure> {
    let write = |terminal: &mut Terminal| -> csv::Result<()> {
        let mut writer = csv::Writer::from_writer(terminal.out());
        writer.write_record([
            "workload",
            "slots",
            "spot",
            "seed",
            "price_ratio",
            "contender",
            "cost",
            "met",
            "bound",
            "cost_to_bound",
            "bound_with_misses",
            "cost_to_bound_with_misses",
            "wait_p95_s",
            "delay_p95_s",
            "misses",
            "work_misses",
            "orders_daily",
            "reversals_daily",
            "deadline_missed",
            "deadline_late_max_s",
            "cost_to_other",
        ])?;
        for row in &comparison.rows {
            let known = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
            writer.write_record([
                row.workload.clone(),
                row.slots.to_string(),
                row.spot.clone(),
                row.seed.to_string(),
                row.price_ratio.to_string(),
                row.contender.clone(),
                row.cost.to_string(),
                row.met.to_string(),
                known(row.bound),
                known(row.cost_to_bound),
                known(row.bound_with_misses),
                known(row.cost_to_bound_with_misses),
                row.wait_p95.to_string(),
                row.delay_p95.to_string(),
                row.misses.to_string(),
                row.work_misses.to_string(),
                row.orders_daily.to_string(),
                row.reversals_daily.to_string(),
                row.deadline_missed
                    .map_or_else(String::new, |missed| missed.to_string()),
                known(row.deadline_late_max),
                known(row.cost_to_other),
            ])?;
        }
        writer.flush()?;
        Ok(())
    };
    write(terminal).map_err(|error| Failure::Output(io::Error::other(error)))
}

fn cells_of<T>(columns: &[Column<T>], rows: &[T]) -> Cells {
    // What no row has was not asked for.
    let is_told = |column: &&Column<T>| rows.iter().any(|row| column.1(row) != "-");
    let columns: Vec<_> = columns.iter().filter(is_told).collect();
    let row = |row| columns.iter().map(|(_, cell)| cell(row)).collect();
    Cells {
        head: columns.iter().map(|(heading, _)| (*heading).to_owned()).collect(),
        rows: rows.iter().map(row).collect(),
        notes: Vec::new(),
    }
}

fn table(cells: &Cells) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(&cells.head);
    for row in &cells.rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        let words = matches!(cells.head[index].as_str(), "workload" | "spot" | "contender");
        if !words {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn ratio(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"))
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

pub(super) fn span(seconds: f64) -> String {
    Span::from_seconds(seconds.round()).in_short()
}
