//! What goes and what is halted.

use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::Sqlite;
use super::damage::told;
use crate::account::PoolPattern;
use crate::base::Timestamp;
use crate::store::halts::milliseconds;
use crate::store::keep::STEP_LINES;
use crate::store::search::BLOCK_LINES;
use crate::store::{KeptHalt, StoreError};

/// Pages that go back to the disk with each step: more than its lines have taken.
const STEP_PAGES: i64 = 1024;

impl Sqlite {
    /// Takes away some lines before a number, the oldest, and returns how many.
    pub(in crate::store) fn prune_before(&self, number: i64) -> Result<u64, StoreError> {
        let fence = self.fence()?;
        let name = self.name();
        let mut writer = self.writer();
        let mut prune = || {
            let transaction = writer
                .connection
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            let latest: i64 =
                transaction.query_row("SELECT coalesce(max(fence), 0) FROM lead", [], |row| row.get(0))?;
            if latest != fence {
                return Ok(0);
            }
            let last: Option<i64> = transaction.query_row(
                "SELECT max(number) FROM (SELECT number FROM ledger WHERE number < ?1 ORDER BY number LIMIT ?2)",
                [number, STEP_LINES],
                |row| row.get(0),
            )?;
            let Some(last) = last else { return Ok(0) };
            transaction.execute("DELETE FROM ledger_text WHERE rowid <= ?1", [last])?;
            let gone = transaction.execute("DELETE FROM ledger WHERE number <= ?1", [last])?;
            transaction.execute("DELETE FROM ledger_times WHERE block < ?1", [last / BLOCK_LINES])?;
            transaction.commit()?;
            let mut free = writer
                .connection
                .prepare_cached(&format!("PRAGMA incremental_vacuum({STEP_PAGES})"))?;
            let mut pages = free.query([])?;
            while pages.next()?.is_some() {}
            Ok(gone as u64)
        };
        prune().map_err(|error: rusqlite::Error| told(&name, &error))
    }

    /// Returns how many bytes the pages in use take.
    pub(in crate::store) fn bytes(&self) -> Result<u64, StoreError> {
        self.reading(|connection| {
            let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
            let used = pragma("page_count")? - pragma("freelist_count")?;
            Ok((used * pragma("page_size")?).max(0).cast_unsigned())
        })
    }

    /// Limits the pages of the file, and returns the limit.
    pub(in crate::store) fn limit_pages(&self, pages: u32) -> Result<u32, StoreError> {
        let writer = self.writer();
        let limited = writer
            .connection
            .pragma_update_and_check(None, "max_page_count", pages, |row| row.get(0));
        limited.map_err(|error| told(&self.name(), &error))
    }

    pub(in crate::store) fn last_started_before(&self, at: Timestamp) -> Result<Option<i64>, StoreError> {
        self.reading(|connection| {
            connection.query_row(
                "SELECT max(number) FROM ledger WHERE kind = 'started' AND +at <= ?1",
                [milliseconds(at)],
                |row| row.get(0),
            )
        })
    }

    pub(in crate::store) fn second_started(&self) -> Result<Option<i64>, StoreError> {
        self.reading(|connection| {
            connection
                .query_row(
                    "SELECT number FROM ledger WHERE kind = 'started' ORDER BY number LIMIT 1 OFFSET 1",
                    [],
                    |row| row.get(0),
                )
                .optional()
        })
    }

    pub(in crate::store) fn halts(&self) -> Result<Vec<KeptHalt>, StoreError> {
        self.reading(|connection| {
            let mut halts = connection
                .prepare_cached("SELECT pool, scope, until, why, by, since FROM halts ORDER BY pool, by")?;
            let halts = halts.query_map([], |row| {
                Ok(KeptHalt::read((
                    row.get(0)?,
                    row.get(1)?,
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                )))
            })?;
            halts.collect()
        })
    }

    pub(in crate::store) fn halt(&self, halt: &KeptHalt) -> Result<(), StoreError> {
        let (pool, scope, until, why, by, since) = halt.row();
        self.change(
            "INSERT OR REPLACE INTO halts (pool, scope, until, why, by, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![pool, scope, until, why, by, since],
        )?;
        Ok(())
    }

    pub(in crate::store) fn lift(&self, pools: &PoolPattern, by: Option<&str>) -> Result<bool, StoreError> {
        let gone = self.change(
            "DELETE FROM halts WHERE pool = ?1 AND by = coalesce(?2, by)",
            params![pools.as_str(), by],
        )?;
        Ok(gone > 0)
    }

    /// Changes something that does not belong to whoever steers, durably.
    fn change(&self, statement: &str, values: impl rusqlite::Params) -> Result<usize, StoreError> {
        let name = self.name();
        let mut writer = self.writer();
        let changed = writer
            .flush(true)
            .and_then(|()| writer.connection.execute(statement, values));
        changed.map_err(|error| told(&name, &error))
    }
}
