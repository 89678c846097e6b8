//! The interface of the sidecar for programs: JSON over HTTP, described by its own types, behind a guard and limits.
//!
//! ```text
//! connection ─► Door ─► headers ─► panics ─► turns ─► guard ─► time ─► page ─► Board | Store | Control | Planner
//!               TLS                          at once   tokens
//! ```
//!
//! Reads tell what stands on the board and in the ledger. Writes ask the loop for something or keep a halt, and need a token or a
//! certificate. Nothing here orders nodes.

mod answers;
mod configured;
mod course;
mod decisions;
mod door;
mod elsewhere;
mod events;
mod extract;
mod front;
mod guard;
mod limits;
mod measured;
mod openapi;
mod overview;
mod page;
mod past;
mod planner;
mod pools;
mod problem;
mod routes;
mod savings;
mod series;
mod series_answer;
mod series_ledger;
mod settings;
mod site;
mod steering;
mod tallies;
mod tls;
mod tokens;
mod what_if;

pub use configured::ConfiguredError;
pub use door::{Door, DoorError};
pub use elsewhere::History;
pub use openapi::document;
pub use planner::{PlanError, PlanLook, Planner};
pub use problem::Problem;
pub use settings::{HttpSettings, TlsFiles};
pub use site::{Site, Stands};
pub use steering::allow;
pub use tls::TlsError;
pub use tokens::{Texts, TokenError, TokenSource, Tokens};
