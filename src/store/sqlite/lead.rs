//! Who steers by a file: a lock of the system, which ends with its process, and a number that grows each time it is taken.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{MutexGuard, PoisonError};

use rusqlite::params;

use super::Sqlite;
use super::damage::told;
use crate::store::lease::{Lead as Answer, Standing};
use crate::store::{StoreError, StoreFault};

/// The lead of this process.
#[derive(Debug)]
pub(super) struct Lead {
    /// The lock; none for a memory that nobody else can open.
    _lock: Option<File>,
    fence: i64,
}

/// The one thing that can be steered by a ledger.
const ACCOUNT: &str = "account";

impl Sqlite {
    fn lead(&self) -> MutexGuard<'_, Standing<Lead>> {
        self.lead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::store) fn leads(&self) -> bool {
        self.lead().held().is_some()
    }

    /// Returns the number to write under; who writes without having asked for the lead takes it if it is free, and who has lost it
    /// has to ask for it first.
    pub(super) fn fence(&self) -> Result<i64, StoreError> {
        match &*self.lead() {
            Standing::Unasked => {}
            Standing::Held(lead) => return Ok(lead.fence),
            Standing::Lost => {
                let message = format!("the lead of {} was lost", self.name());
                return Err(StoreError::new(StoreFault::NotLeading, message));
            }
        }
        match self.take_lead(&format!("process {}", std::process::id()))? {
            Answer::Ours { fence } => Ok(fence.cast_signed()),
            Answer::Theirs { holder } => Err(StoreError::new(
                StoreFault::NotLeading,
                format!("{} is steered by {holder}", self.name()),
            )),
        }
    }

    /// Takes the lead if nobody else has it.
    pub(in crate::store) fn take_lead(&self, holder: &str) -> Result<Answer, StoreError> {
        let mut lead = self.lead();
        if let Some(lead) = lead.held() {
            return Ok(Answer::Ours {
                fence: lead.fence.cast_unsigned(),
            });
        }
        let lock = match self.lock_path() {
            Some(path) => match lock(&path, holder) {
                Ok(Ok(lock)) => Some(lock),
                Ok(Err(holder)) => return Ok(Answer::Theirs { holder }),
                Err(error) => {
                    let message = format!("`{}` cannot be locked: {error}", path.display());
                    return Err(StoreError::new(StoreFault::Away, message));
                }
            },
            None => None,
        };
        let writer = self.writer();
        let taken = writer.connection.query_row(
            "INSERT INTO lead (name, holder, fence) VALUES (?1, ?2, 1)
             ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = fence + 1 RETURNING fence",
            params![ACCOUNT, holder],
            |row| row.get(0),
        );
        let fence = taken.map_err(|error| told(&self.name(), &error))?;
        *lead = Standing::Held(Lead { _lock: lock, fence });
        Ok(Answer::Ours {
            fence: fence.cast_unsigned(),
        })
    }

    /// Says whether the lead is still this process's.
    pub(in crate::store) fn keep_lead(&self, holder: &str) -> Result<Answer, StoreError> {
        let fence = match &*self.lead() {
            Standing::Unasked => None,
            Standing::Held(lead) => Some(lead.fence),
            // A number that no lead has.
            Standing::Lost => Some(0),
        };
        let Some(fence) = fence else {
            return self.take_lead(holder);
        };
        let latest = self.reading(|connection| {
            let latest = "SELECT holder, fence FROM lead WHERE name = ?1";
            connection.query_row(latest, [ACCOUNT], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?)))
        });
        let (holder, latest) = latest?;
        if latest == fence {
            return Ok(Answer::Ours {
                fence: fence.cast_unsigned(),
            });
        }
        self.lead().lose();
        Ok(Answer::Theirs { holder })
    }

    /// Gives the lead up.
    #[expect(
        clippy::unnecessary_wraps,
        reason = "the same as where a database must be asked"
    )]
    pub(in crate::store) fn give_up_lead(&self) -> Result<(), StoreError> {
        *self.lead() = Standing::Unasked;
        Ok(())
    }

    /// Notes that someone else has written under a later number, and says so.
    pub(super) fn lost_lead(&self) -> StoreError {
        self.lead().lose();
        let message = format!("another process has taken the lead of {}", self.name());
        StoreError::new(StoreFault::NotLeading, message)
    }

    fn lock_path(&self) -> Option<PathBuf> {
        self.path.as_deref().map(beside)
    }
}

/// Keeps others from steering by a file until what is returned goes.
pub(in crate::store) fn keep_others_out(path: &Path, holder: &str) -> Result<File, StoreError> {
    let lead = beside(path);
    match lock(&lead, holder) {
        Ok(Ok(lock)) => Ok(lock),
        Ok(Err(holder)) => Err(StoreError::new(
            StoreFault::NotLeading,
            format!(
                "the ledger `{}` is steered by {holder}; stop that first, and start it again afterwards",
                path.display()
            ),
        )),
        Err(error) => Err(StoreError::new(
            StoreFault::Away,
            format!("`{}` cannot be locked: {error}", lead.display()),
        )),
    }
}

/// Returns the file that is locked: it stands beside the ledger, because SQLite locks the ledger itself in its own way.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lead");
    name.into()
}

/// Locks a file and writes down who did; gives back who has it when that is someone else.
fn lock(path: &PathBuf, holder: &str) -> std::io::Result<Result<File, String>> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match file.try_lock() {
        Ok(()) => {
            file.set_len(0)?;
            file.write_all(holder.as_bytes())?;
            Ok(Ok(file))
        }
        Err(TryLockError::WouldBlock) => {
            let mut other = String::new();
            file.rewind()?;
            // A name of a process is short; whatever else stands there is not read to its end.
            file.take(256).read_to_string(&mut other)?;
            Ok(Err(if other.is_empty() {
                "another process".to_owned()
            } else {
                other
            }))
        }
        Err(TryLockError::Error(error)) => Err(error),
    }
}
