//! All sources together: who is asked for what, so many at a time, and within the time of a look.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use tokio::runtime::Handle;

use super::azure_dev_ops::Organization;
use super::git_hub::GitHub;
use super::prometheus::Prometheus;
use super::sources_file::{CommandFile, SourcesFile};
use super::storage_queue::{self, StorageAccount};
use super::{command, number_file, past};
use crate::azure::transport::http_client;
use crate::azure::{Clock, Endpoint, Means, Tokens, tokens_for};
use crate::base::Timestamp;
use crate::signal::{Asked, Found, Lack, Reading, Sample};
use crate::world::{MetricSource, Wanted, WantedPast};

/// Requests under way at the same time: enough to hide the way to a region, few enough to be a good neighbour.
const AT_ONCE: usize = 8;
/// All signals of a look must be there by then; what is not is missing at this look. A look is due each minute or so.
const WHOLE: Duration = Duration::from_secs(20);
/// A past is asked for once, before the first decision, and may take longer.
const WHOLE_PAST: Duration = Duration::from_mins(1);

/// The variables of the environment, as whoever starts the program hands them in.
#[derive(Clone)]
pub struct Environment(Arc<Variables>);

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What every source asks by.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) http: reqwest::Client,
    pub(super) clock: Clock,
    pub(super) environment: Environment,
}

/// The sources of signals; cheap to clone.
#[derive(Clone)]
pub struct Sources {
    runtime: Handle,
    desk: Arc<Desk>,
}

/// The endpoints by their names.
struct Desk {
    way: Way,
    storage: BTreeMap<String, StorageAccount>,
    prometheus: BTreeMap<String, Prometheus>,
    dev_ops: BTreeMap<String, Organization>,
    git_hub: BTreeMap<String, GitHub>,
    folder: Option<PathBuf>,
    commands: BTreeMap<String, CommandFile>,
}

/// Says why a source cannot be asked as it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the source {kind}.{name}: {why}")]
pub struct SourceError {
    kind: &'static str,
    name: String,
    why: String,
}

impl Environment {
    /// Returns the variables that a function gives.
    pub fn new(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(variable))
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name)
    }
}

impl Sources {
    /// Prepares the sources of a file; nothing is asked yet. `runtime` is one that runs by itself (multi-threaded), and the
    /// sources are used outside of it; `authorities` are certificates that are trusted besides the system's, as PEM.
    ///
    /// # Errors
    /// Every source that cannot be asked as it stands.
    pub fn new(
        file: &SourcesFile,
        environment: Environment,
        authorities: Option<&[u8]>,
        runtime: Handle,
    ) -> Result<Self, Vec<SourceError>> {
        Self::with_clock(file, Clock::system(), (environment, authorities), runtime)
    }

    /// Prepares the sources of a file with a clock of one's own.
    ///
    /// # Errors
    /// Every source that cannot be asked as it stands.
    pub fn with_clock(
        file: &SourcesFile,
        clock: Clock,
        (environment, authorities): (Environment, Option<&[u8]>),
        runtime: Handle,
    ) -> Result<Self, Vec<SourceError>> {
        let mut errors = Vec::new();
        let http = http_client(authorities, true).map_err(|fault| {
            vec![SourceError {
                kind: "sources",
                name: "all".to_owned(),
                why: fault.to_string(),
            }]
        })?;
        let way = Way {
            http,
            clock,
            environment,
        };
        let identity = |url: &str, resource: &str| identity(url, resource, authorities, &way.environment);
        let storage = prepare("storageQueue", &file.storage_queue, &mut errors, |file| {
            let url = file
                .url
                .clone()
                .unwrap_or_else(|| "https://queue.core.windows.net".to_owned());
            StorageAccount::new(file, || identity(&url, storage_queue::RESOURCE))
        });
        let prometheus = prepare("prometheus", &file.prometheus, &mut errors, |file| {
            Prometheus::new(file, |scope| identity(&file.url, scope))
        });
        let dev_ops = prepare("azureDevOps", &file.azure_dev_ops, &mut errors, |file| {
            Organization::new(file, |resource| identity(&file.url, resource))
        });
        let git_hub = prepare("gitHub", &file.git_hub, &mut errors, GitHub::new);
        if !errors.is_empty() {
            return Err(errors);
        }
        let desk = Desk {
            way,
            storage,
            prometheus,
            dev_ops,
            git_hub,
            folder: file.files.folder.clone(),
            commands: file.command.clone(),
        };
        Ok(Self {
            runtime,
            desk: Arc::new(desk),
        })
    }
}

/// Prepares the endpoints of one kind, and gathers those that cannot be.
fn prepare<F, T>(
    kind: &'static str,
    files: &BTreeMap<String, F>,
    errors: &mut Vec<SourceError>,
    make: impl Fn(&F) -> Result<T, String>,
) -> BTreeMap<String, T> {
    let mut made = BTreeMap::new();
    for (name, file) in files {
        match make(file) {
            Ok(endpoint) => {
                made.insert(name.clone(), endpoint);
            }
            Err(why) => errors.push(SourceError {
                kind,
                name: name.clone(),
                why,
            }),
        }
    }
    made
}

/// Returns the tokens of this machine's identity for a resource; the URL says in which cloud.
pub(super) fn identity(
    url: &str,
    resource: &str,
    authorities: Option<&[u8]>,
    environment: &Environment,
) -> Result<Tokens, String> {
    let url = super::web::base(url)?;
    let host = format!("{}://{}", url.scheme(), url.host_str().unwrap_or(""));
    let endpoint: Endpoint = host.parse().map_err(|_| format!("`{host}` is no endpoint"))?;
    let means = Means {
        endpoint: &endpoint,
        key: None,
        authorities,
        variable: &|name| environment.get(name),
    };
    tokens_for(resource, &means).map_err(|error| error.to_string())
}

impl Desk {
    /// Asks for one signal.
    async fn ask(&self, now: Timestamp, wanted: &Wanted) -> Reading {
        let (taken, found) = match self.find(now, wanted).await {
            Ok(told) => told,
            Err(why) => (now, Found::Lacking(Lack::Fault(why))),
        };
        Reading {
            signal: wanted.id.clone(),
            taken,
            found,
        }
    }

    async fn find(&self, now: Timestamp, wanted: &Wanted) -> Result<(Timestamp, Found), String> {
        let way = &self.way;
        let name = wanted.query.endpoint.as_deref();
        match &wanted.query.what {
            Asked::StorageQueue { queue, visible_only } => {
                let account = named("storageQueue", &self.storage, name)?;
                let found = account.count(way, queue, *visible_only).await?;
                Ok((way.clock.now(), found))
            }
            Asked::Prometheus { query } => {
                let server = named("prometheus", &self.prometheus, name)?;
                server.ask(way, query, wanted.stale_after).await
            }
            Asked::AzureDevOps { pool, demands } => {
                let organization = named("azureDevOps", &self.dev_ops, name)?;
                organization.count(way, pool, demands).await
            }
            Asked::GitHub {
                repository,
                labels,
                queued_only,
            } => {
                let git_hub = named("gitHub", &self.git_hub, name)?;
                git_hub.count(way, repository, (labels, *queued_only)).await
            }
            Asked::File { path } => {
                let folder = self
                    .folder
                    .clone()
                    .ok_or("no folder of files is named among the sources; add files = { folder = \"…\" }")?;
                let path = path.clone();
                // A network file system that hangs holds up a thread of its own.
                let read = tokio::task::spawn_blocking(move || number_file::read(&folder, &path, now));
                read.await.map_err(|_| "it could not be read".to_owned())
            }
            Asked::Command { name } => self.run(name).await,
        }
    }

    /// Runs a command; what comes after a slash in the name is its argument.
    async fn run(&self, name: &str) -> Result<(Timestamp, Found), String> {
        let (name, argument) = name.split_once('/').unwrap_or((name, ""));
        let command = self.commands.get(name).ok_or_else(|| {
            format!("there is no command `{name}` among the sources; add [command.{name}] with run = [\"…\"]")
        })?;
        let parts = command.run.iter();
        let arguments: Vec<String> = parts.map(|part| part.replace("{argument}", argument)).collect();
        Ok((self.way.clock.now(), command::run(command, &arguments).await))
    }
}

/// Returns an endpoint by its name.
fn named<'a, T>(kind: &str, endpoints: &'a BTreeMap<String, T>, name: Option<&str>) -> Result<&'a T, String> {
    let name = name.unwrap_or("default");
    endpoints
        .get(name)
        .ok_or_else(|| format!("there is no {kind} `{name}` among the sources; add [{kind}.{name}]"))
}

impl MetricSource for Sources {
    fn read(&mut self, now: Timestamp, wanted: &[Wanted]) -> Vec<Reading> {
        let desk = Arc::clone(&self.desk);
        self.runtime.block_on(async move {
            let deadline = tokio::time::Instant::now() + WHOLE;
            let asked = wanted.iter().map(|wanted| {
                let desk = Arc::clone(&desk);
                async move {
                    match tokio::time::timeout_at(deadline, desk.ask(now, wanted)).await {
                        Ok(reading) => reading,
                        Err(_) => Reading {
                            signal: wanted.id.clone(),
                            taken: now,
                            found: Found::Lacking(Lack::Fault(format!(
                                "it was not told within {} s",
                                WHOLE.as_secs()
                            ))),
                        },
                    }
                }
            });
            stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
        })
    }

    fn past(&mut self, wanted: &WantedPast<'_>) -> Vec<Sample> {
        let desk = Arc::clone(&self.desk);
        self.runtime.block_on(async move {
            let told = past::tell(&desk.way, &desk.prometheus, wanted);
            tokio::time::timeout(WHOLE_PAST, told).await.unwrap_or_default()
        })
    }
}

impl fmt::Debug for Sources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let desk = &self.desk;
        f.debug_struct("Sources")
            .field("storage_queue", &desk.storage.keys())
            .field("prometheus", &desk.prometheus.keys())
            .field("azure_dev_ops", &desk.dev_ops.keys())
            .field("git_hub", &desk.git_hub.keys())
            .field("command", &desk.commands.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}
