//! What SQLite says, in our words: what is wrong, and the way out.

use rusqlite::{Error, ErrorCode};

use crate::store::{StoreError, StoreFault};

/// Returns what went wrong with a ledger that is called `name`.
pub(super) fn told(name: &str, error: &Error) -> StoreError {
    let fault = fault(error);
    let message = match fault {
        StoreFault::Busy => {
            format!("{name} is locked by another process, which has not let go in time ({error})")
        }
        StoreFault::Full => {
            format!(
                "there is no room for {name} ({error}); free some, and keep it small with keepFor or bytesMax"
            )
        }
        StoreFault::Damaged => format!(
            "{name} is damaged or no ledger ({error}); it is left as it is: stop who steers by it, `lowtide ledger rescue FILE` puts it aside and saves what can be read, start again"
        ),
        _ => format!("{name}: {error}"),
    };
    StoreError::new(fault, message)
}

fn fault(error: &Error) -> StoreFault {
    let Error::SqliteFailure(failure, _) = error else {
        return StoreFault::Other;
    };
    match failure.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreFault::Busy,
        ErrorCode::DiskFull => StoreFault::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreFault::Damaged,
        // Extended codes of a write that found no room: a limit on file sizes, or a quota, shows as a failed write.
        ErrorCode::SystemIoFailure => match failure.extended_code {
            rusqlite::ffi::SQLITE_IOERR_WRITE
            | rusqlite::ffi::SQLITE_IOERR_FSYNC
            | rusqlite::ffi::SQLITE_IOERR_SHMSIZE => StoreFault::Full,
            rusqlite::ffi::SQLITE_IOERR_CORRUPTFS => StoreFault::Damaged,
            _ => StoreFault::Away,
        },
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly => StoreFault::Away,
        _ => StoreFault::Other,
    }
}
