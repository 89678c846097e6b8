//! How an expectation is told and what answers it: the two texts that a failure shows.

use super::compare::{same, show, show_wanted};
use super::observe::{Observed, show_read};
use super::script::{Expectation, Wanted};
use crate::base::{Code, LineColumn};
use crate::formula::{Outcome, SampleRead, Value};
use crate::signal::Metric;

/// What was wanted and what there was.
pub(super) struct Difference {
    pub(super) expected: String,
    pub(super) got: String,
}

/// Compares an evaluation with one expectation; `None` when it holds.
pub(super) fn judge(expectation: &Expectation, seen: &Observed) -> Option<Difference> {
    match expectation {
        Expectation::Value(name, wanted) => value(name.as_deref(), wanted, seen),
        Expectation::Prints(name, text) => {
            let got = seen.printed(name);
            differ(got == Some(text), text.clone(), || {
                got.map_or_else(
                    || failure_or(seen, "the results line does not show it"),
                    str::to_owned,
                )
            })
        }
        Expectation::Dedicated(nodes) => outcome(seen, nodes, |outcome| outcome.target.dedicated.0),
        Expectation::Spot(nodes) => outcome(seen, nodes, |outcome| outcome.target.spot.0),
        Expectation::Option(option) => outcome(seen, option, |outcome| outcome.option),
        Expectation::Stopped => {
            let stopped = seen.outcome.as_ref().is_ok_and(|outcome| outcome.stopped);
            differ(stopped, "the run is stopped by stop()", || {
                failure_or(seen, "the run reached its end")
            })
        }
        Expectation::Results(line) => differ(seen.results == *line, line.as_str(), || seen.results.clone()),
        Expectation::Fault { code, at, detail } => fault(code, *at, detail.as_deref(), seen),
        Expectation::Diagnostic { code, at, words } => diagnostic(code, *at, words.as_deref(), seen),
        Expectation::NoDiagnostic(code) => {
            let found = diagnostics(seen, code.as_deref());
            differ(found.is_empty(), "none", || found.join("\n"))
        }
        Expectation::Lean(code, at) => lean(code, *at, seen),
        Expectation::NoLean(code) => {
            let found = places(
                seen.leans()
                    .into_iter()
                    .filter(|(lean, _)| is(code.as_deref(), *lean)),
            );
            differ(found.is_empty(), "none", || found)
        }
        Expectation::Read {
            metric,
            values,
            present,
            possible,
        } => {
            let fits = |read: &&SampleRead| {
                read.metric == *metric
                    && values
                        .as_ref()
                        .is_none_or(|wanted| same(&Value::DoubleVec(read.values.clone()), wanted))
                    && present.is_none_or(|present| read.present == present)
                    && possible.is_none_or(|possible| read.possible == possible)
            };
            let wanted = wanted_read(*metric, values.as_ref(), *present, *possible);
            differ(seen.reads().any(|read| fits(&read)), wanted, || reads(seen, None))
        }
        Expectation::NoRead(metric) => {
            let any = seen
                .reads()
                .any(|read| metric.is_none_or(|metric| read.metric == metric));
            differ(!any, "none", || reads(seen, *metric))
        }
    }
}

fn differ(holds: bool, expected: impl Into<String>, got: impl FnOnce() -> String) -> Option<Difference> {
    (!holds).then(|| Difference {
        expected: expected.into(),
        got: got(),
    })
}

fn failure_or(seen: &Observed, otherwise: &str) -> String {
    match &seen.outcome {
        Err(error) => format!("{} {}", error.code, Observed::detail(error)),
        Ok(_) => otherwise.to_owned(),
    }
}

fn value(name: Option<&str>, wanted: &Wanted, seen: &Observed) -> Option<Difference> {
    let got = seen.outcome.is_ok().then(|| seen.value(name)).flatten();
    let holds = got.as_ref().is_some_and(|got| same(got, wanted));
    differ(holds, show_wanted(wanted), || match &got {
        Some(got) => show(got),
        None => failure_or(
            seen,
            if name.is_some() {
                "nothing has that name"
            } else {
                "no value"
            },
        ),
    })
}

fn outcome<T: PartialEq + ToString>(
    seen: &Observed,
    wanted: &T,
    of: impl Fn(&Outcome) -> T,
) -> Option<Difference> {
    let got = seen.outcome.as_ref().ok().map(of);
    let holds = got.as_ref() == Some(wanted);
    differ(holds, wanted.to_string(), || {
        got.map_or_else(|| failure_or(seen, ""), |got| got.to_string())
    })
}

fn fault(code: &str, at: Option<LineColumn>, detail: Option<&str>, seen: &Observed) -> Option<Difference> {
    let place = at.map(|at| format!("Line {}, Col {}: ", at.line, at.column));
    let holds = seen.outcome.as_ref().is_err_and(|error| {
        let text = Observed::detail(error);
        error.code == code
            && place.as_ref().is_none_or(|place| text.starts_with(place))
            && detail.is_none_or(|detail| text == detail)
    });
    let tail = detail.map(str::to_owned).or(place).unwrap_or_default();
    differ(holds, format!("{code} {tail}").trim_end(), || {
        failure_or(seen, &format!("no fault: {}", seen.results))
    })
}

fn diagnostic(
    code: &str,
    at: Option<LineColumn>,
    words: Option<&str>,
    seen: &Observed,
) -> Option<Difference> {
    let holds = seen.placed().into_iter().any(|(place, one)| {
        one.code.0 == code
            && at.is_none_or(|at| at == place)
            && words.is_none_or(|words| one.message.contains(words))
    });
    let place = at.map_or(String::new(), |at| format!(" at {}:{}", at.line, at.column));
    let words = words.map_or(String::new(), |words| format!(" \"{words}\""));
    differ(holds, format!("{code}{place}{words}"), || {
        none_or(diagnostics(seen, None).join("\n"))
    })
}

fn diagnostics(seen: &Observed, code: Option<&str>) -> Vec<String> {
    let placed = seen.placed().into_iter().filter(|(_, one)| is(code, one.code));
    placed
        .map(|(at, one)| format!("{} at {}:{} \"{}\"", one.code, at.line, at.column, one.message))
        .collect()
}

fn is(wanted: Option<&str>, code: Code) -> bool {
    wanted.is_none_or(|wanted| code.0 == wanted)
}

fn lean(code: &str, at: Option<LineColumn>, seen: &Observed) -> Option<Difference> {
    let leans = seen.leans();
    let holds = leans
        .iter()
        .any(|(lean, place)| lean.0 == code && at.is_none_or(|at| at == *place));
    let place = at.map_or(String::new(), |at| format!(" at {}:{}", at.line, at.column));
    differ(holds, format!("{code}{place}"), || {
        none_or(places(leans.into_iter()))
    })
}

fn places(leans: impl Iterator<Item = (Code, LineColumn)>) -> String {
    let leans: Vec<_> = leans
        .map(|(code, at)| format!("{code} at {}:{}", at.line, at.column))
        .collect();
    leans.join(", ")
}

fn none_or(found: String) -> String {
    if found.is_empty() {
        "none".to_owned()
    } else {
        found
    }
}

fn wanted_read(
    metric: Metric,
    values: Option<&Wanted>,
    present: Option<usize>,
    possible: Option<u32>,
) -> String {
    let parts = [
        Some(format!("read {metric}")),
        values.map(show_wanted),
        present.map(|present| present.to_string()),
        possible.map(|possible| format!("of {possible}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn reads(seen: &Observed, metric: Option<Metric>) -> String {
    let reads = seen
        .reads()
        .filter(|read| metric.is_none_or(|metric| read.metric == metric));
    none_or(reads.map(show_read).collect::<Vec<_>>().join("\n"))
}
