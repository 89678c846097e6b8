//! How files of people are read: by serde at once, and with the place of everything when that fails.

use std::ops::Range;

use schemars::JsonSchema;

use super::{SampleRuns, SamplesRecord};
use crate::account::PoolId;
use crate::base::document::Node;
use crate::base::schema::{Checked, Format, Schema, SchemaCodes, StandIn};
use crate::base::{Code, Diagnostic, Span, Timestamp};
use crate::signal::History;

const UNREADABLE: Code = Code("S001");
const WRONG_SAMPLES: Code = Code("S007");
pub(super) const CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("S002"),
    duplicate_key: Code("S003"),
    missing_key: Code("S004"),
    wrong_type: Code("S005"),
    wrong_value: Code("S006"),
};

pub(super) fn sample_period() -> Span {
    Span::SAMPLE_PERIOD
}

pub(super) fn finish<T>(mut faults: Vec<Diagnostic>, value: T) -> Result<T, Vec<Diagnostic>> {
    faults.sort_by_key(|fault| fault.span.start);
    if faults.is_empty() { Ok(value) } else { Err(faults) }
}

/// A file as far as it could be read.
pub(super) struct Reading<T> {
    /// What stands of it.
    pub(super) file: T,
    /// The place of everything; `None` where the text was read without looking for that.
    document: Option<Node>,
    /// What the schema says of it.
    checked: Checked,
}

/// Reads a type; only when that fails the text is read again with the place of everything, to tell all its faults.
pub(super) fn read<T: serde::de::DeserializeOwned + JsonSchema>(
    source: &str,
) -> Result<Reading<T>, Vec<Diagnostic>> {
    if let Ok(file) = serde_json::from_str(source) {
        return Ok(Reading {
            file,
            document: None,
            checked: Checked::default(),
        });
    }
    let document = Node::parse(source)
        .map_err(|unreadable| vec![Diagnostic::error(UNREADABLE, unreadable.span, unreadable.message)])?;
    let mut checked = Schema::of::<T>(FORMATS, STAND_INS, CODES).check(&document);
    let Some(standing) = checked.standing.take() else {
        return Err(checked.faults);
    };
    match serde_json::from_value(standing.to_json()) {
        Ok(file) => Ok(Reading {
            file,
            document: Some(standing),
            checked,
        }),
        Err(_) if !checked.faults.is_empty() => Err(checked.faults),
        Err(error) => Err(vec![Diagnostic::error(
            CODES.wrong_value,
            document.span.clone(),
            error.to_string(),
        )]),
    }
}

impl<T> Reading<T> {
    /// Returns the faults that were found while reading, and where the parts of the file stand.
    pub(super) fn place<'a>(&'a self, source: &'a str) -> (Vec<Diagnostic>, Place<'a>) {
        let place = Place {
            source,
            document: self.document.as_ref(),
            checked: Some(&self.checked),
        };
        (self.checked.faults.clone(), place)
    }
}

/// With these a file is judged of which not even the frame stands; it is not used then.
const STAND_INS: &[StandIn] = &[
    StandIn {
        key: "now",
        json: "\"1970-01-01T00:00:00Z\"",
    },
    StandIn {
        key: "pools",
        json: "[]",
    },
];

const FORMATS: &[Format] = &[
    Format {
        name: "Timestamp",
        wanted: "a time like 2026-11-22T09:00:00Z",
        read: Format::reads::<Timestamp>,
    },
    Format {
        name: "Duration",
        wanted: "a duration like PT30S",
        read: Format::reads::<Span>,
    },
    Format {
        name: "PoolId",
        wanted: "a pool id",
        read: Format::reads::<PoolId>,
    },
];

/// Where the parts of a file stand; the text is read for that only when a fault is told.
pub(super) struct Place<'a> {
    source: &'a str,
    document: Option<&'a Node>,
    checked: Option<&'a Checked>,
}

impl Place<'_> {
    /// Returns the place of nothing: of a file that was read as a part of another text.
    pub(super) const fn nowhere() -> Self {
        Self {
            source: "",
            document: None,
            checked: None,
        }
    }

    /// Says whether the value of a key was left out somewhere in a part of the file, for its faults.
    pub(super) fn lacks(&self, keys: &[&str], path: &[&str]) -> bool {
        self.checked
            .is_some_and(|checked| !checked.left_out.is_empty() && checked.lacks(keys, &self.span(path)))
    }

    pub(super) fn span(&self, path: &[&str]) -> Range<usize> {
        let find = |document: &Node| document.at(path).map(|node| node.span.clone());
        match self.document {
            Some(document) => find(document),
            None => Node::parse(self.source).ok().as_ref().and_then(find),
        }
        .unwrap_or(0..0)
    }

    pub(super) fn history(
        &self,
        path: &[&str],
        period: Span,
        samples: &SamplesRecord,
        faults: &mut Vec<Diagnostic>,
    ) -> History {
        let below = |keys: &[&str]| self.span(&[path, keys].concat());
        let mut history = History::new();
        if self.lacks(&["period"], path) {
            // Nobody knows how far apart the samples are.
            return history;
        }
        if period <= Span::ZERO {
            let message = format!("the period between two samples must be longer than nothing, not {period}");
            faults.push(
                Diagnostic::error(CODES.wrong_value, below(&["period"]), message)
                    .help("leave it out for the service's 30 seconds"),
            );
            return history;
        }
        for (metric, runs) in &samples.0 {
            match runs.series(period) {
                Ok(Some(series)) => history.insert(*metric, series),
                Ok(None) => {}
                Err((run, offset, message)) => {
                    let index = run.to_string();
                    let keys: &[&str] = match runs {
                        SampleRuns::One(_) => &["samples", metric.name(), "values"],
                        SampleRuns::Many(_) => &["samples", metric.name(), &index, "values"],
                    };
                    let span = within(self.source, below(keys), offset);
                    faults.push(Diagnostic::error(WRONG_SAMPLES, span, message));
                }
            }
        }
        history
    }
}

/// Returns the word at an offset of a text that stands in the source with or without quotes.
fn within(source: &str, text: Range<usize>, offset: usize) -> Range<usize> {
    let quote = usize::from(source[text.clone()].starts_with(['"', '\'']));
    let start = source.floor_char_boundary((text.start + quote + offset).min(text.end));
    let rest = &source[start..text.end];
    let length = rest
        .find(|c: char| c.is_whitespace() || c == '"' || c == '\'')
        .unwrap_or(rest.len());
    start..start + length
}

/// Returns, for tests, each fault as `code place: sentence`, the place being the text that it is about.
#[cfg(test)]
pub(super) fn faults<T: std::fmt::Debug>(
    source: &str,
    read: fn(&str) -> Result<T, Vec<Diagnostic>>,
) -> Vec<String> {
    read(source)
        .unwrap_err()
        .iter()
        .map(|fault| {
            let help = fault.help.as_deref().unwrap_or("");
            format!(
                "{} {}: {} ({help})",
                fault.code,
                &source[fault.span.clone()],
                fault.message
            )
        })
        .collect()
}
