//! Commands that stand in a sentence are not run; that they and their options exist is checked against the help.

use std::collections::BTreeMap;

use super::{chapters, none, printed};

/// What is in single backquotes, outside of blocks.
fn code(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            open = !open;
        } else if !open {
            found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    found
}

#[test]
fn commands_in_sentences_exist_with_their_options() {
    let verbs: Vec<String> = printed(&["help"])
        .lines()
        .filter(|line| {
            line.starts_with("  ") && !line.starts_with("   ") && !line.trim_start().starts_with('-')
        })
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .collect();
    let mut helps: BTreeMap<String, String> = BTreeMap::new();
    let mut faults = Vec::new();
    for chapter in chapters().iter().filter(|chapter| !chapter.is_generated()) {
        for command in code(&chapter.text) {
            let mut words = command.split_whitespace();
            let (Some("lowtide"), Some(verb)) = (words.next(), words.next()) else {
                continue;
            };
            if !verbs.iter().any(|known| known == verb) {
                faults.push(format!("docs/{}: `{command}`: there is no {verb}", chapter.name));
                continue;
            }
            let help = helps.entry(verb.to_owned()).or_insert_with(|| {
                let of_parts = ["ledger", "import"]
                    .contains(&verb)
                    .then(|| printed(&[verb, "--help"]));
                let parts = of_parts
                    .iter()
                    .flat_map(|help| help.lines())
                    .filter(|line| line.starts_with("  ") && !line.starts_with("   "));
                let of_parts: String = parts
                    .filter_map(|line| line.split_whitespace().next())
                    .filter(|part| part.chars().all(char::is_alphabetic) && *part != "help")
                    .map(|part| printed(&[verb, part, "--help"]))
                    .collect();
                printed(&[verb, "--help"]) + &of_parts
            });
            for option in words.filter(|word| word.starts_with("--")) {
                let option = option.split('=').next().unwrap_or(option);
                if !help.contains(option) {
                    faults.push(format!(
                        "docs/{}: `{command}`: {verb} has no {option}",
                        chapter.name
                    ));
                }
            }
        }
    }
    none(&faults);
}
