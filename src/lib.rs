//! Lowtide: an autoscale and cost-optimization engine for Azure-Batch-style node pools.
//!
//! The house is built in floors, and a room imports strictly downwards; see `ARCHITECTURE.md`.

pub mod base;
pub mod market;
pub mod signal;

pub mod account;

pub mod formula;
pub mod mix;
pub mod sizing;

pub mod decision;

pub mod policy;

pub mod engine;

pub mod world;

pub mod azure;
pub mod doors;
pub mod sim;
pub mod store;

pub mod bring;
pub mod doctor;
pub mod editor;
pub mod emulator;
pub mod page;
pub mod proof;
pub mod source;

pub mod serve;
pub mod swarm;

pub mod cli;
