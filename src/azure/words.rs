//! The service's words for states, read in either case; a word that is new to us is kept apart from all others.

use std::convert::Infallible;
use std::str::FromStr;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident: $($(#[$variant_doc:meta])* $variant:ident $word:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
            /// A word that is not known here, or none.
            #[default]
            Unknown,
        }

        /// Reads the word in lower case; there is none that it refuses.
        impl FromStr for $name {
            type Err = Infallible;
            fn from_str(word: &str) -> Result<Self, Infallible> {
                Ok(match word {
                    $($word => Self::$variant,)*
                    _ => Self::Unknown,
                })
            }
        }
    };
}

words! {
    /// Whether a pool is there to stay (`state` of Pool - Get).
    PoolStage:
    /// It is there.
    Active "active",
    /// It is about to go.
    Deleting "deleting",
}

words! {
    /// Whether a resize is under way (`allocationState` of Pool - Get).
    Allocation:
    /// None is.
    Steady "steady",
    /// One is.
    Resizing "resizing",
    /// One is being stopped.
    Stopping "stopping",
}

words! {
    /// What a node does (`state` of Compute Node - Get).
    NodeState:
    /// Its machine is being obtained.
    Creating "creating",
    /// It boots.
    Starting "starting",
    /// It runs its start task.
    WaitingForStartTask "waitingforstarttask",
    /// Its start task failed.
    StartTaskFailed "starttaskfailed",
    /// It is ready and has no task.
    Idle "idle",
    /// It has a task.
    Running "running",
    /// Its scheduling is disabled and it has no task.
    Offline "offline",
    /// It is broken.
    Unusable "unusable",
    /// It is leaving the pool.
    LeavingPool "leavingpool",
    /// The provider took its machine.
    Preempted "preempted",
    /// It boots again.
    Rebooting "rebooting",
    /// Its disk is made anew.
    Reimaging "reimaging",
    /// Its system is upgraded.
    UpgradingOs "upgradingos",
    /// Its machine is being given back, the node stays.
    Deallocating "deallocating",
    /// Its machine is given back, the node stays.
    Deallocated "deallocated",
}

words! {
    /// Whether a node takes tasks (`schedulingState` of Compute Node - Get).
    Scheduling:
    /// It does.
    Enabled "enabled",
    /// It does not.
    Disabled "disabled",
}

words! {
    /// Where a task is in its life (`state` of Task - Get).
    TaskState:
    /// It waits.
    Active "active",
    /// It has a node and its files are fetched.
    Preparing "preparing",
    /// It runs.
    Running "running",
    /// It is over.
    Completed "completed",
}

words! {
    /// How a task ended (`executionInfo.result` of Task - Get).
    TaskResult:
    /// Well.
    Success "success",
    /// Not well.
    Failure "failure",
}

impl NodeState {
    /// Says whether the node is on its way to be ready.
    pub const fn is_starting(self) -> bool {
        matches!(
            self,
            Self::Creating
                | Self::Starting
                | Self::WaitingForStartTask
                | Self::Rebooting
                | Self::Reimaging
                | Self::UpgradingOs
        )
    }

    /// Says whether the node can run tasks.
    pub const fn is_ready(self) -> bool {
        matches!(self, Self::Idle | Self::Running)
    }

    /// Says whether the node is on its way out.
    pub const fn is_leaving(self) -> bool {
        matches!(self, Self::LeavingPool | Self::Deallocating | Self::Deallocated)
    }
}
