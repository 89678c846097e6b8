//! How quick a ledger of a million lines is: what it takes in, each kind of search, and what a restart with 500 pools takes.
//!
//! `cargo bench --profile release --bench store`; `LOWTIDE_LINES` asks for another number, `LOWTIDE_LEDGER` for another place than a
//! file of SQLite, such as `postgres://app@127.0.0.1/bench`. `scripts/store/bench.sh` measures both, with a server of its own.

#![expect(clippy::print_stdout, reason = "it is what a benchmark is for")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lowtide::base::{Span, Timestamp};
use lowtide::engine::Entry;
use lowtide::policy;
use lowtide::sim::workload::{CiRecipe, generate};
use lowtide::sim::{Contender, backtest_one, demo};
use lowtide::store::{Place, Search, Store, StoreSettings};
use lowtide::world::{EntryKind, line};
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

const POOLS: usize = 500;
const ASKED: usize = 100;

/// Lines of a made-up day, to be told of other pools at other times.
struct Day {
    started: String,
    rest: Vec<(String, String)>,
    start: Timestamp,
}

fn day() -> Day {
    let (policy, _) = policy::read("ci-agents", demo::OWN_POLICY, &mut |_| Err("no file".to_owned()));
    let policy = policy.expect("the demo's policy is whole");
    let workload = Arc::new(generate(&CiRecipe::default(), 7));
    let mut lines = Vec::new();
    let mut keep = |entry: &Entry<'_>| {
        lines.push(line(entry));
        Ok(())
    };
    let contender = Contender::Policy(policy);
    backtest_one(
        &contender,
        &workload,
        &demo::options(),
        7,
        Some(&mut keep),
        &|_| {},
    )
    .expect("a day can be played");
    let at = |line: &str| {
        let (_, rest) = line.split_once(r#""at":""#).expect("every line has a time");
        rest.split_once('"').expect("a time ends").0.to_owned()
    };
    let started = lines.remove(0).replace(r#""pool":"ci-agents""#, r#""pool":"*""#);
    let start = at(&started).parse().expect("a time");
    let rest = lines.into_iter().map(|line| (at(&line), line)).collect();
    Day { started, rest, start }
}

impl Day {
    /// Returns line `index` of an account with many pools that are looked at every 30 seconds.
    fn line(&self, index: usize) -> String {
        let (pool, look) = (index % POOLS, index / POOLS);
        let (at, line) = &self.rest[(look * 7 + pool * 13) % self.rest.len()];
        let now = (self.start + Span::seconds(30 * look.cast_signed() as i64)).to_string();
        let name = format!("pool-{pool:03}");
        line.replace(at.as_str(), &now)
            .replace("ci-agents\"", &format!("{name}\""))
    }
}

fn told(what: &str, mut times: Vec<Duration>, found: usize) {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!(
        "{what:<44} p50 {:8.2} ms  p95 {:8.2} ms  {found:>6} lines a page",
        at(0.5),
        at(0.95)
    );
}

fn ask(store: &Store, what: &str, mut search: impl FnMut(usize) -> Search) {
    let mut found = 0;
    let times = (0..ASKED).map(|number| {
        let search = search(number);
        let begun = Instant::now();
        found += store.search(&search).expect("a ledger answers").found.len();
        begun.elapsed()
    });
    let times = times.collect();
    told(what, times, found / ASKED);
}

fn searches(store: &Store, lines: usize, start: Timestamp) {
    let mut chance = Pcg64Mcg::seed_from_u64(1);
    let length = 30 * (lines / POOLS).cast_signed() as i64;
    let mut moment = move || start + Span::seconds(chance.random_range(0..length));
    let mut chance = Pcg64Mcg::seed_from_u64(2);
    let mut pool = move || {
        format!("pool-{:03}", chance.random_range(0..POOLS))
            .parse()
            .expect("an id")
    };
    let newest = Search {
        newest_first: true,
        limit: 50,
        ..Search::default()
    };
    ask(store, "the latest lines", |_| newest.clone());
    ask(store, "a pool", |_| Search {
        pool: Some(pool()),
        ..newest.clone()
    });
    ask(store, "an hour", |_| {
        let from = moment();
        Search {
            from: Some(from),
            to: Some(from + Span::hours(1)),
            ..newest.clone()
        }
    });
    ask(store, "a pool in an hour", |_| {
        let from = moment();
        Search {
            pool: Some(pool()),
            from: Some(from),
            to: Some(from + Span::hours(1)),
            ..newest.clone()
        }
    });
    ask(store, "orders of a pool (kind settled)", |_| Search {
        pool: Some(pool()),
        kind: Some(EntryKind::Settled),
        ..newest.clone()
    });
    ask(store, "orders in an hour (kind settled)", |_| {
        let from = moment();
        Search {
            kind: Some(EntryKind::Settled),
            from: Some(from),
            to: Some(from + Span::hours(1)),
            ..newest.clone()
        }
    });
    ask(store, "a common reason", |_| Search {
        reason: Some("formula".into()),
        ..newest.clone()
    });
    ask(store, "a rare reason of a pool", |_| Search {
        reason: Some("cooldown".into()),
        pool: Some(pool()),
        ..newest.clone()
    });
    ask(store, "a common word", |_| Search {
        text: Some("asks".into()),
        ..newest.clone()
    });
    ask(store, "two words of a pool", |_| Search {
        text: Some("formula asks".into()),
        pool: Some(pool()),
        ..newest.clone()
    });
    ask(store, "a word in an hour, oldest first", |_| {
        let from = moment();
        Search {
            text: Some("asks".into()),
            from: Some(from),
            to: Some(from + Span::hours(1)),
            limit: 50,
            ..Search::default()
        }
    });
    ask(store, "a word that is nowhere", |number| Search {
        text: Some(format!("nowhere{number}")),
        ..newest.clone()
    });
    let mut found = 0;
    let times = (0..ASKED).map(|_| {
        let (pool, at) = (pool(), moment());
        let begun = Instant::now();
        found += usize::from(store.decision_at(&pool, at).expect("a ledger answers").is_some());
        begun.elapsed()
    });
    let times = times.collect();
    told("the decision about a pool at a moment", times, found / ASKED);
}

fn fill(store: &Store, day: &Day, lines: usize) {
    let begun = Instant::now();
    store.keep(&day.started).expect("a ledger takes lines");
    let mut bytes = 0;
    for first in (0..lines).step_by(1000) {
        let batch: Vec<String> = (first..lines.min(first + 1000))
            .map(|index| day.line(index))
            .collect();
        bytes += batch.iter().map(String::len).sum::<usize>();
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        store.keep_all(&batch).expect("a ledger takes lines");
    }
    let took = begun.elapsed().as_secs_f64();
    let rate = lines as f64 / took;
    let size = store.bytes().unwrap_or(0) as f64 / lines as f64;
    println!(
        "{lines} lines of {} bytes in {took:.1} s, {rate:.0} lines a second, {size:.0} bytes kept for each",
        bytes / lines
    );
}

fn main() {
    let lines = std::env::var("LOWTIDE_LINES")
        .ok()
        .and_then(|lines| lines.parse().ok())
        .unwrap_or(1_000_000);
    let folder = std::env::temp_dir().join(format!("lowtide-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    measure(&folder, lines);
    // It is of no use any more; what cannot be removed the system removes.
    let _ = std::fs::remove_dir_all(&folder);
}

fn measure(folder: &Path, lines: usize) {
    let place = match std::env::var("LOWTIDE_LEDGER") {
        Ok(address) => address.parse().expect("a place"),
        Err(_) => Place::Sqlite(folder.join("ledger.db")),
    };
    let day = day();
    let store = Store::open(&StoreSettings {
        patience: Span::minutes(2),
        ..place.into()
    })
    .expect("a ledger can be made");
    fill(&store, &day, lines);
    let times = (0..300).map(|index| {
        let line = day.line(index);
        let begun = Instant::now();
        store.keep(&line).expect("a ledger takes lines");
        begun.elapsed()
    });
    let times = times.collect();
    told("keeping one line", times, 1);
    searches(&store, lines, day.start);
    if store.path().is_none() {
        return;
    }
    drop(store);
    // What a restart goes through at most: see `Store::wants_checkpoint`.
    let restart =
        Store::open(&Place::Sqlite(folder.join("restart.db")).into()).expect("a ledger can be made");
    fill(&restart, &day, 100_000.min(lines));
    let begun = Instant::now();
    let remembered = restart.resume().expect("it can be resumed");
    let took = begun.elapsed().as_secs_f64();
    let (pools, looks) = (remembered.memory.pools.len(), remembered.looks);
    println!("resuming {pools} pools after {looks} looks: {took:.1} s");
}
