//! The blocks of a chapter: each is run, read by the program, or has nothing to run in it.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Chapter, chapters, docs, files, none, printed};

/// Languages of data; such a block is a file of the chapter, brought in whole or in part, so that what is printed is what is run.
const DATA: &[&str] = &["yaml", "toml", "json", "csv", "text,formula", "text,script"];
/// What a line with a command begins with.
const COMMANDS: &[&str] = &[
    "$ ",
    "lowtide ",
    "az ",
    "curl ",
    "export ",
    "kubectl ",
    "helm ",
    "systemctl ",
    "sudo ",
    "cargo ",
    "docker ",
];

struct Block {
    line: usize,
    language: String,
    text: String,
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in text.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            if !open {
                found.push(Block {
                    line: index + 1,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            open = !open;
        } else if open && let Some(block) = found.last_mut() {
            block.text.push_str(line);
            block.text.push('\n');
        }
    }
    found
}

/// What is wrong with a block, where something is.
fn fault(chapter: &Chapter, block: &Block, previous: &str) -> Option<String> {
    match block.language.as_str() {
        "console" => transcript_fault(&block.text),
        "sh" => None,
        "text,output" => {
            (previous != "sh").then(|| "output follows the `sh` block that prints it".to_owned())
        }
        "text" => block
            .text
            .lines()
            .find(|line| {
                COMMANDS
                    .iter()
                    .any(|command| line.trim_start().starts_with(command))
            })
            .map(|line| {
                format!("`{line}` looks like a command that nobody runs; make it a `console` or `sh` block")
            }),
        data if DATA.contains(&data) => match included(&block.text) {
            Some(path) if chapter.file(path).is_file() => None,
            Some(path) => Some(format!("there is no {path}")),
            None => Some(format!(
                "{data} is printed from a file: {{{{#include FOLDER/FILE}}}}"
            )),
        },
        other => Some(format!(
            "`{other}` is none of the languages of blocks that something runs or reads"
        )),
    }
}

/// What is wrong with a transcript: a reader types it into a shell, which would take some letters for its own.
fn transcript_fault(text: &str) -> Option<String> {
    if !text.starts_with("$ ") {
        return Some("begins with no command".to_owned());
    }
    text.lines()
        .filter(|line| line.starts_with("$ "))
        // Every second part is quoted.
        .find(|line| line[2..].split('\'').step_by(2).any(|part| part.contains(['>', '<', '|', '&', ';', '*', '$'])))
        .map(|line| format!("a shell takes a part of `{line}` for its own; quote it"))
}

/// The file that the whole block is.
fn included(text: &str) -> Option<&str> {
    let path = text.trim_end().strip_prefix("{{#include ")?.strip_suffix("}}")?;
    Some(path.split(':').next().unwrap_or(path))
}

#[test]
fn no_block_looks_like_a_command_and_is_not_run() {
    let mut faults = Vec::new();
    for chapter in chapters().iter().filter(|chapter| !chapter.is_generated()) {
        let mut previous = String::new();
        for block in blocks(&chapter.text) {
            if let Some(fault) = fault(chapter, &block, &previous) {
                faults.push(format!("docs/{}:{}: {fault}", chapter.name, block.line));
            }
            previous = block.language;
        }
        for (index, line) in chapter.text.lines().enumerate() {
            if line.starts_with("    $ ") || line.starts_with("    lowtide ") {
                faults.push(format!(
                    "docs/{}:{}: an indented command is not run",
                    chapter.name,
                    index + 1
                ));
            }
        }
    }
    none(&faults);
}

#[test]
fn a_command_that_nobody_runs_is_found() {
    let chapter = Chapter {
        name: "start.md".to_owned(),
        text: String::new(),
    };
    let wrong = [
        "```text\nlowtide check x\n```",
        "```\nx\n```",
        "```console\nlowtide check x\n```",
        "```console\n$ lowtide check x > y\n```",
        "```yaml\nversion: 1\n```",
        "```text,output\nx\n```",
    ];
    for text in wrong {
        let block = blocks(text).pop().unwrap();
        assert!(fault(&chapter, &block, "text").is_some(), "{text}");
    }
}

#[test]
fn every_policy_of_the_book_is_sound_and_tested() {
    let (tests, others): (Vec<_>, Vec<_>) = files(&docs())
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .partition(|path| path.to_string_lossy().ends_with(".test.yaml"));
    let policies: Vec<_> = others.into_iter().filter(|path| is_policy(path)).collect();
    let untested: Vec<_> = policies
        .iter()
        .filter(|policy| !tests.iter().any(|test| speaks_of(test, policy)))
        .map(|policy| format!("no test beside {} speaks of it", policy.display()))
        .collect();
    none(&untested);
    let run = |verb: &str, files: &[PathBuf]| {
        let names = files.iter().map(|path| path.to_str().unwrap());
        printed(&std::iter::once(verb).chain(names).collect::<Vec<_>>());
    };
    run("test", &tests);
    run("check", &policies);
}

/// Whether a test is that of a policy: by its name, or because it names it.
fn speaks_of(test: &Path, policy: &Path) -> bool {
    let name = policy.file_name().unwrap().to_str().unwrap();
    test.parent() == policy.parent()
        && (policy.with_extension("test.yaml") == test || fs::read_to_string(test).unwrap().contains(name))
}

/// Other YAML of the book is scenarios and files of other tools.
fn is_policy(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .any(|line| line.starts_with("demand:") || line == "kind: account")
}
