//! The Azure Batch REST client, and the live account as a world.
//!
//! Facts of the service that the code obeys come from its reference (learn.microsoft.com, Batch service REST API) and from
//! recorded answers; each is named where it matters.

mod acting;
mod cadence;
mod calls;
mod claims;
mod client;
mod clock;
mod credential;
mod fault;
mod identity;
mod jobs;
mod knock;
mod leaping;
mod lenient;
mod lists;
mod live;
mod look;
mod nodes;
mod pools;
mod rate;
mod retry;
mod roster;
mod sampling;
mod settings;
pub mod shared_key;
mod standing;
mod taskbook;
mod telling;
mod token_fault;
mod token_source;
mod tokens;
pub(crate) mod transport;
mod victims;
mod words;

pub use claims::Claims;
pub use client::{Client, Traffic};
pub use clock::{Clock, Stepped};
pub use credential::Credential;
pub use fault::Fault;
pub use identity::{Auth, CredentialError, Means, credential, tokens_for};
pub use jobs::{Counts, Execution, Job, NodeInfo, PoolInfo, ServiceTask, TaskCounts};
pub use knock::Knock;
pub use leaping::{Leaping, Sleep};
pub use lists::{Listed, Query, Unread};
pub use live::{Live, Runs, Stop};
pub use nodes::{PoolNodeCounts, REMOVED_AT_ONCE_MAX, ServiceNode, StateCounts};
pub use pools::{AutoScaleRun, Named, Pool, Resize, RunError, ServiceResizeError};
pub use settings::{ApiVersion, Endpoint, EndpointError, Limits, Settings};
pub use token_fault::TokenFault;
pub use token_source::{Application, Fetch, TokenSource};
pub use tokens::Tokens;
pub use transport::{Carried, Carrier, Reply, plain_http};
pub use words::{Allocation, NodeState, PoolStage, Scheduling, TaskResult, TaskState};
