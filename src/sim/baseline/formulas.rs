//! The documented autoscale formulas, run by the formula engine on the sampled metrics.
//!
//! Source: "Create a formula to automatically scale compute nodes in a Batch pool", learn.microsoft.com, sections "Pending
//! tasks" and "Preempted nodes" (read November 2026).

use std::fmt::Write as _;

use super::Text;
use super::pilot::{Sight, Wish};
use crate::base::{Lane, Span};
use crate::formula::documented::PENDING_TASKS;
use crate::formula::{Evaluator, Formula, Inputs, PoolFacts, Scope};
use crate::signal::Metric;
use crate::sim::cluster::Setup;

/// The documented formula for preempted nodes, as printed.
const PREEMPTED: &str = "\
maxNumberofVMs = 25;
$TargetDedicatedNodes = min(maxNumberofVMs, $PreemptedNodeCount.GetSample(180 * TimeInterval_Second));
$TargetLowPriorityNodes = min(maxNumberofVMs , maxNumberofVMs - $TargetDedicatedNodes);
$NodeDeallocationOption = taskcompletion;
";

/// A formula with what its runs remember.
#[derive(Debug)]
pub(super) struct FormulaRule {
    evaluator: Evaluator,
}

impl FormulaRule {
    /// The shortest interval that the service takes; its default is three times as long.
    pub(super) const INTERVAL: Span = Span::minutes(5);

    /// The metrics that the formulas read.
    pub(super) const METRICS: [Metric; 4] = [
        Metric::PendingTasks,
        Metric::PreemptedNodeCount,
        Metric::CurrentLowPriorityNodes,
        Metric::TaskSlotsPerNode,
    ];

    /// Returns the formula for pending tasks, for nodes of one lane.
    pub(super) fn pending(lane: Lane, text: Text, setup: &Setup) -> Self {
        // "This formula scales dedicated nodes, but can be modified to apply to scale Spot nodes as well."
        let variable = target(lane);
        match text {
            Text::Verbatim => Self::new(&PENDING_TASKS.replace(target(Lane::Dedicated), variable)),
            Text::ForSlots => {
                let most = setup.quota.get(lane);
                Self::sized(&format!(
                    "maxNumberofVMs = {most};\n{variable} = min(maxNumberofVMs, nodes);\n"
                ))
            }
        }
    }

    /// Returns the formula for preempted nodes as printed.
    pub(super) fn preempted_verbatim() -> Self {
        Self::new(PREEMPTED)
    }

    /// Returns what the page says of that formula, "every time a Spot node is preempted, it's replaced with a dedicated
    /// node", for as many nodes as pending tasks need.
    ///
    /// Two things differ from the printed text. The spot target stays, so that preempted nodes come back; the text takes them
    /// away as soon as it has seen them, and its dedicated nodes with them. And a spot node that was ordered and never came
    /// is missing like one that went: in an outage the printed text would wait for it, however long.
    pub(super) fn preempted(setup: &Setup) -> Self {
        let (dedicated, spot) = (setup.quota.dedicated, setup.quota.spot);
        Self::sized(&format!(
            "span = 180 * TimeInterval_Second;\n\
             held = max($CurrentLowPriorityNodes.GetSample(span) - $PreemptedNodeCount.GetSample(span));\n\
             missing = max(0, $TargetLowPriorityNodes - held);\n\
             $TargetDedicatedNodes = min(nodes, missing, {dedicated});\n\
             $TargetLowPriorityNodes = min({spot}, nodes);\n"
        ))
    }

    /// Returns nodes for pending tasks of which a share is spot; the halves are rounded up, or a last task would find no node.
    pub(super) fn share(share: f64, setup: &Setup) -> Self {
        let (dedicated, spot) = (setup.quota.dedicated, setup.quota.spot);
        let rest = 1.0 - share;
        Self::sized(&format!(
            "$TargetDedicatedNodes = min({dedicated}, ceil(nodes * {rest}));\n\
             $TargetLowPriorityNodes = min({spot}, nodes - min(nodes, $TargetDedicatedNodes));\n"
        ))
    }

    /// Returns the documented demand, in nodes of several slots and in whole nodes, and statements that set targets by it.
    fn sized(targets: &str) -> Self {
        let mut source = String::new();
        let demand = PENDING_TASKS
            .lines()
            .filter(|line| !line.starts_with("max") && !line.starts_with('$'));
        for line in demand {
            // Writing to a string cannot fail.
            let _ = writeln!(source, "{line}");
        }
        source += "nodes = ceil(pendingTaskSamples / $TaskSlotsPerNode);\n";
        source += targets;
        source += "$NodeDeallocationOption = taskcompletion;\n";
        Self::new(&source)
    }

    fn new(source: &str) -> Self {
        let formula =
            Formula::compile(source, &Scope::default()).expect("the formula of a baseline is whole");
        Self {
            evaluator: formula.evaluator(),
        }
    }

    /// Evaluates once; a fault leaves the pool as it is, as the service does.
    pub(super) fn look(&mut self, sight: &Sight<'_>) -> Option<Wish> {
        let pool = sight.pool;
        let now = sight.now;
        let inputs = Inputs {
            now,
            pool: PoolFacts::from(pool),
            history: sight.history,
            seed: now.ticks().cast_unsigned(),
        };
        let outcome = self.evaluator.run(&inputs).ok()?;
        Some(Wish {
            target: outcome.target,
            option: outcome.option,
        })
    }
}

const fn target(lane: Lane) -> &'static str {
    match lane {
        Lane::Dedicated => "$TargetDedicatedNodes",
        Lane::Spot => "$TargetLowPriorityNodes",
    }
}
