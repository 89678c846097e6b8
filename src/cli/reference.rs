//! `lowtide reference`: the language, the metrics and the codes, from the tables that the program itself works by.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::exit::{Exit, Failure};
use super::options::{Output, OutputOption};
use super::render::visible;
use super::terminal::{Paint, Terminal};
use super::{files, many};
use crate::base::CodeRow;
use crate::formula::builtin::{FUNCTIONS, INTERVALS, MEMBERS, METHODS, SERVICE_VARIABLES};
use crate::formula::codes;
use crate::market::recorded;
use crate::signal::Metric;
use crate::sim::workload;
use crate::{bring, doctor, emulator, policy, proof, serve, source, world};

/// Print the reference of the language, the metrics or the codes
#[derive(Debug, clap::Args)]
pub(super) struct Reference {
    /// What to print; everything when nothing is named
    #[arg(value_enum)]
    topic: Option<Topic>,
    /// Print only these names or codes, such as percentile or F214
    names: Vec<String>,
    #[command(flatten)]
    output: OutputOption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Topic {
    /// Functions, methods, members, constants and variables
    Formula,
    /// The sampled metrics that formulas read, and the metrics that the sidecar exports
    Metrics,
    /// The codes of diagnostics, each with a text that gets it and one that does not
    Codes,
}

#[derive(Default, Serialize)]
struct Document {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    functions: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    methods: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    members: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    constants: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    variables: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    metrics: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exported: Vec<Entry>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    codes: Vec<CodeEntry>,
}

#[derive(Serialize)]
struct CodeEntry {
    code: &'static str,
    title: &'static str,
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bad: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    good: Option<&'static str>,
}

#[derive(Serialize)]
struct Entry {
    name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<&'static str>,
    doc: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    examples: Vec<Example>,
}

#[derive(Serialize)]
struct Example {
    formula: &'static str,
    x: &'static str,
}

impl Reference {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut document = document(self.topic);
        if let Some(unknown) = document.keep(&self.names) {
            let message = format!("there is no `{unknown}`; `lowtide reference` lists everything");
            return Err(Failure::Usage(message));
        }
        match self.output.output {
            Output::Json => terminal.json(&document)?,
            Output::Text => print(&document, terminal)?,
        }
        Ok(Exit::Success)
    }
}

fn document(topic: Option<Topic>) -> Document {
    let mut document = Document::default();
    if topic.is_none_or(|topic| topic == Topic::Formula) {
        document.functions = functions();
        document.methods = METHODS
            .iter()
            .map(|row| Entry::signed(row.name, row.signature, row.doc))
            .collect();
        document.members = MEMBERS
            .iter()
            .map(|(name, _, doc)| Entry::new(name, *doc))
            .collect();
        document.constants = INTERVALS
            .iter()
            .map(|(name, span)| Entry::new(name, span.to_string()))
            .collect();
        document.variables = SERVICE_VARIABLES
            .iter()
            .map(|(name, _, doc)| Entry::new(name, *doc))
            .collect();
    }
    if topic.is_none_or(|topic| topic == Topic::Metrics) {
        document.metrics = Metric::ALL.iter().map(|metric| metric_entry(*metric)).collect();
        document.exported = serve::METRICS.iter().map(exported).collect();
    }
    if topic.is_none_or(|topic| topic == Topic::Codes) {
        document.codes = codes();
    }
    document
}

/// Returns what every code means.
pub(super) fn rows() -> impl Iterator<Item = &'static CodeRow> {
    let of_files = [
        policy::CODES,
        world::CODES,
        workload::CODES,
        recorded::CODES,
        proof::CODES,
        source::CODES,
        bring::CODES,
        emulator::CODES,
        serve::config::CODES,
        doctor::CODES,
        files::CODES,
    ];
    codes::all()
        .chain(of_files.into_iter().flatten())
        .chain(codes::of_service())
        .chain(many::CODES)
}

fn codes() -> Vec<CodeEntry> {
    let entry = |row: &CodeRow| CodeEntry {
        code: row.code.0,
        title: row.title,
        why: row.why,
        bad: row.example.map(|example| example.bad),
        good: row.example.map(|example| example.good),
    };
    rows().map(entry).collect()
}

impl Document {
    /// Keeps only what is named; returns the first name that nothing has.
    fn keep(&mut self, names: &[String]) -> Option<String> {
        if names.is_empty() {
            return None;
        }
        let is_named = |name: &str| names.iter().any(|wanted| wanted.eq_ignore_ascii_case(name));
        let mut found = Vec::new();
        for entries in [
            &mut self.functions,
            &mut self.methods,
            &mut self.members,
            &mut self.constants,
            &mut self.variables,
            &mut self.metrics,
            &mut self.exported,
        ] {
            entries.retain(|entry| is_named(entry.name));
            found.extend(entries.iter().map(|entry| entry.name));
        }
        self.codes.retain(|entry| is_named(entry.code));
        found.extend(self.codes.iter().map(|entry| entry.code));
        let is_found = |wanted: &&String| found.iter().any(|name| name.eq_ignore_ascii_case(wanted));
        names.iter().find(|wanted| !is_found(wanted)).cloned()
    }
}

fn functions() -> Vec<Entry> {
    let entry = |row: &crate::formula::builtin::FunctionRow| {
        let mut entry = Entry::signed(row.name, row.signature, row.doc);
        entry.examples = row
            .examples
            .iter()
            .map(|(formula, x)| Example { formula, x })
            .collect();
        entry
    };
    FUNCTIONS.iter().map(entry).collect()
}

fn metric_entry(metric: Metric) -> Entry {
    let retired = if metric.is_retired() {
        " (retired: no data since 31 March 2024)"
    } else {
        ""
    };
    Entry::new(metric.name(), format!("{}{retired}", metric.doc()))
}

fn exported(row: &serve::MetricRow) -> Entry {
    let values = match row.values {
        "" => String::new(),
        values => format!(" {values}."),
    };
    let labels = match row.labels {
        [] => String::new(),
        labels => format!(" by {}", labels.join(", ")),
    };
    Entry::new(
        row.name,
        format!("{}{labels}: {}{values}", row.kind.word(), row.doc),
    )
}

impl Entry {
    fn new(name: &'static str, doc: impl Into<String>) -> Self {
        Self {
            name,
            signature: None,
            doc: doc.into(),
            examples: Vec::new(),
        }
    }

    fn signed(name: &'static str, signature: &'static str, doc: &str) -> Self {
        Self {
            signature: Some(signature),
            ..Self::new(name, doc)
        }
    }
}

fn print(document: &Document, terminal: &mut Terminal) -> io::Result<()> {
    let sections = [
        ("Functions", &document.functions),
        (
            "Methods of a data set, such as $PendingTasks.GetSample(10)",
            &document.methods,
        ),
        ("Members of a timestamp, such as time().hour", &document.members),
        ("Interval constants", &document.constants),
        ("Variables that the service defines", &document.variables),
        ("Metrics", &document.metrics),
        ("Metrics that the sidecar exports", &document.exported),
    ];
    let paint = terminal.paint();
    let mut first = true;
    for (heading, entries) in sections {
        if entries.is_empty() {
            continue;
        }
        let gap = if first { "" } else { "\n" };
        first = false;
        writeln!(terminal.out(), "{gap}{}\n", paint.on(Paint::HEADING, heading))?;
        for entry in entries {
            terminal.out().write_all(paragraph(entry, paint).as_bytes())?;
        }
    }
    for entry in &document.codes {
        let gap = if first { "" } else { "\n" };
        first = false;
        write!(terminal.out(), "{gap}{}", code_paragraph(entry, paint))?;
    }
    Ok(())
}

/// Where the explanation of a name begins, when the name leaves room for it.
const DOC_COLUMN: usize = 27;

fn paragraph(entry: &Entry, paint: Paint) -> String {
    let Some(signature) = entry.signature else {
        let padding = " ".repeat(DOC_COLUMN.saturating_sub(entry.name.len()));
        return format!("  {}{padding} {}\n", paint.on(Paint::NAME, entry.name), entry.doc);
    };
    let mut text = format!("  {}\n      {}\n", paint.on(Paint::NAME, signature), entry.doc);
    for example in &entry.examples {
        text += &paint.on(
            Paint::ASIDE,
            format!("      {}  // x is {}", example.formula, example.x),
        );
        text.push('\n');
    }
    text
}

fn code_paragraph(entry: &CodeEntry, paint: Paint) -> String {
    let code = paint.on(Paint::NAME, entry.code);
    let mut text = format!(
        "{code}  {}\n      {}\n",
        paint.on(Paint::HEADING, entry.title),
        entry.why
    );
    for (word, style, example) in [("bad ", Paint::BAD, entry.bad), ("good", Paint::GOOD, entry.good)] {
        for (number, line) in example.unwrap_or_default().lines().enumerate() {
            let head = if number == 0 {
                paint.on(style, word)
            } else {
                "    ".to_owned()
            };
            text.extend(["      ", &head, "  ", &visible(line), "\n"]);
        }
    }
    text
}
