//! The swarm: the real engine and the real client against the real emulator, through weeks of random worlds, in no time.
//!
//! ```text
//!  engine::run ─► Watched ─► azure::Live ─► azure::Client ─► Courier ─► emulator front ─► desk
//!     ▲              │                                          │                           ▲
//!     │              └─ ledger: fails, is killed, recalled      └─ faults of every call     │
//!     └──────────── clocks that leap, and are set wrong ────────────────── people who change things
//! ```
//!
//! One thread, no socket, no clock of the machine: a seed is a world, and the same seed is the same world to the byte. After
//! every step what can be seen from outside is held against the laws of the house ([`Law`]); a world that breaks one is a
//! [`Found`], which names the seed and shrinks to a shorter world with fewer kinds of faults.

mod account;
mod bill;
mod conduct;
mod courier;
mod crowd;
mod dice;
mod docket;
mod faults;
mod found;
mod laws;
mod lives;
mod plan;
mod plant;
mod pools;
mod pools_open;
mod recall;
mod rest;
mod run;
mod scene;
mod steered;
mod tally;
mod told;
mod veil;
mod watched;
mod weather;
mod wishes;

pub use docket::Trace;
pub use faults::FaultKind;
pub use found::{Found, Law};
pub use plan::{Ground, Plan, Without};
pub use run::{run, run_again, shrink};
pub use tally::Tally;
