//! The faults a script can have, `T0xx`, each with its way out.

use std::ops::Range;

use crate::base::{Code, Diagnostic, did_you_mean};

/// How each command is written, for the help of a line that none of them reads.
const COMMANDS: &[(&str, &str)] = &[
    ("clear", "clear"),
    ("load", "load 30s from 2016-10-13T19:09:00Z"),
    (
        "pool",
        "pool targetDedicatedNodes=2 nodeDeallocationOption=requeue",
    ),
    ("now", "now 2016-10-13T19:09:00Z, or now +10m"),
    ("seed", "seed 7"),
    ("dialect", "dialect service, strict or lenient"),
    ("samplePercent", "samplePercent 70"),
    (
        "formula",
        "formula TEXT, formula \"\"\" … \"\"\" or formula from \"FILE\"",
    ),
    (
        "eval",
        "eval, eval at 2016-10-13T19:18:00Z, eval TEXT or eval TEXT => EXPECTATION",
    ),
    ("expect", EXPECTATIONS),
];

const EXPECTATIONS: &str = "expect 3, [1,2], \"text\", NAME = VALUE, NAME prints TEXT, dedicated N, spot N, option WORD, stopped, \
     results LINE, fault CODE [at 1:24 | Line 1, Col 24: …], diagnostic CODE [at 1:5] [\"words\"], lean CODE [at 1:5], \
     read $Metric [[3,2] | 2] [of 20], or no diagnostic, lean or read";

fn error(code: &'static str, span: Range<usize>, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code(code), span, message)
}

/// T001: no command reads the line.
pub(super) fn wrong(line: &str, span: Range<usize>) -> Diagnostic {
    let text = line.trim_start();
    let start = span.start + (line.len() - text.len());
    let first = text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or(text);
    let known = COMMANDS.iter().find(|(name, _)| *name == first);
    if let Some((name, usage)) = known {
        return error(
            "T001",
            start..span.end,
            format!("this `{name}` line cannot be read"),
        )
        .help(format!("write it like: {usage}"));
    }
    if text.starts_with('$') {
        return error("T001", start..span.end, "this line of samples cannot be read")
            .help("write a metric and its samples: $PendingTasks 0x10 5+1x20 _x2");
    }
    let fault = error("T001", start..span.end, "this line begins with no command");
    match did_you_mean(first, COMMANDS.iter().map(|(name, _)| *name)) {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None => fault
            .help("begin it with load, pool, formula, eval, expect or another command; `#` begins a comment"),
    }
}

/// T002: a block has no end.
pub(super) fn unclosed(text: &str, span: Range<usize>) -> Diagnostic {
    let line = text.lines().next().map_or(0, str::len);
    error(
        "T002",
        span.start..span.start + line,
        "this block of text has no end",
    )
    .help("close it with a line that begins with \"\"\"")
}

/// T003: a word is not the value it should be.
pub(super) fn value(span: Range<usize>, message: impl Into<String>) -> Diagnostic {
    error("T003", span, message)
}

/// T004: a word is none of those that are known.
pub(super) fn unknown(span: Range<usize>, what: &str, word: &str, known: &[&str]) -> Diagnostic {
    let fault = error("T004", span, format!("`{word}` is no {what}"));
    match did_you_mean(word, known.iter().copied()) {
        Some(name) => fault.help(format!("did you mean `{name}`?")),
        None => fault.help(format!("write one of {}", known.join(", "))),
    }
}

/// T005: samples stand before any `load`.
pub(super) fn series_without_load(span: Range<usize>) -> Diagnostic {
    error("T005", span, "these samples have no time")
        .help("put a line such as `load 30s from 2016-10-13T19:09:00Z` above")
}

/// T006: there is no formula to evaluate.
pub(super) fn no_formula(span: Range<usize>) -> Diagnostic {
    error("T006", span, "there is no formula to evaluate here")
        .help("write it after `eval`, or define one above with `formula`")
}

/// T007: an expectation stands before any evaluation.
pub(super) fn nothing_evaluated(span: Range<usize>) -> Diagnostic {
    error("T007", span, "nothing has been evaluated yet").help("put an `eval` line above")
}

/// T008: nothing is expected of an evaluation.
pub(super) fn unproved(span: Range<usize>) -> Diagnostic {
    error("T008", span, "this evaluation proves nothing")
        .help("say what it must give: => 3, or an `expect` line below")
}

/// T009: a script expects nothing.
pub(super) fn proves_nothing(end: usize) -> Diagnostic {
    error("T009", end..end, "this script expects nothing").help("add an `eval` line and what it must give")
}

/// T010: the script is longer than a script may be.
pub(super) fn too_long(bytes: usize, limit: usize) -> Diagnostic {
    error(
        "T010",
        0..0,
        format!("this script has {bytes} bytes, more than the {limit} that one may have"),
    )
    .help("split it, or give generated cases to `lowtide eval --jsonl`")
}

/// T011: the samples of a script are more than it may load.
pub(super) fn too_many_samples(span: Range<usize>, limit: usize) -> Diagnostic {
    error(
        "T011",
        span,
        format!("with these the script loads more than {limit} samples"),
    )
    .help("load fewer, or split the script")
}
