//! Who steers: one row, taken for a while by the clock of the database, under a number that grows each time it is taken.
//!
//! ```text
//! free ── take ──► ours, fence n ── keep, before it ends ──► ours, fence n
//!                    │ not kept in time: ends by the database's clock; here a quarter earlier, by a clock that nobody sets
//!                    └──► free ── taken by another ──► theirs, fence n + 1: what is written under n is refused
//! ```

use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use deadpool_postgres::Client;
use tokio_postgres::types::ToSql;

use super::Postgres;
use crate::store::lease::{Lead as Answer, Standing};
use crate::store::{StoreError, StoreFault};

/// The lead of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lead {
    fence: i64,
    asked: Instant,
    lasts: Duration,
    /// Whether the latest line may have been kept, or may still be.
    unsure: bool,
}

/// The one thing that can be steered by a ledger.
pub(super) const ACCOUNT: &str = "account";

impl Lead {
    /// Says whether this process may act: for three quarters of the time that the database gave, counted from before it was
    /// asked, so that neither a slow answer nor a clock that runs a little slow makes two act.
    fn holds(&self) -> bool {
        self.asked.elapsed() < self.lasts * 3 / 4
    }

    /// Says whether it is time to ask for more.
    fn is_waning(&self) -> bool {
        self.asked.elapsed() > self.lasts / 3
    }
}

impl Postgres {
    fn lead(&self) -> MutexGuard<'_, Standing<Lead>> {
        self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn leads(&self) -> bool {
        self.lead().held().is_some_and(Lead::holds)
    }

    /// Returns the number to write under; who writes without having asked for the lead takes it if it is free, who writes in time
    /// keeps it, and who has lost it has to ask for it first.
    pub(super) fn fence(&self) -> Result<i64, StoreError> {
        let standing = *self.lead();
        let lead = match standing {
            Standing::Unasked => None,
            Standing::Held(lead) => Some(lead),
            Standing::Lost => return Err(self.without_lead()),
        };
        let answer = match lead {
            Some(lead) if !lead.holds() => {
                let message = format!("the lead of {} was not renewed in time", self.name);
                return Err(StoreError::new(StoreFault::NotLeading, message));
            }
            Some(lead) if !lead.is_waning() && !lead.unsure => return Ok(lead.fence),
            Some(_) => self.keep_lead("")?,
            None => self.take_lead(&format!("process {}", std::process::id()))?,
        };
        match answer {
            Answer::Ours { fence } => Ok(fence.cast_signed()),
            Answer::Theirs { holder } => Err(StoreError::new(
                StoreFault::NotLeading,
                format!("{} is steered by {holder}", self.name),
            )),
        }
    }

    /// Takes the lead if nobody else has it.
    pub(in crate::store) fn take_lead(&self, holder: &str) -> Result<Answer, StoreError> {
        if self.lead().held().is_some() {
            return self.keep_lead(holder);
        }
        self.ask_for_lead(
            "INSERT INTO lowtide_lead AS lead (name, token, fence, expires_at, holder)
             VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond', $5)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, token = excluded.token, fence = lead.fence + 1,
                 expires_at = clock_timestamp() + $4 * interval '1 millisecond'
             WHERE lead.expires_at <= clock_timestamp() OR lead.token = excluded.token RETURNING fence",
            1,
            Some(holder),
        )
    }

    /// Keeps the lead for as long again; as long as nobody else took it, also after its time.
    ///
    /// After a line of which nobody knows whether it was kept the number grows: the server then has kept it already, or never will.
    pub(in crate::store) fn keep_lead(&self, holder: &str) -> Result<Answer, StoreError> {
        let standing = *self.lead();
        let lead = match standing {
            Standing::Unasked => return self.take_lead(holder),
            Standing::Held(lead) => lead,
            Standing::Lost => return self.holder_now().map(|holder| Answer::Theirs { holder }),
        };
        let statement = if lead.unsure {
            "UPDATE lowtide_lead SET expires_at = clock_timestamp() + $4 * interval '1 millisecond', fence = fence + 1
             WHERE name = $1 AND token = $2 AND fence >= $3 RETURNING fence"
        } else {
            "UPDATE lowtide_lead SET expires_at = clock_timestamp() + $4 * interval '1 millisecond'
             WHERE name = $1 AND token = $2 AND fence >= $3 RETURNING fence"
        };
        self.ask_for_lead(statement, lead.fence, None)
    }

    fn ask_for_lead(
        &self,
        statement: &'static str,
        fence: i64,
        holder: Option<&str>,
    ) -> Result<Answer, StoreError> {
        let asked = Instant::now();
        let millis = self.lasts.as_millis() as f64;
        let (token, holder) = (self.token.clone(), holder.map(str::to_owned));
        let answer = self.ask(async move |client| {
            let mut values: Vec<&(dyn ToSql + Sync)> = vec![&ACCOUNT, &token, &fence, &millis];
            values.extend(holder.iter().map(|holder| holder as &(dyn ToSql + Sync)));
            if let Some(row) = client.query_opt(statement, &values).await? {
                return Ok(Ok(row.get::<_, i64>(0)));
            }
            led_by(client).await.map(Err)
        })?;
        Ok(match answer {
            Ok(fence) => {
                *self.lead() = Standing::Held(Lead {
                    fence,
                    asked,
                    lasts: self.lasts,
                    unsure: false,
                });
                Answer::Ours {
                    fence: fence.cast_unsigned(),
                }
            }
            Err(holder) => {
                self.lead().lose();
                Answer::Theirs { holder }
            }
        })
    }

    /// Gives the lead up.
    pub(in crate::store) fn give_up_lead(&self) -> Result<(), StoreError> {
        let Standing::Held(lead) = std::mem::replace(&mut *self.lead(), Standing::Unasked) else {
            return Ok(());
        };
        let token = self.token.clone();
        self.ask(async move |client| {
            let free = "UPDATE lowtide_lead SET expires_at = clock_timestamp()
                WHERE name = $1 AND token = $2 AND fence >= $3";
            client.execute(free, &[&ACCOUNT, &token, &lead.fence]).await
        })?;
        Ok(())
    }

    /// Notes that the lead is lost, and says so.
    pub(super) fn lost_lead(&self) -> StoreError {
        self.lead().lose();
        let message = format!(
            "another process has taken the lead of {}, or its time was over",
            self.name
        );
        StoreError::new(StoreFault::NotLeading, message)
    }

    /// Says that the lead was lost, and has to be asked for before anything is written.
    fn without_lead(&self) -> StoreError {
        let message = format!("the lead of {} was lost", self.name);
        StoreError::new(StoreFault::NotLeading, message)
    }

    /// Returns who had the lead last.
    fn holder_now(&self) -> Result<String, StoreError> {
        self.ask(async |client| led_by(client).await)
    }

    /// Notes that nobody knows whether the latest line was kept.
    pub(super) fn be_unsure(&self) {
        if let Standing::Held(lead) = &mut *self.lead() {
            lead.unsure = true;
        }
    }
}

/// Returns how whoever had the lead last calls itself.
async fn led_by(client: &Client) -> Result<String, tokio_postgres::Error> {
    let holder = "SELECT holder FROM lowtide_lead WHERE name = $1";
    let row = client.query_opt(holder, &[&ACCOUNT]).await?;
    Ok(row.map_or_else(|| "nobody".to_owned(), |row| row.get(0)))
}

/// A command that ends gives the lead back, so that nobody waits for it.
impl Drop for Postgres {
    fn drop(&mut self) {
        // When it cannot be told, the lead ends by itself.
        let _ = self.give_up_lead();
    }
}
