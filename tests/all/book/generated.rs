//! The chapters of reference: made of what the program prints about itself.
//!
//! `LOWTIDE_BLESS=1 cargo test --test all book` writes them anew.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use super::{docs, none, printed, schema_page};

/// The kinds of files that have a schema, with the heading of their chapter.
const SCHEMAS: &[(&str, &str)] = &[
    ("policy", "A policy, key by key"),
    ("account", "What pools share"),
    ("config", "The configuration of the sidecar"),
    ("sources", "Sources of signals"),
    ("test", "A policy test"),
    ("inputs", "Inputs of a formula"),
    ("snapshot", "A recorded account"),
    ("scenario", "A scenario of the local account"),
];

/// The codes by how they begin, with what they are about.
const ABOUT: &[(&str, &str)] = &[
    ("F0", "Formulas: how they are read"),
    ("F1", "Formulas: names and types"),
    ("F2", "Formulas: the lint catalogue"),
    ("F3", "Formulas: where the service is silent"),
    ("P", "Policies"),
    ("S", "Recorded accounts and inputs"),
    ("T", "Scripts and policy tests"),
    ("G", "The configuration"),
    ("Q", "Sources of signals"),
    ("D", "Findings of the doctor"),
    ("E", "Scenarios"),
    ("I", "Imports"),
    ("C", "Files"),
];

fn field<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text within a table: no line ends, and a bar that ends no cell.
pub(super) fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn made_by(command: &str) -> String {
    format!(
        "<!-- Made from `{command}` by `LOWTIDE_BLESS=1 cargo test --test all book`; do not edit. -->\n\n"
    )
}

fn codes() -> String {
    let document: Value = serde_json::from_str(&printed(&["reference", "codes", "-o", "json"])).unwrap();
    let mut page = "# The codes of diagnostics\n\n".to_owned() + &made_by("lowtide reference codes");
    page += "Every finding has a code that stays what it is. `lowtide reference codes F214` prints one in a terminal. Where there is an\n\
             example, the first text gets the code and the second does not; «…»×N stands for the text N times over.\n\n";
    for (start, about) in ABOUT {
        let numbered = |code: &Value| {
            let name = field(code, "code");
            name.starts_with(start) && name.len() == 4 && name[1..].bytes().all(|byte| byte.is_ascii_digit())
        };
        let _ = write!(page, "## {about}\n\n| code | finding |\n|---|---|\n");
        for code in rows(&document["codes"]).filter(|code| numbered(code)) {
            let (name, title) = (field(code, "code"), cell(field(code, "title")));
            let _ = writeln!(page, "| [{name}](#{}) | {title} |", name.to_lowercase());
        }
        page += "\n";
        rows(&document["codes"])
            .filter(|code| numbered(code))
            .for_each(|code| page += &code_section(code));
    }
    page += "## Codes with a name\n\n";
    let named = |code: &&Value| !field(code, "code")[1..].bytes().all(|byte| byte.is_ascii_digit());
    rows(&document["codes"])
        .filter(named)
        .for_each(|code| page += &code_section(code));
    page.trim_end().to_owned() + "\n"
}

fn code_section(code: &Value) -> String {
    let mut section = format!(
        "### {}\n\n**{}.** {}\n\n",
        field(code, "code"),
        cell(field(code, "title")),
        field(code, "why")
    );
    let language = if field(code, "code").starts_with('F') {
        "text,formula"
    } else {
        "text"
    };
    for (key, label) in [("bad", "gets it"), ("good", "does not")] {
        if let Some(example) = code[key].as_str() {
            let _ = write!(
                section,
                "```{language}\n{example}\n```\n<div class=\"example\">{label}</div>\n\n"
            );
        }
    }
    section
}

fn language() -> String {
    let document: Value = serde_json::from_str(&printed(&["reference", "-o", "json"])).unwrap();
    let mut page = "# The language of formulas\n\n".to_owned() + &made_by("lowtide reference formula");
    page += "## Functions\n\n";
    for function in rows(&document["functions"]) {
        let _ = write!(
            page,
            "### {}\n\n`{}`: {}\n\n",
            field(function, "name"),
            field(function, "signature"),
            field(function, "doc")
        );
        let examples: Vec<_> = rows(&function["examples"])
            .map(|example| {
                format!(
                    "{};  // x is {}\n",
                    field(example, "formula"),
                    field(example, "x")
                )
            })
            .collect();
        if !examples.is_empty() {
            let _ = write!(page, "```text,formula\n{}```\n\n", examples.concat());
        }
    }
    page += "## Methods of a data set\n\n| method | what it gives |\n|---|---|\n";
    for method in rows(&document["methods"]) {
        let _ = writeln!(
            page,
            "| `{}` | {} |",
            cell(field(method, "signature")),
            cell(field(method, "doc"))
        );
    }
    for (key, heading) in [
        ("members", "Members of a time"),
        ("constants", "Constants"),
        ("variables", "Variables"),
        ("metrics", "Sampled metrics"),
    ] {
        page += &table(heading, &document[key]);
    }
    page
}

fn table(heading: &str, entries: &Value) -> String {
    let mut table = format!("\n## {heading}\n\n| name | what it is |\n|---|---|\n");
    for entry in rows(entries) {
        let _ = writeln!(
            table,
            "| `{}` | {} |",
            field(entry, "name"),
            cell(field(entry, "doc"))
        );
    }
    table
}

fn metrics() -> String {
    let document: Value = serde_json::from_str(&printed(&["reference", "metrics", "-o", "json"])).unwrap();
    let mut page = "# The metrics of the sidecar\n\n".to_owned() + &made_by("lowtide reference metrics");
    page += "What `/metrics` exports, in base units and with bounded labels. `deploy/prometheus` has rules and alerts over them,\n\
             `deploy/grafana` dashboards.\n\n| metric | kind and labels | what it is |\n|---|---|---|\n";
    for metric in rows(&document["exported"]) {
        let (kind, doc) = field(metric, "doc")
            .split_once(": ")
            .expect("a metric has a kind");
        let _ = writeln!(page, "| `{}` | {kind} | {} |", field(metric, "name"), cell(doc));
    }
    page
}

fn commands() -> String {
    let mut page = "# The commands\n\n".to_owned() + &made_by("lowtide help");
    let overview = printed(&["help"]);
    let _ = write!(page, "```text\n{}\n```\n\n", overview.trim_end());
    let verbs = overview
        .lines()
        .skip_while(|line| *line != "Commands:")
        .take_while(|line| *line != "Options:")
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|verb| *verb != "help");
    for verb in verbs {
        let _ = write!(
            page,
            "## {verb}\n\n```text\n{}\n```\n\n",
            printed(&[verb, "--help"]).trim_end()
        );
    }
    page.trim_end().to_owned() + "\n"
}

fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        ("codes".to_owned(), codes()),
        ("language".to_owned(), language()),
        ("metrics".to_owned(), metrics()),
        ("commands".to_owned(), commands()),
    ];
    for (kind, heading) in SCHEMAS {
        let schema: Value = serde_json::from_str(&printed(&["schema", kind])).unwrap();
        let start = format!("# {heading}\n\n{}", made_by(&format!("lowtide schema {kind}")));
        pages.push(((*kind).to_owned(), start + &schema_page::page(&schema)));
    }
    pages
}

#[test]
fn chapters_of_reference_are_what_the_program_prints() {
    let mut stale = Vec::new();
    for (name, page) in pages() {
        let path = docs().join("reference").join(format!("{name}.md"));
        if std::env::var_os("LOWTIDE_BLESS").is_some() {
            fs::create_dir_all(docs().join("reference")).unwrap();
            // Other tests read the chapters meanwhile.
            if fs::read_to_string(&path).unwrap_or_default() != page {
                fs::write(&path, &page).unwrap();
            }
        }
        if fs::read_to_string(&path).unwrap_or_default() != page {
            stale.push(format!("docs/reference/{name}.md is not what the program prints; LOWTIDE_BLESS=1 cargo test --test all book"));
        }
    }
    none(&stale);
}

#[test]
fn every_code_is_in_the_chapter_of_its_letter() {
    let document: Value = serde_json::from_str(&printed(&["reference", "codes", "-o", "json"])).unwrap();
    let page = codes();
    let missing: Vec<_> = rows(&document["codes"])
        .map(|code| field(code, "code"))
        .filter(|code| page.matches(&format!("\n### {code}\n")).count() != 1)
        .map(|code| format!("{code} is not in the page of codes once"))
        .collect();
    none(&missing);
}
