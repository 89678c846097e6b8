//! Where a policy and the pool that it speaks of are apart.

use super::pool::NativePool;
use crate::base::Nodes;
use crate::formula::{self, Formula};
use crate::policy::{Mode, Policy};

/// One thing in which a policy and its pool are apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What it is about, by one word.
    pub what: &'static str,
    /// What the policy says.
    pub policy: String,
    /// What the pool says.
    pub pool: String,
}

/// What came of a comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Apart {
    /// What is apart, in a fixed order.
    pub differences: Vec<Difference>,
    /// The formula of the policy and of the pool in canonical layout, where the two say different things.
    pub formulas: Option<[String; 2]>,
    /// What is no difference and worth knowing, a sentence each.
    pub notes: Vec<String>,
}

/// A node for each task, whatever its slots: the lint that sees it.
const NO_SLOTS: &str = "F212";

/// Compares a policy with its pool.
pub fn apart(policy: &Policy, pool: &NativePool) -> Apart {
    let mut apart = Apart::default();
    auto_scale(policy, pool, &mut apart);
    formulas(policy, pool, &mut apart);
    if let Some(interval) = pool.interval.filter(|interval| *interval != policy.interval) {
        apart.add("interval", policy.interval.in_short(), interval.in_short());
    }
    bounds(policy, pool, &mut apart);
    if let (Some(wanted), Some(there)) = (policy.scale_in.deallocation, pool.deallocation)
        && wanted != there
    {
        apart.add("deallocation", wanted.to_string(), there.to_string());
    }
    slots(policy, pool, &mut apart);
    apart
}

impl Apart {
    fn add(&mut self, what: &'static str, policy: impl Into<String>, pool: impl Into<String>) {
        self.differences.push(Difference {
            what,
            policy: policy.into(),
            pool: pool.into(),
        });
    }
}

fn auto_scale(policy: &Policy, pool: &NativePool, apart: &mut Apart) {
    let orders = matches!(policy.mode, Mode::Full | Mode::OutOnly);
    match (orders, pool.auto_scale) {
        (true, Some(true)) => apart.add("autoscale", "orders nodes", "on, so that every order is refused"),
        (false, Some(false)) => {
            let note = "the policy orders nothing and the pool's autoscale is off: nobody changes its size";
            apart.notes.push(note.to_owned());
        }
        _ => {}
    }
}

fn formulas(policy: &Policy, pool: &NativePool, apart: &mut Apart) {
    let ours = policy.formulas().next().map(|(_, demand)| &demand.formula);
    match (ours, &pool.formula) {
        (None, None) => {}
        (Some(_), None) if pool.auto_scale == Some(true) => {
            let note =
                "the pool runs a formula, and what was read does not tell it: the formulas are not compared";
            apart.notes.push(note.to_owned());
        }
        (Some(_), None) => apart.add("formula", "has one", "none"),
        (None, Some(_)) => apart.add("formula", "none", "has one"),
        (Some(ours), Some(theirs)) => both(ours, theirs, apart),
    }
}

fn both(ours: &Formula, theirs: &str, apart: &mut Apart) {
    if ours.source() == theirs {
        return;
    }
    let laid_out = |source: &str| formula::format(source, ours.scope().dialect).ok();
    let sides = [ours.source(), theirs].map(|source| laid_out(source).unwrap_or_else(|| source.to_owned()));
    if sides[0] == sides[1] {
        apart
            .notes
            .push("the formulas differ in their layout alone".to_owned());
    } else {
        let lines = |text: &str| format!("{} lines", text.lines().count());
        apart.add("formula", lines(&sides[0]), lines(&sides[1]));
        apart.formulas = Some(sides);
    }
}

fn bounds(policy: &Policy, pool: &NativePool, apart: &mut Apart) {
    let total = pool
        .target_dedicated
        .zip(pool.target_spot)
        .map(|(dedicated, spot)| dedicated + spot);
    for (name, target, range) in [
        ("dedicated", pool.target_dedicated, policy.bounds.dedicated),
        ("spot", pool.target_spot, policy.bounds.spot),
        ("total", total, policy.bounds.total),
    ] {
        if let Some(target) = target.filter(|target| range.distance(*target) > Nodes::ZERO) {
            let wanted = format!("{name} from {} to {}", range.min, range.max);
            apart.add("bounds", wanted, format!("{name} target {target}"));
        }
    }
}

fn slots(policy: &Policy, pool: &NativePool, apart: &mut Apart) {
    let Some(slots) = pool.task_slots_per_node.filter(|slots| *slots > 1) else {
        return;
    };
    let ignores = |formula: &Formula| {
        formula::lint(formula)
            .iter()
            .any(|found| found.code.0 == NO_SLOTS)
    };
    if policy.formulas().any(|(_, demand)| ignores(&demand.formula)) {
        apart.add(
            "slots",
            "a node for each task",
            format!("{slots} tasks on a node"),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        let (policy, findings) = crate::policy::read("p", text, &mut |_| Err("no files".to_owned()));
        policy.unwrap_or_else(|| panic!("{:?}", findings.policy))
    }

    fn pool(text: &str) -> NativePool {
        NativePool::read_all(text).unwrap().remove(0)
    }

    fn told(policy_text: &str, pool_text: &str) -> (Vec<String>, Vec<String>) {
        let apart = apart(&policy(policy_text), &pool(pool_text));
        let differences = apart.differences.iter();
        let told = differences
            .map(|it| format!("{}: {} / {}", it.what, it.policy, it.pool))
            .collect();
        (told, apart.notes)
    }

    const POLICY: &str = "version: 1\npool: a\nmode: full\ninterval: 5m\nbounds: { dedicated: [0, 4], spot: [0, 0], total: [0, 4] }\n\
                          demand:\n  - formula: { role: targets, text: \"$TargetDedicatedNodes = min(4, $PendingTasks.GetSample(1));\" }\n\
                          scaleIn: { deallocation: taskcompletion }\n";

    #[test]
    fn everything_that_is_apart_is_told_at_once() {
        let (told, _) = told(
            POLICY,
            r#"{"id": "a", "enableAutoScale": true, "autoScaleEvaluationInterval": "PT10M", "taskSlotsPerNode": 4,
                "targetDedicatedNodes": 5, "targetLowPriorityNodes": 1, "autoScaleFormula": "$TargetDedicatedNodes = 5;",
                "autoScaleRun": {"results": "$NodeDeallocationOption=requeue"}}"#,
        );
        assert_eq!(
            told,
            [
                "autoscale: orders nodes / on, so that every order is refused",
                "formula: 1 lines / 1 lines",
                "interval: 5m / 10m",
                "bounds: dedicated from 0 to 4 / dedicated target 5",
                "bounds: spot from 0 to 0 / spot target 1",
                "bounds: total from 0 to 4 / total target 6",
                "deallocation: taskcompletion / requeue",
                "slots: a node for each task / 4 tasks on a node",
            ]
        );
    }

    #[test]
    fn a_layout_is_no_difference_and_what_is_not_told_is_not_compared() {
        let shadow = POLICY.replace("mode: full", "mode: shadow");
        let (differences, notes) = told(
            &shadow,
            r#"{"id": "a", "enableAutoScale": true, "autoScaleFormula": "$TargetDedicatedNodes=min(4,$PendingTasks.GetSample(1))"}"#,
        );
        assert_eq!(
            (differences.len(), notes.as_slice()),
            (0, &["the formulas differ in their layout alone".to_owned()][..])
        );
        let (differences, notes) = told(
            &shadow,
            r#"{"id": "a", "enableAutoScale": true, "targetDedicatedNodes": 1}"#,
        );
        assert_eq!((differences.len(), notes.len()), (0, 1));
        let (differences, notes) = told(
            &shadow,
            r#"{"id": "a", "enableAutoScale": false, "targetDedicatedNodes": 1}"#,
        );
        assert_eq!(
            (differences, notes.len()),
            (vec!["formula: has one / none".to_owned()], 1)
        );
        let backlog = "version: 1\npool: a\ndemand: [ { backlog: {} } ]\n";
        let (differences, _) = told(
            backlog,
            r#"{"id": "a", "enableAutoScale": false, "autoScaleFormula": "x = 1;"}"#,
        );
        assert_eq!(differences, ["formula: none / has one"]);
    }
}
