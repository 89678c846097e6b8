//! Finding lines in PostgreSQL, whose planner chooses the index.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, Row};

use super::{Postgres, StoreError, StoreFault};
use crate::account::PoolId;
use crate::base::{Mix, Timestamp};
use crate::store::halts::{instant, milliseconds};
use crate::store::keep::HELD_ROWS;
use crate::store::report::{Held, Stretch};
use crate::store::search::{Numbers, ends_of, numbers_of};
use crate::store::{Found, Glimpse, Glimpsed, Page, Search};

/// A value of a statement.
type Value = Box<dyn ToSql + Send + Sync>;

impl Postgres {
    /// Returns the lines from the latest `started` line on.
    pub(in crate::store) fn since_started(&self) -> Result<Vec<String>, StoreError> {
        self.ask(async |client| {
            let lines = "SELECT line FROM lowtide_ledger
                WHERE number >= (SELECT max(number) FROM lowtide_ledger WHERE kind = 'started') ORDER BY number";
            let rows = client.query(lines, &[]).await?;
            rows.iter().map(|row| row.try_get(0)).collect()
        })
    }

    /// Returns the latest decision about a pool at or before a moment.
    pub(in crate::store) fn decision_at(
        &self,
        pool: &PoolId,
        at: Timestamp,
    ) -> Result<Option<Found>, StoreError> {
        let (pool, at) = (pool.as_str().to_lowercase(), milliseconds(at));
        let row = self.ask(async move |client| {
            let decision = "SELECT number, at, pool, kind, line FROM lowtide_ledger
                WHERE lower(pool) = $1 AND at <= $2 AND kind = 'decided' ORDER BY at DESC, number DESC LIMIT 1";
            client.query_opt(decision, &[&pool, &at]).await
        })?;
        row.map(|row| self.found(&row)).transpose()
    }

    /// Returns the nodes that some decisions saw, those behind a number, the oldest first; none when there are no more.
    pub(in crate::store) fn held(
        &self,
        stretch: &Stretch,
        after: u64,
    ) -> Result<Vec<(u64, Held)>, StoreError> {
        let from = stretch.from.map_or(i64::MIN, milliseconds);
        let to = stretch.to.map_or(i64::MAX, milliseconds);
        let pool = stretch.pool.as_ref().map(|pool| pool.as_str().to_lowercase());
        let is_whole = stretch.from.is_none() && stretch.to.is_none();
        let rows = self.ask(async move |client| {
            // Lines before the first block of that time, and behind the last, are not gone through.
            let [first, last] = if is_whole {
                [0, i64::MAX]
            } else {
                let ends = "SELECT coalesce(min(block), 0), coalesce(max(block), -1) FROM lowtide_times
                    WHERE latest >= $1 AND earliest <= $2";
                let row = client.query_one(ends, &[&from, &to]).await?;
                ends_of(row.try_get(0)?, row.try_get(1)?)
            };
            let first = first.max(after.cast_signed().saturating_add(1));
            let held = "SELECT number, pool, at, held_dedicated, held_spot, price_dedicated, price_spot FROM lowtide_ledger
                WHERE kind = 'decided' AND number BETWEEN $1 AND $2 AND at + 0 BETWEEN $3 AND $4
                    AND ($5::text IS NULL OR lower(pool) = $5) AND held_spot IS NOT NULL ORDER BY number LIMIT $6";
            client.query(held, &[&first, &last, &from, &to, &pool, &HELD_ROWS]).await
        })?;
        let nodes = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let read = |row: &Row| {
            let pool: String = row.get(1);
            let odd =
                |error: crate::account::PoolIdError| StoreError::new(StoreFault::Foreign, error.to_string());
            let prices = row.get::<_, Option<f64>>(5).zip(row.get::<_, Option<f64>>(6));
            let held = Held {
                pool: pool.parse().map_err(odd)?,
                at: instant(row.get(2)),
                nodes: Mix::new(nodes(row.get(3)), nodes(row.get(4))),
                prices: prices.map(<[f64; 2]>::from),
            };
            Ok((row.get::<_, i64>(0).cast_unsigned(), held))
        };
        rows.iter().map(read).collect()
    }

    /// Returns some decisions about a pool in short, those behind a moment and a number; none when there are no more.
    pub(in crate::store) fn glimpses(
        &self,
        glimpsed: &Glimpsed,
        after: (Timestamp, u64),
    ) -> Result<Vec<Glimpse>, StoreError> {
        let (pool, to) = (glimpsed.pool.as_str().to_lowercase(), milliseconds(glimpsed.to));
        let after = (milliseconds(after.0), after.1.cast_signed());
        let rows = self.ask(async move |client| {
            let glimpses = "SELECT number, at, verdict, dedicated, spot, held_dedicated, held_spot, price_dedicated, price_spot
                FROM lowtide_ledger WHERE lower(pool) = $1 AND at <= $2 AND (at, number) > ($3, $4) AND kind = 'decided'
                    AND dedicated IS NOT NULL AND spot IS NOT NULL
                ORDER BY at, number LIMIT $5";
            client.query(glimpses, &[&pool, &to, &after.0, &after.1, &HELD_ROWS]).await
        })?;
        let nodes = |count: i64| u32::try_from(count).unwrap_or(u32::MAX);
        let mix = |(dedicated, spot)| Mix::new(nodes(dedicated), nodes(spot));
        let read = |row: &Row| {
            let held = row.get::<_, Option<i64>>(5).zip(row.get(6));
            let prices = row.get::<_, Option<f64>>(7).zip(row.get::<_, Option<f64>>(8));
            Glimpse {
                number: row.get::<_, i64>(0).cast_unsigned(),
                at: instant(row.get(1)),
                verdict: row.get::<_, Option<String>>(2).unwrap_or_default(),
                outcome: mix((row.get(3), row.get(4))),
                held: held.map(mix),
                prices: prices.map(<[f64; 2]>::from),
            }
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Searches the ledger.
    pub(in crate::store) fn search(&self, search: &Search) -> Result<Page, StoreError> {
        let asked = search.clone();
        let rows = self.ask(async move |client| {
            let mut rows = Vec::new();
            for numbers in within(&asked, client).await? {
                let lines = Asked::of(&asked, numbers);
                let values: Vec<&(dyn ToSql + Sync)> =
                    lines.values.iter().map(|value| &**value as _).collect();
                rows.extend(client.query(&lines.text, &values).await?);
                if rows.len() > asked.page_lines() {
                    break;
                }
            }
            Ok(rows)
        })?;
        let mut page = Page::default();
        page.take_in(search, rows.iter().map(|row| self.found(row)))?;
        Ok(page)
    }

    /// Reads `number, at, pool, kind, line`.
    fn found(&self, row: &Row) -> Result<Found, StoreError> {
        let read = || -> Result<_, Error> {
            let number: i64 = row.try_get(0)?;
            let pool: Option<String> = row.try_get(2)?;
            Ok((
                number,
                row.try_get::<_, i64>(1)?,
                pool,
                row.try_get::<_, String>(3)?,
                row.try_get(4)?,
            ))
        };
        let (number, at, pool, kind, line) = read().map_err(|error| self.told(&error))?;
        let odd = |why: String| {
            StoreError::new(
                StoreFault::Foreign,
                format!("line {number} of {}: {why}", self.name),
            )
        };
        let pool = pool.map(|pool| pool.parse()).transpose();
        Ok(Found {
            number: number.cast_unsigned(),
            at: instant(at),
            pool: pool.map_err(|error: crate::account::PoolIdError| odd(error.to_string()))?,
            kind: kind.parse().map_err(odd)?,
            line,
        })
    }
}

/// A search as SQL.
struct Asked {
    text: String,
    values: Vec<Value>,
}

impl Asked {
    /// Returns the statement that looks through a stretch of the ledger, or through all of it.
    fn of(search: &Search, numbers: Option<Numbers>) -> Self {
        let mut asked = Self {
            text: "SELECT number, at, pool, kind, line FROM lowtide_ledger WHERE true".to_owned(),
            values: Vec::new(),
        };
        if let Some((first, last)) = numbers {
            let times = times(search);
            asked.and("number BETWEEN ", first);
            asked.text.push_str(" AND ");
            asked.value(last);
            // Added to, so that the index of times is not walked, whose order is another one.
            asked.and("at + 0 BETWEEN ", times[0]);
            asked.text.push_str(" AND ");
            asked.value(times[1]);
        }
        if let Some(pool) = &search.pool {
            asked.and("lower(pool) = ", pool.as_str().to_lowercase());
        }
        if let Some(kind) = search.kind {
            asked.and("kind = ", kind.word());
        }
        if let Some(reason) = &search.reason {
            let lexeme = format!("r:{}", reason.to_lowercase());
            asked.and("found_by @@ ", quoted(&lexeme));
            asked.text.push_str("::text::tsquery");
        }
        for word in search.words() {
            if let Some(start) = word.strip_suffix('*') {
                asked.and("found_by @@ ", format!("{}:*", quoted(&start.to_lowercase())));
                asked.text.push_str("::text::tsquery");
            } else {
                asked.and("found_by @@ phraseto_tsquery('simple', ", word.to_owned());
                asked.text.push(')');
            }
        }
        let (behind, order) = if search.newest_first {
            ("<", "DESC")
        } else {
            (">", "ASC")
        };
        if let Some(after) = search.after {
            let after = i64::try_from(after).unwrap_or(i64::MAX);
            asked.and(&format!("number {behind} "), after);
        }
        asked.text.push_str(&format!(
            " ORDER BY number {order} LIMIT {}",
            search.page_lines() + 1
        ));
        asked
    }

    fn and(&mut self, condition: &str, value: impl ToSql + Send + Sync + 'static) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
        self.value(value);
    }

    fn value(&mut self, value: impl ToSql + Send + Sync + 'static) {
        self.values.push(Box::new(value));
        self.text.push_str(&format!("${}", self.values.len()));
    }
}

/// Returns a lexeme as a query has it.
fn quoted(lexeme: &str) -> String {
    format!("'{}'", lexeme.replace('\\', "\\\\").replace('\'', "''"))
}

/// Returns the first and the last millisecond asked for.
fn times(search: &Search) -> [i64; 2] {
    [
        search.from.map_or(i64::MIN, milliseconds),
        search.to.map_or(i64::MAX, milliseconds),
    ]
}

/// Returns the stretches of the ledger in which lines of the time asked for are, in the order asked for; all of it where no time is.
async fn within(search: &Search, client: &deadpool_postgres::Client) -> Result<Vec<Option<Numbers>>, Error> {
    if search.from.is_none() && search.to.is_none() {
        return Ok(vec![None]);
    }
    let blocks = "SELECT block FROM lowtide_times WHERE latest >= $1 AND earliest <= $2 ORDER BY block";
    let [from, to] = times(search);
    let rows = client.query(blocks, &[&from, &to]).await?;
    let blocks = rows.iter().map(|row| row.get(0));
    Ok(numbers_of(blocks, search.newest_first)
        .into_iter()
        .map(Some)
        .collect())
}
