//! Recorded lives out of tables: machines with their lifetimes, or the capacity that could be held, step by step.

mod prices;
mod steps;

use std::ops::Range;

use serde::Serialize;

use super::Life;
use crate::base::{Code, CodeRow, Diagnostic, Span, Timestamp, did_you_mean};

pub use prices::read_prices;
pub use steps::{CapacitySteps, Step};

/// `S060`: the table is in no known format.
pub const UNKNOWN_TABLE: Code = Code("S060");
/// `S061`: a row of the table cannot be used.
pub const WRONG_ROW: Code = Code("S061");
/// `S062`: the table holds nothing, or more than can be fitted.
pub const NO_LIFE: Code = Code("S062");

/// What the codes of this room mean.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::new(UNKNOWN_TABLE, "recorded lives are in no known format", "Name the columns life_s,end_kind for lifetimes, or t_s,available for capacity steps."),
    CodeRow::new(WRONG_ROW, "a row of recorded lives cannot be used", "Mend or remove the row; nothing is skipped silently."),
    CodeRow::new(NO_LIFE, "there are no recorded lives, or too many", "Give a table with at least one life and at most 100,000."),
];

/// A table with a systematic fault has it on every row; twenty are enough to see the pattern.
pub const FAULTS_MAX: usize = 20;

/// More lives than this say nothing new of five parameters, and take longer to fit than anybody waits.
const LIVES_MAX: usize = 100_000;

/// Thirty years: a longer life was written in another unit.
const SECONDS_MAX: f64 = 1e9;

/// How a table is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TableFormat {
    /// One machine a row: `life_s`, `end_kind`, perhaps `started_at`; other columns are not read.
    Lifetimes,
    /// One change of capacity a row: `t_s`, `available`; the last row has -1 and ends the recording.
    Steps,
}

/// What a table holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Recorded {
    /// The lives of machines.
    Lifetimes(Vec<Life>),
    /// Capacity that came and went.
    Steps(CapacitySteps),
}

/// The rows of a table, whole and in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Rows {
    /// The lives of machines; at least one.
    Lifetimes(Vec<Life>),
    /// Changes of capacity at rising moments; the last, and no other, ends the recording.
    Steps(Vec<Step>),
}

impl TableFormat {
    const fn columns(self) -> [&'static str; 2] {
        match self {
            Self::Lifetimes => ["life_s", "end_kind"],
            Self::Steps => ["t_s", "available"],
        }
    }
}

/// Reads a table of lives; the format is told by its columns unless it is given.
///
/// # Errors
/// Every fault, by place, up to twenty.
pub fn read(text: &str, format: Option<TableFormat>) -> Result<Recorded, Vec<Diagnostic>> {
    match read_rows(text, format)? {
        Rows::Lifetimes(lives) => Ok(Recorded::Lifetimes(lives)),
        Rows::Steps(steps) => match CapacitySteps::of(&steps) {
            Ok(capacity) => Ok(Recorded::Steps(capacity)),
            Err(fault) => Err(vec![fault]),
        },
    }
}

/// Reads the rows of such a table as they stand.
///
/// # Errors
/// Every fault, by place, up to twenty.
pub fn read_rows(text: &str, format: Option<TableFormat>) -> Result<Rows, Vec<Diagnostic>> {
    let (format, table) = Table::of_lives(text, format).map_err(|fault| vec![fault])?;
    let mut faults = Vec::new();
    let rows = match format {
        TableFormat::Lifetimes => Rows::Lifetimes(table.lifetimes(&mut faults)),
        TableFormat::Steps => Rows::Steps(table.steps(&mut faults)),
    };
    if faults.is_empty() {
        faults.extend(lacks(&rows, text));
    }
    without_faults(rows, faults)
}

/// Says what rows lack of which each is right.
fn lacks(rows: &Rows, text: &str) -> Option<Diagnostic> {
    match rows {
        Rows::Lifetimes(lives) if lives.is_empty() => {
            let fault = Diagnostic::error(NO_LIFE, 0..text.len().min(1), "the table has no rows");
            Some(fault.help("give a table with at least one life"))
        }
        Rows::Steps(steps) if steps.last().is_none_or(|last| last.units.is_some()) => {
            let place = text.len().saturating_sub(1)..text.len();
            let fault = Diagnostic::error(WRONG_ROW, place, "the recording has no end");
            Some(fault.help("end it with a row whose `available` is -1: without it nobody knows how long the last value held"))
        }
        _ => None,
    }
}

/// Returns what was read, or its faults in order of place.
fn without_faults<T>(read: T, mut faults: Vec<Diagnostic>) -> Result<T, Vec<Diagnostic>> {
    faults.sort_by_key(|fault| fault.span.start);
    faults.truncate(FAULTS_MAX);
    if faults.is_empty() { Ok(read) } else { Err(faults) }
}

/// A table, its header read.
struct Table<'a> {
    text: &'a str,
    n_columns: usize,
    /// Where the two columns that are read stand.
    needed: [usize; 2],
    started: Option<usize>,
    body: usize,
}

/// One field with its place.
#[derive(Clone, Copy)]
struct Field<'a> {
    text: &'a str,
    from: usize,
}

impl Field<'_> {
    fn span(self) -> Range<usize> {
        self.from..self.from + self.text.len().max(1)
    }

    fn seconds(self) -> Option<f64> {
        let seconds: f64 = self.text.parse().ok()?;
        (0.0..=SECONDS_MAX).contains(&seconds).then_some(seconds)
    }

    fn wrong(self, expected: &str, help: &str) -> Diagnostic {
        let found = if self.text.is_empty() {
            "nothing".to_owned()
        } else {
            format!("`{}`", self.text)
        };
        Diagnostic::error(
            WRONG_ROW,
            self.span(),
            format!("expected {expected}, found {found}"),
        )
        .help(help)
    }
}

/// Returns the fields of a line that begins at a byte of the text, without the spaces around them.
fn fields(line: &str, from: usize) -> Vec<Field<'_>> {
    let mut at = from;
    let field = |text: &'_ str| {
        let start = at + (text.len() - text.trim_start().len());
        at += text.len() + 1;
        start
    };
    line.split(',')
        .zip(line.split(',').map(field).collect::<Vec<_>>())
        .map(|(text, from)| Field {
            text: text.trim(),
            from,
        })
        .collect()
}

fn first_line(text: &str) -> &str {
    text.split_inclusive('\n').next().unwrap_or("")
}

fn header(text: &str) -> Vec<Field<'_>> {
    fields(first_line(text).trim_end(), 0)
}

fn place_of_header(text: &str) -> Range<usize> {
    0..first_line(text).trim_end().len().max(1)
}

impl<'a> Table<'a> {
    /// Reads the header of a table of lives.
    fn of_lives(text: &'a str, format: Option<TableFormat>) -> Result<(TableFormat, Self), Diagnostic> {
        let header = header(text);
        let guessed = || {
            [TableFormat::Lifetimes, TableFormat::Steps]
                .into_iter()
                .find(|format| header.iter().any(|field| field.text == format.columns()[0]))
        };
        let Some(format) = format.or_else(guessed) else {
            let fault = Diagnostic::error(
                UNKNOWN_TABLE,
                place_of_header(text),
                "the first line names no columns that are known",
            );
            return Err(
                fault.help("begin with life_s,end_kind for lifetimes, or t_s,available for capacity steps")
            );
        };
        Ok((format, Self::new(text, format.columns())?))
    }

    fn new(text: &'a str, columns: [&str; 2]) -> Result<Self, Diagnostic> {
        let header = header(text);
        let find = |name: &str| header.iter().position(|field| field.text == name);
        let need = |name: &str| {
            find(name).ok_or_else(|| {
                let near = did_you_mean(name, header.iter().map(|field| field.text));
                let help = near.map_or_else(
                    || format!("name the columns {}", columns.join(",")),
                    |near| format!("rename the column `{near}` if that is what it holds"),
                );
                let message = format!("the table has no column `{name}`");
                Diagnostic::error(UNKNOWN_TABLE, place_of_header(text), message).help(help)
            })
        };
        let [one, two] = columns;
        Ok(Self {
            text,
            n_columns: header.len(),
            needed: [need(one)?, need(two)?],
            started: find("started_at"),
            body: first_line(text).len(),
        })
    }

    /// Returns the rows that have as many fields as the header; the others are faults.
    fn rows(&self, faults: &mut Vec<Diagnostic>) -> Vec<Vec<Field<'a>>> {
        let mut at = self.body;
        let mut rows = Vec::new();
        for line in self.text[self.body..].split_inclusive('\n') {
            let from = at;
            at += line.len();
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            let row = fields(line, from);
            if row.len() == self.n_columns {
                rows.push(row);
            } else if faults.len() < FAULTS_MAX {
                let message = format!(
                    "the row has {} fields and the header {}",
                    row.len(),
                    self.n_columns
                );
                let fault = Diagnostic::error(WRONG_ROW, from..from + line.len(), message);
                faults.push(fault.help("mend or remove the row"));
            }
        }
        rows
    }

    fn lifetimes(&self, faults: &mut Vec<Diagnostic>) -> Vec<Life> {
        let mut lives = Vec::new();
        for row in self.rows(faults) {
            match self.life(&row, lives.len()) {
                Ok(life) => lives.push(life),
                Err(fault) => faults.push(fault),
            }
            if faults.len() >= FAULTS_MAX {
                break;
            }
            if lives.len() > LIVES_MAX {
                faults.push(too_many(row[0].span()));
                break;
            }
        }
        lives
    }

    fn life(&self, row: &[Field<'_>], index: usize) -> Result<Life, Diagnostic> {
        let [length, end] = self.needed.map(|column| row[column]);
        let seconds = length.seconds().ok_or_else(|| {
            length.wrong(
                "how long the machine lived, in seconds",
                "write a number from 0 to 1e9",
            )
        })?;
        let ended = match end.text {
            "preempted" | "evicted" => true,
            "stopped_by_user" | "stopped" | "running" => false,
            _ => {
                let words = "write preempted or evicted when the provider ended it, stopped_by_user, stopped or running otherwise";
                return Err(end.wrong("how the life ended", words));
            }
        };
        // Without a start every life is one of its own.
        let started = match self.started.map(|column| row[column]) {
            None => Timestamp::EPOCH + Span::from_seconds(index as f64),
            Some(field) => field.text.parse().map_err(|_| {
                field.wrong(
                    "when the machine started",
                    "write it like 2026-11-22T09:00:00Z, with Z or an offset",
                )
            })?,
        };
        Ok(Life {
            started,
            length: Span::from_seconds(seconds),
            ended,
        })
    }

    /// Returns the instants with what was available; the last is the end of the recording. Of rows for one moment the last counts.
    fn steps(&self, faults: &mut Vec<Diagnostic>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for row in self.rows(faults) {
            if faults.len() >= FAULTS_MAX {
                break;
            }
            let [at, available] = self.needed.map(|column| row[column]);
            let units = match available.text.parse::<i64>() {
                Ok(-1) => Some(None),
                Ok(units) => u32::try_from(units).ok().map(Some),
                Err(_) => None,
            };
            let (Some(seconds), Some(units)) = (at.seconds(), units) else {
                faults.push(if units.is_some() {
                    at.wrong("seconds since the start", "write a number from 0 to 1e9")
                } else {
                    available.wrong(
                        "how many units were available",
                        "write a whole number; -1 ends the recording",
                    )
                });
                continue;
            };
            let step = Step {
                at: Span::from_seconds(seconds),
                units,
                place: (available.span().start, available.span().end),
            };
            match steps.last_mut() {
                Some(last) if last.units.is_none() => faults.push(available.wrong(
                    "nothing after the end of the recording",
                    "-1 stands in the last row only",
                )),
                Some(last) if last.at > step.at => {
                    faults.push(at.wrong("a later moment than in the row before", "sort the rows by time"));
                }
                Some(last) if last.at == step.at => *last = step,
                _ => steps.push(step),
            }
        }
        steps
    }
}

fn too_many(place: Range<usize>) -> Diagnostic {
    Diagnostic::error(NO_LIFE, place, "the table holds more than 100000 lives")
        .help("cut the recording into parts")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::LineIndex;

    #[test]
    fn lifetimes_are_read_by_the_names_of_their_columns() {
        let text = "zone,life_s,end_kind,started_at\r\na, 90.5 ,preempted,2026-01-01T00:00:00Z\r\n\r\nb,60,stopped_by_user,2026-01-01T01:00:00+01:00\r\n";
        let Recorded::Lifetimes(lives) = read(text, None).unwrap() else {
            panic!("other format");
        };
        assert_eq!(lives.len(), 2);
        assert_eq!(
            (lives[0].length, lives[0].ended),
            (Span::from_seconds(90.5), true)
        );
        assert_eq!((lives[1].length, lives[1].ended), (Span::seconds(60), false));
        assert_eq!(lives[0].started, lives[1].started);
    }

    fn told(text: &str) -> Vec<String> {
        let index = LineIndex::new(text);
        let faults = read(text, None).unwrap_err();
        let told = faults.iter().map(|fault| {
            let at = index.at(fault.span.start);
            format!(
                "{}:{} {} ({})",
                at.line,
                at.column,
                fault.message,
                fault.help.as_deref().unwrap_or("")
            )
        });
        told.collect()
    }

    #[test]
    fn every_fault_has_its_place_and_a_way_out() {
        assert_eq!(
            told("life_s,end_kind\n1,preempted\n-5,preempted\n7,lost\n8\n"),
            [
                "3:1 expected how long the machine lived, in seconds, found `-5` (write a number from 0 to 1e9)",
                "4:3 expected how the life ended, found `lost` (write preempted or evicted when the provider ended it, \
                 stopped_by_user, stopped or running otherwise)",
                "5:1 the row has 1 fields and the header 2 (mend or remove the row)",
            ]
        );
        assert_eq!(
            told("t_s,available\n5,1\n4,2\n6,x\n7,-1\n8,1\n9,99999999999\n"),
            [
                "3:1 expected a later moment than in the row before, found `4` (sort the rows by time)",
                "4:3 expected how many units were available, found `x` (write a whole number; -1 ends the recording)",
                "6:3 expected nothing after the end of the recording, found `1` (-1 stands in the last row only)",
                "7:3 expected how many units were available, found `99999999999` (write a whole number; -1 ends the recording)",
            ]
        );
        for (text, message) in [
            ("", "1:1 the first line names no columns"),
            ("a,b\n", "1:1 the first line names no columns"),
            (
                "life_s,endkind\n",
                "1:1 the table has no column `end_kind` (rename the column `endkind`",
            ),
            ("life_s,end_kind\n", "1:1 the table has no rows"),
            ("t_s,available\n0,1\n", "2:4 the recording has no end"),
            ("t_s,available\n", "1:14 the recording has no end"),
        ] {
            let told = told(text).concat();
            assert!(told.starts_with(message), "{told}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(body in "[-0-9a-z,\n.é ]{0,80}", head in 0_usize..3) {
            let head = ["", "life_s,end_kind\n", "t_s,available\n"][head];
            let _ = read(&format!("{head}{body}"), None);
        }
    }
}
