//! `--html`, which several verbs have: the result as one page, written whole or not at all.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::exit::Failure;
use super::files;
use super::terminal::Terminal;
use crate::page::{self, Data};

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

    /// Returns where the page goes, if one is wanted, before anything is done for it: there must be a folder, and no page replaces
    /// what is no file.
    pub(super) fn checked(&self) -> Result<(), Failure> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        let refused = |message: String, help: &str| Failure::World {
            message,
            help: Some(help.to_owned()),
        };
        let name = path.display();
        if path.as_os_str() == "-" {
            return Err(Failure::Usage(
                "a page is written to a file; name one, such as report.html".to_owned(),
            ));
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(refused(
                format!("`{name}` is a directory"),
                "name a file in it, such as report.html",
            )),
            Ok(found) if !found.is_file() => Err(refused(
                format!("`{name}` is no file, and is not replaced by one"),
                "name another file",
            )),
            Ok(_) => Ok(()),
            Err(_) => match fs::metadata(folder(path)) {
                Ok(found) if found.is_dir() => Ok(()),
                _ => Err(refused(
                    format!(
                        "there is no directory `{}` to write `{name}` to",
                        folder(path).display()
                    ),
                    "make it first, or name another file",
                )),
            },
        }
    }

    /// Writes the page, if one is wanted, and says where it is.
    pub(super) fn write(&self, data: &Data, plain: &str, terminal: &mut Terminal) -> Result<(), Failure> {
        let Some(path) = &self.html else {
            return Ok(());
        };
        let text = page::html(data, plain);
        replace(path, text.as_bytes()).map_err(|error| files::not_written(path, &error))?;
        let kib = text.len().div_ceil(1024);
        terminal.say(&format!("the page is {} ({kib} KiB)\n", path.display()))?;
        Ok(())
    }
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Writes a file beside its place and moves it there, so that who reads it meanwhile reads the one before, and a full disk leaves that.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    // What a link leads to is replaced, and not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::File::create_new(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&beside, &path));
    if moved.is_err() {
        // Nothing is lost when it stays.
        let _ = fs::remove_file(&beside);
    }
    moved
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

    #[test]
    fn a_file_is_replaced_whole_and_what_a_link_leads_to_stays_behind_it() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("page.html"), folder.path().join("link.html"));
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, b"three").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"three");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(replace(&folder.path().join("none/page.html"), b"").is_err());
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing is left beside"
        );
    }
}
