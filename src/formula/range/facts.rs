//! What a walk over the typed tree found out about its expressions.

use std::collections::BTreeMap;

use super::interval::Truth;
use super::value::Value;
use crate::formula::checked::Node;

/// What is known of each expression that can be evaluated at all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    values: BTreeMap<usize, Value>,
    truths: BTreeMap<usize, Truth>,
    weekdays: BTreeMap<usize, [Truth; 7]>,
}

/// A node is known by where it lies: the tree is not moved while it is looked at.
fn key(node: &Node) -> usize {
    std::ptr::from_ref(node).addr()
}

impl Facts {
    /// Adds one value that an expression was seen to have; an expression with a truth value is a condition.
    pub(crate) fn see(&mut self, node: &Node, value: Value) {
        self.values
            .entry(key(node))
            .and_modify(|known| *known = known.join(value))
            .or_insert(value);
        if !value.is_nothing() {
            self.see_truth(node, value, None);
        }
    }

    /// Adds the truth that a condition was seen to have on a day of the week, if one is given.
    pub(crate) fn see_truth(&mut self, node: &Node, value: Value, weekday: Option<u8>) {
        let Value::Number(number) = value else { return };
        let truth = number.truth();
        let known = self.truths.entry(key(node)).or_default();
        *known = known.or(truth);
        if let Some(day) = weekday {
            let days = self.weekdays.entry(key(node)).or_default();
            days[usize::from(day)] = days[usize::from(day)].or(truth);
        }
    }

    /// Keeps of each condition only the truth values that `other` found possible, too.
    pub(crate) fn narrow(&mut self, other: Self) {
        for (node, truth) in other.truths {
            let known = self.truths.entry(node).or_insert(truth);
            known.yes &= truth.yes;
            known.no &= truth.no;
        }
        self.weekdays.extend(other.weekdays);
    }

    /// Returns the values of an expression; `Nothing` when it is never evaluated to its end.
    pub(crate) fn value(&self, node: &Node) -> Value {
        self.values.get(&key(node)).copied().unwrap_or(Value::Nothing)
    }

    /// Returns the truth values of a condition that is reached.
    pub(crate) fn truth(&self, node: &Node) -> Option<Truth> {
        self.truths
            .get(&key(node))
            .copied()
            .filter(|truth| truth.yes || truth.no)
    }

    /// Returns the truth values of a condition on each day of the week, Sunday first, where time plays a part.
    pub(crate) fn weekdays(&self, node: &Node) -> Option<[Truth; 7]> {
        self.weekdays.get(&key(node)).copied()
    }
}
