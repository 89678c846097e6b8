//! The simulator: job logs, a pool that boots nodes and runs tasks by discrete events, and the backtest of policies on it.
//!
//! ```text
//! job log ─ workload::read ─► Workload ─► Cluster ◄─ SimWorld: World ◄─ engine
//!                                            └─► bill, waits, hours ─► Report ─► table, plot, JSON
//! ```

pub mod cluster;
pub mod workload;
