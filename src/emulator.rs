//! A local Batch account over HTTP: the simulated pools behind the REST API of the service.
//!
//! `desk` is the account itself: synchronous, by events, without a clock.
//!
//! The outside knows requests and answers and nothing of pools: `listener` takes connections, `front` reads and checks
//! requests and writes answers down, `faults` breaks some, `odata` cuts lists, `arm` and `identity` stand in for the
//! other services that clients call before they come here.

pub mod answer;
pub mod arm;
pub mod asked;
pub mod authentication;
pub mod authority;
pub mod body;
pub mod faults;
pub mod front;
pub mod identity;
mod images;
pub mod link;
pub mod listener;
pub mod odata;
pub mod outside;
mod request_id;
pub mod token;

mod commands;
mod desk;
pub mod scenario;
mod service;
mod version;

pub use desk::{
    Account, Command, CommandEnd, Desk, ForeignResize, RunId, Setup, Spread, StateError, Submission, Timing,
    Trouble, TroubleKind,
};
pub use scenario::{CODES, Scenario};
pub use service::Service;
use version::etag;
