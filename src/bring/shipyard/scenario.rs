//! The scenarios of batch-shipyard, each as a formula of our own.

use std::fmt::Write as _;

use super::Count;
use crate::base::Span;

/// A scenario with everything that it takes where nothing is given.
pub(super) struct Scenario {
    pub(super) name: String,
    /// The tasks that a node runs at the same time.
    pub(super) slots: u32,
    pub(super) least: Count,
    /// `u32::MAX` is no bound.
    pub(super) most: Count,
    /// The most nodes that come at a time; `u32::MAX` is no bound.
    pub(super) step: Count,
    pub(super) option: String,
    pub(super) bias: String,
    /// The share of samples that must be there, in percent.
    pub(super) wanted: u32,
    /// Whether the newest sample counts more than the others.
    pub(super) last: bool,
    pub(super) window: Span,
    /// The share of preempted nodes from which dedicated ones take their place, in percent.
    pub(super) rebalance: Option<u32>,
    /// First and last weekday, 0 is Sunday.
    pub(super) weekdays: [u32; 2],
    /// First and last hour of work.
    pub(super) hours: [u32; 2],
}

impl Scenario {
    pub(super) const NAMES: [&'static str; 6] = [
        "active_tasks",
        "pending_tasks",
        "workday",
        "workday_with_offpeak_max_low_priority",
        "weekday",
        "weekend",
    ];

    pub(super) const KEYS: &'static [&'static str] = &[
        "name",
        "maximum_vm_count",
        "maximum_vm_increment_per_evaluation",
        "node_deallocation_option",
        "sample_lookback_interval",
        "required_sample_percentage",
        "bias_last_sample",
        "bias_node_type",
        "rebalance_preemption_percentage",
        "time_ranges",
    ];

    pub(super) const WINDOW_USUAL: Span = Span::minutes(10);
}

/// batch-shipyard writes this where there is no bound.
const UNBOUND: u32 = 16_777_216;

/// Returns the formula of a scenario.
pub(super) fn formula(scenario: &Scenario) -> String {
    let mut text = String::new();
    let [least_dedicated, least_spot] = scenario.least;
    let [most_dedicated, most_spot] = scenario.most.map(|most| most.min(UNBOUND));
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "leastDedicated = {least_dedicated};\nleastSpot = {least_spot};\n\
         mostDedicated = {most_dedicated};\nmostSpot = {most_spot};"
    );
    if scenario.name.ends_with("_tasks") {
        tasks(scenario, &mut text);
    } else {
        days(scenario, &mut text);
    }
    let _ = writeln!(text, "$NodeDeallocationOption = {};", scenario.option);
    text
}

/// The tasks that wait (and run), smoothed, over the slots of a node, and split.
fn tasks(scenario: &Scenario, text: &mut String) {
    let metric = match scenario.name.as_str() {
        "active_tasks" => "$ActiveTasks",
        _ => "$PendingTasks",
    };
    let (wanted, slots) = (scenario.wanted, scenario.slots);
    let _ = writeln!(
        text,
        "window = TimeInterval_Second * {};",
        scenario.window.as_seconds()
    );
    if scenario.last {
        // What rises is followed at once, what falls half way.
        let _ = writeln!(
            text,
            "share = {metric}.GetSamplePercent(window);\nnewest = max(0, {metric}.GetSample(1));\n\
             mean = share < {wanted} ? newest : avg({metric}.GetSample(window));\n\
             tasks = newest < mean ? (newest + mean) / 2 : newest;\nnodes = tasks / {slots};"
        );
    } else {
        let _ = writeln!(
            text,
            "tasks = avg({metric}.GetSample(window, {wanted}));\n\
             nodes = tasks > 0 && tasks < {slots} ? 1 : tasks / {slots};"
        );
    }
    moved(scenario, text);
    // No more nodes than are allowed at a time.
    for (name, current, step) in [
        ("Dedicated", "$CurrentDedicatedNodes", scenario.step[0]),
        ("Spot", "$CurrentLowPriorityNodes", scenario.step[1]),
    ] {
        if step != u32::MAX {
            let _ = writeln!(
                text,
                "most{name} = max(least{name}, min(most{name}, {current} + {step}));"
            );
        }
    }
    split(scenario, text);
    *text += "$TargetDedicatedNodes = dedicated;\n$TargetLowPriorityNodes = spot;\n";
}

/// The spot nodes whose place dedicated ones take, because too many were preempted.
fn moved(scenario: &Scenario, text: &mut String) {
    let Some(percent) = scenario.rebalance else {
        *text += "moved = 0;\n";
        return;
    };
    let wanted = scenario.wanted;
    if scenario.last {
        let _ = writeln!(
            text,
            "lost = max(0, $PreemptedNodeCount.GetSample(1));\n\
             lostMean = $PreemptedNodeCount.GetSamplePercent(window) < {wanted} ? lost : avg($PreemptedNodeCount.GetSample(window));\n\
             lost = lost > lostMean ? (lost + lostMean) / 2 : lost;"
        );
    } else {
        let _ = writeln!(
            text,
            "lost = avg($PreemptedNodeCount.GetSample(window, {wanted}));"
        );
    }
    let _ = writeln!(
        text,
        "all = $CurrentDedicatedNodes + $CurrentLowPriorityNodes;\nmoved = lost * 100 >= all * {percent} ? lost : 0;"
    );
}

fn split(scenario: &Scenario, text: &mut String) {
    *text += match scenario.bias.as_str() {
        "dedicated" => {
            "dedicated = min(mostDedicated, max(leastDedicated, nodes));\n\
             spot = max(leastSpot, min(mostSpot, nodes - dedicated));\n"
        }
        "low_priority" => {
            "spot = min(mostSpot, max(leastSpot, nodes));\n\
             spot = min(mostSpot, max(leastSpot, nodes - min(moved, spot)));\n\
             dedicated = max(leastDedicated, min(mostDedicated, nodes - spot));\n"
        }
        _ => {
            "parts = mostDedicated == 0 || mostSpot == 0 ? 1 : 2;\n\
             half = max(leastDedicated, nodes / parts);\n\
             dedicated = min(mostDedicated, half > 0 && half < 1 ? 1 : half);\n\
             dedicated = max(leastDedicated, min(mostDedicated, dedicated + min(moved, max(0, nodes - dedicated))));\n\
             spot = max(leastSpot, min(mostSpot, nodes - dedicated));\n"
        }
    };
}

/// All nodes at some times, the least at others; in UTC.
fn days(scenario: &Scenario, text: &mut String) {
    let [[first, last], [from, to]] = [scenario.weekdays, scenario.hours];
    *text += "now = time();\n";
    let _ = writeln!(text, "weekday = now.weekday >= {first} && now.weekday <= {last};");
    let peak = match scenario.name.as_str() {
        "weekday" => "weekday".to_owned(),
        "weekend" => "!weekday".to_owned(),
        _ => format!("weekday && now.hour >= {from} && now.hour <= {to}"),
    };
    let _ = writeln!(text, "peak = {peak};");
    let always_spot = scenario.name == "workday_with_offpeak_max_low_priority";
    let at_peak = |is: bool, kind: &str| {
        if is {
            format!("peak ? most{kind} : least{kind}")
        } else {
            format!("least{kind}")
        }
    };
    let dedicated = at_peak(scenario.bias != "low_priority", "Dedicated");
    let spot = if always_spot {
        "mostSpot".to_owned()
    } else {
        at_peak(scenario.bias != "dedicated", "Spot")
    };
    let _ = writeln!(
        text,
        "$TargetDedicatedNodes = {dedicated};\n$TargetLowPriorityNodes = {spot};"
    );
}
