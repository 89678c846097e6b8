//! The tables in PostgreSQL: the same as in SQLite, step by step.

use deadpool_postgres::Client;
use tokio_postgres::Error;

/// The steps, oldest first; a step that was released is never changed.
const STEPS: &[&str] = &[
    // 1: the ledger with what it is searched by, who steers, and what is halted.
    "
    CREATE TABLE lowtide_ledger (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at bigint NOT NULL,
        kind text NOT NULL,
        pool text,
        policy text,
        verdict text,
        dedicated bigint,
        spot bigint,
        held_dedicated bigint,
        held_spot bigint,
        price_dedicated double precision,
        price_spot double precision,
        found_by tsvector NOT NULL,
        line text NOT NULL
    );
    COMMENT ON COLUMN lowtide_ledger.at IS 'milliseconds since 1970';
    COMMENT ON COLUMN lowtide_ledger.found_by IS 'the words of its sentences, p:pool, r:reason';
    CREATE INDEX lowtide_ledger_at ON lowtide_ledger (at, number);
    CREATE INDEX lowtide_ledger_kind ON lowtide_ledger (kind, number);
    CREATE INDEX lowtide_ledger_pool ON lowtide_ledger (lower(pool), number);
    CREATE INDEX lowtide_ledger_pool_at ON lowtide_ledger (lower(pool), at, number);
    CREATE INDEX lowtide_ledger_found_by ON lowtide_ledger USING gin (found_by);
    CREATE TABLE lowtide_lead (
        name text PRIMARY KEY,
        holder text NOT NULL,
        token text NOT NULL,
        fence bigint NOT NULL,
        expires_at timestamptz NOT NULL
    );
    COMMENT ON COLUMN lowtide_lead.token IS 'what tells instances of one name apart';
    CREATE TABLE lowtide_halts (
        pool text PRIMARY KEY,
        scope text NOT NULL,
        until bigint,
        why text NOT NULL,
        by text,
        since bigint NOT NULL
    );
    ",
    // 2: the halts of one pattern that different people made stand side by side.
    "
    UPDATE lowtide_halts SET by = '' WHERE by IS NULL;
    ALTER TABLE lowtide_halts ALTER COLUMN by SET NOT NULL;
    ALTER TABLE lowtide_halts DROP CONSTRAINT lowtide_halts_pkey;
    ALTER TABLE lowtide_halts ADD PRIMARY KEY (pool, by);
    ",
    // 3: where the lines of a time are, and those of a pool of one kind. The database itself keeps account of it, so that a line is
    // found also when a version wrote it that does not know of this step and still steers while another waits.
    "
    CREATE TABLE lowtide_times (
        block bigint PRIMARY KEY,
        earliest bigint NOT NULL,
        latest bigint NOT NULL
    );
    COMMENT ON COLUMN lowtide_times.block IS 'the number of a line through 512';
    CREATE FUNCTION lowtide_is_timed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO lowtide_times AS told SELECT number / 512, min(at), max(at) FROM added GROUP BY number / 512
            ON CONFLICT (block) DO UPDATE SET earliest = least(told.earliest, excluded.earliest),
                latest = greatest(told.latest, excluded.latest);
        RETURN NULL;
    END $$;
    CREATE TRIGGER lowtide_is_timed AFTER INSERT ON lowtide_ledger REFERENCING NEW TABLE AS added
        FOR EACH STATEMENT EXECUTE FUNCTION lowtide_is_timed();
    INSERT INTO lowtide_times SELECT number / 512, min(at), max(at) FROM lowtide_ledger GROUP BY number / 512;
    CREATE INDEX lowtide_ledger_pool_kind ON lowtide_ledger (lower(pool), kind, number);
    ",
];

/// How many steps this version knows.
#[expect(clippy::cast_possible_wrap, reason = "steps are few")]
pub(super) const VERSION: i32 = STEPS.len() as i32;

/// Held while steps are taken, so that two instances that start together do not both take them ("lowtide" in a telephone's digits).
const LOCK: i64 = 5_698_433;

/// Takes the steps that are still to be taken, and returns how many are taken then; however long the server is busy with one.
pub(super) async fn migrate(client: &mut Client) -> Result<i32, Error> {
    let transaction = client.transaction().await?;
    transaction
        .batch_execute("SET LOCAL statement_timeout = 0")
        .await?;
    transaction
        .execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK])
        .await?;
    transaction
        .batch_execute("CREATE TABLE IF NOT EXISTS lowtide_schema (version integer NOT NULL)")
        .await?;
    let row = transaction
        .query_one("SELECT coalesce(max(version), 0) FROM lowtide_schema", &[])
        .await?;
    let mut version: i32 = row.get(0);
    for step in STEPS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        transaction.batch_execute(step).await?;
        version += 1;
        transaction
            .execute("INSERT INTO lowtide_schema VALUES ($1)", &[&version])
            .await?;
    }
    transaction.commit().await?;
    Ok(version)
}

/// Returns how many steps a database has taken; none when there is no ledger.
pub(super) async fn version(client: &mut Client) -> Result<i32, Error> {
    let there = "SELECT to_regclass('lowtide_schema') IS NOT NULL";
    if !client.query_one(there, &[]).await?.get::<_, bool>(0) {
        return Ok(0);
    }
    let row = client
        .query_one("SELECT coalesce(max(version), 0) FROM lowtide_schema", &[])
        .await?;
    Ok(row.get(0))
}
