//! What one decision sees, what it remembers, and the chain of steps that it is.
//!
//! ```text
//! pool's target ─ propose ─► … ─ split? ─► … ─ allocate? ─► … ─ restrain ─► … ─ hold? ─► outcome   each arrow a step with its reason
//! ```
//!
//! A decision stores where it starts and its steps, and nothing that follows from them: the outcome is where the last
//! step ends, an order exists when that differs from the start, and a hold is a last step that goes back to the start.

mod account_share;
mod asked;
mod broken_nodes;
mod chain;
mod cost_split;
mod guard_memory;
mod guarded;
mod halted;
mod memory;
mod narrative;
mod ordered;
mod our_orders;
mod reason;
mod signal_memory;
mod signal_reason;
mod snapshot;
mod spot_memory;
mod told;

pub use account_share::{AccountShare, AccountUnseen, PaidFrom, SharedMonth, SizeUnknown};
pub use asked::{
    Aged, BacklogAsk, DeadlineCourse, ForecastAsk, QueueAsk, ScheduleAsk, TrackAsk, Unsampled, WayErrors,
};
pub use broken_nodes::{BrokenNodes, Replaced};
pub use chain::{Decision, Stage, Step};
pub use cost_split::{CostSplit, SpotOutage};
pub use guard_memory::{GuardMemory, MonthUse, RunTimes, SpotLoss, TargetChange};
pub use guarded::{
    Cooldown, Flapping, HourlyBudget, MonthlyBudget, QuotaLimit, ScheduleMost, SpotStorm, StepLimit,
};
pub use halted::Halted;
pub use memory::{Memory, PoolMemory};
pub use narrative::Verdict;
pub use ordered::{
    BreakerOpen, InShadow, LeaseDoes, LeaseElsewhere, LeaseStep, LeaseWaits, OthersWord, Replaces, Retakes,
    TakesOver,
};
pub use our_orders::{OthersChange, OurOrder, OurOrders};
pub use reason::{BoundName, Reason};
pub use signal_memory::{KnownValue, SignalMemory, SignalPast, SignalSight};
pub use signal_reason::{MissingRule, SignalMissing, SignalSeen, SignalState};
pub use snapshot::Snapshot;
pub use spot_memory::{SpotMemory, spot_there};
pub use told::Told;
