//! What goes and what is halted, in PostgreSQL.

use super::lead::ACCOUNT;
use super::{Postgres, StoreError};
use crate::account::PoolPattern;
use crate::base::Timestamp;
use crate::store::KeptHalt;
use crate::store::halts::milliseconds;
use crate::store::keep::STEP_LINES;
use crate::store::search::BLOCK_LINES;

impl Postgres {
    /// Takes away some lines before a number, the oldest, and returns how many.
    pub(in crate::store) fn prune_before(&self, number: i64) -> Result<u64, StoreError> {
        let (fence, token) = (self.fence()?, self.token.clone());
        self.ask(async move |client| {
            let prune = "WITH leads AS (
                    SELECT 1 FROM lowtide_lead
                    WHERE name = $1 AND token = $2 AND fence = $3 AND expires_at > clock_timestamp() FOR SHARE
                )
                DELETE FROM lowtide_ledger WHERE number IN (
                    SELECT number FROM lowtide_ledger WHERE number < $4 AND EXISTS (SELECT 1 FROM leads)
                    ORDER BY number LIMIT $5
                )";
            let gone = client
                .execute(prune, &[&ACCOUNT, &token, &fence, &number, &STEP_LINES])
                .await?;
            let times =
                "DELETE FROM lowtide_times WHERE block < (SELECT min(number) FROM lowtide_ledger) / $1";
            client.execute(times, &[&BLOCK_LINES]).await?;
            Ok(gone)
        })
    }

    /// Returns how many bytes the lines take, about: what a thousand of the latest take on average, indexes counted as much again.
    pub(in crate::store) fn bytes(&self) -> Result<u64, StoreError> {
        self.ask(async |client| {
            let bytes = "SELECT coalesce(((SELECT max(number) - min(number) + 1 FROM lowtide_ledger) * 2
                * (SELECT avg(pg_column_size(latest.*)) FROM
                    (SELECT * FROM lowtide_ledger ORDER BY number DESC LIMIT 1000) latest))::bigint, 0)";
            Ok(client
                .query_one(bytes, &[])
                .await?
                .get::<_, i64>(0)
                .cast_unsigned())
        })
    }

    pub(in crate::store) fn last_started_before(&self, at: Timestamp) -> Result<Option<i64>, StoreError> {
        let at = milliseconds(at);
        self.ask(async move |client| {
            let last = "SELECT max(number) FROM lowtide_ledger WHERE kind = 'started' AND at <= $1";
            client.query_one(last, &[&at]).await?.try_get(0)
        })
    }

    pub(in crate::store) fn second_started(&self) -> Result<Option<i64>, StoreError> {
        self.ask(async |client| {
            let second =
                "SELECT number FROM lowtide_ledger WHERE kind = 'started' ORDER BY number LIMIT 1 OFFSET 1";
            client
                .query_opt(second, &[])
                .await?
                .map(|row| row.try_get(0))
                .transpose()
        })
    }

    pub(in crate::store) fn halts(&self) -> Result<Vec<KeptHalt>, StoreError> {
        self.ask(async |client| {
            let halts = "SELECT pool, scope, until, why, by, since FROM lowtide_halts ORDER BY pool, by";
            let rows = client.query(halts, &[]).await?;
            let read = |row: &tokio_postgres::Row| {
                Ok(KeptHalt::read((
                    row.try_get(0)?,
                    row.try_get(1)?,
                    row.try_get(2)?,
                    row.try_get(3)?,
                    row.try_get(4)?,
                    row.try_get(5)?,
                )))
            };
            rows.iter().map(read).collect()
        })
    }

    pub(in crate::store) fn halt(&self, halt: &KeptHalt) -> Result<(), StoreError> {
        let (pool, scope, until, why, by, since) = halt.row();
        let pool = pool.to_lowercase();
        self.ask(async move |client| {
            let keep = "INSERT INTO lowtide_halts (pool, scope, until, why, by, since) VALUES ($1, $2, $3, $4, $5, $6)
                ON CONFLICT (pool, by) DO UPDATE SET scope = excluded.scope, until = excluded.until, why = excluded.why,
                    since = excluded.since";
            client.execute(keep, &[&pool, &scope, &until, &why, &by, &since]).await
        })?;
        Ok(())
    }

    pub(in crate::store) fn lift(&self, pools: &PoolPattern, by: Option<&str>) -> Result<bool, StoreError> {
        let (pool, by) = (pools.as_str().to_lowercase(), by.map(str::to_owned));
        let gone = self.ask(async move |client| {
            let lift = "DELETE FROM lowtide_halts WHERE pool = $1 AND by = coalesce($2::text, by)";
            client.execute(lift, &[&pool, &by]).await
        })?;
        Ok(gone > 0)
    }
}
