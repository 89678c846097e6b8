//! From an address, as users write it, to connections.

use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Pool, RecyclingMethod};
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::tls::Verify;
use super::{Job, Postgres, schema, tls};
use crate::store::facts::Facts;
use crate::store::lease::Standing;
use crate::store::settings::Times;
use crate::store::{StoreError, StoreFault};

/// Connections at most: one writes, a few read.
const CONNECTIONS: usize = 6;

/// How long a ledger that is there may take to be brought to the present schema: a million lines take some seconds.
const MIGRATION: Duration = Duration::from_mins(10);

/// The address of a database; it prints without its password.
#[derive(Clone, Debug)]
pub struct Address {
    url: SecretString,
    name: String,
}

/// What an address says.
struct Told {
    config: Config,
    verify: Verify,
}

impl Address {
    /// Returns host and database, without user and password.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn read(url: &str) -> Result<Told, StoreError> {
        let (url, verify) = Verify::take_from(url)?;
        let config = Config::from_str(&url).map_err(|error| {
            // The error never has the password in it, but the address does.
            let message = format!(
                "the address of the ledger cannot be read ({}); write it like postgres://user@host:5432/database?sslmode=verify-full",
                super::chain(&error)
            );
            StoreError::new(StoreFault::Settings, message)
        })?;
        if verify != Verify::Nothing && config.get_ssl_mode() == SslMode::Disable {
            let message =
                "the address of the ledger both disables TLS and wants certificates checked; keep one";
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        Ok(Told { config, verify })
    }
}

/// Reads an address such as `postgres://user:password@host:5432/database?sslmode=verify-full`.
impl FromStr for Address {
    type Err = StoreError;
    fn from_str(url: &str) -> Result<Self, StoreError> {
        let told = Self::read(url)?;
        let hosts = told.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(host) => host.clone(),
            #[cfg(unix)]
            Host::Unix(path) => path.display().to_string(),
        });
        let hosts: Vec<String> = hosts.collect();
        let database = told.config.get_dbname().unwrap_or("postgres");
        Ok(Self {
            name: format!("postgres://{}/{database}", hosts.join(",")),
            url: url.to_owned().into(),
        })
    }
}

impl Postgres {
    /// Connects, and brings the database to the present schema.
    pub(in crate::store) fn open(address: &Address, times: Times) -> Result<Self, StoreError> {
        let postgres = Self::connect(address, times, false)?;
        let taken = postgres.ask(async |client| schema::version(client).await)?;
        let patience = match taken {
            0 | schema::VERSION.. => times.patience,
            _ => MIGRATION,
        };
        let version = postgres.ask_for(patience, async |client| schema::migrate(client).await)?;
        postgres.understand(version)?;
        postgres.know_prices()?;
        Ok(postgres)
    }

    /// Connects to a ledger that is there, and changes nothing.
    pub(in crate::store) fn open_to_read(address: &Address, times: Times) -> Result<Self, StoreError> {
        let postgres = Self::connect(address, times, true)?;
        let version = postgres.ask(async |client| schema::version(client).await)?;
        postgres.understand(version)?;
        Ok(postgres)
    }

    fn understand(&self, version: i32) -> Result<(), StoreError> {
        let name = &self.name;
        if version > schema::VERSION {
            let known = schema::VERSION;
            let message = format!(
                "{name} was made by a later version of lowtide (schema {version}, this one knows {known}); use that version"
            );
            return Err(StoreError::new(StoreFault::Newer, message));
        }
        if version < schema::VERSION {
            let message = format!("{name} has no ledger of this version; open it once with what writes it");
            return Err(StoreError::new(StoreFault::Settings, message));
        }
        Ok(())
    }

    fn connect(address: &Address, times: Times, read_only: bool) -> Result<Self, StoreError> {
        let patience = times.patience;
        let Told { mut config, verify } = Address::read(address.url.expose_secret())?;
        config
            .application_name("lowtide")
            .connect_timeout(patience)
            // A server that vanished without a word is noticed by then.
            .tcp_user_timeout(patience)
            .keepalives_idle(Duration::from_secs(30));
        let method = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = Manager::from_config(config, tls::connector(&verify)?, method);
        let begin = session(patience);
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .post_create(Hook::async_fn(move |client, _| {
                let begin = begin.clone();
                Box::pin(async move { client.batch_execute(&begin).await.map_err(HookError::Backend) })
            }))
            .build()
            .expect("a pool without time limits of its own needs no runtime");
        Ok(Self {
            name: format!("the ledger {}", address.name),
            jobs: spawn(pool)?,
            patience,
            lasts: times.lease,
            token: token(),
            prices: Mutex::default(),
            lead: Mutex::new(Standing::Unasked),
            read_only,
        })
    }

    fn know_prices(&self) -> Result<(), StoreError> {
        let line = self.ask(async |client| {
            let latest =
                "SELECT line FROM lowtide_ledger WHERE kind = 'started' ORDER BY number DESC LIMIT 1";
            Ok(client
                .query_opt(latest, &[])
                .await?
                .map(|row| row.get::<_, String>(0)))
        })?;
        let facts = line.and_then(|line| Facts::read(&line).ok());
        if let Some(prices) = facts.and_then(|facts| facts.prices) {
            *self
                .prices
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner) = prices;
        }
        Ok(())
    }
}

/// Returns what a connection begins with: nothing waits for longer than anybody would wait for the answer, and what is kept is on
/// the disk before the server says so, even where its own setting is laxer.
fn session(patience: Duration) -> String {
    let limit = patience.as_millis();
    format!(
        "SET statement_timeout = {limit}; SET lock_timeout = {limit}; \
         SET idle_in_transaction_session_timeout = {limit}; \
         SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
}

/// Starts the thread that speaks to the server; it ends when nobody can give it work any more.
fn spawn(pool: Pool) -> Result<tokio::sync::mpsc::UnboundedSender<Job>, StoreError> {
    let failed = |error| {
        let message = format!("no thread can be started to speak to PostgreSQL: {error}");
        StoreError::new(StoreFault::Other, message)
    };
    let (jobs, mut todo) = tokio::sync::mpsc::unbounded_channel::<Job>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let speak = move || {
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async move {
            while let Some(job) = todo.recv().await {
                tokio::task::spawn_local(job(pool.clone()));
            }
        });
    };
    let thread = std::thread::Builder::new().name("ledger".to_owned());
    thread.spawn(speak).map_err(failed)?;
    Ok(jobs)
}

/// Returns a word that no other connection to any ledger has: the process, the moment, and which of its kind it is.
fn token() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let moment = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{next}", std::process::id(), moment.as_nanos())
}
