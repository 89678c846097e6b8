//! Looks, judges, writes down, then acts: the one loop behind dry run, simulation, replay and production.
//!
//! ```text
//! wait_until ─► observe ─► decide ─► record ─► act ─► record the receipt ─┐
//!     ▲                                  └─ could not: no act             │
//!     └───────────────────────────────────────────────────────────────────┘
//! ```

mod decide;
mod entry;
mod observation;
mod priced;
mod run;
mod world;

pub use decide::{decide, plan};
pub use entry::{Entry, RecordError};
pub use observation::{Observation, ObserveError, PoolView, Question};
pub use priced::{Priced, Rival, priced};
pub use run::run;
pub use world::World;
