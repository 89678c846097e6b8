//! Finding lines: every search walks one index in the order asked for and stops when the page is full.

use std::io::Read as _;

use flate2::read::ZlibDecoder;
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};

use super::Sqlite;
use crate::account::PoolId;
use crate::base::{Mix, Timestamp};
use crate::store::halts::{instant, milliseconds};
use crate::store::keep::HELD_ROWS;
use crate::store::report::{Held, Stretch};
use crate::store::search::{Numbers, ends_of, numbers_of};
use crate::store::{Found, Glimpse, Glimpsed, Page, Search, StoreError};

impl Sqlite {
    /// Returns the lines from the latest `started` line on.
    pub(in crate::store) fn since_started(&self) -> Result<Vec<String>, StoreError> {
        self.reading(|connection| {
            let mut lines = connection.prepare_cached(
                "SELECT number, at, pool, kind, line, packed FROM ledger
                 WHERE number >= (SELECT max(number) FROM ledger WHERE kind = 'started') ORDER BY number",
            )?;
            let lines = lines.query_map([], |row| found(row).map(|found| found.line))?;
            lines.collect()
        })
    }

    /// Returns the latest decision about a pool at or before a moment.
    pub(in crate::store) fn decision_at(
        &self,
        pool: &PoolId,
        at: Timestamp,
    ) -> Result<Option<Found>, StoreError> {
        self.reading(|connection| {
            let mut decision = connection.prepare_cached(
                "SELECT number, at, pool, kind, line, packed FROM ledger
                 WHERE pool = ?1 AND at <= ?2 AND +kind = 'decided' ORDER BY at DESC, number DESC LIMIT 1",
            )?;
            decision
                .query_row(params![pool.as_str(), milliseconds(at)], found)
                .optional()
        })
    }

    /// Returns the nodes that some decisions saw, those behind a number, the oldest first; none when there are no more.
    pub(in crate::store) fn held(
        &self,
        stretch: &Stretch,
        after: u64,
    ) -> Result<Vec<(u64, Held)>, StoreError> {
        let from = stretch.from.map_or(i64::MIN, milliseconds);
        let to = stretch.to.map_or(i64::MAX, milliseconds);
        let pool = stretch.pool.as_ref().map(PoolId::as_str);
        self.reading(|connection| {
            // Lines before the first block of that time, and behind the last, are not gone through.
            let [first, last] = match (stretch.from, stretch.to) {
                (None, None) => [0, i64::MAX],
                _ => connection
                    .prepare_cached(
                        "SELECT coalesce(min(block), 0), coalesce(max(block), -1) FROM ledger_times
                         WHERE latest >= ?1 AND earliest <= ?2",
                    )?
                    .query_row([from, to], |row| Ok(ends_of(row.get(0)?, row.get(1)?)))?,
            };
            let first = first.max(after.cast_signed().saturating_add(1));
            let mut held = connection.prepare_cached(
                "SELECT number, pool, at, held_dedicated, held_spot, price_dedicated, price_spot FROM ledger
                 WHERE kind = 'decided' AND number BETWEEN ?1 AND ?2 AND +at BETWEEN ?3 AND ?4
                     AND (?5 IS NULL OR +pool = ?5) AND held_spot IS NOT NULL ORDER BY number LIMIT ?6",
            )?;
            let rows = held.query_map(params![first, last, from, to, pool, HELD_ROWS], |row| {
                let pool: String = row.get(1)?;
                let prices = row.get::<_, Option<f64>>(5)?.zip(row.get::<_, Option<f64>>(6)?);
                let held = Held {
                    pool: pool
                        .parse()
                        .map_err(|error| odd(1, Type::Text, format!("{error}")))?,
                    at: instant(row.get(2)?),
                    nodes: Mix::new(row.get(3)?, row.get(4)?),
                    prices: prices.map(<[f64; 2]>::from),
                };
                Ok((row.get::<_, i64>(0)?.cast_unsigned(), held))
            })?;
            rows.collect()
        })
    }

    /// Returns some decisions about a pool in short, those behind a moment and a number; none when there are no more.
    pub(in crate::store) fn glimpses(
        &self,
        glimpsed: &Glimpsed,
        after: (Timestamp, u64),
    ) -> Result<Vec<Glimpse>, StoreError> {
        let to = milliseconds(glimpsed.to);
        let after = (milliseconds(after.0), after.1.cast_signed());
        self.reading(|connection| {
            let mut glimpses = connection.prepare_cached(
                "SELECT number, at, verdict, dedicated, spot, held_dedicated, held_spot, price_dedicated, price_spot
                 FROM ledger WHERE pool = ?1 AND at <= ?2 AND (at, number) > (?3, ?4) AND +kind = 'decided'
                     AND dedicated IS NOT NULL AND spot IS NOT NULL
                 ORDER BY at, number LIMIT ?5",
            )?;
            let asked = params![glimpsed.pool.as_str(), to, after.0, after.1, HELD_ROWS];
            let rows = glimpses.query_map(asked, |row| {
                let held = row.get::<_, Option<u32>>(5)?.zip(row.get::<_, Option<u32>>(6)?);
                let prices = row.get::<_, Option<f64>>(7)?.zip(row.get::<_, Option<f64>>(8)?);
                Ok(Glimpse {
                    number: row.get::<_, i64>(0)?.cast_unsigned(),
                    at: instant(row.get(1)?),
                    verdict: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                    outcome: Mix::new(row.get(3)?, row.get(4)?),
                    held: held.map(|(dedicated, spot)| Mix::new(dedicated, spot)),
                    prices: prices.map(<[f64; 2]>::from),
                })
            })?;
            rows.collect()
        })
    }

    /// Searches the ledger.
    pub(in crate::store) fn search(&self, search: &Search) -> Result<Page, StoreError> {
        self.reading(|connection| {
            let mut page = Page::default();
            for numbers in within(search, connection)? {
                let asked = Asked::of(search, numbers);
                let mut lines = connection.prepare_cached(&asked.text)?;
                let rows = lines.query_map(params_from_iter(asked.values), found)?;
                if !page.take_in(search, rows)? {
                    break;
                }
            }
            Ok(page)
        })
    }
}

/// A search as SQL.
#[derive(Default)]
struct Asked {
    text: String,
    values: Vec<Value>,
}

impl Asked {
    /// Returns the statement that looks through a stretch of the ledger, or through all of it.
    fn of(search: &Search, numbers: Option<Numbers>) -> Self {
        let mut asked = Self::default();
        let words = match_words(search);
        asked.text.push_str(if words.is_some() {
            "SELECT number, at, ledger.pool, kind, line, packed FROM ledger_text
             CROSS JOIN ledger ON ledger.number = ledger_text.rowid WHERE ledger_text MATCH "
        } else {
            "SELECT number, at, pool, kind, line, packed FROM ledger WHERE "
        });
        let number = match words {
            Some(words) => {
                asked.value(words);
                "ledger_text.rowid"
            }
            None => {
                asked.text.push('1');
                "number"
            }
        };
        if let Some((first, last)) = numbers {
            asked.and(&format!("{number} >= "), first);
            asked.and(&format!("{number} <= "), last);
            // The plus keeps SQLite from walking the index of times, whose order is another one.
            asked.and("+ledger.at >= ", earliest(search));
            asked.and("+ledger.at <= ", latest(search));
        }
        if let Some(pool) = &search.pool {
            asked.and("ledger.pool = ", pool.as_str().to_owned());
        }
        if let Some(kind) = search.kind {
            asked.and("ledger.kind = ", kind.word().to_owned());
        }
        let (behind, order) = if search.newest_first {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        if let Some(after) = search.after {
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            asked.and(&format!("{number} {behind} "), after);
        }
        asked.text.push_str(&format!(" ORDER BY {number} {order} LIMIT "));
        asked.value(i64::try_from(search.page_lines() + 1).unwrap_or(i64::MAX));
        asked
    }

    fn and(&mut self, condition: &str, value: impl Into<Value>) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.value(value);
    }

    fn value(&mut self, value: impl Into<Value>) {
        self.values.push(value.into());
        self.text.push_str(&format!("?{}", self.values.len()));
    }
}

fn earliest(search: &Search) -> i64 {
    search.from.map_or(i64::MIN, milliseconds)
}

fn latest(search: &Search) -> i64 {
    search.to.map_or(i64::MAX, milliseconds)
}

/// Returns the stretches of the ledger in which lines of the time asked for are, in the order asked for; all of it where no time is.
fn within(search: &Search, connection: &Connection) -> Result<Vec<Option<Numbers>>, rusqlite::Error> {
    if search.from.is_none() && search.to.is_none() {
        return Ok(vec![None]);
    }
    let mut blocks = connection.prepare_cached(
        "SELECT block FROM ledger_times WHERE latest >= ?1 AND earliest <= ?2 ORDER BY block",
    )?;
    let blocks = blocks.query_map([earliest(search), latest(search)], |row| row.get(0))?;
    let blocks: Vec<i64> = blocks.collect::<Result<_, _>>()?;
    Ok(numbers_of(blocks, search.newest_first)
        .into_iter()
        .map(Some)
        .collect())
}

/// Returns what the index of words is asked, when words or a reason are looked for.
fn match_words(search: &Search) -> Option<String> {
    let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
    let said = search.words().map(|word| match word.strip_suffix('*') {
        Some(start) => format!("said : {} *", quoted(start)),
        None => format!("said : {}", quoted(word)),
    });
    let reason = search
        .reason
        .iter()
        .map(|code| format!("reasons : {}", quoted(code)));
    let mut words: Vec<String> = said.chain(reason).collect();
    if words.is_empty() {
        return None;
    }
    // Narrows the walk; the column of the ledger decides.
    words.extend(
        search
            .pool
            .iter()
            .map(|pool| format!("pool : {}", quoted(pool.as_str()))),
    );
    Some(words.join(" AND "))
}

/// Says that a column holds what it cannot.
fn odd(column: usize, kind: Type, why: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, kind, why.into())
}

/// Reads `number, at, pool, kind, line, packed`.
pub(super) fn found(row: &Row<'_>) -> Result<Found, rusqlite::Error> {
    let pool: Option<String> = row.get(2)?;
    let pool: Option<Result<PoolId, _>> = pool.map(|pool| pool.parse());
    let pool = pool
        .transpose()
        .map_err(|error| odd(2, Type::Text, format!("{error}")))?;
    let kind: String = row.get(3)?;
    let line = match row.get::<_, Option<String>>(4)? {
        Some(line) => line,
        None => unpack(row.get_ref(5)?.as_blob()?).map_err(|error| odd(5, Type::Blob, error.to_string()))?,
    };
    Ok(Found {
        number: row.get::<_, i64>(0)?.cast_unsigned(),
        at: instant(row.get(1)?),
        pool,
        kind: kind.parse().map_err(|error| odd(3, Type::Text, error))?,
        line,
    })
}

fn unpack(packed: &[u8]) -> std::io::Result<String> {
    let mut line = String::new();
    ZlibDecoder::new(packed).read_to_string(&mut line)?;
    Ok(line)
}
