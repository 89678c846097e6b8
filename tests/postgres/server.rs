//! The server that the script started, and databases in it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use lowtide::base::Span;
use lowtide::store::{Place, Search, Store, StoreSettings};

/// A line that says nothing.
pub(crate) const LINE: &str = r#"{"kind":"unmatched","at":"2026-11-24T09:00:00.000Z"}"#;

/// Returns what the script says; these tests are not for a plain run.
pub(crate) fn told(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/store/postgres.sh"))
}

/// Runs a program of the server to its end.
pub(crate) fn run(program: &str, arguments: &[&str]) {
    let status = Command::new("bash")
        .arg(told("LOWTIDE_POSTGRES_RUN"))
        .arg(program)
        .args(arguments)
        .status()
        .unwrap();
    assert!(status.success(), "{program} {arguments:?}: {status}");
}

/// Stops or starts the server: `stop`, `crash`, `start`, `freeze`, `thaw`.
pub(crate) fn server(what: &str) {
    run("server", &[what]);
}

/// Makes a database of its own and returns its address.
pub(crate) fn database() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("t{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    sql("postgres", &format!("CREATE DATABASE {name}"));
    format!("{}/{name}", told("LOWTIDE_POSTGRES_URL"))
}

/// Runs a statement in a database.
pub(crate) fn sql(database: &str, statement: &str) {
    let name = database.rsplit('/').next().unwrap();
    run("psql", &[name, statement]);
}

/// Returns settings with short times: two seconds of lead, one of patience.
pub(crate) fn settings(url: &str) -> StoreSettings {
    StoreSettings {
        lease: Span::seconds(2),
        patience: Span::seconds(1),
        ..url.parse::<Place>().unwrap().into()
    }
}

pub(crate) fn open(url: &str) -> Store {
    Store::open(&settings(url)).unwrap()
}

/// Returns every line that is there.
pub(crate) fn lines(store: &Store) -> Vec<String> {
    let mut lines = Vec::new();
    let search = Search {
        limit: Search::LIMIT_MAX,
        ..Search::default()
    };
    store.walk(&search, &mut |found| lines.push(found.line)).unwrap();
    lines
}

/// Waits until something holds, for ten seconds at most.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_secs(10),
            "not in ten seconds: {what}"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Returns the program that is tested.
pub(crate) fn lowtide() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_lowtide"))
}
