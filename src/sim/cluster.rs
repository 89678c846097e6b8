//! A Batch pool as a discrete-event simulation: tasks come, wait, run and end; nodes are allocated, boot, drain and go.
//!
//! ```text
//! node:  (allocating) ─► starting ─► idle ◄─► running ─► draining ─► leaving ─► gone
//!                           ▲          └────────┴──────────────────────▲
//!                           └─ preempted ◄─ any of them, on spot
//! task:  submitted ─► waiting ─► running ─► succeeded
//!                        ▲──────────┤ its node is evicted, or removed with `requeue`
//!                                   └─► failed: its node is removed with `terminate`
//! ```
//!
//! Tasks wait first in, first out; the head of the queue is never overtaken, so that a task of many slots cannot starve. A
//! task that went back to the queue keeps its place. A task that needs more slots than a node has waits for ever and blocks
//! nobody, as in the service (Azure/Batch#117).

mod calendar;
mod fleet;
mod meter;
mod queue;
mod resize;
mod sampler;
mod setup;
mod simulator;

pub use meter::{Census, Meter, NodeState};
pub use sampler::{Hour, SAMPLE_DELAY};
pub use setup::{Boot, Eviction, Fill, Setup, SetupError};
pub use simulator::{Cluster, Tally};
