//! Looks, judges, writes down, then acts: the one loop behind dry run, simulation, replay and production.
//!
//! ```text
//! wait_until ─► observe ─► decide ─► record ─► act ─► record the receipt ─┐
//!     ▲                                  └─ could not: no act             │
//!     └───────────────────────────────────────────────────────────────────┘
//! ```

mod decide;
mod entry;
mod given_up;
mod mistake;
mod observation;
mod ordering;
mod priced;
mod propose;
mod run;
mod share;
mod world;

pub use decide::{decide, decide_sharing, plan};
pub use entry::{Entry, RecordError};
pub use observation::{AccountView, Observation, ObserveError, PoolView, Question, SignalAsk, Turn};
pub use priced::{Priced, Rival, priced};
pub use run::run;
pub use world::World;
