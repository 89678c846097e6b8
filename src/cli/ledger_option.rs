//! Which ledger a verb reads: a file of SQLite, a database of PostgreSQL, or the JSON lines that `apply` writes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use super::exit::{Failure, Source};
use super::files;
use super::terminal::Terminal;
use super::wiring;
use crate::base::{Span, Timestamp};
use crate::store::{Place, Store, StoreError, StoreSettings};

/// `--ledger`, for verbs that read one.
#[derive(Debug, clap::Args)]
pub(super) struct LedgerOption {
    #[expect(clippy::doc_markdown, reason = "it is the help of a command")]
    /// The ledger: a file of SQLite or of JSON lines, or postgres://USER@HOST/DATABASE
    #[arg(
        long,
        value_name = "FILE|URL",
        env = "LOWTIDE_LEDGER",
        hide_env_values = true,
        default_value = "lowtide-ledger.jsonl"
    )]
    ledger: String,
}

/// Lines that are taken in at once when nobody waits for them one by one.
pub(super) const BATCH: usize = 1000;

/// JSON lines are read into memory; more than this belongs into a database.
const LINES_BYTES_MAX: u64 = 1 << 30;

const SQLITE_MAGIC: &[u8] = b"SQLite format 3\0";

impl LedgerOption {
    /// Returns the option with this value.
    pub(super) fn of(ledger: &str) -> Self {
        Self {
            ledger: ledger.to_owned(),
        }
    }

    /// Opens the ledger to read from it.
    pub(super) fn open(&self, terminal: &mut Terminal) -> Result<Store, Failure> {
        let place = place(&self.ledger)?;
        let Place::Sqlite(path) = &place else {
            return Store::open_to_read(&place.into()).map_err(failure);
        };
        let unreadable = |error| {
            let source = Source::named(&path.display().to_string());
            Failure::Text(source, vec![files::unreadable(path, &error)])
        };
        let mut file = File::open(path).map_err(unreadable)?;
        let mut magic = Vec::new();
        file.by_ref()
            .take(SQLITE_MAGIC.len() as u64)
            .read_to_end(&mut magic)
            .map_err(unreadable)?;
        if magic == SQLITE_MAGIC || !(magic.is_empty() || magic.starts_with(b"{")) {
            return Store::open_to_read(&place.into()).map_err(failure);
        }
        if file.metadata().map_err(unreadable)?.len() > LINES_BYTES_MAX {
            return Err(Failure::World {
                message: format!("`{}` has more than 1 GiB of JSON lines", path.display()),
                help: Some(
                    "put them into a database first: lowtide ledger import FILE --ledger lowtide.db"
                        .to_owned(),
                ),
            });
        }
        let store = Store::in_memory();
        let lines = BufReader::new(magic.as_slice().chain(file));
        let torn = each_line(lines, (&self.ledger, BATCH), |lines, first| {
            keep(&store, lines, (&self.ledger, first))
        })?;
        if torn {
            terminal.say("note: the last line has no end; it was never kept, and is passed over\n")?;
        }
        Ok(store)
    }

    /// Returns the ledger's name, without what is secret of it.
    pub(super) fn named(&self) -> String {
        place(&self.ledger).map_or_else(|_| "the ledger".to_owned(), |place| place.to_string())
    }
}

/// Reads the place of a ledger.
pub(super) fn place(named: &str) -> Result<Place, Failure> {
    Place::from_str(named).map_err(|error| Failure::Usage(error.message))
}

/// Opens a ledger to write to it; it is made where there is none.
pub(super) fn open_to_write(named: &str) -> Result<Store, Failure> {
    let place = place(named)?;
    if let Place::Sqlite(path) = &place {
        let is_lines = path
            .extension()
            .is_some_and(|ending| ending == "jsonl" || ending == "json");
        if is_lines {
            let message = format!("`{named}` is a name for JSON lines; name a database, such as lowtide.db");
            return Err(Failure::Usage(message));
        }
    }
    Store::open(&StoreSettings::from(place)).map_err(failure)
}

/// Keeps lines of a file, the first of which has this number.
pub(super) fn keep(store: &Store, lines: &[String], (name, first): (&str, usize)) -> Result<(), Failure> {
    let texts: Vec<&str> = lines.iter().map(String::as_str).collect();
    if texts.is_empty() || store.keep_all(&texts).is_ok() {
        return Ok(());
    }
    // One by one, to say which it is.
    for (number, line) in (first..).zip(texts) {
        store.keep(line).map_err(|error| Failure::World {
            message: format!("line {number} of {name}: {}", error.message),
            help: None,
        })?;
    }
    Ok(())
}

/// Calls with the lines of a file, so many at a time, with the number of the first; says whether a last line without its end was left
/// out.
pub(super) fn each_line(
    mut lines: impl BufRead,
    (name, at_once): (&str, usize),
    mut each: impl FnMut(&[String], usize) -> Result<(), Failure>,
) -> Result<bool, Failure> {
    let (mut batch, mut first) = (Vec::new(), 1);
    loop {
        let mut line = String::new();
        let read = lines.read_line(&mut line).map_err(|error| {
            Failure::Text(
                Source::named(name),
                vec![files::unreadable(Path::new(name), &error)],
            )
        })?;
        let whole = line.ends_with('\n');
        if whole {
            line.pop();
            batch.push(line);
        }
        if batch.len() == at_once || !whole {
            each(&batch, first)?;
            first += batch.len();
            batch.clear();
        }
        if !whole {
            return Ok(read > 0);
        }
    }
}

/// Returns what a ledger says as a failure of a command.
pub(super) fn failure(error: StoreError) -> Failure {
    Failure::World {
        message: error.message,
        help: None,
    }
}

/// Reads a moment, or how long ago it is.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    match text.parse::<Span>() {
        Ok(ago) => Ok(wiring::now() - ago),
        Err(_) => {
            Err("write a time like 2026-11-22T09:00:00Z, or how long ago it is, like 7d or 90m".to_owned())
        }
    }
}
