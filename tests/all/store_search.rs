//! What is searched for in a ledger is what looking at every line finds.

use lowtide::base::Timestamp;
use lowtide::store::{Search, Store};
use lowtide::world::EntryKind;

use crate::store::{day, field, filled};

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
