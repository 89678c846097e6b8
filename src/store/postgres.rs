//! The memory in PostgreSQL, which several instances share: a thread of its own speaks to it, behind calls that block.

mod connect;
mod keep;
mod lead;
mod read;
mod schema;
mod tls;
mod write;

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use deadpool_postgres::{Client, Object, Pool};
use tokio::sync::mpsc::UnboundedSender;

use super::facts::PricesByPolicy;
use super::lease::Standing;
use super::{StoreError, StoreFault};
pub use connect::Address;
use lead::Lead;

/// A memory in PostgreSQL.
#[derive(Debug)]
pub(super) struct Postgres {
    /// Host and database, without user and password.
    name: String,
    /// What the thread is to do; it ends when this goes.
    jobs: UnboundedSender<Job>,
    /// How long an answer is waited for.
    patience: Duration,
    /// How long the lead lasts when it is not renewed.
    lasts: Duration,
    /// What tells this instance from all others, whatever they call themselves.
    token: String,
    /// The prices of the policies that decide now.
    prices: Mutex<PricesByPolicy>,
    /// Who steers, as far as this process knows.
    lead: Mutex<Standing<Lead>>,
    read_only: bool,
}

/// A piece of work for the thread that speaks to the server.
type Job = Box<dyn FnOnce(Pool) -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// What a question came to.
enum Outcome<T> {
    Answered(T),
    Failed(tokio_postgres::Error),
    Unreachable(String),
    Late,
}

impl Postgres {
    /// Asks the server and waits for the answer, for no longer than the patience.
    fn ask<T: Send + 'static>(
        &self,
        question: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.ask_for(self.patience, question)
    }

    /// Asks the server and waits for the answer, for no longer than a time.
    fn ask_for<T: Send + 'static>(
        &self,
        patience: Duration,
        question: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (tell, told) = mpsc::sync_channel(1);
        let until = Instant::now() + patience;
        let job: Job = Box::new(move |pool| {
            Box::pin(async move {
                // Nobody listens any more when the process is ending.
                let _ = tell.send(answer(&pool, until, question).await);
            })
        });
        let ended = || StoreError::new(StoreFault::Away, format!("{}: its thread has ended", self.name));
        self.jobs.send(job).map_err(|_| ended())?;
        match told.recv().map_err(|_| ended())? {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Failed(error) => Err(self.told(&error)),
            Outcome::Unreachable(why) => Err(StoreError::new(
                StoreFault::Away,
                format!("{} cannot be reached: {why}", self.name),
            )),
            Outcome::Late => Err(StoreError::new(
                StoreFault::Away,
                format!(
                    "{} has not answered within {} s",
                    self.name,
                    patience.as_secs_f64()
                ),
            )),
        }
    }

    /// Returns what the server says, in our words.
    fn told(&self, error: &tokio_postgres::Error) -> StoreError {
        use tokio_postgres::error::SqlState;
        let name = &self.name;
        let Some(database) = error.as_db_error() else {
            let message = format!("{name} is away: {}", chain(error));
            return StoreError::new(StoreFault::Away, message);
        };
        let (code, said) = (database.code(), database.message());
        let lacking = [
            SqlState::DISK_FULL,
            SqlState::OUT_OF_MEMORY,
            SqlState::INSUFFICIENT_RESOURCES,
        ];
        let slow = [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::QUERY_CANCELED,
            SqlState::T_R_DEADLOCK_DETECTED,
        ];
        let broken = [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED];
        let shut = [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
        ];
        if lacking.contains(code) {
            StoreError::new(StoreFault::Full, format!("there is no room at {name} ({said})"))
        } else if slow.contains(code) {
            StoreError::new(StoreFault::Busy, format!("{name} is busy ({said})"))
        } else if broken.contains(code) {
            let message =
                format!("{name} is damaged ({said}); restore it from a backup, or name another database");
            StoreError::new(StoreFault::Damaged, message)
        } else if shut.contains(code) {
            StoreError::new(StoreFault::Away, format!("{name} is away ({said})"))
        } else {
            StoreError::new(StoreFault::Other, format!("{name}: {said}"))
        }
    }
}

async fn answer<T>(
    pool: &Pool,
    until: Instant,
    question: impl AsyncFnOnce(&mut Client) -> Result<T, tokio_postgres::Error>,
) -> Outcome<T> {
    let until = tokio::time::Instant::from_std(until);
    let mut client = match tokio::time::timeout_at(until, pool.get()).await {
        Ok(Ok(client)) => client,
        Ok(Err(error)) => return Outcome::Unreachable(chain(&error)),
        Err(_) => return Outcome::Late,
    };
    match tokio::time::timeout_at(until, question(&mut client)).await {
        Ok(Ok(answer)) => Outcome::Answered(answer),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => {
            // What it still answers is no answer to the next question.
            drop(Object::take(client));
            Outcome::Late
        }
    }
}

/// Returns an error with its causes, which say what the error itself leaves out.
fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        cause = error.source();
    }
    said
}
