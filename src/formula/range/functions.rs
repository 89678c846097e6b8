//! What each function can give on sets.

use super::interval::Interval;
use super::value::{Value, Vector};
use crate::formula::builtin::Function;

/// Returns what a function can give.
pub(crate) fn call(function: Function, arguments: &[Value]) -> Value {
    if arguments.iter().any(|argument| argument.is_nothing()) {
        return Value::Nothing;
    }
    let all = flatten(arguments);
    match function {
        Function::Vec => Value::Vector(all),
        Function::Ceil | Function::Floor | Function::Round | Function::Ln | Function::Lg | Function::Log => {
            elementwise(function, arguments, all)
        }
        Function::Max => Value::Number(extreme(arguments, all, f64::max)),
        Function::Min => Value::Number(extreme(arguments, all, f64::min)),
        Function::Val | Function::Percentile => Value::Number(or_zero_when_empty(
            arguments[0].vector(),
            arguments[0].vector().elements,
        )),
        Function::Avg => Value::Number(or_zero_when_empty(all, all.elements)),
        Function::Len => Value::Number(Interval::new(all.shortest, all.longest)),
        Function::Sum => Value::Number(sum(all)),
        Function::Norm | Function::Std | Function::Range => Value::Number(spread(function, all)),
        Function::Rand => Value::Number(Interval::new(0.0, 1.0)),
        Function::Time => Value::Time(super::value::Times::ANY),
        Function::Stop => Value::Nothing,
    }
}

/// Returns the vectors that the arguments can make, one behind the other.
fn flatten(arguments: &[Value]) -> Vector {
    let none = Vector {
        elements: Interval::EMPTY,
        shortest: 0.0,
        longest: 0.0,
    };
    arguments.iter().fold(none, |list, argument| {
        let next = argument.vector();
        Vector {
            elements: list.elements.join(next.elements),
            shortest: list.shortest + next.shortest,
            longest: list.longest + next.longest,
        }
    })
}

fn elementwise(function: Function, arguments: &[Value], all: Vector) -> Value {
    let apply = |numbers: Interval| match function {
        Function::Ceil => numbers.rising(f64::ceil),
        Function::Floor => numbers.rising(f64::floor),
        Function::Round => numbers.rising(f64::round),
        Function::Ln => numbers.logarithm(f64::ln),
        Function::Lg => numbers.logarithm(f64::log2),
        _ => numbers.logarithm(f64::log10),
    };
    match arguments {
        [Value::Number(number)] => Value::Number(apply(*number)),
        [Value::Anything] => Value::Anything,
        _ => Value::Vector(Vector {
            elements: apply(all.elements),
            ..all
        }),
    }
}

/// Returns the largest or least of all elements; an argument that may be empty may not take part, and 0 stands for all.
fn extreme(arguments: &[Value], all: Vector, choose: fn(f64, f64) -> f64) -> Interval {
    if all.elements.nan {
        return or_zero_when_empty(all, all.elements);
    }
    let mut result: Option<Interval> = None;
    for vector in arguments.iter().map(|argument| argument.vector()) {
        if vector.longest < 1.0 {
            continue;
        }
        let taken = |so_far: Interval| so_far.pick(vector.elements, choose);
        result = Some(match result {
            None => vector.elements,
            Some(so_far) if vector.shortest >= 1.0 => taken(so_far),
            Some(so_far) => taken(so_far).join(so_far),
        });
    }
    let first_may_be_absent = arguments.len() > 1 && arguments[0].vector().shortest < 1.0;
    let numbers = result.unwrap_or(Interval::EMPTY);
    let numbers = if first_may_be_absent {
        numbers.join(extreme(&arguments[1..], flatten(&arguments[1..]), choose))
    } else {
        numbers
    };
    or_zero_when_empty(all, numbers)
}

/// A reduction of nothing counts as 0.
fn or_zero_when_empty(vector: Vector, numbers: Interval) -> Interval {
    if vector.shortest < 1.0 {
        numbers.join(Interval::point(0.0))
    } else {
        numbers
    }
}

fn sum(all: Vector) -> Interval {
    if all.elements.is_empty() {
        return or_zero_when_empty(all, all.elements);
    }
    all.elements.multiply(Interval::new(all.shortest, all.longest))
}

/// Norm, standard deviation and range are never negative and grow with the elements.
fn spread(function: Function, all: Vector) -> Interval {
    if all.elements.nan || all.elements.low.is_infinite() || all.elements.high.is_infinite() {
        return Interval {
            nan: true,
            ..Interval::new(0.0, f64::INFINITY)
        };
    }
    if all.elements.is_empty() {
        return or_zero_when_empty(all, Interval::EMPTY);
    }
    let width = all.elements.high - all.elements.low;
    let high = match function {
        Function::Norm => all.elements.low.abs().max(all.elements.high.abs()) * all.longest.max(1.0).sqrt(),
        // The sample deviation is largest for two elements: (high − low) / √2.
        Function::Std => width * std::f64::consts::FRAC_1_SQRT_2,
        _ => width,
    };
    // One more in the last places, since both are sums of rounded squares.
    Interval::new(0.0, high * (1.0 + 1e-12))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(low: f64, high: f64, shortest: f64) -> Value {
        Value::Vector(Vector {
            elements: Interval::new(low, high),
            shortest,
            longest: 20.0,
        })
    }

    #[test]
    fn reductions_know_that_a_vector_may_be_empty() {
        for (function, arguments, low, high) in [
            (Function::Avg, vec![samples(3.0, 9.0, 1.0)], 3.0, 9.0),
            (Function::Avg, vec![samples(3.0, 9.0, 0.0)], 0.0, 9.0),
            (
                Function::Max,
                vec![Value::point(5.0), samples(3.0, 9.0, 0.0)],
                5.0,
                9.0,
            ),
            (
                Function::Min,
                vec![Value::point(5.0), samples(3.0, 9.0, 0.0)],
                3.0,
                5.0,
            ),
            (
                Function::Min,
                vec![samples(3.0, 9.0, 0.0), Value::point(5.0)],
                3.0,
                5.0,
            ),
            (Function::Sum, vec![samples(3.0, 9.0, 2.0)], 6.0, 180.0),
            (
                Function::Len,
                vec![samples(3.0, 9.0, 2.0), Value::point(1.0)],
                3.0,
                21.0,
            ),
        ] {
            assert_eq!(
                call(function, &arguments).numbers(),
                Interval::new(low, high),
                "{function:?}"
            );
        }
    }
}
