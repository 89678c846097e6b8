//! `lowtide report --html`: what a ledger tells, on one page.

use super::exit::Failure;
use super::html::command_line;
use super::ledger_option::failure;
use super::report::{self, Report};
use super::terminal::Terminal;
use crate::page::{self, Courses, Looked};
use crate::sim::Cells;
use crate::store::Store;
use crate::store::report::Stretch;

impl Report {
    /// Writes costs, savings, waits, courses and decisions as one page.
    pub(super) fn write_page(
        &self,
        store: &Store,
        stretch: &Stretch,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        let costs = store.cost(stretch).map_err(failure)?;
        let savings = store.savings(stretch, &self.formula()?).map_err(failure)?;
        let waits = store.waits(stretch).map_err(failure)?;
        let mut courses = Courses::new(&costs);
        let held = store.each_held(stretch, &mut |held| courses.held(&held));
        held.map_err(failure)?;
        let lines = store.walk(&stretch.decisions(), &mut |found| {
            if let Some(pool) = &found.pool {
                courses.line(pool, &found.line);
            }
        });
        lines.map_err(failure)?;
        let sheets = [
            ("Cost", report::cost(&costs)),
            ("Savings", report::savings(&savings)),
            ("Waits", report::wait(&waits)),
        ];
        let mut plain = String::new();
        let sheets = sheets.map(|(title, sheet)| {
            plain += &format!(
                "{title}\n{}\n{}\n\n",
                report::table(&sheet),
                sheet.notes.join("\n")
            );
            let cells = Cells {
                head: sheet.head.iter().map(|word| (*word).to_owned()).collect(),
                rows: sheet.rows,
                notes: sheet.notes,
            };
            let pools: Vec<String> = cells.rows.iter().map(|row| row[0].clone()).collect();
            page::Sheet::new(title, cells, |row| courses.place(&pools[row]))
        });
        let looked = Looked {
            command: command_line(),
            ledger: self.ledger.named(),
            facts: self.facts(&costs),
        };
        let data = page::of_ledger(looked, sheets.into(), courses);
        self.html.write(&data, &plain, terminal)
    }

    fn facts(&self, costs: &[crate::store::report::Cost]) -> Vec<(String, String)> {
        let mut facts = vec![("Ledger".to_owned(), self.ledger.named())];
        let mut tell = |name: &str, word: String| facts.push((name.to_owned(), word));
        let first = costs.iter().map(|cost| cost.from).min();
        let last = costs.iter().map(|cost| cost.to).max();
        if let Some((first, last)) = first.zip(last) {
            tell("First look", first.to_string());
            tell("Last look", last.to_string());
        }
        tell(
            "Pools",
            self.pool
                .as_ref()
                .map_or_else(|| costs.len().to_string(), ToString::to_string),
        );
        tell(
            "Savings against",
            self.formula.as_ref().map_or_else(
                || "the formula that the service documents for pending tasks".to_owned(),
                |path| path.display().to_string(),
            ),
        );
        facts
    }
}
