//! What the operator wants: which pools, how often, how demand is told, and within which bounds.
//!
//! The room is pure: the caller reads the policy file and hands in the formula files that it names.

mod account_wide;
mod bounds;
mod guard;
mod settings;

pub use settings::{Bounds, DemandFormula, MissingGuard, Mode, Policies, Policy, Prices, Range};
