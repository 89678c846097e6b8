//! The common worlds and what they read and write: recorded accounts, dry runs, replays and ledgers.

mod inputs;
mod record;
mod samples;

pub use inputs::{EvalInputs, InputsFile, SnapshotFile, SnapshotPool};
pub use record::PoolRecord;
pub use samples::{SampleRun, SampleRuns, SamplesRecord, Values};
