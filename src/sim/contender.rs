//! Who runs the pool in a backtest: a policy, or something to compare it with.

use super::baseline::Baseline;
use crate::base::{Mix, Nodes, Span};
use crate::policy::{
    Bounds, Budget, Mode, OrderRules, Policies, Policy, Prices, Quota, Range, ScaleIn, SteadyGuards,
    ThenReplace,
};
use crate::sim::workload::Workload;

/// Who runs the pool.
#[derive(Clone, Debug)]
pub enum Contender {
    /// The engine with a policy.
    Policy(Policy),
    /// The policy's first formula as the service itself would run it: at the service's interval, without bounds and guards.
    Native {
        /// The policy that has the formula and the prices.
        policy: Policy,
        /// How often the service evaluates: 5 minutes at the least, 15 unless told otherwise.
        interval: Span,
    },
    /// Nobody: so many nodes from start to end.
    Static {
        /// The nodes.
        mix: Mix,
        /// What they cost.
        prices: Prices,
    },
    /// Nobody: as many dedicated nodes from start to end as the workload ever needs at once.
    Peak {
        /// What they cost.
        prices: Prices,
    },
    /// An autoscaler of others, in the place of the engine.
    Baseline {
        /// Which.
        baseline: Baseline,
        /// What nodes cost.
        prices: Prices,
    },
}

/// Pool - Enable Auto Scale, REST API: the evaluation interval is 15 minutes by default.
pub const NATIVE_INTERVAL: Span = Span::minutes(15);

impl Contender {
    /// Returns the name for reports.
    pub fn name(&self) -> String {
        match self {
            Self::Policy(policy) => policy.name.to_string(),
            Self::Native { policy, interval } => {
                format!(
                    "{} native/{}m",
                    policy.name,
                    (interval.as_seconds() / 60.0).round()
                )
            }
            Self::Static { mix, .. } if mix.spot == Nodes::ZERO => format!("static {}", mix.dedicated),
            Self::Static { mix, .. } => format!("static {}+{}", mix.dedicated, mix.spot),
            Self::Peak { .. } => "always-on peak".to_owned(),
            Self::Baseline { baseline, .. } => baseline.to_string(),
        }
    }

    /// Returns what its nodes cost.
    pub const fn prices(&self) -> Prices {
        match self {
            Self::Policy(policy) | Self::Native { policy, .. } => policy.prices,
            Self::Static { prices, .. } | Self::Peak { prices } | Self::Baseline { prices, .. } => *prices,
        }
    }

    /// Returns the contender with other prices.
    #[must_use]
    pub fn at(&self, prices: Prices) -> Self {
        let mut other = self.clone();
        match &mut other {
            Self::Policy(policy) | Self::Native { policy, .. } => policy.prices = prices,
            Self::Static { prices: own, .. }
            | Self::Peak { prices: own }
            | Self::Baseline { prices: own, .. } => *own = prices,
        }
        other
    }

    /// Returns its policy, if it has one.
    pub const fn policy(&self) -> Option<&Policy> {
        match self {
            Self::Policy(policy) | Self::Native { policy, .. } => Some(policy),
            Self::Static { .. } | Self::Peak { .. } | Self::Baseline { .. } => None,
        }
    }

    /// Returns the nodes that it keeps from start to end; `None` when an engine decides.
    pub(super) fn fixed(&self, workload: &Workload, slots_per_node: u32) -> Option<Mix> {
        match self {
            Self::Policy(_) | Self::Native { .. } | Self::Baseline { .. } => None,
            Self::Static { mix, .. } => Some(*mix),
            Self::Peak { .. } => Some(Mix {
                dedicated: peak_nodes(workload, slots_per_node),
                spot: Nodes::ZERO,
            }),
        }
    }

    /// Returns the policies that its engine decides by; none without one.
    pub(super) fn policies(&self) -> Policies {
        Policies::from(match self {
            Self::Policy(policy) => vec![policy.clone()],
            Self::Native { policy, interval } => vec![native(policy, *interval)],
            Self::Static { .. } | Self::Peak { .. } | Self::Baseline { .. } => Vec::new(),
        })
    }
}

fn native(policy: &Policy, interval: Span) -> Policy {
    let mut native = policy.clone();
    native.interval = interval;
    native.mode = Mode::Full;
    native.demand.truncate(1);
    native.missing.minded = false;
    native.steady = SteadyGuards::default();
    native.deadlines.clear();
    native.scale_in = ScaleIn::default();
    // The service carries out no formula while a resize runs, and replaces no node.
    native.orders = OrderRules::default();
    native.orders.retake.after = Span::from_ticks(i64::MAX);
    native.orders.replace.then = ThenReplace::Leave;
    (native.quota, native.budget) = (Quota::default(), Budget::default());
    let any = Range {
        min: Nodes::ZERO,
        max: Nodes(u32::MAX),
    };
    native.bounds = Bounds {
        total: any,
        dedicated: any,
        spot: any,
    };
    native
}

/// Returns the nodes that would let no task wait if slots could move between nodes; tasks larger than a node do not count.
fn peak_nodes(workload: &Workload, slots_per_node: u32) -> Nodes {
    let fitting = workload.tasks.iter().filter(|task| task.slots <= slots_per_node);
    let mut changes: Vec<_> = fitting
        .flat_map(|task| {
            let slots = i64::from(task.slots);
            [(task.submit, slots), (task.submit + task.run, -slots)]
        })
        .collect();
    // At one moment ends come before starts, as they do in the pool.
    changes.sort_unstable();
    let busy = changes.iter().scan(0, |busy, (_, change)| {
        *busy += change;
        Some(*busy)
    });
    Nodes::ceil(busy.max().unwrap_or(0) as f64 / f64::from(slots_per_node))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::sim::workload::Task;

    #[test]
    fn the_peak_is_the_most_that_runs_at_once() {
        let task = |submit, run, slots| Task {
            submit: Timestamp::from_unix_seconds(submit),
            run: Span::seconds(run),
            slots,
            job: None,
            due: None,
        };
        // 3 slots until 10 s, then 2 + 4; a task of 9 slots fits on no node.
        let tasks = vec![task(0, 10, 3), task(5, 20, 2), task(10, 5, 4), task(11, 5, 9)];
        let workload = Workload::new("w", Timestamp::EPOCH, tasks);
        assert_eq!(peak_nodes(&workload, 4), Nodes(2));
        assert_eq!(peak_nodes(&workload, 8), Nodes(1));
    }
}
