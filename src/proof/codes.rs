//! The catalogue of the faults that a script can have.

use crate::base::{Code, CodeRow};

/// Every code, in order. The examples are scripts.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("T001", "a line that is no command", "Every line is a command, samples below a `load`, or a comment behind `#`.",
        "evla 1 + 2 => 3", "eval 1 + 2 => 3"),
    CodeRow::shown("T002", "a block of text has no end", "It goes on to a line that begins with three quotes.",
        "formula \"\"\"\nx = 1;\neval\nexpect x = 1", "formula \"\"\"\nx = 1;\n\"\"\"\neval\nexpect x = 1"),
    CodeRow::shown("T003", "a value that cannot be read", "A number, a time, a duration or samples are expected here.",
        "load 0s\neval 1 => 1", "load 30s\neval 1 => 1"),
    CodeRow::shown("T004", "a word that is not known", "A metric, a fact of the pool, a dialect or an option is expected here.",
        "load 30s\n  $PendingTask 3x20\neval 1 => 1", "load 30s\n  $PendingTasks 3x20\neval 1 => 1"),
    CodeRow::shown("T005", "samples without a time", "A `load` above them says how far apart they are and when they begin.",
        "  $PendingTasks 3x20\neval 1 => 1", "load 30s\n  $PendingTasks 3x20\neval 1 => 1"),
    CodeRow::shown("T006", "no formula to evaluate", "A bare `eval` evaluates the formula that was given above.",
        "eval\nexpect dedicated 3", "formula $TargetDedicatedNodes = 3;\neval\nexpect dedicated 3"),
    CodeRow::shown("T007", "an expectation of nothing", "An `expect` belongs to the evaluation above it.",
        "expect 3", "eval 1 + 2\nexpect 3"),
    CodeRow::shown("T008", "an evaluation that proves nothing", "Nothing is expected of it, so it cannot fail.",
        "eval 1 + 2\neval 3 => 3", "eval 1 + 2 => 3\neval 3 => 3"),
    CodeRow::shown("T009", "a script that expects nothing", "A script without an expectation would always pass.",
        "# Later.", "eval 1 + 2 => 3"),
    CodeRow::new(Code("T010"), "a script is larger than 1 MiB", "Split it, or give generated cases to `lowtide eval --jsonl`."),
    CodeRow::shown("T011", "more samples than a script may load", "Two million are twelve metrics for half a month.",
        "load 30s\n  $PendingTasks 0x2000001\neval 1 => 1", "load 30s\n  $PendingTasks 0x20000\neval 1 => 1"),
    CodeRow::shown("T012", "a formula file cannot be read", "Its path is seen from the folder of the script.",
        "formula from \"absent.formula\"\neval\nexpect dedicated 1", "formula from \"pool.formula\"\neval\nexpect dedicated 1"),
    CodeRow::new(Code("T020"), "a file of policy tests cannot be read", "It is no YAML: a bracket is open, or a text that holds `: ` has no quotes."),
    CodeRow::new(Code("T021"), "a key that a policy test does not know", "A key that nobody reads would prove nothing and look as if it did."),
    CodeRow::new(Code("T022"), "a key stands twice in a policy test", "Only one of the two could hold."),
    CodeRow::new(Code("T023"), "a key of a policy test is missing", "Each test has a name, a start, how long it lasts and what it expects."),
    CodeRow::new(Code("T024"), "a value of another kind in a policy test", "Durations carry their unit; counts of nodes are whole numbers."),
    CodeRow::new(Code("T025"), "a value of a policy test that cannot be used", "It is of the right kind, and none of the words or numbers that can stand here."),
    CodeRow::new(Code("T026"), "the policy of a policy test cannot be used", "It cannot be read, has faults of its own, or speaks of another pool."),
    CodeRow::new(Code("T027"), "a time that a policy test never comes to", "Times count from the start and end with the test; 20,000 looks are the most."),
    CodeRow::new(Code("T028"), "a policy test that expects nothing", "It would always pass."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::run_script;

    /// What is said of a script; an expectation that fails is said too.
    fn said(source: &str) -> Vec<&'static str> {
        let load = |file: &str| match file {
            "pool.formula" => Ok("$TargetDedicatedNodes = 1;".to_owned()),
            _ => Err("there is none".to_owned()),
        };
        match run_script("example", source, &load) {
            Ok(report) if report.failed() == 0 => Vec::new(),
            Ok(_) => vec!["failed"],
            Err(faults) => faults.iter().map(|fault| fault.code.0).collect(),
        }
    }

    #[test]
    fn every_bad_example_gets_its_code_and_good_ones_get_nothing() {
        for row in CODES {
            if let Some(example) = row.example {
                let found = said(example.bad);
                assert!(found.contains(&row.code.0), "{}: {found:?}", example.bad);
                assert_eq!(said(example.good), [""; 0], "{}", example.good);
            }
        }
    }
}
