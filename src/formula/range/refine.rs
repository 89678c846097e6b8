//! What a condition says about the names in it, in the arm that it guards; and which differences cannot be negative.

use super::interval::Interval;
use super::value::Value;
use super::walk::Walk;
use super::world::lane_index;
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::Function;
use crate::formula::checked::{Kind, Node};
use crate::signal::Metric;

/// Something with a value of its own that a condition can narrow.
#[derive(Clone, Copy)]
pub(super) enum Slot {
    Variable(usize),
    /// What was assigned to a lane under one of its two names.
    Assigned(usize, usize),
    PoolTarget(usize),
    Counter(Metric),
}

/// The values to put back when the arm is left.
pub(super) type Undo = Vec<(Slot, Interval)>;

/// A difference is looked into so far: real formulas nest clamps two or three deep, and names that are used twice each
/// could double the work with every statement.
pub(super) const LOOKS_MAX: usize = 32;

impl Walk<'_> {
    /// Narrows what is known to where the condition has this outcome.
    pub(super) fn assume(&mut self, test: &Node, outcome: bool) -> Undo {
        let mut undo = Undo::new();
        self.assume_into(test, outcome, &mut undo);
        undo
    }

    pub(super) fn undo(&mut self, undo: Undo) {
        for (slot, interval) in undo.into_iter().rev() {
            self.store(slot, interval);
        }
    }

    fn assume_into(&mut self, test: &Node, outcome: bool, undo: &mut Undo) {
        match &test.kind {
            Kind::Unary(UnaryOp::Not, _, inner) => self.assume_into(inner, !outcome, undo),
            Kind::Binary(BinaryOp::And, _, left, right) if outcome => {
                self.assume_into(left, true, undo);
                self.assume_into(right, true, undo);
            }
            Kind::Binary(BinaryOp::Or, _, left, right) if !outcome => {
                self.assume_into(left, false, undo);
                self.assume_into(right, false, undo);
            }
            Kind::Binary(operator, _, left, right) if operator.is_comparison() => {
                let quiet = self.facts.take();
                self.compared(left, *operator, right, outcome, undo);
                self.compared(right, mirrored(*operator), left, outcome, undo);
                self.facts = quiet;
            }
            _ => {
                let operator = if outcome {
                    BinaryOp::NotEqual
                } else {
                    BinaryOp::Equal
                };
                if let Some(slot) = self.slot(test) {
                    self.narrow(slot, operator, Interval::point(0.0), true, undo);
                }
            }
        }
    }

    fn compared(&mut self, name: &Node, operator: BinaryOp, with: &Node, outcome: bool, undo: &mut Undo) {
        let Some(slot) = self.slot(name) else { return };
        if let Value::Number(bound) = self.value(with) {
            let operator = if outcome { operator } else { opposite(operator) };
            self.narrow(slot, operator, bound, outcome, undo);
        }
    }

    /// Keeps the numbers for which the comparison can hold; NaN goes where the comparison was true, unless it was `!=`.
    fn narrow(&mut self, slot: Slot, operator: BinaryOp, bound: Interval, outcome: bool, undo: &mut Undo) {
        let Some(known) = self.load(slot) else { return };
        let (mut low, mut high) = (known.low, known.high);
        match operator {
            _ if bound.nan && !outcome => {}
            BinaryOp::Less => high = high.min(bound.high.next_down()),
            BinaryOp::LessOrEqual => high = high.min(bound.high),
            BinaryOp::Greater => low = low.max(bound.low.next_up()),
            BinaryOp::GreaterOrEqual => low = low.max(bound.low),
            BinaryOp::Equal => (low, high) = (low.max(bound.low), high.min(bound.high)),
            _ => match bound.only() {
                Some(hole) if hole == low && hole == high => (low, high) = (f64::INFINITY, f64::NEG_INFINITY),
                Some(hole) if hole == low => low = low.next_up(),
                Some(hole) if hole == high => high = high.next_down(),
                _ => {}
            },
        }
        let nan = known.nan && (!outcome || operator == BinaryOp::NotEqual);
        undo.push((slot, known));
        self.store(slot, Interval { low, high, nan });
    }

    fn slot(&self, node: &Node) -> Option<Slot> {
        match &node.kind {
            Kind::Variable(variable) => Some(Slot::Variable(variable.0)),
            Kind::Counter(metric) => Some(Slot::Counter(*metric)),
            Kind::Nodes { lane, alias } => {
                let (lane, alias) = (lane_index(*lane), usize::from(*alias));
                match self.targets[lane] {
                    [None, None] => Some(Slot::PoolTarget(lane)),
                    names => names[alias].map(|_| Slot::Assigned(lane, alias)),
                }
            }
            _ => None,
        }
    }

    fn load(&self, slot: Slot) -> Option<Interval> {
        match slot {
            Slot::Variable(index) => match self.variables[index] {
                Value::Number(interval) => Some(interval),
                _ => None,
            },
            Slot::Assigned(lane, alias) => self.targets[lane][alias],
            Slot::PoolTarget(lane) => Some(self.world.target[lane]),
            Slot::Counter(metric) => Some(self.world.counter(metric)),
        }
    }

    fn store(&mut self, slot: Slot, interval: Interval) {
        match slot {
            Slot::Variable(index) => self.variables[index] = Value::Number(interval),
            Slot::Assigned(lane, alias) => self.targets[lane][alias] = Some(interval),
            Slot::PoolTarget(lane) => self.world.target[lane] = interval,
            Slot::Counter(Metric::CurrentDedicatedNodes) => self.world.current[0] = interval,
            Slot::Counter(Metric::CurrentLowPriorityNodes) => self.world.current[1] = interval,
            Slot::Counter(Metric::UsableNodeCount) => self.world.usable = interval,
            Slot::Counter(Metric::PreemptedNodeCount) => self.world.preempted = interval,
            Slot::Counter(Metric::TaskSlotsPerNode) => self.world.slots = interval,
            Slot::Counter(_) => {}
        }
    }

    /// Says whether `small` is never more than `large`, from how it was made: `min(large, …)`, or clamped below it.
    ///
    /// `small` stands in the statement `before`, or here for the largest number: later assignments do not count.
    pub(super) fn is_at_most(
        &mut self,
        small: &Node,
        large: &Node,
        before: usize,
        looks: &mut usize,
    ) -> bool {
        let Some(left) = looks.checked_sub(1) else {
            return false;
        };
        *looks = left;
        if is_same(small, large) {
            return true;
        }
        match &small.kind {
            Kind::Variable(variable) => {
                let set = self.variable_set[variable.0];
                self.definition_is_at_most(set.filter(|set| *set < before), large, looks)
            }
            Kind::Nodes { lane, alias } => {
                let set = self.target_set[lane_index(*lane)][usize::from(*alias)];
                self.definition_is_at_most(set.filter(|set| *set < before), large, looks)
            }
            Kind::Call {
                function, arguments, ..
            } => match function {
                Function::Min => arguments
                    .iter()
                    .any(|part| self.is_at_most(part, large, before, looks)),
                Function::Max => arguments
                    .iter()
                    .all(|part| self.is_at_most(part, large, before, looks)),
                Function::Floor => {
                    arguments.len() == 1 && self.is_at_most(&arguments[0], large, before, looks)
                }
                _ => false,
            },
            Kind::Conditional(_, then, otherwise) => {
                self.is_at_most(then, large, before, looks)
                    && self.is_at_most(otherwise, large, before, looks)
            }
            Kind::Number(number) => {
                let quiet = self.facts.take();
                let large = self.value(large).numbers();
                self.facts = quiet;
                *number <= large.low
            }
            _ => false,
        }
    }

    /// Follows a name to what it was set to, if everything in `large` still is what it was then.
    fn definition_is_at_most(&mut self, set: Option<usize>, large: &Node, looks: &mut usize) -> bool {
        let Some(index) = set else { return false };
        let mut unchanged = true;
        large.walk(&mut |node| {
            let set = match &node.kind {
                Kind::Variable(variable) => self.variable_set[variable.0],
                Kind::Nodes { lane, .. } => self.target_set[lane_index(*lane)].into_iter().flatten().max(),
                _ => None,
            };
            unchanged &= set.is_none_or(|set| set < index) && !is_chance(node);
        });
        let checked = self.checked;
        unchanged && self.is_at_most(&checked.statements[index].value, large, index, looks)
    }
}

/// Says whether two expressions are the same name or number.
fn is_same(one: &Node, other: &Node) -> bool {
    match (&one.kind, &other.kind) {
        (Kind::Variable(a), Kind::Variable(b)) => a == b,
        (Kind::Counter(a), Kind::Counter(b)) => a == b,
        (Kind::Number(a), Kind::Number(b)) => a == b,
        (Kind::Nodes { lane: a, alias: x }, Kind::Nodes { lane: b, alias: y }) => a == b && x == y,
        _ => false,
    }
}

fn is_chance(node: &Node) -> bool {
    matches!(
        node.kind,
        Kind::Call {
            function: Function::Rand,
            ..
        }
    )
}

const fn mirrored(operator: BinaryOp) -> BinaryOp {
    match operator {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        other => other,
    }
}

const fn opposite(operator: BinaryOp) -> BinaryOp {
    match operator {
        BinaryOp::Less => BinaryOp::GreaterOrEqual,
        BinaryOp::LessOrEqual => BinaryOp::Greater,
        BinaryOp::Greater => BinaryOp::LessOrEqual,
        BinaryOp::GreaterOrEqual => BinaryOp::Less,
        BinaryOp::Equal => BinaryOp::NotEqual,
        other => match other {
            BinaryOp::NotEqual => BinaryOp::Equal,
            _ => other,
        },
    }
}
