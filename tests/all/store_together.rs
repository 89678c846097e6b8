//! What the ledger keeps side by side, and what it keeps together: halts of different people, lines of one look.

use lowtide::account::{Halt, HaltScope};
use lowtide::base::Timestamp;
use lowtide::serve::{Book, Keeps as _};
use lowtide::store::{KeptHalt, Search, Store};

use crate::store::{day, settings};

#[test]
fn halts_of_one_pattern_by_different_people_stand_side_by_side() {
    let store = Store::in_memory();
    let halt = |by: Option<&str>, scope| KeptHalt {
        pools: "farm".parse().unwrap(),
        halt: Halt {
            scope,
            until: None,
            why: String::new(),
            by: by.map(str::to_owned),
        },
        since: Timestamp::from_unix_seconds(3600),
    };
    let (ada, bob, nobody) = (Some("ada"), Some("bob"), None);
    for by in [ada, bob, nobody] {
        store.halt(&halt(by, HaltScope::In)).unwrap();
    }
    store.halt(&halt(ada, HaltScope::All)).unwrap();
    let farm = "FARM".parse().unwrap();
    let told = |store: &Store| -> Vec<_> {
        let halts = store.halts().unwrap().into_iter();
        halts.map(|kept| (kept.halt.by, kept.halt.scope)).collect()
    };
    let of = |by: Option<&str>, scope| (by.map(str::to_owned), scope);
    assert_eq!(
        told(&store),
        [
            of(nobody, HaltScope::In),
            of(ada, HaltScope::All),
            of(bob, HaltScope::In)
        ]
    );
    // What one of them forbids beside is allowed again, and what the others forbid stays.
    lowtide::serve::http::allow(&store, &"farm".parse().unwrap(), Some(HaltScope::In), ada).unwrap();
    assert_eq!(
        told(&store),
        [
            of(nobody, HaltScope::In),
            of(ada, HaltScope::Out),
            of(bob, HaltScope::In)
        ]
    );
    assert!(store.lift(&farm, bob).unwrap());
    assert!(!store.lift(&farm, bob).unwrap());
    assert_eq!(told(&store).len(), 2);
    assert!(store.lift(&farm, None).unwrap());
    assert!(told(&store).is_empty());
}

#[test]
fn a_ledger_of_the_first_schema_keeps_its_halts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    drop(Store::open(&settings(&path)).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE ledger_times;
         DROP TRIGGER ledger_is_timed;
         DROP INDEX ledger_pool_kind;
         DROP TABLE halts;
         CREATE TABLE halts (pool TEXT PRIMARY KEY COLLATE NOCASE, scope TEXT NOT NULL, until INTEGER, why TEXT NOT NULL,
             by TEXT, since INTEGER NOT NULL) STRICT;
         INSERT INTO halts VALUES ('farm', 'in', NULL, 'a fire', NULL, 3600000), ('lab', 'all', 1, '', 'ada', 3600000);
         PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(file);
    let halts = Store::open(&settings(&path)).unwrap().halts().unwrap();
    let told: Vec<_> = halts
        .iter()
        .map(|kept| (kept.pools.as_str(), kept.halt.by.as_deref(), &*kept.halt.why))
        .collect();
    assert_eq!(told, [("farm", None, "a fire"), ("lab", Some("ada"), "")]);
}

#[test]
fn lines_that_are_kept_together_are_numbered_one_after_the_other_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let lines = day();
    let mut book = Book::Store(Store::open(&settings(&path)).unwrap());
    assert_eq!(book.keep_all(&lines[..1]).unwrap(), Some(1));
    assert_eq!(book.keep_all(&lines[1..9]).unwrap(), Some(2));
    assert_eq!(book.keep_all(&lines[9..10]).unwrap(), Some(10));
    // One that is no line keeps the others from being kept as well.
    let mut some = lines[10..12].to_vec();
    some.push("no line".to_owned());
    book.keep_all(&some).unwrap_err();
    assert_eq!(book.keep_all(&lines[10..12]).unwrap(), Some(11));
    // So does a lead that somebody else has taken meanwhile.
    let other = Store::open(&settings(&path)).unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("UPDATE lead SET fence = fence + 1").unwrap();
    book.keep_all(&lines[12..14]).unwrap_err();
    let all = Search {
        limit: Search::LIMIT_MAX,
        ..Search::default()
    };
    assert_eq!(other.search(&all).unwrap().found.len(), 12);
}
