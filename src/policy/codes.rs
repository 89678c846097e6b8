//! The catalogue of the faults that a policy can have.

use crate::base::CodeRow;

/// Every code, in order. An example is a part of a policy, or of an account's file, and the rest of it is as in the shortest there
/// is.
#[rustfmt::skip] // A table: its rows stay together.
pub const CODES: &[CodeRow] = &[
    CodeRow::shown("P001", "the policy cannot be read", "It is no YAML: a bracket is open, or a text that holds `: ` has no quotes.",
        "bounds: { total: [0, 10]", "bounds: { total: [0, 10] }"),
    CodeRow::shown("P002", "a key that is not known", "A key that nobody reads would change nothing and look as if it did.",
        "intervall: 5m", "interval: 5m"),
    CodeRow::shown("P003", "a key stands twice", "Only one of the two could hold.",
        "mode: full\nmode: shadow", "mode: shadow"),
    CodeRow::shown("P004", "a key is missing", "Nothing sensible can be assumed in its place.",
        "demand:\n  - formula: { text: \"$TargetDedicatedNodes = 1;\" }",
        "demand:\n  - formula: { text: \"$TargetDedicatedNodes = 1;\", role: targets }"),
    CodeRow::shown("P005", "a value of another kind", "Durations and shares carry their unit; counts of nodes are whole numbers.",
        "interval: 60", "interval: 60s"),
    CodeRow::shown("P006", "a value that cannot be used", "It is of the right kind, and none of the words or numbers that can stand here.",
        "mode: outonly", "mode: outOnly"),
    CodeRow::shown("P007", "another version of the format", "A file of a later format could mean something else by the same words.",
        "version: 2", "version: 1"),
    CodeRow::shown("P008", "an interval that cannot be used", "Samples come every 30 seconds, and a pool that is looked at less than once a day is not autoscaled.",
        "interval: 5s", "interval: 30s"),
    CodeRow::shown("P009", "bounds that contradict each other", "No number of nodes lies within them.",
        "bounds: { total: [0, 10], dedicated: [20, 30] }", "bounds: { total: [0, 50], dedicated: [20, 30] }"),
    CodeRow::shown("P010", "no formula, or two", "A formula stands in a file of its own or in the policy.",
        "demand:\n  - formula: { role: targets }",
        "demand:\n  - formula: { file: pool.formula, role: targets }"),
    CodeRow::shown("P011", "a formula file cannot be read", "Its path is seen from the folder of the policy.",
        "demand:\n  - formula: { file: absent.formula, role: targets }",
        "demand:\n  - formula: { file: pool.formula, role: targets }"),
    CodeRow::shown("P012", "a spot node is dearer than a dedicated one", "Nobody would take one; the two prices are likely swapped.",
        "mix: { prices: { dedicated: 0.04, spot: 0.19 } }", "mix: { prices: { dedicated: 0.19, spot: 0.04 } }"),
    CodeRow::shown("P013", "a guard that could never be content", "A sample is a minute old when it arrives and the next comes 30 seconds later; seven days of them are kept.",
        "guards: { missing: { staleAfter: 30s } }", "guards: { missing: { staleAfter: 3m } }"),
    CodeRow::shown("P014", "a rule of a schedule that cannot be meant", "It holds for no time, for longer than a month, or asks for more nodes than it allows.",
        "demand:\n  - schedule: { timezone: UTC, rules: [ { cron: \"0 7 * * *\", for: 0s, atLeast: 6 } ] }",
        "demand:\n  - schedule: { timezone: UTC, rules: [ { cron: \"0 7 * * *\", for: 11h, atLeast: 6 } ] }"),
    CodeRow::shown("P015", "limits that the least bounds contradict", "Quota and money hold always, so that the least nodes of the bounds must fit into them.",
        "budget: { perHour: 1 }\nbounds: { dedicated: [20, 30] }", "budget: { perHour: 10 }\nbounds: { dedicated: [20, 30] }"),
    CodeRow::shown("P016", "a guard that cannot be meant", "Guards remember a day, and a guard that lets nothing pass is a paused policy.",
        "guards: { cooldown: { in: 2d } }", "guards: { cooldown: { in: 10m } }"),
    CodeRow::shown("P017", "a signal that cannot be read", "It comes from the pool's own samples, or from a source that is asked for something it can have; a target is a number above 0.",
        "demand:\n  - queue: { source: storageQueue, name: Agents_1 }",
        "demand:\n  - queue: { source: storageQueue, name: agents-1 }"),
    CodeRow::shown("P018", "a metric that has no samples any more", "The service stopped to sample the nodes themselves; a strategy without samples can only hold.",
        "demand:\n  - track: { metric: $CPUPercent, target: 75 }",
        "demand:\n  - track: { metric: $PendingTasks, target: 75 }"),
    CodeRow::shown("P019", "a deadline that cannot be reckoned with", "It is a time of some clock or a time after each submission; a node starts within minutes.",
        "deadlines: [ { jobs: nightly-*, finishBy: \"0 6 * * *\" } ]",
        "deadlines: [ { jobs: nightly-*, finishBy: \"0 6 * * *\", timezone: UTC } ]"),
    CodeRow::shown("P021", "a forecast that cannot be made, or stands alone", "Days and weeks come again; a forecast raises what another strategy asks for.",
        "demand:\n  - queue: { metric: $PendingTasks }\n  - forecast: { metric: $PendingTasks, season: 12h, horizon: 30m }",
        "demand:\n  - queue: { metric: $PendingTasks }\n  - forecast: { metric: $PendingTasks, season: 24h, horizon: 30m }"),
    CodeRow::shown("P022", "nodes that go in another order", "Broken nodes go first, then preempted, then idle ones; the list says which of them are meant.",
        "scaleIn: { prefer: [idle, unusable] }", "scaleIn: { prefer: [unusable, idle] }"),
    CodeRow::shown("P024", "a backlog that cannot be drained", "A node that is ordered at once boots for minutes, and tasks that may wait for a week need no autoscaler.",
        "demand:\n  - backlog: { drainWithin: 1m }", "demand:\n  - backlog: { drainWithin: 15m }"),
    CodeRow::shown("P025", "a belief in evictions that cannot be weighed", "It must fade some day, and not at once.",
        "mix: { eviction: { halfLife: 0s } }", "mix: { eviction: { halfLife: 24h } }"),
    CodeRow::shown("P027", "a fallback that cannot be meant", "Dedicated nodes that came in place of spot stay for a minute at least, and for a week at most.",
        "mix: { fallback: { returnAfter: 0s } }", "mix: { fallback: { returnAfter: 30m } }"),
    CodeRow::shown("P040", "something shared that cannot be meant", "A budget needs an amount, and a family of sizes cannot have more cores than the account.",
        "kind: account\nbudgets: { all: { pools: [genomics-*] } }", "kind: account\nbudgets: { all: { pools: [genomics-*], perHour: 40 } }"),
    CodeRow::shown("P050", "work that is saved by no rule that can be meant", "A task saves its state every second at most, and within the week that it may run.",
        "mix: { lostWork: { checkpoint: { every: 0s } } }", "mix: { lostWork: { checkpoint: { every: 10m, cost: 30s } } }"),
    CodeRow::shown("P060", "an order that cannot be meant", "A lease outlives a look that fails, a pool needs minutes to follow any order, and no node has a name while a formula runs.",
        "actuator: { leaseFormula: { lease: 1m } }", "actuator: { leaseFormula: { lease: 30m } }"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy;

    const SHORTEST: &[(&str, &str)] = &[
        ("version", "version: 1\n"),
        ("pool", "pool: genomics-main\n"),
        (
            "demand",
            "demand:\n  - formula: { text: \"$TargetDedicatedNodes = 1;\", role: targets }\n",
        ),
    ];

    /// What is said of the shortest policy with a part exchanged or added.
    fn said(part: &str) -> Vec<&'static str> {
        if part.starts_with("kind: account") {
            let (_, faults) = policy::read_account("example", &format!("version: 1\n{part}\n"));
            return faults.iter().map(|fault| fault.code.0).collect();
        }
        let rest = SHORTEST.iter().filter(|(key, _)| !part.starts_with(key));
        let source = rest.map(|(_, line)| *line).collect::<String>() + part + "\n";
        let mut load = |file: &str| match file {
            "pool.formula" => Ok("$TargetDedicatedNodes = 1;".to_owned()),
            _ => Err("there is none".to_owned()),
        };
        let (_, findings) = policy::read("example", &source, &mut load);
        findings.policy.iter().map(|fault| fault.code.0).collect()
    }

    #[test]
    fn every_bad_example_gets_its_code_alone_and_good_ones_get_nothing() {
        for row in CODES {
            let example = row.example.expect("every row has one");
            assert_eq!(said(example.bad), [row.code.0], "{}", example.bad);
            assert_eq!(said(example.good), [""; 0], "{}", example.good);
        }
    }
}
