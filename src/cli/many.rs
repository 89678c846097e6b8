//! The answer to one line of `eval --jsonl`.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::Deserialize;

use super::evaluation::{Answer, Compiled};
use super::jsonl::Line;
use super::render::{self, DiagnosticRecord};
use super::wiring;
use crate::base::{Code, CodeRow, Diagnostic, Timestamp};
use crate::formula::{AutoScaleRun, AutoScaleRunError, Dialect, Evaluator, Inputs, NameValuePair};
use crate::world::InputsFile;

/// Formulas kept compiled: more than a fleet has, and little memory (a compiled formula takes some 10 KB).
const FORMULAS_MAX: usize = 1024;

const INVALID_LINE: Code = Code("InvalidLine");
const INVALID_INPUTS: Code = Code("InvalidInputs");
const LINE_TOO_LONG: Code = Code("LineTooLong");
const INTERNAL: Code = Code("InternalError");

/// What the codes mean that a line can be answered with, beside the service's own.
#[rustfmt::skip] // A table: its rows stay together.
pub(super) const CODES: &[CodeRow] = &[
    CodeRow::new(INVALID_LINE, "a line of eval --jsonl cannot be read", "A line is one JSON object with `formula` and, where they matter, `inputs` and `dialect`.")
        .example("{\"formula\": \"x = 1;\", \"input\": {}}", "{\"formula\": \"x = 1;\"}"),
    CodeRow::new(INVALID_INPUTS, "the inputs of a line cannot be used", "The line is JSON, and a value in its inputs is none that can stand there.")
        .example("{\"formula\": \"x = 1;\", \"inputs\": {\"now\": \"2026-11-25T09:00:00Z\", \"period\": \"PT0S\"}}",
            "{\"formula\": \"x = 1;\", \"inputs\": {\"now\": \"2026-11-25T09:00:00Z\", \"period\": \"PT30S\"}}"),
    CodeRow::new(LINE_TOO_LONG, "a line of eval --jsonl is longer than 32 MiB", "Its rest is skipped; split the samples of the line."),
    CodeRow::new(INTERNAL, "a mistake in lowtide", "The other lines are answered all the same; please report the line."),
];

/// Answers lines, and keeps the formulas of earlier ones compiled.
pub(super) struct Many {
    dialect: Dialect,
    at: Option<Timestamp>,
    kept: HashMap<(Dialect, String), Kept>,
}

struct Kept {
    evaluator: Option<Evaluator>,
    faults: Vec<Diagnostic>,
    records: Vec<DiagnosticRecord>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "{\"formula\": \"…\", \"inputs\": {…}}")]
struct Request {
    formula: String,
    inputs: Option<InputsFile>,
    dialect: Option<Dialect>,
}

impl Many {
    pub(super) fn new(dialect: Dialect, at: Option<Timestamp>) -> Self {
        Self {
            dialect,
            at,
            kept: HashMap::new(),
        }
    }

    /// Returns the answer as one line of JSON.
    pub(super) fn answer(&mut self, line: &Line<'_>) -> String {
        let bytes = match line {
            Line::Whole(bytes) => bytes,
            Line::TooLong => {
                return refuse(LINE_TOO_LONG, "the line is longer than 32 MiB", Vec::new());
            }
        };
        // A mistake of ours in one line must not take the answers of the others with it.
        catch_unwind(AssertUnwindSafe(|| self.evaluate(bytes))).unwrap_or_else(|_| {
            self.kept.clear();
            let message = "a mistake in lowtide, not in the line; please report it";
            refuse(INTERNAL, message, Vec::new())
        })
    }

    fn evaluate(&mut self, line: &[u8]) -> String {
        let request: Request = match serde_json::from_slice(line) {
            Ok(request) => request,
            Err(error) => return refuse(INVALID_LINE, "the line cannot be read", vec![why(line, &error)]),
        };
        let inputs = match request.inputs.map(InputsFile::into_inputs) {
            Some(Ok(inputs)) => inputs,
            Some(Err(faults)) => {
                let told = faults.into_iter().map(|fault| fault.message).collect();
                return refuse(INVALID_INPUTS, "the inputs cannot be used", told);
            }
            None => wiring::inputs_of_nothing(),
        };
        let mut inputs = inputs.inputs();
        inputs.now = self.at.unwrap_or(inputs.now);
        let dialect = request.dialect.unwrap_or(self.dialect);
        self.run(request.formula, dialect, &inputs)
    }

    fn run(&mut self, formula: String, dialect: Dialect, inputs: &Inputs<'_>) -> String {
        if self.kept.len() >= FORMULAS_MAX {
            self.kept.clear();
        }
        let key = (dialect, formula);
        if !self.kept.contains_key(&key) {
            let kept = Kept::new(&key.1, dialect);
            self.kept.insert(key.clone(), kept);
        }
        let kept = self.kept.get_mut(&key).expect("it was put there above");
        let run = match &mut kept.evaluator {
            Some(evaluator) => {
                // The record of the run says how it ended.
                let _ = evaluator.run(inputs);
                evaluator.auto_scale_run()
            }
            None => AutoScaleRun::of_syntax_error(&key.1, &kept.faults, inputs),
        };
        write(&Answer {
            timestamp: Some(run.timestamp),
            results: Some(&run.results),
            error: run.error.as_ref(),
            diagnostics: &kept.records,
            trace: None,
        })
    }
}

impl Kept {
    fn new(source: &str, dialect: Dialect) -> Self {
        let compiled = Compiled::new(source, dialect);
        Self {
            evaluator: compiled.formula.map(|formula| formula.evaluator()),
            records: render::records(source, &compiled.diagnostics),
            faults: compiled.diagnostics,
        }
    }
}

/// Says why a line is no request; an empty line deserves better than "EOF while parsing".
fn why(line: &[u8], error: &serde_json::Error) -> String {
    if line.iter().all(u8::is_ascii_whitespace) {
        return "the line is empty; write {\"formula\": \"…\", \"inputs\": {…}}".to_owned();
    }
    error.to_string()
}

fn refuse(code: Code, message: &str, details: Vec<String>) -> String {
    let pair = |value| NameValuePair {
        name: "Message".to_owned(),
        value,
    };
    let error = AutoScaleRunError {
        code: code.0.to_owned(),
        message: message.to_owned(),
        values: details.into_iter().map(pair).collect(),
    };
    write(&Answer {
        timestamp: None,
        results: None,
        error: Some(&error),
        diagnostics: &[],
        trace: None,
    })
}

fn write(answer: &Answer<'_>) -> String {
    serde_json::to_string(answer).expect("an answer is made of text and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(line: &str) -> serde_json::Value {
        let mut many = Many::new(Dialect::Service, None);
        serde_json::from_str(&many.answer(&Line::Whole(line.as_bytes()))).unwrap()
    }

    #[test]
    fn a_request_is_answered_with_the_record_of_the_run() {
        let line =
            r#"{"formula": "$TargetDedicatedNodes = 3;", "inputs": {"now": "2016-10-13T19:18:47.805Z"}}"#;
        let answer = answer(line);
        assert_eq!(answer["timestamp"], "2016-10-13T19:18:47.805Z");
        assert_eq!(
            answer["results"],
            "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
        );
        assert!(answer["error"].is_null());
    }

    #[test]
    fn whatever_comes_in_is_answered_with_an_error_that_says_why() {
        for (line, code, why) in [
            ("", "InvalidLine", "the line is empty"),
            ("{", "InvalidLine", "EOF"),
            ("[]", "InvalidLine", ""),
            (r#"{"inputs": {}}"#, "InvalidLine", "missing field"),
            (
                r#"{"formula": "x", "input": {}}"#,
                "InvalidLine",
                "unknown field `input`",
            ),
            (
                r#"{"formula": "x", "inputs": {"now": "2016-10-13T19:18:47Z", "period": "PT0S"}}"#,
                "InvalidInputs",
                "period",
            ),
            (
                r#"{"formula": "x", "inputs": {"now": "2016-10-13T19:18:47Z"}}"#,
                "AutoScalingFormulaEvaluationError",
                "Undefined symbol",
            ),
            (
                r#"{"formula": "= 1", "inputs": {"now": "2016-10-13T19:18:47Z"}}"#,
                "AutoScalingFormulaSyntaxError",
                "Line 1",
            ),
        ] {
            let error = &answer(line)["error"];
            assert_eq!(error["code"], code, "{line}");
            let told = error["values"].to_string();
            assert!(told.contains(why), "{line}: {told}");
        }
    }

    #[test]
    fn every_bad_example_gets_its_code_and_good_ones_get_none() {
        for row in CODES {
            if let Some(example) = row.example {
                assert_eq!(answer(example.bad)["error"]["code"], row.code.0);
                assert!(answer(example.good)["error"].is_null(), "{}", example.good);
            }
        }
    }

    proptest! {
        #[test]
        fn any_formula_is_answered(formula in "[ -~\n]{0,60}") {
            let line = serde_json::json!({ "formula": formula }).to_string();
            prop_assert_ne!(&answer(&line)["error"]["code"], "InternalError", "{}", line);
        }
    }
}
