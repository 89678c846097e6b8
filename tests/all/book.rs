//! The book in `docs/`: its links lead somewhere, its blocks are run or read by a test, its reference is what the program prints.
//!
//! `console` blocks are transcripts (`transcripts.rs`), `sh` blocks are run by `scripts/docs/book.sh`. There is no third kind of
//! block with commands in it; `blocks.rs` finds one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

mod blocks;
mod commands;
mod generated;
mod links;
mod schema_page;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// A chapter: where it stands, seen from the book, and its text.
struct Chapter {
    name: String,
    text: String,
}

impl Chapter {
    /// The chapters that `generated.rs` writes have examples of what is wrong, and are held to the program instead.
    fn is_generated(&self) -> bool {
        self.name.starts_with("reference/")
    }

    /// The file that a path in this chapter means.
    fn file(&self, path: &str) -> PathBuf {
        docs()
            .join(&self.name)
            .parent()
            .expect("a file is in a folder")
            .join(path)
    }
}

/// All chapters and the table of contents, in the order of their names.
fn chapters() -> Vec<Chapter> {
    let mut found = files(&docs());
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    assert!(!found.is_empty(), "the book has no chapters");
    found
        .into_iter()
        .map(|path| Chapter {
            name: path.strip_prefix(docs()).unwrap().to_str().unwrap().to_owned(),
            text: fs::read_to_string(&path).unwrap(),
        })
        .collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What the program prints on standard output.
fn printed(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .args(arguments)
        .env("COLUMNS", "100")
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "lowtide {} fails: {}",
        arguments.join(" "),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
