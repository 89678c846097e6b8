//! A report as a table for a terminal.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, Table, presets};

use super::report::{Report, Run};
use crate::base::Span;

/// The columns: heading and what a run has there; the first run is what the others are compared with.
type Column = (&'static str, fn(&Run, &Run) -> String);

const COLUMNS: [Column; 14] = [
    ("policy", |run, _| run.policy.clone()),
    ("cost", |run, _| run.cost.total.to_string()),
    ("vs first", against),
    (AGAINST_BOUND, |run, _| {
        let ratio = run.hindsight.and_then(|hindsight| hindsight.cost_to_bound);
        ratio.map_or_else(String::new, |ratio| format!("{ratio:.3}"))
    }),
    ("wasted", |run, _| share(run.cost.wasted.0, run.cost.total.0)),
    ("node-hours", |run, _| format!("{:.1}", run.node_hours.total)),
    ("wait p50", |run, _| brief(run.wait.p50)),
    ("p95", |run, _| brief(run.wait.p95)),
    ("max", |run, _| brief(run.wait.max)),
    (MISSED, |run, _| {
        run.tasks
            .deadline_missed
            .map_or_else(String::new, |missed| missed.to_string())
    }),
    ("done", |run, _| run.tasks.completed.to_string()),
    ("redone", |run, _| {
        (run.tasks.evicted + run.tasks.requeued).to_string()
    }),
    ("orders", |run, _| run.orders.to_string()),
    ("reversals", |run, _| run.reversals.to_string()),
];

/// The heading of cost as a multiple of the bound; the column is there only when a run has a bound.
const AGAINST_BOUND: &str = "/ bound";
const BOUND_COLUMN: usize = 3;

/// The heading of missed deadlines; the column is there only when a run has tasks that are due.
const MISSED: &str = "late";
const MISSED_COLUMN: usize = 9;

/// The columns that a narrow terminal goes without, the first to go first.
const DISPENSABLE: [&str; 6] = ["reversals", "orders", "node-hours", "done", "redone", "wait p50"];

/// Columns between two columns.
const GAP: usize = 2;

/// A table before it is laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    /// The headings.
    pub head: Vec<String>,
    /// The rows; the first cells are names, the others figures.
    pub rows: Vec<Vec<String>>,
    /// What a reader must know to trust it, line by line.
    pub notes: Vec<String>,
}

impl Report {
    /// Returns the cells of the table, all columns that have something, and the lines below it.
    pub fn to_cells(&self) -> Cells {
        let mut rows = self.rows();
        let (kept, _) = fitting(&rows, usize::MAX - GAP);
        let pick = |row: Row| -> Vec<String> { kept.iter().map(|column| row[*column].clone()).collect() };
        let head = pick(rows.remove(0));
        Cells {
            head,
            rows: rows.into_iter().map(pick).collect(),
            notes: self.notes().collect(),
        }
    }

    /// Returns the heading and a row for each run.
    fn rows(&self) -> Vec<Row> {
        let mut rows = vec![COLUMNS.map(|(heading, _)| heading.to_owned())];
        let Some(first) = self.runs.first() else {
            return rows;
        };
        let with_seeds = self.runs.iter().any(|run| run.seed != first.seed);
        for run in &self.runs {
            let mut cells = COLUMNS.map(|(_, cell)| cell(run, first));
            if with_seeds {
                cells[0] = format!("{} (seed {})", run.policy, run.seed);
            }
            rows.push(cells);
        }
        rows
    }

    fn notes(&self) -> impl Iterator<Item = String> {
        self.runs.iter().flat_map(|run| {
            let lines = run.missed_deadlines().into_iter().chain(run.against_bound());
            let lines = lines.chain(run.warnings());
            lines.map(|line| format!("{}: {line}", run.policy))
        })
    }

    /// Returns a table of the runs and, below it, what a reader must know to trust it; no colour, each line ended.
    ///
    /// Columns that matter less are left out, and named, where the table would be wider than `width` characters.
    pub fn to_table(&self, width: usize) -> String {
        if self.runs.is_empty() {
            return "no run\n".to_owned();
        }
        let rows = self.rows();
        let (kept, left_out) = fitting(&rows, width);
        let mut text = layout(&rows, &kept);
        if !left_out.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "(no room for {}; they are in -o json)", left_out.join(", "));
        }
        for note in self.notes() {
            let _ = writeln!(text, "{note}");
        }
        text
    }
}

type Row = [String; COLUMNS.len()];

/// Returns the columns that fit, and the names of those that do not.
fn fitting(rows: &[Row], width: usize) -> (Vec<usize>, Vec<&'static str>) {
    let column_width = |column: &usize| {
        let cells = rows.iter().map(|row| row[*column].chars().count());
        cells.max().unwrap_or(0) + GAP
    };
    let has_some = |column: usize| {
        let mut cells = rows.iter().map(|row| &row[column]);
        cells.any(|cell| !cell.is_empty() && cell != COLUMNS[column].0)
    };
    let mut kept: Vec<usize> = (0..COLUMNS.len())
        .filter(|column| ![BOUND_COLUMN, MISSED_COLUMN].contains(column) || has_some(*column))
        .collect();
    let mut left_out = Vec::new();
    for name in DISPENSABLE {
        if kept.iter().map(column_width).sum::<usize>() <= width + GAP {
            break;
        }
        kept.retain(|column| COLUMNS[*column].0 != name);
        left_out.push(name);
    }
    (kept, left_out)
}

fn layout(rows: &[Row], kept: &[usize]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let pick = |row: &Row| -> Vec<String> { kept.iter().map(|column| row[*column].clone()).collect() };
    table.set_header(pick(&rows[0]));
    for row in &rows[1..] {
        table.add_row(pick(row));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP as u16));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt() + "\n"
}

impl Run {
    /// Returns how many tasks ended after they were due and how late, in a line; nothing when none did.
    fn missed_deadlines(&self) -> Option<String> {
        let deadlines = self.deadlines.filter(|deadlines| deadlines.missed > 0)?;
        Some(format!(
            "{} of {} tasks missed their deadlines, half of them by no more than {} and none by more than {}",
            deadlines.missed,
            deadlines.due,
            brief(deadlines.late.p50),
            brief(deadlines.late.max)
        ))
    }

    /// Returns what the bound with hindsight says of the run, in a line.
    fn against_bound(&self) -> Option<String> {
        let hindsight = self.hindsight?;
        let mut line = format!("no plan without misses costs less than {}", hindsight.bound_cost);
        if let Some(bound) = hindsight.bound_cost_with_misses {
            let _ = write!(line, ", none with as many as may be less than {bound}");
            if let Some(ratio) = hindsight.cost_to_bound_with_misses {
                let _ = write!(line, " ({ratio:.3} times)");
            }
        }
        if hindsight.cost_to_bound.is_none() {
            let missed = self.tasks.deadline_missed.filter(|missed| *missed > 0);
            let deadlines = missed.map_or_else(String::new, |missed| format!(" and {missed} deadlines"));
            let _ = write!(
                line,
                "; not compared: it missed the limit for {} tasks{deadlines} and left {} undone",
                self.misses.tasks,
                self.tasks.unfinished + self.tasks.terminated
            );
        }
        Some(line)
    }

    /// Returns what a reader of the run's figures must know.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let tasks = &self.tasks;
        if tasks.never_runnable > 0 {
            warnings.push(format!(
                "{} tasks need more slots than a node has and can never run; their waits are not counted",
                tasks.never_runnable
            ));
        }
        let unfinished = tasks.unfinished - tasks.never_runnable;
        if unfinished > 0 {
            warnings.push(format!(
                "{unfinished} tasks had not ended when the run did; their waits count so far"
            ));
        }
        if tasks.terminated > 0 {
            warnings.push(format!(
                "{} tasks were ended unfinished by scaling in with `terminate`",
                tasks.terminated
            ));
        }
        let often = |code| {
            self.holds
                .get(code)
                .copied()
                .filter(|holds| *holds * 10 > self.decisions)
        };
        if often("shadow").or(often("paused")).is_some() {
            warnings.push("its mode orders nothing; give it `mode: full` to see what it would do".to_owned());
        }
        if let Some(holds) = often("notSteady") {
            warnings.push(format!(
                "{holds} of {} decisions found the pool still resizing; `taskcompletion` blocks growth while tasks finish",
                self.decisions
            ));
        }
        if let Some(holds) = often("formulaFault") {
            warnings.push(format!(
                "the formula gave no targets in {holds} of {} decisions; `lowtide eval --trace` shows why",
                self.decisions
            ));
        }
        warnings
    }
}

fn against(run: &Run, first: &Run) -> String {
    let ratio = run.cost.total.0 / first.cost.total.0;
    if std::ptr::eq(run, first) || !ratio.is_finite() {
        String::new()
    } else {
        format!("{:+.0} %", (ratio - 1.0) * 100.0)
    }
}

fn share(part: f64, whole: f64) -> String {
    if whole > 0.0 {
        format!("{:.0} %", 100.0 * part / whole)
    } else {
        String::new()
    }
}

/// Seconds as people say them: `45s`, `6m 20s`, `3h 05m`, `2d 07h`.
pub(super) fn brief(seconds: f64) -> String {
    let whole = Span::from_seconds(seconds.round()).as_seconds() as u64;
    let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60);
    match whole {
        0..60 => format!("{whole}s"),
        60..3600 => format!("{minutes}m {:02}s", whole % 60),
        3600..86_400 => format!("{hours}h {minutes:02}m"),
        _ => format!("{days}d {hours:02}h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_table_goes_without_what_matters_least() {
        assert_eq!(COLUMNS[BOUND_COLUMN].0, AGAINST_BOUND);
        assert_eq!(COLUMNS[MISSED_COLUMN].0, MISSED);
        let mut rows = vec![COLUMNS.map(|(heading, _)| heading.to_owned())];
        let (kept, left_out) = fitting(&rows, 200);
        assert_eq!((kept.len(), left_out.len()), (COLUMNS.len() - 2, 0));
        rows.push([const { String::new() }; COLUMNS.len()]);
        rows[1][BOUND_COLUMN] = "1.1".to_owned();
        rows[1][MISSED_COLUMN] = "0".to_owned();
        let (kept, left_out) = fitting(&rows, 200);
        assert_eq!((kept.len(), left_out.len()), (COLUMNS.len(), 0));
        rows.pop();
        let (kept, left_out) = fitting(&rows, 80);
        assert_eq!(
            (kept.len(), left_out),
            (COLUMNS.len() - 4, vec!["reversals", "orders"])
        );
        assert_eq!(fitting(&rows, 0).0.len(), COLUMNS.len() - 2 - DISPENSABLE.len());
    }

    #[test]
    fn spans_are_told_in_their_two_largest_units() {
        for (seconds, text) in [
            (0.4, "0s"),
            (59.6, "1m 00s"),
            (380.0, "6m 20s"),
            (3.0 * 3600.0 + 300.0, "3h 05m"),
            (55.0 * 3600.0, "2d 07h"),
        ] {
            assert_eq!(brief(seconds), text);
        }
    }
}
