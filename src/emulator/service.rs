//! The account behind its handlers: a desk, a clock that may run faster than the wall's, and the state file.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::any;
use tokio::sync::Notify;

use super::answer::{Answer, Refused};
use super::asked::Asked;
use super::outside::AccountFacts;
use super::{Desk, commands};
use crate::base::{Lane, Span, Timestamp};
use crate::world::replace_file;

/// A local account that is served.
pub struct Service {
    desk: Mutex<Desk>,
    clock: Clock,
    state: Option<PathBuf>,
    pub(super) woken: Notify,
}

/// The account's clock.
enum Clock {
    /// It began at an instant of this machine and a moment of the account, and runs so many times as fast.
    Running {
        since: Instant,
        then: Timestamp,
        speed: f64,
    },
    /// It is told.
    Told(Arc<dyn Fn() -> Timestamp + Send + Sync>),
}

impl Clock {
    fn now(&self) -> Timestamp {
        match self {
            Self::Running { since, then, speed } => {
                *then + Span::from_seconds(since.elapsed().as_secs_f64() * speed)
            }
            Self::Told(now) => now(),
        }
    }
}

/// How often the account looks at what is due without being asked.
const BEAT: Duration = Duration::from_millis(500);

/// The state file is written at most this often, and never for more than a twentieth of the time.
const WRITTEN_EVERY: Duration = Duration::from_secs(5);
const WRITING_SHARE: u32 = 20;

impl Service {
    /// The fastest clock: a day in about a minute and a half. Beyond, a second between two requests is a quarter of an hour.
    pub const SPEED_MAX: f64 = 1000.0;

    /// Returns a service of an account whose clock begins to run now, so many times as fast as the wall's; its state is kept
    /// in a file, if there is one.
    pub fn new(desk: Desk, speed: f64, state: Option<PathBuf>) -> Arc<Self> {
        let clock = Clock::Running {
            since: Instant::now(),
            then: desk.now(),
            speed,
        };
        Self::by(clock, desk, state)
    }

    /// Returns a service of an account whose time somebody else tells.
    pub fn told(desk: Desk, now: Arc<dyn Fn() -> Timestamp + Send + Sync>) -> Arc<Self> {
        Self::by(Clock::Told(now), desk, None)
    }

    fn by(clock: Clock, desk: Desk, state: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Self {
            desk: Mutex::new(desk),
            clock,
            state,
            woken: Notify::new(),
        })
    }

    /// Does something with the account as it is now.
    pub fn with<T>(&self, what: impl FnOnce(&mut Desk) -> T) -> T {
        // A request that met a mistake of ours must not take the account with it.
        let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        desk.advance(self.clock.now());
        let result = what(&mut desk);
        if desk.has_commands() {
            self.woken.notify_one();
        }
        result
    }

    /// Returns the time since the account was opened, on its clock.
    pub fn elapsed(&self) -> Span {
        let desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
        self.clock.now().max(desk.now()) - desk.setup().start
    }

    /// Returns what the account's resource manager tells of it.
    pub fn facts(&self) -> AccountFacts {
        self.with(|desk| {
            let account = &desk.setup().account;
            let families = account.family_cores.iter();
            AccountFacts {
                location: "westeurope".to_owned(),
                is_user_subscription: account.is_user_subscription,
                dedicated_cores: account.dedicated_cores,
                spot_cores: account.spot_cores,
                family_cores: families.map(|(name, cores)| (name.clone(), *cores)).collect(),
                pools_max: account.pools_max,
                jobs_max: account.jobs_max,
                dedicated_cores_used: desk.cores_held(Lane::Dedicated),
                spot_cores_used: desk.cores_held(Lane::Spot),
            }
        })
    }

    /// Returns the handlers of the data plane; the front stands before them.
    pub fn handlers(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/{*path}", any(carry_out))
            .with_state(Arc::clone(self))
    }

    /// Lets the account live without being asked, until `until`: what is due happens, real commands run, its state is kept.
    pub async fn live(self: Arc<Self>, until: impl Future<Output = ()>) {
        let mut kept = Kept {
            n_changes: self.with(|desk| desk.n_changes()),
            next: Instant::now() + WRITTEN_EVERY,
        };
        let mut running = commands::Running::default();
        tokio::pin!(until);
        loop {
            tokio::select! {
                () = &mut until => break,
                () = tokio::time::sleep(BEAT) => {}
                () = self.woken.notified() => {}
            }
            let (start, stop) = self.with(Desk::take_commands);
            running.turn(&self, start, &stop);
            if Instant::now() >= kept.next {
                // A file that cannot be written now may be written later, and at the end it is said.
                let _ = self.keep(&mut kept);
            }
        }
        running.stop();
    }

    /// Writes the state, if anything has happened since it was last written.
    fn keep(&self, kept: &mut Kept) -> io::Result<()> {
        let begun = Instant::now();
        let (n_changes, text) = self.with(|desk| {
            let n_changes = desk.n_changes();
            let is_due = self.state.is_some() && n_changes != kept.n_changes;
            (n_changes, is_due.then(|| desk.state()))
        });
        let written = text.map_or(Ok(()), |text| self.write(&text));
        if written.is_ok() {
            kept.n_changes = n_changes;
        }
        kept.next = Instant::now() + WRITTEN_EVERY.max(begun.elapsed() * WRITING_SHARE);
        written
    }

    /// Writes the state, as it is at the end; nothing without a file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_state(&self) -> io::Result<()> {
        let text = self.with(|desk| desk.state());
        self.write(&text)
    }

    /// A reader finds the old file or the new one whole, never a part.
    fn write(&self, text: &str) -> io::Result<()> {
        self.state
            .as_deref()
            .map_or(Ok(()), |path| replace_file(path, text.as_bytes()))
    }
}

struct Kept {
    n_changes: u64,
    next: Instant,
}

async fn carry_out(
    State(service): State<Arc<Service>>,
    asked: Asked,
    body: Bytes,
) -> Result<Answer, Refused> {
    service.with(|desk| desk.answer(&asked, &body))
}
