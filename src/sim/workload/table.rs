//! Job logs as comma-separated tables with one header line: tasks with a run time, or virtual machines with a bin of it.

use std::io::Read;

use csv::StringRecord;

use super::collect::{Collector, Job};
use super::fault::{Fault, UNKNOWN_FORMAT, WRONG_LINE};
use super::number::{cores, seconds};
use super::swf::unreadable;
use crate::account::JobNames;
use crate::base::{Span, did_you_mean};

/// Which columns of a table mean what.
#[derive(Clone, Copy, Debug)]
struct Columns {
    submit: usize,
    run: Run,
    cores: Option<usize>,
    job: Option<usize>,
    due: Option<usize>,
}

/// Where the run time comes from.
#[derive(Clone, Copy, Debug)]
enum Run {
    /// One column says it.
    Exact(usize),
    /// It lies in a bin, of which the middle is taken; a censored row's lower end is taken, as it is known to have run
    /// that long and nothing tells how much longer.
    Bin {
        low: usize,
        high: usize,
        censored: Option<usize>,
    },
}

/// Reads every row of a table.
pub(super) fn read(text: impl Read, into: &mut Collector<'_>) {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
    let columns = match reader.headers() {
        Ok(header) => columns(header),
        Err(error) => Err(broken(&error)),
    };
    let columns = match columns {
        Ok(columns) => columns,
        Err(fault) => {
            into.fault(fault.on_line(1));
            return;
        }
    };
    if matches!(columns.run, Run::Bin { .. }) {
        into.notes.push(
            "run times are the middle of their bin; of machines still running at the end, the time they had run".to_owned(),
        );
    }
    let mut row = StringRecord::new();
    loop {
        let goes_on = match reader.read_record(&mut row) {
            Ok(false) => return,
            Ok(true) => match job(&row, &columns, &mut into.jobs) {
                Ok(job) => into.job(job),
                Err(fault) => into.fault(fault.on_line(line_of(&row))),
            },
            Err(error) => {
                let line = error.position().map_or(1, csv::Position::line);
                let can_go_on = matches!(error.kind(), csv::ErrorKind::UnequalLengths { .. });
                into.fault(broken(&error).on_line(line)) && can_go_on
            }
        };
        if !goes_on {
            return;
        }
    }
}

fn columns(header: &StringRecord) -> Result<Columns, Fault> {
    let find = |name: &str| header.iter().position(|column| column == name);
    let need = |name: &str| find(name).ok_or_else(|| missing(header, name));
    if let Some(submit) = find("arrive_bin_end_s") {
        return Ok(Columns {
            submit,
            run: Run::Bin {
                low: need("dur_lo_s")?,
                high: need("dur_hi_s")?,
                censored: find("censored"),
            },
            cores: find("cores"),
            job: find("job"),
            due: find("due_s"),
        });
    }
    Ok(Columns {
        submit: need("submit_s")?,
        run: Run::Exact(need("run_s")?),
        cores: find("cores"),
        job: find("job"),
        due: find("due_s"),
    })
}

fn missing(header: &StringRecord, name: &str) -> Fault {
    let help = did_you_mean(name, header.iter()).map_or_else(
        || "name the columns submit_s,run_s,cores,job,due_s, of which the last three may be missing; a log of 18 numbers a line is read as SWF".to_owned(),
        |near| format!("rename the column `{near}` if that is what it holds"),
    );
    let text = header.iter().collect::<Vec<_>>().join(",");
    Fault::whole(UNKNOWN_FORMAT, format!("the table has no column `{name}`"), help).showing(&text, &text)
}

fn job(row: &StringRecord, columns: &Columns, jobs: &mut JobNames) -> Result<Job, Fault> {
    let wrong = |word: &str| {
        let text = row.iter().collect::<Vec<_>>().join(",");
        Fault::whole(
            WRONG_LINE,
            format!("`{word}` is not a number in range"),
            "write a number, or -1 where it is unknown",
        )
        .showing(&text, word)
    };
    let field = |column: usize| row.get(column).unwrap_or("");
    let time = |column: usize| seconds(field(column)).map_err(|()| wrong(field(column)));
    let n_cores = |column: usize| cores(field(column)).map_err(|()| wrong(field(column)));
    let run = match columns.run {
        Run::Exact(column) => time(column)?,
        Run::Bin { low, high, censored } => {
            let (low, high) = (time(low)?, time(high)?);
            let is_censored = censored.is_some_and(|column| field(column) == "1");
            low.zip(high)
                .map(|(low, high)| if is_censored { low } else { middle(low, high) })
        }
    };
    let submit = time(columns.submit)?;
    let due = columns.due.map(time).transpose()?.flatten();
    if let (Some(column), Some(true)) = (columns.due, due.zip(submit).map(|(due, submit)| due <= submit)) {
        let text = row.iter().collect::<Vec<_>>().join(",");
        return Err(Fault::whole(
            WRONG_LINE,
            "the task is due when it is submitted, or before",
            "write the second at which it must be done, counted as submit_s is, or -1",
        )
        .showing(&text, field(column)));
    }
    let name = columns.job.map(field).filter(|name| !name.is_empty());
    Ok(Job {
        submit,
        run,
        name: name.map(|name| jobs.add(name)),
        due,
        cores: columns.cores.map(n_cores).transpose()?.flatten(),
    })
}

fn middle(low: Span, high: Span) -> Span {
    low + (high - low).scale(0.5)
}

fn line_of(row: &StringRecord) -> u64 {
    row.position().map_or(1, csv::Position::line)
}

fn broken(error: &csv::Error) -> Fault {
    let (message, help) = match error.kind() {
        csv::ErrorKind::Io(error) => return unreadable(error),
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => (
            format!("the row has {len} fields and the header {expected_len}"),
            "mend or remove the row",
        ),
        csv::ErrorKind::Utf8 { .. } => ("the row is not text".to_owned(), "save the table as UTF-8"),
        _ => ("the row cannot be read".to_owned(), "mend or remove the row"),
    };
    Fault::whole(WRONG_LINE, message, help)
}
