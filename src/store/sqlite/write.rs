//! Adding lines: each is on the disk, with all that it is found by, before an append returns.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::damage::told;
use super::{Sqlite, Writer};
use crate::store::facts::Facts;
use crate::store::halts::milliseconds;
use crate::store::{StoreError, StoreFault};

/// Longer lines are kept deflated: those that an engine began with, which hold a week of samples of every pool.
const LINE_PACKED_BYTES: usize = 64 << 10;

impl Sqlite {
    /// Adds lines, all or none, and returns the number of the last; there is at least one.
    pub(in crate::store) fn append_all(&self, lines: &[&str]) -> Result<u64, StoreError> {
        let facts = lines.iter().map(|line| Facts::read(line));
        let facts: Vec<Facts> = facts.collect::<Result<_, _>>()?;
        let fence = self.fence()?;
        let name = self.name();
        let mut writer = self.writer();
        if let Some(damaged) = &writer.damaged {
            return Err(damaged.clone());
        }
        if writer.read_only {
            let message = format!("{name} was opened to read from it alone");
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        let added = writer.add(fence, lines, &facts);
        let added = added.map_err(|error| told(&name, &error));
        match added {
            Ok(Some(number)) => Ok(number),
            Ok(None) => {
                drop(writer);
                Err(self.lost_lead())
            }
            Err(error) => {
                if error.fault == StoreFault::Damaged {
                    writer.damaged = Some(error.clone());
                }
                Err(error)
            }
        }
    }
}

impl Writer {
    /// Says whether what is written next must be on the disk before a commit returns.
    pub(super) fn flush(&mut self, flush: bool) -> Result<(), rusqlite::Error> {
        if flush != self.flushes {
            let word = if flush { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", word)?;
            self.flushes = flush;
        }
        Ok(())
    }

    /// Adds lines in one transaction; `None` when the fence is not the latest.
    fn add(&mut self, fence: i64, lines: &[&str], facts: &[Facts]) -> Result<Option<u64>, rusqlite::Error> {
        // A look without an order may be lost with the machine, but not with the process: what follows from it is nothing.
        self.flush(facts.iter().any(|facts| facts.weighty))?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        if !is_latest(&transaction, fence)? {
            return Ok(None);
        }
        let mut prices = None;
        let mut number = 0;
        for (line, facts) in lines.iter().zip(facts) {
            prices = facts.prices.as_ref().or(prices);
            let known = prices.unwrap_or(&self.prices);
            let price = facts.policy.as_ref().and_then(|policy| known.get(policy));
            number = add_one(&transaction, line, facts, price)?;
        }
        transaction.commit()?;
        if let Some(prices) = prices {
            self.prices.clone_from(prices);
        }
        Ok(Some(number.cast_unsigned()))
    }
}

fn is_latest(transaction: &Transaction<'_>, fence: i64) -> Result<bool, rusqlite::Error> {
    let mut latest = transaction.prepare_cached("SELECT coalesce(max(fence), 0) FROM lead")?;
    latest.query_row([], |row| Ok(row.get::<_, i64>(0)? == fence))
}

fn add_one(
    connection: &Connection,
    line: &str,
    facts: &Facts,
    price: Option<&[f64; 2]>,
) -> Result<i64, rusqlite::Error> {
    let packed = (line.len() > LINE_PACKED_BYTES).then(|| pack(line));
    let plain = packed.is_none().then_some(line);
    let mut insert = connection.prepare_cached(
        "INSERT INTO ledger (at, kind, pool, policy, verdict, dedicated, spot, held_dedicated, held_spot,
            price_dedicated, price_spot, line, packed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    insert.execute(params![
        milliseconds(facts.at),
        facts.kind.word(),
        facts.pool,
        facts.policy,
        facts.verdict,
        facts.target.map(|mix| mix.dedicated.0),
        facts.target.map(|mix| mix.spot.0),
        facts.held.map(|mix| mix.dedicated.0),
        facts.held.map(|mix| mix.spot.0),
        price.map(|price| price[0]),
        price.map(|price| price[1]),
        plain,
        packed,
    ])?;
    let number = connection.last_insert_rowid();
    if !facts.text.is_empty() || !facts.reasons.is_empty() {
        let mut insert = connection
            .prepare_cached("INSERT INTO ledger_text (rowid, pool, reasons, said) VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![number, facts.pool, facts.reasons, facts.text])?;
    }
    Ok(number)
}

fn pack(line: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder.write_all(line.as_bytes()).and_then(|()| encoder.finish());
    packed.expect("writing to memory does not fail")
}
