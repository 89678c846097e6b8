//! The common worlds and what they read and write: recorded accounts, dry runs, replays and ledgers.

mod below;
mod codes;
mod dry_run;
mod glance;
mod inputs;
mod ledger;
mod line;
mod look;
mod memory_record;
mod policy_record;
mod reading;
mod reading_file;
mod record;
mod replay;
mod resume;
mod samples;
mod snapshot;
mod with_signals;

pub use below::{files_below, is_policy};
pub use codes::CODES;
pub use dry_run::{DryRun, Kept};
pub use glance::{Glance, glance};
pub use inputs::{EvalInputs, InputsFile};
pub use ledger::{JsonLines, Ledger, MemoryLedger};
pub use line::{Kind as EntryKind, line};
pub use look::look_of;
pub use memory_record::{MemoryRecord, PoolMemoryRecord, short as series_in_short};
pub use policy_record::{DemandRecord, FormulaRecord, PolicyRecord, policy_hash};
pub use reading_file::{LackWord, ReadingFile};
pub use record::PoolRecord;
pub use replay::{Difference, Parting, ReplayError, Replayed, replay};
pub use resume::{Remembered, remember};
pub use samples::{SampleRun, SampleRuns, SamplesRecord, Values};
pub use snapshot::{RecordedAccount, SharedFile, SnapshotFile, SnapshotPool, SnapshotPoolFile};
pub use with_signals::{MetricSource, Wanted, WantedPast, WithSignals};
