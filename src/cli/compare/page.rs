//! `lowtide compare --html`: the comparison as a page.

use super::super::exit::Failure;
use super::super::html::command_line;
use super::super::terminal::Terminal;
use super::{Compare, show};
use crate::page::{Compared, of_comparison};
use crate::sim::Contender;
use crate::sim::compare::{Case, Comparison};

impl Compare {
    /// Writes the page, if one is wanted.
    pub(super) fn write_page(
        &self,
        (contenders, cases): (&[Contender], &[Case]),
        notes: Vec<String>,
        comparison: &Comparison,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        if !self.html.is_wanted() {
            return Ok(());
        }
        let compared = Compared {
            command: command_line(),
            contenders,
            cases,
            tolerance: self.misses,
            notes,
        };
        let (sums, rows) = show::cells(comparison);
        let data = of_comparison(&compared, comparison, sums, rows);
        self.html.write(&data, &show::plain(comparison), terminal)
    }
}
