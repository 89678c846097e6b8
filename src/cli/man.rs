//! `lowtide man`: the manual page, from the same description as the help.

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

/// Print the manual page
#[derive(Debug, clap::Args)]
#[command(after_help = "Read it at once: lowtide man | man -l -")]
pub(super) struct Man {}

impl Man {
    #[expect(clippy::unused_self, reason = "every verb runs the same way")]
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        clap_mangen::Man::new(super::command()).render(terminal.out())?;
        Ok(Exit::Success)
    }
}
