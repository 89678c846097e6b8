//! Every code that the program can print has its row in `lowtide reference codes`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::tidy::{code, sources};

/// The codes that a text names in quotes: a letter and three digits.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    // Every second piece between quotes stands in quotes; escaped quotes only add pieces that are no code.
    text.split('"').filter(|piece| {
        let bytes = piece.as_bytes();
        bytes.len() == 4 && bytes[0].is_ascii_uppercase() && bytes[1..].iter().all(u8::is_ascii_digit)
    })
}

/// The catalogue as programs read it.
fn catalogue() -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_lowtide"))
        .args(["reference", "codes", "-o", "json"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    document["codes"].as_array().unwrap().clone()
}

/// A table of the catalogue names its codes as well, and must not count as a use.
fn is_table(path: &Path) -> bool {
    path.ends_with("codes.rs") || path.parent().is_some_and(|folder| folder.ends_with("codes"))
}

#[test]
fn every_code_that_is_used_is_in_the_reference_and_none_is_there_for_nothing() {
    let mut used: BTreeMap<String, String> = BTreeMap::new();
    for source in sources("src").iter().filter(|source| !is_table(&source.path)) {
        let path = source.path.display().to_string();
        used.extend(codes_in(&code(&source.text)).map(|code| (code.to_owned(), path.clone())));
    }
    assert!(used.len() > 100, "the search has gone blind: {used:?}");
    let told: BTreeSet<String> = catalogue()
        .iter()
        .map(|row| row["code"].as_str().unwrap().to_owned())
        .filter(|told| codes_in(told).next().is_some())
        .collect();
    let missing: Vec<_> = used.iter().filter(|(code, _)| !told.contains(*code)).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
    let idle: Vec<_> = told.iter().filter(|code| !used.contains_key(*code)).collect();
    assert!(idle.is_empty(), "rows that nothing prints: {idle:?}");
}

#[test]
fn a_code_has_one_row_and_every_row_tells_something() {
    let mut seen = BTreeSet::new();
    for row in catalogue() {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        assert!(seen.insert(text("code")), "{row} stands twice");
        assert!(!text("title").is_empty() && !text("why").is_empty(), "{row}");
        assert_eq!(row["bad"].is_string(), row["good"].is_string(), "{row}");
    }
}

#[test]
fn codes_are_found_in_quotes_only() {
    let text = r#"const A: Code = Code("F001"); error("T002", F003, "x F004", "F0055")"#;
    assert_eq!(codes_in(text).collect::<Vec<_>>(), ["F001", "T002"]);
}
