//! What a ledger in a file does when the disk is full, the file locked, damaged, foreign or from the future.

use std::path::Path;

use lowtide::base::Span;
use lowtide::engine::RecordError;
use lowtide::store::{Place, Search, Store, StoreFault, StoreSettings};
use lowtide::world::Ledger as _;
use rusqlite::Connection;

const LINE: &str = r#"{"kind":"unmatched","at":"2026-11-24T09:00:00.000Z"}"#;

fn settings(path: &Path) -> StoreSettings {
    StoreSettings {
        patience: Span::from_seconds(0.2),
        ..Place::Sqlite(path.to_owned()).into()
    }
}

fn lines(store: &Store) -> usize {
    store
        .search(&Search {
            limit: 1000,
            ..Search::default()
        })
        .unwrap()
        .found
        .len()
}

#[test]
fn a_locked_file_is_told_in_bounded_time_and_lines_are_kept_again_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut store = Store::open(&settings(&path)).unwrap();
    store.keep(LINE).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let begun = std::time::Instant::now();
    let RecordError { message } = store.append(LINE).unwrap_err();
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(message.contains("locked by another process"), "{message}");
    assert_eq!(store.health().trouble.unwrap().fault, StoreFault::Busy);
    assert_eq!(lines(&store), 1, "readers go on");
    other.execute_batch("ROLLBACK").unwrap();
    store.append(LINE).unwrap();
    assert_eq!((lines(&store), store.health().trouble), (2, None));
}

#[test]
fn a_full_disk_keeps_what_is_there_and_takes_lines_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&settings(&path)).unwrap();
    let pages = store.limit_pages(40).unwrap();
    assert!(pages <= 40);
    let mut kept = 0;
    let refused = loop {
        match store.keep(LINE) {
            Ok(_) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 100_000, "the limit is never reached");
    };
    assert_eq!(refused.fault, StoreFault::Full, "{refused}");
    assert!(refused.message.contains("there is no room"), "{refused}");
    assert_eq!(store.keep(LINE).unwrap_err().fault, StoreFault::Full);
    let all = |store: &Store| {
        let mut search = Search {
            limit: 1000,
            ..Search::default()
        };
        let mut count = 0;
        loop {
            let page = store.search(&search).unwrap();
            count += page.found.len();
            match page.next {
                Some(next) => search.after = Some(next),
                None => return count,
            }
        }
    };
    assert_eq!(all(&store), kept);
    store.limit_pages(1 << 20).unwrap();
    store.keep(LINE).unwrap();
    drop(store);
    assert_eq!(all(&Store::open(&settings(&path)).unwrap()), kept + 1);
}

#[test]
fn a_damaged_file_is_told_left_as_it_is_and_rescued() {
    for damaged in [
        b"not a database, but a diary of sorts, long enough to be read".repeat(100),
        vec![0xff; 8192],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        std::fs::write(&path, &damaged).unwrap();
        let error = Store::open(&settings(&path)).unwrap_err();
        assert_eq!(error.fault, StoreFault::Damaged, "{error}");
        assert!(error.message.contains("lowtide ledger rescue"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), damaged, "it is left as it is");
        let rescued = Store::rescue(&settings(&path), "2026-11-24T10:00:00Z".parse().unwrap()).unwrap();
        assert_eq!(
            (rescued.lines, std::fs::read(&rescued.aside).unwrap()),
            (0, damaged)
        );
        assert_eq!(lines(&Store::open(&settings(&path)).unwrap()), 0);
        std::fs::remove_file(&rescued.aside).unwrap();
    }
}

#[test]
fn nothing_is_rescued_from_under_who_steers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&settings(&path)).unwrap();
    store.lease("the sidecar").acquire().unwrap();
    store.keep(LINE).unwrap();
    let rescue = || Store::rescue(&settings(&path), "2026-11-24T10:00:00Z".parse().unwrap());
    let error = rescue().unwrap_err();
    assert_eq!(error.fault, StoreFault::NotLeading, "{error}");
    assert!(
        error.message.contains("steered by the sidecar; stop that first"),
        "{error}"
    );
    store.keep(LINE).unwrap();
    assert_eq!(lines(&store), 2, "nothing was moved");
    drop(store);
    assert_eq!(rescue().unwrap().lines, 2);
}

#[test]
fn a_page_that_was_damaged_stops_the_writing_and_the_rest_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let store = Store::open(&settings(&path)).unwrap();
    let line = |number: usize| {
        let message = format!("number {number} {}", "x".repeat(600));
        format!(
            r#"{{"kind":"blind","at":"2026-11-24T09:00:00.000Z","error":{{"message":"{message}","retry":true}}}}"#
        )
    };
    for number in 0..400 {
        store.keep(&line(number)).unwrap();
    }
    drop(store);
    Connection::open(&path)
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Overwrites some pages that hold lines, and not the first, which says what the file is.
    let place = bytes
        .windows(10)
        .position(|window| window == b"number 200")
        .unwrap();
    let page = place / 4096 * 4096;
    bytes[page..page + 4096].fill(0xa5);
    std::fs::write(&path, &bytes).unwrap();
    let rescued = Store::rescue(&settings(&path), "2026-11-24T10:00:00Z".parse().unwrap()).unwrap();
    assert!(rescued.lines >= 350 && rescued.lines < 400, "{rescued:?}");
    assert_eq!(
        std::fs::read(&rescued.aside).unwrap(),
        bytes,
        "the damaged file stands aside as it was"
    );
    let store = Store::open(&settings(&path)).unwrap();
    store.keep(LINE).unwrap();
    let found = store
        .search(&Search {
            limit: 1000,
            ..Search::default()
        })
        .unwrap()
        .found;
    assert_eq!(found.len() as u64, rescued.lines + 1);
}

#[test]
fn a_file_of_something_else_or_of_a_later_version_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE recipes (soup TEXT)")
        .unwrap();
    let error = Store::open(&settings(&path)).unwrap_err();
    assert_eq!(error.fault, StoreFault::Settings);
    assert!(error.message.contains("a database of something else"), "{error}");
    let later = folder.path().join("later.db");
    drop(Store::open(&settings(&later)).unwrap());
    Connection::open(&later)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = Store::open(&settings(&later)).unwrap_err();
    assert_eq!(error.fault, StoreFault::Newer);
    assert_eq!(
        Store::open_to_read(&settings(&later)).unwrap_err().fault,
        StoreFault::Newer
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let error = Store::open(&settings(Path::new("/no/such/folder/ledger.db"))).unwrap_err();
    assert!(error.message.contains("/no/such/folder/ledger.db"), "{error}");
    assert_eq!(error.fault, StoreFault::Away);
}
