//! `--html`, which several verbs have: the result as one page, written whole or not at all.

use std::path::PathBuf;

use super::exit::Failure;
use super::files;
use super::terminal::Terminal;
use crate::page::{self, Data};
use crate::world::replace_file;

/// `--html`, for verbs whose result can be a page.
#[derive(Debug, clap::Args)]
pub(super) struct HtmlOption {
    /// Write the result as one page as well: charts, tables and decisions, to be opened in a browser, sent around and printed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl HtmlOption {
    /// Says whether a page is wanted.
    pub(super) const fn is_wanted(&self) -> bool {
        self.html.is_some()
    }

    /// Says before anything is done for it whether the page can be where it is wanted.
    pub(super) fn checked(&self) -> Result<(), Failure> {
        match &self.html {
            Some(path) if path.as_os_str() == "-" => Err(Failure::Usage(
                "a page is written to a file; name one, such as report.html".to_owned(),
            )),
            Some(path) => files::may_be_replaced(path),
            None => Ok(()),
        }
    }

    /// Writes the page, if one is wanted, and says where it is.
    pub(super) fn write(&self, data: &Data, plain: &str, terminal: &mut Terminal) -> Result<(), Failure> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        let text = page::html(data, plain);
        replace_file(path, text.as_bytes()).map_err(|error| files::not_written(path, &error))?;
        let kib = text.len().div_ceil(1024);
        terminal.say(&format!("the page is {} ({kib} KiB)\n", path.display()))?;
        Ok(())
    }
}

/// Returns the command that the process was started with, as a shell takes it.
pub(super) fn command_line() -> String {
    let words = std::env::args_os().skip(1);
    let words = words.map(|word| quoted(&word.to_string_lossy()));
    std::iter::once("lowtide".to_owned())
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Quotes a word where a shell would read something else than its letters.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:,=+%@".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_read_something_else() {
        for (word, told) in [
            ("interval=30s,1m", "interval=30s,1m"),
            ("p95_wait>10m", "'p95_wait>10m'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
            ("a b", "'a b'"),
        ] {
            assert_eq!(quoted(word), told);
        }
    }
}
