//! A process that keeps lines is killed at any moment, many hundreds of times: nothing that it acknowledged is lost, nothing is
//! there twice, and the ledger always opens again.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use lowtide::store::{Place, Search, Store};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::store::day;

/// Kills of one run; `LOWTIDE_KILLS` asks for more.
const KILLS: usize = 60;

/// Starts a process that keeps each line that it is handed and says so.
fn importer(ledger: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lowtide"));
    command
        .args(["ledger", "import", "-", "--each", "--append", "--ledger"])
        .arg(ledger);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command.spawn().unwrap()
}

/// Returns every line that is there.
fn kept(ledger: &Path) -> Vec<String> {
    let store = Store::open(&Place::Sqlite(ledger.to_owned()).into()).unwrap();
    let mut lines = Vec::new();
    let search = Search {
        limit: Search::LIMIT_MAX,
        ..Search::default()
    };
    store.walk(&search, &mut |found| lines.push(found.line)).unwrap();
    lines
}

#[test]
fn no_acknowledged_line_is_lost_and_none_is_doubled_whenever_the_process_is_killed() {
    let kills = std::env::var("LOWTIDE_KILLS")
        .ok()
        .and_then(|kills| kills.parse().ok())
        .unwrap_or(KILLS);
    let lines = day();
    let folder = tempfile::tempdir().unwrap();
    let ledger = folder.path().join("ledger.db");
    let mut chance = Pcg64Mcg::seed_from_u64(20_261_130);
    let mut written: Vec<String> = Vec::new();
    for kill in 0..kills {
        let mut child = importer(&ledger);
        let mut input = child.stdin.take().unwrap();
        let handed: Vec<&String> = lines.iter().cycle().skip(written.len()).take(200).collect();
        let text: String = handed.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let writer = std::thread::spawn(move || {
            // The reader may be gone before all is read.
            let _ = input.write_all(text.as_bytes());
            input
        });
        let wanted = chance.random_range(0..40);
        let wait = Duration::from_micros(chance.random_range(0..4000));
        let mut acknowledged = 0;
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        while acknowledged < wanted && answers.next().is_some_and(|line| line.is_ok()) {
            acknowledged += 1;
        }
        // Any point of a write is met: the moment is drawn anew each time.
        std::thread::sleep(wait);
        child.kill().unwrap();
        child.wait().unwrap();
        // What it had said before it was killed counts too.
        acknowledged += answers.map_while(Result::ok).count();
        drop(writer.join());
        let there = kept(&ledger);
        let new = there.len().checked_sub(written.len()).expect("no line goes");
        assert_eq!(
            there[..written.len()],
            written[..],
            "kill {kill}: what was there stays as it was"
        );
        assert!(
            new >= acknowledged,
            "kill {kill}: {acknowledged} were acknowledged, {new} are there"
        );
        assert!(
            new <= acknowledged + 1,
            "kill {kill}: one line at most is kept and not yet acknowledged"
        );
        assert!(
            there[written.len()..].iter().eq(handed[..new].iter().copied()),
            "kill {kill}: in their order, once each"
        );
        written = there;
    }
    assert!(written.len() > kills, "lines were kept between the kills");
}
