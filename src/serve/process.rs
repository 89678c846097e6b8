//! The process: the loop on the thread that calls, and around it what listens, watches and is signalled.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::{info, warn};

use super::board::Board;
use super::config::Config;
use super::control::Control;
use super::folder::Folder;
use super::health_pages;
use super::metrics::Metrics;
use super::signals;
use super::steer::Steering;
use super::steered::Steered;
use super::watcher::Watcher;
use crate::azure::{Client, Live};
use crate::base::Timestamp;
use crate::decision::Memory;
use crate::engine::RecordError;
use crate::policy::Policies;
use crate::world::JsonLines;

/// What a process is made of.
#[derive(Debug)]
pub struct Process {
    /// The configuration.
    pub config: Config,
    /// Speaks to the account.
    pub client: Client,
    /// Where the policies are.
    pub folder: Folder,
    /// What was read there.
    pub policies: Policies,
    /// Tells the time.
    pub now: fn() -> Timestamp,
}

/// Why a process cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The port is taken, or is not ours to take.
    #[error("cannot listen on {address}: {error}; choose another port, or 0 for any that is free")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        error: io::Error,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] RecordError),
    /// The system gives no threads or signals.
    #[error("the system does not give what the process needs: {0}")]
    System(#[from] io::Error),
}

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
        let Self {
            config,
            client,
            folder,
            policies,
            now,
        } = self;
        let file = &config.file;
        let ledger = JsonLines::open(&config.ledger_path())?;
        let live = Live::new(client, runtime.handle().clone());
        let board = Board::new(now());
        let metrics = Metrics::new().map_err(|error| io::Error::other(error.to_string()))?;
        let metrics = Arc::new(Mutex::new(metrics));
        let control = Control::new(live.stopper());
        board.write(|standing| standing.health.reload.done(now(), &[]));
        let door = Door::open(
            &runtime,
            file.http.listen.0,
            health_pages::router(board.clone(), Arc::clone(&metrics)),
        )?;
        runtime.block_on(async { signals::heed(&control) })?;
        let watcher = Watcher::begin(&runtime, folder.path(), file.policies.poll, &control);
        let world = Steered {
            inside: live,
            ledger,
            board,
            metrics,
            control,
            kill_switch: file.kill_switch_file.as_ref().map(|path| config.path(path)),
            dry_run: file.dry_run,
            began: None,
        };
        let steering = Steering {
            world,
            folder,
            policies,
            now,
        };
        steering.run(Memory::default());
        drop(watcher);
        door.close(&runtime);
        info!("ended");
        runtime.shutdown_timeout(FAREWELL);
        Ok(())
    }
}

/// Where the pages are served.
struct Door {
    stop: watch::Sender<()>,
    serving: tokio::task::JoinHandle<io::Result<()>>,
}

impl Door {
    fn open(runtime: &Runtime, address: SocketAddr, pages: Router) -> Result<Self, ProcessError> {
        let listener = runtime
            .block_on(TcpListener::bind(address))
            .map_err(|error| ProcessError::Listen { address, error })?;
        if let Ok(bound) = listener.local_addr() {
            info!(address = %format!("http://{bound}"), "listening");
            if !bound.ip().is_loopback() {
                warn!("others than this machine can reach it; put a token or mutual TLS before writes");
            }
        }
        let (stop, mut stopped) = watch::channel(());
        let until = async move {
            // The sender says nothing and goes when it is time.
            let _ = stopped.changed().await;
        };
        let serving = runtime.spawn(
            axum::serve(listener, pages)
                .with_graceful_shutdown(until)
                .into_future(),
        );
        Ok(Self { stop, serving })
    }

    /// Answers what is under way, for a while.
    fn close(self, runtime: &Runtime) {
        drop(self.stop);
        // Who still listens to events would keep it open.
        let _ = runtime.block_on(async { tokio::time::timeout(FAREWELL, self.serving).await });
    }
}
