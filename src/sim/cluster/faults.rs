//! What goes wrong in a simulated pool beside evictions, and what is left of a task that loses its node.

use super::SetupError;
use crate::base::{Mix, Nodes, Span};
use crate::market::Checkpoint;

/// What goes wrong with nodes by themselves. A node that is broken is billed and of no use until it is removed or mended.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct NodeFaults {
    /// The chance, 0 to 1, that a node's start task fails.
    pub start_fails: f64,
    /// The chance, 0 to 1, that a node boots for ever.
    pub boot_sticks: f64,
    /// How often a node that is ready breaks in an hour; its tasks go back to the queue.
    pub breaks_hourly: f64,
    /// After how long a node that failed, stuck or broke is booted again; never without.
    pub mended_after: Option<Span>,
}

/// What goes wrong with samples.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SampleFaults {
    /// The chance, 0 to 1, that one never arrives.
    pub missing: f64,
    /// The chance, 0 to 1, that one arrives late.
    pub late: f64,
    /// How late it may be; any time up to that is equally likely.
    pub late_by: Span,
}

/// The cores that an account may have (Batch Account - Get, REST API: `dedicatedCoreQuota`,
/// `dedicatedCoreQuotaPerVMFamily`, `lowPriorityCoreQuota`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CoreQuota {
    /// The cores of one node, at least 1.
    pub per_node: u32,
    /// Dedicated cores of all families.
    pub dedicated: u32,
    /// Dedicated cores of the pool's family of machines, where that is limited too.
    pub family: Option<u32>,
    /// Spot cores of all families.
    pub spot: u32,
}

impl CoreQuota {
    /// Returns the whole nodes that the cores suffice for.
    pub fn nodes(&self) -> Mix {
        let whole = |cores: u32| Nodes(cores / self.per_node.max(1));
        Mix {
            dedicated: whole(self.dedicated.min(self.family.unwrap_or(u32::MAX))),
            spot: whole(self.spot),
        }
    }

    /// Says whether the family runs out of dedicated cores before the account does.
    pub fn is_family_tighter(&self) -> bool {
        self.family.is_some_and(|family| family < self.dedicated)
    }
}

/// A day: whatever is mended, late or saved later than that is as good as lost.
const LONGEST: Span = Span::days(1);

/// Says what of it cannot be simulated.
pub(super) fn check(
    nodes: &NodeFaults,
    samples: &SampleFaults,
    cores: Option<&CoreQuota>,
    checkpoint: Option<&Checkpoint>,
) -> Result<(), SetupError> {
    let wrong = |message: &str| {
        Err(SetupError {
            message: message.to_owned(),
        })
    };
    let chance = |chance: f64| (0.0..=1.0).contains(&chance);
    let span = |span: Span| (Span::ZERO..=LONGEST).contains(&span);
    let chances = [
        nodes.start_fails,
        nodes.boot_sticks,
        samples.missing,
        samples.late,
    ];
    if !chances.into_iter().all(chance) {
        return wrong("the chances of faults must lie between 0 and 1");
    }
    if !(0.0..=3600.0).contains(&nodes.breaks_hourly) {
        return wrong("a node must break between 0 and 3600 times in an hour");
    }
    // A node that fails at once and is mended at once would never let time pass.
    if nodes
        .mended_after
        .is_some_and(|after| !span(after) || after < Span::seconds(1))
        || !span(samples.late_by)
    {
        return wrong("nodes are mended after 1s to 1d, and samples late by up to 1d");
    }
    if cores.is_some_and(|cores| cores.per_node == 0) {
        return wrong("a node cannot have 0 cores; give 1 or more");
    }
    if let Some(Checkpoint { every, cost, restart }) = checkpoint
        && !(span(*cost) && span(*restart) && (Span::seconds(1)..=LONGEST).contains(every))
    {
        return wrong("tasks save their work every 1s to 1d, and saving and loading take up to 1d");
    }
    Ok(())
}
