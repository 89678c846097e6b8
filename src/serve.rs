//! The sidecar that steers an account: the engine over a live account, with a ledger, health, metrics and a log.
//!
//! ```text
//!          policies folder ─► Folder ─┐            ┌─► Board ─► pages, events
//! config ─► Client ─► Live ─► Steered ┴► engine::run ─┼─► metrics
//!                               ▲                  └─► log
//!                               └── ledger first
//! ```

mod account;
mod board;
mod book;
pub mod config;
mod control;
mod folder;
mod halted;
mod health;
mod health_pages;
pub mod http;
mod lead;
mod log;
mod metrics;
mod process;
mod pulse;
mod renewed;
mod signals;
mod steer;
mod steered;
mod systemd;
mod traces;
mod watcher;

pub use account::AccountError;
pub use board::{Board, Event, PoolStanding, Settled, Standing, Totals};
pub use book::{Book, BookPlace, Keeps};
pub use control::{Asked, Control};
pub use folder::{FaultyText, Folder, Reading, Written};
pub use halted::HaltsOfStore;
pub use health::{
    FileFault, Health, Policies as PoliciesStanding, PolicyStanding, Readiness, Reason, Reload, Role, Status,
};
pub use health_pages::{HealthPage, router as health_pages};
pub use metrics::{BudgetMeasure, METRICS, Measures, MetricKind, MetricRow, Metrics};
pub use process::{Process, ProcessError};
pub use steer::{Ended, Steering};
pub use steered::{Brakes, Halts, NoHalts, Steered};
pub use traces::Collector;
