//! What is wrong with a text a person wrote: a code, a place, a sentence and a way out.
//!
//! A diagnostic is plain data; floors above render it for a terminal, as JSON, or for an editor.

use std::fmt;
use std::ops::Range;

use serde::{Serialize, Serializer};

/// A diagnostic's stable number, such as `F214`; a number is never reused for another meaning.
///
/// Letters: `F0xx` formula syntax, `F1xx` formula names and types, `F2xx` formula lints, `F3xx` undocumented behaviour seen
/// at evaluation, `T0xx` formula scripts, `P0xx` policies, `S0xx` snapshots, inputs and workloads, `I0xx` what is imported, `C0xx`
/// files. The meaning of each is a [`CodeRow`](super::CodeRow) of the room that gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

/// How bad it is: an error stops the work, a warning does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Severity {
    /// A fact worth knowing.
    Note,
    /// Likely not what was meant.
    Warning,
    /// Cannot be used as it is.
    Error,
}

/// A second place that explains the first, with a few words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Bytes of the source.
    pub span: Range<usize>,
    /// What is to be seen there.
    pub text: String,
}

/// An edit that would mend the fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// Bytes of the source to replace.
    pub span: Range<usize>,
    /// What to put there.
    pub replacement: String,
}

/// One fault of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Which fault it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Bytes of the source that it is about.
    pub span: Range<usize>,
    /// One sentence, lower case, no full stop.
    pub message: String,
    /// The way out, in the same style.
    pub help: Option<String>,
    /// Further places.
    pub labels: Vec<Label>,
    /// An edit that would mend it, when one is sure.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// Returns an error at a place.
    pub fn error(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Error, span, message)
    }

    /// Returns a warning at a place.
    pub fn warning(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Warning, span, message)
    }

    /// Returns a note at a place.
    pub fn note(code: Code, span: Range<usize>, message: impl Into<String>) -> Self {
        Self::new(code, Severity::Note, span, message)
    }

    fn new(code: Code, severity: Severity, span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            span,
            message: message.into(),
            help: None,
            labels: Vec::new(),
            fix: None,
        }
    }

    /// Adds the way out.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn label(mut self, span: Range<usize>, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Adds an edit that would mend it.
    #[must_use]
    pub fn fix(mut self, span: Range<usize>, replacement: impl Into<String>) -> Self {
        self.fix = Some(Fix {
            span,
            replacement: replacement.into(),
        });
        self
    }
}

/// A place as people and the service count: lines and characters, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The character in that line, from 1.
    pub column: usize,
}

/// Turns byte offsets of one text into lines and columns.
#[derive(Clone, Debug)]
pub struct LineIndex<'a> {
    source: &'a str,
    starts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    /// Reads where the lines of a text begin; only a line feed ends a line, so CRLF counts once.
    pub fn new(source: &'a str) -> Self {
        let after_breaks = source
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n')
            .map(|(at, _)| at + 1);
        Self {
            source,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// Returns the line and column of a byte offset; past the end means the end, inside a character its start.
    pub fn at(&self, offset: usize) -> LineColumn {
        let offset = self.source.floor_char_boundary(offset);
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        LineColumn {
            line,
            column: self.source[start..offset].chars().count() + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let index = LineIndex::new("a = 1;\r\nü = b;\n");
        assert_eq!(index.at(0), LineColumn { line: 1, column: 1 });
        assert_eq!(index.at(8), LineColumn { line: 2, column: 1 });
        assert_eq!(index.at(13), LineColumn { line: 2, column: 5 });
        assert_eq!(index.at(999), LineColumn { line: 3, column: 1 });
    }
}
