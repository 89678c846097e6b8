//! What goes in comes out.

use lowtide::account::{Halt, HaltScope};
use lowtide::base::{Span, Timestamp};
use lowtide::store::{Glimpsed, KeptHalt, Retain, Search, Store, StoreFault, StoreSettings};
use lowtide::world::EntryKind;

use crate::server::{LINE, database, lines, open, settings, sql, told};

fn started(day: i64) -> String {
    let at = Timestamp::from_unix_seconds(1_800_000_000) + Span::days(day);
    format!(r#"{{"kind":"started","at":"{at}","policies":[{{"name":"p","prices":[1.0,0.25]}}],"memory":[]}}"#)
}

fn decided(number: i64) -> String {
    let at = Timestamp::from_unix_seconds(1_800_000_000) + Span::seconds(number);
    let (pool, code) = (
        ["farm", "Render-1"][number as usize % 2],
        ["bounded", "cooldown", "queueAsk"][number as usize % 3],
    );
    format!(
        r#"{{"kind":"decided","pool":"{pool}","at":"{at}","policy":"p","current":{{"dedicated":2,"spot":1}},"target":{{"dedicated":2,"spot":1}},"order":null,"steps":[{{"stage":"propose","to":{{"dedicated":2,"spot":1}},"reason":{{"code":"{code}"}},"text":"number {number} is 'quoted' and \\ \u0000 so on"}}],"hold":null,"seen":{{"pool":{{"preemptedNodes":1}},"samples":{{}}}}}}"#
    )
}

/// Half of the 300 decisions are of this pool, a second after the other.
fn in_short(store: &Store) {
    let mut glimpses = Vec::new();
    let glimpsed = Glimpsed {
        pool: "Render-1".parse().unwrap(),
        from: Timestamp::from_unix_seconds(1_800_000_000) + Span::seconds(100),
        to: Timestamp::from_unix_seconds(1_800_000_000) + Span::seconds(199),
    };
    let is_whole = store.glimpse(&glimpsed, &mut |glimpse| {
        glimpses.push(glimpse);
        true
    });
    assert!(is_whole.unwrap());
    assert_eq!(glimpses.len(), 50, "the odd ones from 101 to 199");
    assert!(glimpses.is_sorted_by_key(|glimpse| glimpse.at));
    // Of its one spot node one is preempted, and not paid for.
    let held = glimpses[0].held.unwrap();
    assert_eq!((held.dedicated.0, held.spot.0), (2, 0));
    assert_eq!(glimpses[0].prices, Some([1.0, 0.25]));
}

pub(crate) fn lines_come_out_and_are_found() {
    let url = database();
    let store = open(&url);
    let mut all = vec![started(0)];
    all.extend((0..300).map(decided));
    for line in &all[..20] {
        store.keep(line).unwrap();
    }
    let rest: Vec<&str> = all[20..].iter().map(String::as_str).collect();
    store.keep_all(&rest).unwrap();
    drop(store);
    let store = open(&url);
    assert_eq!(lines(&store), all);
    let find = |search: Search| {
        let found = store.search(&search).unwrap().found;
        found.into_iter().map(|found| found.line).collect::<Vec<_>>()
    };
    let by =
        |holds: &dyn Fn(&str) -> bool| all.iter().filter(|line| holds(line)).cloned().collect::<Vec<_>>();
    let none = Search {
        limit: 1000,
        ..Search::default()
    };
    assert_eq!(
        find(Search {
            pool: Some("RENDER-1".parse().unwrap()),
            ..none.clone()
        }),
        by(&|line| line.contains("Render-1"))
    );
    assert_eq!(
        find(Search {
            reason: Some("queueAsk".into()),
            ..none.clone()
        }),
        by(&|line| line.contains("queueAsk"))
    );
    in_short(&store);
    assert_eq!(
        find(Search {
            kind: Some(EntryKind::Started),
            ..none.clone()
        }),
        all[..1]
    );
    assert_eq!(
        find(Search {
            text: Some("number 1*".into()),
            ..none.clone()
        }),
        by(&|line| line.contains("number 1"))
    );
    assert_eq!(
        find(Search {
            text: Some("'quoted' 17".into()),
            ..none.clone()
        }),
        by(&|line| line.contains("number 17 "))
    );
    assert_eq!(
        find(Search {
            text: Some("'; DROP TABLE lowtide_ledger; --".into()),
            ..none.clone()
        }),
        [""; 0]
    );
    let from = Timestamp::from_unix_seconds(1_800_000_250);
    assert_eq!(
        find(Search {
            from: Some(from),
            newest_first: true,
            limit: 3,
            ..none.clone()
        }),
        [decided(299), decided(298), decided(297)]
    );
    assert_eq!(
        find(Search {
            from: Some(from),
            to: Some(from),
            ..none
        }),
        [decided(250)]
    );
    let farm = "farm".parse().unwrap();
    assert_eq!(store.latest(&farm).unwrap().unwrap().line, decided(298));
    assert_eq!(
        store.decision_at(&farm, from).unwrap().unwrap().line,
        decided(250)
    );
    let cost = store.cost(&lowtide::store::report::Stretch::default()).unwrap();
    let (hours, dollars) = (cost[1].dedicated_node_hours, cost[1].total.0);
    assert!(
        (hours - 2.0 * 298.0 / 3600.0).abs() < 1e-9 && (dollars - hours).abs() < 1e-9,
        "{cost:?}"
    );
    let read = Store::open_to_read(&settings(&url)).unwrap();
    assert_eq!(lines(&read).len(), 301);
    assert_eq!(read.keep(LINE).unwrap_err().fault, StoreFault::Settings);
    assert_eq!(store.keep("no line").unwrap_err().fault, StoreFault::Foreign);
}

pub(crate) fn old_runs_go_and_the_latest_stays() {
    let url = database();
    let retain = Retain {
        age: Some(Span::days(400)),
        bytes: None,
    };
    let store = Store::open(&StoreSettings {
        retain,
        ..settings(&url)
    })
    .unwrap();
    for run in 0..3 {
        let at = |line: &str| line.replace("2026-11-24", &format!("{}-11-24", 2026 + run));
        let some: Vec<String> = std::iter::once(started(365 * run))
            .chain((0..700).map(|_| at(LINE)))
            .collect();
        let some: Vec<&str> = some.iter().map(String::as_str).collect();
        store.keep_all(&some).unwrap();
    }
    let start = Timestamp::from_unix_seconds(1_800_000_000);
    assert_eq!(store.retain(start + Span::days(390)).unwrap().lines, 0);
    assert_eq!(store.retain(start + Span::days(366 + 400)).unwrap().lines, 701);
    assert_eq!(store.retain(start + Span::days(36_600)).unwrap().lines, 701);
    assert_eq!(lines(&store).len(), 701);
    assert!(store.bytes().unwrap() > 50_000);
}

pub(crate) fn halts_outlive_the_process() {
    let url = database();
    let halt = |pools: &str, scope| KeptHalt {
        pools: pools.parse().unwrap(),
        halt: Halt {
            scope,
            until: None,
            why: "it's a test".into(),
            by: None,
        },
        since: Timestamp::from_unix_seconds(3600),
    };
    let store = open(&url);
    store.halt(&halt("render-*", HaltScope::In)).unwrap();
    store.halt(&halt("farm", HaltScope::All)).unwrap();
    store.halt(&halt("farm", HaltScope::Out)).unwrap();
    drop(store);
    let store = open(&url);
    assert_eq!(
        store.halts().unwrap(),
        [halt("farm", HaltScope::Out), halt("render-*", HaltScope::In)]
    );
    let by_ada = KeptHalt {
        halt: Halt {
            by: Some("ada".into()),
            ..halt("farm", HaltScope::All).halt
        },
        ..halt("farm", HaltScope::All)
    };
    store.halt(&by_ada).unwrap();
    assert_eq!(
        store.halts().unwrap().len(),
        3,
        "those of different people stand side by side"
    );
    assert!(store.lift(&"FARM".parse().unwrap(), Some("ada")).unwrap());
    assert!(!store.lift(&"FARM".parse().unwrap(), Some("ada")).unwrap());
    assert!(store.lift(&"FARM".parse().unwrap(), None).unwrap());
    assert_eq!(store.halts().unwrap().len(), 1);
}

pub(crate) fn a_time_is_found_whatever_the_clocks_did() {
    let url = database();
    let store = open(&url);
    // The clock is set back by 500 seconds, in the middle of what is told of at once.
    let seconds: Vec<i64> = (0..700).chain(200..1_300).collect();
    let all: Vec<String> = seconds.iter().map(|second| decided(*second)).collect();
    for lines in all.chunks(90) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        store.keep_all(&lines).unwrap();
    }
    let holds = |store: &Store| {
        let start = Timestamp::from_unix_seconds(1_800_000_000);
        for (from, to) in [(0, 10), (250, 260), (650, 720), (1_250, 9_000), (2_000, 3_000)] {
            for newest_first in [false, true] {
                let search = Search {
                    from: Some(start + Span::seconds(from)),
                    to: Some(start + Span::seconds(to)),
                    pool: Some("farm".parse().unwrap()),
                    kind: Some(EntryKind::Decided),
                    newest_first,
                    limit: 1_000,
                    ..Search::default()
                };
                let found = store.search(&search).unwrap().found;
                let found: Vec<String> = found.into_iter().map(|found| found.line).collect();
                let within = |second: &i64| (from..=to).contains(second) && second % 2 == 0;
                let mut expected: Vec<String> = seconds
                    .iter()
                    .filter(|second| within(second))
                    .map(|second| decided(*second))
                    .collect();
                if newest_first {
                    expected.reverse();
                }
                assert_eq!(found, expected, "{from} to {to}");
            }
        }
    };
    holds(&store);
    drop(store);
    // As the version before left it.
    sql(
        &url,
        "DROP TRIGGER lowtide_is_timed ON lowtide_ledger; DROP FUNCTION lowtide_is_timed; DROP TABLE lowtide_times; \
         DROP INDEX lowtide_ledger_pool_kind; DELETE FROM lowtide_schema WHERE version = 3",
    );
    holds(&open(&url));
}

pub(crate) fn two_that_start_together_make_one_schema() {
    let url = database();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let url = url.clone();
            std::thread::spawn(move || open(&url))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

pub(crate) fn a_schema_from_the_future_is_left_alone() {
    let url = database();
    assert_eq!(
        Store::open_to_read(&settings(&url)).unwrap_err().fault,
        StoreFault::Settings,
        "there is no ledger yet"
    );
    drop(open(&url));
    sql(&url, "INSERT INTO lowtide_schema VALUES (99)");
    assert_eq!(Store::open(&settings(&url)).unwrap_err().fault, StoreFault::Newer);
}

/// The server has a certificate for `localhost` by an authority of the script's; the address is 127.0.0.1.
pub(crate) fn the_words_for_tls_hold() {
    let url = database();
    let (authority, stranger) = (told("LOWTIDE_POSTGRES_CA"), told("LOWTIDE_POSTGRES_OTHER_CA"));
    let by_name = url.replace("127.0.0.1", "localhost");
    for (url, query, works) in [
        (&url, "sslmode=disable".to_owned(), true),
        (&url, "sslmode=prefer".to_owned(), true),
        (&url, "sslmode=require".to_owned(), true),
        (&url, format!("sslmode=verify-ca&sslrootcert={authority}"), true),
        (&url, format!("sslmode=verify-ca&sslrootcert={stranger}"), false),
        (
            &url,
            format!("sslmode=verify-full&sslrootcert={authority}"),
            false,
        ),
        (
            &by_name,
            format!("sslmode=verify-full&sslrootcert={authority}"),
            true,
        ),
        (
            &by_name,
            format!("sslmode=verify-full&sslrootcert={stranger}"),
            false,
        ),
        (
            &by_name,
            "sslmode=verify-full&sslrootcert=system".to_owned(),
            false,
        ),
    ] {
        let opened = Store::open(&settings(&format!("{url}?{query}")));
        assert_eq!(opened.is_ok(), works, "{query}: {:?}", opened.err());
    }
}
