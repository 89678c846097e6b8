//! What is searched for in a ledger is what looking at every line finds.

use lowtide::base::{Span, Timestamp};
use lowtide::store::report::{Held, Stretch};
use lowtide::store::{Search, Store};
use lowtide::world::EntryKind;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use crate::store::{day, field, filled, settings};

/// Says whether a line belongs to what a search finds.
type Holds<'a> = Box<dyn Fn(&str) -> bool + 'a>;

#[test]
fn searches_find_what_looking_at_every_line_finds() {
    let lines = day();
    let store = filled(&lines);
    let middle: Timestamp = field(&lines[lines.len() / 2], "at").parse().unwrap();
    let pool = lines
        .iter()
        .find(|line| line.starts_with(r#"{"kind":"decided""#))
        .map(|line| field(line, "pool"));
    let at = |line: &str| field(line, "at").parse::<Timestamp>().unwrap();
    let none = Search {
        limit: Search::LIMIT_MAX,
        ..Search::default()
    };
    let searches: Vec<(Search, Holds<'_>)> = vec![
        (none.clone(), Box::new(|_| true)),
        (
            Search {
                kind: Some(EntryKind::Settled),
                ..none.clone()
            },
            Box::new(|line| line.starts_with(r#"{"kind":"settled""#)),
        ),
        (
            Search {
                from: Some(middle),
                ..none.clone()
            },
            Box::new(move |line| at(line) >= middle),
        ),
        (
            Search {
                to: Some(middle),
                pool: pool.map(|pool| pool.to_uppercase().parse().unwrap()),
                ..none.clone()
            },
            Box::new(move |line| {
                // What an engine began with names the pools of its policies, and is about none.
                let is_start = line.starts_with(r#"{"kind":"started""#);
                at(line) <= middle && !is_start && line.contains(r#""pool":""#)
            }),
        ),
        (
            Search {
                reason: Some("bounded".into()),
                ..none.clone()
            },
            Box::new(|line| line.contains(r#""code":"bounded""#)),
        ),
        (
            Search {
                reason: Some("cooldown".into()),
                ..none.clone()
            },
            Box::new(|line| line.contains(r#""code":"cooldown""#)),
        ),
        (
            Search {
                text: Some("no such words anywhere".into()),
                ..none.clone()
            },
            Box::new(|_| false),
        ),
        (
            Search {
                pool: Some("another".parse().unwrap()),
                ..none.clone()
            },
            Box::new(|_| false),
        ),
    ];
    for (search, holds) in searches {
        let expected: Vec<&String> = lines
            .iter()
            .filter(|line| holds(line))
            .take(Search::LIMIT_MAX)
            .collect();
        let found = store.search(&search).unwrap().found;
        assert!(
            found.iter().map(|found| &found.line).eq(expected),
            "{search:?}: {} found",
            found.len()
        );
        let backwards = Search {
            newest_first: true,
            ..search
        };
        let last = lines
            .iter()
            .rev()
            .filter(|line| holds(line))
            .take(Search::LIMIT_MAX);
        let found = store.search(&backwards).unwrap().found;
        assert!(found.iter().map(|found| &found.line).eq(last), "{backwards:?}");
    }
}

#[test]
fn words_of_a_sentence_are_found_whole_or_by_their_beginning() {
    let store = Store::in_memory();
    for message in [
        "the service did not answer: timeout",
        "429 Too Many Requests",
        "a \"quoted\" word's end",
    ] {
        let message = serde_json::to_string(message).unwrap();
        store.keep(&format!(r#"{{"kind":"blind","at":"2026-11-24T09:00:00.000Z","error":{{"message":{message},"retry":true}}}}"#)).unwrap();
    }
    let found = |text: &str| {
        let search = Search {
            text: Some(text.to_owned()),
            ..Search::default()
        };
        let found = store.search(&search).unwrap().found;
        found.into_iter().map(|found| found.number).collect::<Vec<_>>()
    };
    assert_eq!(found("service"), [1]);
    assert_eq!(found("answer TIME*"), [1]);
    assert_eq!(found("serv"), [0_u64; 0]);
    assert_eq!(found("429"), [2]);
    assert_eq!(found("\"quoted\" word's"), [3]);
    assert_eq!(found(") - ("), [1, 2, 3]);
    assert_eq!(found("AND NOT *"), [0_u64; 0]);
}

/// Returns what became of orders for three pools, many to a minute, by clocks that are set back and put forward all the time.
fn by_clocks_that_jump() -> Vec<String> {
    let mut chance = Pcg64Mcg::seed_from_u64(3);
    let mut second = 1_800_000_000;
    let mut lines = Vec::new();
    for number in 0..4_000 {
        second += match chance.random_range(0..400) {
            0 => chance.random_range(-40_000..40_000),
            _ => i64::from(number % 8 == 0),
        };
        let at = Timestamp::from_unix_seconds(second);
        let pool = ["farm", "lab", "Shed"][number % 3];
        let (kind, result) = [
            ("settled", "accepted"),
            ("settled", "refused"),
            ("decided", "accepted"),
        ][number % 7 % 3];
        lines.push(format!(
            r#"{{"kind":"{kind}","pool":"{pool}","at":"{at}","receipt":{{"result":"{result}","message":"{result} by {}"}}}}"#,
            number % 5
        ));
    }
    lines
}

#[test]
fn a_time_is_found_whatever_the_clocks_did() {
    let lines = by_clocks_that_jump();
    let store = filled(&lines);
    let at = |line: &String| field(line, "at").parse::<Timestamp>().unwrap();
    let times: Vec<Timestamp> = lines.iter().map(at).collect();
    let mut chance = Pcg64Mcg::seed_from_u64(4);
    for round in 0..300 {
        let from = times[chance.random_range(0..times.len())] + Span::seconds(round % 3);
        let to = from + Span::seconds([0, 60, 900, 50_000][round as usize % 4]);
        let search = Search {
            from: (round % 5 > 0).then_some(from),
            to: (round % 7 > 0).then_some(to),
            pool: (round % 2 == 0).then(|| "shed".parse().unwrap()),
            kind: (round % 3 == 0).then_some(EntryKind::Settled),
            text: (round % 11 == 0).then(|| "refused".to_owned()),
            newest_first: round % 4 < 2,
            limit: Search::LIMIT_MAX,
            ..Search::default()
        };
        let holds = |(line, at): &(&String, &Timestamp)| {
            search.from.is_none_or(|from| **at >= from)
                && search.to.is_none_or(|to| **at <= to)
                && (search.pool.is_none() || line.contains("Shed"))
                && (search.kind.is_none() || line.contains("settled"))
                && (search.text.is_none() || line.contains("refused"))
        };
        let mut expected: Vec<&String> = lines
            .iter()
            .zip(&times)
            .filter(holds)
            .map(|(line, _)| line)
            .collect();
        if search.newest_first {
            expected.reverse();
        }
        expected.truncate(Search::LIMIT_MAX);
        let found = store.search(&search).unwrap().found;
        assert!(
            found.iter().map(|found| &found.line).eq(expected.iter().copied()),
            "{search:?}: {} found, {} are there",
            found.len(),
            expected.len()
        );
    }
}

/// Returns decisions about three pools with the nodes that they saw, many to a minute, by the same clocks.
fn held_by_clocks_that_jump() -> Vec<String> {
    let lines = by_clocks_that_jump().into_iter().zip(0..);
    let decided = lines.map(|(line, number): (String, u32)| {
        let (at, pool) = (field(&line, "at"), field(&line, "pool"));
        let nodes = number % 9;
        format!(
            r#"{{"kind":"decided","pool":"{pool}","at":"{at}","policy":"p","current":{{"dedicated":{nodes},"spot":1}},"target":{{"dedicated":{nodes},"spot":1}},"order":null,"steps":[],"hold":null,"seen":{{}}}}"#
        )
    });
    decided.collect()
}

#[test]
fn what_a_report_of_a_time_reads_is_that_part_of_what_a_report_of_all_reads() {
    let lines = held_by_clocks_that_jump();
    let store = filled(&lines);
    let read = |stretch: &Stretch| {
        let mut read = Vec::new();
        store.each_held(stretch, &mut |held| read.push(held)).unwrap();
        read
    };
    let all = read(&Stretch::default());
    assert_eq!(all.len(), lines.len());
    let mut chance = Pcg64Mcg::seed_from_u64(5);
    for round in 0..200_i64 {
        let from = all[chance.random_range(0..all.len())].at + Span::seconds(round % 3);
        let to = from + Span::seconds([0, 60, 900, 50_000][round as usize % 4]);
        let stretch = Stretch {
            from: (round % 5 > 0).then_some(from),
            to: (round % 7 > 0).then_some(to),
            pool: (round % 2 == 0).then(|| "Shed".parse().unwrap()),
        };
        let holds = |held: &&Held| {
            stretch.from.is_none_or(|from| held.at >= from)
                && stretch.to.is_none_or(|to| held.at <= to)
                && stretch.pool.as_ref().is_none_or(|pool| held.pool == *pool)
        };
        let part: Vec<Held> = all.iter().filter(holds).cloned().collect();
        assert_eq!(read(&stretch), part, "{stretch:?}");
    }
    let nothing = Stretch {
        from: Some("2100-01-01T00:00:00Z".parse().unwrap()),
        ..Stretch::default()
    };
    assert_eq!(read(&nothing), []);
}

#[test]
fn a_ledger_of_the_second_schema_is_searched_by_time_and_so_is_what_its_version_still_writes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let lines = by_clocks_that_jump();
    let some: Vec<&str> = lines[..1_500].iter().map(String::as_str).collect();
    Store::open(&settings(&path)).unwrap().keep_all(&some).unwrap();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch(
        "DROP TABLE ledger_times;
         DROP TRIGGER ledger_is_timed;
         DROP INDEX ledger_pool_kind;
         PRAGMA user_version = 2;",
    )
    .unwrap();
    let store = Store::open(&settings(&path)).unwrap();
    file.execute(
        "INSERT INTO ledger (at, kind, pool, line) VALUES (7000, 'settled', 'farm', 'one more')",
        [],
    )
    .unwrap();
    let number = |from: Timestamp, to: Timestamp| {
        let search = Search {
            from: Some(from),
            to: Some(to),
            limit: 1,
            ..Search::default()
        };
        store
            .search(&search)
            .unwrap()
            .found
            .first()
            .map(|found| found.number)
    };
    let first = Timestamp::from_unix_seconds(1_800_000_000);
    assert_eq!(number(first, first + Span::seconds(1)), Some(1));
    let seventh = Timestamp::from_unix_seconds(7);
    assert_eq!(number(seventh, seventh), Some(1_501));
    assert_eq!(number(Timestamp::EPOCH, Timestamp::from_unix_seconds(6)), None);
}
