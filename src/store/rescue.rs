//! A damaged file is put aside as it is, and what can be read of it goes into a new one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::sqlite::{Wreck, keep_others_out};
use super::{Place, Store, StoreError, StoreFault, StoreSettings};
use crate::base::Timestamp;

/// What became of a damaged ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rescued {
    /// The lines that could be read, and are kept again.
    pub lines: u64,
    /// The lines that were there and could not be read.
    pub lost: u64,
    /// The damaged file, as it was.
    pub aside: PathBuf,
}

/// Lines that are kept at once.
const BATCH: usize = 256;

impl Store {
    /// Puts a ledger file aside and keeps in a new one what can be read of it.
    ///
    /// # Errors
    /// When the ledger is no file, files cannot be moved or written, or another process steers by it.
    pub fn rescue(settings: &StoreSettings, now: Timestamp) -> Result<Rescued, StoreError> {
        let Place::Sqlite(path) = &settings.place else {
            let message =
                "only a ledger in a file can be rescued; PostgreSQL has backups and tools of its own";
            return Err(StoreError::new(StoreFault::Settings, message));
        };
        let stamp: String = now
            .to_string()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let aside = with(path, &format!(".damaged-{stamp}"));
        let failed = |what: &Path, error: std::io::Error| {
            StoreError::new(StoreFault::Away, format!("`{}`: {error}", what.display()))
        };
        if aside.exists() {
            let message = format!("`{}` is there already; move it away first", aside.display());
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        // Whoever steers by it would go on with the file that is moved away.
        let alone = keep_others_out(path, "a rescue")?;
        fs::rename(path, &aside).map_err(|error| failed(path, error))?;
        // Reading may change a file that was not closed well, so that a copy is read.
        let copy = with(path, ".rescue");
        for ending in ["-wal", "-shm"] {
            if with(path, ending).exists() {
                fs::rename(with(path, ending), with(&aside, ending)).map_err(|error| failed(path, error))?;
            }
        }
        for ending in ["", "-wal"].iter().filter(|ending| with(&aside, ending).exists()) {
            fs::copy(with(&aside, ending), with(&copy, ending)).map_err(|error| failed(&copy, error))?;
        }
        // Who saves has to have the lead.
        drop(alone);
        let outcome = save(settings, &copy);
        for ending in ["", "-wal", "-shm"] {
            // What is not there need not go.
            let _ = fs::remove_file(with(&copy, ending));
        }
        let (lines, lost) = outcome?;
        Ok(Rescued { lines, lost, aside })
    }
}

/// Keeps every line that can be read; returns how many there were, and how many could not.
fn save(settings: &StoreSettings, copy: &Path) -> Result<(u64, u64), StoreError> {
    let store = Store::open(settings)?;
    let (mut saved, mut lost) = (0, 0);
    let mut batch: Vec<String> = Vec::new();
    let mut keep = |batch: &mut Vec<String>, lost: &mut u64| -> Result<(), StoreError> {
        let lines: Vec<&str> = batch.iter().map(String::as_str).collect();
        if !lines.is_empty() && store.keep_all(&lines).is_err() {
            // One of them is no line any more.
            for line in &lines {
                match store.keep(line) {
                    Ok(_) => saved += 1,
                    Err(error) if error.fault == StoreFault::Foreign => *lost += 1,
                    Err(error) => return Err(error),
                }
            }
        } else {
            saved += lines.len() as u64;
        }
        batch.clear();
        Ok(())
    };
    let Ok(mut wreck) = Wreck::open(copy) else {
        return Ok((0, 0));
    };
    while let Some(line) = wreck.next() {
        match line {
            Ok(line) => batch.push(line),
            Err(rows) => lost += rows,
        }
        if batch.len() == BATCH {
            keep(&mut batch, &mut lost)?;
        }
    }
    keep(&mut batch, &mut lost)?;
    Ok((saved, lost))
}

fn with(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
