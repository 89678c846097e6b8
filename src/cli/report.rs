//! `lowtide report`: what the ledger says was paid, saved and waited.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::files;
use super::html::HtmlOption;
use super::ledger_option::{LedgerOption, failure, moment};
use super::report_table::{cost_columns, savings_columns, wait_columns};
use super::table_file::TableOption;
use super::terminal::Terminal;
use crate::account::PoolId;
use crate::base::{Span, Timestamp, Usd};
use crate::formula::documented::PENDING_TASKS;
use crate::formula::{Formula, Scope};
use crate::store::report::{Cost, Savings, Stretch, Wait, assumptions};

/// Report what the pools of a ledger cost, what was saved, and how long tasks waited
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Costs are the prices of the policies times the nodes that each decision saw, until the next one.
Every report says what it assumes; with -o json and -o csv that goes to standard error.")]
pub(super) struct Report {
    /// cost, savings (against the same nodes all dedicated, and against a formula of the service) or wait
    #[arg(value_enum, value_name = "cost|savings|wait", hide_possible_values = true)]
    what: Option<What>,
    /// From this time on: 2026-11-22T09:00:00Z, or 30d ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    from: Option<Timestamp>,
    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = moment)]
    to: Option<Timestamp>,
    /// One pool alone
    #[arg(long, value_name = "POOL")]
    pub(super) pool: Option<PoolId>,
    /// The formula that savings are told against; the one that the service documents for pending tasks when left out
    #[arg(long, value_name = "FILE")]
    pub(super) formula: Option<PathBuf>,
    #[command(flatten)]
    pub(super) ledger: LedgerOption,
    #[command(flatten)]
    table: TableOption,
    #[command(flatten)]
    pub(super) html: HtmlOption,
    /// How to write the rows: table, csv or json
    // Not the option that other verbs share: clap keeps one default for all of its forms, and theirs is text.
    #[arg(
        short,
        long,
        value_enum,
        default_value_t,
        value_name = "FORMAT",
        hide_possible_values = true
    )]
    output: Rows,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Cost,
    Savings,
    Wait,
}

/// How rows are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Rows {
    #[default]
    Table,
    Csv,
    Json,
}

/// A report as rows of words.
pub(super) struct Sheet {
    pub(super) head: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
    pub(super) notes: Vec<String>,
}

impl Report {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        if self.what.is_none() && !self.html.is_wanted() {
            return Err(Failure::Usage(
                "say what to report: cost, savings or wait; or --html FILE for all of it on one page"
                    .to_owned(),
            ));
        }
        if self.what.is_none() && self.table.is_wanted() {
            return Err(Failure::Usage(
                "a table is one of cost, savings or wait; say which".to_owned(),
            ));
        }
        self.html.checked()?;
        self.table.checked()?;
        let store = self.ledger.open(terminal)?;
        let stretch = Stretch {
            from: self.from,
            to: self.to,
            pool: self.pool.clone(),
        };
        if self.html.is_wanted() {
            self.write_page(&store, &stretch, terminal)?;
        }
        let Some(what) = self.what else {
            return Ok(Exit::Success);
        };
        match what {
            What::Cost => {
                let rows = store.cost(&stretch).map_err(failure)?;
                self.table.write(&rows, cost_columns(), terminal)?;
                self.show(&rows, &cost(&rows), terminal)
            }
            What::Savings => {
                let formula = self.formula()?;
                let rows = store.savings(&stretch, &formula).map_err(failure)?;
                self.table.write(&rows, savings_columns(), terminal)?;
                self.show(&rows, &savings(&rows), terminal)
            }
            What::Wait => {
                let rows = store.waits(&stretch).map_err(failure)?;
                self.table.write(&rows, wait_columns(), terminal)?;
                self.show(&rows, &wait(&rows), terminal)
            }
        }
    }

    pub(super) fn formula(&self) -> Result<Formula, Failure> {
        let scope = Scope::default();
        match &self.formula {
            None => Ok(Formula::compile(PENDING_TASKS, &scope).expect("the documented formula is whole")),
            Some(path) => {
                let source = files::read(path)?;
                Formula::compile(&source.text, &scope).map_err(|faults| Failure::Text(source, faults))
            }
        }
    }

    fn show<T: Serialize>(
        &self,
        records: &[T],
        sheet: &Sheet,
        terminal: &mut Terminal,
    ) -> Result<Exit, Failure> {
        if records.is_empty() {
            terminal.say("note: there is no decision in that time\n")?;
        }
        match self.output {
            Rows::Table => {
                if !records.is_empty() {
                    writeln!(terminal.out(), "{}", table(sheet))?;
                    for note in &sheet.notes {
                        writeln!(terminal.out(), "{note}")?;
                    }
                }
            }
            Rows::Csv => {
                csv(sheet, terminal.out())?;
                told(&sheet.notes, terminal)?;
            }
            Rows::Json => {
                terminal.json(&records)?;
                told(&sheet.notes, terminal)?;
            }
        }
        Ok(Exit::Success)
    }
}

fn told(notes: &[String], terminal: &mut Terminal) -> io::Result<()> {
    for note in notes {
        terminal.say(&format!("note: {note}\n"))?;
    }
    Ok(())
}

pub(super) fn table(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.set_header(sheet.head);
    for row in &sheet.rows {
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

fn csv(sheet: &Sheet, out: &mut impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    let head = sheet.head.iter().map(|word| word.replace(' ', "_"));
    writer.write_record(head).map_err(io::Error::other)?;
    for row in &sheet.rows {
        let plain = row.iter().map(|word| word.trim_start_matches('$'));
        writer.write_record(plain).map_err(io::Error::other)?;
    }
    writer.flush()
}

fn hours(hours: f64) -> String {
    format!("{hours:.1}")
}

pub(super) fn cost(rows: &[Cost]) -> Sheet {
    type Of<'a> = &'a dyn Fn(&dyn Fn(&Cost) -> f64) -> f64;
    let row = |name: &str, of: Of<'_>| {
        vec![
            name.to_owned(),
            hours(of(&|cost| cost.dedicated_node_hours)),
            hours(of(&|cost| cost.spot_node_hours)),
            Usd(of(&|cost| cost.dedicated.0)).to_string(),
            Usd(of(&|cost| cost.spot.0)).to_string(),
            Usd(of(&|cost| cost.total.0)).to_string(),
        ]
    };
    let mut sheet: Vec<_> = rows
        .iter()
        .map(|cost| row(cost.pool.as_str(), &|part| part(cost)))
        .collect();
    if rows.len() > 1 {
        sheet.push(row("total", &|part| rows.iter().map(part).sum()));
    }
    let mut notes = assumptions()[..1].to_vec();
    let unpriced: f64 = rows.iter().map(|cost| cost.unpriced_node_hours).sum();
    if unpriced > 0.05 {
        notes.push(format!(
            "{unpriced:.1} node-hours are in no sum: the ledger does not tell their price"
        ));
    }
    let unseen: f64 = rows.iter().map(|cost| cost.unseen_hours).sum();
    if unseen > 0.05 {
        notes.push(format!(
            "{unseen:.1} hours are in no sum: looks were too far apart"
        ));
    }
    Sheet {
        head: &["pool", "dedicated h", "spot h", "dedicated", "spot", "total"],
        rows: sheet,
        notes,
    }
}

pub(super) fn savings(rows: &[Savings]) -> Sheet {
    let row = |name: &str, held: Usd, dedicated: Usd, formula: Usd| {
        let saved = |instead: Usd| {
            let share = if instead.0 > 0.0 {
                format!(" ({:.0} %)", 100.0 * (1.0 - held.0 / instead.0))
            } else {
                String::new()
            };
            format!("{}{share}", Usd(instead.0 - held.0))
        };
        vec![
            name.to_owned(),
            held.to_string(),
            dedicated.to_string(),
            saved(dedicated),
            formula.to_string(),
            saved(formula),
        ]
    };
    let of = |savings: &Savings| {
        row(
            savings.pool.as_str(),
            savings.held,
            savings.all_dedicated,
            savings.formula,
        )
    };
    let mut sheet: Vec<_> = rows.iter().map(of).collect();
    if rows.len() > 1 {
        let sum = |part: fn(&Savings) -> Usd| rows.iter().map(part).sum();
        let (held, dedicated) = (sum(|row| row.held), sum(|row| row.all_dedicated));
        sheet.push(row("total", held, dedicated, sum(|row| row.formula)));
    }
    let mut notes = assumptions().to_vec();
    let faults: u64 = rows.iter().map(|savings| savings.formula_faults).sum();
    if faults > 0 {
        notes.push(format!(
            "the formula could not be evaluated {faults} times, and kept its targets"
        ));
    }
    Sheet {
        head: &[
            "pool",
            "held",
            "all-dedicated",
            "saved",
            "formula",
            "saved against it",
        ],
        rows: sheet,
        notes,
    }
}

pub(super) fn wait(rows: &[Wait]) -> Sheet {
    let span =
        |span: Option<Span>| span.map_or_else(|| "-".to_owned(), |span| whole_seconds(span).in_short());
    let row = |wait: &Wait| {
        vec![
            wait.pool.to_string(),
            wait.tasks.to_string(),
            span(wait.p50),
            span(wait.p95),
            span(wait.most),
            wait.waiting.to_string(),
            span(wait.waiting_longest),
            wait.mean_waiting
                .map_or_else(|| "-".to_owned(), |mean| format!("{mean:.1}")),
        ]
    };
    let mut notes =
        vec!["a task counts when it is first seen to run, with the time since it was submitted".to_owned()];
    let of: std::collections::BTreeSet<_> = rows.iter().filter_map(|wait| wait.mean_of).collect();
    if !of.is_empty() {
        let of: Vec<_> = of.into_iter().collect();
        notes.push(format!("the mean is that of {}", of.join(" or ")));
    }
    if rows.iter().all(|wait| wait.tasks == 0) {
        notes.push(
            "no task was seen to begin: tasks are seen one by one only where a strategy sizes by them"
                .to_owned(),
        );
    }
    Sheet {
        head: &[
            "pool",
            "tasks",
            "wait p50",
            "p95",
            "max",
            "waiting now",
            "longest",
            "mean waiting",
        ],
        rows: rows.iter().map(row).collect(),
        notes,
    }
}

fn whole_seconds(span: Span) -> Span {
    Span::from_seconds(span.as_seconds().round())
}
