//! Reports as pages: one file with everything in it, to be opened from a disk, sent around and printed.
//!
//! ```text
//! backtest, sweep ─► backtest ───┐
//! compare ─────────► comparison ─┼─► Data ─► html: the look of the dashboard, its chart library, the data as JSON
//! ledger ──────────► ledger ─────┘
//! ```
//!
//! The same inputs make the same page, byte for byte: no clock is read, and nothing of it depends on how long something took.

mod backtest;
mod comparison;
mod data;
mod html;
mod ledger;
mod names;
mod wanted;

pub use backtest::{Asked, of_report, of_sweep};
pub use comparison::{Compared, of_comparison};
pub use data::{Cases, Data, Depth, Kind, Point, Sheet};
pub use html::html;
pub use ledger::{Courses, Looked, of_ledger};
pub use wanted::{FOLLOW, RUNS_MAX, ranked, wanted};
