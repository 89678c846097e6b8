//! `lowtide completions`: what a shell offers after the tabulator key.

use std::io::Write;

use clap_complete::Shell;

use super::exit::{Exit, Failure};
use super::terminal::Terminal;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
#[command(
    after_help = "For bash: lowtide completions bash > ~/.local/share/bash-completion/completions/lowtide"
)]
pub(super) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        // Into memory first: the generator panics when its reader has left.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut super::command(), "lowtide", &mut script);
        terminal.out().write_all(&script)?;
        Ok(Exit::Success)
    }
}
