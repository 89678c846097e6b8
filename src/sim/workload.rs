//! What a pool has to do: the tasks of a recorded log or of a generated one.

mod bounded;
mod ci_day;
mod codes;
mod collect;
mod fault;
mod number;
mod options;
mod read;
mod recipe;
mod swf;
mod table;
mod task;

pub use ci_day::{CiRecipe, generate};
pub use codes::CODES;
pub use collect::TASKS_MAX;
pub use fault::{FAULTS_MAX, Fault, NO_TASK, UNKNOWN_FORMAT, UNREADABLE, WRONG_LINE, WorkloadError};
pub use options::{JobShape, LeftOut, ReadOptions};
pub use read::read;
pub use recipe::{Arrivals, TaskRecipe};
pub use task::{Due, Task, Workload};
