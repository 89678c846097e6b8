//! The catalogue of the faults that inputs and recorded accounts can have.

use crate::base::CodeRow;

/// Every code, in order. The examples are inputs as `eval --inputs` reads them.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("S001", "inputs or a recorded account cannot be read", "The file is JSON, or YAML; a bracket, a comma or a quote is missing.",
        "{\"now\": \"2026-11-25T09:00:00Z\", \"pool\": {", "{\"now\": \"2026-11-25T09:00:00Z\", \"pool\": {}}"),
    CodeRow::shown("S002", "a key that is not known", "A key that nobody reads would change nothing and look as if it did.",
        "{\"now\": \"2026-11-25T09:00:00Z\", \"sample\": {}}", "{\"now\": \"2026-11-25T09:00:00Z\", \"samples\": {}}"),
    CodeRow::shown("S003", "a key stands twice", "Only one of the two could hold.",
        "{\"now\": \"2026-11-25T09:00:00Z\", \"seed\": 1, \"seed\": 2}", "{\"now\": \"2026-11-25T09:00:00Z\", \"seed\": 2}"),
    CodeRow::shown("S004", "a key is missing", "Nothing sensible can be assumed in its place.",
        "{\"seed\": 1}", "{\"now\": \"2026-11-25T09:00:00Z\", \"seed\": 1}"),
    CodeRow::shown("S005", "a value of another kind", "Counts are numbers; times and durations are texts.",
        "{\"now\": 1480000000}", "{\"now\": \"2016-11-24T15:06:40Z\"}"),
    CodeRow::shown("S006", "a value that cannot be used", "It is of the right kind, and none of the words, times or numbers that can stand here.",
        "{\"now\": \"yesterday\"}", "{\"now\": \"2026-11-24T09:00:00Z\"}"),
    CodeRow::shown("S007", "samples that cannot be read", "A word is a number, `_` for a missing sample, or one of the two with a count: 3x20, _x4, 0+2x5.",
        "{\"now\": \"2026-11-25T09:00:00Z\", \"samples\": {\"$PendingTasks\": {\"start\": \"2026-11-25T08:50:00Z\", \"values\": \"3 x 20\"}}}",
        "{\"now\": \"2026-11-25T09:00:00Z\", \"samples\": {\"$PendingTasks\": {\"start\": \"2026-11-25T08:50:00Z\", \"values\": \"3x20\"}}}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::InputsFile;

    fn said(source: &str) -> Vec<&'static str> {
        let faults = InputsFile::parse(source).err().unwrap_or_default();
        faults.iter().map(|fault| fault.code.0).collect()
    }

    #[test]
    fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
        for row in CODES {
            let example = row.example.expect("every row has one");
            assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
            assert_eq!(said(example.good), [""; 0], "{}", example.good);
        }
    }
}
