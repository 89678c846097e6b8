//! Looks, judges, writes down, then acts: the one loop behind dry run, simulation, replay and production.
//!
//! ```text
//! wait_until ─► observe ─► decide ─► record ─► act ─► record the receipt ─┐
//!     ▲                                  └─ could not: no act             │
//!     └───────────────────────────────────────────────────────────────────┘
//! ```

mod entry;
mod observation;
mod world;

pub use entry::{Entry, RecordError};
pub use observation::{Observation, ObserveError, PoolView, Question};
pub use world::World;
