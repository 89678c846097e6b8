//! The catalogue of the faults that a configuration can have.

use super::{CONTRADICTION, NO_SECRET};
use crate::base::CodeRow;

/// Every code, in order. An example is a part of a configuration; the rest of it is as in the shortest there is.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("G001", "the configuration cannot be read", "It is no TOML: texts stand in quotes, and a key stands once.",
        "dryRun = yes", "dryRun = true"),
    CodeRow::shown("G002", "a key that is not known", "A key that nobody reads would change nothing and look as if it did.",
        "dryrun = true", "dryRun = true"),
    CodeRow::shown("G003", "a key is missing", "Nothing sensible can be assumed in its place.",
        "[traces]", "[traces]\nendpoint = \"http://127.0.0.1:4318\""),
    CodeRow::shown("G004", "a value of another kind", "Texts stand in quotes, numbers and true or false do not.",
        "dryRun = \"true\"", "dryRun = true"),
    CodeRow::shown("G005", "a value that cannot be used", "It is of the right kind, and none of the words, addresses or numbers that can stand here.",
        "log = { level = \"loud\" }", "log = { level = \"debug\" }"),
    CodeRow::new(CONTRADICTION, "settings that cannot be meant together", "One of them is missing, two say the same, or a number is out of its range."),
    CodeRow::new(NO_SECRET, "a secret cannot be read", "A file that the configuration names is not there, or a variable of the environment is not set."),
];
