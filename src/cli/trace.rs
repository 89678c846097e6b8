//! What an evaluation did, statement by statement, for people and for programs.

use std::fmt::Write;

use serde::Serialize;

use super::render::visible;
use super::terminal::Paint;
use super::wrap;
use crate::base::{LineColumn, LineIndex, Timestamp};
use crate::formula::builtin::METHODS;
use crate::formula::{Lean, SampleRead, Trace, TracedStatement, Value};

/// Samples shown of one look; the newest tell most.
const SAMPLES_SHOWN: usize = 8;

/// Returns the trace as lines for a terminal.
pub(super) fn text(source: &str, trace: &Trace, paint: Paint, width: usize) -> String {
    let index = LineIndex::new(source);
    let mut text = String::new();
    for statement in &trace.statements {
        statement_text(source, &index, statement, (paint, width), &mut text);
    }
    text
}

/// Columns before a statement, which hold the number of its line.
const STATEMENT_INDENT: usize = 6;
/// Columns before what a statement read.
const READ_INDENT: usize = 10;

fn statement_text(
    source: &str,
    index: &LineIndex<'_>,
    statement: &TracedStatement,
    (paint, width): (Paint, usize),
    text: &mut String,
) {
    let line = index.at(statement.span.start).line;
    let written = visible(&one_line(&source[statement.span.clone()]));
    let written = wrap::painted(&written, STATEMENT_INDENT, width, |part| {
        paint.on(Paint::NAME, part)
    });
    let value = match &statement.value {
        Some(value) => paint.on(Paint::GOOD, visible(&value.to_string())),
        None => paint.on(Paint::BAD, "no value"),
    };
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{line:>4}  {written}\n      = {value}");
    for read in &statement.reads {
        let read = wrap::painted(&read_text(read), READ_INDENT, width, |part| {
            paint.on(Paint::ASIDE, part)
        });
        let _ = writeln!(text, "        {read}");
    }
    for (lean, place) in &statement.leans {
        let LineColumn { line, column } = index.at(place.start);
        let told = format!("{} at {line}:{column}: {}", lean.code(), lean.message());
        let told = wrap::painted(&told, READ_INDENT, width, |part| paint.on(Paint::CARE, part));
        let _ = writeln!(text, "        {told}");
    }
}

/// Returns a statement on one line, without its comments and with single spaces.
fn one_line(statement: &str) -> String {
    let lines = statement.lines().map(|line| match line.find("//") {
        // A `//` inside a string ends in a later quote.
        Some(at) if line[..at].matches('"').count() % 2 == 0 => &line[..at],
        _ => line,
    });
    let words: Vec<_> = lines.flat_map(str::split_whitespace).collect();
    words.join(" ")
}

fn read_text(read: &SampleRead) -> String {
    let mut text = format!("{}.{}", read.metric, method_name(read));
    if let Some((from, to)) = read.window {
        let _ = write!(text, " from {} to {}", clock(from), clock(to));
    }
    let _ = write!(text, ": {} of {} samples", read.present, read.possible);
    if !read.values.is_empty() {
        let shown = read.values.iter().take(SAMPLES_SHOWN);
        let shown: Vec<_> = shown.map(|sample| Value::Double(*sample).to_string()).collect();
        let more = if read.present > shown.len() { " …" } else { "" };
        let _ = write!(text, ", newest first {}{more}", shown.join(" "));
    }
    text
}

/// Returns the time of day; the date of a run is in its headline.
fn clock(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S").to_string()
}

fn method_name(read: &SampleRead) -> &'static str {
    let row = METHODS.iter().find(|row| row.method == read.method);
    row.expect("every method has a row").name
}

/// One statement of a trace as programs read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatementRecord {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    name: Option<String>,
    value: Option<serde_json::Value>,
    reads: Vec<ReadRecord>,
    leans: Vec<LeanRecord>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReadRecord {
    metric: &'static str,
    method: &'static str,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    possible: u32,
    present: usize,
    newest: Vec<f64>,
}

#[derive(Debug, Serialize)]
struct LeanRecord {
    code: &'static str,
    line: usize,
    column: usize,
    message: &'static str,
    help: &'static str,
}

/// Returns the trace as programs read it.
pub(super) fn records(source: &str, trace: &Trace) -> Vec<StatementRecord> {
    let index = LineIndex::new(source);
    let record = |statement: &TracedStatement| {
        let (start, end) = (index.at(statement.span.start), index.at(statement.span.end));
        StatementRecord {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            name: statement.name.clone(),
            value: statement.value.as_ref().map(json),
            reads: statement.reads.iter().map(read_record).collect(),
            leans: statement
                .leans
                .iter()
                .map(|(lean, place)| lean_record(*lean, index.at(place.start)))
                .collect(),
        }
    };
    trace.statements.iter().map(record).collect()
}

fn read_record(read: &SampleRead) -> ReadRecord {
    ReadRecord {
        metric: read.metric.name(),
        method: method_name(read),
        from: read.window.map(|(from, _)| from),
        to: read.window.map(|(_, to)| to),
        possible: read.possible,
        present: read.present,
        newest: read.values.clone(),
    }
}

const fn lean_record(lean: Lean, at: LineColumn) -> LeanRecord {
    LeanRecord {
        code: lean.code().0,
        line: at.line,
        column: at.column,
        message: lean.message(),
        help: lean.help(),
    }
}

/// Numbers stay numbers; what JSON has no number for (`nan`, `inf`) is written as the service prints it.
fn json(value: &Value) -> serde_json::Value {
    let number = |number: f64| {
        serde_json::Number::from_f64(number).map_or_else(
            || serde_json::Value::String(Value::Double(number).to_string()),
            serde_json::Value::Number,
        )
    };
    match value {
        Value::Double(double) => number(*double),
        Value::DoubleVec(numbers) => numbers.iter().copied().map(number).collect(),
        Value::Timestamp(_) | Value::TimeInterval(_) | Value::Text(_) => {
            serde_json::Value::String(value.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::one_line;
    use super::wrap::painted;

    #[test]
    fn long_texts_break_at_spaces() {
        let wrapped = painted("aaaaaaaaaaaaaaaaaaaa bbbbbbbbbb cc", 2, 40, str::to_owned);
        assert_eq!(wrapped, "aaaaaaaaaaaaaaaaaaaa bbbbbbbbbb cc");
        let wrapped = painted("aaaaaaaaaaaaaaaaaaaa bbbbbbbbbb cc", 2, 30, str::to_owned);
        assert_eq!(wrapped, "aaaaaaaaaaaaaaaaaaaa\n  bbbbbbbbbb cc");
    }

    #[test]
    fn a_statement_shows_on_one_line_without_comments() {
        assert_eq!(one_line("x = 1 // one\n   + 2"), "x = 1 + 2");
        assert_eq!(one_line("x = time(\"http://a\")"), "x = time(\"http://a\")");
    }
}
