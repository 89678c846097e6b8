//! `lowtide replay-log`: does this engine explain what the service did?

use std::io::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::exit::{Exit, Failure, Source};
use super::options::{Output, OutputOption};
use super::render;
use super::terminal::{Paint, Terminal};
use super::{files, wiring};
use crate::account::PoolId;
use crate::base::{Code, Diagnostic, LineIndex, Span, Timestamp};
use crate::bring::{LogEntry, LoggedRun, Replay, Replayed, read_log};
use crate::formula::{Divergence, How, Verdict};

/// Hold the runs of a diagnostic log against this engine, and name where the two part
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A log has PoolAutoScaleEvents, bare or in the envelope of a diagnostic setting, one a line or under `records`. It holds
no samples: a value that rests on them is known only from the log. A run is
  explained   every recorded value follows from the time, the targets of the run before and other recorded values
  consistent  so does every value that does not rest on samples, and the others can be what they are
  diverges    a value cannot be what it is: the statement is named, with what this engine would have got
With --inputs a run is held against one on these samples, where they reach back far enough.
Exit codes: 0 all runs explained or consistent, 1 an entry cannot be read, 4 a run diverges.")]
pub(super) struct ReplayLog {
    /// The log as JSON lines, may be compressed by gzip; `-` is standard input
    #[arg(value_name = "FILE")]
    log: PathBuf,
    /// Samples that were recorded at the time, in the format of `eval --inputs`; their time and targets are not used
    #[arg(long, visible_alias = "metrics", value_name = "FILE")]
    inputs: Option<PathBuf>,
    /// How long after it was taken a sample is seen by a formula; the service needs about a minute
    #[arg(
        long,
        value_name = "TIME",
        default_value = "0s",
        hide_default_value = true,
        requires = "inputs"
    )]
    delay: Span,
    /// Only the runs of this pool; may be given several times
    #[arg(long, value_name = "ID")]
    pool: Vec<PoolId>,
    #[command(flatten)]
    output: OutputOption,
}

const NOT_EXPLAINED: Code = Code("I005");

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    runs: usize,
    explained: usize,
    consistent: usize,
    diverges: usize,
    unreadable: usize,
    other_events: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunRecord<'a> {
    line: usize,
    pool: &'a str,
    at: Timestamp,
    verdict: &'static str,
    on_samples: bool,
    values: Vec<ValueRecord<'a>>,
    divergence: Option<DivergenceRecord<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ValueRecord<'a> {
    name: &'a str,
    line: usize,
    recorded: &'a str,
    ours: &'a str,
    follows: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DivergenceRecord<'a> {
    statement: Option<usize>,
    line: Option<usize>,
    column: Option<usize>,
    name: Option<&'a str>,
    recorded: Option<&'a str>,
    ours: Option<&'a str>,
    message: &'a str,
}

#[derive(Serialize)]
struct UnreadableRecord<'a> {
    line: usize,
    verdict: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct SummaryRecord<'a> {
    summary: &'a Summary,
}

impl ReplayLog {
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let mut replay = Replay::new();
        if let Some(path) = &self.inputs {
            let source = files::read(path)?;
            let inputs = wiring::read_inputs(&source.text).map_err(|faults| Failure::Text(source, faults))?;
            replay = replay.with_samples(inputs, self.delay);
        }
        let source = files::read_inflated(&self.log)?;
        let mut summary = Summary::default();
        for (line, entry) in read_log(&source.text) {
            match entry {
                LogEntry::Other => summary.other_events += 1,
                LogEntry::Run(run) if self.wants(&run) => {
                    let replayed = replay.run(&run);
                    summary.count(replayed.retraced.verdict);
                    self.tell(line, &run, &replayed, terminal)?;
                }
                LogEntry::Run(_) => {}
                LogEntry::Unreadable(fault) => {
                    summary.unreadable += 1;
                    self.unreadable(&source, line, fault, terminal)?;
                }
            }
        }
        self.conclude(&summary, terminal)
    }

    fn wants(&self, run: &LoggedRun) -> bool {
        // The service writes ids in capitals in some of its logs.
        let is = |id: &PoolId| id.as_str().eq_ignore_ascii_case(&run.pool);
        self.pool.is_empty() || self.pool.iter().any(is)
    }

    fn tell(
        &self,
        line: usize,
        run: &LoggedRun,
        told: &Replayed,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        match self.output.output {
            Output::Json => {
                let text = serde_json::to_string(&record(line, run, told)).expect("a record is JSON");
                writeln!(terminal.out(), "{text}")?;
            }
            Output::Text => print(line, run, told, terminal)?,
        }
        Ok(())
    }

    fn unreadable(
        &self,
        source: &Source,
        line: usize,
        fault: Diagnostic,
        terminal: &mut Terminal,
    ) -> Result<(), Failure> {
        if self.output.output == Output::Json {
            let record = UnreadableRecord {
                line,
                verdict: "unreadable",
                message: &fault.message,
            };
            let text = serde_json::to_string(&record).expect("a record is JSON");
            writeln!(terminal.out(), "{text}")?;
            return Ok(());
        }
        let text = source.text.lines().nth(line - 1).unwrap_or_default();
        let shown = Source {
            first_line: line,
            ..Source::new(&source.name, text.to_owned())
        };
        Ok(terminal.say(&render::text(&shown, &[fault], terminal.look()))?)
    }

    fn conclude(&self, summary: &Summary, terminal: &mut Terminal) -> Result<Exit, Failure> {
        match self.output.output {
            Output::Json => {
                let text = serde_json::to_string(&SummaryRecord { summary }).expect("a record is JSON");
                writeln!(terminal.out(), "{text}")?;
            }
            Output::Text => {
                let Summary {
                    runs,
                    explained,
                    consistent,
                    diverges,
                    unreadable,
                    other_events,
                } = summary;
                terminal.say(&format!(
                    "runs: {runs} ({explained} explained, {consistent} consistent, {diverges} diverging); \
                     unreadable entries: {unreadable}; other events: {other_events}\n"
                ))?;
            }
        }
        Ok(match (summary.diverges, summary.unreadable) {
            (0, 0) => Exit::Success,
            (0, _) => Exit::Error,
            (_, _) => Exit::Failed,
        })
    }
}

impl Summary {
    fn count(&mut self, verdict: Verdict) {
        self.runs += 1;
        *match verdict {
            Verdict::Explained => &mut self.explained,
            Verdict::Consistent => &mut self.consistent,
            Verdict::Diverges => &mut self.diverges,
        } += 1;
    }
}

fn print(line: usize, run: &LoggedRun, told: &Replayed, terminal: &mut Terminal) -> Result<(), Failure> {
    let (retraced, paint) = (&told.retraced, terminal.paint());
    let style = match retraced.verdict {
        Verdict::Explained => Paint::GOOD,
        Verdict::Consistent => Paint::HEADING,
        Verdict::Diverges => Paint::BAD,
    };
    let verdict = paint.on(style, format!("{:<10}", retraced.verdict.word()));
    let pool = render::visible(&run.pool);
    writeln!(
        terminal.out(),
        "{pool}  {}  {verdict}  {}",
        run.at,
        reason(run, told)
    )?;
    let name = format!("{pool} (line {line} of the log)");
    let is_placed = retraced
        .divergence
        .as_ref()
        .is_none_or(|found| found.statement.is_some());
    let source = if is_placed {
        Source::new(&name, run.formula.clone())
    } else {
        Source::named(&name)
    };
    let divergence = retraced.divergence.as_ref().map(|divergence| {
        Diagnostic::error(NOT_EXPLAINED, divergence.span.clone(), divergence.message.clone())
    });
    let faults: Vec<_> = match retraced.verdict {
        Verdict::Diverges => told.faults.iter().cloned().chain(divergence).collect(),
        _ => Vec::new(),
    };
    terminal.say(&render::text(&source, &faults, terminal.look()))?;
    for note in &retraced.notes {
        terminal.say(&format!("note: {pool}: {}\n", render::visible(note)))?;
    }
    Ok(())
}

/// Says in a few words what the verdict rests on.
fn reason(run: &LoggedRun, told: &Replayed) -> String {
    let retraced = &told.retraced;
    let [follow, possible] = retraced.counts();
    let all = follow + possible;
    let samples = if told.on_samples { " from the samples" } else { "" };
    match (retraced.verdict, &run.error) {
        (Verdict::Diverges, _) => match &retraced.divergence {
            None => "the formula cannot be read here".to_owned(),
            Some(Divergence {
                statement: Some(statement),
                ..
            }) => format!("from statement {statement} on"),
            Some(_) => "in what no statement sets".to_owned(),
        },
        (Verdict::Explained, Some(_)) => format!("it fails{samples} as it did"),
        (Verdict::Consistent, Some(_)) => "it can fail as it did".to_owned(),
        (Verdict::Explained, None) => format!("{follow} of {all} values follow{samples}"),
        (Verdict::Consistent, None) => {
            let checks = retraced.checks.iter().filter(|check| check.how == How::Possible);
            let names: Vec<_> = checks.map(|check| render::visible(&check.name)).collect();
            let rest = if names.is_empty() {
                String::new()
            } else {
                format!("; possible: {}", names.join(", "))
            };
            format!("{follow} of {all} values follow{rest}")
        }
    }
}

fn record<'a>(line: usize, run: &'a LoggedRun, told: &'a Replayed) -> RunRecord<'a> {
    let retraced = &told.retraced;
    let values = retraced.checks.iter().map(|check| ValueRecord {
        name: &check.name,
        line: check.line,
        recorded: &check.recorded,
        ours: &check.ours,
        follows: check.how == How::Follows,
    });
    let lines = LineIndex::new(&run.formula);
    let unread = told
        .faults
        .first()
        .filter(|_| retraced.verdict == Verdict::Diverges);
    let divergence = match (&retraced.divergence, unread) {
        (Some(found), _) => {
            let place = found.statement.map(|_| lines.at(found.span.start));
            Some(DivergenceRecord {
                statement: found.statement,
                line: place.map(|place| place.line),
                column: place.map(|place| place.column),
                name: found.name.as_deref(),
                recorded: found.recorded.as_deref(),
                ours: Some(&found.ours),
                message: &found.message,
            })
        }
        (None, Some(fault)) => {
            let place = lines.at(fault.span.start);
            Some(DivergenceRecord {
                statement: None,
                line: Some(place.line),
                column: Some(place.column),
                name: None,
                recorded: None,
                ours: None,
                message: &fault.message,
            })
        }
        (None, None) => None,
    };
    RunRecord {
        line,
        pool: &run.pool,
        at: run.at,
        verdict: retraced.verdict.word(),
        on_samples: told.on_samples,
        values: values.collect(),
        divergence,
        notes: &retraced.notes,
    }
}
