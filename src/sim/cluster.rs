//! A Batch pool as a discrete-event simulation: tasks come, wait, run and end; nodes are allocated, boot, drain and go.
//!
//! ```text
//! node:  (allocating) ─► starting ─► idle ◄─► running ─► draining ─► leaving ─► gone
//!                           ▲          └────────┴──────────────────────▲
//!            ▲   └──────────── unusable ──────────────────┘  (it failed, stuck or broke; mended, or removed)
//!                           └─ preempted ◄─ any of them, on spot: by its own hazard, or with its unit of the supply
//! task:  submitted ─► waiting ─► running ─► succeeded
//!                        ▲──────────┤ its node is evicted, or removed with `requeue`
//!                                   └─► failed: its node is removed with `terminate`
//! ```
//!
//! Tasks wait first in, first out; the head of the queue is never overtaken, so that a task of many slots cannot starve. A
//! task that went back to the queue keeps its place, before every task submitted later. A task that needs more slots than a node has waits for ever and blocks
//! nobody, as in the service (Azure/Batch#117).

mod breakdown;
mod calendar;
mod diary;
mod elastic;
mod evict;
mod faults;
mod fleet;
mod keep;
mod meter;
mod outcome;
mod queue;
mod resize;
mod sampler;
mod setup;
mod simulator;
mod spot;

pub use elastic::Elasticity;
pub use faults::{CoreQuota, NodeFaults, SampleFaults};
pub use meter::{Census, Meter, NodeState};
pub use outcome::Delay;
pub use resize::Command;
pub use sampler::{Hour, SAMPLE_DELAY};
pub use setup::{Boot, Eviction, Fill, Setup, SetupError};
pub use simulator::{Cluster, Tally};
