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
pub mod config;
mod control;
mod folder;
mod health;
mod health_pages;
mod log;
mod metrics;
mod process;
mod signals;
mod steer;
mod steered;
mod watcher;

pub use account::AccountError;
pub use board::{Board, Event, PoolStanding, Settled, Standing, Totals};
pub use control::{Asked, Control};
pub use folder::{FaultyText, Folder, Reading};
pub use health::{
    FileFault, Health, Policies as PoliciesStanding, PolicyStanding, Readiness, Reason, Reload, Role, Status,
};
pub use health_pages::{HealthPage, router as health_pages};
pub use log::begin as begin_log;
pub use metrics::{METRICS, MetricKind, MetricRow, Metrics};
pub use process::{Process, ProcessError};
pub use steer::Steering;
pub use steered::Steered;
