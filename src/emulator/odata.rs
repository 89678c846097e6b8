//! Lists as the service gives them: what may be filtered and selected, how they are cut into pages.

mod filter;
mod kinds;
mod list;
mod select;

pub use filter::{Filter, Kind, Operators, Property};
pub use kinds::{IMAGES, JOBS, NODE_COUNTS, NODES, POOLS, TASKS, USAGE};
pub use list::{List, ListKind};
pub use select::Select;
