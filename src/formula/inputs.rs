//! What a formula is evaluated on, and in which dialect it is understood.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::account::{NodeDeallocationOption, PoolState};
use crate::base::{Mix, Nodes, Timestamp};
use crate::signal::History;

/// How a formula is understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// As the service does, as far as recordings and users tell.
    #[default]
    Service,
    /// Only what is documented; everything else is an error.
    Strict,
    /// What people write, understood: a data set used as a number, `#` comments, a missing `;` at a line end.
    Lenient,
}

/// The settings that a formula is compiled with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scope {
    /// The dialect.
    pub dialect: Dialect,
    /// The samplePercent of a window call that gives none, 0 to 100.
    ///
    /// Not documented; batch-shipyard#138 quotes "wanted 70%" for a call without one.
    pub default_sample_percent: f64,
}

impl Default for Scope {
    fn default() -> Self {
        Self::new(Dialect::Service)
    }
}

impl Scope {
    /// Returns a dialect with its usual settings.
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            default_sample_percent: 70.0,
        }
    }
}

/// What a formula can read of its pool beside the samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFacts {
    /// The pool's current targets.
    pub target: Mix,
    /// The pool's current node deallocation option.
    pub option: NodeDeallocationOption,
    /// The nodes that are there now; spot includes the preempted ones.
    pub current: Mix,
    /// The nodes that can run tasks.
    pub usable: Nodes,
    /// The spot nodes that are preempted.
    pub preempted: Nodes,
    /// The task slots of one node.
    pub task_slots_per_node: u32,
}

impl From<&PoolState> for PoolFacts {
    fn from(pool: &PoolState) -> Self {
        Self {
            target: pool.target,
            option: pool.option,
            current: pool.current,
            usable: pool.nodes.usable,
            preempted: pool.nodes.preempted,
            task_slots_per_node: pool.task_slots_per_node,
        }
    }
}

impl Default for PoolFacts {
    fn default() -> Self {
        Self {
            target: Mix::ZERO,
            option: NodeDeallocationOption::Requeue,
            current: Mix::ZERO,
            usable: Nodes::ZERO,
            preempted: Nodes::ZERO,
            task_slots_per_node: 1,
        }
    }
}

/// All that one evaluation sees; the same inputs give the same outcome.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The instant of the run; every `time()` in it returns this.
    pub now: Timestamp,
    /// The pool.
    pub pool: PoolFacts,
    /// The samples.
    pub history: &'a History,
    /// The seed of `rand()`.
    pub seed: u64,
}
