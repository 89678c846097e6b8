//! Diagnostic logs of the Batch service: the runs of autoscale formulas in them.
//!
//! A run is a `PoolAutoScaleEvent`: bare, or in the envelope of a diagnostic setting (`category` `ServiceLog`, the event under
//! `properties`), one a line as in a storage account, or under `records` as in an event hub.
//! Source: "Pool autoscale event" and "Monitor Azure Batch" of the Azure Batch documentation, read in November 2026.

use serde_json::Value;

use crate::base::{Code, Diagnostic, Timestamp};
use crate::formula::{AutoScaleRunError, NameValuePair};

const UNREADABLE: Code = Code("I004");

/// The event of a run.
const EVENT: &str = "PoolAutoScaleEvent";

/// One run of a formula, as it was logged.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedRun {
    /// The pool.
    pub pool: String,
    /// When it ran.
    pub at: Timestamp,
    /// The formula.
    pub formula: String,
    /// What it printed.
    pub results: String,
    /// Why it failed, if it did.
    pub error: Option<AutoScaleRunError>,
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq)]
pub enum LogEntry {
    /// A run of a formula.
    Run(Box<LoggedRun>),
    /// Another event.
    Other,
    /// An entry that cannot be used, and why.
    Unreadable(Diagnostic),
}

/// Reads a log; each entry comes with the number of its line, from 1.
///
/// A text that is one JSON value is read as a whole, anything else line by line.
pub fn read_log(source: &str) -> Vec<(usize, LogEntry)> {
    let source = source.trim_start_matches('\u{feff}');
    let mut entries = Vec::new();
    if let Ok(value) = serde_json::from_str(source) {
        gather(&value, 1, &mut entries);
        return entries;
    }
    for (index, line) in source
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        match serde_json::from_str(line) {
            Ok(value) => gather(&value, index + 1, &mut entries),
            Err(error) => {
                let at = error.column().saturating_sub(1).min(line.len());
                let at = line.floor_char_boundary(at);
                let message = format!("the line is no JSON: {}", sentence(&error));
                entries.push((index + 1, LogEntry::Unreadable(unreadable(at, message))));
            }
        }
    }
    entries
}

/// Returns what the parser says, without the place that is told beside it.
fn sentence(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or(&text).to_owned()
}

fn unreadable(at: usize, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(UNREADABLE, at..at, message)
        .help("a run is a PoolAutoScaleEvent with `id`, `timestamp`, `formula` and `results`, one a line")
}

fn gather(value: &Value, line: usize, entries: &mut Vec<(usize, LogEntry)>) {
    match (value, value.get("records")) {
        (Value::Array(values), _) | (_, Some(Value::Array(values))) => {
            for value in values {
                gather(value, line, entries);
            }
        }
        _ => entries.push((line, entry(value))),
    }
}

fn entry(value: &Value) -> LogEntry {
    let event = ["operationName", "OperationName", "eventName"]
        .iter()
        .find_map(|key| value.get(key)?.as_str());
    if event.is_some_and(|event| !event.eq_ignore_ascii_case(EVENT)) {
        return LogEntry::Other;
    }
    // Some ways out of the service write the event as a text in the envelope.
    let inner: Option<Value> = match value.get("properties") {
        Some(Value::String(text)) => serde_json::from_str(text).ok(),
        other => other.cloned(),
    };
    match run(inner.as_ref().unwrap_or(value), value) {
        Ok(run) => LogEntry::Run(Box::new(run)),
        Err(message) => LogEntry::Unreadable(unreadable(0, message)),
    }
}

fn run(event: &Value, envelope: &Value) -> Result<LoggedRun, String> {
    let text = |key: &str| event.get(key).and_then(Value::as_str);
    let lacks = |key: &str| format!("the entry has no `{key}`");
    let pool = text("id").or(text("poolId")).ok_or_else(|| lacks("id"))?;
    let of_envelope = || envelope.get("time").and_then(Value::as_str);
    let at = text("timestamp")
        .or_else(of_envelope)
        .ok_or_else(|| lacks("timestamp"))?;
    let formula = text("formula").ok_or_else(|| lacks("formula"))?;
    let results = text("results").ok_or_else(|| lacks("results"))?;
    let error = event.get("error").and_then(error);
    if error.is_none() && !results.contains('=') {
        return Err("the entry has neither results nor an error".to_owned());
    }
    Ok(LoggedRun {
        pool: pool.to_owned(),
        at: at
            .parse()
            .map_err(|error: crate::base::TimeError| error.message)?,
        formula: formula.to_owned(),
        results: results.to_owned(),
        error,
    })
}

/// Reads an error; one without a code is none.
fn error(value: &Value) -> Option<AutoScaleRunError> {
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let code = text(value, "code");
    let values = value.get("values").and_then(Value::as_array);
    let values = values.into_iter().flatten();
    (!code.is_empty()).then(|| AutoScaleRunError {
        code,
        message: text(value, "message"),
        values: values
            .map(|pair| NameValuePair {
                name: text(pair, "name"),
                value: text(pair, "value"),
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = r#"{"id": "a", "timestamp": "2026-11-24T23:30:00.1234567Z", "formula": "$TargetDedicatedNodes = 3;",
        "results": "$TargetDedicatedNodes=3", "error": {"code": "", "message": "", "values": []}}"#;

    fn one(text: &str) -> LogEntry {
        let mut entries = read_log(text);
        assert_eq!(entries.len(), 1, "{entries:?}");
        entries.remove(0).1
    }

    #[test]
    fn a_run_is_the_same_bare_and_in_every_envelope() {
        let event = EVENT.replace('\n', "");
        let bare = one(&event);
        assert!(
            matches!(&bare, LogEntry::Run(run) if run.error.is_none() && run.pool == "a"),
            "{bare:?}"
        );
        let wrapped = format!(
            r#"{{"time": "2026-11-24T23:30:01Z", "category": "ServiceLogs", "operationName": "PoolAutoScaleEvent", "properties": {event}}}"#
        );
        let as_text = format!(
            r#"{{"category": "ServiceLog", "operationName": "PoolAutoScaleEvent", "properties": {}}}"#,
            serde_json::to_string(&event).unwrap()
        );
        for text in [
            wrapped.clone(),
            as_text,
            format!("{{\"records\": [{wrapped}]}}"),
            format!("[{event}]"),
            EVENT.to_owned(),
        ] {
            assert_eq!(one(&text), bare, "{text}");
        }
        let lines = format!("{event}\n\n{wrapped}\r\n{{\"records\": [{event}, {wrapped}]}}\n");
        let lines: Vec<_> = read_log(&lines)
            .into_iter()
            .map(|(line, entry)| (line, entry == bare))
            .collect();
        assert_eq!(lines, [(1, true), (3, true), (4, true), (4, true)]);
    }

    #[test]
    fn other_events_are_passed_over_and_what_is_none_is_told() {
        let other = r#"{"operationName": "PoolResizeCompleteEvent", "properties": {"id": "a"}}"#;
        assert_eq!(one(other), LogEntry::Other);
        for (text, wanted) in [
            (
                "{\"id\": \"a\"",
                "the line is no JSON: EOF while parsing an object",
            ),
            (
                "{\"timestamp\": \"2026-11-24T23:30:00Z\"}",
                "the entry has no `id`",
            ),
            ("{\"id\": \"a\"}", "the entry has no `timestamp`"),
            (
                "{\"id\": \"a\", \"timestamp\": \"now\", \"formula\": \"\", \"results\": \"a=1\"}",
                "`now` is not a time; write it like 2026-11-22T09:00:00Z",
            ),
            (
                "{\"id\": \"a\", \"timestamp\": \"2026-11-24T23:30:00Z\", \"formula\": \"x = 1\", \"results\": \"\"}",
                "the entry has neither results nor an error",
            ),
        ] {
            match one(text) {
                LogEntry::Unreadable(fault) => assert_eq!(fault.message, wanted),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
