//! The simulator: job logs, a pool that boots nodes and runs tasks by discrete events, and the backtest of policies on it.
//!
//! ```text
//! job log ─ workload::read ─► Workload ─► Cluster ◄─ SimWorld: World ◄─ engine
//!                                            └─► bill, waits, hours ─► Report ─► table, plot, JSON
//! ```

pub mod baseline;
pub mod cluster;
pub mod sweep;
pub mod workload;

mod backtest;
pub mod bound;
pub mod compare;
mod condition;
mod contender;
mod delay;
pub mod demo;
mod draw;
mod fold;
mod followed;
mod lateness;
mod plot;
mod prices;
mod report;
mod sim_world;
mod spot_lives;
mod spot_market;
mod spot_model;
mod supply;
mod table;

pub use backtest::{Options, backtest, backtest_one, end, follow, pool_for};
pub use condition::{Condition, ConditionError};
pub use contender::{Contender, NATIVE_INTERVAL};
pub use delay::{DelayLimit, Misses, Wait};
pub use draw::Times;
pub use fold::Fold;
pub use followed::{Follow, Followed, Largest, Turn, Turns, moved, wait_marks};
pub use lateness::Lateness;
pub use prices::PricePaths;
pub use report::{Cost, NodeHours, Report, Run, Tasks};
pub use sim_world::{Keep, OnProgress, PROGRESS_STEPS, SimWorld};
pub use spot_lives::{LifeTable, Lives};
pub use spot_market::{Recorded, SpotMarket};
pub use spot_model::{Daily, Regimes, SpotModel};
pub use supply::{Supply, SupplyTrace, UpRun};
pub use table::Cells;
