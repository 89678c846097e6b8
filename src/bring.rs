//! What runs elsewhere, brought here: pools with formulas of their own, and what other tools make such formulas from.
//!
//! Every importer makes [`Draft`]s: policies with the formula that runs today, bounds and interval found, and all that could not
//! be brought told by name. Nothing is made up: what is not known is left out and said.

mod codes;
mod draft;
mod length;
mod lenient;
mod log;
mod native;
mod pool;
mod replay;

pub use codes::CODES;
pub use draft::{Bound, Draft, Wanted};
pub use log::{LogEntry, LoggedRun, read_log};
pub use native::{draft, native};
pub use pool::NativePool;
pub use replay::{Replay, Replayed};
