//! Where sources answer and how they let us in, as it is written in TOML: a file of its own for `--sources`, the table `sources` of
//! the sidecar's configuration otherwise. Paths are seen from the folder of the file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::base::document::{Node, Unreadable};
use crate::base::schema::{Format, Schema, SchemaCodes};
use crate::base::{Code, Diagnostic, Span};
use crate::signal::Metric;

/// The endpoints of each kind of source by their names; a policy that names none means the one called `default`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SourcesFile {
    /// Storage accounts with queues.
    pub storage_queue: BTreeMap<String, StorageFile>,
    /// Prometheus servers.
    pub prometheus: BTreeMap<String, PrometheusFile>,
    /// Organizations of Azure DevOps.
    pub azure_dev_ops: BTreeMap<String, DevOpsFile>,
    /// GitHub, or servers of its enterprise edition.
    pub git_hub: BTreeMap<String, GitHubFile>,
    /// Files that hold a number.
    pub files: FilesFile,
    /// Commands that print a number, by the names that policies use; policies cannot say what is run.
    pub command: BTreeMap<String, CommandFile>,
}

/// A secret: the first line of a file, or a variable of the environment. It never stands in the file itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum SecretFile {
    /// The file whose first line it is; read again for each request, so that it may be changed.
    File(PathBuf),
    /// The variable that holds it.
    Variable(String),
}

fn see_from(secret: &mut Option<SecretFile>, folder: &Path) {
    if let Some(SecretFile::File(path)) = secret {
        *path = folder.join(&*path);
    }
}

/// A storage account with queues. Without key and SAS the identity of this machine or service is used.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct StorageFile {
    /// The account's name.
    pub account: Option<String>,
    /// Where its queues answer; `https://ACCOUNT.queue.core.windows.net` when left out.
    pub url: Option<String>,
    /// The key of the account.
    pub key: Option<SecretFile>,
    /// A shared access signature: what comes after the question mark.
    pub sas: Option<SecretFile>,
    /// A token that something else keeps fresh.
    pub token: Option<SecretFile>,
}

/// A Prometheus server.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PrometheusFile {
    /// Where it answers, with the path before `/api/v1`.
    pub url: String,
    /// What lets us in.
    #[serde(flatten)]
    pub pass: PassFile,
    /// The queries that stand for the past of a pool's metrics, from which the samples before the start are taken; `{pool}` stands
    /// for the id of the pool.
    #[serde(default)]
    pub history: BTreeMap<Metric, String>,
}

/// What lets us in at a Prometheus: a token, a user's name with a password, or an identity. Without any of them it asks for nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PassFile {
    /// A token for the header `Authorization: Bearer`.
    pub token: Option<SecretFile>,
    /// The user's name for basic authentication.
    pub user: Option<String>,
    /// The password that goes with it.
    pub password: Option<SecretFile>,
    /// What a token of the identity of this machine or service is asked for, such as `https://prometheus.monitor.azure.com`.
    pub scope: Option<String>,
}

impl PassFile {
    /// Returns what of it cannot be meant together, each with a way out.
    pub fn contradictions(&self) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        let bearers = usize::from(self.token.is_some()) + usize::from(self.scope.is_some());
        let basic = usize::from(self.user.is_some() || self.password.is_some());
        if bearers + basic > 1 {
            found.push((
                "several of token, user with password, and scope",
                "keep one of them",
            ));
        }
        if self.user.is_some() != self.password.is_some() {
            found.push((
                "one of user and password without the other",
                "write both, or neither",
            ));
        }
        found
    }

    fn secrets(&mut self) -> [&mut Option<SecretFile>; 2] {
        [&mut self.token, &mut self.password]
    }
}

impl PrometheusFile {
    /// Returns it with its paths as they are seen from a folder.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        self.pass
            .secrets()
            .into_iter()
            .for_each(|secret| see_from(secret, folder));
        self
    }

    /// Returns why its URL is none of a server.
    pub fn url_fault(&self) -> Option<String> {
        super::web::base(&self.url).err()
    }
}

/// An organization of Azure DevOps. Without a token the identity of this machine or service is used.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DevOpsFile {
    /// Where it answers, such as `https://dev.azure.com/acme`.
    pub url: String,
    /// A personal access token that may read agent pools.
    #[serde(default)]
    pub token: Option<SecretFile>,
}

/// GitHub.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GitHubFile {
    /// Where it answers; `https://api.github.com` when left out.
    pub url: String,
    /// A token that may read the actions of its repositories.
    pub token: Option<SecretFile>,
    /// The repositories that are asked where a policy names their owner alone.
    pub repositories: Vec<String>,
    /// The labels that every runner has; self-hosted, linux and x64 when left out.
    pub runner_labels: Vec<String>,
}

impl Default for GitHubFile {
    fn default() -> Self {
        Self {
            url: "https://api.github.com".to_owned(),
            token: None,
            repositories: Vec::new(),
            runner_labels: ["self-hosted", "linux", "x64"].map(str::to_owned).to_vec(),
        }
    }
}

/// Files that hold a number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct FilesFile {
    /// The folder of the files; without one none is read.
    pub folder: Option<PathBuf>,
}

/// A command that prints a number.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CommandFile {
    /// The program with its arguments; no shell reads them. `{argument}` stands for what a policy writes after a slash behind the
    /// command's name: `name: depth/{pool}`.
    #[schemars(length(min = 1))]
    pub run: Vec<String>,
    /// How long it may take; 5s when left out.
    #[serde(default = "five_seconds")]
    pub timeout: Span,
}

fn five_seconds() -> Span {
    Span::seconds(5)
}

const UNREADABLE: Code = Code("Q001");
pub(super) const CODES: SchemaCodes = SchemaCodes {
    unknown_key: Code("Q002"),
    // A key that stands twice is no TOML.
    duplicate_key: UNREADABLE,
    missing_key: Code("Q004"),
    wrong_type: Code("Q005"),
    wrong_value: Code("Q006"),
};

const FORMATS: &[Format] = &[Format {
    name: "Duration",
    wanted: "a duration with its unit, like \"5s\"",
    read: Format::reads::<Span>,
}];

/// A command that takes longer would hold up every look.
const COMMAND_TIMEOUT_MAX: Span = Span::seconds(20);

impl SourcesFile {
    /// Reads the file of sources.
    ///
    /// # Errors
    /// Every fault of the text, by place.
    pub fn parse(source: &str) -> Result<Self, Vec<Diagnostic>> {
        let unreadable = |faults: Vec<Unreadable>| {
            let told = |fault: Unreadable| Diagnostic::error(UNREADABLE, fault.span, fault.message);
            faults.into_iter().map(told).collect::<Vec<_>>()
        };
        let document = Node::parse_toml(source).map_err(unreadable)?;
        Schema::of::<Self>(FORMATS, &[], CODES).read(&document, |file: &Self, _| file.complaints(&document))
    }

    /// Returns the file with its paths as they are seen from a folder, which is that of the text that it was read from.
    #[must_use]
    pub fn seen_from(mut self, folder: &Path) -> Self {
        let secrets = (self.storage_queue.values_mut())
            .flat_map(|file| [&mut file.key, &mut file.sas, &mut file.token])
            .chain((self.prometheus.values_mut()).flat_map(|file| file.pass.secrets()))
            .chain(self.azure_dev_ops.values_mut().map(|file| &mut file.token))
            .chain(self.git_hub.values_mut().map(|file| &mut file.token));
        secrets.for_each(|secret| see_from(secret, folder));
        self.files.folder = self.files.folder.map(|path| folder.join(path));
        self
    }

    /// Returns the JSON Schema of the file.
    pub fn schema() -> schemars::Schema {
        schemars::schema_for!(Self)
    }

    /// Returns what cannot be meant; `document` is the file, or the table of a file, that it was read from.
    pub fn complaints(&self, document: &Node) -> Vec<Diagnostic> {
        let mut faults = Vec::new();
        let mut fault = |path: &[&str], message: String, help: &str| {
            let node = (0..=path.len())
                .rev()
                .find_map(|length| document.at(&path[..length]));
            let span = node.map_or(0..0, |node| node.span.clone());
            faults.push(Diagnostic::error(CODES.wrong_value, span, message).help(help));
        };
        for (name, storage) in &self.storage_queue {
            if storage.account.is_none() && storage.url.is_none() {
                let message = format!("nobody knows which storage account `{name}` is");
                fault(
                    &["storageQueue", name],
                    message,
                    "add account = \"…\", or url = \"…\"",
                );
            }
            if storage.key.is_some() && storage.account.is_none() {
                let message = format!("the key of `{name}` signs for an account that is not named");
                fault(&["storageQueue", name, "key"], message, "add account = \"…\"");
            }
            let ways = [&storage.key, &storage.sas, &storage.token];
            if ways.into_iter().flatten().count() > 1 {
                let message = format!("`{name}` has several of key, sas and token");
                fault(&["storageQueue", name], message, "keep one of them");
            }
        }
        for (name, prometheus) in &self.prometheus {
            for (what, help) in prometheus.pass.contradictions() {
                fault(&["prometheus", name], format!("`{name}` has {what}"), help);
            }
        }
        for (name, command) in &self.command {
            if command.timeout <= Span::ZERO || command.timeout > COMMAND_TIMEOUT_MAX {
                let message = format!("the command `{name}` cannot take {}", command.timeout.in_short());
                let help = "take at most 20s: every look waits for it";
                fault(&["command", name, "timeout"], message, help);
            }
        }
        let urls = (self.storage_queue.iter())
            .filter_map(|(name, file)| Some(("storageQueue", name, file.url.as_ref()?)))
            .chain(
                self.prometheus
                    .iter()
                    .map(|(name, file)| ("prometheus", name, &file.url)),
            )
            .chain(
                self.azure_dev_ops
                    .iter()
                    .map(|(name, file)| ("azureDevOps", name, &file.url)),
            )
            .chain(
                self.git_hub
                    .iter()
                    .map(|(name, file)| ("gitHub", name, &file.url)),
            );
        for (kind, name, url) in urls {
            if let Err(why) = super::web::base(url) {
                let message = format!("`{url}` is no URL of a source: {why}");
                fault(
                    &[kind, name, "url"],
                    message,
                    "write it like https://host/path, without a secret in it",
                );
            }
        }
        faults
    }
}
