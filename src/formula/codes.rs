//! The catalogue of the codes that a formula can be given, each with a formula that gets it and one that does not.
//!
//! `lowtide reference codes` prints it and a test runs every row, so that it cannot promise what is not there.

mod decisions;
mod housekeeping;
mod leans;
mod names;
mod samples;
mod service;
mod sizing;
mod syntax;

use crate::base::CodeRow;

/// Returns the rows of the service's own codes.
pub fn of_service() -> impl Iterator<Item = &'static CodeRow> {
    service::ROWS.iter()
}

/// Returns every row, in the order of the codes; in a bad example `«x = 1; »×101` stands for so many copies, see [`expand`].
pub fn all() -> impl Iterator<Item = &'static CodeRow> {
    [
        syntax::ROWS,
        names::ROWS,
        decisions::ROWS,
        sizing::ROWS,
        samples::ROWS,
        housekeeping::ROWS,
        leans::ROWS,
    ]
    .into_iter()
    .flatten()
}

/// Returns the row of a code.
pub fn find(code: &str) -> Option<&'static CodeRow> {
    all().find(|row| row.code.0.eq_ignore_ascii_case(code))
}

/// Writes out the copies in an example: `«ab»×3` becomes `ababab`.
pub fn expand(example: &str) -> String {
    let Some((before, rest)) = example.split_once('«') else {
        return example.to_owned();
    };
    let Some((copied, after)) = rest.split_once("»×") else {
        return example.to_owned();
    };
    let digits = after.len()
        - after
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .len();
    let (count, after) = after.split_at(digits);
    let copies = copied.repeat(count.parse().unwrap_or(1));
    format!("{before}{copies}{}", expand(after))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::{Diagnostic, Severity, Timestamp};
    use crate::formula::{
        AutoScaleRun, Dialect, FormatError, Formula, Inputs, Lean, PoolFacts, Scope, format, lint,
    };
    use crate::signal::History;

    /// Everything that is said about a formula in a dialect: by check, by fmt, and while it is evaluated without a sample.
    fn said(source: &str, dialect: Dialect) -> (BTreeSet<&'static str>, Vec<Diagnostic>) {
        let formula = match Formula::compile(source, &Scope::new(dialect)) {
            Ok(formula) => formula,
            Err(faults) => return (faults.iter().map(|row| row.code.0).collect(), faults),
        };
        let found: Vec<_> = formula
            .diagnostics()
            .iter()
            .cloned()
            .chain(lint(&formula))
            .chain(format(source, dialect).map_or_else(FormatError::diagnostics, |_| Vec::new()))
            .collect();
        let history = History::new();
        let inputs = Inputs {
            now: Timestamp::EPOCH,
            pool: PoolFacts::default(),
            history: &history,
            seed: 0,
        };
        let (_, trace) = formula.evaluator().run_traced(&inputs);
        let leans = trace.statements.iter().flat_map(|row| &row.leans);
        let codes = found.iter().map(|row| row.code.0);
        (codes.chain(leans.map(|(lean, _)| lean.code().0)).collect(), found)
    }

    /// A formula that gets the code and one that does not.
    fn example(row: &CodeRow) -> (String, String) {
        let example = row.example.expect("every row has one");
        (expand(example.bad), expand(example.good))
    }

    #[test]
    fn the_service_answers_with_its_own_codes() {
        let history = History::new();
        let inputs = Inputs {
            now: Timestamp::EPOCH,
            pool: PoolFacts::default(),
            history: &history,
            seed: 0,
        };
        let answered = |source: &str| {
            let run = match Formula::compile(source, &Scope::default()) {
                Ok(formula) => formula.auto_scale_run(&inputs),
                Err(faults) => AutoScaleRun::of_syntax_error(source, &faults, &inputs),
            };
            run.error.map(|error| error.code)
        };
        for row in of_service() {
            let (bad, good) = example(row);
            assert_eq!(answered(&bad).as_deref(), Some(row.code.0), "{bad}");
            assert_eq!(answered(&good), None, "{good}");
        }
    }

    #[test]
    fn every_bad_example_gets_its_code_and_no_good_one_does() {
        let mut wrong = Vec::new();
        for row in all() {
            let (bad, good) = example(row);
            let gets = |dialect| said(&bad, dialect).0.contains(row.code.0);
            if !gets(Dialect::Service) && !gets(Dialect::Lenient) {
                wrong.push(format!(
                    "{}: {bad}\n  gets {:?}",
                    row.code,
                    said(&bad, Dialect::Service).0
                ));
            }
            let (codes, found) = said(&good, Dialect::Service);
            let is_error = |found: &Diagnostic| found.severity == Severity::Error;
            if codes.contains(row.code.0) || found.iter().any(is_error) {
                wrong.push(format!("{}, good: {good}\n  gets {codes:?}", row.code));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn codes_come_in_order_and_once_and_no_lean_is_missing() {
        let codes: Vec<&str> = all().map(|row| row.code.0).collect();
        let sorted: BTreeSet<&str> = codes.iter().copied().collect();
        assert!(codes.iter().copied().eq(sorted.iter().copied()), "{codes:?}");
        for lean in Lean::ALL {
            assert!(sorted.contains(lean.code().0), "{}", lean.code());
        }
        let lints = codes.iter().filter(|code| code.starts_with("F2")).count();
        assert!(lints >= 45, "{lints}");
    }

    #[test]
    fn copies_are_written_out() {
        assert_eq!(expand("a«bc»×2d«e»×3"), "abcbcdeee");
        assert_eq!(expand("plain « text"), "plain « text");
    }
}
