//! A local Batch account over HTTP: the simulated pools behind the REST API of the service.
//!
//! The outside (`asked`, `answer`, `odata`, `faults`) knows requests and answers and nothing of pools.

pub mod answer;
pub mod asked;
pub mod body;
pub mod faults;
pub mod odata;
