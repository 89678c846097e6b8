//! The Standard Workload Format of the Parallel Workloads Archive: 18 numbers a line, `;` comments, −1 for unknown.
//!
//! Source: Feitelson, "The Standard Workload Format", version 2.2: field 2 is the submit time, 4 the run time, 5 the
//! allocated and 8 the requested processors; the header comment `UnixStartTime` is second 0 of the log.

use std::io::BufRead;

use super::collect::{Collector, Job};
use super::fault::{Fault, UNREADABLE, WRONG_LINE};
use super::number::{cores, seconds};
use crate::base::Timestamp;

/// The requested processors, field 8, are the last that is read.
const FIELDS_MIN: usize = 8;

/// Reads every line of a log.
pub(super) fn read(mut text: impl BufRead, into: &mut Collector<'_>) {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        match text.read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                into.fault(unreadable(&error).on_line(line));
                return;
            }
        }
        let shown = String::from_utf8_lossy(&bytes);
        let goes_on = match shown.trim() {
            "" => true,
            text => match text.strip_prefix(';') {
                Some(comment) => header(comment, into),
                None => match job(text) {
                    Ok(job) => into.job(job),
                    Err(fault) => into.fault(fault.on_line(line)),
                },
            },
        };
        if !goes_on {
            return;
        }
    }
}

/// The fault of a text that breaks off.
pub(super) fn unreadable(error: &std::io::Error) -> Fault {
    Fault::whole(
        UNREADABLE,
        format!("the log cannot be read on: {error}"),
        "check that the file is whole, or read a shorter part of it",
    )
}

fn header(comment: &str, into: &mut Collector<'_>) -> bool {
    if let Some((name, value)) = comment.split_once(':')
        && name.trim() == "UnixStartTime"
        && let Ok(second) = value.trim().parse()
        && second > 0
    {
        into.log_start = Some(Timestamp::from_unix_seconds(second));
    }
    true
}

fn job(text: &str) -> Result<Job, Fault> {
    let mut fields = [""; FIELDS_MIN];
    let n_fields = text
        .split_ascii_whitespace()
        .zip(&mut fields)
        .map(|(field, place)| *place = field)
        .count();
    if n_fields < FIELDS_MIN {
        return Err(Fault::whole(
            WRONG_LINE,
            format!("a job line has 18 fields and this one has {n_fields}"),
            "mend or remove the line; comments begin with `;`",
        )
        .showing(text, text));
    }
    let wrong = |what: &str, word: &str| {
        Fault::whole(
            WRONG_LINE,
            format!("the {what} `{word}` is not a number in range"),
            "write a number, or -1 where it is unknown",
        )
        .showing(text, word)
    };
    let [_, submit, _, run, allocated, _, _, requested] = fields;
    let allocated = cores(allocated).map_err(|()| wrong("count of allocated processors", allocated))?;
    let requested = cores(requested).map_err(|()| wrong("count of requested processors", requested))?;
    Ok(Job {
        submit: seconds(submit).map_err(|()| wrong("submit time", submit))?,
        run: seconds(run).map_err(|()| wrong("run time", run))?,
        cores: allocated.or(requested),
        ..Job::default()
    })
}
