//! What can be asked of sources outside of the account, and by which name it goes.

use std::fmt::Write as _;

use super::SignalId;

/// What is asked of a source; how it is reached and let in is the business of whoever asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignalQuery {
    /// Which of the endpoints of that kind is asked, by its name; the one called `default` when `None`.
    pub endpoint: Option<String>,
    /// What it is asked.
    pub what: Asked,
}

/// What an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// The messages of a queue of an Azure storage account.
    StorageQueue {
        /// The queue's name.
        queue: String,
        /// Whether messages that somebody works on, which nobody else sees, are left out.
        visible_only: bool,
    },
    /// The result of a query of Prometheus.
    Prometheus {
        /// The query.
        query: String,
    },
    /// The jobs that wait for an agent of a pool of Azure DevOps.
    AzureDevOps {
        /// The agent pool's name.
        pool: String,
        /// Only jobs with these demands count; all when empty.
        demands: Vec<String>,
    },
    /// The jobs of GitHub Actions that wait for a runner, or run on one.
    GitHub {
        /// `owner/repository`, or an owner alone for the repositories that its endpoint names.
        repository: String,
        /// The labels of the runners: only jobs all of whose labels are among these count.
        labels: Vec<String>,
        /// Whether jobs that run already are left out.
        queued_only: bool,
    },
    /// The number in a file.
    File {
        /// Its path below the folder of signals.
        path: String,
    },
    /// The number that a command prints.
    Command {
        /// The name that the command has among the sources.
        name: String,
    },
}

/// What stands for the id of the pool in names and queries.
const POOL: &str = "{pool}";

impl SignalQuery {
    /// Returns the name of the signal.
    pub fn id(&self) -> SignalId {
        let mut text = format!("{}:", self.what.word());
        if let Some(endpoint) = &self.endpoint {
            text.push_str(endpoint);
            text.push('/');
        }
        // Writing to a string cannot fail.
        let _ = match &self.what {
            Asked::StorageQueue { queue, visible_only } => text.write_fmt(format_args!(
                "{queue}{}",
                if *visible_only { "?visible" } else { "" }
            )),
            Asked::Prometheus { query } => text.write_str(query),
            Asked::AzureDevOps { pool, demands } => {
                let filter = if demands.is_empty() { "" } else { "?demands=" };
                text.write_fmt(format_args!("{pool}{filter}{}", demands.join(",")))
            }
            Asked::GitHub {
                repository,
                labels,
                queued_only,
            } => {
                let filter = if labels.is_empty() { "" } else { "?labels=" };
                let queued = if *queued_only { "?queued" } else { "" };
                text.write_fmt(format_args!("{repository}{queued}{filter}{}", labels.join(",")))
            }
            Asked::File { path } => text.write_str(path),
            Asked::Command { name } => text.write_str(name),
        };
        text.into()
    }

    /// Returns the query for one pool: its id in every place of `{pool}`.
    #[must_use]
    pub fn for_pool(&self, pool: &str) -> Self {
        let mut query = self.clone();
        query.what.texts_mut(&mut |text| {
            if text.contains(POOL) {
                *text = text.replace(POOL, pool);
            }
        });
        query
    }
}

impl Asked {
    /// Returns the word that policies use for the source.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::StorageQueue { .. } => "storageQueue",
            Self::Prometheus { .. } => "prometheus",
            Self::AzureDevOps { .. } => "azureDevOps",
            Self::GitHub { .. } => "gitHub",
            Self::File { .. } => "file",
            Self::Command { .. } => "command",
        }
    }

    fn texts_mut(&mut self, each: &mut dyn FnMut(&mut String)) {
        match self {
            Self::StorageQueue { queue: name, .. }
            | Self::Prometheus { query: name }
            | Self::File { path: name }
            | Self::Command { name } => each(name),
            Self::AzureDevOps { pool, demands } => {
                each(pool);
                demands.iter_mut().for_each(each);
            }
            Self::GitHub {
                repository, labels, ..
            } => {
                each(repository);
                labels.iter_mut().for_each(each);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_all_that_is_asked_and_pools_have_their_own() {
        let query = |endpoint: Option<&str>, what| SignalQuery {
            endpoint: endpoint.map(str::to_owned),
            what,
        };
        let prometheus = query(
            None,
            Asked::Prometheus {
                query: "avg(x{pool=\"{pool}\"})".to_owned(),
            },
        );
        assert_eq!(
            prometheus.for_pool("ci-1").id().as_str(),
            "prometheus:avg(x{pool=\"ci-1\"})"
        );
        for (query, id) in [
            (
                query(
                    None,
                    Asked::StorageQueue {
                        queue: "agents".into(),
                        visible_only: false,
                    },
                ),
                "storageQueue:agents",
            ),
            (
                query(
                    Some("ci"),
                    Asked::StorageQueue {
                        queue: "agents".into(),
                        visible_only: true,
                    },
                ),
                "storageQueue:ci/agents?visible",
            ),
            (
                query(
                    None,
                    Asked::AzureDevOps {
                        pool: "batch".into(),
                        demands: vec!["docker".into(), "java".into()],
                    },
                ),
                "azureDevOps:batch?demands=docker,java",
            ),
            (
                query(
                    None,
                    Asked::GitHub {
                        repository: "acme/app".into(),
                        labels: vec!["{pool}".into()],
                        queued_only: true,
                    },
                ),
                "gitHub:acme/app?queued?labels=p",
            ),
        ] {
            assert_eq!(query.for_pool("p").id().as_str(), id);
        }
    }
}
