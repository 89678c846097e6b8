//! The sources of signals outside of the account: storage queues, Prometheus, Azure DevOps, GitHub, files and commands.
//!
//! Each file asks one kind of source and knows nothing of the others. A source that fails hides its own signals; secrets come out
//! of files and variables and are shown nowhere.

mod asking;
mod azure_dev_ops;
mod codes;
mod command;
mod exported;
mod git_hub;
mod named;
mod number;
mod number_file;
mod past;
mod prometheus;
mod secret;
mod sources_file;
mod storage_key;
mod storage_queue;
mod web;

pub use asking::{Environment, SourceError, Sources};
pub use codes::CODES;
pub use exported::{Exported, PastPoint};
pub use named::NamedSources;
pub use sources_file::{
    CommandFile, DevOpsFile, FilesFile, GitHubFile, PassFile, PrometheusFile, SecretFile, SourcesFile,
    StorageFile,
};
