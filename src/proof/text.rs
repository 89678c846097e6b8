//! A report for people: what failed, expected and got one above the other, and what the run did.

use super::report::{Check, Mismatch, ScriptReport};

/// What a piece of text is, for whoever colours it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing special.
    Plain,
    /// What holds.
    Good,
    /// What does not.
    Bad,
    /// Where it stands.
    Place,
    /// What was wanted.
    Expected,
    /// What there was.
    Got,
    /// What the run did.
    Faint,
}

/// Some text of one tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its tone.
    pub tone: Tone,
    /// The text, without line ends.
    pub text: String,
}

/// One line of a report.
pub type Line = Vec<Piece>;

/// Returns a report's lines: the failures in full, then how many expectations held.
pub fn text(report: &ScriptReport) -> Vec<Line> {
    let mut lines = Vec::new();
    for check in &report.checks {
        if let Some(mismatch) = &check.mismatch {
            failure(&report.name, check, mismatch, &mut lines);
        }
    }
    let (count, failed) = (report.checks.len(), report.failed());
    let plural = if count == 1 { "expectation" } else { "expectations" };
    lines.push(if failed == 0 {
        vec![
            piece(Tone::Good, "ok    "),
            piece(Tone::Plain, format!("{}: {count} {plural}", report.name)),
        ]
    } else {
        let told = format!("{}: {failed} of {count} {plural} failed", report.name);
        vec![piece(Tone::Bad, "FAIL  "), piece(Tone::Plain, told)]
    });
    lines
}

fn failure(name: &str, check: &Check, mismatch: &Mismatch, lines: &mut Vec<Line>) {
    lines.push(vec![
        piece(Tone::Place, format!("{name}:{}: ", check.line)),
        piece(Tone::Plain, check.expectation.clone()),
    ]);
    lines.push(vec![piece(
        Tone::Faint,
        format!("    of        {}", check.evaluated),
    )]);
    if let Some(table) = results_table(&mismatch.expected, &mismatch.got) {
        lines.extend(table);
    } else {
        lines.extend(labelled("expected", Tone::Expected, &mismatch.expected));
        lines.extend(labelled("got", Tone::Got, &mismatch.got));
    }
    lines.extend(
        mismatch
            .trace
            .iter()
            .map(|line| vec![piece(Tone::Faint, format!("    | {line}"))]),
    );
    lines.push(Vec::new());
}

fn labelled(label: &str, tone: Tone, text: &str) -> Vec<Line> {
    let heads = std::iter::once(label).chain(std::iter::repeat(""));
    let texts = if text.is_empty() {
        vec![""]
    } else {
        text.lines().collect()
    };
    heads
        .zip(texts)
        .map(|(head, text)| vec![piece(Tone::Plain, format!("    {head:<10}")), piece(tone, text)])
        .collect()
}

/// Two `results` lines side by side, a row for each name; `None` when one of them is something else.
fn results_table(expected: &str, got: &str) -> Option<Vec<Line>> {
    let (expected, got) = (results(expected)?, results(got)?);
    let mut names: Vec<&str> = expected.iter().map(|(name, _)| *name).collect();
    names.extend(
        got.iter()
            .map(|(name, _)| *name)
            .filter(|name| !names.contains(name))
            .collect::<Vec<_>>(),
    );
    let value = |pairs: &[(&str, &str)], name: &str| {
        let found = pairs.iter().find(|(other, _)| *other == name);
        found.map_or("-".to_owned(), |(_, value)| (*value).to_owned())
    };
    let rows: Vec<_> = names
        .iter()
        .map(|name| ((*name).to_owned(), value(&expected, name), value(&got, name)))
        .collect();
    let head = ("name".to_owned(), "expected".to_owned(), "got".to_owned());
    let width = |of: fn(&(String, String, String)) -> &String| {
        rows.iter()
            .chain([&head])
            .map(|row| of(row).chars().count())
            .max()
            .unwrap_or(0)
    };
    let (first, second) = (width(|row| &row.0), width(|row| &row.1));
    let line = |(name, want, got): &(String, String, String), mark: &str, tones: (Tone, Tone)| {
        vec![
            piece(Tone::Plain, format!("    {mark} {name:<first$}   ")),
            piece(tones.0, format!("{want:<second$}   ")),
            piece(tones.1, got.clone()),
        ]
    };
    let mut lines = vec![line(&head, " ", (Tone::Plain, Tone::Plain))];
    lines.extend(rows.iter().map(|row| {
        let same = row.1 == row.2;
        let tones = if same {
            (Tone::Plain, Tone::Plain)
        } else {
            (Tone::Expected, Tone::Got)
        };
        line(row, if same { " " } else { "≠" }, tones)
    }));
    // Equal rows in another order differ as lines, and a table would hide it.
    rows.iter().any(|row| row.1 != row.2).then_some(lines)
}

fn results(line: &str) -> Option<Vec<(&str, &str)>> {
    line.starts_with("$Target")
        .then(|| line.split(';').map(|part| part.split_once('=')).collect())?
}

fn piece(tone: Tone, text: impl Into<String>) -> Piece {
    Piece {
        tone,
        text: text.into(),
    }
}
