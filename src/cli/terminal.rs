//! Where a command writes, and whether in colour.

use std::fmt::Display;
use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};

use super::options::Color;

/// Standard output and standard error of one command.
pub(super) struct Terminal {
    out: BufWriter<io::StdoutLock<'static>>,
    paints_out: bool,
    paints_err: bool,
    width: usize,
}

/// How a diagnostic is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// In colour.
    pub(super) colored: bool,
    /// In so many columns.
    pub(super) width: usize,
}

/// Columns of a terminal that does not say how many it has.
const WIDTH_OF_TERMINAL: usize = 80;
/// Columns of a file or pipe, which nobody limits: room for every table.
const WIDTH_OF_FILE: usize = 120;
/// Narrower than this nothing can be laid out, whatever is asked for.
const WIDTH_MIN: usize = 40;

fn width() -> usize {
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let otherwise = if io::stdout().is_terminal() {
        WIDTH_OF_TERMINAL
    } else {
        WIDTH_OF_FILE
    };
    asked.unwrap_or(otherwise).max(WIDTH_MIN)
}

impl Terminal {
    /// Looks at the streams of the process.
    pub(super) fn new(color: Color) -> Self {
        let paints = |auto: bool| match color {
            Color::Auto => auto,
            Color::Always => true,
            Color::Never => false,
        };
        let auto_out = AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never;
        let auto_err = AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never;
        Self {
            out: BufWriter::new(io::stdout().lock()),
            paints_out: paints(auto_out),
            paints_err: paints(auto_err),
            width: width(),
        }
    }

    /// Returns how many columns there are.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Returns how diagnostics are drawn on standard error.
    pub(super) fn look(&self) -> Look {
        Look {
            colored: self.paints_err,
            width: self.width,
        }
    }

    /// Returns a brush for standard output.
    pub(super) fn paint(&self) -> Paint {
        Paint {
            colored: self.paints_out,
        }
    }

    /// Returns standard output.
    pub(super) fn out(&mut self) -> &mut impl Write {
        &mut self.out
    }

    /// Writes a value as indented JSON with a line end to standard output.
    pub(super) fn json(&mut self, value: &impl serde::Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.out, value)?;
        self.out.write_all(b"\n")
    }

    /// Writes to standard error, after everything that was written to standard output before.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.out.flush()?;
        io::stderr().lock().write_all(text.as_bytes())
    }

    /// Hands everything to the reader.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Puts colour on words, or leaves it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    pub(super) colored: bool,
}

impl Paint {
    /// A heading.
    pub(super) const HEADING: Style = Style::new().bold();
    /// What is good.
    pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
    /// What is bad.
    pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
    /// What deserves a second look.
    pub(super) const CARE: Style = AnsiColor::Yellow.on_default().bold();
    /// Names and code; bright, as plain blue and cyan vanish on some dark backgrounds.
    pub(super) const NAME: Style = AnsiColor::BrightCyan.on_default();
    /// What is said in passing.
    pub(super) const ASIDE: Style = Style::new().dimmed();

    /// Returns the text in a style, or as it is.
    pub(super) fn on(self, style: Style, text: impl Display) -> String {
        if self.colored {
            format!("{style}{text}{style:#}")
        } else {
            text.to_string()
        }
    }
}
