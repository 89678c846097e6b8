//! The ledger that outlives the process: what goes in comes out, is found, is resumed from, and is steered by one alone.

use std::path::Path;
use std::sync::Arc;

use lowtide::account::{Halt, HaltScope, Order, Receipt};
use lowtide::base::{Span, Timestamp};
use lowtide::decision::Memory;
use lowtide::engine::{Entry, Observation, ObserveError, Question, RecordError, World, run};
use lowtide::policy::{Policies, Policy};
use lowtide::sim::workload::{CiRecipe, generate};
use lowtide::sim::{Contender, backtest_one, demo};
use lowtide::store::{KeptHalt, Lead, Place, Retain, Search, Store, StoreFault, StoreSettings};
use lowtide::world::{EntryKind, Ledger as _, line, remember};

use crate::policies;
use crate::same_decision::Told;

fn policy() -> Policy {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/ci-agents.yaml");
    policies::read(&file).1.unwrap()
}

/// Returns the lines of a made-up day.
pub(crate) fn day() -> Vec<String> {
    let workload = Arc::new(generate(&CiRecipe::default(), 7));
    let mut lines = Vec::new();
    let mut keep = |entry: &Entry<'_>| {
        lines.push(line(entry));
        Ok(())
    };
    let contender = Contender::Policy(policy());
    backtest_one(
        &contender,
        &workload,
        &demo::options(),
        7,
        Some(&mut keep),
        &|_| {},
    )
    .unwrap();
    lines
}

/// What a ledger tells of looks and of the orders that were taken.
struct Settled {
    told: Told,
    taken: Vec<(String, Timestamp)>,
}

impl Settled {
    fn by(ledger: &str) -> Self {
        let settled = ledger
            .lines()
            .filter(|line| line.starts_with(r#"{"kind":"settled""#));
        Self {
            told: Told::by(ledger),
            taken: settled
                .map(|line| (field(line, "pool"), field(line, "at").parse().unwrap()))
                .collect(),
        }
    }
}

impl World for Settled {
    fn wait_until(&mut self, at: Timestamp) -> Option<Timestamp> {
        self.told.wait_until(at)
    }

    fn observe(&mut self, question: &Question<'_>, into: &mut Observation) -> Result<(), ObserveError> {
        self.told.observe(question, into)
    }

    fn record(&mut self, entry: &Entry<'_>) -> Result<(), RecordError> {
        self.told.record(entry)
    }

    fn act(&mut self, order: &Order) -> Receipt {
        let was_taken = |(pool, at): &(String, Timestamp)| *pool == order.pool.as_str() && *at == order.at;
        if self.taken.iter().any(was_taken) {
            Receipt::Accepted
        } else {
            Receipt::Withheld
        }
    }
}

pub(crate) fn filled(lines: &[String]) -> Store {
    let store = Store::in_memory();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    store.keep_all(&lines).unwrap();
    store
}

pub(crate) fn settings(path: &Path) -> StoreSettings {
    StoreSettings {
        patience: Span::from_seconds(0.2),
        ..Place::Sqlite(path.to_owned()).into()
    }
}

pub(crate) fn field(line: &str, name: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    value[name].as_str().unwrap().to_owned()
}

#[test]
fn lines_come_out_byte_for_byte_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let lines = day();
    let mut store = Store::open(&settings(&path)).unwrap();
    for line in &lines[..50] {
        store.append(line).unwrap();
    }
    drop(store);
    let store = Store::open(&settings(&path)).unwrap();
    let mut search = Search {
        limit: 7,
        ..Search::default()
    };
    let mut found = Vec::new();
    loop {
        let page = store.search(&search).unwrap();
        found.extend(page.found.into_iter().map(|found| found.line));
        match page.next {
            Some(next) => search.after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, lines[..50]);
}

#[test]
fn a_long_line_is_kept_as_it_is() {
    let store = Store::in_memory();
    let error = "x ö \\u0000 ".repeat(40_000);
    let line = format!(
        r#"{{"kind":"blind","at":"2026-11-24T09:00:00.000Z","error":{{"message":"{error}","retry":true}}}}"#
    );
    store.keep(&line).unwrap();
    assert_eq!(store.search(&Search::default()).unwrap().found[0].line, line);
}

#[test]
fn the_latest_decision_before_a_moment_is_found() {
    let lines = day();
    let store = filled(&lines);
    let decided: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with(r#"{"kind":"decided""#))
        .collect();
    let pool = field(decided[0], "pool").parse().unwrap();
    assert_eq!(
        store.latest(&pool).unwrap().unwrap().line,
        **decided.last().unwrap()
    );
    let at: Timestamp = field(decided[10], "at").parse().unwrap();
    assert_eq!(store.decision_at(&pool, at).unwrap().unwrap().line, *decided[10]);
    assert_eq!(
        store
            .decision_at(&pool, at + Span::from_seconds(0.001))
            .unwrap()
            .unwrap()
            .line,
        *decided[10]
    );
    let first: Timestamp = field(decided[0], "at").parse().unwrap();
    assert_eq!(
        store
            .decision_at(&pool, first - Span::from_seconds(0.001))
            .unwrap(),
        None
    );
}

#[test]
fn what_is_resumed_is_what_the_engine_remembered() {
    let lines = day();
    let policies = Policies::from(vec![policy()]);
    for count in [1, 2, 3, 40, lines.len()] {
        let store = filled(&lines[..count]);
        let told = lines[..count]
            .iter()
            .fold(String::new(), |text, line| text + line + "\n");
        let remembered = run(&mut Settled::by(&told), &policies, Memory::default());
        let resumed = store.resume().unwrap();
        assert_eq!(resumed.memory, remembered, "after {count} lines");
        assert!(resumed.unreadable.is_empty());
    }
}

#[test]
fn a_line_that_cannot_be_read_spoils_its_look_and_no_more() {
    let mut lines = day()[..60].to_vec();
    let whole = remember(&lines).unwrap();
    lines.insert(30, "what is this".to_owned());
    let spoilt = remember(&lines).unwrap();
    assert_eq!(spoilt.unreadable.len(), 1);
    assert!(
        spoilt.unreadable[0].1.contains("line 31"),
        "{:?}",
        spoilt.unreadable
    );
    let ids = |memory: &Memory| memory.pools.keys().cloned().collect::<Vec<_>>();
    assert_eq!(ids(&spoilt.memory), ids(&whole.memory));
    let (spoilt, whole) = (
        spoilt.memory.pools.values().next(),
        whole.memory.pools.values().next(),
    );
    assert_eq!(spoilt.unwrap().last_seen, whole.unwrap().last_seen);
}

#[test]
fn a_look_that_was_cut_off_forgets_no_pool() {
    let at = |minute: i64| format!("2026-11-24T09:{minute:02}:00.000Z");
    let started = day()[0].replace(r#""pool":"ci-agents""#, r#""pool":"*""#);
    let decided = |pool: &str, minute| {
        let seen = format!(r#"{{"pool":{{"id":"{pool}","targetDedicatedNodes":3}},"samples":{{}}}}"#);
        format!(
            r#"{{"kind":"decided","pool":"{pool}","at":"{}","seen":{seen}}}"#,
            at(minute)
        )
    };
    let lines = [started, decided("a", 0), decided("b", 0), decided("a", 1)];
    let memory = remember(&lines).unwrap().memory;
    assert_eq!(memory.pools.len(), 2, "{:?}", memory.pools.keys());
    let gone = [lines.as_slice(), &[decided("a", 2)]].concat();
    assert_eq!(
        remember(&gone).unwrap().memory.pools.len(),
        1,
        "a whole look without a pool forgets it"
    );
}

#[test]
fn what_is_no_line_of_a_ledger_is_refused() {
    let store = Store::in_memory();
    for wrong in [
        "",
        "null",
        "{}",
        r#"{"kind":"wish","at":"2026-11-24T09:00:00Z"}"#,
        r#"{"kind":"unmatched","at":"soon"}"#,
        "{\"kind\":\"unmatched\",\n\"at\":\"2026-11-24T09:00:00Z\"}",
    ] {
        assert_eq!(
            store.keep(wrong).unwrap_err().fault,
            StoreFault::Foreign,
            "{wrong}"
        );
    }
    assert!(store.health().trouble.is_some());
    store
        .keep(r#"{"kind":"unmatched","at":"2026-11-24T09:00:00Z"}"#)
        .unwrap();
    assert!(store.health().trouble.is_none());
}

#[test]
fn one_process_steers_and_the_next_follows_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let line = r#"{"kind":"unmatched","at":"2026-11-24T09:00:00.000Z"}"#;
    let (one, other) = (
        Store::open(&settings(&path)).unwrap(),
        Store::open(&settings(&path)).unwrap(),
    );
    assert_eq!(one.lease("one").acquire().unwrap(), Lead::Ours { fence: 1 });
    assert_eq!(
        other.lease("other").acquire().unwrap(),
        Lead::Theirs { holder: "one".into() }
    );
    assert!(one.still_leads() && !other.still_leads());
    one.keep(line).unwrap();
    let refused = other.keep(line).unwrap_err();
    assert_eq!(refused.fault, StoreFault::NotLeading);
    assert!(refused.message.contains("steered by one"), "{refused}");
    assert_eq!(one.lease("one").renew().unwrap(), Lead::Ours { fence: 1 });
    one.lease("one").release().unwrap();
    assert_eq!(other.lease("other").acquire().unwrap(), Lead::Ours { fence: 2 });
    other.keep(line).unwrap();
    drop(other);
    one.keep(line).unwrap();
}

#[test]
fn who_lost_the_lead_unknowingly_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let line = r#"{"kind":"unmatched","at":"2026-11-24T09:00:00.000Z"}"#;
    let one = Store::open(&settings(&path)).unwrap();
    one.keep(line).unwrap();
    // As on a file system without locks, or after someone removed the lock.
    std::fs::remove_file(folder.path().join("ledger.db.lead")).unwrap();
    let other = Store::open(&settings(&path)).unwrap();
    other.keep(line).unwrap();
    assert_eq!(one.keep(line).unwrap_err().fault, StoreFault::NotLeading);
    assert!(!one.still_leads());
    assert_eq!(other.search(&Search::default()).unwrap().found.len(), 2);
    // Nor when the other has ended: what it wrote has to be read first.
    drop(other);
    assert_eq!(one.keep(line).unwrap_err().fault, StoreFault::NotLeading);
    let lease = one.lease("one");
    assert!(matches!(lease.renew().unwrap(), Lead::Theirs { .. }));
    assert!(matches!(lease.acquire().unwrap(), Lead::Ours { .. }));
    one.keep(line).unwrap();
}

#[test]
fn old_runs_go_and_the_latest_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let lines = &day()[..40];
    let open = |retain| {
        Store::open(&StoreSettings {
            retain,
            ..settings(&path)
        })
        .unwrap()
    };
    let store = open(Retain {
        age: Some(Span::days(400)),
        bytes: None,
    });
    for year in 0..4 {
        for line in lines {
            let at: Timestamp = field(line, "at").parse().unwrap();
            let later = (at + Span::days(365 * year)).to_string();
            store.keep(&line.replace(&at.to_string(), &later)).unwrap();
        }
    }
    let start: Timestamp = field(&lines[0], "at").parse().unwrap();
    let kept = |store: &Store| {
        store
            .search(&Search {
                limit: 1000,
                ..Search::default()
            })
            .unwrap()
            .found
    };
    assert_eq!(store.retain(start + Span::days(300)).unwrap().lines, 0);
    assert_eq!(store.retain(start + Span::days(365 + 420)).unwrap().lines, 40);
    assert_eq!(kept(&store).len(), 120);
    assert_eq!(store.retain(start + Span::days(36_500)).unwrap().lines, 80);
    let left = kept(&store);
    assert_eq!(
        (left.len(), left[0].kind, left[0].number),
        (40, EntryKind::Started, 121)
    );
    let text = Search {
        reason: Some("bounded".into()),
        limit: 1000,
        ..Search::default()
    };
    assert!(
        store
            .search(&text)
            .unwrap()
            .found
            .iter()
            .all(|found| found.number > 120)
    );
    assert_eq!(store.retain(start + Span::days(365_000)).unwrap().lines, 0);
    drop(store);
    let store = open(Retain {
        age: None,
        bytes: Some(1),
    });
    assert_eq!(
        store.retain(start).unwrap().lines,
        0,
        "the only run stays, however large"
    );
    for _ in 0..3 {
        store.keep(&lines[0]).unwrap();
    }
    assert_eq!(
        store.retain(start).unwrap().lines,
        42,
        "as many runs as are too much, the latest stays"
    );
}

#[test]
fn halts_outlive_the_process_and_are_lifted_by_their_pattern() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let halt = |pools: &str, scope, why: &str| KeptHalt {
        pools: pools.parse().unwrap(),
        halt: Halt {
            scope,
            until: Some(Timestamp::from_unix_seconds(7200)),
            why: why.into(),
            by: Some("ops".into()),
        },
        since: Timestamp::from_unix_seconds(3600),
    };
    let store = Store::open(&settings(&path)).unwrap();
    store.halt(&halt("render-*", HaltScope::In, "a demo")).unwrap();
    store.halt(&halt("farm", HaltScope::All, "a fire")).unwrap();
    store.halt(&halt("FARM", HaltScope::Out, "a bill")).unwrap();
    drop(store);
    let store = Store::open(&settings(&path)).unwrap();
    let kept = store.halts().unwrap();
    assert_eq!(
        kept,
        [
            halt("FARM", HaltScope::Out, "a bill"),
            halt("render-*", HaltScope::In, "a demo")
        ]
    );
    assert!(store.lift(&"farm".parse().unwrap(), None).unwrap());
    assert!(!store.lift(&"farm".parse().unwrap(), None).unwrap());
    assert_eq!(store.halts().unwrap().len(), 1);
}
