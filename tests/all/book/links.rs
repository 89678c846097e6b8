//! Links of the book lead to a chapter, a heading or a file that is there, and every chapter is in the table of contents.

use std::collections::BTreeSet;

use super::{Chapter, chapters, none};

/// The targets of links and pictures in a text, outside of blocks and code.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            open = !open;
        }
        if open {
            continue;
        }
        // Every second part is code.
        let prose: String = line.split('`').step_by(2).collect();
        found.extend(
            prose
                .split("](")
                .skip(1)
                .filter_map(|rest| rest.split(')').next())
                .map(str::to_owned),
        );
    }
    found
}

/// The anchors of the headings of a chapter, as mdBook makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut open = false;
    for line in text.lines() {
        if line.starts_with("```") {
            open = !open;
        }
        if !open && line.starts_with('#') {
            found.insert(anchor(line.trim_start_matches('#').trim()));
        }
    }
    found
}

fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            _ if letter.is_alphanumeric() || letter == '_' || letter == '-' => {
                Some(letter.to_ascii_lowercase())
            }
            _ => None,
        })
        .collect()
}

fn fault(chapter: &Chapter, target: &str) -> Option<String> {
    if target.starts_with("https://") || target.starts_with("http://") {
        return None;
    }
    let (path, heading) = target.split_once('#').unwrap_or((target, ""));
    let file = if path.is_empty() {
        super::docs().join(&chapter.name)
    } else {
        chapter.file(path)
    };
    let Ok(file) = file.canonicalize() else {
        return Some("leads nowhere".to_owned());
    };
    if !file.starts_with(super::docs().canonicalize().unwrap()) {
        return Some("leads out of the book, where a reader of the built one finds nothing".to_owned());
    }
    if !heading.is_empty() && !anchors(&std::fs::read_to_string(file).unwrap()).contains(heading) {
        return Some("has no such heading".to_owned());
    }
    None
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for chapter in chapters() {
        for target in targets(&chapter.text) {
            if let Some(fault) = fault(&chapter, &target) {
                faults.push(format!("docs/{}: {target} {fault}", chapter.name));
            }
        }
    }
    none(&faults);
}

#[test]
fn every_chapter_is_in_the_table_of_contents() {
    let chapters = chapters();
    let contents = chapters
        .iter()
        .find(|chapter| chapter.name == "SUMMARY.md")
        .expect("the book has a table of contents");
    let listed: BTreeSet<_> = targets(&contents.text).into_iter().collect();
    let faults: Vec<_> = chapters
        .iter()
        .filter(|chapter| chapter.name != "SUMMARY.md" && !listed.contains(&chapter.name))
        .map(|chapter| format!("docs/{} is not in SUMMARY.md", chapter.name))
        .collect();
    none(&faults);
}
