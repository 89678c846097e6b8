//! Holds the house to its plan: rooms import strictly downwards, the core is pure, and files stay readable.

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms by floor, lowest first; see `ARCHITECTURE.md`.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["signal", "account", "market"],
    &["formula", "mix", "sizing"],
    &["decision"],
    &["policy"],
    &["engine"],
    &["world"],
    &["sim", "azure", "store", "doors"],
    &["bring", "emulator", "proof", "source", "doctor", "editor", "page"],
    &["serve", "swarm"],
    &["cli"],
];

/// Floors 0 to 5 have no file, socket, thread, clock, environment, printing, async or unseeded chance.
const PURE_BELOW: usize = 6;
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::env",
    "std::process",
    "std::io",
    "std::time",
    "Utc::now",
    "Local::now",
    "Instant::now",
    "println!",
    "print!(",
    "eprint",
    "async ",
    ".await",
    "tokio",
    "reqwest",
    "rand::rng",
    "from_os_rng",
];

/// Words that mean that something is not done.
const UNDONE: &[&str] = &["todo!(", "unimplemented!(", "#[ignore", "dbg!("];

pub(crate) struct Source {
    pub(crate) path: PathBuf,
    room: String,
    pub(crate) text: String,
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let first = path.strip_prefix(&root).unwrap().components().next().unwrap();
                let room = first
                    .as_os_str()
                    .to_str()
                    .unwrap()
                    .trim_end_matches(".rs")
                    .to_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push(Source { path, room, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(!found.is_empty(), "{folder} has no source");
    found
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources_are_tests(path: &Path) -> bool {
    path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"))
}

/// The code before the tests at the end of a file, without comments.
pub(crate) fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    before_tests
        .lines()
        .map(|line| line.split("//").next().unwrap_or(line))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rooms that a text names by `crate::room`.
fn rooms_named(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap_or("")
    })
}

#[test]
fn every_room_has_a_floor_and_imports_strictly_downwards() {
    let mut wrong = Vec::new();
    for source in sources("src")
        .iter()
        .filter(|source| !["lib", "main"].contains(&source.room.as_str()))
    {
        let own =
            floor(&source.room).unwrap_or_else(|| panic!("{} stands on no floor", source.path.display()));
        for room in rooms_named(&code(&source.text)) {
            let allowed = room == source.room || floor(room).is_none_or(|other| other < own);
            if !allowed {
                wrong.push(format!(
                    "{}: {} (floor {own}) imports {room}",
                    source.path.display(),
                    source.room
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for source in sources("src") {
        if floor(&source.room).is_none_or(|floor| floor >= PURE_BELOW) {
            continue;
        }
        let code = code(&source.text);
        for (number, line) in code.lines().enumerate() {
            if let Some(ban) = IMPURE.iter().find(|ban| line.contains(**ban)) {
                wrong.push(format!(
                    "{}:{}: `{ban}` in the pure core",
                    source.path.display(),
                    number + 1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_one_idea_each_and_say_which() {
    let mut wrong = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let path = source.path.display();
        let lines = source.text.lines().count();
        if lines > 500 {
            wrong.push(format!("{path}: {lines} lines; split it by meaning"));
        }
        if !source.text.starts_with("//!") {
            wrong.push(format!("{path}: no `//!` that says what it is for"));
        }
        if source.path.ends_with("mod.rs") {
            wrong.push(format!("{path}: a room is `room.rs` beside `room/`"));
        }
        // Property tests import the prelude that proptest documents.
        let is_test = sources_are_tests(&source.path);
        if !is_test && code(&source.text).contains("::*;") {
            wrong.push(format!("{path}: a glob import"));
        }
        let is_this_list = source.path.ends_with("tidy.rs");
        for word in UNDONE
            .iter()
            .filter(|word| !is_this_list && source.text.contains(**word))
        {
            wrong.push(format!("{path}: `{word}`"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_checks_see_what_they_are_for() {
    let named: Vec<String> = rooms_named("use crate::base::Nodes;\nfn f() -> crate::cli::Exit {}")
        .map(Into::into)
        .collect();
    assert_eq!(named, ["base", "cli"]);
    assert_eq!(
        code("let a = 1; // std::fs\n#[cfg(test)]\nmod tests { std::fs }"),
        "let a = 1; "
    );
    assert!(
        floor("base") < floor("formula") && floor("formula") < floor("cli") && floor("nowhere").is_none()
    );
}
