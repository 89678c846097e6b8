//! The catalogue of the faults that a job log can have.

use super::{NO_TASK, UNKNOWN_FORMAT, UNREADABLE, WRONG_LINE};
use crate::base::CodeRow;

/// Every code, in order. The examples are tables of jobs.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::new(UNREADABLE, "a job log cannot be read to its end", "The file breaks off, or a line or the whole is larger than a log can be."),
    CodeRow::new(UNKNOWN_FORMAT, "a job log of no known format", "SWF has 18 numbers a line; a table names its columns on the first.")
        .example("start,length\n0,3600", "submit_s,run_s\n0,3600"),
    CodeRow::new(WRONG_LINE, "a line of a job log that cannot be read", "A field is missing, or no number in range; -1 stands for what is unknown.")
        .example("submit_s,run_s\n0,an hour", "submit_s,run_s\n0,3600"),
    CodeRow::new(NO_TASK, "a job log with nothing to run", "It is empty, or none of its jobs has a run time and lies in the window.")
        .example("submit_s,run_s\n0,-1", "submit_s,run_s\n0,3600"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::workload::{ReadOptions, read};

    fn said(source: &str) -> Vec<&'static str> {
        match read(source.as_bytes(), "example", &ReadOptions::default()) {
            Ok(_) => Vec::new(),
            Err(error) => error.faults.iter().map(|fault| fault.code.0).collect(),
        }
    }

    #[test]
    fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
        for row in CODES {
            if let Some(example) = row.example {
                assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
                assert_eq!(said(example.good), [""; 0], "{}", example.good);
            }
        }
    }
}
