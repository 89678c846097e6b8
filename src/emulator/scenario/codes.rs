//! The catalogue of the faults that a scenario can have.

use crate::base::CodeRow;

/// Every code, in order. The examples are scenarios.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("E001", "a scenario cannot be read", "It is no YAML: a bracket is open, or a text that holds `: ` has no quotes.",
        "version: 1\npools: [", "version: 1\npools: []"),
    CodeRow::shown("E002", "a key that a scenario does not know", "A key that nobody reads would change nothing and look as if it did.",
        "version: 1\npool: []", "version: 1\npools: []"),
    CodeRow::shown("E003", "a key stands twice in a scenario", "Only one of the two could hold.",
        "version: 1\nseed: 1\nseed: 2", "version: 1\nseed: 2"),
    CodeRow::shown("E004", "a key of a scenario is missing", "Nothing sensible can be assumed in its place.",
        "version: 1\npools: [{ id: a }]", "version: 1\npools: [{ id: a, vmSize: standard_d2s_v5 }]"),
    CodeRow::shown("E005", "a value of another kind in a scenario", "Durations are texts with their unit; counts are whole numbers.",
        "version: 1\nseed: many", "version: 1\nseed: 7"),
    CodeRow::shown("E006", "a value of a scenario that cannot be used", "It is of the right kind, and none of the words or numbers that can stand here.",
        "version: 1\ntiming: { bootSticks: 2 }", "version: 1\ntiming: { bootSticks: 0.2 }"),
    CodeRow::shown("E007", "a pool stands twice in a scenario", "Ids that differ in case only are one id for the service.",
        "version: 1\npools: [{ id: a, vmSize: standard_d2s_v5 }, { id: A, vmSize: standard_d2s_v5 }]",
        "version: 1\npools: [{ id: a, vmSize: standard_d2s_v5 }, { id: b, vmSize: standard_d2s_v5 }]"),
    CodeRow::shown("E008", "a scenario that the account does not take", "A pool or job at the start is refused, as the service would refuse it.",
        "version: 1\npools: [{ id: a, vmSize: standard_d2s_v5, taskSlotsPerNode: 9 }]",
        "version: 1\npools: [{ id: a, vmSize: standard_d2s_v5, taskSlotsPerNode: 8 }]"),
];

#[cfg(test)]
mod tests {
    use super::CODES;
    use crate::base::Timestamp;
    use crate::emulator::{Desk, Scenario};
    use crate::sim::SpotMarket;

    #[test]
    fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
        let said = |text: &str| {
            let opened = Scenario::parse(text).and_then(|scenario| {
                let setup = scenario.setup(Timestamp::EPOCH, SpotMarket::Unlimited, None);
                Desk::open(setup, &scenario, text)
            });
            let faults = opened.err().unwrap_or_default();
            faults.iter().map(|fault| fault.code.0).collect::<Vec<_>>()
        };
        for row in CODES {
            let example = row.example.unwrap();
            assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
            assert_eq!(said(example.good), [""; 0], "{}", example.good);
        }
    }
}
