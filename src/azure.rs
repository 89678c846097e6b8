//! The Azure Batch REST client.
//!
//! Facts of the service that the code obeys come from its reference (learn.microsoft.com, Batch service REST API) and from
//! recorded answers; each is named where it matters.

pub mod shared_key;
