//! The larger or smaller of two numbers, which most formulas use to keep a target within bounds.

use super::number::{computed, operation};
use super::{Compiler, Number};
use crate::formula::builtin::{Function, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::run::Run;

impl Compiler<'_> {
    /// Compiles `max` and `min` of two arguments where one or both are numbers and the other is a call of `GetSample`.
    pub(super) fn extreme(&self, function: Function, left: &Node, right: &Node) -> Option<Number> {
        match function {
            Function::Max => self
                .extreme_of_two(function, left, right)
                .or_else(|| self.extreme_with_samples(left, right, larger)),
            Function::Min => self
                .extreme_of_two(function, left, right)
                .or_else(|| self.extreme_with_samples(left, right, smaller)),
            _ => None,
        }
    }

    fn extreme_with_samples(
        &self,
        left: &Node,
        right: &Node,
        pick: impl Fn(f64, f64) -> f64 + Send + Sync + 'static,
    ) -> Option<Number> {
        // Types are asked first: what is compiled here must be used, or nested calls would compile again and again.
        if right.ty == Type::Double {
            let samples = self.samples_of(left)?;
            let newest = samples.only_newest();
            // `max($X.GetSample(1), avg($X.GetSample(…)))` is in every guide.
            if let (Some(newest), Some(total)) = (&newest, self.total_of(right)) {
                return Some(with_newest(*newest, move |run| total.get(run), pick));
            }
            let right = self.operand(right);
            if let Some(newest) = newest {
                return Some(with_newest(newest, move |run| right.get(run), pick));
            }
            return Some(computed(move |run| {
                let values = samples.find_counted(run);
                let right = right.get(run);
                // The newest comes first, and the number after all of them.
                let first = values.iter().rev().copied().reduce(&pick);
                first.map_or(right, |first| pick(first, right))
            }));
        }
        if left.ty != Type::Double {
            return None;
        }
        let samples = self.samples_of(right)?;
        let left = self.operand(left);
        if let Some(newest) = samples.only_newest() {
            return Some(computed(move |run| {
                let left = left.get(run);
                newest(run).map_or(left, |newest| pick(left, newest))
            }));
        }
        Some(computed(move |run| {
            let left = left.get(run);
            let values = samples.find_counted(run);
            values.iter().rev().copied().fold(left, &pick)
        }))
    }

    /// Two numbers; `max(0, min(x, 20))` is one closure.
    fn extreme_of_two(&self, function: Function, left: &Node, right: &Node) -> Option<Number> {
        if left.ty != Type::Double || right.ty != Type::Double {
            return None;
        }
        match function {
            Function::Max => Some(match self.clamped(left, right) {
                Some(number) => number,
                None => operation(self.operand(left), self.operand(right), larger),
            }),
            Function::Min => Some(operation(self.operand(left), self.operand(right), smaller)),
            _ => None,
        }
    }

    /// Compiles `max(floor, min(x, ceiling))`, both bounds constants.
    fn clamped(&self, left: &Node, right: &Node) -> Option<Number> {
        let (
            Kind::Number(floor),
            Kind::Call {
                function: Function::Min,
                arguments,
                ..
            },
        ) = (&left.kind, &right.kind)
        else {
            return None;
        };
        let [inner, ceiling] = arguments.as_slice() else {
            return None;
        };
        let (Kind::Number(ceiling), Type::Double) = (&ceiling.kind, inner.ty) else {
            return None;
        };
        let (inner, floor, ceiling) = (self.operand(inner), *floor, *ceiling);
        Some(inner.then(move |x| larger(floor, smaller(x, ceiling))))
    }
}

/// The extreme of the newest sample, if there is one, and a number.
fn with_newest<N, R, P>(newest: N, right: R, pick: P) -> Number
where
    N: for<'r> Fn(&mut Run<'r>) -> Option<f64> + Send + Sync + 'static,
    R: for<'r> Fn(&mut Run<'r>) -> f64 + Send + Sync + 'static,
    P: Fn(f64, f64) -> f64 + Send + Sync + 'static,
{
    computed(move |run| match newest(run) {
        Some(newest) => pick(newest, right(run)),
        None => right(run),
    })
}

/// The first number stands unless the other is larger, as a loop in C would have it.
pub(super) fn larger(first: f64, x: f64) -> f64 {
    if x > first { x } else { first }
}

/// The first number stands unless the other is smaller.
pub(super) fn smaller(first: f64, x: f64) -> f64 {
    if x < first { x } else { first }
}
