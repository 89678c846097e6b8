//! Diagnostics for people and for programs.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::Range;

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Patch, Renderer, Snippet, normalize_untrusted_str,
};
use serde::Serialize;

use super::exit::Source;
use super::terminal::Look;
use crate::base::{Diagnostic, LineIndex, Severity};

/// Returns the diagnostics with the source underlined, each followed by an empty line.
pub(super) fn text(source: &Source, diagnostics: &[Diagnostic], look: Look) -> String {
    let tame = tame(&source.text);
    let name = visible(&source.name);
    let renderer = if look.colored {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.term_width(look.width);
    diagnostics
        .iter()
        .map(|diagnostic| renderer.render(&report(&tame, &name, source.first_line, diagnostic)) + "\n\n")
        .collect()
}

fn report<'a>(source: &'a str, name: &'a str, line: usize, diagnostic: &'a Diagnostic) -> Vec<Group<'a>> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(visible(&diagnostic.message))
        .id(diagnostic.code.0);
    let mut group = Group::with_title(title);
    if !source.is_empty() {
        let labels = diagnostic.labels.iter().map(|label| {
            AnnotationKind::Context
                .span(within(source, &label.span))
                .label(visible(&label.text))
        });
        let place = AnnotationKind::Primary.span(within(source, &diagnostic.span));
        let snippet = Snippet::source(source).line_start(line).path(name);
        group = group.element(snippet.annotation(place).annotations(labels));
    } else if !diagnostic.message.contains(name) {
        group = group.element(Origin::path(name));
    }
    let help = diagnostic.help.as_deref().map(visible);
    let Some(fix) = diagnostic.fix.as_ref().filter(|_| !source.is_empty()) else {
        return vec![match help {
            Some(help) => group.element(Level::HELP.message(help)),
            None => group,
        }];
    };
    let patch = Patch::new(within(source, &fix.span), visible(&fix.replacement));
    let title = Level::HELP.secondary_title(help.unwrap_or_else(|| "write".to_owned()));
    vec![
        group,
        Group::with_title(title).element(Snippet::source(source).line_start(line).path(name).patch(patch)),
    ]
}

/// A place inside the source, whatever the diagnostic says.
fn within(source: &str, span: &Range<usize>) -> Range<usize> {
    let start = source.floor_char_boundary(span.start);
    start..source.ceil_char_boundary(span.end.max(start))
}

/// Returns how many there are of something, such as `1 file` or `2 files`.
pub(super) fn counted<N: Copy + Display + PartialEq + From<u8>>(count: N, word: &str) -> String {
    let plural = if count == N::from(1) { "" } else { "s" };
    format!("{count} {word}{plural}")
}

/// Returns how many are, such as `1 file is` or `2 files are`.
pub(super) fn counted_are<N: Copy + Display + PartialEq + From<u8>>(count: N, word: &str) -> String {
    let are = if count == N::from(1) { "is" } else { "are" };
    format!("{} {are}", counted(count, word))
}

/// Returns a text whose control characters show and do nothing to a terminal.
pub(super) fn visible(text: &str) -> String {
    normalize_untrusted_str(&tame(text))
}

/// Replaces the control characters that begin escape sequences in one character (C1) by a dot of the same length, so that
/// places stay where they are; the renderer makes the others visible.
fn tame(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_c1) {
        text.chars().map(|c| if is_c1(c) { '·' } else { c }).collect()
    } else {
        Cow::Borrowed(text)
    }
}

fn is_c1(c: char) -> bool {
    ('\u{80}'..='\u{9f}').contains(&c)
}

/// One diagnostic as programs read it; lines and columns count from 1, and the end is exclusive.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DiagnosticRecord {
    code: &'static str,
    severity: Severity,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: String,
    help: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<LabelRecord>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<FixRecord>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LabelRecord {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    text: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FixRecord {
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    replacement: String,
}

/// Returns diagnostics as programs read them.
pub(super) fn records(source: &str, diagnostics: &[Diagnostic]) -> Vec<DiagnosticRecord> {
    // Most texts have none, and reading where their lines begin takes time.
    if diagnostics.is_empty() {
        return Vec::new();
    }
    let index = LineIndex::new(source);
    diagnostics
        .iter()
        .map(|diagnostic| record(&index, diagnostic))
        .collect()
}

fn record(index: &LineIndex<'_>, diagnostic: &Diagnostic) -> DiagnosticRecord {
    let (start, end) = (index.at(diagnostic.span.start), index.at(diagnostic.span.end));
    let labels = diagnostic.labels.iter().map(|label| {
        let (start, end) = (index.at(label.span.start), index.at(label.span.end));
        LabelRecord {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            text: label.text.clone(),
        }
    });
    let fix = diagnostic.fix.as_ref().map(|fix| {
        let (start, end) = (index.at(fix.span.start), index.at(fix.span.end));
        FixRecord {
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
            replacement: fix.replacement.clone(),
        }
    });
    DiagnosticRecord {
        code: diagnostic.code.0,
        severity: diagnostic.severity,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        labels: labels.collect(),
        fix,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Code;

    fn plain(text: &str, diagnostic: &Diagnostic) -> String {
        let source = Source::new("a.formula", text.to_owned());
        let look = Look {
            colored: false,
            width: 100,
        };
        super::text(&source, std::slice::from_ref(diagnostic), look)
    }

    #[test]
    fn the_place_is_underlined_and_the_fix_is_shown() {
        let diagnostic = Diagnostic::error(Code("F101"), 4..12, "there is no variable `$Pendng`")
            .label(0..1, "used here")
            .help("did you mean `$Pending`?")
            .fix(4..12, "$Pending");
        insta::assert_snapshot!(plain("x = $Pendng2;", &diagnostic), @r"
        error[F101]: there is no variable `$Pendng`
         --> a.formula:1:5
          |
        1 | x = $Pendng2;
          | -   ^^^^^^^^
          | |
          | used here
          |
        help: did you mean `$Pending`?
          |
        1 - x = $Pendng2;
        1 + x = $Pending;
          |
        ");
    }

    #[test]
    fn a_place_at_or_past_the_end_is_shown_at_the_end() {
        let diagnostic = Diagnostic::error(Code("F003"), 99..120, "a `;` is missing");
        insta::assert_snapshot!(plain("x = 1", &diagnostic), @r"
        error[F003]: a `;` is missing
         --> a.formula:1:6
          |
        1 | x = 1
          |      ^
        ");
        // Without a text the file is named all the same, unless the message does it.
        insta::assert_snapshot!(plain("", &diagnostic), @r"
        error[F003]: a `;` is missing
        --> a.formula
        ");
        let named = Diagnostic::error(Code("C001"), 0..0, "there is no file `a.formula`");
        insta::assert_snapshot!(plain("", &named), @"error[C001]: there is no file `a.formula`");
    }

    #[test]
    fn control_characters_never_reach_the_terminal() {
        let hostile = "x = \u{1b}[31m\u{9b}2J\u{7}\u{202e};";
        let diagnostic = Diagnostic::error(Code("F004"), 4..10, hostile)
            .help(hostile)
            .fix(4..5, hostile);
        let shown = plain(hostile, &diagnostic);
        assert!(shown.chars().all(|c| c == '\n' || !c.is_control()), "{shown:?}");
    }

    #[test]
    fn records_count_lines_and_columns_from_one() {
        let diagnostic = Diagnostic::warning(Code("F214"), 7..8, "odd");
        let json = serde_json::to_string(&records("a=1;\nb=2;", &[diagnostic])).unwrap();
        let expected = r#"[{"code":"F214","severity":"warning","line":2,"column":3,"endLine":2,"endColumn":4,"message":"odd","help":null}]"#;
        assert_eq!(json, expected);
    }
}
