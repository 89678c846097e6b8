//! Pools of batch-shipyard, as policies that scale them as its scenarios do.
//!
//! Sources: the pool configuration of batch-shipyard (`pool_specification`, `autoscale`) and the formulas that it makes from it, read
//! in November 2026; the formulas here are our own, with their meaning.

mod scenario;

use self::scenario::{Scenario, formula};
use super::draft::{Draft, Wanted};
use super::lenient::{Lenient, document, get, whole};
use super::native::{interval, judge};
use super::{Brought, not_mapped};
use crate::account::NodeDeallocationOption;
use crate::base::document::{Data, Node};
use crate::base::{Code, Diagnostic};

const LACKS: Code = Code("I003");

/// How many nodes of each kind: dedicated, spot.
type Count = [u32; 2];

/// Reads a `pool.yaml` or `pool.json`.
///
/// # Errors
/// Everything that cannot be used, by place.
pub fn shipyard(source: &str) -> Result<Brought, Vec<Diagnostic>> {
    let document = document(source)?;
    let Some(pool) = get(&document, "pool_specification") else {
        let fault = Diagnostic::error(LACKS, document.span.clone(), "there is no `pool_specification`");
        return Err(vec![fault.help("name the pool configuration of batch-shipyard")]);
    };
    let mut reader = Reader::default();
    let draft = reader.pool(pool);
    let findings = reader.findings;
    reader.lenient.finish(()).map(|()| Brought {
        drafts: draft.into_iter().collect(),
        findings,
    })
}

#[derive(Default)]
struct Reader {
    lenient: Lenient,
    findings: Vec<Diagnostic>,
}

impl Reader {
    fn pool(&mut self, pool: &Node) -> Option<Draft> {
        let Some(id) = self.lenient.text(pool, "id") else {
            let fault = Diagnostic::error(LACKS, pool.span.clone(), "the pool has no `id`");
            self.lenient
                .faults
                .push(fault.help("batch-shipyard needs one as well"));
            return None;
        };
        let Ok(pattern) = id.parse() else {
            let place = get(pool, "id").unwrap_or(pool);
            self.lenient
                .wrong(place, "id", "1 to 64 letters, digits, hyphens and underscores");
            return None;
        };
        let least = self.counts(pool, "vm_count", false);
        let slots = self
            .lenient
            .count(pool, "task_slots_per_node")
            .or_else(|| self.lenient.count(pool, "max_tasks_per_node"));
        let mut draft = Draft::new(&id, pattern, Wanted::Backlog);
        match get(pool, "autoscale") {
            None => {
                let [dedicated, spot] = least.unwrap_or_default();
                let text =
                    format!("$TargetDedicatedNodes = {dedicated};\n$TargetLowPriorityNodes = {spot};\n");
                draft.wanted = Wanted::Formula(text.into());
                let origin = format!("Pool {id} of batch-shipyard: a fixed size, written as a formula.");
                draft.origin.push(origin);
            }
            Some(autoscale) => self.autoscale(&mut draft, autoscale, least, slots)?,
        }
        Self::others(&mut draft, pool);
        judge(&mut draft, None);
        Some(draft)
    }

    fn autoscale(
        &mut self,
        draft: &mut Draft,
        node: &Node,
        least: Option<Count>,
        slots: Option<u32>,
    ) -> Option<()> {
        self.unknown(node, &["evaluation_interval", "formula", "scenario"], "autoscale");
        let every = self.lenient.length(node, "evaluation_interval");
        interval(draft, every);
        draft.as_service = true;
        let name = draft.name.clone();
        let own = self
            .lenient
            .text(node, "formula")
            .filter(|text| !text.trim().is_empty());
        if let Some(own) = own {
            draft.wanted = Wanted::Formula(own.into());
            draft.origin.push(format!(
                "Pool {name} of batch-shipyard: its own formula, kept verbatim."
            ));
            if let Some(scenario) = get(node, "scenario") {
                let why = "batch-shipyard takes the formula where both are given";
                self.findings
                    .push(not_mapped(scenario.span.clone(), "`autoscale.scenario`", why));
            }
            return Some(());
        }
        let Some(scenario) = get(node, "scenario") else {
            let fault = Diagnostic::error(
                LACKS,
                node.span.clone(),
                "`autoscale` has neither a formula nor a scenario",
            );
            self.lenient
                .faults
                .push(fault.help("write one of the two, or take `autoscale` away"));
            return None;
        };
        let least = least.unwrap_or_default();
        let scenario = self.scenario(draft, scenario, least, slots)?;
        draft.origin.push(format!(
            "Pool {name} of batch-shipyard: a formula with the meaning of its scenario {}.",
            scenario.name
        ));
        draft.wanted = Wanted::Formula(formula(&scenario).into());
        Some(())
    }

    fn scenario(
        &mut self,
        draft: &mut Draft,
        node: &Node,
        least: Count,
        slots: Option<u32>,
    ) -> Option<Scenario> {
        self.unknown(node, Scenario::KEYS, "autoscale.scenario");
        let name = self.lenient.text(node, "name").unwrap_or_default();
        if !Scenario::NAMES.contains(&name.as_str()) {
            let place = get(node, "name").unwrap_or(node);
            self.lenient
                .wrong(place, "name", &format!("one of {}", Scenario::NAMES.join(", ")));
            return None;
        }
        let is_of_tasks = name.ends_with("_tasks");
        let mut assume = |what: &str| {
            let note = format!("{what} is not given; batch-shipyard takes this then");
            draft.notes.push(note);
        };
        let most = self.counts(node, "maximum_vm_count", true);
        let Some(most) = most else {
            let fault = Diagnostic::error(LACKS, node.span.clone(), "the scenario has no `maximum_vm_count`");
            self.lenient
                .faults
                .push(fault.help("batch-shipyard needs one as well"));
            return None;
        };
        let step = self
            .counts(node, "maximum_vm_increment_per_evaluation", true)
            .unwrap_or([u32::MAX; 2]);
        let option = self.word(
            node,
            "node_deallocation_option",
            &NodeDeallocationOption::ALL.map(NodeDeallocationOption::word),
        );
        if option.is_none() {
            assume("node_deallocation_option: taskcompletion");
        }
        let bias = self.word(node, "bias_node_type", &["auto", "dedicated", "low_priority"]);
        let wanted = self.lenient.count(node, "required_sample_percentage");
        let last = self.lenient.flag(node, "bias_last_sample");
        let window = self.lenient.length(node, "sample_lookback_interval");
        if is_of_tasks {
            let given = [
                (bias.is_some(), "bias_node_type: auto"),
                (wanted.is_some(), "required_sample_percentage: 70"),
                (last.is_some(), "bias_last_sample: true"),
                (window.is_some(), "sample_lookback_interval: 10 minutes"),
                (slots.is_some(), "max_tasks_per_node: 1"),
            ];
            given
                .iter()
                .filter(|(given, _)| !given)
                .for_each(|(_, what)| assume(what));
        }
        let rebalance = self.lenient.count(node, "rebalance_preemption_percentage");
        if rebalance.is_some() {
            let note = "rebalance_preemption_percentage is taken in percent; batch-shipyard's own formula compares a fraction with it";
            draft.notes.push(note.to_owned());
        }
        if name == "weekend" {
            let note = "in batch-shipyard's own formula a weekend never comes; here it is what its name says";
            draft.notes.push(note.to_owned());
        }
        if step != [u32::MAX; 2] && !is_of_tasks {
            let note =
                "maximum_vm_increment_per_evaluation does nothing in a scenario of days and was left out";
            draft.notes.push(note.to_owned());
        }
        let ranges = get(node, "time_ranges");
        let weekdays = self.range(ranges, "weekdays", [1, 5], 6);
        let hours = self.range(ranges, "work_hours", [8, 17], 23);
        Some(Scenario {
            name,
            slots: slots.unwrap_or(1).max(1),
            least,
            most,
            step,
            option: option.unwrap_or_else(|| "taskcompletion".to_owned()),
            bias: bias.unwrap_or_else(|| "auto".to_owned()),
            wanted: wanted.unwrap_or(70),
            last: last.unwrap_or(true),
            window: window.unwrap_or(Scenario::WINDOW_USUAL),
            rebalance,
            weekdays,
            hours,
        })
    }

    /// Reads `start` and `end` of a time range, both included.
    fn range(&mut self, ranges: Option<&Node>, key: &str, usual: [u32; 2], most: u32) -> [u32; 2] {
        let Some(range) = ranges.and_then(|ranges| get(ranges, key)) else {
            return usual;
        };
        let start = self.lenient.count(range, "start").unwrap_or(usual[0]);
        let end = self.lenient.count(range, "end").unwrap_or(usual[1]);
        if start > most || end > most {
            self.lenient
                .wrong(range, key, &format!("start and end from 0 to {most}"));
        }
        [start, end]
    }

    fn word(&mut self, node: &Node, key: &str, words: &[&str]) -> Option<String> {
        let word = self.lenient.text(node, key)?;
        if words.contains(&word.as_str()) {
            return Some(word);
        }
        let place = get(node, key).unwrap_or(node);
        self.lenient
            .wrong(place, key, &format!("one of {}", words.join(", ")));
        None
    }

    /// Reads counts of both kinds, or one number of dedicated nodes; -1 is no bound where there may be none.
    fn counts(&mut self, node: &Node, key: &str, unbound: bool) -> Option<Count> {
        let counts = get(node, key)?;
        let mut one = |node: Option<&Node>, name: &str| {
            let Some(node) = node else { return 0 };
            match whole(&node.data) {
                Some(-1) if unbound => u32::MAX,
                Some(number) if u32::try_from(number).is_ok() => number as u32,
                _ => {
                    self.lenient.wrong(node, name, "a count of 0 or more");
                    0
                }
            }
        };
        Some(match counts.data {
            Data::Map(_) => [
                one(get(counts, "dedicated"), "dedicated"),
                one(get(counts, "low_priority"), "low_priority"),
            ],
            _ => [one(Some(counts), key), 0],
        })
    }

    /// Tells the keys of a part that nothing is made of.
    fn unknown(&mut self, node: &Node, known: &[&str], part: &str) {
        let Data::Map(entries) = &node.data else { return };
        for (key, _) in entries
            .iter()
            .filter(|(key, _)| !known.contains(&key.text.as_str()))
        {
            let name = format!("`{part}.{}`", key.text);
            let why = "it is no setting that says how large the pool is";
            self.findings.push(not_mapped(key.span.clone(), &name, why));
        }
    }

    /// Tells the settings of the pool that do not concern its size.
    fn others(draft: &mut Draft, pool: &Node) {
        const KNOWN: [&str; 5] = [
            "id",
            "vm_count",
            "autoscale",
            "task_slots_per_node",
            "max_tasks_per_node",
        ];
        let Data::Map(entries) = &pool.data else { return };
        let others = entries.iter().map(|(key, _)| key.text.as_str());
        let others: Vec<_> = others.filter(|key| !KNOWN.contains(key)).collect();
        if !others.is_empty() {
            draft.notes.push(format!(
                "the pool keeps what does not say how large it is: {}",
                others.join(", ")
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(autoscale: &str) -> String {
        format!(
            "pool_specification:\n  id: render\n  vm_size: STANDARD_D2_V2\n  vm_count: {{ dedicated: 1, low_priority: 2 }}\n  max_tasks_per_node: 4\n{autoscale}"
        )
    }

    fn one(autoscale: &str) -> Draft {
        let brought = shipyard(&pool(autoscale)).unwrap_or_else(|faults| panic!("{autoscale}: {faults:?}"));
        brought.drafts.into_iter().next().unwrap()
    }

    #[test]
    fn every_scenario_becomes_a_formula_without_errors_that_keeps_to_its_counts() {
        for name in Scenario::NAMES {
            for bias in ["auto", "dedicated", "low_priority"] {
                for more in [
                    "",
                    "      bias_last_sample: false\n",
                    "      rebalance_preemption_percentage: 50\n      maximum_vm_increment_per_evaluation: { dedicated: 4, low_priority: -1 }\n",
                ] {
                    let draft = one(&format!(
                        "  autoscale:\n    evaluation_interval: 00:05:00\n    scenario:\n      name: {name}\n      maximum_vm_count: {{ dedicated: 16, low_priority: 8 }}\n      bias_node_type: {bias}\n{more}"
                    ));
                    assert!(
                        !draft.has_errors(),
                        "{name} {bias} {more}: {:?}",
                        draft.diagnostics
                    );
                    let bounds: Vec<_> = draft
                        .bounds
                        .iter()
                        .map(|bound| (bound.min.0, bound.max.0))
                        .collect();
                    let [dedicated, spot] = bounds[..] else {
                        panic!("{name} {bias} {more}: {bounds:?} {:?}", draft.formula())
                    };
                    assert!(
                        dedicated.0 >= 1 && dedicated.1 <= 16,
                        "{name} {bias}: {dedicated:?}"
                    );
                    assert!(spot.0 >= 2 && spot.1 <= 8, "{name} {bias}: {spot:?}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_where_it_stands() {
        let faults = shipyard(&pool(
            "  autoscale:\n    evaluation_interval: often\n    scenario:\n      name: weekly\n      maximum_vm_count: many\n",
        ))
        .unwrap_err();
        let told: Vec<_> = faults.iter().map(|fault| fault.message.as_str()).collect();
        assert_eq!(told, ["`evaluation_interval` is `often`", "`name` is `weekly`"]);
        assert_eq!(
            shipyard("id: a").unwrap_err()[0].message,
            "there is no `pool_specification`"
        );
    }

    #[test]
    fn a_formula_of_ones_own_wins_and_other_settings_are_told() {
        let text = pool(
            "  autoscale:\n    formula: $TargetDedicatedNodes = 3;\n    scenario: { name: workday }\n    when: never\n",
        );
        let brought = shipyard(&text).unwrap();
        let told: Vec<_> = brought
            .findings
            .iter()
            .map(|found| found.message.as_str())
            .collect();
        assert_eq!(
            told,
            [
                "`autoscale.when` was not brought",
                "`autoscale.scenario` was not brought"
            ]
        );
        let draft = &brought.drafts[0];
        assert_eq!(draft.formula(), Some("$TargetDedicatedNodes = 3;"));
        assert!(draft.notes[0].ends_with("vm_size"), "{:?}", draft.notes);
        assert_eq!(
            one("").formula(),
            Some("$TargetDedicatedNodes = 1;\n$TargetLowPriorityNodes = 2;\n")
        );
    }
}
