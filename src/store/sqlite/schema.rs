//! The tables, and how they came to be: numbered steps that each file has taken or will take.

use rusqlite::{Connection, TransactionBehavior};

/// The steps, oldest first; a step that was released is never changed. `user_version` counts those that a file has taken.
const STEPS: &[&str] = &[
    // 1: the ledger with what it is searched by, what it says word by word, who steers, and what is halted.
    "
    CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,         -- in the order of writing
        at INTEGER NOT NULL,                -- milliseconds since 1970
        kind TEXT NOT NULL,
        pool TEXT COLLATE NOCASE,
        policy TEXT,
        verdict TEXT,                       -- out, in, shift, steady, hold; or what became of an order
        dedicated INTEGER,                  -- where a decision ends, or what was ordered
        spot INTEGER,
        held_dedicated INTEGER,             -- the nodes that were there
        held_spot INTEGER,
        price_dedicated REAL,               -- dollars for an hour of a node
        price_spot REAL,
        line TEXT,                          -- the line, byte for byte
        packed BLOB                         -- a long line, deflated
    ) STRICT;
    -- Each index ends with the number, as every index of SQLite does.
    CREATE INDEX ledger_at ON ledger (at);
    CREATE INDEX ledger_kind ON ledger (kind);
    CREATE INDEX ledger_pool ON ledger (pool);
    CREATE INDEX ledger_pool_at ON ledger (pool, at);
    CREATE VIRTUAL TABLE ledger_text USING fts5 (pool, reasons, said, content = '', contentless_delete = 1);
    CREATE TABLE lead (
        name TEXT PRIMARY KEY,
        holder TEXT NOT NULL,
        fence INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE halts (
        pool TEXT PRIMARY KEY COLLATE NOCASE,   -- an id or a pattern
        scope TEXT NOT NULL,
        until INTEGER,                          -- milliseconds since 1970; for good without
        why TEXT NOT NULL,
        by TEXT,
        since INTEGER NOT NULL
    ) STRICT;
    ",
    // 2: the halts of one pattern that different people made stand side by side.
    "
    CREATE TABLE halts_of_each (
        pool TEXT NOT NULL COLLATE NOCASE,      -- an id or a pattern
        scope TEXT NOT NULL,
        until INTEGER,                          -- milliseconds since 1970; for good without
        why TEXT NOT NULL,
        by TEXT NOT NULL,                       -- empty where nobody says
        since INTEGER NOT NULL,
        PRIMARY KEY (pool, by)
    ) STRICT;
    INSERT INTO halts_of_each SELECT pool, scope, until, why, coalesce(by, ''), since FROM halts;
    DROP TABLE halts;
    ALTER TABLE halts_of_each RENAME TO halts;
    ",
    // 3: where the lines of a time are, and those of a pool of one kind. The file itself keeps account of it, so that a line is
    // found also when a version wrote it that does not know of this step and still steers while another waits.
    "
    CREATE TABLE ledger_times (
        block INTEGER PRIMARY KEY,              -- a line's number through 512
        earliest INTEGER NOT NULL,              -- milliseconds since 1970
        latest INTEGER NOT NULL
    ) STRICT;
    INSERT INTO ledger_times SELECT number / 512, min(at), max(at) FROM ledger GROUP BY number / 512;
    CREATE TRIGGER ledger_is_timed AFTER INSERT ON ledger BEGIN
        INSERT INTO ledger_times VALUES (new.number / 512, new.at, new.at)
            ON CONFLICT (block) DO UPDATE SET earliest = min(earliest, new.at), latest = max(latest, new.at);
    END;
    CREATE INDEX ledger_pool_kind ON ledger (pool, kind);
    ",
];

/// Marks a file as a ledger of ours ("tide").
pub(super) const APPLICATION_ID: i32 = 0x7469_6465;

/// How many steps this version knows.
#[expect(clippy::cast_possible_wrap, reason = "steps are few")]
pub(super) const VERSION: i32 = STEPS.len() as i32;

/// Takes the steps that are still to be taken, each whole or not at all.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    for (taken, step) in (0..).zip(STEPS) {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Read again inside: another process may have taken it meanwhile.
        let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == taken {
            transaction.execute_batch(step)?;
            transaction.pragma_update(None, "user_version", taken + 1)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        }
        transaction.commit()?;
    }
    Ok(())
}
