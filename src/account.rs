//! The account as it stands: pools, their nodes and tasks, and the orders that change them.
//!
//! Names follow the Batch REST API (Pool, `allocationState`, `nodeDeallocationOption`); "spot" stands for low-priority.

mod option;

pub use option::NodeDeallocationOption;
