//! What becomes of lines when the server, or the process, does not live on.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use lowtide::store::{Lead, Store, StoreError, StoreFault};

use crate::server::{LINE, database, lines, lowtide, open, server, settings, sql, until};

fn numbered(number: usize) -> String {
    format!(
        r#"{{"kind":"blind","at":"2026-11-24T09:00:00.000Z","error":{{"message":"number {number}","retry":true}}}}"#
    )
}

/// Says that a line was refused within the time that is allowed.
fn refused(store: &Store, line: &str) -> StoreError {
    let begun = Instant::now();
    let error = store.keep(line).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert_eq!(store.health().trouble.as_ref(), Some(&error));
    error
}

/// Keeps a line as soon as that can be done again, taking the lead anew where it was lost.
fn keep_again(store: &Store, line: &str) {
    until("lines are kept again", || {
        matches!(store.lease("me").acquire(), Ok(Lead::Ours { .. })) && store.keep(line).is_ok()
    });
    assert_eq!(store.health().trouble, None);
}

pub(crate) fn a_process_that_is_killed_loses_nothing() {
    let url = database();
    let reader = open(&url);
    let mut there = 0;
    for kill in 0..25 {
        sql(&url, "UPDATE lowtide_lead SET expires_at = clock_timestamp()");
        let mut child = Command::new(lowtide())
            .args(["ledger", "import", "-", "--each", "--append", "--ledger", &url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let text: String = (there..there + 100)
            .map(|number| numbered(number) + "\n")
            .collect();
        input.write_all(text.as_bytes()).unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        let wanted = 1 + (kill * 7) % 20;
        for _ in 0..wanted {
            answers.next().unwrap().unwrap();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let acknowledged = wanted + answers.map_while(Result::ok).count();
        // The server may still be at the line that was on its way.
        std::thread::sleep(Duration::from_millis(50));
        let lines = lines(&reader);
        assert!(
            (there + acknowledged..=there + acknowledged + 1).contains(&lines.len()),
            "{there} {acknowledged} {}",
            lines.len()
        );
        for (number, line) in lines.iter().enumerate() {
            assert_eq!(*line, numbered(number), "once each, in their order");
        }
        there = lines.len();
    }
}

pub(crate) fn a_server_that_stops_and_starts() {
    let url = database();
    let store = open(&url);
    store.lease("me").acquire().unwrap();
    store.keep(&numbered(0)).unwrap();
    server("stop");
    let error = refused(&store, &numbered(1));
    // On a busy machine stopping takes longer than the lead lasts.
    assert!(
        matches!(error.fault, StoreFault::Away | StoreFault::NotLeading),
        "{error}"
    );
    assert_eq!(Store::open(&settings(&url)).unwrap_err().fault, StoreFault::Away);
    server("start");
    keep_again(&store, &numbered(2));
    assert_eq!(lines(&store), [numbered(0), numbered(2)]);
}

pub(crate) fn a_server_that_is_killed() {
    let url = database();
    let store = open(&url);
    for round in 0..3 {
        keep_again(&store, &numbered(round));
        server("crash");
        refused(&store, LINE);
        server("start");
    }
    keep_again(&store, &numbered(3));
    let kept: Vec<String> = lines(&store).into_iter().filter(|line| line != LINE).collect();
    assert_eq!(kept, (0..4).map(numbered).collect::<Vec<_>>());
}

/// A server that is stopped in its tracks takes a line and says nothing; whatever becomes of it later, it never stands behind a
/// line that was kept after.
pub(crate) fn a_server_that_hangs() {
    let url = database();
    let store = open(&url);
    store.lease("me").acquire().unwrap();
    store.keep(&numbered(0)).unwrap();
    server("freeze");
    let error = refused(&store, &numbered(1));
    assert_eq!(error.fault, StoreFault::Away, "{error}");
    server("thaw");
    keep_again(&store, &numbered(2));
    std::thread::sleep(Duration::from_millis(500));
    let lines = lines(&store);
    assert!(
        lines == [numbered(0), numbered(2)] || lines == [numbered(0), numbered(1), numbered(2)],
        "{lines:?}"
    );
}

pub(crate) fn a_table_that_is_locked() {
    let url = database();
    let store = open(&url);
    store.lease("me").acquire().unwrap();
    let name = url.rsplit('/').next().unwrap().to_owned();
    let locker = std::thread::spawn(move || {
        sql(
            &name,
            "BEGIN; LOCK TABLE lowtide_ledger; SELECT pg_sleep(2.5); COMMIT",
        );
    });
    until("the table is locked", || store.keep(LINE).is_err());
    let error = refused(&store, LINE);
    assert!(
        matches!(
            error.fault,
            StoreFault::Busy | StoreFault::Away | StoreFault::NotLeading
        ),
        "{error}"
    );
    locker.join().unwrap();
    let before = lines(&store).len();
    keep_again(&store, &numbered(0));
    let after = lines(&store);
    assert_eq!(
        (after.len(), after.last()),
        (before + 1, Some(&numbered(0))),
        "nothing comes late"
    );
}

pub(crate) fn no_secret_in_what_is_said() {
    let url = database();
    let secret = url.replace("postgres://app@", "postgres://app:hunter2@");
    assert_ne!(secret, url);
    let store = open(&secret);
    assert!(!format!("{store:?}").contains("hunter2"), "{store:?}");
    let wrong = secret.replace(url.rsplit('/').next().unwrap(), "nowhere");
    let error = Store::open(&settings(&wrong)).unwrap_err();
    assert!(
        !error.message.contains("hunter2") && error.message.contains("nowhere"),
        "{error}"
    );
}
