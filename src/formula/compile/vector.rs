//! Vectors: each closure appends its elements to a buffer that the run reuses.

use super::reduce::elementwise;
use super::{Compiler, Vector};
use crate::formula::ast::BinaryOp;
use crate::formula::builtin::{Function, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::run::{Halt, fault};
use crate::formula::{Lean, Value};

impl Compiler<'_> {
    /// Compiles a node whose elements are wanted: a number is one element, a vector all of its own.
    pub(super) fn vector(&self, node: &Node) -> Vector {
        match node.ty {
            Type::DoubleVec => self.proper_vector(node),
            Type::Either => {
                let (value, at) = (self.dynamic(node), node.span.start);
                Box::new(move |run, buffer| match value(run) {
                    Value::Double(number) => buffer.push(number),
                    Value::DoubleVec(numbers) => buffer.extend(numbers),
                    other => run.fail(at, format!("{other} is neither a double nor a doubleVec")),
                })
            }
            _ => {
                let number = self.number(node);
                Box::new(move |run, buffer| {
                    buffer.push(number.get(run));
                })
            }
        }
    }

    fn proper_vector(&self, node: &Node) -> Vector {
        match &node.kind {
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run, buffer| {
                    if run.spend(run.memory.vectors[slot].len()) {
                        buffer.extend_from_slice(&run.memory.vectors[slot]);
                    }
                })
            }
            Kind::Sample(sample) => {
                let samples = self.samples(sample);
                Box::new(move |run, buffer| {
                    let values = samples.find_counted(run);
                    buffer.extend(values.iter().rev());
                })
            }
            Kind::Conditional(test, then, otherwise) => {
                let (test, then, otherwise) = (self.test(test), self.vector(then), self.vector(otherwise));
                Box::new(move |run, buffer| {
                    if test.holds(run) {
                        then(run, buffer);
                    } else {
                        otherwise(run, buffer);
                    }
                })
            }
            Kind::Call {
                function: Function::Vec,
                arguments,
                ..
            } => self.gather(arguments),
            Kind::Call {
                function, arguments, ..
            } => {
                let (gather, apply) = (self.gather(arguments), elementwise(*function));
                Box::new(move |run, buffer| {
                    let first = buffer.len();
                    gather(run, buffer);
                    buffer[first..].iter_mut().for_each(|x| *x = apply(*x));
                })
            }
            Kind::Binary(op, at, left, right) => self.componentwise(*op, *at, left, right),
            kind => unreachable!("{kind:?} is not a doubleVec"),
        }
    }

    fn componentwise(&self, op: BinaryOp, at: usize, left: &Node, right: &Node) -> Vector {
        let span = left.span.start..right.span.end;
        match (left.ty, right.ty) {
            (Type::DoubleVec, Type::Double) => {
                let (vector, number) = (self.vector(left), self.number(right));
                Box::new(move |run, buffer| {
                    let first = buffer.len();
                    vector(run, buffer);
                    let right = number.get(run);
                    buffer[first..]
                        .iter_mut()
                        .for_each(|x| *x = arithmetic(op, *x, right));
                })
            }
            (Type::Double, _) => {
                let (number, vector) = (self.number(left), self.vector(right));
                Box::new(move |run, buffer| {
                    run.lean(Lean::DoubleThenVector, &span);
                    let (left, first) = (number.get(run), buffer.len());
                    vector(run, buffer);
                    buffer[first..]
                        .iter_mut()
                        .for_each(|x| *x = arithmetic(op, left, *x));
                })
            }
            _ => {
                let (left, right) = (self.vector(left), self.vector(right));
                Box::new(move |run, buffer| {
                    let first = buffer.len();
                    left(run, buffer);
                    let mut other = run.take_scratch();
                    right(run, &mut other);
                    let paired = pair(op, at, &mut buffer[first..], &other);
                    run.settle(paired);
                    run.give_scratch(other);
                })
            }
        }
    }
}

fn pair(op: BinaryOp, at: usize, left: &mut [f64], right: &[f64]) -> Result<(), Halt> {
    if left.len() != right.len() {
        return fault(
            at,
            format!("Vectors of different length: {} and {}", left.len(), right.len()),
        );
    }
    left.iter_mut()
        .zip(right)
        .for_each(|(x, y)| *x = arithmetic(op, *x, *y));
    Ok(())
}

/// Computes one of the four operations on numbers.
pub(super) fn arithmetic(op: BinaryOp, left: f64, right: f64) -> f64 {
    match op {
        BinaryOp::Add => left + right,
        BinaryOp::Subtract => left - right,
        BinaryOp::Multiply => left * right,
        BinaryOp::Divide => left / right,
        _ => unreachable!("{} is not arithmetic", op.symbol()),
    }
}
