//! Values whose type is known only when they are evaluated, and values for traces.

use super::number::{compare, computed, truth};
use super::times::scale;
use super::vector::arithmetic;
use super::{Compiler, Dynamic, Number, number_slot};
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::Type;
use crate::formula::checked::{Kind, Node, Variable};
use crate::formula::compile::reduce::elementwise;
use crate::formula::run::{Halt, Memory, Numbers, fault};
use crate::formula::{Lean, Value};

impl Compiler<'_> {
    /// Compiles any node to a value that knows its type.
    pub(super) fn dynamic(&self, node: &Node) -> Dynamic {
        macro_rules! wrap {
            ($compute:expr, $variant:ident) => {{
                let compute = $compute;
                Box::new(move |run| Value::$variant(compute(run)))
            }};
        }
        match node.ty {
            Type::Double => {
                let compute = self.number(node);
                Box::new(move |run| Value::Double(compute.get(run)))
            }
            Type::Timestamp => wrap!(self.instant(node), Timestamp),
            Type::TimeInterval => wrap!(self.interval(node), TimeInterval),
            Type::Text => wrap!(self.text(node), Text),
            Type::DoubleVec => {
                let vector = self.vector(node);
                Box::new(move |run| {
                    let mut numbers = Vec::new();
                    vector(run, &mut numbers);
                    Value::DoubleVec(numbers)
                })
            }
            Type::Never => Box::new(self.fails(node)),
            Type::Either => self.either(node),
            Type::DataSet => unreachable!("a data set is never a node"),
        }
    }

    fn either(&self, node: &Node) -> Dynamic {
        match &node.kind {
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| run.memory.either[slot].clone())
            }
            Kind::Conditional(test, then, otherwise) => {
                self.either_arm(test, self.dynamic(then), self.dynamic(otherwise))
            }
            Kind::Binary(op, at, left, right) => self.dynamic_binary(*op, *at, left, right),
            Kind::Unary(op, at, inner) => {
                let (inner, op, at) = (self.dynamic(inner), *op, *at);
                Box::new(move |run| {
                    let value = unary(op, at, inner(run));
                    run.settle(value)
                })
            }
            Kind::Call {
                function,
                open,
                arguments,
            } => {
                let (inner, apply, at) = (self.dynamic(&arguments[0]), elementwise(*function), *open);
                Box::new(move |run| match inner(run) {
                    Value::Double(number) => Value::Double(apply(number)),
                    Value::DoubleVec(numbers) => Value::DoubleVec(numbers.into_iter().map(apply).collect()),
                    other => run.fail(at, format!("{other} is neither a double nor a doubleVec")),
                })
            }
            kind => unreachable!("{kind:?} has one type"),
        }
    }

    /// Compiles an operator with a side whose type is open.
    pub(super) fn dynamic_binary(&self, op: BinaryOp, at: usize, left: &Node, right: &Node) -> Dynamic {
        let (left, right) = (self.dynamic(left), self.dynamic(right));
        Box::new(move |run| {
            let left = left(run);
            let right = right(run);
            let value = binary(op, at, left, right);
            run.settle(value)
        })
    }

    /// Compiles a node of open type where a number is needed.
    pub(super) fn number_of_either(&self, node: &Node) -> Number {
        let (value, span) = (self.dynamic(node), node.span.clone());
        computed(move |run| match value(run) {
            Value::Double(number) => number,
            Value::DoubleVec(numbers) if numbers.len() == 1 => {
                run.lean(Lean::SingleElement, &span);
                numbers[0]
            }
            other => run.fail(span.start, format!("{other} was given where a double is needed")),
        })
    }
}

fn unary(op: UnaryOp, at: usize, value: Value) -> Result<Value, Halt> {
    Ok(match (op, value) {
        (UnaryOp::Negate, Value::TimeInterval(span)) => Value::TimeInterval(-span),
        (UnaryOp::Negate, value) => Value::Double(-number(at, &value)?),
        (UnaryOp::Not, value) => Value::Double(truth(number(at, &value)? == 0.0)),
    })
}

/// The number in a value: a double, or a vector of one element.
fn number(at: usize, value: &Value) -> Result<f64, Halt> {
    match value {
        Value::Double(number) => Ok(*number),
        Value::DoubleVec(numbers) if numbers.len() == 1 => Ok(numbers[0]),
        other => fault(at, format!("{other} was given where a double is needed")),
    }
}

fn binary(op: BinaryOp, at: usize, left: Value, right: Value) -> Result<Value, Halt> {
    if op.is_comparison() {
        let compared = match (&left, &right) {
            (Value::Timestamp(left), Value::Timestamp(right)) => compare(op, left, right),
            (Value::TimeInterval(left), Value::TimeInterval(right)) => compare(op, left, right),
            (Value::Text(left), Value::Text(right)) => compare(op, left, right),
            (left, right) => compare(op, &number(at, left)?, &number(at, right)?),
        };
        return Ok(Value::Double(compared));
    }
    Ok(match (left, op, right) {
        (Value::Double(left), _, Value::Double(right)) => Value::Double(arithmetic(op, left, right)),
        (Value::DoubleVec(left), _, Value::Double(right)) => {
            Value::DoubleVec(left.into_iter().map(|left| arithmetic(op, left, right)).collect())
        }
        (Value::Double(left), _, Value::DoubleVec(right)) => Value::DoubleVec(
            right
                .into_iter()
                .map(|right| arithmetic(op, left, right))
                .collect(),
        ),
        (Value::DoubleVec(left), _, Value::DoubleVec(right)) if left.len() == right.len() => {
            Value::DoubleVec(
                left.iter()
                    .zip(&right)
                    .map(|(left, right)| arithmetic(op, *left, *right))
                    .collect(),
            )
        }
        (Value::DoubleVec(left), _, Value::DoubleVec(right)) => {
            return fault(
                at,
                format!("Vectors of different length: {} and {}", left.len(), right.len()),
            );
        }
        (left, op, right) => return times(op, at, &left, &right),
    })
}

fn times(op: BinaryOp, at: usize, left: &Value, right: &Value) -> Result<Value, Halt> {
    use BinaryOp::{Add, Divide, Multiply, Subtract};
    Ok(match (left, op, right) {
        (Value::Double(factor), Multiply, Value::TimeInterval(span))
        | (Value::TimeInterval(span), Multiply | Divide, Value::Double(factor)) => {
            Value::TimeInterval(scale(op, *span, *factor))
        }
        (Value::TimeInterval(left), Add, Value::TimeInterval(right)) => Value::TimeInterval(*left + *right),
        (Value::TimeInterval(left), Subtract, Value::TimeInterval(right)) => {
            Value::TimeInterval(*left - *right)
        }
        (Value::Timestamp(left), Subtract, Value::Timestamp(right)) => Value::TimeInterval(*left - *right),
        (Value::Timestamp(left), Subtract, Value::TimeInterval(right)) => Value::Timestamp(*left - *right),
        (Value::TimeInterval(span), Add, Value::Timestamp(start))
        | (Value::Timestamp(start), Add, Value::TimeInterval(span)) => Value::Timestamp(*start + *span),
        _ => {
            return fault(
                at,
                format!("Operator {} cannot be applied to {left} and {right}", op.symbol()),
            );
        }
    })
}

/// Reads what a variable holds.
pub(in crate::formula) fn read_variable(
    numbers: &Numbers,
    memory: &Memory,
    variable: &Variable,
) -> Option<Value> {
    let slot = variable.slot;
    Some(match variable.ty {
        Type::Double => Value::Double(numbers[number_slot(slot)]),
        Type::DoubleVec => Value::DoubleVec(memory.vectors[slot].clone()),
        Type::Timestamp => Value::Timestamp(memory.instants[slot]),
        Type::TimeInterval => Value::TimeInterval(memory.intervals[slot]),
        Type::Text => Value::Text(memory.texts[slot].clone()),
        Type::Either => memory.either[slot].clone(),
        Type::DataSet | Type::Never => return None,
    })
}

/// Sets what a variable holds; a value of another type is left alone.
pub(in crate::formula) fn write_variable(
    numbers: &mut Numbers,
    memory: &mut Memory,
    variable: &Variable,
    value: &Value,
) {
    let slot = variable.slot;
    match (variable.ty, value) {
        (Type::Double, Value::Double(number)) => numbers[number_slot(slot)] = *number,
        (Type::DoubleVec, Value::DoubleVec(vector)) => memory.vectors[slot].clone_from(vector),
        (Type::Timestamp, Value::Timestamp(instant)) => memory.instants[slot] = *instant,
        (Type::TimeInterval, Value::TimeInterval(span)) => memory.intervals[slot] = *span,
        (Type::Text, Value::Text(text)) => memory.texts[slot] = text.clone(),
        (Type::Either, value) => memory.either[slot] = value.clone(),
        _ => {}
    }
}
