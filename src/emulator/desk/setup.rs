//! What the account is like: its quotas, how long things take, and what goes wrong by itself.

use std::collections::BTreeMap;

use crate::account::{PoolId, PoolPattern};
use crate::base::{Span, Timestamp};
use crate::sim::workload::Task;
use crate::sim::{SpotMarket, Times};

/// Everything that a local account is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The time in the account when it is opened, in whole milliseconds.
    pub start: Timestamp,
    /// The seed of all chance.
    pub seed: u64,
    /// Names and quotas.
    pub account: Account,
    /// How long things take.
    pub timing: Timing,
    /// Where spot machines come from and how they are lost.
    pub spot: SpotMarket,
    /// How long a task runs whose command line and settings do not say it.
    pub run_time: Times,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// Tasks that are submitted one after the other, in order of time.
    pub workload: Option<Submission>,
    /// Resizes that somebody else orders, in order of time.
    pub foreign: Vec<ForeignResize>,
    /// Whether tasks run their real command on this machine instead of taking a while; see `--run-commands`.
    pub run_commands: bool,
}

/// Names and quotas of a Batch account (Batch Account - Get, REST API).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// `dedicatedCoreQuota`: cores of dedicated nodes in all pools.
    pub dedicated_cores: u32,
    /// `lowPriorityCoreQuota`: cores of spot nodes in all pools.
    pub spot_cores: u32,
    /// `dedicatedCoreQuotaPerVMFamily`: cores of dedicated nodes by family; families without a line are free.
    pub family_cores: BTreeMap<String, u32>,
    /// `poolQuota`.
    pub pools_max: u32,
    /// `activeJobAndJobScheduleQuota`.
    pub jobs_max: u32,
    /// Whether `poolAllocationMode` is `UserSubscription`: spot cores are then a quota of the subscription, with its own code.
    pub is_user_subscription: bool,
    /// Whether `allowedAuthenticationModes` has no `SharedKey`.
    pub tokens_only: bool,
}

/// A time that differs from case to case: any between the two, equally likely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The least.
    pub least: Span,
    /// The most.
    pub most: Span,
}

/// How long things take. Batch publishes no figures; boot and allocation are those of the simulator.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// From a resize to the machines that it grants.
    pub allocation: Spread,
    /// A new machine, before it boots.
    pub creating: Spread,
    /// The boot.
    pub starting: Spread,
    /// The start task, for pools that have one.
    pub start_task: Spread,
    /// A node that leaves.
    pub leaving: Spread,
    /// From stop-resize to a steady pool; 50 s in a recording.
    pub stopping: Spread,
    /// A job that is terminated, deleted or disabled.
    pub job: Spread,
    /// The chance, 0 to 1, that a start task fails.
    pub start_task_fails: f64,
    /// The chance, 0 to 1, that a machine sticks while it boots, and is unusable.
    pub boot_sticks: f64,
    /// How often a machine that is ready breaks in an hour.
    pub breaks_hourly: f64,
    /// How often a spot machine is taken away by itself in an hour, beside what the market takes.
    pub evictions_hourly: f64,
    /// How long the service waits before it asks again for spot machines.
    pub retry: Span,
    /// For how long after it was taken away the service tries to replace a spot machine; for ever without.
    pub restored_within: Option<Span>,
}

/// Something that goes wrong for a while.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    /// From when on.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// In which pools.
    pub pools: PoolPattern,
    /// What.
    pub kind: TroubleKind,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TroubleKind {
    /// Machines take so many times as long to be granted.
    SlowAllocation(f64),
    /// No machine is granted: resizes time out.
    NoCapacity,
    /// Resizes never end, not even when their time is over; only a stop ends them.
    StuckResize,
    /// Start tasks fail with this chance, 0 to 1.
    StartTasksFail(f64),
    /// Machines stick while they boot with this chance, 0 to 1.
    NodesUnusable(f64),
}

/// Tasks that come by themselves.
#[derive(Clone, Debug, PartialEq)]
pub struct Submission {
    /// The job that they are added to.
    pub job: String,
    /// The tasks, in order of submission.
    pub tasks: Vec<Task>,
}

/// A resize that somebody else orders.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignResize {
    /// When.
    pub at: Timestamp,
    /// Which pool.
    pub pool: PoolId,
    /// Dedicated nodes; as they are without.
    pub dedicated: Option<u32>,
    /// Spot nodes; as they are without.
    pub spot: Option<u32>,
}

impl Spread {
    /// Returns a time that is always the same.
    pub const fn fixed(span: Span) -> Self {
        Self {
            least: span,
            most: span,
        }
    }
}

/// The account that is opened without a scenario; its names and key are for development and known to everybody.
impl Default for Account {
    fn default() -> Self {
        Self {
            name: "lowtide".to_owned(),
            dedicated_cores: 900,
            spot_cores: 900,
            family_cores: BTreeMap::new(),
            // Quotas and limits of the Batch service: 100 pools by default, 500 at most; 300 active jobs, 1,000 at most.
            pools_max: 100,
            jobs_max: 300,
            is_user_subscription: false,
            tokens_only: false,
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        let seconds = |seconds| Spread::fixed(Span::seconds(seconds));
        Self {
            allocation: seconds(60),
            creating: seconds(30),
            starting: seconds(120),
            start_task: seconds(30),
            leaving: seconds(60),
            stopping: seconds(50),
            job: seconds(5),
            start_task_fails: 0.0,
            boot_sticks: 0.0,
            breaks_hourly: 0.0,
            evictions_hourly: 0.0,
            retry: Span::minutes(1),
            // "Azure attempts to restore an evicted VM within 48 hours" (Spot VMs with Batch, read 2026).
            restored_within: Some(Span::hours(48)),
        }
    }
}

impl Setup {
    /// Returns the account that is opened without a scenario: spot machines can always be had, tasks run for a minute.
    pub fn at(start: Timestamp) -> Self {
        Self {
            start: start.whole_milliseconds(),
            seed: 0,
            account: Account::default(),
            timing: Timing::default(),
            spot: SpotMarket::Unlimited,
            run_time: Times::Fixed(Span::minutes(1)),
            troubles: Vec::new(),
            workload: None,
            foreign: Vec::new(),
            run_commands: false,
        }
    }

    /// Returns what is wrong with a pool at a moment.
    pub(super) fn troubles_of<'a>(
        &'a self,
        pool: &'a PoolId,
        now: Timestamp,
    ) -> impl Iterator<Item = TroubleKind> + 'a {
        self.troubles
            .iter()
            .filter(move |trouble| trouble.from <= now && now < trouble.until && trouble.pools.matches(pool))
            .map(|trouble| trouble.kind)
    }
}
