//! How a command ends: its exit code, and what is said when it cannot do its work.

use std::io;
use std::process::ExitCode;

use super::render;
use super::terminal::Terminal;
use crate::base::Diagnostic;

/// The exit codes that scripts lean on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exit {
    /// All is well.
    Success = 0,
    /// A formula or file that cannot be used, an evaluation error, a failed call.
    Error = 1,
    /// Differences, where they were asked for.
    Differences = 2,
    /// Warnings, where they were denied.
    Warnings = 3,
    /// A failed assertion.
    Failed = 4,
    /// The command line makes no sense.
    Usage = 64,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What keeps a command from doing its work.
#[derive(Debug)]
pub(super) enum Failure {
    /// A text that cannot be used, with everything that is wrong with it.
    Text(Source, Vec<Diagnostic>),
    /// Several of them.
    Texts(Vec<(Source, Vec<Diagnostic>)>),
    /// The command line asks for something that cannot be.
    Usage(String),
    /// A live account, or what goes with it, does not do its part.
    World {
        /// What happened.
        message: String,
        /// A way out.
        help: Option<String>,
    },
    /// Output cannot be written.
    Output(io::Error),
}

/// A text with the name that its reader knows it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// The file, `-` for standard input.
    pub(super) name: String,
    /// What it holds, or the line of it that matters.
    pub(super) text: String,
    /// The number of the text's first line in the file.
    pub(super) first_line: usize,
}

impl Source {
    /// Returns a whole text.
    pub(super) fn new(name: &str, text: String) -> Self {
        Self {
            name: name.to_owned(),
            text,
            first_line: 1,
        }
    }

    /// Returns a source without text, for faults that are about the file as a whole.
    pub(super) fn named(name: &str) -> Self {
        Self::new(name, String::new())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Prints what is left to be said and returns the exit code.
pub(super) fn conclude(outcome: Result<Exit, Failure>, terminal: &mut Terminal) -> Exit {
    // What was written before the failure comes before its explanation.
    let flushed = terminal.flush().map_err(Failure::Output);
    match (outcome, flushed) {
        (Ok(exit), Ok(())) => exit,
        (Ok(_), Err(failure)) | (Err(failure), _) => explain(failure, terminal),
    }
}

/// Says what went wrong.
fn explain(failure: Failure, terminal: &Terminal) -> Exit {
    match failure {
        Failure::Text(source, diagnostics) => explain(Failure::Texts(vec![(source, diagnostics)]), terminal),
        Failure::Texts(texts) => {
            for (source, diagnostics) in texts {
                tell(&render::text(&source, &diagnostics, terminal.look()));
            }
            Exit::Error
        }
        Failure::Usage(message) => {
            tell(&format!(
                "error: {message}\n\nFor more information, try '--help'.\n"
            ));
            Exit::Usage
        }
        Failure::World { message, help } => {
            let help = help.map_or(String::new(), |help| format!("help: {help}\n"));
            tell(&format!("error: {message}\n{help}"));
            Exit::Error
        }
        // The reader has left, as `head` does; there is nobody to tell.
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Success,
        Failure::Output(error) => {
            tell(&format!("error: the output cannot be written: {error}\n"));
            Exit::Error
        }
    }
}

/// Writes to standard error; when that cannot be written either, nobody can be told.
fn tell(text: &str) {
    let _ = io::Write::write_all(&mut io::stderr(), text.as_bytes());
}

/// Replaces the message of a panic, which would show an operator the inside of the program.
pub(super) fn explain_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        let text = format!(
            "error: a mistake in lowtide, not in your files: {message} ({place})\n\
             help: please report it together with the command and the file that led here\n"
        );
        tell(&text);
    }));
}
