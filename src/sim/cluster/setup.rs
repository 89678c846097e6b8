//! What the simulated pool is like.

use super::faults::{self, CoreQuota, NodeFaults, SampleFaults};
use super::sampler::SAMPLE_DELAY;
use crate::account::NodeDeallocationOption;
use crate::base::{Mix, Nodes, Span};
use crate::market::Checkpoint;

/// What the simulated pool is like; everything that the log of tasks does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setup {
    /// How many slots a node has for tasks, 1 to [`Setup::SLOTS_MAX`].
    pub task_slots_per_node: u32,
    /// Which node a task is given.
    pub fill: Fill,
    /// How long the pool is resizing: machines take this to be granted (not billed yet) or to go (billed still).
    pub resize_time: Span,
    /// How long the service tries to have what an order asks for before the pool is steady without it.
    pub resize_timeout: Span,
    /// Whether an order is refused while a resize is under way, as the service does; otherwise every order retakes, and the pool
    /// is always said to be steady.
    pub refuses_while_resizing: bool,
    /// How long after a spot machine was lost, or can be had again, the service asks for it again.
    pub retry: Span,
    /// How long a machine takes from being granted to running tasks; billed.
    pub boot: Boot,
    /// How spot nodes are taken away.
    pub eviction: Eviction,
    /// For how long after an eviction the service tries to have another machine for the node; for ever without. Later the
    /// node is preempted until it is removed.
    pub restored_within: Option<Span>,
    /// The nodes of each lane that the account may have; what is asked beyond that is not granted.
    pub quota: Mix,
    /// The cores that the account may have, where they are counted.
    pub cores: Option<CoreQuota>,
    /// What goes wrong with nodes by themselves.
    pub faults: NodeFaults,
    /// How long a sample takes to become visible.
    pub sample_delay: Span,
    /// What goes wrong with samples.
    pub samples: SampleFaults,
    /// How tasks save their work; without, a task that loses its node starts anew.
    pub checkpoint: Option<Checkpoint>,
    /// The nodes at the start, which are ready at once.
    pub initial: Mix,
    /// The pool's node deallocation option at the start.
    pub option: NodeDeallocationOption,
    /// For how long the pool has been sampled, without tasks, when the engine first looks.
    ///
    /// Zero shows how a policy fares with a pool that was made a moment ago.
    pub sampled_before: Span,
}

impl Setup {
    /// Pool - Add, REST API: `taskSlotsPerNode` is at most four times the cores and never above 256.
    pub const SLOTS_MAX: u32 = 256;

    /// 20,000 nodes of a lane: twenty times the largest pool that the service's guides speak of, and still quick.
    pub const NODES_MAX: Nodes = Nodes(20_000);

    /// Returns a pool by the rules of the study that the cost targets are taken from: machines are granted and go at once,
    /// boot for four minutes, billed, and neither spot that cannot be had nor nodes that finish their tasks keep the pool from
    /// taking an order; at most 600 nodes of a lane.
    pub fn study() -> Self {
        Self {
            resize_time: Span::ZERO,
            resize_timeout: Span::ZERO,
            refuses_while_resizing: false,
            retry: Span::ZERO,
            restored_within: None,
            boot: Boot::Fixed(Span::minutes(4)),
            quota: Mix::new(600, 600),
            ..Self::default()
        }
    }

    /// Returns the setup, or says what cannot be simulated.
    pub fn checked(self) -> Result<Self, SetupError> {
        let wrong = |message: String| Err(SetupError { message });
        let longest = Span::days(1);
        let span = |span: Span| (Span::ZERO..=longest).contains(&span);
        let (least, most) = self.boot.range();
        if !(1..=Self::SLOTS_MAX).contains(&self.task_slots_per_node) {
            return wrong(format!(
                "a node cannot have {} task slots; give 1 to {}",
                self.task_slots_per_node,
                Self::SLOTS_MAX
            ));
        }
        if !span(self.resize_time) || !span(least) || !span(most) || most < least {
            return wrong(
                "a node's resize and boot times must lie between 0s and 1d, the least first".to_owned(),
            );
        }
        if !span(self.sample_delay) {
            return wrong("a sample is visible after 0s to 1d".to_owned());
        }
        if !span(self.resize_timeout) || !span(self.retry) {
            return wrong("a resize times out, and spot is tried again, after 0s to 1d".to_owned());
        }
        if let Eviction::Constant {
            per_node_hour,
            back_after,
        } = self.eviction
            && !((0.0..=3600.0).contains(&per_node_hour) && span(back_after))
        {
            return wrong(
                "spot evictions must lie between 0 and 3600 per node-hour, and evicted nodes come back after 0s to 1d"
                    .to_owned(),
            );
        }
        faults::check(
            &self.faults,
            &self.samples,
            self.cores.as_ref(),
            self.checkpoint.as_ref(),
        )?;
        if self.restored_within.is_some_and(|within| within < Span::ZERO) {
            return wrong("spot nodes cannot be restored within less than no time".to_owned());
        }
        if !span(self.sampled_before) {
            return wrong("a pool can have been sampled for at most a day before the start".to_owned());
        }
        if self.quota.dedicated > Self::NODES_MAX || self.quota.spot > Self::NODES_MAX {
            return wrong(format!(
                "at most {} nodes of a lane can be simulated",
                Self::NODES_MAX
            ));
        }
        let quota = self.quota_nodes();
        if self.initial.dedicated > quota.dedicated || self.initial.spot > quota.spot {
            return wrong(format!(
                "the pool cannot start with {}: the quota is {quota}",
                self.initial
            ));
        }
        Ok(self)
    }

    /// Returns the nodes of each lane that both quotas allow.
    pub fn quota_nodes(&self) -> Mix {
        let Some(cores) = self.cores else {
            return self.quota;
        };
        let nodes = cores.nodes();
        Mix {
            dedicated: self.quota.dedicated.min(nodes.dedicated),
            spot: self.quota.spot.min(nodes.spot),
        }
    }
}

/// An empty pool of one-slot nodes that are of use four minutes after they were ordered.
///
/// Batch publishes no figures; four minutes (one to be granted, three to boot and run the start task) is what users of
/// Linux marketplace images report.
impl Default for Setup {
    fn default() -> Self {
        Self {
            task_slots_per_node: 1,
            fill: Fill::Spread,
            resize_time: Span::minutes(1),
            // Pool - Resize, REST API: `resizeTimeout` is 15 minutes by default.
            resize_timeout: Span::minutes(15),
            refuses_while_resizing: true,
            retry: Span::minutes(1),
            boot: Boot::Fixed(Span::minutes(3)),
            eviction: Eviction::Never,
            // "Azure attempts to restore an evicted VM within 48 hours" (Spot VMs with Batch, read 2026).
            restored_within: Some(Span::hours(48)),
            quota: Mix {
                dedicated: Self::NODES_MAX,
                spot: Self::NODES_MAX,
            },
            cores: None,
            faults: NodeFaults::default(),
            sample_delay: SAMPLE_DELAY,
            samples: SampleFaults::default(),
            checkpoint: None,
            initial: Mix::ZERO,
            option: NodeDeallocationOption::Requeue,
            // An engine is given a pool that is there; most formulas look back 15 minutes at the most.
            sampled_before: Span::minutes(15),
        }
    }
}

/// Which of the nodes with room a task is given (`nodeFillType` of Pool - Add).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fill {
    /// The node with the most free slots: the service's default.
    #[default]
    Spread,
    /// The node with the fewest free slots that suffice.
    Pack,
}

/// How long a machine boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boot {
    /// Always the same time.
    Fixed(Span),
    /// Any time between the two, equally likely.
    Uniform {
        /// The shortest.
        least: Span,
        /// The longest.
        most: Span,
    },
}

impl Boot {
    /// Returns the shortest and the longest time.
    pub const fn range(self) -> (Span, Span) {
        match self {
            Self::Fixed(span) => (span, span),
            Self::Uniform { least, most } => (least, most),
        }
    }
}

/// How spot nodes are taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Eviction {
    /// They are not.
    #[default]
    Never,
    /// Each node on its own, with the same chance at any age, beside what the supply takes. Real evictions come in shocks
    /// that hit many nodes at once, so this alone is too kind to spot-heavy mixes.
    Constant {
        /// Evictions of a node in an hour.
        per_node_hour: f64,
        /// How long an evicted node is away before it boots again; longer when no spot machine can be had then.
        back_after: Span,
    },
}

/// Says what cannot be simulated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SetupError {
    /// What is wrong, with a way out.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_that_cannot_be_is_refused_with_a_way_out() {
        let setup = Setup::default();
        assert!(setup.checked().is_ok());
        for (wrong, expected) in [
            (
                Setup {
                    task_slots_per_node: 0,
                    ..setup
                },
                "give 1 to 256",
            ),
            (
                Setup {
                    boot: Boot::Fixed(Span::days(2)),
                    ..setup
                },
                "between 0s and 1d",
            ),
            (
                Setup {
                    initial: Mix::new(20_001, 0),
                    ..setup
                },
                "the quota is",
            ),
            (
                Setup {
                    eviction: Eviction::Constant {
                        per_node_hour: f64::NAN,
                        back_after: Span::hours(1),
                    },
                    ..setup
                },
                "between 0 and 3600",
            ),
        ] {
            let error = wrong.checked().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
