//! The account as it stands: pools, their nodes and tasks, and the orders that change them.
//!
//! Names follow the Batch REST API (Pool, `allocationState`, `nodeDeallocationOption`); "spot" stands for low-priority.

mod halt;
mod id;
mod job;
mod lease;
mod option;
mod order;
mod pattern;
mod pool;
mod quota;
mod vm_size;
mod work;
mod work_file;

pub use halt::{Halt, HaltScope};
pub use id::{Etag, PoolId, PoolIdError};
pub use job::{JobIndex, JobNames};
pub use lease::{Lease, LeaseOrder, OwnFormula};
pub use option::NodeDeallocationOption;
pub use order::{Order, Receipt, Refusal, RefusalKind, Removal, Replacement};
pub use pattern::{PoolPattern, matches_job};
pub use pool::{AllocationState, NodeCounts, PoolState, ResizeError};
pub use quota::{CoreQuotas, Holding};
pub use vm_size::{VmSize, same_family, vm_size};
pub use work::{FinishedTask, LostRuns, Node, NodeActivity, NodeEnd, RunningTask, WaitingTask, Work};
