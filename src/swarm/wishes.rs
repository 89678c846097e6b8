//! What the operator of a world wants: random policies of every strategy, guard, objective and mode, and what pools share.

use std::fmt::Write as _;

use super::dice::{Dice, Purpose};
use super::plan::Plan;
use crate::policy::{Policies, Policy, read, read_account};

/// The policies of a world; the same seed and number of the reload give the same.
pub(super) fn policies(plan: &Plan, reload: u64) -> Policies {
    let mut dice = Dice::new(plan.seed ^ reload.rotate_left(40), Purpose::Policies);
    let mut policies = Vec::new();
    let patterns: &[&str] = match dice.between(0, 3) {
        0 => &["pool-*"],
        1 => &["pool-0", "pool-*"],
        2 => &["pool-0", "pool-1", "pool-2"],
        _ => &["pool-1", "pool-*"],
    };
    for (number, pattern) in patterns.iter().enumerate() {
        policies.push(policy(&format!("p{number}"), pattern, &mut dice));
    }
    let mut policies = Policies::from(policies);
    if dice.chance(0.4) {
        let text = account(&mut dice);
        policies.account = read_account("account", &text).0;
    }
    policies
}

/// Draws until one can be meant: limits may contradict each other.
fn policy(name: &str, pattern: &str, dice: &mut Dice) -> Policy {
    loop {
        let text = text(pattern, dice);
        let (policy, _) = read(name, &text, &mut |_| Err("there is no file".to_owned()));
        if let Some(policy) = policy {
            return policy;
        }
    }
}

/// Returns a policy as a file writes it.
fn text(pattern: &str, dice: &mut Dice) -> String {
    let mut text = format!("version: 1\npool: \"{pattern}\"\n");
    let mode = dice.pick(&[
        "full", "full", "full", "full", "full", "full", "outOnly", "shadow", "paused",
    ]);
    let interval = dice.pick(&["30s", "60s", "60s", "90s", "2m", "5m", "11m", "30m"]);
    let _ = write!(text, "mode: {mode}\ninterval: {interval}\ndemand:\n");
    let n_demands = dice.pick(&[1, 1, 2, 3]);
    let mut has_backlog = false;
    let mut has_deadlines = false;
    for _ in 0..n_demands {
        let (demand, kind) = demand(dice);
        has_backlog |= kind == Kind::Backlog;
        has_deadlines |= kind == Kind::Deadlines;
        text += &demand;
    }
    if n_demands > 1 && dice.chance(0.3) {
        let season = dice.pick(&["24h", "7d"]);
        let _ = writeln!(
            text,
            "  - forecast: {{ metric: $PendingTasks, season: {season}, horizon: 20m }}"
        );
    }
    let most = dice.pick(&[4, 10, 30, 100]);
    let least = dice.pick(&[0, 0, 0, 1, 3]);
    let (dedicated, spot) = (dice.pick(&[most, most / 2, 2]), dice.pick(&[most, most / 2, 0]));
    let _ = writeln!(
        text,
        "bounds: {{ total: [{least}, {most}], dedicated: [{}, {dedicated}], spot: [0, {spot}] }}",
        dice.pick(&[0, 0, 0, 1]),
    );
    let objective = if has_backlog || has_deadlines {
        "expectedCost"
    } else {
        dice.pick(&[
            "expectedCost",
            "expectedCost",
            "spotFirst",
            "{ fixedShare: 0.8 }",
            "dedicatedOnly",
        ])
    };
    let _ = write!(
        text,
        "mix:\n  objective: {objective}\n  risk: {}\n  prices: {{ dedicated: 0.2, spot: {} }}\n",
        dice.pick(&["0.01", "0.05", "0.3"]),
        dice.pick(&["0.04", "0.1", "0.19"]),
    );
    if dice.chance(0.4) {
        let _ = writeln!(
            text,
            "  eviction: {{ model: {}, halfLife: {} }}",
            dice.pick(&["regime", "constant"]),
            dice.pick(&["1h", "24h"]),
        );
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "  fallback: {{ waitForSpot: {}, returnAfter: {} }}",
            dice.pick(&["1m", "10m", "1h"]),
            dice.pick(&["5m", "30m", "3h"]),
        );
    }
    if has_deadlines {
        text += dice.pick(&[
            "deadlines: [ { within: 10h } ]\n",
            "deadlines: [ { finishBy: \"0 6 * * *\", timezone: Europe/London } ]\n",
            "  lostWork: { checkpoint: { every: 10m } }\ndeadlines: [ { jobs: \"job-1*\", within: 3h, typicalRun: 20m }, { within: 24h } ]\n",
        ]);
    }
    limits(&mut text, dice);
    guards(&mut text, dice);
    text
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Backlog,
    Deadlines,
    Other,
}

fn demand(dice: &mut Dice) -> (String, Kind) {
    match dice.between(0, 8) {
        0..=2 => {
            let within = dice.pick(&["5m", "15m", "1h"]);
            let slowdown = dice.pick(&["0", "1", "3"]);
            (format!("  - backlog: {{ drainWithin: {within}, slowdown: {slowdown} }}\n"), Kind::Backlog)
        }
        3 => {
            let metric = dice.pick(&["$PendingTasks", "$ActiveTasks"]);
            (format!("  - queue: {{ metric: {metric} }}\n"), Kind::Other)
        }
        4 => (
            format!("  - track: {{ metric: $PendingTasks, target: {} }}\n", dice.pick(&[1, 4, 20])),
            Kind::Other,
        ),
        5 => ("  - deadlines: {}\n".to_owned(), Kind::Deadlines),
        6 => (
            format!(
                "  - schedule: {{ timezone: {}, rules: [ {{ cron: \"0 {} * * *\", for: 5h, atLeast: {} }} ] }}\n",
                dice.pick(&["UTC", "Europe/Paris", "America/New_York"]),
                dice.between(0, 23),
                dice.between(1, 6),
            ),
            Kind::Other,
        ),
        7 => ("  - formula: { role: demand, text: \"$TargetDedicatedNodes = $PendingTasks.GetSamplePercent(TimeInterval_Minute * 5) < 70 ? $CurrentDedicatedNodes : avg($PendingTasks.GetSample(TimeInterval_Minute * 5)) / $TaskSlotsPerNode + 0.5;\" }\n".to_owned(), Kind::Other),
        _ => ("  - formula: { role: targets, text: \"n = max(0, $PendingTasks.GetSample(1)); $TargetDedicatedNodes = min(n, 3); $TargetLowPriorityNodes = max(0, n - 3); $NodeDeallocationOption = taskcompletion;\" }\n".to_owned(), Kind::Other),
    }
}

#[expect(clippy::same_functions_in_if_condition, reason = "each throw is another")]
fn limits(text: &mut String, dice: &mut Dice) {
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "quota: {{ priority: {}, guaranteedCores: {} }}",
            dice.pick(&[0, 50, -5]),
            dice.pick(&[0, 8, 16]),
        );
    } else if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "quota: {{ dedicatedNodes: {}, spotNodes: {} }}",
            dice.between(3, 20),
            dice.between(0, 20)
        );
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "budget: {{ perHour: {}, perMonth: {}, onSoft: {} }}",
            dice.pick(&["0.7", "2", "10"]),
            dice.pick(&["5", "200", "2000"]),
            dice.pick(&["spotOnly", "leastOnly"]),
        );
    }
}

fn guards(text: &mut String, dice: &mut Dice) {
    *text += "guards:\n";
    let then = dice.pick(&["hold", "hold", "ignore"]);
    let _ = writeln!(
        text,
        "  missing: {{ staleAfter: {}, then: {then} }}",
        dice.pick(&["90s", "3m", "10m"])
    );
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "  step: {{ out: {}, in: {}% }}",
            dice.between(1, 20),
            dice.pick(&[10, 25, 100])
        );
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "  cooldown: {{ out: {}, in: {} }}",
            dice.pick(&["0s", "2m"]),
            dice.pick(&["5m", "30m"])
        );
    }
    if dice.chance(0.3) {
        *text += "  storm: { evictions: 20%, within: 15m, pauseSpotFor: 30m }\n";
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "  flap: {{ reversals: {}, within: 1h }}",
            dice.between(1, 5)
        );
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "actuator: {{ leaseFormula: {{ lease: {}, fallback: {} }} }}",
            dice.pick(&["20m", "30m", "2h"]),
            dice.pick(&["tasks", "least", "keep"]),
        );
    }
    if dice.chance(0.5) {
        let _ = writeln!(text, "ownFormula: takeOver");
    }
    if dice.chance(0.5) {
        let _ = writeln!(
            text,
            "others: {{ respectFor: {} }}",
            dice.pick(&["10m", "1h", "3h"])
        );
    }
    if dice.chance(0.3) {
        let _ = writeln!(
            text,
            "replace: {{ unusable: {}, atMost: 50% }}",
            dice.pick(&["10m", "1h"])
        );
    }
    if dice.chance(0.4) {
        let _ = writeln!(
            text,
            "scaleIn: {{ {} }}",
            dice.pick(&[
                "deallocation: taskcompletion",
                "deallocation: requeue",
                "prefer: [unusable, preempted, idle]",
                "deallocation: taskcompletion, prefer: [idle]",
                "prefer: [unusable, preempted, idle], drain: true",
            ]),
        );
    }
}

fn account(dice: &mut Dice) -> String {
    let mut text = "version: 1\nkind: account\n".to_owned();
    if dice.chance(0.7) {
        let _ = writeln!(
            text,
            "quotas: {{ dedicatedCores: {}, spotCores: {} }}",
            dice.pick(&[24, 64, 300]),
            dice.pick(&[24, 64, 300]),
        );
    }
    if dice.chance(0.5) {
        let _ = writeln!(
            text,
            "budgets: {{ all: {{ perHour: {} }} }}",
            dice.pick(&["0.9", "3", "20"])
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_strategy_and_mode_is_drawn_and_the_same_seed_wants_the_same() {
        let mut seen = BTreeSet::new();
        for seed in 0..200 {
            let drawn = policies(&Plan::of(seed), 0);
            for policy in &drawn.policies {
                seen.insert(format!("{:?}", policy.mode));
                for demand in &policy.demand {
                    let text = format!("{demand:?}");
                    seen.insert(text.split(['(', ' ', '{']).next().unwrap_or("").to_owned());
                }
            }
        }
        for word in [
            "Full",
            "OutOnly",
            "Shadow",
            "Paused",
            "Formula",
            "Schedule",
            "Track",
            "Queue",
            "Forecast",
            "Backlog",
            "Deadlines",
        ] {
            assert!(seen.contains(word), "{word} is never drawn: {seen:?}");
        }
    }
}
