//! Reading what can be read of a damaged file.

use std::collections::VecDeque;
use std::path::Path;

use rusqlite::{Connection, Error, params};

use super::read::found;

/// A damaged file while it is read, line by line in their order.
pub(in crate::store) struct Wreck {
    connection: Connection,
    /// All up to this number was looked at.
    seen: i64,
    /// The last number, where that can be told.
    last: Option<i64>,
    ready: VecDeque<Result<String, u64>>,
    /// Stretches in a row in which nothing was found.
    empty: usize,
}

/// Lines that are asked for at once; where one of them cannot be read each is asked for by itself.
const STRETCH: i64 = 256;

/// Without knowing where a file ends it is given up after so many stretches without a line: a damaged page holds a few hundred
/// lines at most.
const EMPTY_MAX: usize = 64;

impl Wreck {
    pub(in crate::store) fn open(path: &Path) -> Result<Self, Error> {
        let connection = Connection::open(path)?;
        let last = connection.query_row("SELECT max(number) FROM ledger", [], |row| row.get(0));
        Ok(Self {
            last: last.unwrap_or(None),
            connection,
            seen: 0,
            ready: VecDeque::new(),
            empty: 0,
        })
    }

    /// Returns the next line, or how many lines could not be read there.
    pub(in crate::store) fn next(&mut self) -> Option<Result<String, u64>> {
        while self.ready.is_empty() {
            let over = match self.last {
                Some(last) => self.seen >= last,
                None => self.empty >= EMPTY_MAX,
            };
            if over {
                return None;
            }
            if let Err(_damaged) = self.read_stretch() {
                self.read_one_by_one();
            }
            let found = self.ready.iter().any(Result::is_ok);
            self.empty = if found { 0 } else { self.empty + 1 };
            self.seen += STRETCH;
        }
        self.ready.pop_front()
    }

    fn read_stretch(&mut self) -> Result<(), Error> {
        let mut lines = self.connection.prepare_cached(
            "SELECT number, at, pool, kind, line, packed FROM ledger WHERE number > ?1 AND number <= ?2 ORDER BY number",
        )?;
        let lines = lines.query_map(params![self.seen, self.seen + STRETCH], found)?;
        let lines: Vec<_> = lines.collect::<Result<_, _>>()?;
        self.ready.extend(lines.into_iter().map(|found| Ok(found.line)));
        Ok(())
    }

    fn read_one_by_one(&mut self) {
        let mut lost = 0;
        for number in self.seen + 1..=self.seen + STRETCH {
            let line = self.connection.query_row(
                "SELECT number, at, pool, kind, line, packed FROM ledger WHERE number = ?1",
                [number],
                found,
            );
            match line {
                Ok(found) => self.ready.push_back(Ok(found.line)),
                Err(Error::QueryReturnedNoRows) => {}
                Err(_) => lost += 1,
            }
        }
        // Where nobody knows how many there were, a number that cannot be read need not have been one.
        if lost > 0 && self.last.is_some() {
            self.ready.push_back(Err(lost));
        }
    }
}
