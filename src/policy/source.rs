//! Where signals come from, and what a policy says of those that do not come from the pool itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::complaint::Complaint;
use crate::base::{Nodes, Span};
use crate::decision::Memory;
use crate::signal::{Asked, SignalQuery};

/// Where a signal comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// The samples that the Batch service takes of the pool.
    #[default]
    Samples,
    /// A Prometheus server: the result of `query`.
    Prometheus,
    /// An Azure storage account: the messages of the queue `name`.
    StorageQueue,
    /// Azure DevOps: the jobs that wait for an agent of the agent pool `name`.
    AzureDevOps,
    /// GitHub Actions: the jobs of the repository `name` (owner/repository).
    GitHub,
    /// The number in the file `name`, as old as the file.
    File,
    /// The number that the command `name` prints.
    Command,
}

/// Which messages of a storage queue count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Messages {
    /// All, those too that somebody works on and nobody else sees.
    #[default]
    All,
    /// Those that anybody can take; exact up to 32, above that all.
    Visible,
}

/// Which jobs of GitHub Actions count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Jobs {
    /// Those that wait and those that run, as KEDA counts them.
    #[default]
    All,
    /// Those that wait.
    Queued,
}

/// What is done while a signal is missing, stale or known in part only. None of it ever takes a node away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum WhenMissing {
    /// The strategy asks for nothing, and no node is taken away.
    #[default]
    Hold,
    /// The other strategies decide without it; where there is none, no node is taken away.
    Ignore,
    /// The last number counts until it is so old, then hold.
    LastKnown(Span),
    /// At least so many nodes, and no node is taken away.
    Floor(Nodes),
}

/// A signal that is none of the pool's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Outside {
    /// What is asked.
    pub query: SignalQuery,
    /// The age from which a number is stale.
    pub stale_after: Span,
    /// What is done while there is none.
    pub missing: WhenMissing,
}

/// What the settings of a strategy say of where its signal comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told<'a> {
    pub(super) source: Source,
    pub(super) has_metric: bool,
    pub(super) name: Option<&'a str>,
    pub(super) query: Option<&'a str>,
    pub(super) endpoint: Option<&'a str>,
    pub(super) messages: Messages,
    pub(super) jobs: Jobs,
    pub(super) demands: &'a [String],
    pub(super) labels: &'a [String],
    pub(super) stale_after: Option<Span>,
    pub(super) missing: WhenMissing,
}

/// Where a policy does not say, a number is stale after this time: three looks of a minute, as samples are.
pub(super) const STALE_AFTER_USUAL: Span = Span::minutes(3);
/// A look takes seconds; what is older than a day says nothing of the next quarter of an hour.
const STALE_AFTER: [Span; 2] = [Span::seconds(30), Span::hours(24)];
/// The longest query that a URL surely carries, and that a person can read in a reason.
const QUERY_CHARS_MAX: usize = 2000;

impl Source {
    /// Returns the word that policies use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Samples => "samples",
            Self::Prometheus => "prometheus",
            Self::StorageQueue => "storageQueue",
            Self::AzureDevOps => "azureDevOps",
            Self::GitHub => "gitHub",
            Self::File => "file",
            Self::Command => "command",
        }
    }
}

/// Refuses settings that speak of outside signals where the samples of the pool are asked, those of them that stand.
pub(super) fn outside_only<'a>(
    settings: &'a [(&'static str, bool)],
    help: &'static str,
) -> impl Iterator<Item = Complaint> + 'a {
    settings
        .iter()
        .filter(|(_, stands)| *stands)
        .map(move |(key, _)| {
            let message = format!("`{key}` is for sources outside of the pool");
            Complaint::new(&[key], message, help)
        })
}

/// Says whether a setting is the usual one, which need not be written.
pub(super) fn is_usual<T: Default + PartialEq>(setting: &T) -> bool {
    *setting == T::default()
}

impl Told<'_> {
    /// Returns the signal; `None` where the samples of the pool are meant, or nobody can tell which.
    pub(super) fn outside(&self) -> Option<Outside> {
        let name = || self.name.map(str::to_owned);
        let what = match self.source {
            Source::Samples => return None,
            Source::Prometheus => Asked::Prometheus {
                query: self.query?.trim().to_owned(),
            },
            Source::StorageQueue => Asked::StorageQueue {
                queue: name()?,
                visible_only: self.messages == Messages::Visible,
            },
            Source::AzureDevOps => Asked::AzureDevOps {
                pool: name()?,
                demands: self.demands.to_vec(),
            },
            Source::GitHub => Asked::GitHub {
                repository: name()?,
                labels: self.labels.to_vec(),
                queued_only: self.jobs == Jobs::Queued,
            },
            Source::File => Asked::File { path: name()? },
            Source::Command => Asked::Command { name: name()? },
        };
        Some(Outside {
            query: SignalQuery {
                endpoint: self.endpoint.map(str::to_owned),
                what,
            },
            stale_after: self.stale_after.unwrap_or(STALE_AFTER_USUAL),
            missing: self.missing,
        })
    }

    /// Returns what cannot be meant.
    pub(super) fn complaints(&self) -> Vec<Complaint> {
        let mut complaints = match self.source {
            Source::Samples => self.of_samples(),
            Source::Prometheus => self.of_queries(),
            _ => self.of_names(),
        };
        if self.source != Source::Samples {
            complaints.extend(self.misplaced());
            complaints.extend(self.of_ages());
        }
        complaints
    }

    /// The samples of the pool are named by a metric alone.
    fn of_samples(&self) -> Vec<Complaint> {
        let takes_part = [
            ("query", self.query.is_some(), "prometheus"),
            ("name", self.name.is_some(), "storageQueue"),
            ("endpoint", self.endpoint.is_some(), "prometheus"),
        ];
        let outside = takes_part.into_iter().filter(|(_, stands, _)| *stands);
        let mut complaints: Vec<_> = outside
            .map(|(key, _, source)| {
                let message = format!("`{key}` is for sources outside of the pool, and none is named");
                Complaint::new(&[key], message, format!("add `source: {source}`, or another one"))
            })
            .collect();
        if complaints.is_empty() && !self.has_metric {
            let help = "add `metric: …`, one of the pool's own: $ActiveTasks, $PendingTasks, $RunningTasks, $CPUPercent …; or \
                 a `source` with what it is asked";
            complaints.push(Complaint::new(&[], "the metric is missing", help));
        }
        complaints
    }

    fn of_queries(&self) -> Vec<Complaint> {
        match self.query.map(str::trim) {
            None | Some("") => {
                let help = "add `query: 'sum(jobs_waiting{pool=\"{pool}\"})'`, in single quotes";
                vec![Complaint::new(&[], "the query for Prometheus is missing", help)]
            }
            Some(query) if query.chars().count() > QUERY_CHARS_MAX => {
                let message = format!("the query has more than {QUERY_CHARS_MAX} characters");
                let help = "make it a recording rule of Prometheus, and ask for that";
                vec![Complaint::new(&["query"], message, help)]
            }
            Some(_) => Vec::new(),
        }
    }

    fn of_names(&self) -> Vec<Complaint> {
        let (what, example) = match self.source {
            Source::StorageQueue => ("queue", "agents"),
            Source::AzureDevOps => ("agent pool", "batch-agents"),
            Source::GitHub => ("repository", "acme/app"),
            Source::File => ("file", "depth.txt"),
            _ => ("command", "depth"),
        };
        let Some(name) = self.name else {
            let message = format!("the name of the {what} is missing");
            return vec![Complaint::new(&[], message, format!("add `name: {example}`"))];
        };
        let bad = match self.source {
            Source::StorageQueue => !is_queue_name(name),
            Source::File => !is_path_below(name),
            Source::GitHub => name.split('/').count() > 2 || name.split('/').any(str::is_empty),
            _ => name.trim().is_empty(),
        };
        let help = match self.source {
            Source::StorageQueue => {
                "queues have 3 to 63 small letters, digits and single hyphens, and the id of the pool where {pool} stands"
            }
            Source::File => {
                "name it as seen from the folder of signals, such as depth.txt; `..` leads out of it"
            }
            Source::GitHub => "write owner/repository, or the owner alone",
            _ => "write the name",
        };
        let message = format!("`{name}` cannot be the name of a {what}");
        bad.then(|| Complaint::new(&["name"], message, help))
            .into_iter()
            .collect()
    }

    /// Settings of one source do nothing at another.
    fn misplaced(&self) -> impl Iterator<Item = Complaint> + use<> {
        let source = self.source;
        let settings = [
            ("metric", self.has_metric, Source::Samples),
            (
                "query",
                self.query.is_some() && source != Source::Prometheus,
                Source::Prometheus,
            ),
            (
                "name",
                self.name.is_some() && source == Source::Prometheus,
                Source::StorageQueue,
            ),
            (
                "messages",
                !is_usual(&self.messages) && source != Source::StorageQueue,
                Source::StorageQueue,
            ),
            (
                "demands",
                !self.demands.is_empty() && source != Source::AzureDevOps,
                Source::AzureDevOps,
            ),
            (
                "labels",
                !self.labels.is_empty() && source != Source::GitHub,
                Source::GitHub,
            ),
            (
                "jobs",
                !is_usual(&self.jobs) && source != Source::GitHub,
                Source::GitHub,
            ),
        ];
        settings
            .into_iter()
            .filter(|(_, stands, _)| *stands)
            .map(move |(key, _, meant)| {
                let message = format!("`{key}` says nothing to the source `{}`", source.word());
                let help = format!("leave it out, or take `source: {}`", meant.word());
                Complaint::new(&[key], message, help)
            })
    }

    fn of_ages(&self) -> Vec<Complaint> {
        let mut complaints = Vec::new();
        let stale_after = self.stale_after.unwrap_or(STALE_AFTER_USUAL);
        if !(STALE_AFTER[0]..=STALE_AFTER[1]).contains(&stale_after) {
            let message = format!("a signal cannot be stale after {}", stale_after.in_short());
            complaints.push(Complaint::new(&["staleAfter"], message, "take 30s to 24h"));
        }
        if let WhenMissing::LastKnown(most) = self.missing
            && (most <= stale_after || most > Memory::HISTORY_KEPT)
        {
            let message = format!("the last number cannot count until it is {} old", most.in_short());
            let stale_after = stale_after.in_short();
            let help = format!(
                "take more than {stale_after}, after which it is stale, and at most 7d, which is what is kept"
            );
            complaints.push(Complaint::new(&["missing"], message, help));
        }
        complaints
    }
}

/// Source: "Naming queues and metadata" of Azure Storage: 3 to 63 small letters, digits and hyphens, none of which stand at an
/// end or side by side. A pattern may become one for its pools.
fn is_queue_name(name: &str) -> bool {
    let whole = name.replace("{pool}", "pool");
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (3..=63).contains(&whole.len())
        && whole.chars().all(allowed)
        && !whole.starts_with('-')
        && !whole.ends_with('-')
        && !whole.contains("--")
}

fn is_path_below(path: &str) -> bool {
    let mut parts = path.split(['/', '\\']);
    !path.is_empty()
        && parts.all(|part| !part.is_empty() && part != "." && part != ".." && !part.contains(':'))
}
