//! The sidecar of the live demo: the loop, the ledger and the interface that `lowtide serve` has, beside the account in one process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand::RngExt as _;
use tokio::runtime::Runtime;

use super::stage::Stage;
use crate::account::{Halt, HaltScope, PoolId, PoolPattern};
use crate::azure::shared_key::Key;
use crate::azure::{ApiVersion, Client, Clock, Credential, Limits, Live, Settings};
use crate::base::Timestamp;
use crate::cli::pause::halt_text;
use crate::decision::Memory;
use crate::emulator::outside::DEVELOPMENT_KEY;
use crate::serve::http::{Door, HttpSettings, Planner, Site, Stands, Texts, Tokens};
use crate::serve::{Board, Book, Control, Folder, HaltsOfStore, Metrics, Steered, Steering, health_pages};
use crate::store::{KeptHalt, Store};

/// The policies of the demo, as files that can be changed while it runs.
const POLICIES: [(&str, &str); 2] = [
    (
        "builds.yaml",
        "# Builds: people wait, so a task starts within five minutes; spot as long as it comes.
version: 1
pool: builds
interval: 30s
demand: [ { backlog: { drainWithin: 5m } } ]
bounds: { total: [1, 60], dedicated: [0, 30], spot: [0, 60] }
mix:
  objective: expectedCost
  prices: { dedicated: 0.192, spot: 0.0384 }
  eviction: { prior: { perNodeHour: 0.05, weight: 20h }, halfLife: 24h }
guards: { cooldown: { in: 3m } }
",
    ),
    (
        "render.yaml",
        "# Frames: a quarter of an hour is soon enough; one warm node, the rest as it comes.
version: 1
pool: render
interval: 1m
demand: [ { backlog: { drainWithin: 15m } } ]
bounds: { total: [1, 40], dedicated: [1, 20], spot: [0, 40] }
mix:
  objective: expectedCost
  prices: { dedicated: 0.384, spot: 0.0768 }
  eviction: { prior: { perNodeHour: 0.05, weight: 20h }, halfLife: 24h }
guards: { cooldown: { in: 5m } }
",
    ),
];

/// A sidecar that steers the account of the demo.
pub(super) struct Sidecar {
    url: String,
    token: String,
    board: Board,
    control: Control,
    store: Store,
    clock: Clock,
    looping: JoinHandle<()>,
    folder: PathBuf,
}

impl Sidecar {
    /// Begins to steer, on a thread of its own.
    pub(super) fn begin(
        runtime: &Runtime,
        (stage, speed, listen): (&Stage, f64, SocketAddr),
        until: impl Future<Output = ()> + Send + 'static,
    ) -> Result<Self, String> {
        let path = std::env::temp_dir().join(format!("lowtide-demo-{}", std::process::id()));
        write_policies(&path).map_err(|error| format!("`{}` cannot be written: {error}", path.display()))?;
        let mut folder = Folder::new(path.clone());
        let policies = folder.read().policies.unwrap_or_default();
        let clock = Clock::Faster {
            since: Instant::now(),
            then: stage.now(),
            speed,
        };
        let client = client(stage, clock.clone(), speed)?;
        let live = Live::new(client.clone(), runtime.handle().clone());
        let (board, store) = (Board::new(clock.now()), Store::in_memory());
        let control = Control::new(live.stopper());
        let metrics = Metrics::new().expect("the metrics of a process have names of their own");
        let metrics = Arc::new(Mutex::new(metrics));
        let told = clock.clone();
        let stands = Stands {
            account: "demo".to_owned(),
            board: board.clone(),
            metrics: Arc::clone(&metrics),
            control: control.clone(),
            memory: Some(store.clone()),
            planner: Planner::live(client, runtime.handle().clone(), Some(store.clone()))
                .told_by(None, "the demo has none"),
            history: None,
            dry_run: false,
            now: Arc::new(move || told.now()),
        };
        let settings = HttpSettings {
            listen,
            ..HttpSettings::loopback()
        };
        let (token, tokens) = own_token();
        let door = runtime
            .block_on(Door::open(&settings))
            .map_err(|error| error.to_string())?;
        let url = door.url();
        let others = health_pages(board.clone(), Arc::clone(&metrics));
        let (pages, shown) = {
            let _inside = runtime.enter();
            let pages = Site::new(stands).pages(others, settings, tokens.clone());
            (pages, board.clone())
        };
        runtime.spawn(async move { door.open_for(pages, (shown, tokens), until).await });
        let parts = (Book::Store(store.clone()), board.clone(), control.clone());
        let halts = HaltsOfStore::new(store.clone());
        // The loop keeps spans of its own thread, so it is put together there.
        let looping = std::thread::spawn(move || {
            let (book, board, control) = parts;
            let world = Steered::new(live, book, board, control, folder);
            let mut world = world.expect("the metrics of a process have names of their own");
            world.brakes.halts = Box::new(halts);
            world.metrics = metrics;
            let mut steering = Steering { world, policies };
            steering.run(Memory::default());
        });
        Ok(Self {
            url,
            token,
            board,
            control,
            store,
            clock,
            looping,
            folder: path,
        })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Returns the token that lets write, which is shown: it is of this demo alone and ends with it.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) const fn board(&self) -> &Board {
        &self.board
    }

    /// Returns what halts each pool, in words.
    pub(super) fn halts(&self, now: Timestamp) -> BTreeMap<PoolId, String> {
        let halts = self.store.halts().unwrap_or_default();
        let holding = halts.into_iter().filter(|kept| kept.halt.holds(now));
        let word = |kept: KeptHalt| {
            let mut told = serde_json::to_value(&kept.halt).ok()?;
            told["pool"] = kept.pools.as_str().into();
            let text = halt_text(&told);
            let text = text
                .split_once(": ")
                .map_or(text.clone(), |(_, rest)| rest.to_owned());
            Some((kept.pools.as_str().parse().ok()?, text))
        };
        holding.filter_map(word).collect()
    }

    /// Pauses a pool, or lets it go on.
    pub(super) fn pause_or_resume(&self, pool: &str, is_paused: bool) {
        let Ok(pools) = pool.parse::<PoolPattern>() else {
            return;
        };
        // A ledger in memory takes what it is told.
        let _ = if is_paused {
            self.store.lift(&pools, None).map(drop)
        } else {
            self.store.halt(&KeptHalt {
                pools,
                halt: Halt {
                    scope: HaltScope::All,
                    until: None,
                    why: "the space key".to_owned(),
                    by: None,
                },
                since: self.clock.now(),
            })
        };
        self.control.look();
    }

    /// Ends it once it has finished what it does, and takes its policies away.
    pub(super) fn end(self) {
        self.control.end();
        // A loop that panicked has ended as well.
        let _ = self.looping.join();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Returns a token that nobody can guess, and the tokens that it is the only one of.
fn own_token() -> (String, Tokens) {
    let token = format!("{:016x}", rand::rng().random::<u64>());
    let text = token.clone();
    let source = move || {
        Ok(Texts {
            write: Some(text.as_str().into()),
            read: None,
        })
    };
    let tokens = Tokens::with(Arc::new(source)).expect("sixteen digits are long enough");
    (token, tokens)
}

fn write_policies(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    POLICIES
        .iter()
        .try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}

fn client(stage: &Stage, clock: Clock, speed: f64) -> Result<Client, String> {
    let settings = Settings {
        endpoint: stage
            .url()
            .parse()
            .map_err(|error: crate::azure::EndpointError| error.to_string())?,
        account: "demo".to_owned(),
        version: ApiVersion::V2025,
        authorities: None,
        limits: Limits {
            // On the faster clock, and of no use to a neighbour: the account is in this process.
            per_second: 1000.0,
            whole: Duration::from_secs(90).mul_f64(speed),
            one_try: Duration::from_secs(35),
            ..Limits::default()
        },
        seed: 1,
    };
    let key = Key::parse(DEVELOPMENT_KEY).map_err(|error| error.to_string())?;
    Client::new(settings, Credential::SharedKey(key), clock).map_err(|fault| fault.to_string())
}
