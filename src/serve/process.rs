//! The process: the loop on the thread that calls, and around it what listens, watches and is signalled.
//!
//! ```text
//! open the ledger ─► listen ─► (await the lead) ─► resume ─► steer ─► release the lead ─► answer what is under way ─► end
//! ```

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{error, info, warn};

use super::board::Board;
use super::book::{Book, BookPlace};
use super::config::Config;
use super::control::Control;
use super::folder::Folder;
use super::halted::HaltsOfStore;
use super::http::{Door, DoorError, History, HttpSettings, Planner, Site, Stands, Tokens};
use super::lead::{Renewal, await_lead};
use super::renewed::renew_key;
use super::steer::{Ended, Steering};
use super::steered::{Brakes, NoHalts, Steered};
use super::traces::Collector;
use super::watcher::Watcher;
use super::{health_pages, log, signals, systemd};
use crate::azure::{Client, Live};
use crate::base::Timestamp;
use crate::decision::Memory;
use crate::engine::RecordError;
use crate::policy::Policies;
use crate::source::{Environment, Exported, NamedSources, Sources, SourcesFile};
use crate::store::{Lease, Store};
use crate::world::WithSignals;

/// What a process is made of.
#[derive(Debug)]
pub struct Process {
    /// The configuration.
    pub config: Config,
    /// Speaks to the account.
    pub client: Client,
    /// Where the ledger is to be opened.
    pub place: BookPlace,
    /// Where signals come from besides, where a file names them.
    pub sources: Option<SourcesFile>,
    /// Where the policies are.
    pub folder: Folder,
    /// What was read there.
    pub policies: Policies,
    /// The tokens that let in over HTTP.
    pub tokens: Tokens,
    /// Tells the time.
    pub now: fn() -> Timestamp,
}

/// Why a process cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The door cannot be opened.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] RecordError),
    /// A source of signals cannot be asked as it stands.
    #[error("signals cannot be asked for: {0}; change it in the file of sources")]
    Sources(String),
    /// The Prometheus that has the past cannot be asked as it stands.
    #[error("the past cannot be asked for: {0}; change [history] in the configuration")]
    History(String),
    /// The collector of traces makes no sense.
    #[error("traces cannot be sent: {0}")]
    Traces(String),
    /// The system gives no threads or signals.
    #[error("the system does not give what the process needs: {0}")]
    System(#[from] io::Error),
}

/// The account with what is told of it from outside.
type Account = WithSignals<Live, NamedSources>;

/// How a file of sources is named.
const SOURCES_NAMED: &str = "add sourcesFile = \"sources.toml\" to the configuration";

/// How long answers under way may take once the loop has ended.
const FAREWELL: Duration = Duration::from_secs(2);

impl Process {
    /// Steers until it is told to end by a signal.
    ///
    /// # Errors
    /// When it cannot begin.
    pub fn run(self) -> Result<(), ProcessError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let file = &self.config.file;
        let collector = match &file.traces {
            Some(traces) => {
                let client = crate::azure::plain_http().map_err(ProcessError::Traces)?;
                let runtime = runtime.handle().clone();
                Some(Collector::begin(&traces.endpoint, client, runtime).map_err(ProcessError::Traces)?)
            }
            None => None,
        };
        log::begin(&file.log, collector.as_ref());
        log::explain_panics();
        let (poll, dry_run, now) = (file.policies.poll, file.dry_run, self.now);
        let (settings, tokens, client) = (self.config.interface(), self.tokens.clone(), self.client.clone());
        let changes = client.clone();
        let account = client.settings().account.clone();
        let sources = self.signals(&runtime)?;
        let history = self.history()?;
        let config = self.config.clone();
        let (mut steering, store) = self.steering(&runtime, sources.clone())?;
        let world = &steering.world;
        let stands = Stands {
            account: account.clone(),
            board: world.board.clone(),
            metrics: Arc::clone(&world.metrics),
            control: world.control.clone(),
            memory: store.clone(),
            planner: Planner::live(client.clone(), runtime.handle().clone(), store.clone())
                .told_by(sources, SOURCES_NAMED),
            history,
            dry_run,
            now: Arc::new(now),
        };
        let others = health_pages::router(world.board.clone(), Arc::clone(&world.metrics));
        let serving = Serving::begin(&runtime, (stands, others), (settings, tokens))?;
        runtime.block_on(async { signals::heed(&world.control) })?;
        let watched = (&world.folder, config.renewed_files());
        let watcher = Watcher::begin(&runtime, watched, poll, &world.control);
        renew_key(runtime.handle(), &world.board, (config, client));
        let (board, control) = (world.board.clone(), world.control.clone());
        info!(account, version = env!("CARGO_PKG_VERSION"), "begins");
        if let Some(every) = systemd::watchdog() {
            info!(?every, "the service manager watches that the loop lives");
            world.pulse.feed_watchdog(runtime.handle(), every);
        }
        let lease = store.as_ref().map(|store| store.lease(&holder()));
        if let Some(store) = store.clone() {
            changes.only_while(move || store.still_leads());
        }
        match (&store, &lease) {
            (Some(store), Some(lease)) => lead(&mut steering, store, lease),
            _ => alone(&mut steering),
        }
        systemd::stopping();
        board.write(|standing| standing.health.stopping = true);
        drop(watcher);
        if let Some(Err(error)) = lease.map(|lease| lease.release()) {
            warn!(%error, "the lead could not be given up; it ends by itself");
        }
        serving.close(&runtime);
        info!(asked = control.is_ended(), "ended");
        if let Some(collector) = &collector {
            collector.end();
        }
        runtime.shutdown_timeout(FAREWELL);
        Ok(())
    }

    /// Returns what tells signals from outside, where a file names it.
    fn signals(&self, runtime: &Runtime) -> Result<Option<Sources>, ProcessError> {
        let Some(file) = &self.sources else {
            return Ok(None);
        };
        let authorities = self.config.authorities();
        let authorities = authorities.map_err(|fault| ProcessError::Sources(fault.message))?;
        let environment = Environment::new(|name| std::env::var(name).ok());
        let sources = Sources::new(
            file,
            environment,
            authorities.as_deref(),
            runtime.handle().clone(),
        );
        sources.map(Some).map_err(|errors| {
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            ProcessError::Sources(told.join("; "))
        })
    }

    /// Returns where the past is that the ledger no longer has, where the configuration names it.
    fn history(&self) -> Result<Option<History>, ProcessError> {
        let Some(section) = &self.config.file.history else {
            return Ok(None);
        };
        let authorities = self.config.authorities();
        let authorities = authorities.map_err(|fault| ProcessError::History(fault.message))?;
        let environment = Environment::new(|name| std::env::var(name).ok());
        let server = section.server().seen_from(self.config.folder());
        let server = Exported::new(&server, &section.labels, environment, authorities.as_deref());
        let server = server.map_err(ProcessError::History)?;
        Ok(Some(History {
            server: Arc::new(server),
            all: section.all,
        }))
    }

    /// Puts the loop together; with the store, where the ledger is one.
    fn steering(
        self,
        runtime: &Runtime,
        sources: Option<Sources>,
    ) -> Result<(Steering<Account, Book>, Option<Store>), ProcessError> {
        let ledger = self.place.open()?;
        let store = match &ledger {
            Book::Store(store) => Some(store.clone()),
            Book::JsonLines(_) => None,
        };
        let live = Live::new(self.client, runtime.handle().clone());
        let now = (self.now)();
        let board = Board::new(now);
        board.write(|standing| standing.health.reload.done(now, &[]));
        let control = Control::new(live.stopper());
        let account = WithSignals::new(live, NamedSources::new(sources, SOURCES_NAMED));
        let world = Steered::new(account, ledger, board, control, self.folder);
        let mut world = world.map_err(|error| io::Error::other(error.to_string()))?;
        let file = &self.config.file;
        world.now = self.now;
        world.brakes = Brakes {
            kill_switch: file.kill_switch_file.as_ref().map(|path| self.config.path(path)),
            dry_run: file.dry_run,
            halts: match &store {
                Some(store) => Box::new(HaltsOfStore::new(store.clone())),
                None => Box::new(NoHalts),
            },
        };
        let policies = self.policies;
        Ok((Steering { world, policies }, store))
    }
}

/// Steers by a ledger that nobody else can have.
fn alone(steering: &mut Steering<Account, Book>) {
    systemd::ready("steers");
    while steering.run(Memory::default()) == Ended::Mistaken && !steering.world.control.is_ended() {}
}

/// Steers whenever the lead is ours, and stands by otherwise.
fn lead(steering: &mut Steering<Account, Book>, store: &Store, lease: &Lease) {
    let (board, control) = (steering.world.board.clone(), steering.world.control.clone());
    while await_lead(lease, &board, &control) {
        steering.world.pulse.works();
        let Some(memory) = resume(store, &board, &control) else {
            return;
        };
        let renewal = Renewal::begin(lease.clone(), store.clone(), steering.world.now, control.clone());
        systemd::ready("steers");
        let ended = steering.run(memory);
        steering.world.pulse.rests();
        drop(renewal);
        if let Ended::Whole(_) = ended {
            return;
        }
        control.take();
        // What was asked in the moment in which it stepped back is asked no more; policies may have changed then.
        control.reload();
    }
}

/// Reads what is remembered from the store, however often it takes; `None` when it shall end before that.
fn resume(store: &Store, board: &Board, control: &Control) -> Option<Memory> {
    /// A database that cannot be read now is not asked more often.
    const TRIED_EVERY: Duration = Duration::from_secs(5);
    loop {
        match store.resume() {
            Ok(remembered) => {
                for (line, why) in &remembered.unreadable {
                    warn!(
                        line,
                        why, "a line of the ledger cannot be read; its look counts as one that saw nothing"
                    );
                }
                let pools = remembered.memory.pools.len();
                info!(
                    pools,
                    looks = remembered.looks,
                    "goes on with what the ledger remembers"
                );
                return Some(remembered.memory);
            }
            Err(problem) if problem.fault == crate::store::StoreFault::Foreign => {
                error!(error = %problem, "begins without memory: nothing shrinks until guards have seen enough");
                return Some(Memory::default());
            }
            Err(problem) => {
                warn!(error = %problem, "the ledger cannot be read; tried again");
                board.write(|standing| standing.health.ledger_fault = Some(problem.to_string()));
            }
        }
        if control.pause(TRIED_EVERY) {
            return None;
        }
    }
}

/// Returns how this process calls itself among its like.
fn holder() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "lowtide".to_owned());
    format!("{host}/{}", std::process::id())
}

/// The pages while they are served.
struct Serving {
    stop: watch::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
}

impl Serving {
    /// Opens the door and serves the interface, beside pages of others.
    fn begin(
        runtime: &Runtime,
        (stands, others): (Stands, Router),
        (settings, tokens): (HttpSettings, Tokens),
    ) -> Result<Self, DoorError> {
        let door = runtime.block_on(Door::open(&settings))?;
        let board = stands.board.clone();
        let pages = {
            let _inside = runtime.enter();
            Site::new(stands).pages(others, settings, tokens.clone())
        };
        info!(address = %door.url(), "listening");
        if !door.address().ip().is_loopback() {
            warn!(
                "other machines can reach it; reads need a token there, unless http.openReads says otherwise"
            );
        }
        let (stop, mut stopped) = watch::channel(());
        let until = async move {
            // The sender says nothing and goes when it is time.
            let _ = stopped.changed().await;
        };
        Ok(Self {
            stop,
            serving: runtime.spawn(door.open_for(pages, (board, tokens), until)),
        })
    }

    /// Answers what is under way, for a while.
    fn close(self, runtime: &Runtime) {
        drop(self.stop);
        // Who still listens to events would keep it open.
        let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, self.serving).await });
    }
}
