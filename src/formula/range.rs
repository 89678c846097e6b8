//! What can be proven about a formula without running it: the least and the most that both targets can become.
//!
//! The typed tree is evaluated on sets of values instead of values: numbers as intervals, vectors as an interval and a
//! length, times as distances from now. What the pool and its samples hold is a [`World`], itself a set; the widest one
//! gives the proven ranges, narrower ones answer questions such as "and from an empty pool?".

pub(super) mod calendar;
pub(super) mod facts;
pub(super) mod functions;
pub(super) mod interval;
mod operators;
mod refine;
#[cfg(test)]
mod soundness;
pub(super) mod targets;
pub(super) mod value;
pub(super) mod walk;
pub(super) mod world;

pub use targets::{Basis, TargetRange, TargetRanges, target_ranges};
pub(super) use world::World;
