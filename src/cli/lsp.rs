//! `lowtide lsp`: a language server on standard input and output, for any editor that speaks the protocol.

use std::io;
use std::path::Path;
use std::thread;

use crossbeam_channel::Sender;
use lsp_server::{Connection, Message};

use super::evaluation;
use super::exit::{Exit, Failure};
use super::policies;
use super::reference;
use super::schema::Kind as SchemaKind;
use super::terminal::Terminal;
use super::wiring;
use crate::base::{Code, Diagnostic};
use crate::editor::{self, Kind, Knowledge, Open, TextFindings};
use crate::formula::Dialect;

/// Serve editors: faults while typing, completion, explanation and layout of formulas and policies
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The editor starts it and speaks the Language Server Protocol on its standard input and output.
Formulas (*.formula), policies, what pools share, policy tests (*.test.yaml) and lowtide.toml are known by
their names and by what stands in them; of other YAML files nothing is said.")]
pub(super) struct Lsp {
    /// What editors add when they start a server; standard input and output are used anyway
    #[arg(long, hide = true)]
    stdio: bool,
}

impl Lsp {
    #[expect(clippy::unused_self, reason = "every verb is run alike")]
    pub(super) fn run(&self, terminal: &mut Terminal) -> Result<Exit, Failure> {
        let (ours, editors) = Connection::memory();
        let Connection { sender, receiver } = editors;
        let reader = thread::spawn(move || read(&sender));
        let session = thread::spawn(move || editor::serve(&ours, KNOWLEDGE));
        // Standard output belongs to this thread.
        for message in receiver {
            message.write(terminal.out())?;
            terminal.flush()?;
        }
        let served = session
            .join()
            .map_err(|_| Failure::Usage("the language server ended by a mistake of its own".to_owned()))?;
        if let Err(error) = served {
            // What could not be read tells more than that nothing came any more; a reader that waits is left to its end.
            let unread = reader.is_finished().then(|| reader.join());
            let message = match unread {
                Some(Ok(Err(unread))) => format!("{error}: {unread}"),
                _ => error.to_string(),
            };
            return Err(Failure::Usage(message));
        }
        Ok(Exit::Success)
    }
}

/// Passes on what the editor says until it is done.
fn read(sender: &Sender<Message>) -> io::Result<()> {
    let mut input = io::stdin().lock();
    while let Some(message) = Message::read(&mut input)? {
        let is_last = matches!(&message, Message::Notification(told) if told.method == "exit");
        // A session that has ended hears nothing.
        if sender.send(message).is_err() || is_last {
            break;
        }
    }
    Ok(())
}

const KNOWLEDGE: Knowledge = Knowledge {
    findings,
    schema: |kind| {
        let kind = match kind {
            Kind::Policy => SchemaKind::Policy,
            Kind::Account => SchemaKind::Account,
            Kind::PolicyTest => SchemaKind::Test,
            Kind::Formula | Kind::Config => return None,
        };
        Some(wiring::schema(kind).to_value())
    },
    why,
};

fn why(code: Code) -> Option<&'static str> {
    let row = reference::rows().find(|row| row.code == code)?;
    Some(row.why)
}

/// Says of a text what `check` would say of it as a file.
fn findings(kind: Kind, path: &Path, text: &str, open: &Open) -> Vec<TextFindings> {
    let own = |diagnostics: Vec<Diagnostic>| {
        vec![TextFindings {
            path: path.to_owned(),
            text: text.to_owned(),
            diagnostics,
        }]
    };
    match kind {
        Kind::Formula => own(evaluation::Compiled::new(text, Dialect::default()).diagnostics),
        Kind::Policy | Kind::Account => policies::understand_open(path, text, open),
        Kind::PolicyTest => {
            let load = |file: &str| {
                let file = policies::beside(path, file);
                open.text(&file)
                    .map_or_else(|| policies::load(&file), |text| Ok(text.to_owned()))
            };
            let read = crate::proof::run_policy_test(&policies::name(path), text, &load);
            own(read.err().unwrap_or_default())
        }
        Kind::Config => {
            let folder = path.parent().unwrap_or(Path::new("."));
            own(crate::serve::config::Config::parse(text, folder)
                .err()
                .unwrap_or_default())
        }
    }
}
