//! The catalogue of what can be said of a text that is brought from elsewhere.

use crate::base::{Code, CodeRow};

/// Every code, in order.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("I001", "a text to import cannot be read", "It is JSON or YAML as the tool writes it; a bracket, a quote or an indentation is wrong.",
        "{\"id\": \"render\", ", "{\"id\": \"render\", \"targetDedicatedNodes\": 2}"),
    CodeRow::shown("I002", "a value to import cannot be used", "The setting is known, and its value is none that it can have.",
        "{\"id\": \"render\", \"targetDedicatedNodes\": \"many\"}", "{\"id\": \"render\", \"targetDedicatedNodes\": \"2\"}"),
    CodeRow::shown("I003", "a pool to import lacks what a policy needs", "Without an id there is no policy, and without a formula or targets nothing says how many nodes there are.",
        "{\"targetDedicatedNodes\": 2}", "{\"id\": \"render\", \"targetDedicatedNodes\": 2}"),
    CodeRow::new(Code("I004"), "an entry of a log cannot be used", "A run is a PoolAutoScaleEvent with `id`, `timestamp`, `formula` and `results`, one a line; other events are passed over."),
    CodeRow::new(Code("I005"), "a recorded run is not explained", "The engine would have got something else, from the named statement on: a formula that was changed by hand in the log, or a behaviour of the service that this engine does not have. Please report the entry."),
    CodeRow::new(Code("I006"), "a setting was not brought", "It does not say how large the pool is, or a policy has nothing like it; the pool itself keeps it."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bring::native;

    #[test]
    fn every_bad_example_gets_its_code_and_good_ones_get_nothing() {
        for (row, example) in CODES.iter().filter_map(|row| Some((row, row.example?))) {
            let faults = native(example.bad).expect_err(example.bad);
            assert_eq!(faults[0].code, row.code, "{}", example.bad);
            assert!(native(example.good).is_ok(), "{}", example.good);
        }
    }
}
