//! Numbers: constants, variables, operators, comparisons, members and single numbers out of vectors.

use super::{Compiler, Number};
use crate::base::{Lane, Timestamp};
use crate::formula::Lean;
use crate::formula::ast::{BinaryOp, UnaryOp};
use crate::formula::builtin::{Member, Type};
use crate::formula::checked::{Kind, Node};
use crate::formula::run::{Halt, Run, fault};

/// A number that may be at hand without a call: most operands are constants and variables.
pub(in crate::formula) enum Operand {
    Constant(f64),
    Variable(usize),
    Nodes { lane: Lane, alias: bool },
    Computed(Number),
}

/// A condition; a variable beside a constant, the usual one, costs no call.
enum Test {
    Compare(BinaryOp, usize, f64),
    Computed(Operand),
}

impl Test {
    #[inline]
    fn holds(&self, run: &mut Run<'_>) -> Result<bool, Halt> {
        Ok(match self {
            Self::Compare(op, slot, constant) => compare(*op, &run.memory.numbers[*slot], constant) != 0.0,
            Self::Computed(number) => number.get(run)? != 0.0,
        })
    }
}

impl Operand {
    #[inline]
    pub(super) fn get(&self, run: &mut Run<'_>) -> Result<f64, Halt> {
        match self {
            Self::Constant(number) => Ok(*number),
            Self::Variable(slot) => Ok(run.memory.numbers[*slot]),
            Self::Nodes { lane, alias } => Ok(run.nodes(*lane, *alias)),
            Self::Computed(number) => number(run),
        }
    }
}

impl Compiler<'_> {
    /// Compiles a node where a number is needed, without a closure where it is at hand.
    pub(super) fn operand(&self, node: &Node) -> Operand {
        match (&node.kind, node.ty) {
            (Kind::Number(number), _) => Operand::Constant(*number),
            (Kind::Variable(index), Type::Double) => Operand::Variable(self.checked.variables[index.0].slot),
            (Kind::Nodes { lane, alias }, _) => Operand::Nodes {
                lane: *lane,
                alias: *alias,
            },
            _ => Operand::Computed(self.number(node)),
        }
    }

    /// Compiles a node where a number is needed; one that may be of either type converts when evaluated.
    pub(super) fn number(&self, node: &Node) -> Number {
        if node.ty == Type::Either {
            return self.number_of_either(node);
        }
        if node.ty == Type::Never {
            return self.fails(node);
        }
        match &node.kind {
            Kind::Number(number) => {
                let number = *number;
                Box::new(move |_| Ok(number))
            }
            Kind::Variable(index) => {
                let slot = self.checked.variables[index.0].slot;
                Box::new(move |run| Ok(run.memory.numbers[slot]))
            }
            Kind::Nodes { lane, alias } => {
                let (lane, alias) = (*lane, *alias);
                Box::new(move |run| Ok(run.nodes(lane, alias)))
            }
            Kind::Counter(metric) => {
                let metric = *metric;
                Box::new(move |run| Ok(run.counter(metric)))
            }
            Kind::Sample(sample) => self.sample_number(sample),
            Kind::Member(inner, member) => {
                let (inner, member) = (self.instant(inner), *member);
                Box::new(move |run| Ok(member_of(inner(run)?, member)))
            }
            Kind::Call {
                function,
                open,
                arguments,
            } => self.call_number(*function, *open, arguments, &node.span),
            Kind::Unary(op, _, inner) => {
                let inner = self.number(inner);
                match op {
                    UnaryOp::Negate => Box::new(move |run| Ok(-inner(run)?)),
                    UnaryOp::Not => Box::new(move |run| Ok(truth(inner(run)? == 0.0))),
                }
            }
            Kind::Binary(op, at, left, right) => self.binary_number(*op, *at, left, right, node),
            Kind::Conditional(test, then, otherwise) => {
                let (test, then, otherwise) = (self.test(test), self.operand(then), self.operand(otherwise));
                Box::new(move |run| {
                    if test.holds(run)? {
                        then.get(run)
                    } else {
                        otherwise.get(run)
                    }
                })
            }
            Kind::Single(at, inner) => self.single(*at, inner),
            kind => unreachable!("{kind:?} is not a double"),
        }
    }

    fn test(&self, node: &Node) -> Test {
        if let Kind::Binary(op, _, left, right) = &node.kind
            && op.is_comparison()
            && let (Kind::Variable(index), Type::Double, Kind::Number(constant)) =
                (&left.kind, left.ty, &right.kind)
        {
            return Test::Compare(*op, self.checked.variables[index.0].slot, *constant);
        }
        Test::Computed(self.operand(node))
    }

    fn binary_number(&self, op: BinaryOp, at: usize, left: &Node, right: &Node, node: &Node) -> Number {
        if op.is_logical() {
            let (left, right) = (self.operand(left), self.operand(right));
            // Short circuit, as in C; no document says so.
            return if op == BinaryOp::And {
                Box::new(move |run| Ok(truth(left.get(run)? != 0.0 && right.get(run)? != 0.0)))
            } else {
                Box::new(move |run| Ok(truth(left.get(run)? != 0.0 || right.get(run)? != 0.0)))
            };
        }
        match (left.ty, right.ty) {
            (Type::Double, Type::Double) => self.arithmetic(op, left, right, node),
            (Type::Timestamp, Type::Timestamp) => compared(op, self.instant(left), self.instant(right)),
            (Type::TimeInterval, Type::TimeInterval) => {
                compared(op, self.interval(left), self.interval(right))
            }
            (Type::Text, Type::Text) => compared(op, self.text(left), self.text(right)),
            _ => {
                let value = self.dynamic_binary(op, at, left, right);
                Box::new(move |run| match value(run)? {
                    crate::formula::Value::Double(number) => Ok(number),
                    other => fault(at, format!("{other} is not a double")),
                })
            }
        }
    }

    fn arithmetic(&self, op: BinaryOp, left: &Node, right: &Node, node: &Node) -> Number {
        let span = node.span.clone();
        let (left, right) = (self.operand(left), self.operand(right));
        macro_rules! with {
            ($operation:expr) => {{
                let operation = $operation;
                Box::new(move |run| {
                    let left = left.get(run)?;
                    Ok(operation(left, right.get(run)?))
                })
            }};
        }
        match op {
            BinaryOp::Add => with!(|left: f64, right: f64| left + right),
            BinaryOp::Subtract => with!(|left: f64, right: f64| left - right),
            BinaryOp::Multiply => with!(|left: f64, right: f64| left * right),
            BinaryOp::Less => with!(|left: f64, right: f64| truth(left < right)),
            BinaryOp::LessOrEqual => with!(|left: f64, right: f64| truth(left <= right)),
            BinaryOp::Greater => with!(|left: f64, right: f64| truth(left > right)),
            BinaryOp::GreaterOrEqual => with!(|left: f64, right: f64| truth(left >= right)),
            BinaryOp::Equal => with!(|left: f64, right: f64| truth(left == right)),
            BinaryOp::NotEqual => with!(|left: f64, right: f64| truth(left != right)),
            BinaryOp::Divide => Box::new(move |run| {
                let left = left.get(run)?;
                let quotient = left / right.get(run)?;
                if !quotient.is_finite() {
                    run.lean(Lean::NonFinite, &span);
                }
                Ok(quotient)
            }),
            BinaryOp::And | BinaryOp::Or => unreachable!("logical operators were compiled before"),
        }
    }

    fn single(&self, at: usize, inner: &Node) -> Number {
        let (span, vector) = (inner.span.clone(), self.vector(inner));
        Box::new(move |run| {
            let mut buffer = run.take_scratch();
            let outcome = vector(run, &mut buffer).and_then(|()| match buffer.as_slice() {
                [only] => Ok(*only),
                many => fault(
                    at,
                    format!(
                        "A doubleVec of {} elements was given where a double is needed",
                        many.len()
                    ),
                ),
            });
            run.give_scratch(buffer);
            run.lean(Lean::SingleElement, &span);
            outcome
        })
    }
}

/// Returns the number that stands for true or false.
pub(super) fn truth(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

/// Compares two values of one type.
#[inline]
pub(super) fn compare<T: PartialOrd>(op: BinaryOp, left: &T, right: &T) -> f64 {
    truth(match op {
        BinaryOp::Less => left < right,
        BinaryOp::LessOrEqual => left <= right,
        BinaryOp::Greater => left > right,
        BinaryOp::GreaterOrEqual => left >= right,
        BinaryOp::Equal => left == right,
        BinaryOp::NotEqual => left != right,
        _ => unreachable!("{} does not compare", op.symbol()),
    })
}

fn compared<T: PartialOrd + 'static>(
    op: BinaryOp,
    left: super::Closure<T>,
    right: super::Closure<T>,
) -> Number {
    Box::new(move |run: &mut Run<'_>| -> Result<f64, Halt> {
        let left = left(run)?;
        Ok(compare(op, &left, &right(run)?))
    })
}

/// Returns a member of a timestamp.
pub(super) fn member_of(at: Timestamp, member: Member) -> f64 {
    use chrono::{Datelike, Timelike};
    let utc = at.to_utc();
    f64::from(match member {
        Member::Year => return f64::from(utc.year()),
        Member::Month => utc.month(),
        Member::Day => utc.day(),
        Member::Weekday => utc.weekday().num_days_from_sunday(),
        Member::Hour => utc.hour(),
        Member::Minute => utc.minute(),
        Member::Second => utc.second(),
    })
}
