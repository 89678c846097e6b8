//! The configuration of the sidecar: read strictly, every fault at once and in its place, and made whole with its secrets.

mod codes;
mod file;
mod history_section;
mod http_section;
mod secret;
mod text;

use std::path::{Path, PathBuf};

pub use codes::CODES;
pub use file::{
    AccountSection, ConfigFile, LedgerSection, LogFormat, LogLevel, LogSection, PoliciesSection,
    TracesSection,
};
pub use history_section::HistorySection;
pub use http_section::{HttpSection, TlsSection};
pub use secret::Surroundings;
pub use text::{AddressText, EndpointText};

use text::FORMATS;

use secrecy::ExposeSecret as _;

use super::book::BookPlace;
use crate::azure::Auth;
use crate::base::document::Node;
use crate::base::schema::{Schema, SchemaCodes};
use crate::base::{Code, Diagnostic, Span};
use crate::store::{Place, Retain, StoreSettings};

const UNREADABLE: Code = Code("G001");
const SCHEMA_CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("G002"),
    // TOML itself knows no key twice.
    duplicate_key: UNREADABLE,
    missing_key: Code("G003"),
    wrong_type: Code("G004"),
    wrong_value: Code("G005"),
};
const CONTRADICTION: Code = Code("G006");
const NO_SECRET: Code = Code("G007");

/// A configuration that was read and found whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// What is written in the file.
    pub file: ConfigFile,
    /// The folder of the file, which paths are seen from.
    folder: PathBuf,
    document: Node,
}

impl Config {
    /// Reads a configuration, TOML; paths in it are seen from a folder.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str, folder: &Path) -> Result<Self, Vec<Diagnostic>> {
        let unreadable = |faults: Vec<crate::base::document::Unreadable>| -> Vec<Diagnostic> {
            let fault = |fault: crate::base::document::Unreadable| {
                Diagnostic::error(UNREADABLE, fault.span, fault.message)
            };
            faults.into_iter().map(fault).collect()
        };
        let document = Node::parse_toml(source).map_err(unreadable)?;
        let schema = Schema::of::<ConfigFile>(FORMATS, &[], SCHEMA_CODES);
        let file = schema.read(&document, |file, _| judge(file, &document))?;
        Ok(Self {
            file,
            folder: folder.to_owned(),
            document,
        })
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(ConfigFile)
    }

    /// Returns where the ledger is kept, for people: no secret is in it.
    pub fn ledger_place(&self) -> String {
        let ledger = &self.file.ledger;
        match (&ledger.json_lines, &ledger.postgres_file, &ledger.postgres_env) {
            (Some(path), ..) => format!("JSON lines in {}", self.path(path).display()),
            (_, Some(path), _) => format!("PostgreSQL at the address in {}", self.path(path).display()),
            (_, _, Some(name)) => format!("PostgreSQL at the address in the variable {name}"),
            _ => format!("SQLite in {}", self.sqlite().display()),
        }
    }

    /// Returns where the ledger is to be opened; an address is read now.
    ///
    /// # Errors
    /// When the address of a database cannot be read, or is none.
    pub fn place(&self, surroundings: Surroundings<'_>) -> Result<BookPlace, Diagnostic> {
        let ledger = &self.file.ledger;
        if let Some(path) = &ledger.json_lines {
            return Ok(BookPlace::JsonLines(self.path(path)));
        }
        let address = self.secret(
            surroundings,
            "ledger",
            ("postgresFile", ledger.postgres_file.as_deref()),
            ("postgresEnv", ledger.postgres_env.as_deref()),
        )?;
        let place = match address {
            None => Place::Sqlite(self.sqlite()),
            Some(address) => address.expose_secret().parse().map(Place::Postgres).map_err(
                |error: crate::store::StoreError| {
                    let span = place(&self.document, &["ledger"]);
                    Diagnostic::error(NO_SECRET, span, error.to_string())
                },
            )?,
        };
        Ok(BookPlace::Store(StoreSettings {
            retain: Retain {
                age: ledger.keep_for,
                bytes: ledger.bytes_max,
            },
            ..StoreSettings::from(place).with_lease(ledger.lease.unwrap_or(StoreSettings::LEASE))
        }))
    }

    fn sqlite(&self) -> PathBuf {
        let written = self.file.ledger.sqlite.as_deref();
        self.path(written.unwrap_or("lowtide.db".as_ref()))
    }

    /// Returns the folder that paths of the file are seen from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns a path of the file as it is seen from anywhere.
    pub fn path(&self, written: &Path) -> PathBuf {
        self.folder.join(written)
    }
}

/// What is younger answers the questions of the morning after.
const KEEP_LEAST: Span = Span::days(1);

/// Shorter than this a slow answer of the database loses the lead; longer, nobody steers for too long when an instance dies.
const LEASE: (Span, Span) = (Span::seconds(5), Span::minutes(10));

/// More often the folder would be looked at for nothing, and less often a change would be forgotten.
const POLL: (Span, Span) = (Span::seconds(1), Span::hours(1));

/// Returns what cannot be meant together.
fn judge(file: &ConfigFile, document: &Node) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let mut complain = |path: &[&str], message: String, help: &str| {
        let span = place(document, path);
        faults.push(Diagnostic::error(CONTRADICTION, span, message).help(help));
    };
    let account = &file.account;
    if account.key_file.is_some() && account.key_env.is_some() {
        complain(
            &["account", "keyEnv"],
            "the key of the account stands in a file and in the environment".to_owned(),
            "keep keyFile or keyEnv",
        );
    }
    let has_key = account.key_file.is_some() || account.key_env.is_some();
    if account.auth == Auth::SharedKey && !has_key {
        complain(
            &["account", "auth"],
            "auth = \"sharedKey\" needs the key of the account".to_owned(),
            "add keyFile = \"…\" or keyEnv = \"AZURE_BATCH_ACCESS_KEY\"",
        );
    }
    if account.name.is_none() && account.endpoint.0.account().is_none() {
        complain(
            &["account", "endpoint"],
            format!(
                "the endpoint {} does not say which account it is",
                account.endpoint.0
            ),
            "add name = \"…\"",
        );
    }
    if file.policies.poll < POLL.0 || POLL.1 < file.policies.poll {
        complain(
            &["policies", "poll"],
            format!("{} is not between 1s and 1h", file.policies.poll.in_short()),
            "leave it out: 30s is usual",
        );
    }
    for (key, message, help) in file.history.iter().flat_map(HistorySection::complaints) {
        complain(&["history", key], message, help);
    }
    let ledger = &file.ledger;
    let places = [
        ("sqlite", ledger.sqlite.is_some()),
        ("postgresFile", ledger.postgres_file.is_some()),
        ("postgresEnv", ledger.postgres_env.is_some()),
        ("jsonLines", ledger.json_lines.is_some()),
    ];
    let mut named = places.iter().filter(|(_, is_there)| *is_there);
    if let (Some((first, _)), Some((second, _))) = (named.next(), named.next()) {
        complain(
            &["ledger", second],
            "the ledger is kept in two places".to_owned(),
            &format!("keep {first} or {second}"),
        );
    }
    if ledger.json_lines.is_some() && (ledger.keep_for.is_some() || ledger.bytes_max.is_some()) {
        complain(
            &["ledger", "jsonLines"],
            "nothing is pruned of JSON lines".to_owned(),
            "leave keepFor and bytesMax out, or write sqlite = \"lowtide.db\"",
        );
    }
    let is_shared = ledger.postgres_file.is_some() || ledger.postgres_env.is_some();
    if let Some(lease) = ledger.lease {
        let path = &["ledger", "lease"];
        if !is_shared {
            complain(
                path,
                "a lease is kept in PostgreSQL alone".to_owned(),
                "leave it out, or name a database that the instances share: postgresFile = \"…\"",
            );
        } else if lease < LEASE.0 || LEASE.1 < lease {
            complain(
                path,
                format!("{} is not between 5s and 10m", lease.in_short()),
                "leave it out: 30s is usual",
            );
        }
    }
    if ledger.keep_for.is_some_and(|span| span < KEEP_LEAST) {
        complain(
            &["ledger", "keepFor"],
            "entries are kept for at least a day".to_owned(),
            "write 90d, or leave it out to keep all",
        );
    }
    faults
}

/// Returns where a value stands, or the nearest part around it.
fn place(document: &Node, path: &[&str]) -> std::ops::Range<usize> {
    let found = (0..=path.len()).rev().find_map(|n| document.at(&path[..n]));
    found.map_or(0..0, |node| node.span.clone())
}
