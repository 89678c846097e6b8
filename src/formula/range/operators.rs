//! What operators can give on sets.

use super::interval::{Interval, Truth};
use super::value::{Value, Vector};
use crate::formula::ast::{BinaryOp, UnaryOp};

/// Returns what an operator before its operand can give.
pub(super) fn unary(operator: UnaryOp, value: Value) -> Value {
    match (operator, value) {
        (_, value) if value.is_nothing() => Value::Nothing,
        (UnaryOp::Not, value) => Value::truth_value(value.numbers().truth().not()),
        (UnaryOp::Negate, Value::Number(number)) => Value::Number(number.negate()),
        (UnaryOp::Negate, Value::Span(spans)) => Value::Span(spans.negate()),
        (UnaryOp::Negate, Value::Vector(vector)) => Value::Vector(Vector {
            elements: vector.elements.negate(),
            ..vector
        }),
        _ => Value::Anything,
    }
}

/// Returns which truth values a comparison can have.
pub(super) fn compare(operator: BinaryOp, left: Value, right: Value) -> Truth {
    let (a, b) = match (left, right) {
        (Value::Time(a), Value::Time(b)) => (a.since(b).numbers(), Interval::point(0.0)),
        (Value::Span(a), Value::Span(b)) => (a.numbers(), b.numbers()),
        (Value::Text(_), _) | (_, Value::Text(_)) => return Truth::BOTH,
        (a, b) => (a.numbers(), b.numbers()),
    };
    match operator {
        BinaryOp::Less => a.less(b),
        BinaryOp::LessOrEqual => a.less_or_equal(b),
        BinaryOp::Greater => b.less(a),
        BinaryOp::GreaterOrEqual => b.less_or_equal(a),
        BinaryOp::NotEqual => a.equal(b).not(),
        _ => a.equal(b),
    }
}

/// Returns what `+ - * /` can give.
pub(super) fn arithmetic(operator: BinaryOp, left: Value, right: Value) -> Value {
    let on_numbers = |a: Interval, b: Interval| match operator {
        BinaryOp::Add => a.add(b),
        BinaryOp::Subtract => a.subtract(b),
        BinaryOp::Multiply => a.multiply(b),
        _ => a.divide(b),
    };
    match (operator, left, right) {
        (_, Value::Number(a), Value::Number(b)) => Value::Number(on_numbers(a, b)),
        (_, Value::Vector(_), Value::Vector(_) | Value::Number(_))
        | (_, Value::Number(_), Value::Vector(_)) => {
            let (a, b) = (left.vector(), right.vector());
            let lengths = match (left, right) {
                (Value::Number(_), _) => b,
                (_, Value::Number(_)) => a,
                _ => Vector {
                    shortest: a.shortest.max(b.shortest),
                    longest: a.longest.min(b.longest),
                    ..a
                },
            };
            Value::Vector(Vector {
                elements: on_numbers(a.elements, b.elements),
                ..lengths
            })
        }
        (BinaryOp::Multiply, Value::Span(span), Value::Number(number))
        | (BinaryOp::Multiply, Value::Number(number), Value::Span(span)) => Value::Span(span.scale(number)),
        (BinaryOp::Divide, Value::Span(span), Value::Number(number)) => {
            Value::Span(span.scale(Interval::point(1.0).divide(number)))
        }
        (BinaryOp::Add, Value::Span(a), Value::Span(b)) => Value::Span(a.add(b)),
        (BinaryOp::Subtract, Value::Span(a), Value::Span(b)) => Value::Span(a.add(b.negate())),
        (BinaryOp::Add, Value::Time(time), Value::Span(span))
        | (BinaryOp::Add, Value::Span(span), Value::Time(time)) => Value::Time(time.later(span)),
        (BinaryOp::Subtract, Value::Time(time), Value::Span(span)) => Value::Time(time.later(span.negate())),
        (BinaryOp::Subtract, Value::Time(a), Value::Time(b)) => Value::Span(a.since(b)),
        _ => Value::Anything,
    }
}
